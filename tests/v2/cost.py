"""`python -m tests.v2.cost`: what the checks of a message's readers cost its sender."""

import json
import re
import tempfile
from pathlib import Path

import click

from testing.process import Server, running
from tests.v2.node import node


@click.command()
def main() -> None:
    """Encrypt texts in groups of several sizes, with and without the checks. Print the median of 60 rounds."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-cost-") as folder:
        server = Server(Path(folder) / "data")
        with running(server):
            printed = node("scenarios/cost.js", server=server)
    click.echo("| devices | without (ms) | with the checks (ms) | ratio |\n|---|---|---|---|")
    for line in re.findall(r"\{.*\}", printed):
        click.echo("| {devices} | {ms_without} | {ms_with} | {ratio} |".format(**json.loads(line)))


if __name__ == "__main__":
    main()

"""`python -m tests.v2 [--rounds N]`: random scenarios; counts messages that were read, unread and undecryptable.

Before them, a group of a hundred devices.
"""

import tempfile
from pathlib import Path

import click

from testing.process import Server, running
from tests.v2.node import node, random_scenario, table


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--actions", default=300, show_default=True, help="Actions in each round.")
@click.option("--seed", default=1, show_default=True, help="Seed of the first round; each later round adds 1.")
def main(rounds: int, actions: int, seed: int) -> None:
    """Run twelve devices of six users on a server of two workers, which are killed at random moments."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-v2-") as folder:
        server = Server(Path(folder) / "data", SOTTOVOCE_WORKERS="2")
        with running(server):
            node("scenarios/crowd.test.js", server=server, SOTTOVOCE_DEVICES="10")
            found = []
            for number in range(seed, seed + rounds):
                found.append(random_scenario(server, number, actions))
                click.echo(found[-1], err=True)
    click.echo(table(found))


if __name__ == "__main__":
    main()

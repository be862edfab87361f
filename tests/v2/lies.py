"""`python -m tests.v2.lies [--runs N]`: a server that lies at random; counts what is read, changed and stuck."""

import tempfile
from pathlib import Path

import click

from testing.process import Server, running
from tests.v2.node import lying_server, table


@click.command()
@click.option("--runs", default=10, show_default=True)
@click.option("--rounds", default=100, show_default=True, help="Conversations in each run.")
@click.option("--seed", default=1, show_default=True, help="Seed of the first run; each later run adds 1.")
def main(runs: int, rounds: int, seed: int) -> None:
    """Let two people who have verified each other talk through a server that lies, on a real server of two workers."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-lies-") as folder:
        server = Server(Path(folder) / "data", SOTTOVOCE_WORKERS="2")
        with running(server):
            found = []
            for number in range(seed, seed + runs):
                found.append(lying_server(server, number, rounds))
                click.echo(found[-1], err=True)
    click.echo(table(found))


if __name__ == "__main__":
    main()

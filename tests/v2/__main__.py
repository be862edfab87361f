"""`python -m tests.v2 [--rounds N]`: plays of chance, and what was read, unread and undecryptable in them."""

import tempfile
from pathlib import Path

import click

from testing.process import Server, running
from tests.v2.node import play_by_chance


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--actions", default=300, show_default=True, help="Of each round.")
@click.option("--seed", default=1, show_default=True, help="Of the first round; the others follow.")
def main(rounds: int, actions: int, seed: int) -> None:
    """Twelve devices of six people, on a server of two workers that are killed now and then."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-sealed-") as folder:
        server = Server(Path(folder) / "data", SOTTOVOCE_WORKERS="2")
        with running(server):
            found = []
            for number in range(seed, seed + rounds):
                found.append(play_by_chance(server, number, actions))
                click.echo(found[-1], err=True)
    names = list(found[0])
    rows = [*([f"{one[name]:,}" for name in names] for one in found)]
    rows.append(["all", *(f"{sum(one[name] for one in found):,}" for name in names[1:])])
    click.echo("| " + " | ".join(name.replace("_", " ") for name in names) + " |")
    click.echo("|---" * len(names) + "|")
    for row in rows:
        click.echo("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()

"""`python -m tests.faults --rounds 20`: the figures of docs/reliability.md."""

import time

import click

from tests.faults.faults import FAULTS, can_mount, run, small_disk

COLUMNS = {
    "acknowledged": "acknowledged",
    "repeated": "repeated by retrying senders",
    "unsure_stored": "not acknowledged, stored",
    "unsure_absent": "not acknowledged, absent",
    "reconnects": "reconnects",
    "lost": "lost",
    "duplicated": "duplicated",
    "disordered": "out of order",
    "unheard": "not delivered live",
    "longest_wait_s": "longest wait (s)",
}


@click.command()
@click.option("--rounds", default=10, show_default=True)
@click.option("--seed", type=int, default=None, help="Seed of the random moments; the current time by default.")
@click.argument("names", nargs=-1)
def main(rounds: int, seed: int | None, names: tuple[str, ...]) -> None:
    """Inject each fault `rounds` times into a server under load."""
    seed = int(time.time()) if seed is None else seed
    click.echo(f"seed {seed}\n\n| fault | rounds | " + " | ".join(COLUMNS.values()) + " |")
    click.echo("|---" * (len(COLUMNS) + 2) + "|")
    clean = True
    for name in names or FAULTS:
        if FAULTS[name].place is small_disk and not can_mount():
            click.echo(f"| {name} | not run: no right to mount |")
            continue
        verdict = run(FAULTS[name], rounds, seed)
        clean = clean and verdict.is_clean()
        figures = [round(getattr(verdict, column), 1) for column in COLUMNS]
        click.echo(f"| {name} | {rounds} | " + " | ".join(map(str, figures)) + " |")
    raise SystemExit(0 if clean else 1)


if __name__ == "__main__":
    main()

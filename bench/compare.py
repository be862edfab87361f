"""`python -m bench.compare CHECKOUT [WORKLOAD…]`: compare this tree with another checkout, within one run.

A machine differs from itself from minute to minute by more than a change does. So both servers run at the same time,
and the load goes to one, then to the other, in turns of `--seconds`; who begins alternates. A line shows two ratios,
this tree to the other one: the median of the rounds' messages a second, and the least CPU time of a message in any
round. Other load on the machine adds to the CPU time and never takes from it, so the second settles first.

The other checkout needs its own `.venv` with the server installed; the load generator is this tree's.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

import click

from bench.__main__ import PAIRS, Pairs
from bench.load import Task
from bench.measured import MeasuredServer, add_groups, fill, load, people
from testing.process import SERVE, Server, running

HISTORY_MESSAGES = 10_000
FAN_OUT_SOCKETS = 200


class Side(NamedTuple):
    """A server of one of the two trees."""

    server: MeasuredServer
    pairs: Pairs


class Line(NamedTuple):
    """One line of the comparison, and the rounds' ratios."""

    name: str
    workers: int
    task: dict[str, Any]


def lines() -> Iterator[Line]:
    """Return the lines of the table: each way of sending, reading history, and delivery to many."""
    for workers in (1, 2):
        for tls in (False, True):
            for by in ("socket", "post", "v2"):
                for workload in ("ping-pong", "pipelined"):
                    name = f"{workload} {by} {'tls' if tls else 'plain'} {workers}"
                    yield Line(name, workers, {"workload": workload, "by": by, "tls": tls})
    yield Line("history", 1, {"workload": "history", "tls": False})
    yield Line("fan-out", 1, {"workload": "fan-out", "tls": False, "sockets": FAN_OUT_SOCKETS})


def start(stack: ExitStack, folder: Path, checkout: Path | None, workers: int) -> Side:
    """Start a server of this tree, or of `checkout`, with users and conversations in it."""
    if checkout is None:
        command, cwd = SERVE, Path(__file__).parent.parent
    else:
        command, cwd = [str(checkout / ".venv/bin/python"), str(checkout / "server.py"), "serve"], checkout
    server = Server(folder, command=command, cwd=cwd, from_nothing=True, SOTTOVOCE_WORKERS=str(workers))
    measured = MeasuredServer(stack.enter_context(running(server)))
    pairs = add_groups(measured.database_url, people(server, PAIRS))
    fill(measured.database_url, pairs[0][0].conversation_id, HISTORY_MESSAGES)
    return Side(measured, pairs)


def turn(side: Side, line: Line, seconds: float) -> tuple[float, float]:
    """Put the load on one side; return messages a second, and the CPU seconds of server and database a message."""
    task = dict(line.task)
    address = side.server.address(task.pop("tls"))
    found = load(Task(address=address, seconds=seconds, pairs=side.pairs, watched=side.server.watched(), **task))
    return found["per_s"], found["server_cpu_s_per_1000"] + found["database_cpu_s_per_1000"]


def compare(this: Side, other: Side, line: Line, rounds: int, seconds: float) -> str:
    """Return the line of the table."""
    rates: list[float] = []
    costs: list[tuple[float, float]] = []
    for nth in range(rounds):
        sides = (this, other) if nth % 2 == 0 else (other, this)
        found = [turn(side, line, seconds) for side in sides]
        ours, theirs = found if nth % 2 == 0 else found[::-1]
        rates.append(ours[0] / theirs[0])
        costs.append((ours[1], theirs[1]))
    low, _, high = quantiles(rates, n=4)
    least, least_of_other = map(min, zip(*costs, strict=True))
    return f"| {line.name} | {median(rates):.3f} | {low:.2f}–{high:.2f} | {least / least_of_other:.3f} |"


@click.command()
@click.argument("checkout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("words", nargs=-1)
@click.option("--rounds", default=7, show_default=True, help="Turns of each side; at least 2.")
@click.option("--seconds", default=1.0, show_default=True, help="Duration of a turn, after a second of warm-up.")
def main(checkout: Path, words: tuple[str, ...], rounds: int, seconds: float) -> None:
    """Compare this tree with CHECKOUT. WORDS: only the lines that contain all of them."""
    click.echo("| line | messages/s | half of the rounds | CPU a message |\n|---|---|---|---|")
    chosen = [line for line in lines() if all(word in line.name.split() for word in words)]
    for workers in sorted({line.workers for line in chosen}):
        with tempfile.TemporaryDirectory(prefix="sottovoce-bench-") as folder, ExitStack() as stack:
            this = start(stack, Path(folder) / "this", None, workers)
            other = start(stack, Path(folder) / "other", checkout.resolve(), workers)
            for line in chosen:
                if line.workers == workers:
                    click.echo(compare(this, other, line, rounds, seconds))
                    sys.stdout.flush()


if __name__ == "__main__":
    main()

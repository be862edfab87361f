"""`python -m bench [WORKLOAD …]`: print Markdown tables; write each measurement as a JSON line to standard error."""

import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import click
import psutil

from bench import first_version
from bench.links import Person
from bench.load import Task
from bench.measured import MeasuredServer, add_groups, fill, load, measured_server, people, start_load
from testing.process import Server, free_port

Pairs = list[tuple[Person, Person]]
Result = dict[str, Any]

PAIRS = 32
IDLE = {False: 10_000, True: 5_000}  # connections without and with TLS
IDLE_CLIENTS = 8
SIZES = (10_000, 100_000, 1_000_000)  # messages in a conversation
LISTENERS = 1_000  # sockets in one conversation


class Bench:
    """The workloads, which share one data folder, and their results."""

    def __init__(self, data: Path, seconds: float, scale: float) -> None:
        self.data, self.seconds, self.scale = data, seconds, scale
        self.results: list[Result] = []
        self.pairs: Pairs = []

    def note(self, workload: str, **found: Any) -> None:
        """Keep a result, and print it at once."""
        self.results.append({"workload": workload, **found})
        click.echo(json.dumps(self.results[-1]), err=True)

    @contextmanager
    def server(self, **settings: str) -> Iterator[MeasuredServer]:
        """Run a server, with users and conversations in it."""
        with measured_server(self.data, **settings) as started:
            if not self.pairs:
                self.pairs = add_groups(started.database_url, people(started.server, PAIRS))
            yield started

    def task(self, workload: str, address: str, **more: Any) -> Task:
        """Describe a workload for the load generator."""
        return Task(workload, address, self.seconds, **{"pairs": self.pairs, **more})

    # The workloads

    def start_up(self) -> None:
        """Measure a start on an existing data folder, and on an empty one."""
        with measured_server(self.data) as started:
            self.pairs = add_groups(started.database_url, people(started.server, PAIRS))
            started.server.stop()
            seconds = started.server.start()
            time.sleep(2)
            self.note("start-up", second_start_s=round(seconds, 2), **started.memory_mib())
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder) / "data", from_nothing=True)
            try:
                self.note("start-up", first_start_s=round(server.start(), 2))
            finally:
                server.stop()

    def messages(self) -> None:
        """Measure each way of sending, and the echo, without and with TLS; with one and with two workers."""
        for workers in (1, 2):
            with self.server(SOTTOVOCE_WORKERS=str(workers)) as it:
                for tls in (False, True):
                    if workers == 1:
                        self.echo(it, tls)
                    for by in ("socket", "post", "v2"):
                        for workload in ("ping-pong", "pipelined"):
                            found = load(self.task(workload, it.address(tls), by=by, watched=it.watched()))
                            self.note(workload, by=by, tls=tls, workers=workers, **found, **it.memory_mib())

    def first_version(self) -> None:
        """Measure how many messages the database design of the first version stores."""
        with first_version.database() as url:
            for clients in (5, 64):
                per_s = round(first_version.ceiling(url, clients, self.seconds))
                self.note("database of the first version", clients=clients, per_s=per_s)

    def echo(self, it: MeasuredServer, tls: bool) -> None:
        """Measure a bare echo with the same load generator, with the certificate of `it`."""
        port, folder = free_port(), it.server.data / "tls"
        files = [str(folder / "leaf.pem"), str(folder / "leaf.key")] if tls else []
        process = subprocess.Popen([sys.executable, "-m", "bench.echo", str(port), *files])
        try:
            wait_for(port)
            for workload in ("ping-pong", "pipelined"):
                address = f"http{'s' if tls else ''}://127.0.0.1:{port}"
                self.note(workload, by="echo", tls=tls, **load(self.task(workload, address, by="echo")))
        finally:
            process.terminate()
            process.wait()

    def fan_out(self) -> None:
        """Measure the delivery of one sender's messages to many sockets."""
        with self.server() as it:
            sockets = max(2, round(LISTENERS * self.scale))
            found = load(self.task("fan-out", it.address(False), sockets=sockets, watched=it.watched()))
            self.note("fan-out", sockets=sockets, **found)

    def history(self) -> None:
        """Measure reading the newest messages of conversations of different sizes."""
        with self.server() as it:
            for pair, size in zip(self.pairs, SIZES, strict=False):
                count = round(size * self.scale)
                fill(it.database_url, pair[0].conversation_id, count)
                found = load(self.task("history", it.address(False), pairs=[pair], watched=it.watched()))
                self.note("history", messages=count, **found)

    def idle(self) -> None:
        """Measure memory and CPU time of idle connections."""
        for tls, count in IDLE.items():
            with self.server() as it:
                self._idle(it, tls, round(count * self.scale))

    def _idle(self, it: MeasuredServer, tls: bool, count: int) -> None:
        before = it.memory_mib()["server_mib"]
        each = count // IDLE_CLIENTS
        clients = [
            start_load(self.task("idle", it.address(tls), pairs=[self.pairs[nth]], sockets=each))
            for nth in range(IDLE_CLIENTS)
        ]
        try:
            rates = [json.loads(client.stdout.readline())["per_s"] for client in clients]  # type: ignore[union-attr]
            time.sleep(2)
            after, used = it.memory_mib()["server_mib"], it.cpu_s()
            time.sleep(self.seconds)
            percent = 100 * (it.cpu_s() - used) / self.seconds
        finally:
            for client in clients:
                client.communicate(timeout=60)
        self.note(
            "idle",
            tls=tls,
            sockets=each * IDLE_CLIENTS,
            kib_per_socket=round((after - before) * 1024 / (each * IDLE_CLIENTS), 1),
            connects_per_s=round(sum(rates)),
            cpu_percent=round(percent, 1),
        )


WORKLOADS: dict[str, Callable[[Bench], None]] = {
    "start-up": Bench.start_up,
    "messages": Bench.messages,
    "first-version": Bench.first_version,
    "fan-out": Bench.fan_out,
    "history": Bench.history,
    "idle": Bench.idle,
}


def wait_for(port: int) -> None:
    """Return when `port` accepts connections. Raises TimeoutError after 10 s."""
    for _ in range(500):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on {port}")


def table(results: list[Result]) -> str:
    """Return a Markdown table for each workload."""
    parts = []
    for workload in dict.fromkeys(result["workload"] for result in results):
        rows = [result for result in results if result["workload"] == workload]
        columns = list(dict.fromkeys(name for row in rows for name in row if name != "workload"))
        lines = [f"| {workload} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        lines += ["| | " + " | ".join(shown(row.get(name)) for name in columns) + " |" for row in rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def shown(value: Any) -> str:
    """Return a value as a cell of the table."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:,}"
    return str(value)


def machine() -> str:
    """Describe the date, the machine and the Python of this run."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{date.today()}, {platform.system()} {platform.release()}, {os.cpu_count()} cores, {memory:.0f} GiB,"
        f" Python {platform.python_version()}"
    )


@click.command()
@click.argument("workloads", nargs=-1, type=click.Choice(list(WORKLOADS)))
@click.option("--seconds", default=5.0, show_default=True, help="Duration of each measurement.")
@click.option("--scale", default=1.0, show_default=True, help="Factor for sockets and messages; below 1 is faster.")
def main(workloads: tuple[str, ...], seconds: float, scale: float) -> None:
    """Measure the server on this machine. The load generator and PostgreSQL share its cores."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-bench-") as folder:
        bench = Bench(Path(folder) / "data", seconds, scale)
        for workload in workloads or WORKLOADS:
            WORKLOADS[workload](bench)
    click.echo(f"{machine()}\n\n{table(bench.results)}")


if __name__ == "__main__":
    main()

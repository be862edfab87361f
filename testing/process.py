"""A server in a process of its own, as an operator runs it, with a data folder, ports and signals."""

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import httpx
import psutil

from store.database.embedded import EmbeddedPostgres
from store.database.migrate import migrate
from testing.server import NO_TLS, PATIENCE_S
from testing.tree import ROOT

SERVE = [sys.executable, str(ROOT / "server.py"), "serve"]
FROM_NOTHING_S = 600.0  # `make serve` first installs packages from the registries of Python and Node


def free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@cache
def migrated() -> Path:
    """Return the folder of a migrated database, created once: that takes most of the time of a first start."""
    folder = Path(tempfile.mkdtemp(prefix="sv-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with EmbeddedPostgres(folder) as postgres:
        migrate(postgres.url)
    return folder / "pgdata"


class Server:
    """A server process and everything that it starts."""

    def __init__(
        self,
        data: Path,
        *,
        command: Sequence[str] = SERVE,
        cwd: Path = ROOT,
        from_nothing: bool = False,
        **environment: str,
    ) -> None:
        """`environment`: settings. `from_nothing`: the first start creates the database instead of using a copy."""
        self.makes_database = from_nothing or "DATABASE_URL" in environment
        self.data, self.command, self.cwd = data, list(command), cwd
        self.port, self.https_port = free_port(), free_port()
        self.log = data.parent / f"{data.name}.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOTTOVOCE_")}
        self.environment = kept | {
            "SOTTOVOCE_DATA_DIR": str(data),
            "PORT": str(self.port),
            "HTTPS_PORT": str(self.https_port),
            "HTTPS_BIND_ADDR": "127.0.0.1",
            "SOTTOVOCE_RATE_LIMITS": "off",
            "SOTTOVOCE_PASSWORD_MEMORY_MIB": "8",  # tests create hundreds of users
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The base address of plain HTTP."""
        return f"http://127.0.0.1:{self.port}"

    def furnish(self) -> None:
        """Copy the migrated database into the data folder."""
        self.data.mkdir(mode=0o700)
        subprocess.run(["cp", "-a", migrated(), self.data / "pgdata"], check=True)

    def start(self) -> float:
        """Start the process and return when it answers, with the seconds that this took."""
        if not self.makes_database and not self.data.exists():
            self.furnish()
        patience_s = FROM_NOTHING_S if self.makes_database else PATIENCE_S
        started = time.monotonic()
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env=self.environment, stdout=out, stderr=out, start_new_session=True
            )
        while not self.answers():
            assert self.process.poll() is None, f"it ended at once: {self.said()}"
            assert time.monotonic() < started + patience_s, f"no answer: {self.said()}"
            time.sleep(0.02)
        return time.monotonic() - started

    def answers(self) -> bool:
        """Tell whether the health check succeeds."""
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/healthz", verify=NO_TLS, timeout=10).status_code == 200
        return False

    def said(self) -> str:
        """Return the output of all starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def family(self) -> list[psutil.Process]:
        """Return the running processes of this server, found by the data folder in their environment or arguments."""
        found = []
        for process in psutil.process_iter(["pid", "cmdline", "environ"]):
            with contextlib.suppress(psutil.Error):
                words = " ".join(process.info["cmdline"] or [])
                environ = process.info["environ"] or {}
                if environ.get("SOTTOVOCE_DATA_DIR") == str(self.data) or str(self.data) in words:
                    found.append(process)
        return found

    def postmaster(self) -> psutil.Process:
        """Return the main process of the embedded PostgreSQL."""
        return psutil.Process(int((self.data / "pgdata" / "postmaster.pid").read_text().split()[0]))

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes, if there are several workers."""
        return [process for process in self.family() if "run.process.child" in (process.info["cmdline"] or [])]

    def cpu_s(self) -> float:
        """Return the CPU seconds of all processes of the server. The load of the machine does not change them."""
        used = 0.0
        for process in self.family():
            with contextlib.suppress(psutil.Error):
                used += sum(process.cpu_times()[:4])  # includes children that have ended
        return used

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and return the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """Kill only the main process. The processes that it leaves behind are part of the test."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """Run `server` until the context ends, then kill all its processes."""
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
        for process in server.family():
            with contextlib.suppress(psutil.Error):
                process.kill()

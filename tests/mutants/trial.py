"""Run some tests in a copy of the tree, in a forked process.

The program has imported everything but the project before it forks: that takes a tenth of a start.
"""

import os
import resource
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

PREPARED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"  # by this program, before it forks
MEMORY_MAX = 4 * 1024**3  # bytes of address space: a mutant of a loop can allocate without end
PASSED = 0  # exit code of pytest
KILLED = -9  # and of a process that this program killed


@dataclass
class Trial:
    """A pytest that runs in a process of its own."""

    process: int
    deadline: float  # of time.monotonic()
    exit_code: int | None = None

    @property
    def has_ended(self) -> bool:
        """Tell whether the tests have ended. At the deadline the process and its children are killed."""
        if self.exit_code is not None:
            return True
        ended, status = os.waitpid(self.process, os.WNOHANG)
        if ended:
            self.exit_code = os.waitstatus_to_exitcode(status)
        elif time.monotonic() > self.deadline:
            for one in [*psutil.Process(self.process).children(recursive=True), psutil.Process(self.process)]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
            os.waitpid(self.process, 0)
            self.exit_code = KILLED
        return self.exit_code is not None

    @property
    def outcome(self) -> str:
        """`survived` where all tests pass, else `killed` or, at the deadline, `hung`."""
        return {PASSED: "survived", KILLED: "hung"}.get(self.exit_code or 0, "killed")


def start(tree: Path, words: list[str], within_s: float) -> Trial:
    """Fork a process that runs pytest in that tree, with these words of its command line."""
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
            os._exit(_run(tree, words))
        finally:  # whatever it raises, it must not go on as its parent
            os._exit(3)
    return Trial(child, time.monotonic() + within_s)


def _run(tree: Path, words: list[str]) -> int:
    quiet = os.open(tree / "pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    ours = {path.stem for path in tree.iterdir()}
    for name in [name for name in sys.modules if name.split(".")[0] in ours]:
        del sys.modules[name]
    try:
        return int(pytest.main(["-q", "-W", PREPARED, f"--basetemp={tree.parent / 'basetemp'}", *words]))
    except BaseException:
        traceback.print_exc()
        return 3


def drop_databases(postgres_url: str, process: int) -> None:
    """Drop the databases that the tests of a process created."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"%\\_{process}"]):
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def compile_tree(tree: Path) -> None:
    """Write the bytecode of the tree and its tests, so that a trial compiles only its mutant."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [sys.executable, "-m", "pytest", "-q", "--collect-only", "tests"]
    subprocess.run(words, cwd=tree, env=environment, capture_output=True, check=True)


def prepare() -> None:
    """Import everything that the tests import and that is not ours."""
    for name in (
        *("alembic.command", "argon2", "bcrypt", "cryptography.x509", "httpx", "hypothesis.stateful", "jwt", "msgspec"),
        *("PIL.Image", "psycopg_pool", "sqlalchemy", "tornado.httpserver", "tornado.websocket", "brotli"),
        *("websockets.asyncio.client", "email_validator", "precis_i18n", "pytest_tornado", "nats"),
    ):
        with suppress(ImportError):
            __import__(name)

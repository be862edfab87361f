"""The embedded PostgreSQL in the data folder: start, recovery, takeover, supervision and stop."""

import asyncio
import contextlib
import os
import pwd
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from store.database import embedded
from store.database.embedded import EmbeddedPostgres
from store.database.errors import CannotStart
from store.database.system_user import SYSTEM_USER
from testing.server import PATIENCE_S

pytestmark = pytest.mark.once

LEFT_BEHIND = pytest.mark.logs("stopping the PostgreSQL that an earlier run left behind")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder with a database, created once; a test that starts its PostgreSQL stops it too."""
    with tempfile.TemporaryDirectory(
        prefix="sv-", ignore_cleanup_errors=True
    ) as made:  # a killed process may still be writing
        first = EmbeddedPostgres(Path(made))
        first.start()
        with psycopg.connect(first.url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'from the first start' AS what")
        first.stop()
        yield Path(made)


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder)
    yield server
    server.stop()


def stored_text(server: EmbeddedPostgres) -> str:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT what FROM kept").fetchone()
        return str(row and row[0])


def setting(server: EmbeddedPostgres, name: str) -> str:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        return str(row and row[0])


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "pgdata" / "postmaster.pid").read_text().split()[0]))


def test_embedded_second_start_keeps_the_data(postgres: EmbeddedPostgres, folder: Path) -> None:
    assert not postgres.answers()
    postgres.start()
    assert postgres.answers()
    assert stored_text(postgres) == "from the first start"
    postgres.stop()
    assert not postgres.answers()
    assert not (folder / "pgdata" / "postmaster.pid").exists(), "it was shut down cleanly"


def test_embedded_is_durable_utf8_and_has_no_tcp_port(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert [setting(postgres, name) for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert setting(postgres, "listen_addresses") == ""
    assert setting(postgres, "server_encoding") == "UTF8"


def test_embedded_folders_are_readable_by_the_owner_only(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    owner = SYSTEM_USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    for inside in (folder / "pgdata", folder / "run"):
        found = inside.stat()
        assert found.st_mode & 0o777 == 0o700
        assert pwd.getpwuid(found.st_uid).pw_name == owner
    assert postmaster(folder).username() == owner, "PostgreSQL refuses to run as root"


def test_embedded_start_restores_folder_permissions(postgres: EmbeddedPostgres, folder: Path) -> None:
    for inside in (folder / "pgdata", folder / "run"):
        inside.chmod(0o755)
    postgres.start()
    assert {(folder / inside).stat().st_mode & 0o777 for inside in ("pgdata", "run")} == {0o700}


@LEFT_BEHIND
def test_embedded_left_by_an_earlier_run_is_replaced(postgres: EmbeddedPostgres, folder: Path) -> None:
    killed = EmbeddedPostgres(folder)
    killed.start()
    before = postmaster(folder)
    postgres.start()
    assert killed._process is not None
    assert killed._process.wait(PATIENCE_S) == 0, "it was stopped cleanly"
    assert postmaster(folder).pid != before.pid
    assert stored_text(postgres) == "from the first start"


def crash(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("UPDATE kept SET what = what")
    for process in (found := postmaster(folder), *found.children()):
        with contextlib.suppress(psutil.NoSuchProcess):  # a backend that was ending
            process.kill()
    assert server._process is not None
    server._process.wait(PATIENCE_S)
    assert (folder / "pgdata" / "postmaster.pid").exists()


def test_embedded_crash_is_recovered(postgres: EmbeddedPostgres, folder: Path) -> None:
    crash(folder)
    postgres.start()
    assert stored_text(postgres) == "from the first start"


def test_embedded_stale_pid_of_another_process_is_not_killed(postgres: EmbeddedPostgres, folder: Path) -> None:
    """After a reboot, the pid in postmaster.pid may belong to another process."""
    crash(folder)
    pid_file = folder / "pgdata" / "postmaster.pid"
    foreign_process = subprocess.Popen(["sleep", "60"], user=SYSTEM_USER if os.geteuid() == 0 else None)

    def end_the_wait() -> None:
        """End the wait of `pg_ctl stop`, which waits up to a minute for the file to disappear."""
        if foreign_process.wait() != -signal.SIGKILL:
            pid_file.unlink()

    watching = threading.Thread(target=end_the_wait)
    watching.start()
    try:
        pid_file.write_text("\n".join([str(foreign_process.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
        try:
            postgres.start()
        finally:
            assert foreign_process.poll() is None, "the server must not signal a foreign process"
        assert stored_text(postgres) == "from the first start"
    finally:
        foreign_process.kill()
        watching.join()
        if not postgres.answers():
            pid_file.unlink(missing_ok=True)


@pytest.mark.logs("PostgreSQL has ended, restarting it")
async def test_embedded_killed_is_restarted_by_the_supervisor(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    before = postmaster(folder).pid
    supervising = asyncio.create_task(postgres.supervise())
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        while not (postgres.answers() and postmaster(folder).pid != before):
            await asyncio.sleep(0.05)
    supervising.cancel()
    await asyncio.gather(supervising, return_exceptions=True)
    assert stored_text(postgres) == "from the first start"


def test_embedded_stop_is_idempotent(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.stop()
    server.start()
    server.stop()
    server.stop()
    assert not server.answers()


@pytest.mark.logs("PostgreSQL did not stop within 1 s of signal 2")
def test_embedded_that_does_not_stop_is_ended_and_recovers(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STOP_TIMEOUT_S", 1.0)
    postgres.start()
    with psycopg.connect(postgres.url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGSTOP)  # a fast shutdown waits for it
        postgres.stop()
        assert not postgres.answers()
    postgres.start()
    assert stored_text(postgres) == "from the first start"


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN], ids=["foreground", "background"])
def at_ctrl_c(request: pytest.FixtureRequest) -> Iterator[None]:
    """What SIGINT does in new processes. Shells ignore it in those that they start in the background."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("at_ctrl_c")
def test_embedded_that_does_not_answer_in_time_is_stopped(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 0.0)
    monkeypatch.setattr(postgres, "answers", lambda: False)
    with pytest.raises(CannotStart, match="does not answer"):
        postgres.start()
    assert postgres._process is not None
    assert postgres._process.poll() is not None


@pytest.mark.logs("PostgreSQL has ended, restarting it", "PostgreSQL could not be restarted, trying again")
async def test_embedded_supervisor_tries_again_after_a_failed_restart(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = postgres.start
    failures = iter([CannotStart("no memory"), OSError("no processes")])

    def fails_twice() -> None:
        if error := next(failures, None):
            raise error
        start()

    monkeypatch.setattr(postgres, "start", fails_twice)
    supervising = asyncio.create_task(postgres.supervise())
    async with asyncio.timeout(PATIENCE_S):
        while not postgres.answers():
            await asyncio.sleep(0.1)
    supervising.cancel()
    assert stored_text(postgres) == "from the first start"

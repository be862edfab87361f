"""PostgreSQL in the data folder: how it starts, what it takes over, and what it refuses to touch."""

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

from store.database.embedded import SYSTEM_USER, EmbeddedPostgres
from testing.server import PATIENCE_S

LEFT_BEHIND = pytest.mark.logs("stopping the PostgreSQL that an earlier run left behind")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """With a database in it, made once: whoever starts one here stops it."""
    with tempfile.TemporaryDirectory(
        prefix="sv-", ignore_cleanup_errors=True
    ) as made:  # what was killed may still write
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


def kept(server: EmbeddedPostgres) -> str:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT what FROM kept").fetchone()
        return str(row and row[0])


def setting(server: EmbeddedPostgres, name: str) -> str:
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        return str(row and row[0])


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "pgdata" / "postmaster.pid").read_text().split()[0]))


def test_a_second_start_finds_what_the_first_left(postgres: EmbeddedPostgres, folder: Path) -> None:
    assert not postgres.answers()
    postgres.start()
    assert postgres.answers()
    assert kept(postgres) == "from the first start"
    postgres.stop()
    assert not postgres.answers()
    assert not (folder / "pgdata" / "postmaster.pid").exists(), "it was shut down and not killed"


def test_it_is_durable_speaks_utf8_and_listens_to_nobody_outside_its_folder(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    assert [setting(postgres, name) for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert setting(postgres, "listen_addresses") == ""
    assert setting(postgres, "server_encoding") == "UTF8"


def test_nobody_else_gets_into_its_folders(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    owner = SYSTEM_USER if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    for inside in (folder / "pgdata", folder / "run"):
        found = inside.stat()
        assert found.st_mode & 0o777 == 0o700
        assert pwd.getpwuid(found.st_uid).pw_name == owner
    assert postmaster(folder).username() == owner, "PostgreSQL refuses to run as root"


def test_folders_that_were_opened_to_others_are_closed_again(postgres: EmbeddedPostgres, folder: Path) -> None:
    for inside in (folder / "pgdata", folder / "run"):
        inside.chmod(0o755)
    postgres.start()
    assert {(folder / inside).stat().st_mode & 0o777 for inside in ("pgdata", "run")} == {0o700}


@LEFT_BEHIND
def test_one_that_an_earlier_run_left_behind_is_replaced(postgres: EmbeddedPostgres, folder: Path) -> None:
    killed = EmbeddedPostgres(folder)
    killed.start()
    before = postmaster(folder)
    postgres.start()
    assert killed._process is not None
    assert killed._process.wait(PATIENCE_S) == 0, "it was asked to go"
    assert postmaster(folder).pid != before.pid
    assert kept(postgres) == "from the first start"


def crash(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("UPDATE kept SET what = what")
    for process in (found := postmaster(folder), *found.children()):
        with contextlib.suppress(psutil.NoSuchProcess):  # that of a connection that was ending
            process.kill()
    assert server._process is not None
    server._process.wait(PATIENCE_S)
    assert (folder / "pgdata" / "postmaster.pid").exists()


def test_a_crash_is_recovered_from(postgres: EmbeddedPostgres, folder: Path) -> None:
    crash(folder)
    postgres.start()
    assert kept(postgres) == "from the first start"


def test_a_process_that_has_the_number_of_a_crashed_one_is_left_alone(postgres: EmbeddedPostgres, folder: Path) -> None:
    """As after a reboot, when the numbers are given out anew."""
    crash(folder)
    pid_file = folder / "pgdata" / "postmaster.pid"
    innocent = subprocess.Popen(["sleep", "60"], user=SYSTEM_USER if os.geteuid() == 0 else None)

    def end_the_wait() -> None:
        """`pg_ctl stop` waits for a minute until the file is gone."""
        if innocent.wait() != -signal.SIGKILL:
            pid_file.unlink()

    watching = threading.Thread(target=end_the_wait)
    watching.start()
    try:
        pid_file.write_text("\n".join([str(innocent.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
        try:
            postgres.start()
        finally:
            assert innocent.poll() is None, "nobody may send a signal to it"
        assert kept(postgres) == "from the first start"
    finally:
        innocent.kill()
        watching.join()
        if not postgres.answers():
            pid_file.unlink(missing_ok=True)


@pytest.mark.logs("PostgreSQL has ended, restarting it")
async def test_it_is_started_again_when_it_is_killed(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    before = postmaster(folder).pid
    supervising = asyncio.create_task(postgres.supervise())
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        while not (postgres.answers() and postmaster(folder).pid != before):
            await asyncio.sleep(0.05)
    supervising.cancel()
    await asyncio.gather(supervising, return_exceptions=True)
    assert kept(postgres) == "from the first start"


def test_stopping_one_that_never_started_or_has_stopped_is_nothing(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.stop()
    server.start()
    server.stop()
    server.stop()
    assert not server.answers()

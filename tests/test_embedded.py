"""PostgreSQL in the data folder: how it starts, what it takes over, and what it refuses to touch."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from store.embedded import SOCKET_PATH_MAX, SYSTEM_USER, CannotStart, EmbeddedPostgres

LEFT_BEHIND = pytest.mark.logs("stopping the PostgreSQL that an earlier run left behind")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """With a database in it, made once: whoever starts one here stops it."""
    with tempfile.TemporaryDirectory(prefix="sv-") as made:
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
    assert killed._process.wait(10) == 0, "it was asked to go"
    assert postmaster(folder).pid != before.pid
    assert kept(postgres) == "from the first start"


def crash(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("UPDATE kept SET what = what")
    for process in (found := postmaster(folder), *found.children()):
        process.kill()
    assert server._process is not None
    server._process.wait(10)
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
    try:
        pid_file.write_text("\n".join([str(innocent.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
        try:
            postgres.start()
        finally:
            assert innocent.poll() is None, "nobody may send a signal to it"
        assert kept(postgres) == "from the first start"
    finally:
        innocent.kill()
        innocent.wait()
        if not postgres.answers():
            pid_file.unlink(missing_ok=True)


@pytest.mark.logs("PostgreSQL has ended, starting it again")
async def test_it_is_started_again_when_it_is_killed(postgres: EmbeddedPostgres, folder: Path) -> None:
    postgres.start()
    before = postmaster(folder).pid
    supervising = asyncio.create_task(postgres.supervise())
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(20):
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


def test_where_the_path_is_too_long_for_a_socket_it_is_in_the_temporary_folder(tmp_path: Path) -> None:
    short, long = Path("/tmp/sv"), tmp_path / ("x" * SOCKET_PATH_MAX)
    assert EmbeddedPostgres(short).url.endswith("host=/tmp/sv/run")
    server, other = EmbeddedPostgres(long), EmbeddedPostgres(long / "other")
    assert server.url != other.url, "each data folder has a place of its own"
    assert EmbeddedPostgres(long).url == server.url, "and finds it again"
    place = Path(server.url.partition("host=")[2])
    assert place.parent == Path(tempfile.gettempdir())
    server._prepare_folders()
    try:
        assert place.stat().st_mode & 0o777 == 0o700
    finally:
        place.rmdir()


@pytest.mark.parametrize("target", ["a folder", "nothing"])
def test_a_socket_folder_that_somebody_put_a_link_in_place_of_is_refused(tmp_path: Path, target: str) -> None:
    """The temporary folder is everybody's."""
    server = EmbeddedPostgres(tmp_path / ("x" * SOCKET_PATH_MAX))
    place = Path(server.url.partition("host=")[2])
    trap = tmp_path / "trap"
    if target == "a folder":
        trap.mkdir(mode=0o755)
    place.symlink_to(trap)
    try:
        with pytest.raises(CannotStart):
            server.start()
        assert not trap.exists() or trap.stat().st_mode & 0o777 == 0o755
    finally:
        place.unlink()


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    pgdata = tmp_path / "pgdata"
    pgdata.mkdir()
    (pgdata / "PG_VERSION").write_text("15\n")
    with pytest.raises(CannotStart, match=r"PostgreSQL 15.*18"):
        EmbeddedPostgres(tmp_path).start()
    assert [file.name for file in pgdata.iterdir()] == ["PG_VERSION"]


def test_a_damaged_database_is_reported_with_what_postgres_said_and_not_made_anew(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="sv-") as other:
        damaged = Path(other)
        shutil.copytree(folder / "pgdata", damaged / "pgdata")
        if os.geteuid() == 0:
            for path in (damaged / "pgdata", *(damaged / "pgdata").rglob("*")):
                shutil.chown(path, SYSTEM_USER)
        (damaged / "pgdata" / "global" / "pg_control").unlink()
        with pytest.raises(CannotStart, match="pg_control"):
            EmbeddedPostgres(damaged).start()
        assert (damaged / "pgdata" / "base").exists()


def test_a_first_start_that_was_killed_is_begun_again() -> None:
    """`kill -9` while the database is being made, or the power going: the next start must not trip over the rest."""
    with tempfile.TemporaryDirectory(prefix="sv-") as made:
        folder = Path(made)
        killed = []

        def kill_initdb() -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not killed:
                for process in psutil.Process().children(recursive=True):
                    inside = any(folder.rglob("PG_VERSION"))
                    if inside and process.name() == "initdb":
                        for part in (*process.children(recursive=True), process):
                            part.kill()
                        killed.append(process.pid)
                        return
                time.sleep(0.002)

        killer = threading.Thread(target=kill_initdb)
        killer.start()
        with pytest.raises(CannotStart):
            EmbeddedPostgres(folder).start()
        killer.join()
        assert killed
        again = EmbeddedPostgres(folder)
        again.start()
        try:
            assert again.answers()
        finally:
            again.stop()

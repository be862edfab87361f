"""What the embedded PostgreSQL refuses to touch, and how it gets over a start that was cut off."""

import contextlib
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from store.database.embedded import SOCKET_PATH_MAX, CannotStart, EmbeddedPostgres
from testing.server import PATIENCE_S


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


def test_a_damaged_database_is_reported_with_what_postgres_said_and_not_made_anew() -> None:
    with tempfile.TemporaryDirectory(prefix="sv-") as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        server.stop()
        (Path(folder) / "pgdata" / "global" / "pg_control").unlink()
        with pytest.raises(CannotStart, match="pg_control"):
            server.start()
        assert (Path(folder) / "pgdata" / "base").exists()


def test_a_first_start_that_was_killed_is_begun_again() -> None:
    """`kill -9` while the database is being made, or the power going: the next start must not trip over the rest."""
    with tempfile.TemporaryDirectory(prefix="sv-") as made:
        folder = Path(made)
        killed = []

        def kill_initdb() -> None:
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline and not killed:
                for process in psutil.Process().children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):  # they come and go
                        if any(folder.rglob("PG_VERSION")) and process.name() == "initdb":
                            parts = process.children(recursive=True)
                            process.kill()
                            killed.append(process.pid)
                            for part in parts:
                                with contextlib.suppress(psutil.NoSuchProcess):
                                    part.kill()
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

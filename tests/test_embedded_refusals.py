"""The embedded PostgreSQL: data folders that it refuses, and recovery from an interrupted first start."""

import contextlib
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from store.database.embedded import SOCKET_PATH_MAX, EmbeddedPostgres
from store.database.errors import CannotStart
from testing.server import PATIENCE_S


def test_embedded_socket_of_a_long_path_is_in_the_temp_folder(tmp_path: Path) -> None:
    short, long = Path("/tmp/sv"), tmp_path / ("x" * SOCKET_PATH_MAX)
    assert EmbeddedPostgres(short).url.endswith("host=/tmp/sv/run")
    server, other = EmbeddedPostgres(long), EmbeddedPostgres(long / "other")
    assert server.url != other.url, "each data folder has its own socket folder"
    assert EmbeddedPostgres(long).url == server.url, "the same data folder has the same socket folder"
    place = Path(server.url.partition("host=")[2])
    assert place.parent == Path(tempfile.gettempdir())
    server._prepare_folders()
    try:
        assert place.stat().st_mode & 0o777 == 0o700
    finally:
        place.rmdir()


@pytest.mark.parametrize("target", ["a folder", "nothing"])
def test_embedded_socket_folder_that_is_a_symlink_is_refused(tmp_path: Path, target: str) -> None:
    """Every local user can write to the temporary folder."""
    server = EmbeddedPostgres(tmp_path / ("x" * SOCKET_PATH_MAX))
    place = Path(server.url.partition("host=")[2])
    link_target = tmp_path / "link_target"
    if target == "a folder":
        link_target.mkdir(mode=0o755)
    place.symlink_to(link_target)
    try:
        with pytest.raises(CannotStart):
            server.start()
        assert not link_target.exists() or link_target.stat().st_mode & 0o777 == 0o755
    finally:
        place.unlink()


@pytest.mark.parametrize("what", ["a file", "another user's folder"])
def test_embedded_data_folder_that_is_not_ours_is_refused(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pgdata, server = tmp_path / "pgdata", EmbeddedPostgres(tmp_path)
    server._user = None
    if what == "a file":
        pgdata.write_text("")
    else:
        pgdata.mkdir()
        owner = pgdata.stat().st_uid
        monkeypatch.setattr("store.database.embedded.os.geteuid", lambda: owner + 1)
    with pytest.raises(CannotStart, match="not a folder"):
        server.start()


def test_embedded_database_of_another_version_is_refused(tmp_path: Path) -> None:
    pgdata = tmp_path / "pgdata"
    pgdata.mkdir()
    (pgdata / "PG_VERSION").write_text("15\n")
    with pytest.raises(CannotStart, match=r"PostgreSQL 15.*18"):
        EmbeddedPostgres(tmp_path).start()
    assert [file.name for file in pgdata.iterdir()] == ["PG_VERSION"]


@pytest.mark.once
def test_embedded_damaged_database_is_reported_and_kept() -> None:
    with tempfile.TemporaryDirectory(prefix="sv-") as folder:
        server = EmbeddedPostgres(Path(folder))
        server.start()
        server.stop()
        (Path(folder) / "pgdata" / "global" / "pg_control").unlink()
        with pytest.raises(CannotStart, match="pg_control"):
            server.start()
        assert (Path(folder) / "pgdata" / "base").exists()


@pytest.mark.once
def test_embedded_killed_initdb_is_repeated() -> None:
    """After a `kill -9` or a power cut during initdb, the next start must replace the incomplete database."""
    with tempfile.TemporaryDirectory(prefix="sv-") as made:
        folder = Path(made)
        killed = []

        def kill_initdb() -> None:
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline and not killed:
                for process in psutil.Process().children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):  # processes may end meanwhile
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

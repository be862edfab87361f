"""`make serve` and `sottovoce serve` in a new clone: start, restart, certificate, unprivileged user, errors."""

import asyncio
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from testing.people import pair, register
from testing.process import Server, running
from testing.server import PATIENCE_S
from testing.tree import ROOT, copy_tree

SECOND_START_CPU_S = 3.0  # 0.5 on a fast machine


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the tracked and untracked files that git does not ignore."""
    folder = tmp_path / "clone"
    copy_tree(folder)
    return folder


@pytest.mark.once  # every tox environment installs the package anyway
def test_make_serve_in_a_clone_starts_a_working_server(clone: Path, tmp_path: Path) -> None:
    server = Server(
        tmp_path / "data", command=["make", "serve", f"PYTHON={sys.executable}"], cwd=clone, from_nothing=True
    )
    assert not server.data.exists()
    with running(server):
        assert "Sottovoce is running" in server.said()
        assert "Invite code" not in server.said(), "registration is open"
        asyncio.run(_two_users_chat(server))
        command = [clone / ".venv" / "bin" / "sottovoce", "invite", "new"]
        code = subprocess.run(
            command, env=server.environment, check=True, capture_output=True, text=True
        ).stdout.strip()
        body = {"username": "grandma", "password": "Secret1pass", "invite_code": code}
        assert httpx.post(f"{server.address}/register", json=body, timeout=PATIENCE_S).status_code == 200

        # Ctrl-C in a terminal reaches make and all that it started.
        assert server.process is not None
        os.killpg(server.process.pid, signal.SIGINT)
        server.process.wait(PATIENCE_S)
        assert server.family() == []

        server.start()
        server.stop()
        assert server.family() == []


@pytest.mark.once
def test_serve_prints_an_invite_while_one_is_needed(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", SOTTOVOCE_REGISTRATION="invite")
    with running(server):
        code = re.search(r"Invite code for the first account: ([0-9A-F]{8})", server.said())
        assert code, server.said()
        server.stop()
        server.start()
        assert server.said().count(f"Invite code for the first account: {code[1]}") == 2
        body = {"username": "grandma", "password": "Secret1pass", "invite_code": code[1]}
        assert httpx.post(f"{server.address}/register", json=body, timeout=PATIENCE_S).status_code == 200
        server.stop()
        server.start()
        assert "Invite code" not in server.said().rpartition("Sottovoce is running")[2]


def test_serve_second_start_is_cheap_also_after_a_kill(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    with running(server):
        assert server.stop() == 0
        server.start()
        assert server.cpu_s() < SECOND_START_CPU_S
        server.kill()
        assert server.postmaster().is_running(), "PostgreSQL must survive the kill"
        server.start()
        assert server.cpu_s() < SECOND_START_CPU_S
        asyncio.run(_two_users_chat(server))
        assert server.stop() == 0
        assert server.family() == []
        assert server.said().endswith("INFO sottovoce.process: stopped\n")


def test_serve_certificate_is_trusted_with_its_authority(lasting_server: Server) -> None:
    authority = str(lasting_server.data / "tls" / "ca.pem")
    for host in ("localhost", "127.0.0.1"):
        answer = httpx.get(
            f"https://{host}:{lasting_server.https_port}/version", verify=_trusting(authority), timeout=PATIENCE_S
        )
        assert answer.status_code == 200


def test_serve_logs_nothing_for_untrusting_clients(lasting_server: Server) -> None:
    before = lasting_server.said()
    for _ in range(3):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"https://127.0.0.1:{lasting_server.https_port}/version", timeout=PATIENCE_S)
    assert httpx.get(f"{lasting_server.address}/version", timeout=PATIENCE_S).status_code == 200
    assert lasting_server.said() == before


@pytest.mark.once
def test_serve_runs_as_an_unprivileged_user(tmp_path: Path) -> None:
    """As root, run as `nobody` with the right to read everything: Python may be installed in root's home."""
    data = tmp_path / "data"
    command = [sys.executable, str(ROOT / "server.py"), "serve"]
    if os.geteuid() == 0:
        data.mkdir()
        shutil.chown(data, "nobody", "nogroup")
        for folder in tmp_path.parents:
            if str(folder).startswith("/tmp/"):
                folder.chmod(0o755)
        caps = "--ambient-caps=+dac_read_search", "--inh-caps=+dac_read_search"
        command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *caps, *command]
    with running(Server(data, command=command, from_nothing=True)) as server:
        assert server.process is not None
        owners = {process.uids().real for process in server.family()}
        assert owners
        assert 0 not in owners
        asyncio.run(_two_users_chat(server))
        assert server.stop() == 0
        assert server.family() == []


@pytest.mark.once
def test_serve_reports_start_errors_in_one_line(lasting_server: Server, tmp_path: Path) -> None:
    second = Server(lasting_server.data)
    answer = subprocess.run(second.command, env=second.environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.strip() == f"Error: another Sottovoce is using {lasting_server.data}"

    elsewhere = Server(tmp_path / "elsewhere", PORT=str(lasting_server.port))
    elsewhere.furnish()
    answer = subprocess.run(elsewhere.command, env=elsewhere.environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert f"Error: cannot listen on 127.0.0.1:{lasting_server.port}: Address already in use" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert elsewhere.family() == [], "a failed start must stop its PostgreSQL"

    (elsewhere.data / "tls" / "ca.pem").write_text("damaged")
    answer = subprocess.run(elsewhere.command, env=elsewhere.environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    damaged = f"Error: the files in {elsewhere.data / 'tls'} are damaged, restore or delete them"
    assert answer.stderr.strip().endswith(damaged)
    assert "Traceback" not in answer.stderr


async def _two_users_chat(server: Server) -> None:
    alice, bob, conversation_id = await pair(server.address)
    async with await alice.opens(conversation_id) as at_alice, await bob.opens(conversation_id) as at_bob:
        await at_alice.send("hello")
        assert await asyncio.wait_for(at_bob.recv(), PATIENCE_S) == "hello"
        await at_bob.send("how are you?")
        assert await asyncio.wait_for(at_alice.recv(), PATIENCE_S) == "how are you?"
    assert (await register(server.address)).id > bob.id


def _trusting(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority)

"""`sottovoce chat`: the command-line client, as users run it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.process import Server, running
from testing.server import PATIENCE_S
from testing.tree import ROOT

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(Server(tmp_path_factory.mktemp("cli") / "data")) as started:
        yield started


class Client:
    """One device in a folder."""

    def __init__(self, server: Server, folder: Path, **environ: str) -> None:
        # One compiler of WebAssembly instead of two: a command is short, and compiling is a quarter of its time.
        self._words = ["node", "--liftoff-only", str(ROOT / "web" / "cli.js"), "--folder", str(folder)]
        secrets = {"SOTTOVOCE_PASSWORD": "Secret1pass", "SOTTOVOCE_PASSPHRASE": "correct horse"}
        self._environ = os.environ | secrets | {"SOTTOVOCE_SERVER": server.address} | environ

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [*self._words, *words]
        return subprocess.Popen(command, env=self._environ | environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: str, typed: str = "", **environ: str) -> str:
        """Run a command that succeeds; return what it prints."""
        process = self.start(*words, **environ)
        printed, wrong = process.communicate(typed, timeout=PATIENCE_S)
        assert process.returncode == 0, wrong
        return printed

    def fails(self, *words: str) -> str:
        process = self.start(*words)
        _, wrong = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        return wrong


def safety_number(client: Client, other: str) -> str:
    return client.run("safety", other).splitlines()[-1]


def test_new_device_is_linked_by_its_code(server: Server, tmp_path: Path) -> None:
    alice, bob, phone = (Client(server, tmp_path / name) for name in ("alice", "bob", "phone"))
    alice.run("register", "alice")
    bob.run("register", "bob")
    alice.run("start", "bob", typed="hello bob\n/quit\n")
    before = safety_number(alice, "bob")
    waiting = phone.start("login", "bob")
    assert waiting.stdout is not None
    assert "Confirm this device" in waiting.stdout.readline()
    code = waiting.stdout.readline().strip()
    assert "letters of a code" in bob.fails("link", code[:-1])
    assert "linked" in bob.run("link", code)
    printed, _ = waiting.communicate(timeout=PATIENCE_S)
    assert "Logged in" in printed
    phone.run("talk", "alice", typed="from my phone\n/quit\n")
    assert "from my phone" in alice.run("talk", "bob", typed="/quit\n")
    assert safety_number(alice, "bob") == before == safety_number(phone, "alice")


def test_recovery_key_confirms_a_device_alone(server: Server, tmp_path: Path) -> None:
    carol, dave, again = (Client(server, tmp_path / name) for name in ("carol", "dave", "again"))
    carol.run("register", "carol")
    dave.run("register", "dave")
    dave.run("start", "carol", typed="hello carol\n/quit\n")
    key = carol.run("recovery-key").split()[-1]
    carol.run("logout")
    waiting = again.start("login", "carol")
    assert waiting.stdout is not None
    waiting.stdout.readline()
    waiting.terminate()
    waiting.communicate(timeout=PATIENCE_S)
    assert "this device is not confirmed" in again.fails("list")
    assert "confirmed" in again.run("recover", SOTTOVOCE_RECOVERY_KEY=key)
    assert "dave" in again.run("list")


def test_contact_stays_verified(server: Server, tmp_path: Path) -> None:
    erin, frank = (Client(server, tmp_path / name) for name in ("erin", "frank"))
    erin.run("register", "erin")
    frank.run("register", "frank")
    assert "Not verified: frank" in erin.run("start", "frank", typed="/verify frank\n/quit\n")
    assert "frank is verified" in erin.run("talk", "frank", typed="/safety frank\n/verify frank\n/quit\n")
    assert "* Verified: frank." in erin.run("talk", "frank", typed="hello\n/quit\n")
    assert "Not verified: erin" in frank.run("talk", "erin", typed="/quit\n")


def test_folder_opens_with_its_passphrase_only(server: Server, tmp_path: Path) -> None:
    grace = Client(server, tmp_path / "grace")
    grace.run("register", "grace")
    thief = Client(server, tmp_path / "grace", SOTTOVOCE_PASSPHRASE="correct horsf")
    assert thief.fails("list") == "Error: wrong passphrase\n"
    files = [path.read_bytes() for path in (tmp_path / "grace").iterdir()]
    assert files
    assert not [content for content in files if b"grace" in content]


def test_message_that_waited_for_a_new_device_is_read(server: Server, tmp_path: Path) -> None:
    """The welcome waits, too: a device that ignored it would join without it, and lose the message."""
    heidi, ivan = (Client(server, tmp_path / name) for name in ("heidi", "ivan"))
    heidi.run("register", "heidi")
    ivan.run("register", "ivan")
    heidi.run("start", "ivan", typed="hello ivan\n/quit\n")
    assert "hello ivan" in ivan.run("talk", "heidi", typed="/quit\n")

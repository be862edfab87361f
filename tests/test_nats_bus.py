"""Two servers on one database, which ring each other over NATS."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from run.process import worker
from testing.process import free_port
from testing.server import PATIENCE_S, Line, Person
from tests.conftest import StartServer


class Nats:
    """A real one, in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        beside = Path(sys.executable).with_name("nats-server")
        self._program = str(beside) if beside.exists() else shutil.which("nats-server") or "nats-server"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [self._program, "--addr", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_it_listens()

    def _wait_until_it_listens(self) -> None:
        """A server that came sooner would try again after a second only, and hear by the sweep until then."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(PATIENCE_S)
            self._process = None


@pytest.fixture
def nats() -> Iterator[Nats]:
    server = Nats()
    server.start()
    yield server
    server.kill()


async def two_servers(start_server: StartServer, nats: Nats) -> tuple[Person, Person, Line, Line]:
    """Alice at the one, Bob at the other."""
    one, other = await start_server(bus=nats.url), await start_server(bus=nats.url)
    alice, bob = await one.person("alice"), await other.person("bob")
    conversation = await alice.meets(bob)
    return alice, bob, await alice.opens(conversation), await bob.opens(conversation)


@pytest.fixture
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is heard came by the bus, however long that took."""
    monkeypatch.setattr(worker, "SWEEP_S", 3600.0)


async def is_connected(line: Line, other: Line) -> None:
    """Return when what `line` says reaches `other`: before NATS knows of a subscription it drops what comes."""
    said, heard = [], []
    while heard != said or not heard:
        said.append(f"hello {len(said)}")
        await line.says(said[-1])
        with suppress(TimeoutError):
            while len(heard) < len(said):
                heard.append(await asyncio.wait_for(other.socket.recv(), 0.2))
        assert len(said) < 5 * PATIENCE_S, "the bus brings nothing"


@pytest.mark.usefixtures("no_sweep")
async def test_what_is_said_at_one_server_is_heard_at_the_other(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await is_connected(at_alice, at_bob)
    await is_connected(at_bob, at_alice)
    for number in range(20):
        await at_alice.says(f"{number}")
        await at_bob.hears(f"{number}")
        await at_bob.says(f"{number} too")
        await at_alice.hears(f"{number} too")


@pytest.mark.usefixtures("no_sweep")
async def test_many_messages_arrive_in_order(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await is_connected(at_alice, at_bob)
    texts = [f"{number}" for number in range(500)]
    for text in texts:
        await at_alice.says(text)
    await at_bob.hears(*texts)
    await at_bob.hears_nothing()


@pytest.mark.usefixtures("no_sweep")
@pytest.mark.logs("lost its connection to NATS", "could not notify")
async def test_a_nats_that_dies_delays_and_loses_nothing(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await is_connected(at_alice, at_bob)
    nats.kill()
    await at_alice.says("meanwhile")
    await at_bob.hears_nothing()
    nats.start()
    await at_bob.hears("meanwhile")  # by the sweep that follows a new connection
    await is_connected(at_alice, at_bob)
    await at_bob.hears_nothing()


async def test_a_server_starts_though_there_is_no_nats_yet(nats: Nats, start_server: StartServer) -> None:
    nats.kill()
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await at_alice.says("hello")
    await at_bob.hears("hello")


@pytest.mark.usefixtures("no_sweep")
async def test_rows_of_other_programs_still_ring_in_postgresql(nats: Nats, start_server: StartServer) -> None:
    alice, bob, _, at_bob = await two_servers(start_server, nats)
    insert = """
        INSERT INTO messages (conversation_id, sender_id, content)
        SELECT id, %s, 'by psql' FROM conversations WHERE user_id_1 = %s AND user_id_2 = %s
    """
    await alice.server.sql(insert, alice.id, *sorted([alice.id, bob.id]))
    await at_bob.hears("by psql")


async def test_lost_doorbells_are_made_good_for_by_the_sweep(start_server: StartServer, own_database_url: str) -> None:
    """PostgreSQL's bus, with the trigger that rings taken away."""
    one, other = await start_server(url=own_database_url), await start_server(url=own_database_url)
    alice, bob = await one.person("alice"), await other.person("bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await alice.server.sql("ALTER TABLE messages DISABLE TRIGGER notify_messages")
    texts = [f"{number}" for number in range(50)]
    for text in texts:
        await at_alice.says(text)
    await at_bob.hears(*texts)
    await at_bob.hears_nothing()

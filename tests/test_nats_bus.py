"""Two servers on one database that notify each other over NATS."""

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
from testing.server import PATIENCE_S, OpenSocket, Person
from tests.conftest import StartServer


class Nats:
    """A real NATS server in another process."""

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
        """Wait until NATS accepts connections: a chat server that fails to connect retries only after a second."""
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


async def two_servers(start_server: StartServer, nats: Nats) -> tuple[Person, Person, OpenSocket, OpenSocket]:
    """Start two servers; Alice is connected to one and Bob to the other."""
    one, other = await start_server(bus=nats.url), await start_server(bus=nats.url)
    alice, bob = await one.person("alice"), await other.person("bob")
    conversation = await alice.meets(bob)
    return alice, bob, await alice.opens(conversation), await bob.opens(conversation)


@pytest.fixture
def no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the periodic sweep, so that every delivery comes through the bus."""
    monkeypatch.setattr(worker, "SWEEP_S", 3600.0)


async def is_connected(at_sender: OpenSocket, other: OpenSocket) -> None:
    """Wait until messages from `at_sender` reach `other`: NATS drops messages until it knows the subscription."""
    sent, heard = [], []
    while heard != sent or not heard:
        sent.append(f"hello {len(sent)}")
        await at_sender.sends(sent[-1])
        with suppress(TimeoutError):
            while len(heard) < len(sent):
                heard.append(await asyncio.wait_for(other.socket.recv(), 0.2))
        assert len(sent) < 5 * PATIENCE_S, "the bus delivers nothing"


@pytest.mark.usefixtures("no_sweep")
async def test_nats_delivers_messages_between_servers(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await is_connected(at_alice, at_bob)
    await is_connected(at_bob, at_alice)
    for number in range(20):
        await at_alice.sends(f"{number}")
        await at_bob.receives(f"{number}")
        await at_bob.sends(f"{number} too")
        await at_alice.receives(f"{number} too")


@pytest.mark.once
@pytest.mark.usefixtures("no_sweep")
async def test_nats_delivers_a_burst_in_order(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await is_connected(at_alice, at_bob)
    texts = [f"{number}" for number in range(500)]
    for text in texts:
        await at_alice.sends(text)
    await at_bob.receives(*texts)
    await at_bob.receives_nothing()


@pytest.mark.usefixtures("no_sweep")
@pytest.mark.logs("lost its connection to NATS", "could not notify")
async def test_nats_outage_delays_and_loses_nothing(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await is_connected(at_alice, at_bob)
    nats.kill()
    await at_alice.sends("meanwhile")
    await at_bob.receives_nothing()
    nats.start()
    await at_bob.receives("meanwhile")  # by the sweep that follows a reconnect
    await is_connected(at_alice, at_bob)
    await at_bob.receives_nothing()


@pytest.mark.once
async def test_nats_unavailable_at_start_is_tolerated(nats: Nats, start_server: StartServer) -> None:
    nats.kill()
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await at_alice.sends("hello")
    await at_bob.receives("hello")


@pytest.mark.once
@pytest.mark.usefixtures("no_sweep")
async def test_nats_bus_delivers_rows_inserted_with_sql(nats: Nats, start_server: StartServer) -> None:
    alice, bob, _, at_bob = await two_servers(start_server, nats)
    insert = """
        INSERT INTO messages (conversation_id, sender_id, content)
        SELECT id, %s, 'by psql' FROM conversations WHERE user_id_1 = %s AND user_id_2 = %s
    """
    await alice.server.sql(insert, alice.id, *sorted([alice.id, bob.id]))
    await at_bob.receives("by psql")


@pytest.mark.once
async def test_sweep_delivers_messages_without_notification(start_server: StartServer, own_database_url: str) -> None:
    """The bus of PostgreSQL, with the notification trigger disabled."""
    one, other = await start_server(url=own_database_url), await start_server(url=own_database_url)
    alice, bob = await one.person("alice"), await other.person("bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await alice.server.sql("ALTER TABLE messages DISABLE TRIGGER notify_messages")
    texts = [f"{number}" for number in range(50)]
    for text in texts:
        await at_alice.sends(text)
    await at_bob.receives(*texts)
    await at_bob.receives_nothing()

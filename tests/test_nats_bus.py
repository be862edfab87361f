"""Two servers on one database, which ring each other over NATS."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from run.process import worker
from testing.process import free_port
from testing.server import Line, Person
from tests.conftest import StartServer

START_S = 20.0
PROMPT_S = 2.0  # long before the sweep would find it


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
        deadline = time.monotonic() + START_S
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
            self._process.wait(10)
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


async def hears_promptly(line: Line, *texts: str) -> None:
    began = time.monotonic()
    await line.hears(*texts)
    assert time.monotonic() - began < PROMPT_S, "it came by the sweep and not by the bus"


async def test_what_is_said_at_one_server_is_heard_at_the_other(nats: Nats, start_server: StartServer) -> None:
    assert worker.SWEEP_S > 2 * PROMPT_S
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await asyncio.sleep(0.5)
    for number in range(20):
        await at_alice.says(f"{number}")
        await hears_promptly(at_bob, f"{number}")
        await at_bob.says(f"{number} too")
        await hears_promptly(at_alice, f"{number} too")


async def test_many_messages_arrive_in_order(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await asyncio.sleep(0.5)
    texts = [f"{number}" for number in range(500)]
    for text in texts:
        await at_alice.says(text)
    await at_bob.hears(*texts)
    await at_bob.hears_nothing()


@pytest.mark.logs("lost its connection to NATS", "could not notify")
async def test_a_nats_that_dies_delays_and_loses_nothing(nats: Nats, start_server: StartServer) -> None:
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await at_alice.says("before")
    await at_bob.hears("before")
    nats.kill()
    await at_alice.says("meanwhile")
    await at_bob.hears("meanwhile")  # by the sweep
    nats.start()
    await asyncio.sleep(3)
    await at_alice.says("after")
    await hears_promptly(at_bob, "after")
    await at_bob.hears_nothing()


async def test_a_server_starts_though_there_is_no_nats_yet(nats: Nats, start_server: StartServer) -> None:
    nats.kill()
    _, _, at_alice, at_bob = await two_servers(start_server, nats)
    await at_alice.says("hello")
    await at_bob.hears("hello")


async def test_rows_of_other_programs_still_ring_in_postgresql(nats: Nats, start_server: StartServer) -> None:
    alice, bob, _, at_bob = await two_servers(start_server, nats)
    insert = """
        INSERT INTO messages (conversation_id, sender_id, content)
        SELECT id, %s, 'by psql' FROM conversations WHERE user_id_1 = %s AND user_id_2 = %s
    """
    await alice.server.sql(insert, alice.id, *sorted([alice.id, bob.id]))
    await hears_promptly(at_bob, "by psql")


async def test_lost_doorbells_are_made_good_for_within_the_sweep(
    start_server: StartServer, own_database_url: str
) -> None:
    """PostgreSQL's bus, with the trigger that rings taken away."""
    one, other = await start_server(url=own_database_url), await start_server(url=own_database_url)
    alice, bob = await one.person("alice"), await other.person("bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await alice.server.sql("ALTER TABLE messages DISABLE TRIGGER notify_messages")
    began = time.monotonic()
    texts = [f"{number}" for number in range(50)]
    for text in texts:
        await at_alice.says(text)
    await at_bob.hears(*texts)
    assert time.monotonic() - began < worker.SWEEP_S + 1
    await at_bob.hears_nothing()

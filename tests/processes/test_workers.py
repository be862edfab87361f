"""Two worker processes on the same ports behave like one server."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from testing.people import all_messages, pair
from testing.process import Server, running
from testing.server import PATIENCE_S

SOCKETS = 24


@pytest.fixture(scope="module")
def at_two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    elsewhere = tmp_path_factory.mktemp("elsewhere")  # modules in the working directory must not be imported
    for name in ("run.py", "json.py"):
        (elsewhere / name).write_text("raise SystemExit('imported from the working directory')")
    data = tmp_path_factory.mktemp("workers") / "data"
    with running(Server(data, cwd=elsewhere, SOTTOVOCE_WORKERS="2")) as server:
        yield server
        assert server.stop() == 0
        assert server.family() == []


def connections(worker: psutil.Process, server: Server) -> int:
    return sum(
        connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == server.port
        for connection in worker.net_connections("tcp")
    )


def test_workers_deliver_messages_to_all_sockets_in_order(at_two_workers: Server) -> None:
    async def chat() -> None:
        alice, bob, conversation_id = await pair(at_two_workers.address)
        at_alice = [await alice.opens(conversation_id) for _ in range(SOCKETS)]
        at_bob = [await bob.opens(conversation_id) for _ in range(SOCKETS)]
        shares = [connections(worker, at_two_workers) for worker in at_two_workers.workers()]
        assert len(shares) == 2
        assert min(shares) > 0, f"both workers must have sockets: {shares}"

        async def receive(socket: ClientConnection, count: int) -> list[str]:
            return [str(await asyncio.wait_for(socket.recv(), PATIENCE_S)) for _ in range(count)]

        async def send_all(socket: ClientConnection, name: str) -> None:
            for number in range(10):
                await socket.send(f"{name} {number}")

        hearing = asyncio.gather(
            *(receive(socket, 10 * SOCKETS) for socket in at_alice),
            *(receive(socket, 10 * SOCKETS) for socket in at_bob),
        )
        await asyncio.gather(
            *(send_all(socket, f"alice {number}") for number, socket in enumerate(at_alice)),
            *(send_all(socket, f"bob {number}") for number, socket in enumerate(at_bob)),
        )
        heard = await hearing
        stored = await all_messages(alice, bob)
        assert len(stored) == 20 * SOCKETS
        by_bob = [text for text in stored if text.startswith("bob")]
        by_alice = [text for text in stored if text.startswith("alice")]
        assert all(texts == by_bob for texts in heard[:SOCKETS])
        assert all(texts == by_alice for texts in heard[SOCKETS:])
        for socket in (*at_alice, *at_bob):
            await socket.close()

    _until(lambda: len(at_two_workers.workers()) == 2)
    asyncio.run(chat())


def test_workers_killed_one_is_replaced(at_two_workers: Server) -> None:
    async def chat() -> None:
        alice, bob, conversation_id = await pair(at_two_workers.address)
        sockets = [await bob.opens(conversation_id) for _ in range(SOCKETS)]
        victim, survivor = at_two_workers.workers()
        assert connections(survivor, at_two_workers) > 0
        victim.kill()
        await asyncio.sleep(0.2)
        async with httpx.AsyncClient(
            base_url=at_two_workers.address, headers=alice.headers, timeout=PATIENCE_S
        ) as client:
            answer = await client.post("/messages", json={"receiver_id": bob.id, "message": "are you there?"})
            assert answer.status_code == 200
        heard, closed = 0, 0
        for socket in sockets:
            try:
                heard += await asyncio.wait_for(socket.recv(), PATIENCE_S) == "are you there?"
            except ConnectionClosed:
                closed += 1
        assert heard > 0
        assert heard + closed == SOCKETS
        for socket in sockets:
            await socket.close()

    _until(lambda: len(at_two_workers.workers()) == 2)
    before = {worker.pid for worker in at_two_workers.workers()}
    asyncio.run(chat())
    _until(lambda: len(at_two_workers.workers()) == 2 and {worker.pid for worker in at_two_workers.workers()} != before)
    assert "starting another" in at_two_workers.said()


@pytest.mark.once
def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    with running(Server(tmp_path / "data", SOTTOVOCE_WORKERS="2")) as server:
        _until(lambda: len(server.workers()) == 2)
        server.kill()
        _until(lambda: not server.workers())
        server.start()
        assert server.stop() == 0
        assert server.family() == []


def _until(true: "object", within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)

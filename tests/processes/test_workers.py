"""Several processes on the same ports behave like one."""

import asyncio
import time
from pathlib import Path

import httpx
import psutil
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.processes.people import all_messages, pair
from tests.processes.server import Server, running

SOCKETS = 24


def connections(worker: psutil.Process, server: Server) -> int:
    return sum(
        connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == server.port
        for connection in worker.net_connections("tcp")
    )


def test_sockets_at_two_workers_hear_everything_in_order(tmp_path: Path) -> None:
    async def play() -> None:
        alice, bob, conversation_id = await pair(server.address)
        at_alice = [await alice.opens(conversation_id) for _ in range(SOCKETS)]
        at_bob = [await bob.opens(conversation_id) for _ in range(SOCKETS)]
        shares = [connections(worker, server) for worker in server.workers()]
        assert len(shares) == 2
        assert min(shares) > 0, f"all sockets are at one worker, this shows nothing: {shares}"

        async def hear(line: ClientConnection, count: int) -> list[str]:
            return [str(await asyncio.wait_for(line.recv(), 20)) for _ in range(count)]

        async def say(line: ClientConnection, name: str) -> None:
            for number in range(10):
                await line.send(f"{name} {number}")

        hearing = asyncio.gather(
            *(hear(line, 10 * SOCKETS) for line in at_alice), *(hear(line, 10 * SOCKETS) for line in at_bob)
        )
        await asyncio.gather(
            *(say(line, f"alice {number}") for number, line in enumerate(at_alice)),
            *(say(line, f"bob {number}") for number, line in enumerate(at_bob)),
        )
        heard = await hearing
        stored = await all_messages(alice, bob)
        assert len(stored) == 20 * SOCKETS
        by_bob = [text for text in stored if text.startswith("bob")]
        by_alice = [text for text in stored if text.startswith("alice")]
        assert all(texts == by_bob for texts in heard[:SOCKETS])
        assert all(texts == by_alice for texts in heard[SOCKETS:])
        for line in (*at_alice, *at_bob):
            await line.close()

    with running(Server(tmp_path / "data", SOTTOVOCE_WORKERS="2")) as server:
        _until(lambda: len(server.workers()) == 2)
        asyncio.run(play())
        assert server.stop() == 0
        assert server.family() == []


def test_a_killed_worker_is_replaced_and_the_other_goes_on(tmp_path: Path) -> None:
    async def play() -> None:
        alice, bob, conversation_id = await pair(server.address)
        lines = [await bob.opens(conversation_id) for _ in range(SOCKETS)]
        victim, survivor = server.workers()
        assert connections(survivor, server) > 0
        victim.kill()
        await asyncio.sleep(0.2)
        async with httpx.AsyncClient(base_url=server.address, headers=alice.headers, timeout=20) as client:
            answer = await client.post("/messages", json={"receiver_id": bob.id, "message": "are you there?"})
            assert answer.status_code == 200
        heard, gone = 0, 0
        for line in lines:
            try:
                heard += await asyncio.wait_for(line.recv(), 10) == "are you there?"
            except ConnectionClosed:
                gone += 1
        assert heard > 0
        assert heard + gone == SOCKETS
        for line in lines:
            await line.close()

    with running(Server(tmp_path / "data", SOTTOVOCE_WORKERS="2")) as server:
        _until(lambda: len(server.workers()) == 2)
        before = {worker.pid for worker in server.workers()}
        asyncio.run(play())
        _until(lambda: len(server.workers()) == 2 and {worker.pid for worker in server.workers()} != before)
        assert "starting another" in server.said()
        assert server.stop() == 0


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    with running(Server(tmp_path / "data", SOTTOVOCE_WORKERS="2")) as server:
        _until(lambda: len(server.workers()) == 2)
        server.kill()
        _until(lambda: not server.workers())
        server.start()
        assert server.stop() == 0
        assert server.family() == []


def _until(true: "object", within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)

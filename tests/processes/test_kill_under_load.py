"""SIGKILL while messages fly: what was acknowledged is there after the restart, once and in order."""

import asyncio
import contextlib
import random
import signal
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.processes.people import Somebody, all_messages, pair
from tests.processes.server import Server, running

pytestmark = pytest.mark.slow

PAIRS = 6
ROUNDS = 3

Pair = tuple[Somebody, Somebody, str]


class Load:
    """Each pair: one sends over HTTP and waits for each answer, the other listens and writes down what it hears."""

    def __init__(self, pairs: list[Pair]) -> None:
        self.pairs = pairs
        self.sent: list[list[str]] = [[] for _ in pairs]
        self.acknowledged: list[list[str]] = [[] for _ in pairs]
        self.heard: list[list[str]] = [[] for _ in pairs]

    async def has_acknowledged(self, more: int) -> None:
        """Return when so many more messages were acknowledged."""
        wanted = sum(map(len, self.acknowledged)) + more
        async with asyncio.timeout(30):
            while sum(map(len, self.acknowledged)) < wanted:
                await asyncio.sleep(0.01)

    async def run(self) -> None:
        """Until the server is gone."""
        await asyncio.gather(*(self._pair(number) for number in range(len(self.pairs))))

    async def _pair(self, number: int) -> None:
        sender, listener, conversation_id = self.pairs[number]
        line = await listener.opens(conversation_id)
        listening = asyncio.create_task(self._listen(line, self.heard[number]))
        async with httpx.AsyncClient(base_url=sender.address, headers=sender.headers, timeout=10) as client:
            with contextlib.suppress(httpx.HTTPError):
                while True:
                    text = f"{number}-{len(self.sent[number])}"
                    self.sent[number].append(text)
                    answer = await client.post("/messages", json={"receiver_id": listener.id, "message": text})
                    if answer.status_code == 200:
                        self.acknowledged[number].append(text)
                    elif answer.status_code == 503:
                        await asyncio.sleep(0.02)
                    else:
                        raise AssertionError(answer.text)
        await listening

    async def _listen(self, line: "object", heard: list[str]) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in line:  # type: ignore[attr-defined]
                heard.append(text)


def check(stored: list[str], sent: list[str], acknowledged: list[str], heard: list[str]) -> None:
    assert len(stored) == len(set(stored)), "a message is stored twice"
    assert [text for text in sent if text in set(stored)] == stored, "stored in another order than sent"
    assert set(acknowledged) <= set(stored), "an acknowledged message is lost"
    assert set(heard) <= set(stored), "somebody heard what was never stored"
    assert len(heard) == len(set(heard)), "a message was delivered twice"
    assert heard == [text for text in stored if text in set(heard)], "heard in another order than stored"


@pytest.mark.parametrize("victim", ["server", "server and PostgreSQL"])
def test_every_acknowledged_message_survives_a_kill(victim: str, tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    chance = random.Random(victim)
    with running(server):
        load = Load(asyncio.run(_pairs(server)))

        async def one_round() -> None:
            loading = asyncio.create_task(load.run())
            await load.has_acknowledged(40)
            await asyncio.sleep(chance.uniform(0, 0.3))
            if victim != "server":
                server.postmaster().send_signal(signal.SIGKILL)
            server.kill()
            await loading

        for _ in range(ROUNDS):
            asyncio.run(one_round())
            server.start()
            asyncio.run(_check_all(load))
        assert sum(map(len, load.heard)) > 20 * ROUNDS, "too little was heard to show anything"


def test_every_acknowledged_message_survives_the_death_of_postgresql_alone(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    with running(server):
        load = Load(asyncio.run(_pairs(server)))

        async def kill_postgresql_three_times() -> None:
            loading = asyncio.create_task(load.run())
            for _ in range(3):
                await load.has_acknowledged(40)
                killed = server.postmaster()
                killed.send_signal(signal.SIGKILL)
                await load.has_acknowledged(40)
                assert server.postmaster().pid != killed.pid
            await asyncio.to_thread(server.stop)
            await loading

        asyncio.run(kill_postgresql_three_times())
        server.start()
        asyncio.run(_check_all(load))


async def _pairs(server: Server) -> list[Pair]:
    return list(await asyncio.gather(*(pair(server.address) for _ in range(PAIRS))))


async def _check_all(load: Load) -> None:
    for (sender, listener, _), sent, acknowledged, heard in zip(
        load.pairs, load.sent, load.acknowledged, load.heard, strict=True
    ):
        check(await all_messages(listener, sender), sent, acknowledged, heard)

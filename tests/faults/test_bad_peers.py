"""Faulty and hostile peers: memory is bounded, the event loop is not blocked, and other users are served."""

import asyncio
import contextlib
import gzip
import json
import os
import re
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from testing.people import User, pair
from testing.process import Server, running
from testing.raw import Raw
from testing.server import PATIENCE_S

pytestmark = pytest.mark.once

# CPU time of the server: wall-clock time depends on other processes of the machine.
SERVED_WITHIN_CPU_S = 1.0  # 0.2 on a fast machine
STALL_MS = 500.0  # 100 on a fast machine
MIB = 2**20


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(Server(tmp_path_factory.mktemp("bad peers") / "data")) as started:
        yield started


@pytest.fixture
def users(server: Server) -> tuple[User, User, str]:
    return asyncio.run(pair(server.address))


def memory_mib(server: Server, *, peak: bool = False) -> float:
    """The server's resident memory, or its peak since `forget_peak`."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status)
    assert found, status
    return int(found[1]) / 1024


def forget_peak(server: Server) -> None:
    assert server.process is not None
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # proc(5)


def connections(server: Server) -> int:
    assert server.process is not None
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == server.port for one in found)


class Others:
    """Two users who chat during the test. `waits`: CPU seconds of the server before each message arrived."""

    def __init__(self, server: Server) -> None:
        assert server.process is not None
        self._process = psutil.Process(server.process.pid)
        self.waits: list[float] = []
        self._chatting: asyncio.Task[None] | None = None

    def _cpu_s(self) -> float:
        return sum(self._process.cpu_times()[:2])

    async def chat(self, alice: User, bob: User, conversation_id: str) -> None:
        async with await alice.opens(conversation_id) as at_alice, await bob.opens(conversation_id) as at_bob:
            while True:
                began = self._cpu_s()
                await at_alice.send("are you there?")
                await at_bob.recv()
                self.waits.append(self._cpu_s() - began)
                await asyncio.sleep(0.05)

    def begin(self, *pair: Any) -> None:
        self._chatting = asyncio.create_task(self.chat(*pair))

    async def are_served(self, times: int) -> None:
        """Return when `times` further messages have arrived."""
        wanted = len(self.waits) + times
        async with asyncio.timeout(PATIENCE_S):
            while len(self.waits) < wanted:
                assert self._chatting is not None
                if self._chatting.done():
                    self._chatting.result()
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        if self._chatting is not None:
            self._chatting.cancel()
            await asyncio.gather(self._chatting, return_exceptions=True)


@asynccontextmanager
async def others_are_served(server: Server, within_mib: float) -> AsyncIterator[Others]:
    """Check that two other users are served, the event loop is not blocked, and memory grows within `within_mib`."""
    pair_of_others = await pair(server.address)
    forget_peak(server)  # passwords are hashed in 64 MiB each
    before = memory_mib(server)
    others = Others(server)
    others.begin(*pair_of_others)
    try:
        await others.are_served(1)
        yield others
        await others.are_served(2)  # messages that wait now arrive too
    finally:
        await others.end()
    grown = memory_mib(server, peak=True) - before
    assert grown < within_mib, f"memory grew by {grown:.0f} MiB"
    worst = max(others.waits)
    assert worst < SERVED_WITHIN_CPU_S, f"a message came after {worst:.2f} s of other work"
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
        stall_ms = (await client.get(f"{server.address}/healthz")).json()["worst_loop_lag_ms"]
    assert stall_ms < STALL_MS, f"the event loop was blocked for {stall_ms} ms"


@asynccontextmanager
async def connections_aborted_at_the_end() -> AsyncIterator[list[Raw]]:
    """A list of connections that are aborted at the end of the test."""
    peers: list[Raw] = []
    try:
        yield peers
    finally:
        for peer in peers:
            peer.writer.transport.abort()
        await asyncio.sleep(0.1)  # until they are closed


async def test_peers_that_do_not_read_are_closed_in_bounded_memory(
    server: Server, users: tuple[User, User, str]
) -> None:
    alice, bob, conversation_id = users
    async with (
        connections_aborted_at_the_end() as lazy,
        others_are_served(server, 200),
        await alice.opens(conversation_id) as at_alice,
    ):
        for _ in range(40):
            lazy.append(await Raw.websocket(server.address, bob.token, conversation_id))
            lazy[-1].writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(40):
            await at_alice.send("x" * 500_000)
        async with asyncio.timeout(PATIENCE_S):
            while connections(server) > 10:
                await asyncio.sleep(0.1)


async def test_peers_that_vanish_are_dropped_at_the_next_message(server: Server, users: tuple[User, User, str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a connection vanish")
    alice, bob, conversation_id = users
    async with (
        connections_aborted_at_the_end() as gone,
        others_are_served(server, 30),
        await alice.opens(conversation_id) as at_alice,
    ):
        before = connections(server)
        gone += [await Raw.websocket(server.address, bob.token, conversation_id) for _ in range(50)]
        assert connections(server) == before + 50
        for one in gone:
            one.vanish()
        await asyncio.sleep(0.1)
        assert connections(server) == before + 50, "the server must not have detected it yet"
        await at_alice.send("is anybody there?")
        async with asyncio.timeout(PATIENCE_S):
            while connections(server) > before:
                await asyncio.sleep(0.1)


async def test_peers_with_stalled_handshakes_do_not_delay_others(server: Server) -> None:
    async with (
        connections_aborted_at_the_end() as half,
        connections_aborted_at_the_end() as slow,
        others_are_served(server, 100),
    ):
        half += [await Raw.connect(f"https://127.0.0.1:{server.https_port}") for _ in range(500)]
        for one in half[::2]:
            one.writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # the first bytes of a ClientHello
        slow += [await Raw.connect(server.address) for _ in range(500)]
        for byte in b"GET /motd HTTP/1.1\r\nHost: x\r\nX-Slow: ":
            for one in slow:
                one.writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
        trusting = ssl.create_default_context(cafile=str(server.data / "tls" / "ca.pem"))
        async with httpx.AsyncClient(verify=trusting, timeout=PATIENCE_S) as client:
            answer = await client.get(f"https://127.0.0.1:{server.https_port}/motd")
        assert answer.status_code == 200


FLOODS = {
    "empty pings": b"\x89\x80\0\0\0\0",
    "empty texts": b"\x81\x80\0\0\0\0",
    "blank texts": b"\x81\x81\0\0\0\0 ",
    "empty fragments": b"\x00\x80\0\0\0\0",
}


@pytest.mark.parametrize("frames", FLOODS.values(), ids=FLOODS)
async def test_peers_flooding_small_frames_do_not_block_the_loop(
    server: Server, users: tuple[User, User, str], frames: bytes
) -> None:
    _, bob, conversation_id = users
    async with connections_aborted_at_the_end() as peers, others_are_served(server, 60) as others:
        peers += [await Raw.websocket(server.address, bob.token, conversation_id) for _ in range(4)]

        async def flood(peer: Raw) -> None:
            """Send until cancelled. The server closes a connection with too many fragments."""
            if frames[0] == 0:
                peer.writer.write(b"\x01\x80\0\0\0\0")
            with contextlib.suppress(ConnectionError):
                while True:
                    peer.writer.write(frames * 1000)
                    await peer.writer.drain()
                    await asyncio.sleep(0.001)

        reading = [asyncio.create_task(peer.rest()) for peer in peers]
        flooding = [asyncio.create_task(flood(peer)) for peer in peers]
        try:
            await others.are_served(30)
            if frames[0] != 0:
                assert not any(task.done() for task in reading + flooding), "the flooding connections must stay open"
        finally:
            for task in reading + flooding:
                task.cancel()
            ended = await asyncio.gather(*reading, *flooding, return_exceptions=True)
        assert not [end for end in ended if isinstance(end, Exception)], "only disconnections are expected"


async def test_peers_with_incomplete_large_frames_are_bounded(server: Server, users: tuple[User, User, str]) -> None:
    _, bob, conversation_id = users
    head = struct.pack("!BBQ", 0x81, 0xFF, 2_800_000) + b"\0\0\0\0"
    async with (
        connections_aborted_at_the_end() as peers,
        others_are_served(server, 400),
    ):  # all frames together have 524 MiB
        peers += [await Raw.websocket(server.address, bob.token, conversation_id) for _ in range(220)]
        for peer in peers:
            peer.writer.write(head + b"x" * 2_500_000)
        answered: list[Raw] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(answered) <= 80:  # 256 MiB hold a hundred frames
                await asyncio.sleep(0.1)
                answered = [peer for peer in peers if peer.reader._buffer]  # type: ignore[attr-defined]
        for peer in answered:
            async with asyncio.timeout(PATIENCE_S):
                said = await peer.rest()
            assert said[2:4] == struct.pack("!H", 1013)


async def test_compression_bomb_is_not_decompressed(server: Server) -> None:
    bomb = gzip.compress(b"[" * 200 * MIB, compresslevel=9)
    async with others_are_served(server, 50), httpx.AsyncClient(base_url=server.address, timeout=PATIENCE_S) as client:
        for _ in range(5):
            answer = await client.post("/login", content=bomb, headers={"Content-Encoding": "gzip"})
            assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_json_deeply_nested_is_refused(server: Server) -> None:
    async with others_are_served(server, 60), httpx.AsyncClient(base_url=server.address, timeout=PATIENCE_S) as client:
        for body in ("[" * 2_000_000, '{"username":' * 300_000, json.dumps({"username": "9" * 4_000_000})):
            assert (await client.post("/login", content=body)).status_code == 400


async def test_burst_of_10_000_connections_is_served(server: Server) -> None:
    async with connections_aborted_at_the_end() as peers, others_are_served(server, 400):

        async def connect_many() -> None:
            for _ in range(500):
                peers.append(await Raw.connect(server.address))

        await asyncio.gather(*(connect_many() for _ in range(20)))
        assert len(peers) == 10_000
        for start in range(0, len(peers), 20):
            for peer in peers[start : start + 20]:
                peer.writer.write(b"GET /motd HTTP/1.1\r\nHost: x\r\n\r\n")
            for peer in peers[start : start + 20]:
                assert (await peer.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")

"""Send buffers: when a slow consumer is closed, and for how long a sender waits."""

import asyncio
import socket
from collections.abc import Iterator
from typing import cast

import pytest
from tornado.iostream import IOStream

from handlers.websocket.send_buffer import DRAINED_BYTES, MAX_UNSENT_BYTES, SendBuffer, SendBuffers

MIB = 1 << 20


class Consumer:
    """A socket that counts how often it is closed as too slow."""

    def __init__(self) -> None:
        self.closes = 0
        self.is_closing = False

    def ws_is_closing(self) -> bool:
        return self.is_closing

    def close_as_too_slow(self) -> None:
        self.closes += 1


class Slow(Consumer):
    """A buffer of a slow consumer."""

    def __init__(self, unsent_bytes: int) -> None:
        super().__init__()
        self.unsent_bytes = unsent_bytes

    @property
    def counted(self) -> SendBuffer:
        return cast(SendBuffer, self)


@pytest.fixture
def peers(io_loop: object) -> Iterator[tuple[IOStream, socket.socket]]:
    """A stream, and its peer, which reads only where the test does."""
    own, peer = socket.socketpair()
    stream = IOStream(own)
    yield stream, peer
    stream.close()
    peer.close()


def test_slowest_consumer_is_closed_while_all_hold_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.websocket.send_buffer.MAX_UNSENT_BYTES_OF_ALL", 1000)
    all_buffers = SendBuffers()
    first, second, third = slow = [Slow(600), Slow(300), Slow(400)]
    for one in slow[:2]:
        all_buffers.update(one.counted, one.unsent_bytes)
    all_buffers.update(second.counted, 400)  # 1000: as much as is allowed
    assert [one.closes for one in slow] == [0, 0, 0]
    first.unsent_bytes = 100  # it has received some since
    all_buffers.update(third.counted, 400)
    assert [one.closes for one in slow] == [0, 0, 0], "800 are left"
    first.unsent_bytes = 500
    all_buffers.update(first.counted, 500)
    assert [one.closes for one in slow] == [1, 0, 0]
    all_buffers.update(third.counted, 0)
    all_buffers.update(first.counted, 690)
    assert [one.closes for one in slow] == [1, 0, 0], "the bytes of a closed consumer are not counted: 990"


async def test_sender_waits_until_the_peer_has_read(peers: tuple[IOStream, socket.socket]) -> None:
    stream, peer = peers
    buffer = SendBuffer(Consumer(), stream, SendBuffers())
    buffer.send(b"a" * MIB)
    buffer.send(b"b" * 2 * MIB)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await buffer.drained()
    assert buffer.unsent_bytes > DRAINED_BYTES
    waiting = asyncio.create_task(buffer.drained())
    received = b""
    while len(received) < 3 * MIB:
        received += await asyncio.to_thread(peer.recv, MIB)
    await asyncio.wait_for(waiting, 10)
    assert received == b"a" * MIB + b"b" * 2 * MIB
    buffer.send(b"c" * 3 * MIB)
    waiting = asyncio.create_task(buffer.drained())
    await asyncio.sleep(0.05)
    stream.close()
    await asyncio.wait_for(waiting, 10)


async def test_full_buffer_closes_and_has_room_for_a_close_frame(peers: tuple[IOStream, socket.socket]) -> None:
    stream, _ = peers
    consumer, all_buffers = Consumer(), SendBuffers()
    buffer = SendBuffer(consumer, stream, all_buffers)
    for _ in range(2):
        buffer.send(b"a" * (MAX_UNSENT_BYTES // 2))
    await asyncio.sleep(0)
    assert consumer.closes == 0
    buffer.send(b"b" * MIB)
    await asyncio.sleep(0)
    assert consumer.closes == 1
    buffer.make_room_for_close()
    room = MAX_UNSENT_BYTES - buffer.unsent_bytes
    stream.write(b"c" * (room + 125))
    consumer.is_closing = True
    before = buffer.unsent_bytes
    buffer.send(b"d")
    await asyncio.sleep(0)
    assert buffer.unsent_bytes == before, "nothing follows a close frame"


async def test_only_slow_consumers_are_counted(
    peers: tuple[IOStream, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.websocket.send_buffer.MAX_UNSENT_BYTES_OF_ALL", 4 * MIB)
    stream, _ = peers
    consumer, all_buffers, other = Consumer(), SendBuffers(), Slow(5 * MIB)
    buffer = SendBuffer(consumer, stream, all_buffers)
    buffer.send(b"a" * 3 * MIB)
    await asyncio.sleep(0)
    other.unsent_bytes = 2 * MIB
    all_buffers.update(other.counted, 2 * MIB)
    assert (consumer.closes, other.closes) == (1, 0)
    other.unsent_bytes = MIB
    all_buffers.update(other.counted, MIB)
    buffer.send(b"a")  # which counts its 3 MiB again
    await asyncio.sleep(0)
    buffer.closed()
    other.unsent_bytes = 4 * MIB
    all_buffers.update(other.counted, 4 * MIB)
    assert (consumer.closes, other.closes) == (1, 0), "a closed socket is not counted"
    other.unsent_bytes = 4 * MIB + 1
    all_buffers.update(other.counted, 4 * MIB + 1)
    assert (consumer.closes, other.closes) == (1, 1)

"""Frames on their way out: written together, and bounded for each reader and for all of them."""

import asyncio
import logging
from typing import Protocol

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError

from handlers.tornado_internals import unsent_bytes

log = logging.getLogger("sottovoce.sockets")

MAX_UNSENT_BYTES = 8 * 1024 * 1024  # above the largest page of the log; a reader who lets more pile up is closed
MAX_UNSENT_BYTES_OF_ALL = 512 * 1024 * 1024  # then the slowest reader is closed
DRAINED_BYTES = 1024 * 1024
SLOW_BYTES = 64 * 1024  # what the kernel did not take at once; less is not worth counting
CLOSE_FRAME_BYTES = 256


class Reader(Protocol):
    def ws_is_closing(self) -> bool: ...
    def close_as_too_slow(self) -> None: ...


class SendBuffers:
    """What all slow readers of this process together leave unsent."""

    def __init__(self) -> None:
        self._unsent: dict[SendBuffer, int] = {}  # as it was when it was last looked at
        self._total = 0

    def note(self, send_buffer: "SendBuffer", unsent_bytes: int) -> None:
        self._count(send_buffer, unsent_bytes)
        if self._total > MAX_UNSENT_BYTES_OF_ALL:
            for slow in tuple(self._unsent):  # some have read since
                self._count(slow, slow.unsent_bytes)
        while self._total > MAX_UNSENT_BYTES_OF_ALL:
            slowest = max(self._unsent, key=self._unsent.__getitem__)
            self._count(slowest, 0)
            slowest.close_as_too_slow()

    def _count(self, send_buffer: "SendBuffer", unsent_bytes: int) -> None:
        self._total += unsent_bytes - self._unsent.pop(send_buffer, 0)
        if unsent_bytes:
            self._unsent[send_buffer] = unsent_bytes


class SendBuffer:
    """Frames for one socket. Those that become ready in the same turn of the loop go out in one write."""

    def __init__(self, reader: Reader, stream: IOStream, send_buffers: SendBuffers) -> None:
        self._reader = reader
        self._stream = stream
        self._backlog = send_buffers
        self._frames: list[bytes] = []
        stream.max_write_buffer_size = MAX_UNSENT_BYTES

    def send(self, frame: bytes) -> None:
        if not self._frames:
            asyncio.get_running_loop().call_soon(self._flush)
        self._frames.append(frame)

    async def drained(self) -> None:
        """Return when little of what was sent still waits for the reader."""
        self._flush()
        while not self._stream.closed() and self.unsent_bytes > DRAINED_BYTES:
            await asyncio.sleep(0.01)

    @property
    def unsent_bytes(self) -> int:
        return unsent_bytes(self._stream)

    def close_as_too_slow(self) -> None:
        log.info("closing a slow reader with %d bytes unsent", self.unsent_bytes)
        self._reader.close_as_too_slow()

    def make_room_for_close(self) -> None:
        self._stream.max_write_buffer_size = MAX_UNSENT_BYTES + CLOSE_FRAME_BYTES

    def closed(self) -> None:
        self._backlog.note(self, 0)

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if not frames or self._reader.ws_is_closing():
            return  # nothing may follow a close frame: RFC 6455 section 5.5.1
        if sum(map(len, frames)) <= SLOW_BYTES:
            frames = [b"".join(frames)]  # larger ones membership as they are: all slow readers then hold the same bytes
        try:
            for frame in frames:
                self._stream.write(frame)
        except StreamBufferFullError:
            self.close_as_too_slow()
        except StreamClosedError:
            pass
        else:
            if self.unsent_bytes > SLOW_BYTES:
                self._backlog.note(self, self.unsent_bytes)

"""Send buffers: outgoing frames of a socket, written together and bounded.

`send` collects frames; one write at the end of the turn of the event loop sends them. Two limits bound unsent bytes. A
socket with more than MAX_UNSENT_BYTES is closed. While all sockets of the process together have more than
MAX_UNSENT_BYTES_OF_ALL, the one with the most is closed. A slow consumer is closed with 1013; it reconnects and reads
the log from its position.
"""

import asyncio
import logging
from typing import Protocol

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError

from handlers.tornado_internals import unsent_bytes

log = logging.getLogger("sottovoce.sockets")

MAX_UNSENT_BYTES = 8 * 1024 * 1024  # above the largest page of the log; a socket with more is closed
MAX_UNSENT_BYTES_OF_ALL = 512 * 1024 * 1024  # of all sockets; above it the slowest consumer is closed
DRAINED_BYTES = 1024 * 1024  # `drained` returns below this
SLOW_BYTES = 64 * 1024  # unsent bytes below this are not counted, and smaller writes are joined
CLOSE_FRAME_BYTES = 256  # room for a close frame in a full buffer


class Consumer(Protocol):
    """The socket of a send buffer."""

    def ws_is_closing(self) -> bool:
        """Whether a close frame was sent or the connection is closed."""
        ...

    def close_as_too_slow(self) -> None:
        """Close the connection with 1013. Never raises."""
        ...


class SendBuffers:
    """The unsent bytes of all slow consumers of this process."""

    def __init__(self) -> None:
        self._unsent: dict[SendBuffer, int] = {}  # at the last update
        self._total = 0

    def update(self, send_buffer: "SendBuffer", unsent_bytes: int) -> None:
        """Count the unsent bytes of a buffer; close the slowest consumers while there are too many in total."""
        self._count(send_buffer, unsent_bytes)
        if self._total > MAX_UNSENT_BYTES_OF_ALL:
            for slow in tuple(self._unsent):  # some have received bytes since
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
    """Frames for one socket. All frames of one turn of the event loop are sent in one write."""

    def __init__(self, consumer: Consumer, stream: IOStream, send_buffers: SendBuffers) -> None:
        self._consumer = consumer
        self._stream = stream
        self._send_buffers = send_buffers
        self._frames: list[bytes] = []
        stream.max_write_buffer_size = MAX_UNSENT_BYTES

    def send(self, frame: bytes) -> None:
        """Send a frame at the end of this turn of the event loop."""
        if not self._frames:
            asyncio.get_running_loop().call_soon(self._flush)
        self._frames.append(frame)

    async def drained(self) -> None:
        """Return when fewer than DRAINED_BYTES are unsent, or the connection is closed."""
        self._flush()
        while not self._stream.closed() and self.unsent_bytes > DRAINED_BYTES:
            await asyncio.sleep(0.01)

    @property
    def unsent_bytes(self) -> int:
        """The bytes in the stream's buffer. Frames of the current turn are not among them."""
        return unsent_bytes(self._stream)

    def close_as_too_slow(self) -> None:
        """Log the slow consumer and close its connection with 1013. Never raises."""
        log.info("closing a slow consumer with %d bytes unsent", self.unsent_bytes)
        self._consumer.close_as_too_slow()

    def make_room_for_close(self) -> None:
        """Allow a close frame beyond the limit."""
        self._stream.max_write_buffer_size = MAX_UNSENT_BYTES + CLOSE_FRAME_BYTES

    def closed(self) -> None:
        """Stop counting this buffer: its socket is closed."""
        self._send_buffers.update(self, 0)

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        if not frames or self._consumer.ws_is_closing():
            return  # nothing may follow a close frame: RFC 6455 section 5.5.1
        if sum(map(len, frames)) <= SLOW_BYTES:
            frames = [b"".join(frames)]  # larger frames are not copied: all slow consumers share their bytes
        try:
            for frame in frames:
                self._stream.write(frame)
        except StreamBufferFullError:
            self.close_as_too_slow()
        except StreamClosedError:
            pass
        else:
            if self.unsent_bytes > SLOW_BYTES:
                self._send_buffers.update(self, self.unsent_bytes)

"""WebSockets of every door: the handshake's rules, frames out, slow readers, and the end."""

import asyncio
import logging
import struct

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

from chat.errors import Invalid
from chat.model import MAX_CONTENT_CHARS, Session, SessionId
from handlers.base import Handler

log = logging.getLogger("sottovoce.sockets")

MAX_FRAME_BYTES = 4 * MAX_CONTENT_CHARS  # the longest text in UTF-8
MAX_UNSENT_BYTES = 8 * 1024 * 1024  # above the largest page of the log; a reader who lets more pile up is closed
DRAINED_BYTES = 1024 * 1024
CLOSE_FRAME_BYTES = 256

GOING_AWAY, UNSUPPORTED, POLICY, TOO_BIG, TRY_LATER = 1001, 1003, 1008, 1009, 1013  # RFC 6455 section 7.4.1


class Sockets:
    """All open sockets of this process, by session."""

    def __init__(self) -> None:
        self._by_session: dict[SessionId, set[Socket]] = {}

    def add(self, socket: "Socket") -> None:
        self._by_session.setdefault(socket.session_.id, set()).add(socket)

    def remove(self, socket: "Socket") -> None:
        sockets = self._by_session.get(socket.session_.id, set())
        sockets.discard(socket)
        if not sockets:
            self._by_session.pop(socket.session_.id, None)

    def end_session(self, session_id: SessionId) -> None:
        for socket in tuple(self._by_session.get(session_id, ())):
            socket.close(POLICY, "session ended")

    def sessions(self) -> list[SessionId]:
        return list(self._by_session)

    def close_all(self) -> None:
        for sockets in tuple(self._by_session.values()):
            for socket in tuple(sockets):
                socket.close(GOING_AWAY, "server is stopping")

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))


class Outbox:
    """Frames for one socket. Those that become ready in the same turn of the loop go out in one write."""

    def __init__(self, socket: "Socket", stream: IOStream) -> None:
        self._socket = socket
        self._stream = stream
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
        return len(self._stream._write_buffer)  # no public name for it; tornado 6.6

    def make_room_for_close(self) -> None:
        self._stream.max_write_buffer_size = MAX_UNSENT_BYTES + CLOSE_FRAME_BYTES

    def _flush(self) -> None:
        data = b"".join(self._frames)
        self._frames.clear()
        if not data or self._socket.ws_is_closing():
            return  # nothing may follow a close frame: RFC 6455 section 5.5.1
        try:
            self._stream.write(data)
        except StreamBufferFullError:
            log.info("closing a slow reader with %d bytes unsent", self.unsent_bytes)
            self._socket.close(TRY_LATER, "too slow")
        except StreamClosedError:
            pass


class Socket(Handler, WebSocketHandler):
    """An authenticated WebSocket. A door's socket says what opens it and what its messages mean."""

    session_: Session
    outbox: Outbox | None = None
    sockets: Sockets

    def initialize(self, sockets: Sockets, **rest: object) -> None:  # type: ignore[override]
        super().initialize(**rest)  # type: ignore[arg-type]
        self.sockets = sockets

    @property
    def max_message_size(self) -> int:
        return MAX_FRAME_BYTES

    async def prepare(self) -> None:
        """Everything that can refuse, refuses here: after the handshake there are only close codes."""
        if self.request.method != "GET":
            raise HTTPError(405)
        self.refuse_foreign_origin()
        headers = self.request.headers
        connection = [word.strip().lower() for word in headers.get("Connection", "").split(",")]
        if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in connection:
            raise Invalid("This address takes WebSocket connections only")
        if headers.get("Sec-WebSocket-Version") != "13":
            self.error_headers["Sec-WebSocket-Version"] = "13"
            raise HTTPError(426, reason="Upgrade Required")
        if not headers.get("Sec-WebSocket-Key"):
            raise Invalid("Sec-WebSocket-Key is missing")

    def open(self) -> None:
        assert self.ws_connection is not None
        stream = self.ws_connection.stream
        assert stream is not None
        stream.set_nodelay(True)
        self.outbox = Outbox(self, stream)
        self.sockets.add(self)

    def on_close(self) -> None:
        self.sockets.remove(self)

    def ws_is_closing(self) -> bool:
        return self.ws_connection is None or self.ws_connection.is_closing()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Never raises: also a reader whose buffer is full gets its close frame, if it ever reads that far."""
        if self.outbox is not None:
            self.outbox.make_room_for_close()
        super().close(code, reason)

    async def drained(self) -> None:
        if self.outbox is not None:
            await self.outbox.drained()


def text_frame(text: str) -> bytes:
    """One unmasked, unfragmented text frame: RFC 6455 section 5.2."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", 0x81, length) + payload
    if length < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, length) + payload
    return struct.pack("!BBQ", 0x81, 127, length) + payload

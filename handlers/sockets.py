"""WebSockets of every door: the handshake's rules, frames out, slow readers, and the end."""

import asyncio
import logging

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from chat.errors import Invalid, TooMany
from chat.model import MAX_CONTENT_CHARS, Session, SessionId, UserId
from handlers.base import Handler
from handlers.websocket import Protocol

log = logging.getLogger("sottovoce.sockets")

MAX_FRAME_BYTES = 4 * MAX_CONTENT_CHARS  # the longest text in UTF-8
MAX_UNSENT_BYTES = 8 * 1024 * 1024  # above the largest page of the log; a reader who lets more pile up is closed
DRAINED_BYTES = 1024 * 1024
CLOSE_FRAME_BYTES = 256
SOCKETS_MAX = 2048  # of one account in one process; one more gets 429 instead of its handshake
TRY_AGAIN_S = 10.0
UNSETTLED_MAX = 64  # messages of one account on their way to the disk; more are not read until half have arrived

GOING_AWAY, UNSUPPORTED, POLICY, TRY_LATER = 1001, 1003, 1008, 1013  # RFC 6455 section 7.4.1


class Presence:
    """One account in this process: how many sockets it has, and how many messages on their way to the disk."""

    __slots__ = ("room", "sockets", "unsettled")

    def __init__(self) -> None:
        self.sockets = 0
        self.unsettled = 0
        self.room = asyncio.Event()  # for another message
        self.room.set()

    def submitted(self) -> None:
        self.unsettled += 1
        if self.unsettled >= UNSETTLED_MAX:
            self.room.clear()

    def settled(self) -> None:
        self.unsettled -= 1
        if self.unsettled <= UNSETTLED_MAX // 2:
            self.room.set()


class Sockets:
    """All open sockets of this process, by session; and what they come to by account."""

    def __init__(self) -> None:
        self._by_session: dict[SessionId, set[Socket]] = {}
        self._by_account: dict[UserId, Presence] = {}

    def admit(self, user_id: UserId) -> None:
        """Raises TooMany."""
        if user_id in self._by_account and self._by_account[user_id].sockets >= SOCKETS_MAX:
            raise TooMany("Too many connections of this account", TRY_AGAIN_S)

    def add(self, socket: "Socket") -> Presence:
        self._by_session.setdefault(socket.session_.id, set()).add(socket)
        presence = self._by_account.setdefault(socket.session_.account.id, Presence())
        presence.sockets += 1
        return presence

    def remove(self, socket: "Socket") -> None:
        sockets = self._by_session.get(socket.session_.id, set())
        if socket not in sockets:
            return
        sockets.remove(socket)
        if not sockets:
            del self._by_session[socket.session_.id]
        presence = self._by_account[socket.session_.account.id]
        presence.sockets -= 1
        if not presence.sockets:
            del self._by_account[socket.session_.account.id]

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
    presence: Presence
    outbox: Outbox | None = None
    sockets: Sockets

    def initialize(self, sockets: Sockets, **rest: object) -> None:  # type: ignore[override]
        super().initialize(**rest)  # type: ignore[arg-type]
        self.sockets = sockets

    @property
    def max_message_size(self) -> int:
        return MAX_FRAME_BYTES

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        return Protocol(self, False, protocol.params) if isinstance(protocol, WebSocketProtocol13) else None

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
        self.presence = self.sockets.add(self)

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

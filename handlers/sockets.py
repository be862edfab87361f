"""WebSockets of every door: the handshake's rules, frames out, slow readers, and the end."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from weakref import WeakValueDictionary

from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from chat.errors import Invalid, TooMany
from chat.model import MAX_CONTENT_CHARS, Session, SessionId, Told, UserId
from handlers.base import Handler
from handlers.frames import GOING_AWAY, POLICY, TRY_LATER
from handlers.held import Held
from handlers.outbox import Backlog, Outbox
from handlers.websocket import Protocol

MAX_FRAME_BYTES = 4 * MAX_CONTENT_CHARS  # the longest text in UTF-8
SOCKETS_MAX = 2048  # of one account in one process; one more gets 429 instead of its handshake
TRY_AGAIN_S = 10.0
UNSETTLED_MAX = 64  # messages of one account's sockets on their way to the disk; more are not read meanwhile


class Presence:
    """One account in this process: how many sockets it has, and how many messages on their way to the disk."""

    def __init__(self) -> None:
        self.sockets = 0
        self._unsettled = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def has_room(self) -> bool:
        """For another message, which none of the account's other sockets has waited for."""
        return self._unsettled < UNSETTLED_MAX and not self._waiting

    def submitted(self) -> None:
        self._unsettled += 1

    def settled(self) -> None:
        self._unsettled -= 1
        self.next()

    def next(self) -> None:
        """Let the one go on that has waited longest, if there is room."""
        while self._waiting and self._unsettled < UNSETTLED_MAX:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break

    async def turn(self) -> None:
        """Return when it is our turn. Who then has nothing to say calls `next`."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn


class Sockets:
    """All open sockets of this process, by session; and what they come to by account."""

    def __init__(self) -> None:
        self._by_session: dict[SessionId, set[Socket]] = {}
        self._by_device: dict[int, set[Socket]] = {}
        # Kept by the sockets, also by closed ones as long as messages of theirs are on their way.
        self._by_account: WeakValueDictionary[UserId, Presence] = WeakValueDictionary()
        self.backlog = Backlog()
        self.halves = Held()

    def admit(self, user_id: UserId) -> None:
        """Raises TooMany."""
        presence = self._by_account.get(user_id)
        if presence is not None and presence.sockets >= SOCKETS_MAX:
            raise TooMany("Too many connections of this account", TRY_AGAIN_S)

    def add(self, socket: "Socket") -> Presence:
        self._by_session.setdefault(socket.session_.id, set()).add(socket)
        if socket.device_id is not None:
            self._by_device.setdefault(socket.device_id, set()).add(socket)
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
        if socket.device_id is not None:
            of_device = self._by_device[socket.device_id]
            of_device.remove(socket)
            if not of_device:
                del self._by_device[socket.device_id]
        socket.presence.sockets -= 1

    def end_session(self, session_id: SessionId) -> None:
        for socket in tuple(self._by_session.get(session_id, ())):
            socket.close(POLICY, "session ended")

    def sessions(self) -> list[SessionId]:
        return list(self._by_session)

    def of_device(self, device_id: int) -> "list[Socket]":
        return list(self._by_device.get(device_id, ()))

    def tell(self, told: Told) -> None:
        """What has happened, to the sockets of those devices."""
        for device_id in told.devices:
            for socket in self.of_device(device_id):
                socket.tell(told)

    def look_again(self) -> None:
        """Events may have been missed."""
        for sockets in tuple(self._by_device.values()):
            for socket in tuple(sockets):
                socket.look_again()

    def close_all(self) -> None:
        for sockets in tuple(self._by_session.values()):
            for socket in tuple(sockets):
                socket.close(GOING_AWAY, "server is stopping")

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))


class Socket(Handler, WebSocketHandler):
    """An authenticated WebSocket. A door's socket says what opens it and what its messages mean."""

    session_: Session
    presence: Presence
    outbox: Outbox | None = None
    sockets: Sockets
    device_id: int | None = None  # at doors that have devices

    def tell(self, told: Told) -> None:
        """An event for this socket's device."""

    def look_again(self) -> None:
        """Events for this socket's device may have been missed."""

    def initialize(self, sockets: Sockets, **rest: object) -> None:  # type: ignore[override]
        super().initialize(**rest)  # type: ignore[arg-type]
        self.sockets = sockets

    @property
    def max_message_size(self) -> int:
        return MAX_FRAME_BYTES

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, WebSocketProtocol13):
            return None
        return Protocol(self, False, protocol.params, self.sockets.halves)

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

    is_gone = False

    def open(self) -> "Awaitable[None] | None":
        """Tornado opens a socket also after its peer has left in the handshake, and then does not tell of its end."""
        assert self.ws_connection is not None
        stream = self.ws_connection.stream
        assert stream is not None
        if self.is_gone or stream.closed():
            return None
        stream.set_nodelay(True)
        self.outbox = Outbox(self, stream, self.sockets.backlog)
        self.presence = self.sockets.add(self)
        return self.opened()

    def opened(self) -> "Awaitable[None] | None":
        """It can be told something. Doors override this."""
        return None

    def on_close(self) -> None:
        self.is_gone = True
        if self.outbox is None:
            return
        self.sockets.remove(self)
        self.outbox.closed()
        self.outbox = None  # it knows us too; without this circle a closed socket is no work for the collector
        self.ended()

    def ended(self) -> None:
        """It was opened, and is closed. Doors override this."""

    def close_as_too_slow(self) -> None:
        self.close(TRY_LATER, "too slow")

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

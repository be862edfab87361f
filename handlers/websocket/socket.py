"""WebSockets of every API: the rules of the handshake, frames out, slow consumers, and the end."""

from collections.abc import Awaitable, Sequence
from typing import Any

from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from chat.errors import Invalid
from chat.model.accounts import Session
from chat.model.groups import DeviceEvent
from chat.model.messages import MAX_CONTENT_CHARS
from handlers.http.base import Handler
from handlers.http.endpoint import Limit, take_limits
from handlers.websocket.connections import AccountQuota, Connections
from handlers.websocket.frames import TRY_LATER
from handlers.websocket.protocol import Protocol
from handlers.websocket.send_buffer import SendBuffer

MAX_FRAME_BYTES = 4 * MAX_CONTENT_CHARS  # the longest text in UTF-8


class Socket(Handler, WebSocketHandler):
    """An authenticated WebSocket. A subclass says what opens it and what its messages mean."""

    session_: Session
    quota: AccountQuota
    send_buffer: SendBuffer | None = None
    connections: Connections
    device_id: int | None = None  # where the API has devices

    def notify(self, event: DeviceEvent) -> None:
        """An event for this socket's device."""

    def resync(self) -> None:
        """Events for this socket's device may have been missed."""

    def initialize(self, connections: Connections, limits: Sequence[Limit], **rest: Any) -> None:  # type: ignore[override]
        super().initialize(**rest)
        self.connections = connections
        self.limits = limits

    @property
    def max_message_size(self) -> int:
        return MAX_FRAME_BYTES

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, WebSocketProtocol13):
            return None
        return Protocol(self, False, protocol.params, self.connections.incoming)

    async def prepare(self) -> None:
        """Refuse what has to be refused before the handshake: after it there are only close codes."""
        await take_limits(self, self.limits)
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
        self.send_buffer = SendBuffer(self, stream, self.connections.send_buffers)
        self.quota = self.connections.add(self)
        return self.opened()

    def opened(self) -> "Awaitable[None] | None":
        """Called when frames can be sent. Subclasses override it."""
        return None

    def on_close(self) -> None:
        self.is_gone = True
        if self.send_buffer is None:
            return
        self.connections.remove(self)
        self.send_buffer.closed()
        self.send_buffer = None  # it knows us too; without this circle a closed socket is no work for the collector
        self.ended()

    def ended(self) -> None:
        """It was opened, and is closed. Subclasses override it."""

    def close_as_too_slow(self) -> None:
        self.close(TRY_LATER, "too slow")

    def ws_is_closing(self) -> bool:
        return self.ws_connection is None or self.ws_connection.is_closing()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Never raises: also a reader whose buffer is full gets its close frame, if it ever reads that far."""
        if self.send_buffer is not None:
            self.send_buffer.make_room_for_close()
        super().close(code, reason)

    async def drained(self) -> None:
        if self.send_buffer is not None:
            await self.send_buffer.drained()

"""The base of the WebSockets of every API: handshake, outgoing frames, slow consumers and the end of a connection.

`prepare` runs before the handshake, and answers refusals as HTTP. `open` runs after it: it creates the send buffer,
registers the socket in Connections and calls `opened`. `on_close` runs once the connection is closed: it unregisters
the socket and calls `ended`. `ended` is called if and only if `opened` was.
"""

from collections.abc import Awaitable, Sequence
from typing import Any

from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from chat.errors import Invalid
from chat.model.accounts import Session
from chat.model.groups import Device, DeviceEvent
from chat.model.messages import MAX_CONTENT_CHARS
from handlers.http.base import Handler
from handlers.http.endpoint import Access, Limit, take_limits
from handlers.websocket.connections import AccountQuota, Connections
from handlers.websocket.frames import TRY_LATER
from handlers.websocket.protocol import Protocol
from handlers.websocket.send_buffer import SendBuffer

MAX_FRAME_BYTES = 4 * MAX_CONTENT_CHARS  # the longest text of a message in UTF-8


class Socket(Handler, WebSocketHandler):
    """An authenticated WebSocket, as its row in the table of endpoints says. Subclasses handle its messages.

    `device_` and `device_id` are set only where `access` is "device".
    """

    session_: Session
    device_: Device
    quota: AccountQuota
    send_buffer: SendBuffer | None = None
    connections: Connections
    device_id: int | None = None  # only if the API has devices

    def notify(self, event: DeviceEvent) -> None:
        """Handle an event for this socket's device. APIs with devices override it."""

    def resync(self) -> None:
        """Read the device's state again: events may have been lost. APIs with devices override it."""

    def initialize(  # type: ignore[override]
        self, connections: Connections, access: Access, limits: Sequence[Limit], **rest: Any
    ) -> None:
        """Store the sockets of the process, who may connect and the limits, beside what every handler has."""
        super().initialize(**rest)
        self.connections = connections
        self.access = access
        self.limits = limits

    @property
    def max_message_size(self) -> int:
        """The largest message in bytes; a larger one closes the connection with 1009."""
        return MAX_FRAME_BYTES

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """Return the protocol that parses frames, or None if the handshake asks for another version."""
        protocol = super().get_websocket_protocol()
        if not isinstance(protocol, WebSocketProtocol13):
            return None
        return Protocol(self, False, protocol.params, self.connections.incoming)

    async def prepare(self) -> None:
        """Check and authenticate the request before the handshake: afterwards there are only close codes.

        Raises TooMany, ForeignOrigin, Invalid, Unauthenticated, Unavailable; NoDevice if the endpoint is for devices.
        """
        await take_limits(self, self.limits)
        if self.request.method != "GET":
            raise HTTPError(405)
        self.refuse_foreign_origin()
        headers = self.request.headers
        connection = [word.strip().lower() for word in headers.get("Connection", "").split(",")]
        if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in connection:
            raise Invalid("This address accepts WebSocket connections only")
        if headers.get("Sec-WebSocket-Version") != "13":
            self.error_headers["Sec-WebSocket-Version"] = "13"
            raise HTTPError(426, reason="Upgrade Required")
        if not headers.get("Sec-WebSocket-Key"):
            raise Invalid("Sec-WebSocket-Key is missing")
        self.session_ = await self.session()
        if self.access == "device":
            self.device_ = await self.services.devices.of_session(self.session_)
            self.device_id = self.device_.id

    is_gone = False

    def open(self) -> "Awaitable[None] | None":
        """Register the socket.

        Tornado calls this even if the peer closed the connection during the handshake. Then `on_close` ran before, or
        will never run.
        """
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
        """Called when frames can be sent; subclasses override it."""
        return None

    def on_close(self) -> None:
        """Unregister the socket and call `ended`. Tornado calls this at most once, after the connection closed."""
        self.is_gone = True
        if self.send_buffer is None:
            return
        self.connections.remove(self)
        self.send_buffer.closed()
        self.send_buffer = None  # breaks the reference cycle, so that no garbage collection is needed
        self.ended()

    def ended(self) -> None:
        """Called when an opened socket is closed; subclasses override it."""

    def close_as_too_slow(self) -> None:
        """Close the connection of a slow consumer with 1013. Never raises."""
        self.close(TRY_LATER, "too slow")

    def ws_is_closing(self) -> bool:
        """Whether a close frame was sent, or the connection is closed or not open yet."""
        return self.ws_connection is None or self.ws_connection.is_closing()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Send a close frame, even if the send buffer is full. Never raises."""
        if self.send_buffer is not None:
            self.send_buffer.make_room_for_close()
        super().close(code, reason)

    async def drained(self) -> None:
        """Return when few bytes are unsent, or the connection is closed. Cancellation loses no frame."""
        if self.send_buffer is not None:
            await self.send_buffer.drained()

"""Connections of the load generator, by WebSocket or HTTP, with little overhead."""

import asyncio
import base64
import json
import os
import ssl
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Struct
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

TEXT = "m" * 70
ENCRYPTED_BYTES = 400  # of an MLS private message
ACK_EACH = 100  # messages between acknowledgements
BUSY_S = 0.1  # pause after a 503


class Person(Struct, frozen=True):
    """A user with a session, and a direct conversation with the user `other_id`."""

    token: str
    other_id: int
    conversation_id: str
    group_id: str = ""  # their encrypted conversation


class Listener(WSListener):
    """A socket of the codes API. It calls `received` for each text message."""

    transport: WSTransport
    received: Callable[[], None] = staticmethod(lambda: None)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.received()
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def send(self) -> None:
        """Send a message."""
        self.transport.send(WSMsgType.TEXT, TEXT.encode())


class DeviceListener(Listener):
    """A socket of the v2 API. It calls `received` for each message, and acknowledges every ACK_EACH messages."""

    conversation_id: str
    head: bytes
    sent = 0
    unacknowledged = 0

    def __init__(self) -> None:
        self.is_ready = asyncio.Event()

    def open_conversation(self, conversation_id: str) -> None:
        """Prepare the frame that `send` sends to the conversation."""
        self.conversation_id = conversation_id
        data = base64.b64encode(private_message(UUID(conversation_id))).decode()
        frame = {"type": "send", "conversation": conversation_id, "epoch": 1, "data": data}
        self.head = json.dumps(frame).encode()[:-1] + b',"id":"'

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            super().on_ws_frame(transport, frame)
            return
        payload = frame.get_payload_as_bytes()
        if payload == b'{"type":"ready"}':
            self.is_ready.set()
        elif not self.is_ready.is_set():
            return  # the backlog of an earlier run
        elif b'"data":' in payload:
            self.unacknowledged += 1
            if self.unacknowledged >= ACK_EACH:
                self.unacknowledged = 0
                seq = json.loads(payload)["seq"]
                self._send_json({"type": "ack", "conversation": self.conversation_id, "seq": seq})
            self.received()
        elif b'"refused"' in payload:
            raise AssertionError(payload)

    def send(self) -> None:
        """Send a message with a new id."""
        self.sent += 1
        self.transport.send(WSMsgType.TEXT, b'%b%d-%d"}' % (self.head, id(self), self.sent))

    def _send_json(self, frame: dict[str, object]) -> None:
        self.transport.send(WSMsgType.TEXT, json.dumps(frame).encode())


def private_message(group: UUID) -> bytes:
    """Return a PrivateMessage (RFC 9420 section 6.3) of epoch 1. The ciphertext is random; the server cannot tell."""
    head = b"\x00\x01\x00\x02\x10" + group.bytes + (1).to_bytes(8) + b"\x01" + b"\x00" + b"\x1c" + os.urandom(28)
    noise = os.urandom(ENCRYPTED_BYTES - len(head) - 2)
    return head + (len(noise) | 0x4000).to_bytes(2) + noise


def unverified_tls(address: str) -> ssl.SSLContext | None:
    """Return a context that accepts any certificate; None if `address` is not HTTPS."""
    if not address.startswith("https"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # this benchmark started the server
    return context


async def listen(
    address: str, path: str, token: str = "", tls: ssl.SSLContext | None = None, kind: type[Listener] = Listener
) -> Listener:
    """Open a WebSocket."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = address.replace("http", "ws", 1) + path
    _, listener = await ws_connect(kind, url, ssl_context=tls, extra_headers=headers, enable_auto_ping=False)
    assert isinstance(listener, Listener)
    return listener


async def listen_v2(address: str, person: Person, tls: ssl.SSLContext | None) -> DeviceListener:
    """Open a socket of the v2 API and return when it has sent its backlog."""
    listener = await listen(address, "/v2/socket", person.token, tls, DeviceListener)
    assert isinstance(listener, DeviceListener)
    listener.open_conversation(person.group_id)
    await listener.is_ready.wait()
    return listener


def chat_path(person: Person) -> str:
    """Return the path of the codes API's socket."""
    return f"/api/chats/ws?chatId={person.conversation_id}"


class Requester(asyncio.Protocol):
    """One HTTP connection that repeats one request. It calls `received` for each 200, and retries after a 503."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.received: Callable[[], None] = lambda: None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self) -> None:
        """Send the request."""
        self._transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head_end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:head_end].lower()
            start = head.index(b"content-length:") + 15
            length = int(head[start:].split(b"\r\n", 1)[0])
            if len(self._buffer) < head_end + 4 + length:
                return
            assert head.startswith((b"http/1.1 200", b"http/1.1 503")), self._buffer[:500]
            self._buffer = self._buffer[head_end + 4 + length :]
            if head.startswith(b"http/1.1 503"):  # busy: a client should retry
                asyncio.get_running_loop().call_later(BUSY_S, self.send)
            else:
                self.received()


async def open_requester(address: str, request: bytes, tls: ssl.SSLContext | None = None) -> Requester:
    """Open an HTTP connection for `request`."""
    where = urlsplit(address)
    loop = asyncio.get_running_loop()
    _, requester = await loop.create_connection(lambda: Requester(request), where.hostname, where.port, ssl=tls)
    return requester


def get(path: str, token: str) -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def post_message(person: Person) -> bytes:
    """Return a request that sends a message through the invites API."""
    body = json.dumps({"receiver_id": person.other_id, "message": TEXT})
    head = f"POST /messages HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {person.token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

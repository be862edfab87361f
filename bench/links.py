"""How a person of the benchmark sends and hears: by WebSocket or by HTTP, as fast as Python can."""

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
SEALED_BYTES = 400
ACK_EACH = 100
BUSY_S = 0.1


class Person(Struct, frozen=True):
    """Somebody with an account and a conversation with `other_id`."""

    token: str
    other_id: int
    conversation_id: str
    sealed_id: str = ""  # another one, where both have a device


class Ear(WSListener):
    """A socket that calls `heard` for each text."""

    transport: WSTransport
    heard: Callable[[], None] = staticmethod(lambda: None)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.heard()
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def send(self) -> None:
        self.transport.send(WSMsgType.TEXT, TEXT.encode())


class SealedEar(Ear):
    """A device's socket: calls `heard` for each message of another device, and acknowledges now and then."""

    conversation_id: str
    head: bytes
    sent = 0
    unacknowledged = 0

    def __init__(self) -> None:
        self.is_ready = asyncio.Event()

    def talks_in(self, conversation_id: str) -> None:
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
            return  # of an earlier run
        elif b'"data":' in payload:
            self.unacknowledged += 1
            if self.unacknowledged >= ACK_EACH:
                self.unacknowledged = 0
                seq = json.loads(payload)["seq"]
                self._say({"type": "ack", "conversation": self.conversation_id, "seq": seq})
            self.heard()
        elif b'"refused"' in payload:
            raise AssertionError(payload)

    def send(self) -> None:
        self.sent += 1
        self.transport.send(WSMsgType.TEXT, b'%b%d-%d"}' % (self.head, id(self), self.sent))

    def _say(self, frame: dict[str, object]) -> None:
        self.transport.send(WSMsgType.TEXT, json.dumps(frame).encode())


def private_message(group: UUID) -> bytes:
    """Framed as RFC 9420 section 6.3 wants it; the ciphertext is noise, which the server cannot tell."""
    head = b"\x00\x01\x00\x02\x10" + group.bytes + (1).to_bytes(8) + b"\x01" + b"\x00" + b"\x1c" + os.urandom(28)
    noise = os.urandom(SEALED_BYTES - len(head) - 2)
    return head + (len(noise) | 0x4000).to_bytes(2) + noise


def trusting(address: str) -> ssl.SSLContext | None:
    if not address.startswith("https"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # we started the server ourselves, a moment ago
    return context


async def listen(
    address: str, path: str, token: str = "", tls: ssl.SSLContext | None = None, kind: type[Ear] = Ear
) -> Ear:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = address.replace("http", "ws", 1) + path
    _, ear = await ws_connect(kind, url, ssl_context=tls, extra_headers=headers, enable_auto_ping=False)
    assert isinstance(ear, Ear)
    return ear


async def listen_sealed(address: str, person: Person, tls: ssl.SSLContext | None) -> SealedEar:
    ear = await listen(address, "/v2/socket", person.token, tls, SealedEar)
    assert isinstance(ear, SealedEar)
    ear.talks_in(person.sealed_id)
    await ear.is_ready.wait()
    return ear


def chat_path(person: Person) -> str:
    return f"/api/chats/ws?chatId={person.conversation_id}"


class Asker(asyncio.Protocol):
    """One HTTP connection that repeats one request. Calls `answered` for each 200; after a 503 it asks again."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.answered: Callable[[], None] = lambda: None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self) -> None:
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
            if head.startswith(b"http/1.1 503"):  # busy: as a client should, it comes again
                asyncio.get_running_loop().call_later(BUSY_S, self.send)
            else:
                self.answered()


async def ask(address: str, request: bytes, tls: ssl.SSLContext | None = None) -> Asker:
    where = urlsplit(address)
    loop = asyncio.get_running_loop()
    _, asker = await loop.create_connection(lambda: Asker(request), where.hostname, where.port, ssl=tls)
    return asker


def get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def post_message(person: Person) -> bytes:
    body = json.dumps({"receiver_id": person.other_id, "message": TEXT})
    head = f"POST /messages HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {person.token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

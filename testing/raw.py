"""TCP connections on which a test can send and withhold any bytes."""

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit

TCP_REPAIR = 19  # linux/tcp.h
PING = 0x9  # RFC 6455 section 5.2


class Raw:
    """A TCP connection. `websocket` opens one on which the WebSocket handshake is complete."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, address: str, receive_bytes: int | None = None) -> "Raw":
        """Open a connection. `receive_bytes`: the size of the receive buffers, for a client that does not read."""
        where = urlsplit(address)
        line = socket.socket()
        if receive_bytes is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, (where.hostname, where.port))
        return cls(*await asyncio.open_connection(sock=line, limit=1 << 12 if receive_bytes else 1 << 16))

    @classmethod
    async def websocket(cls, address: str, token: str, conversation_id: str, receive_bytes: int | None = None) -> "Raw":
        """Open a socket of the codes API."""
        return await cls.upgraded(address, f"/api/chats/ws?chatId={conversation_id}", token, receive_bytes)

    @classmethod
    async def upgraded(cls, address: str, path: str, token: str, receive_bytes: int | None = None) -> "Raw":
        """Open a socket at a path."""
        raw = await cls.connect(address, receive_bytes)
        raw.writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {urlsplit(address).netloc}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        return raw

    async def frame(self) -> tuple[int, bytes]:
        """Read a frame that is not a ping: its opcode and payload. On a slow machine pings come in between."""
        while True:
            first, length = await self.reader.readexactly(2)
            if length > 125:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
            payload = await self.reader.readexactly(length)
            if first & 0xF != PING:
                return first & 0xF, payload

    def vanish(self) -> None:
        """Close without FIN or RST, like a machine that loses its network. Needs root."""
        self.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.writer.transport.abort()

    async def rest(self) -> bytes:
        """Read until the peer closes. The caller sets the deadline."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read()
        return b""

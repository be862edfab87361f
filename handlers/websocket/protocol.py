"""Tornado's WebSocket protocol with a faster reader.

Tornado awaits several reads for each frame. This reader takes up to CHUNK_BYTES at once and parses all frames in them.
After a bounded amount of work it yields to the event loop. A handler that returns an awaitable from `on_message` pauses
the reader: backpressure reaches the client through TCP.
"""

import asyncio
import socket
import sys
from contextlib import suppress
from typing import cast

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from handlers.http.memory_budget import MemoryBudget
from handlers.tornado_internals import WebSocketParams
from handlers.websocket.frames import TEXT, TRY_LATER, BadFrame, FrameParser, decode

CHUNK_BYTES = 16 * 1024  # nearly 3,000 empty frames
TURN_BYTES = 8 * 1024  # after so many bytes the reader yields to other tasks
MESSAGES_A_TURN = 128  # or after so many messages


class Protocol(WebSocketProtocol13):
    """Tornado's protocol; reads many frames at once, and closes with a code and a reason."""

    def __init__(
        self, handler: WebSocketHandler, mask_outgoing: bool, params: WebSocketParams, incoming: MemoryBudget
    ) -> None:
        super().__init__(handler, mask_outgoing, params)
        self._incoming = incoming
        self._counted = 0
        self._parser = FrameParser(params.max_message_size)
        self._work = 0.0  # done since the last yield; 1 is the most

    async def _receive_frame_loop(self) -> None:
        try:
            while not self.client_terminated:
                await self._receive()
        except BadFrame as error:
            cast(WebSocketHandler, self.handler).close(error.code, str(error))
            await self._drain()
        except StreamClosedError:
            self._abort()
        except Exception:
            self.handler.log_exception(*sys.exc_info())
            self._abort()
        finally:
            self._count(0)
            self.handler.on_ws_connection_close(self.close_code, self.close_reason)

    async def _receive(self) -> None:
        """Read once, and handle all messages that are then complete."""
        data = await self.stream.read_bytes(CHUNK_BYTES, partial=True)
        for opcode, payload in self._parser.feed(data):
            if opcode == TEXT:
                waiting = self.handler.on_message(decode(payload))
            else:
                waiting = self._handle_message(opcode, payload)
            if waiting is not None:
                await waiting
            if self.client_terminated:
                return
            await self._yield_after(1 / MESSAGES_A_TURN)
        await self._yield_after(len(data) / TURN_BYTES)
        self._count(self._parser.held_bytes)
        if self._incoming.is_too_much(self._parser.held_bytes):
            raise BadFrame(TRY_LATER, "too many incomplete messages")

    async def _drain(self) -> None:
        """Drain input until the peer closes or tornado's close timeout ends.

        The kernel answers a close with unread input by a TCP reset, and the peer would lose the close frame.
        """
        with suppress(StreamClosedError, OSError):
            if not self.stream.closed() and not self.stream.writing():
                self.stream.socket.shutdown(socket.SHUT_WR)
            while True:
                data = await self.stream.read_bytes(CHUNK_BYTES, partial=True)
                await self._yield_after(len(data) / TURN_BYTES)

    def _count(self, held_bytes: int) -> None:
        self._incoming.change(held_bytes - self._counted)
        self._counted = held_bytes

    async def _yield_after(self, work: float) -> None:
        """Yield to the event loop once enough work is done: reads of bytes that have arrived never yield."""
        self._work += work
        if self._work >= 1:
            self._work = 0.0
            await asyncio.sleep(0)

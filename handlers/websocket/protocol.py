"""The WebSocket protocol of Tornado with a faster reader."""

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

CHUNK_BYTES = 16 * 1024  # nearly 3,000 frames, if they are empty
TURN_BYTES = 8 * 1024  # then others get their turn
MESSAGES_A_TURN = 128


class Protocol(WebSocketProtocol13):
    """Tornado's, but it reads all frames that have arrived at once, and says why it closes."""

    def __init__(
        self, handler: WebSocketHandler, mask_outgoing: bool, params: WebSocketParams, held: MemoryBudget
    ) -> None:
        super().__init__(handler, mask_outgoing, params)
        self._held = held
        self._counted = 0
        self._parser = FrameParser(params.max_message_size)
        self._work = 0.0  # of this turn, done

    async def _receive_frame_loop(self) -> None:
        try:
            while not self.client_terminated:
                await self._receive()
        except BadFrame as error:
            cast(WebSocketHandler, self.handler).close(error.code, str(error))
            await self._read_over()
        except StreamClosedError:
            self._abort()
        except Exception:
            self.handler.log_exception(*sys.exc_info())
            self._abort()
        finally:
            self._count(0)
            self.handler.on_ws_connection_close(self.close_code, self.close_reason)

    async def _receive(self) -> None:
        """All messages of one piece."""
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
            await self._take_turns(1 / MESSAGES_A_TURN)
        await self._take_turns(len(data) / TURN_BYTES)
        self._count(self._parser.held_bytes)
        if self._held.is_too_much(self._parser.held_bytes):
            raise BadFrame(TRY_LATER, "too many messages are under way")

    async def _read_over(self) -> None:
        """Until the peer has gone, or tornado's patience with it ends: on a line that is cut with bytes unread, the
        close frame would not arrive.
        """
        with suppress(StreamClosedError, OSError):
            if not self.stream.closed() and not self.stream.writing():
                self.stream.socket.shutdown(socket.SHUT_WR)
            while True:
                data = await self.stream.read_bytes(CHUNK_BYTES, partial=True)
                await self._take_turns(len(data) / TURN_BYTES)

    def _count(self, held_bytes: int) -> None:
        self._held.change(held_bytes - self._counted)
        self._counted = held_bytes

    async def _take_turns(self, work: float) -> None:
        """A peer that sends without a pause must not keep the loop to itself: what has arrived is read without one."""
        self._work += work
        if self._work >= 1:
            self._work = 0.0
            await asyncio.sleep(0)

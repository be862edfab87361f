"""The WebSocket protocol of Tornado with a faster reader."""

import asyncio
import socket
import sys
from contextlib import suppress
from typing import cast

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from handlers.frames import TEXT, BadFrame, FrameParser, decode

CHUNK_BYTES = 64 * 1024


class Protocol(WebSocketProtocol13):
    """Tornado's, but it reads all frames that have arrived at once, and says why it closes."""

    async def _receive_frame_loop(self) -> None:
        parser = FrameParser(self.params.max_message_size)
        try:
            while not self.client_terminated:
                data = await self.stream.read_bytes(CHUNK_BYTES, partial=True)
                for opcode, payload in parser.feed(data):
                    if opcode == TEXT:
                        waiting = self.handler.on_message(decode(payload))
                    else:
                        waiting = self._handle_message(opcode, payload)
                    if waiting is not None:
                        await waiting
                if len(data) == CHUNK_BYTES:
                    await asyncio.sleep(0)  # there is more, and others want their turn
        except BadFrame as error:
            cast(WebSocketHandler, self.handler).close(error.code, str(error))
            await self._read_over()
        except StreamClosedError:
            self._abort()
        except Exception:
            self.handler.log_exception(*sys.exc_info())
            self._abort()
        finally:
            self.handler.on_ws_connection_close(self.close_code, self.close_reason)

    async def _read_over(self) -> None:
        """Until the peer has gone, or tornado's patience with it ends: on a line that is cut with bytes unread, the
        close frame would not arrive.
        """
        with suppress(StreamClosedError, OSError):
            if not self.stream.writing():
                self.stream.socket.shutdown(socket.SHUT_WR)
            while True:
                await self.stream.read_bytes(CHUNK_BYTES, partial=True)

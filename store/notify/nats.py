"""The doorbell between workers over NATS, for clusters: PostgreSQL then need not wake every worker at every commit.

Only what our own writers commit goes this way. Rows of other programs and ended sessions still ring in PostgreSQL.
NATS may lose a message (it keeps none), and may be away: the sweep of the hub finds what did not ring.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from chat.model.ids import ConversationId, Seq
from chat.model.messages import Entry
from store.notify.postgres import Moved

log = logging.getLogger("sottovoce.bus")

SUBJECT = "sottovoce.moved"
RECONNECT_S = 1
CONVERSATIONS_MAX = 1000  # in one message: 40 bytes each, and NATS takes a megabyte

_decode = msgspec.json.Decoder(Moved).decode


class NatsBus:
    def __init__(
        self,
        url: str,
        worker: str,
        moved: Callable[[ConversationId, Seq], None],
        connected: Callable[[], None],
    ) -> None:
        """`connected` is called after every (re)connection: what rang before it may have been missed."""
        self._url = url
        self._worker = worker
        self._moved = moved
        self._connected = connected
        self._client = Client()
        self._closing = False
        self._waiting: dict[ConversationId, Seq] = {}
        self._notifying: asyncio.Task[None] | None = None

    def notify(self, entry: Entry) -> None:
        """Ring for what was committed. What comes meanwhile goes with the next message."""
        self._waiting[entry.conversation_id] = entry.seq
        if self._notifying is None or self._notifying.done():
            self._notifying = asyncio.create_task(self._notify_all(), name="nats")

    async def run(self) -> None:
        """Listen for ever, over any number of lost connections."""
        while True:
            await self._listen()
            log.warning("NATS has sent us away, coming again")
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        """Until the client gives up, as it does at some errors of the server's."""
        closed = asyncio.Event()

        async def gave_up() -> None:
            closed.set()

        self._client = Client()
        try:
            await self._client.connect(
                self._url,
                name=self._worker,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_S,
                error_cb=self._failed,
                disconnected_cb=self._lost,
                reconnected_cb=self._back,
                closed_cb=gave_up,
            )
            await self._client.subscribe(SUBJECT, cb=self._heard)
            await self._back()
            await closed.wait()
        except Error as error:
            log.warning("no connection to NATS: %r", error)
        except asyncio.CancelledError:
            self._closing = True
            raise
        finally:
            await self._client.close()

    async def _notify_all(self) -> None:
        while self._waiting and self._client.is_connected:
            some = [self._waiting.popitem() for _ in range(min(len(self._waiting), CONVERSATIONS_MAX))]
            try:
                await self._client.publish(SUBJECT, msgspec.json.encode(Moved(self._worker, dict(some))))
            except Error as error:
                log.warning("the bus could not ring: %r", error)
        self._waiting.clear()  # nobody hears it now, and all sweep when they are back

    async def _heard(self, message: Msg) -> None:
        try:
            event = _decode(message.data)
        except msgspec.MsgspecError:
            log.warning("somebody else publishes on subject %s", SUBJECT)
            return
        if event.worker != self._worker:
            for conversation_id, seq in event.seqs.items():
                self._moved(ConversationId(conversation_id), Seq(seq))

    async def _failed(self, error: Exception) -> None:
        log.info("NATS: %r", error)

    async def _lost(self) -> None:
        if not self._closing:
            log.warning("the bus lost its connection to NATS; messages of other workers come with the sweep")

    async def _back(self) -> None:
        log.info("the bus is connected to NATS")
        self._connected()

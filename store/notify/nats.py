"""Notifications of committed entries through NATS, for clusters: PostgreSQL then does not wake every worker per commit.

Only entries of our own writers are notified here. Entries that other programs commit, ended sessions and device events
still use PostgreSQL. NATS does not store messages and may be disconnected. The hub's sweep delivers the entries of lost
notifications.

States: disconnected, connected. The client reconnects on its own; if it gives up, `run` starts another. Every new
connection calls `connected`, because notifications before it may be lost. Notifications that wait while the client is
disconnected are dropped.
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
from store.notify.postgres import EntriesCommitted

log = logging.getLogger("sottovoce.bus")

SUBJECT = "sottovoce.moved"
RECONNECT_S = 1
CONVERSATIONS_MAX = 1000  # per message: 40 bytes each; NATS allows 1 MiB

_decode = msgspec.json.Decoder(EntriesCommitted).decode


class NatsBus:
    """Sends and receives notifications of committed entries."""

    def __init__(
        self,
        url: str,
        worker: str,
        moved: Callable[[ConversationId, Seq], None],
        connected: Callable[[], None],
    ) -> None:
        """`moved` is called for each notification of another worker, `connected` after every (re)connection."""
        self._url = url
        self._worker = worker
        self._moved = moved
        self._connected = connected
        self._client = Client()
        self._closing = False
        self._waiting: dict[ConversationId, Seq] = {}
        self._notifying: asyncio.Task[None] | None = None

    def notify(self, entry: Entry) -> None:
        """Notify the other workers of a committed entry. While a message is sent, further entries are combined."""
        self._waiting[entry.conversation_id] = entry.seq
        if self._notifying is None or self._notifying.done():
            self._notifying = asyncio.create_task(self._notify_all(), name="nats")

    async def run(self) -> None:
        """Listen until cancelled; reconnect after a lost connection."""
        while True:
            await self._listen()
            log.warning("NATS closed the connection; reconnecting")
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        """Listen until the client gives up, which it does after some errors of the server."""
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
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnect,
                reconnected_cb=self._on_connect,
                closed_cb=gave_up,
            )
            await self._client.subscribe(SUBJECT, cb=self._on_message)
            await self._on_connect()
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
                await self._client.publish(SUBJECT, msgspec.json.encode(EntriesCommitted(self._worker, dict(some))))
            except Error as error:
                log.warning("the bus could not notify: %r", error)
        self._waiting.clear()  # disconnected: every worker sweeps when it reconnects

    async def _on_message(self, message: Msg) -> None:
        try:
            event = _decode(message.data)
        except msgspec.MsgspecError:
            log.warning("ignored an unrecognised message on NATS subject %s", SUBJECT)
            return
        if event.worker != self._worker:
            for conversation_id, seq in event.seqs.items():
                self._moved(ConversationId(conversation_id), Seq(seq))

    async def _on_error(self, error: Exception) -> None:
        log.info("NATS: %r", error)

    async def _on_disconnect(self) -> None:
        if not self._closing:
            log.warning("the bus lost its connection to NATS; the sweep delivers entries of other workers")

    async def _on_connect(self) -> None:
        log.info("the bus is connected to NATS")
        self._connected()

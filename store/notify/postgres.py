"""The doorbell between workers, over PostgreSQL's LISTEN: one connection a process, however many sockets."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import psycopg

from chat.model.groups import DeviceEvent
from chat.model.ids import ConversationId, DeviceId, Seq, SessionId
from store.database.pool import Connection, Database

log = logging.getLogger("sottovoce.bus")

CHANNEL = "sottovoce"
RECONNECT_MAX_S = 2.0
PROBE_S = 30.0  # a connection that died without a word is noticed within this


class Moved(msgspec.Struct, tag="moved", frozen=True):
    """These conversations have committed entries up to these seqs."""

    worker: str
    seqs: dict[UUID, int]


class Ended(msgspec.Struct, tag="ended", frozen=True):
    """These sessions are over; their sockets must close."""

    sessions: list[UUID]


_decode = msgspec.json.Decoder(Moved | Ended | DeviceEvent).decode
_encode = msgspec.json.Encoder().encode

DEVICES_MAX = 300  # of one notification; a payload has less than 8,000 bytes


async def notify(
    connection: Connection,
    devices: Sequence[DeviceId],
    what: str,
    conversation: ConversationId | None = None,
    seq: Seq | None = None,
    user: UUID | None = None,
) -> None:
    """When the transaction commits, at whichever worker the devices are."""
    for start in range(0, len(devices), DEVICES_MAX):
        event = DeviceEvent(list(devices[start : start + DEVICES_MAX]), what, conversation, seq, user)
        await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, _encode(event).decode()])


class Bus:
    def __init__(
        self,
        database: Database,
        worker: str,
        moved: Callable[[ConversationId, Seq], None],
        ended: Callable[[SessionId], None],
        told: Callable[[DeviceEvent], None],
        connected: Callable[[], None],
    ) -> None:
        """`connected` is called after every (re)connection: what rang before it may have been missed.

        Doorbells of `worker` itself are skipped; its writer has published those entries already.
        """
        self._database = database
        self._worker = worker
        self._moved = moved
        self._ended = ended
        self._told = told
        self._connected = connected

    async def run(self) -> None:
        """Listen for ever, over any number of lost connections."""
        delay_s = 0.05
        while True:
            try:
                async with await self._database.dedicated() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._connected()
                    delay_s = 0.05
                    while True:
                        async for notification in connection.notifies(timeout=PROBE_S):
                            self._ring(notification.payload)
                        await connection.execute("SELECT 1")
            except psycopg.Error as error:
                log.warning("the bus lost its connection: %s", type(error).__name__)
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, RECONNECT_MAX_S)

    def _ring(self, payload: str) -> None:
        try:
            event = _decode(payload)
        except msgspec.MsgspecError:
            log.warning("somebody else notifies on channel %s", CHANNEL)
            return
        match event:
            case Moved(worker, seqs):
                if worker != self._worker:
                    for conversation_id, seq in seqs.items():
                        self._moved(ConversationId(conversation_id), Seq(seq))
            case Ended(sessions):
                for session_id in sessions:
                    self._ended(SessionId(session_id))
            case DeviceEvent():
                self._told(event)

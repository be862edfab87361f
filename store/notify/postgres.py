"""Notifications between workers through PostgreSQL's LISTEN and NOTIFY, with one connection per process.

A notification says what to look up; it carries no content. PostgreSQL delivers it after the commit, in order, to every
connection that listens at that moment. After a lost connection, `Bus` reconnects and calls `connected`, because
notifications before it may be lost.
"""

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
PROBE_S = 30.0  # interval of a query that detects a dead connection


class EntriesCommitted(msgspec.Struct, tag="moved", frozen=True):
    """For each conversation, the highest seq that `worker` committed. A trigger sends it with the same fields."""

    worker: str
    seqs: dict[UUID, int]


class SessionsEnded(msgspec.Struct, tag="ended", frozen=True):
    """These sessions ended; their sockets must close. A trigger sends it."""

    sessions: list[UUID]


_decode = msgspec.json.Decoder(EntriesCommitted | SessionsEnded | DeviceEvent).decode
_encode = msgspec.json.Encoder().encode

DEVICES_MAX = 300  # per notification; PostgreSQL allows payloads of less than 8,000 bytes


async def notify(
    connection: Connection,
    devices: Sequence[DeviceId],
    what: str,
    conversation: ConversationId | None = None,
    seq: Seq | None = None,
    user: UUID | None = None,
) -> None:
    """Notify `devices` of an event when the transaction commits, whichever worker they are connected to.

    `what` is the type of the event; `conversation`, `seq` and `user` say what to look up.
    """
    for start in range(0, len(devices), DEVICES_MAX):
        event = DeviceEvent(list(devices[start : start + DEVICES_MAX]), what, conversation, seq, user)
        await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, _encode(event).decode()])


class Bus:
    """Receives notifications and passes them to the hub and the open sockets."""

    def __init__(
        self,
        database: Database,
        worker: str,
        moved: Callable[[ConversationId, Seq], None],
        ended: Callable[[SessionId], None],
        notify: Callable[[DeviceEvent], None],
        connected: Callable[[], None],
    ) -> None:
        """`connected` is called after every (re)connection.

        Notifications of entries from `worker` itself are skipped, because its writer has published them already.
        """
        self._database = database
        self._worker = worker
        self._moved = moved
        self._ended = ended
        self._notify = notify
        self._connected = connected

    async def run(self) -> None:
        """Listen until cancelled; reconnect after a lost connection."""
        delay_s = 0.05
        while True:
            try:
                async with await self._database.dedicated() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._connected()
                    delay_s = 0.05
                    while True:
                        async for notification in connection.notifies(timeout=PROBE_S):
                            self._receive(notification.payload)
                        await connection.execute("SELECT 1")
            except psycopg.Error as error:
                log.warning("the bus lost its connection: %s", type(error).__name__)
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, RECONNECT_MAX_S)

    def _receive(self, payload: str) -> None:
        try:
            event = _decode(payload)
        except msgspec.MsgspecError:
            log.warning("ignored an unrecognised payload on NOTIFY channel %s", CHANNEL)
            return
        match event:
            case EntriesCommitted(worker, seqs):
                if worker != self._worker:
                    for conversation_id, seq in seqs.items():
                        self._moved(ConversationId(conversation_id), Seq(seq))
            case SessionsEnded(sessions):
                for session_id in sessions:
                    self._ended(SessionId(session_id))
            case DeviceEvent():
                self._notify(event)

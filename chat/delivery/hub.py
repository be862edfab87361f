"""The doorbell: brings committed entries to the listeners of this process, in order, each once.

Every listener has a cursor, the last seq it was given. A live entry is pushed only to listeners whose cursor stands
right before it; for the others the log is read, which is the truth. So a lost notification, a late one, or one that
comes twice changes nothing but the time.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from chat.errors import Unavailable
from chat.model.ids import ConversationId, Seq
from chat.model.messages import Entry

log = logging.getLogger("sottovoce.hub")

RETRY_S = 0.5


class Listener(Protocol):
    def push(self, entry: Entry) -> None:
        """Never raises and never waits: a listener that cannot keep up closes itself."""
        ...

    async def drained(self) -> None:
        """Return when what was pushed is mostly on its way."""
        ...


class Log(Protocol):
    async def after(self, conversation_id: ConversationId, seq: Seq) -> list[Entry]:
        """The next entries, oldest first, bounded in bytes; empty at the end. Raises Unavailable."""
        ...

    async def positions(self, conversation_ids: list[ConversationId]) -> dict[ConversationId, Seq]:
        """The last seq that each conversation has given out. Raises Unavailable."""
        ...


class Channel:
    __slots__ = ("cursors", "joining", "moved_to", "reading")

    def __init__(self) -> None:
        self.cursors: dict[Listener, Seq] = {}
        self.moved_to = Seq(0)  # the highest seq we heard of
        self.joining: set[Listener] = set()  # who still read their way here
        self.reading = False


class Hub:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._channels: dict[ConversationId, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def subscribe(self, listener: Listener, conversation_id: ConversationId, after: Seq) -> None:
        """Push everything after `after`, then live. Raises Unavailable; then the listener is not subscribed."""
        channel = self._channels.setdefault(conversation_id, Channel())
        channel.joining.add(listener)
        try:
            while True:
                heard_of = channel.moved_to
                entries = await self._log.after(conversation_id, after)
                if listener not in channel.joining:
                    return  # it left meanwhile
                for entry in entries:
                    listener.push(entry)
                    after = entry.seq
                if entries:
                    await listener.drained()
                elif channel.moved_to == heard_of:  # nothing happened while we read: we are up to date
                    channel.cursors[listener] = max(after, heard_of)
                    return
        finally:
            channel.joining.discard(listener)
            self._forget_if_unused(conversation_id, channel)

    async def follow(self, listener: Listener, ends: Mapping[ConversationId, Seq]) -> None:
        """As `subscribe`, for many at once: only those that have moved since are read, in the background.

        Raises Unavailable; then the listener is subscribed all the same.
        """
        for conversation_id, seq in ends.items():
            self._channels.setdefault(conversation_id, Channel()).cursors[listener] = seq
        await self._look_at(list(ends))

    def unsubscribe(self, listener: Listener, conversation_id: ConversationId) -> None:
        channel = self._channels.get(conversation_id)
        if channel is not None:
            channel.cursors.pop(listener, None)
            channel.joining.discard(listener)
            self._forget_if_unused(conversation_id, channel)

    def publish(self, entry: Entry) -> None:
        """A committed entry, whole: from the writer of this process."""
        channel = self._channels.get(entry.conversation_id)
        if channel is None:
            return
        before = entry.seq - 1
        behind = False
        channel.moved_to = max(channel.moved_to, entry.seq)
        for listener, cursor in tuple(channel.cursors.items()):
            if cursor == before:
                channel.cursors[listener] = entry.seq
                listener.push(entry)
            elif cursor < before:
                behind = True
        if behind:
            self._start_reading(entry.conversation_id, channel)

    def moved(self, conversation_id: ConversationId, seq: Seq) -> None:
        """Somebody else has committed up to `seq`."""
        channel = self._channels.get(conversation_id)
        if channel is None:
            return
        channel.moved_to = max(channel.moved_to, seq)
        if channel.cursors and min(channel.cursors.values()) < channel.moved_to:
            self._start_reading(conversation_id, channel)

    async def sweep(self) -> None:
        """Ask the log what moved: for doorbells that were lost. Raises Unavailable."""
        await self._look_at(list(self._channels))

    async def _look_at(self, conversation_ids: list[ConversationId]) -> None:
        for start in range(0, len(conversation_ids), 1000):
            positions = await self._log.positions(conversation_ids[start : start + 1000])
            for conversation_id, seq in positions.items():
                self.moved(conversation_id, seq)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_reading(self, conversation_id: ConversationId, channel: Channel) -> None:
        if not channel.reading:
            channel.reading = True
            task = asyncio.create_task(self._read(conversation_id, channel), name=f"catch up {conversation_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _read(self, conversation_id: ConversationId, channel: Channel) -> None:
        try:
            while channel.cursors:
                heard_of, lowest = channel.moved_to, min(channel.cursors.values())
                if lowest >= heard_of:
                    return
                entries = await self._log.after(conversation_id, lowest)
                self._offer(channel, entries, heard_of)
        except Unavailable:
            log.warning("catching up waits for the database")  # the next sweep starts it again
        finally:
            channel.reading = False

    @staticmethod
    def _offer(channel: Channel, entries: Iterable[Entry], heard_of: Seq) -> None:
        """What the log gave is in order and complete; what is missing in it was deleted."""
        last = None
        for entry in entries:
            last = entry.seq
            for listener, cursor in tuple(channel.cursors.items()):
                if cursor < entry.seq:
                    channel.cursors[listener] = entry.seq
                    listener.push(entry)
        if last is None:
            for listener, cursor in channel.cursors.items():
                channel.cursors[listener] = max(cursor, heard_of)

    def _forget_if_unused(self, conversation_id: ConversationId, channel: Channel) -> None:
        if not channel.cursors and not channel.joining and self._channels.get(conversation_id) is channel:
            del self._channels[conversation_id]


async def sweep_forever(hub: Hub, interval_s: float, asked: asyncio.Event) -> None:
    """A lost doorbell is made good for within `interval_s`, or at once when `asked` is set.

    A sweep that finds no database is tried again soon: it was perhaps asked for because connections broke.
    """
    wait_s = interval_s
    while True:
        with suppress(TimeoutError):
            # Not wait_for: until Python 3.12 it can swallow a cancellation, and the server would never end.
            async with asyncio.timeout(wait_s):
                await asked.wait()
        asked.clear()
        try:
            await hub.sweep()
        except Unavailable:
            if wait_s == interval_s:
                log.warning("the sweep waits for the database")
            wait_s = min(interval_s, RETRY_S)
        else:
            wait_s = interval_s

"""Delivery of committed entries to the listeners of this process: in order, each entry once.

A conversation with listeners has a channel. The channel stores for each listener a cursor, the seq of the last entry
that the listener received. A listener is in one of two states:

- joining: `subscribe` reads the log from the listener's position until nothing is left, and then sets its cursor.
- live: the listener has a cursor.

Entries arrive in three ways. The writer of this process calls `publish` with the whole entry. A notification from
another process calls `advance` with a seq. `sweep` asks the log for the last seq of every channel. An entry is pushed
at once to the listeners whose cursor is directly before it. For the others, one task per channel reads the log and
pushes the missing entries. The log is authoritative: a lost, late or repeated notification delays an entry, but never
drops, repeats or reorders one.
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
    """A socket that receives entries."""

    def push(self, entry: Entry) -> None:
        """Receive an entry. Never raises and never waits: a listener that cannot keep up closes itself."""
        ...

    async def drained(self) -> None:
        """Return when little of what was pushed is still unsent."""
        ...


class Log(Protocol):
    """The log of every conversation, as the database stores it."""

    async def after(self, conversation_id: ConversationId, seq: Seq) -> list[Entry]:
        """Read the next entries, oldest first, bounded in bytes; empty at the end. Raises Unavailable."""
        ...

    async def positions(self, conversation_ids: list[ConversationId]) -> dict[ConversationId, Seq]:
        """Return the last seq of each conversation. Raises Unavailable."""
        ...


class Channel:
    """The listeners of one conversation."""

    __slots__ = ("cursors", "joining", "latest", "reading")

    def __init__(self) -> None:
        self.cursors: dict[Listener, Seq] = {}
        self.latest = Seq(0)  # the highest seq that this process knows of
        self.joining: set[Listener] = set()
        self.reading = False  # whether the task that catches up runs


class Hub:
    """Delivers entries to listeners; see the top of this file."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._channels: dict[ConversationId, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def subscribe(self, listener: Listener, conversation_id: ConversationId, after: Seq) -> None:
        """Push all entries after `after`, then new ones. Raises Unavailable; then the listener is not subscribed."""
        channel = self._channels.setdefault(conversation_id, Channel())
        channel.joining.add(listener)
        try:
            while True:
                known = channel.latest
                entries = await self._log.after(conversation_id, after)
                if listener not in channel.joining:
                    return  # unsubscribed meanwhile
                for entry in entries:
                    listener.push(entry)
                    after = entry.seq
                if entries:
                    await listener.drained()
                elif channel.latest == known:  # nothing was committed during the read: up to date
                    channel.cursors[listener] = max(after, known)
                    return
        finally:
            channel.joining.discard(listener)
            self._remove_if_unused(conversation_id, channel)

    async def follow(self, listener: Listener, ends: Mapping[ConversationId, Seq]) -> None:
        """Subscribe to many conversations at once: `ends` has the last seq that the listener has of each.

        Reads only conversations with newer entries, in the background. Raises Unavailable; the listener is then
        subscribed nevertheless, and the next sweep catches up.
        """
        for conversation_id, seq in ends.items():
            self._channels.setdefault(conversation_id, Channel()).cursors[listener] = seq
        await self._check_positions(list(ends))

    def unsubscribe(self, listener: Listener, conversation_id: ConversationId) -> None:
        """Push nothing more to the listener, which need not be subscribed."""
        channel = self._channels.get(conversation_id)
        if channel is not None:
            channel.cursors.pop(listener, None)
            channel.joining.discard(listener)
            self._remove_if_unused(conversation_id, channel)

    def publish(self, entry: Entry) -> None:
        """Deliver a committed entry of this process."""
        channel = self._channels.get(entry.conversation_id)
        if channel is None:
            return
        before = entry.seq - 1
        behind = False
        channel.latest = max(channel.latest, entry.seq)
        for listener, cursor in tuple(channel.cursors.items()):
            if cursor == before:
                channel.cursors[listener] = entry.seq
                listener.push(entry)
            elif cursor < before:
                behind = True
        if behind:
            self._start_catching_up(entry.conversation_id, channel)

    def advance(self, conversation_id: ConversationId, seq: Seq) -> None:
        """Catch up with another process, which has committed entries up to `seq`."""
        channel = self._channels.get(conversation_id)
        if channel is None:
            return
        channel.latest = max(channel.latest, seq)
        if channel.cursors and min(channel.cursors.values()) < channel.latest:
            self._start_catching_up(conversation_id, channel)

    async def sweep(self) -> None:
        """Catch up on every channel whose notifications were lost. Raises Unavailable."""
        await self._check_positions(list(self._channels))

    async def _check_positions(self, conversation_ids: list[ConversationId]) -> None:
        for start in range(0, len(conversation_ids), 1000):
            positions = await self._log.positions(conversation_ids[start : start + 1000])
            for conversation_id, seq in positions.items():
                self.advance(conversation_id, seq)

    async def close(self) -> None:
        """Cancel the tasks that catch up, and wait for their end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_catching_up(self, conversation_id: ConversationId, channel: Channel) -> None:
        if not channel.reading:
            channel.reading = True
            task = asyncio.create_task(self._catch_up(conversation_id, channel), name=f"catch up {conversation_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _catch_up(self, conversation_id: ConversationId, channel: Channel) -> None:
        try:
            while channel.cursors:
                known, lowest = channel.latest, min(channel.cursors.values())
                if lowest >= known:
                    return
                entries = await self._log.after(conversation_id, lowest)
                self._deliver(channel, entries, known)
        except Unavailable:
            log.warning("catching up waits for the database")  # the next sweep starts it again
        finally:
            channel.reading = False

    @staticmethod
    def _deliver(channel: Channel, entries: Iterable[Entry], known: Seq) -> None:
        """Push what the log returned: in order and complete. Entries that are missing in it were deleted."""
        last = None
        for entry in entries:
            last = entry.seq
            for listener, cursor in tuple(channel.cursors.items()):
                if cursor < entry.seq:
                    channel.cursors[listener] = entry.seq
                    listener.push(entry)
        if last is None:
            for listener, cursor in channel.cursors.items():
                channel.cursors[listener] = max(cursor, known)

    def _remove_if_unused(self, conversation_id: ConversationId, channel: Channel) -> None:
        if not channel.cursors and not channel.joining and self._channels.get(conversation_id) is channel:
            del self._channels[conversation_id]


async def sweep_forever(hub: Hub, interval_s: float, requested: asyncio.Event) -> None:
    """Sweep every `interval_s`, and at once when `requested` is set; that bounds the delay of a lost notification.

    A sweep that fails without the database is retried after RETRY_S: a broken connection may have lost notifications.
    """
    wait_s = interval_s
    while True:
        with suppress(TimeoutError):
            # Not wait_for: before Python 3.12 it can swallow a cancellation, and the server would not stop.
            async with asyncio.timeout(wait_s):
                await requested.wait()
        requested.clear()
        try:
            await hub.sweep()
        except Unavailable:
            if wait_s == interval_s:
                log.warning("the sweep waits for the database")
            wait_s = min(interval_s, RETRY_S)
        else:
            wait_s = interval_s

"""The hub on a log in memory: every listener gets each entry once and in order, even if notifications are lost."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import UUID

from chat.delivery.hub import Hub
from chat.errors import Unavailable
from chat.model.ids import ConversationId, Seq, UserId
from chat.model.messages import Entry

HERE, ELSEWHERE = ConversationId(UUID(int=1)), ConversationId(UUID(int=2))
WHEN = datetime(2026, 1, 18, tzinfo=UTC)
PAGE = 3


class MemoryLog:
    """A log in memory. Clear `open` to block readers; set `away` to refuse them, as an unavailable database does."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self.entries: dict[ConversationId, dict[Seq, Entry]] = {HERE: {}, ELSEWHERE: {}}
        self.last = dict.fromkeys(self.entries, Seq(0))
        self.open = asyncio.Event()
        self.open.set()
        self.away = False
        self.reads = 0
        self._chance = chance

    def commit(self, conversation: ConversationId = HERE) -> Entry:
        self.last[conversation] = seq = Seq(self.last[conversation] + 1)
        entry = Entry(conversation, seq, seq, UserId(1), f"{seq}", WHEN)
        self.entries[conversation][seq] = entry
        return entry

    def delete(self, seq: int, conversation: ConversationId = HERE) -> None:
        del self.entries[conversation][Seq(seq)]

    async def after(self, conversation_id: ConversationId, seq: Seq) -> list[Entry]:
        self.reads += 1
        await self._takes_time()
        await self.open.wait()
        if self.away:
            raise Unavailable("away")
        found = [entry for entry in self.entries[conversation_id].values() if entry.seq > seq][:PAGE]
        await self._takes_time()
        return found

    async def positions(self, conversation_ids: list[ConversationId]) -> dict[ConversationId, Seq]:
        await self._takes_time()
        if self.away:
            raise Unavailable("away")
        return {conversation: self.last[conversation] for conversation in conversation_ids}

    async def _takes_time(self) -> None:
        for _ in range(self._chance.randrange(4) if self._chance else 1):
            await asyncio.sleep(0)


class Listener:
    def __init__(self) -> None:
        self.heard: list[int] = []
        self.drains = 0

    def push(self, entry: Entry) -> None:
        self.heard.append(entry.seq)

    async def drained(self) -> None:
        self.drains += 1
        await asyncio.sleep(0)


async def loop_iterations(count: int) -> None:
    """Let each task run for `count` iterations of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def wait_until_idle(hub: Hub) -> None:
    while hub._tasks:
        await asyncio.gather(*hub._tasks)
        await asyncio.sleep(0)  # since Python 3.12 gathering completed tasks does not yield to the loop


async def test_hub_delivers_live_entries_without_reading_the_log() -> None:
    log, listener, other = MemoryLog(), Listener(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    await hub.subscribe(other, ELSEWHERE, Seq(0))
    reads = log.reads
    for _ in range(5):
        hub.publish(log.commit())
        hub.publish(log.commit(ELSEWHERE))
    hub.publish(log.commit())
    hub.advance(HERE, Seq(6))
    assert (listener.heard, other.heard) == ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5])
    assert not hub._tasks, "no task catches up with nothing"
    assert log.reads == reads


async def test_hub_delivers_the_backlog_first_with_backpressure() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    for _ in range(8):
        log.commit()
    await hub.subscribe(listener, HERE, Seq(1))
    assert listener.heard == [2, 3, 4, 5, 6, 7, 8]
    assert listener.drains == 3
    hub.publish(log.commit())
    assert listener.heard[-1] == 9


async def test_hub_recovers_a_lost_publish_at_the_next() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    hub.publish(log.commit())
    log.commit()
    hub.publish(log.commit())
    assert listener.heard == [1], "entry 3 must not overtake entry 2"
    await wait_until_idle(hub)
    assert listener.heard == [1, 2, 3]


async def test_hub_ignores_repeated_late_and_early_notifications() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    entries = [log.commit() for _ in range(7)]
    for seq in (7, 7, 3, 1, 7):
        hub.advance(HERE, Seq(seq))
    for entry in (*entries, entries[0]):
        hub.publish(entry)
    await wait_until_idle(hub)
    hub.advance(HERE, Seq(2))
    hub.advance(ELSEWHERE, Seq(9))
    await wait_until_idle(hub)
    assert listener.heard == [1, 2, 3, 4, 5, 6, 7]


async def test_hub_skips_deleted_entries() -> None:
    log, listener, late = MemoryLog(), Listener(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    for _ in range(6):
        log.commit()
    for seq in (2, 5, 6):
        log.delete(seq)
    hub.advance(HERE, Seq(6))
    await wait_until_idle(hub)
    assert listener.heard == [1, 3, 4]
    reads = log.reads
    hub.publish(log.commit())
    assert (listener.heard, log.reads) == ([1, 3, 4, 7], reads), "the gap is known, so the next entry is live"
    await hub.subscribe(late, HERE, Seq(4))
    assert late.heard == [7]


async def test_hub_subscriber_far_behind_gets_live_entries_too() -> None:
    log, near, far = MemoryLog(), Listener(), Listener()
    hub = Hub(log)
    for _ in range(10):
        log.commit()
    await hub.subscribe(near, HERE, Seq(10))
    joining = asyncio.create_task(hub.subscribe(far, HERE, Seq(0)))
    while not joining.done():
        if log.last[HERE] < 25:
            hub.publish(log.commit())
        await asyncio.sleep(0)
    assert log.last[HERE] > 15, "entries were committed during the subscription"
    hub.publish(log.commit())
    assert far.heard == [*range(1, log.last[HERE] + 1)]
    assert near.heard == [*range(11, log.last[HERE] + 1)]


async def test_hub_delivers_entry_published_after_the_last_log_read() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    joining = asyncio.create_task(hub.subscribe(listener, HERE, Seq(0)))
    await loop_iterations(2)
    assert (log.reads, joining.done()) == (1, False), "the log was read and was empty"
    hub.publish(log.commit())
    await joining
    assert listener.heard == [1]


async def test_hub_follow_reads_only_changed_conversations() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    for _ in range(3):
        log.commit()
        log.commit(ELSEWHERE)
    await hub.follow(listener, {HERE: Seq(1), ELSEWHERE: Seq(3)})
    hub.publish(log.commit(ELSEWHERE))
    await wait_until_idle(hub)
    assert (sorted(listener.heard), log.reads) == ([2, 3, 4], 1)
    hub.publish(log.commit())
    assert (listener.heard[-1], log.reads) == (4, 1)


async def test_hub_follow_delivers_entry_published_during_its_query() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    log.commit()
    following = asyncio.create_task(hub.follow(listener, {HERE: Seq(0)}))
    await loop_iterations(1)
    hub.publish(log.commit())
    await following
    await wait_until_idle(hub)
    assert listener.heard == [1, 2]


async def test_hub_delivers_entry_committed_during_gap_read() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    log.commit()
    log.delete(1)
    hub.advance(HERE, Seq(1))
    await loop_iterations(2)
    assert (log.reads, len(hub._tasks)) == (2, 1), "the gap was read"
    log.commit()
    hub.advance(HERE, Seq(2))
    await wait_until_idle(hub)
    assert listener.heard == [2]

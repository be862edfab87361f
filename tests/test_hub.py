"""The hub on a log in memory: every listener hears everything, in order, each once, whatever gets lost on the way."""

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
    """`commit` and `delete` are what writers do; `open` is cleared to let readers wait, `away` to refuse them."""

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


class Ear:
    def __init__(self) -> None:
        self.heard: list[int] = []
        self.drains = 0

    def push(self, entry: Entry) -> None:
        self.heard.append(entry.seq)

    async def drained(self) -> None:
        self.drains += 1
        await asyncio.sleep(0)


async def turns(count: int) -> None:
    """Of the loop: as many steps does each task make."""
    for _ in range(count):
        await asyncio.sleep(0)


async def settled(hub: Hub) -> None:
    while hub._tasks:
        await asyncio.gather(*hub._tasks)
        await asyncio.sleep(0)  # since Python 3.12 a gather of what is done does not turn the loop


async def test_live_entries_arrive_without_a_look_into_the_log() -> None:
    log, ear, other = MemoryLog(), Ear(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    await hub.subscribe(other, ELSEWHERE, Seq(0))
    reads = log.reads
    for _ in range(5):
        hub.publish(log.commit())
        hub.publish(log.commit(ELSEWHERE))
    hub.publish(log.commit())
    assert (ear.heard, other.heard) == ([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5])
    assert log.reads == reads


async def test_what_was_there_before_is_heard_first_and_in_pages_that_wait_for_the_reader() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    for _ in range(8):
        log.commit()
    await hub.subscribe(ear, HERE, Seq(1))
    assert ear.heard == [2, 3, 4, 5, 6, 7, 8]
    assert ear.drains == 3
    hub.publish(log.commit())
    assert ear.heard[-1] == 9


async def test_a_lost_publish_is_made_good_for_by_the_next() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    hub.publish(log.commit())
    log.commit()
    hub.publish(log.commit())
    assert ear.heard == [1], "the third must not overtake the second"
    await settled(hub)
    assert ear.heard == [1, 2, 3]


async def test_doorbells_that_come_twice_late_or_early_change_nothing() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    entries = [log.commit() for _ in range(7)]
    for seq in (7, 7, 3, 1, 7):
        hub.advance(HERE, Seq(seq))
    for entry in (*entries, entries[0]):
        hub.publish(entry)
    await settled(hub)
    hub.advance(HERE, Seq(2))
    hub.advance(ELSEWHERE, Seq(9))
    await settled(hub)
    assert ear.heard == [1, 2, 3, 4, 5, 6, 7]


async def test_deleted_entries_are_passed_over_in_the_middle_and_at_the_end() -> None:
    log, ear, late = MemoryLog(), Ear(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    for _ in range(6):
        log.commit()
    for seq in (2, 5, 6):
        log.delete(seq)
    hub.advance(HERE, Seq(6))
    await settled(hub)
    assert ear.heard == [1, 3, 4]
    reads = log.reads
    hub.publish(log.commit())
    assert (ear.heard, log.reads) == ([1, 3, 4, 7], reads), "the hole is known, so what follows it is live"
    await hub.subscribe(late, HERE, Seq(4))
    assert late.heard == [7]


async def test_who_joins_from_far_behind_misses_nothing_of_what_comes_meanwhile() -> None:
    log, near, far = MemoryLog(), Ear(), Ear()
    hub = Hub(log)
    for _ in range(10):
        log.commit()
    await hub.subscribe(near, HERE, Seq(10))
    joining = asyncio.create_task(hub.subscribe(far, HERE, Seq(0)))
    while not joining.done():
        if log.last[HERE] < 25:
            hub.publish(log.commit())
        await asyncio.sleep(0)
    assert log.last[HERE] > 15, "some came while it joined"
    hub.publish(log.commit())
    assert far.heard == [*range(1, log.last[HERE] + 1)]
    assert near.heard == [*range(11, log.last[HERE] + 1)]


async def test_what_is_published_after_the_last_look_into_the_log_is_heard_at_once() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    joining = asyncio.create_task(hub.subscribe(ear, HERE, Seq(0)))
    await turns(2)
    assert (log.reads, joining.done()) == (1, False), "the log has been looked at and was empty"
    hub.publish(log.commit())
    await joining
    assert ear.heard == [1]


async def test_who_follows_many_reads_only_what_has_moved_since() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    for _ in range(3):
        log.commit()
        log.commit(ELSEWHERE)
    await hub.follow(ear, {HERE: Seq(1), ELSEWHERE: Seq(3)})
    hub.publish(log.commit(ELSEWHERE))
    await settled(hub)
    assert (sorted(ear.heard), log.reads) == ([2, 3, 4], 1)
    hub.publish(log.commit())
    assert (ear.heard[-1], log.reads) == (4, 1)


async def test_what_is_published_while_the_ends_are_asked_for_is_heard_in_order_and_once() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    log.commit()
    following = asyncio.create_task(hub.follow(ear, {HERE: Seq(0)}))
    await turns(1)
    hub.publish(log.commit())
    await following
    await settled(hub)
    assert ear.heard == [1, 2]


async def test_what_moves_while_a_hole_is_looked_at_does_not_fall_into_it() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    log.commit()
    log.delete(1)
    hub.advance(HERE, Seq(1))
    await turns(2)
    assert (log.reads, len(hub._tasks)) == (2, 1), "the hole has been looked at"
    log.commit()
    hub.advance(HERE, Seq(2))
    await settled(hub)
    assert ear.heard == [2]

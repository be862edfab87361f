"""The hub on a log in memory: every listener hears everything, in order, each once, whatever gets lost on the way."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import UUID

import pytest

from chat.errors import Unavailable
from chat.hub import Hub, sweep_forever
from chat.model import ConversationId, Entry, Seq, UserId

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
        hub.moved(HERE, Seq(seq))
    for entry in (*entries, entries[0]):
        hub.publish(entry)
    await settled(hub)
    hub.moved(HERE, Seq(2))
    hub.moved(ELSEWHERE, Seq(9))
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
    hub.moved(HERE, Seq(6))
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


async def test_what_moves_while_a_hole_is_looked_at_does_not_fall_into_it() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    log.commit()
    log.delete(1)
    hub.moved(HERE, Seq(1))
    await turns(2)
    assert (log.reads, len(hub._tasks)) == (2, 1), "the hole has been looked at"
    log.commit()
    hub.moved(HERE, Seq(2))
    await settled(hub)
    assert ear.heard == [2]


@pytest.mark.logs("catching up waits for the database")
async def test_a_log_that_is_away_delays_and_loses_nothing() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    log.away = True
    log.commit()
    hub.publish(log.commit())
    await settled(hub)
    assert ear.heard == []
    with pytest.raises(Unavailable):
        await hub.sweep()
    log.away = False
    await hub.sweep()
    await settled(hub)
    assert ear.heard == [1, 2]


async def test_a_sweep_finds_what_no_doorbell_told_of() -> None:
    log, ear, other = MemoryLog(), Ear(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    await hub.subscribe(other, ELSEWHERE, Seq(0))
    log.commit()
    await hub.sweep()
    await settled(hub)
    assert (ear.heard, other.heard) == ([1], [])


@pytest.mark.logs("the sweep waits for the database")
async def test_the_sweeper_sweeps_when_asked_and_outlives_an_absent_database() -> None:
    log, ear, asked = MemoryLog(), Ear(), asyncio.Event()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    sweeping = asyncio.create_task(sweep_forever(hub, 3600, asked))
    log.away = True
    log.commit()
    asked.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not asked.is_set()
    assert ear.heard == []
    log.away = False
    asked.set()
    async with asyncio.timeout(5):
        while not ear.heard:
            await asyncio.sleep(0)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


async def test_a_sweeper_that_is_asked_and_cancelled_at_once_ends() -> None:
    """As when the writer loses its connection while the server stops. `wait_for` of Python 3.11 would swallow it."""
    asked = asyncio.Event()
    sweeping = asyncio.create_task(sweep_forever(Hub(MemoryLog()), 3600, asked))
    await turns(2)
    asked.set()
    sweeping.cancel()
    await turns(20)
    sweeping.cancel("so that the test itself does not hang")
    ended = await asyncio.wait([sweeping], timeout=1)
    assert sweeping in ended[0]
    assert sweeping.cancelled()
    assert sweeping.cancelling() == 1, "the first word was enough"


async def test_who_left_hears_nothing_more_and_the_others_do() -> None:
    log, leaver, stayer = MemoryLog(), Ear(), Ear()
    hub = Hub(log)
    await hub.subscribe(leaver, HERE, Seq(0))
    await hub.subscribe(stayer, HERE, Seq(0))
    log.open.clear()
    log.commit()
    hub.publish(log.commit())  # starts to read
    await asyncio.sleep(0)
    hub.unsubscribe(leaver, HERE)
    hub.unsubscribe(leaver, HERE)
    log.open.set()
    await settled(hub)
    assert (leaver.heard, stayer.heard) == ([], [1, 2])
    hub.unsubscribe(stayer, HERE)
    hub.publish(log.commit())
    hub.moved(HERE, Seq(3))
    await hub.sweep()
    assert (stayer.heard, hub._channels, hub._tasks) == ([1, 2], {}, set())


async def test_who_leaves_while_joining_is_not_kept() -> None:
    """A socket that closes while the log is being read for it: `on_close` comes before `subscribe` returns."""
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    log.open.clear()
    log.commit()
    joining = asyncio.create_task(hub.subscribe(ear, HERE, Seq(0)))
    await asyncio.sleep(0)
    hub.unsubscribe(ear, HERE)
    log.open.set()
    await asyncio.gather(joining, return_exceptions=True)
    heard = len(ear.heard)
    hub.publish(log.commit())
    assert len(ear.heard) == heard
    assert hub._channels == {}


@pytest.mark.parametrize("how", ["the log is away", "cancelled"])
async def test_who_could_not_join_is_not_kept(how: str) -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    log.open.clear()
    joining = asyncio.create_task(hub.subscribe(ear, HERE, Seq(0)))
    await asyncio.sleep(0)
    assert hub._channels
    log.away = True
    log.open.set() if how != "cancelled" else joining.cancel()
    with pytest.raises(Unavailable if how != "cancelled" else asyncio.CancelledError):
        await joining
    hub.publish(log.commit())
    assert (ear.heard, hub._channels) == ([], {})


async def test_closing_ends_the_reading() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    log.open.clear()
    log.commit()
    hub.moved(HERE, Seq(1))
    assert hub._tasks
    await hub.close()
    assert not hub._tasks

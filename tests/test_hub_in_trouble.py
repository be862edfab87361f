"""The hub while the log is away, and while people leave or cannot come."""

import asyncio

import pytest

from chat.delivery.hub import Hub, sweep_forever
from chat.errors import Unavailable
from chat.model.ids import Seq
from testing.server import PATIENCE_S
from tests.test_hub import ELSEWHERE, HERE, Ear, MemoryLog, settled, turns


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
    async with asyncio.timeout(PATIENCE_S):
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
    ended = await asyncio.wait([sweeping], timeout=PATIENCE_S)
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
    hub.advance(HERE, Seq(3))
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


async def test_who_follows_while_the_log_is_away_is_told_and_hears_later_all_the_same() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    log.commit()
    log.away = True
    with pytest.raises(Unavailable):
        await hub.follow(ear, {HERE: Seq(0)})
    log.away = False
    await hub.sweep()
    await settled(hub)
    assert ear.heard == [1]
    hub.unsubscribe(ear, HERE)
    assert not hub._channels


async def test_closing_ends_the_reading() -> None:
    log, ear = MemoryLog(), Ear()
    hub = Hub(log)
    await hub.subscribe(ear, HERE, Seq(0))
    log.open.clear()
    log.commit()
    hub.advance(HERE, Seq(1))
    assert hub._tasks
    await hub.close()
    assert not hub._tasks

"""The hub during faults: the log is unavailable, listeners leave, or a subscription fails."""

import asyncio

import pytest

from chat.delivery.hub import Hub, sweep_forever
from chat.errors import Unavailable
from chat.model.ids import Seq
from testing.server import PATIENCE_S
from tests.test_hub import ELSEWHERE, HERE, Listener, MemoryLog, loop_iterations, wait_until_idle


@pytest.mark.logs("catching up waits for the database")
async def test_hub_without_database_delays_and_loses_nothing() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    log.away = True
    log.commit()
    hub.publish(log.commit())
    await wait_until_idle(hub)
    assert listener.heard == []
    with pytest.raises(Unavailable):
        await hub.sweep()
    log.away = False
    await hub.sweep()
    await wait_until_idle(hub)
    assert listener.heard == [1, 2]


async def test_hub_sweep_delivers_entries_without_notification() -> None:
    log, listener, other = MemoryLog(), Listener(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    await hub.subscribe(other, ELSEWHERE, Seq(0))
    log.commit()
    await hub.sweep()
    await wait_until_idle(hub)
    assert (listener.heard, other.heard) == ([1], [])


@pytest.mark.logs("the sweep waits for the database")
async def test_sweeper_runs_on_request_and_survives_an_outage() -> None:
    log, listener, asked = MemoryLog(), Listener(), asyncio.Event()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    sweeping = asyncio.create_task(sweep_forever(hub, 3600, asked))
    log.away = True
    log.commit()
    asked.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not asked.is_set()
    assert listener.heard == []
    log.away = False
    asked.set()
    async with asyncio.timeout(PATIENCE_S):
        while not listener.heard:
            await asyncio.sleep(0)
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


async def test_sweeper_cancelled_during_a_request_ends() -> None:
    """The writer may lose its connection at shutdown; `wait_for` of Python 3.11 would swallow the cancellation."""
    asked = asyncio.Event()
    sweeping = asyncio.create_task(sweep_forever(Hub(MemoryLog()), 3600, asked))
    await loop_iterations(2)
    asked.set()
    sweeping.cancel()
    await loop_iterations(20)
    sweeping.cancel("so that the test does not hang")
    ended = await asyncio.wait([sweeping], timeout=PATIENCE_S)
    assert sweeping in ended[0]
    assert sweeping.cancelled()
    assert sweeping.cancelling() == 1, "the first cancellation ended it"


async def test_hub_unsubscribed_listener_gets_nothing_more() -> None:
    log, leaver, remaining = MemoryLog(), Listener(), Listener()
    hub = Hub(log)
    await hub.subscribe(leaver, HERE, Seq(0))
    await hub.subscribe(remaining, HERE, Seq(0))
    log.open.clear()
    log.commit()
    hub.publish(log.commit())  # starts to read
    await asyncio.sleep(0)
    hub.unsubscribe(leaver, HERE)
    hub.unsubscribe(leaver, HERE)
    log.open.set()
    await wait_until_idle(hub)
    assert (leaver.heard, remaining.heard) == ([], [1, 2])
    hub.unsubscribe(remaining, HERE)
    hub.publish(log.commit())
    hub.advance(HERE, Seq(3))
    await hub.sweep()
    assert (remaining.heard, hub._channels, hub._tasks) == ([1, 2], {}, set())


async def test_hub_unsubscribe_during_subscribe_is_not_kept() -> None:
    """A socket may close while its backlog is read: `on_close` runs before `subscribe` returns."""
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    log.open.clear()
    log.commit()
    joining = asyncio.create_task(hub.subscribe(listener, HERE, Seq(0)))
    await asyncio.sleep(0)
    hub.unsubscribe(listener, HERE)
    log.open.set()
    await asyncio.gather(joining, return_exceptions=True)
    heard = len(listener.heard)
    hub.publish(log.commit())
    assert len(listener.heard) == heard
    assert hub._channels == {}


@pytest.mark.parametrize("how", ["database unavailable", "cancelled"])
async def test_hub_failed_subscribe_is_not_kept(how: str) -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    log.open.clear()
    joining = asyncio.create_task(hub.subscribe(listener, HERE, Seq(0)))
    await asyncio.sleep(0)
    assert hub._channels
    log.away = True
    log.open.set() if how != "cancelled" else joining.cancel()
    with pytest.raises(Unavailable if how != "cancelled" else asyncio.CancelledError):
        await joining
    hub.publish(log.commit())
    assert (listener.heard, hub._channels) == ([], {})


async def test_hub_follow_without_database_raises_and_delivers_later() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    log.commit()
    log.away = True
    with pytest.raises(Unavailable):
        await hub.follow(listener, {HERE: Seq(0)})
    log.away = False
    await hub.sweep()
    await wait_until_idle(hub)
    assert listener.heard == [1]
    hub.unsubscribe(listener, HERE)
    assert not hub._channels


async def test_hub_close_ends_its_tasks() -> None:
    log, listener = MemoryLog(), Listener()
    hub = Hub(log)
    await hub.subscribe(listener, HERE, Seq(0))
    log.open.clear()
    log.commit()
    hub.advance(HERE, Seq(1))
    assert hub._tasks
    await hub.close()
    assert not hub._tasks

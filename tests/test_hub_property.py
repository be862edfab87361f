"""Property test of the hub: hundreds of seeded random runs, against a model of what each listener must receive."""

import asyncio
import random

import pytest

from chat.delivery.hub import Hub
from chat.errors import Unavailable
from chat.model.ids import Seq
from chat.model.messages import Entry
from tests.test_hub import HERE, Listener, MemoryLog, wait_until_idle


class Run:
    """A random run: writers, notifications that are lost, repeated or late, and listeners that subscribe and leave."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.log = MemoryLog(self.random)
        self.hub = Hub(self.log)
        self.unpublished: list[Entry] = []  # committed by this process, in order
        self.notifications: list[int] = []  # committed by other workers, as notifications under way
        self.ever: set[int] = set()
        self.deleted: set[int] = set()
        self.joining: dict[Listener, asyncio.Task[None]] = {}
        self.here: list[Listener] = []
        self.since: dict[Listener, int] = {}

    def commits(self) -> None:
        entry = self.log.commit()
        self.ever.add(entry.seq)
        if self.random.random() < 0.6:
            self.unpublished.append(entry)
        else:
            self.notifications += [entry.seq] * self.random.randrange(3)

    def publishes(self) -> None:
        if self.unpublished:
            self.hub.publish(self.unpublished.pop(0))

    def loses_a_publish(self) -> None:
        if self.unpublished:
            self.unpublished.pop(0)

    def notifies(self) -> None:
        if self.notifications:
            self.hub.advance(HERE, Seq(self.notifications.pop(self.random.randrange(len(self.notifications)))))

    def deletes(self) -> None:
        if there := list(self.log.entries[HERE]):
            seq = self.random.choice(there[-4:])
            self.log.delete(seq)
            self.deleted.add(seq)

    def joins(self) -> None:
        listener = Listener()
        self.since[listener] = self.random.choice([0, self.log.last[HERE], max(0, self.log.last[HERE] - 5)])
        self.joining[listener] = asyncio.create_task(self.hub.subscribe(listener, HERE, Seq(self.since[listener])))

    def leaves(self) -> None:
        if self.here:
            listener = self.here.pop(self.random.randrange(len(self.here)))
            self.hub.unsubscribe(listener, HERE)
            self.check(listener, upto=max(listener.heard, default=0))

    def fails_or_recovers(self) -> None:
        self.log.away = not self.log.away and self.random.random() < 0.3

    def arrive(self) -> None:
        for listener, task in list(self.joining.items()):
            if task.done():
                del self.joining[listener]
                if task.exception() is None:
                    self.here.append(listener)
                else:
                    assert isinstance(task.exception(), Unavailable)

    def check(self, listener: Listener, upto: int) -> None:
        assert listener.heard == sorted(set(listener.heard)), f"out of order or duplicated: {listener.heard}"
        wanted = {seq for seq in self.ever - self.deleted if self.since[listener] < seq <= upto}
        assert wanted <= set(listener.heard) <= self.ever, f"lost {wanted - set(listener.heard)} of {listener.heard}"

    async def run(self) -> None:
        acts = [self.commits] * 6 + [self.publishes] * 5 + [self.notifies] * 2 + [self.joins] * 2
        acts += [self.leaves, self.deletes, self.loses_a_publish, self.fails_or_recovers]
        for _ in range(150):
            self.random.choice(acts)()
            for _ in range(self.random.randrange(4)):
                await asyncio.sleep(0)
            self.arrive()
        self.log.away = False
        while self.joining:
            await asyncio.sleep(0)
            self.arrive()
        await wait_until_idle(self.hub)
        await self.hub.sweep()
        await wait_until_idle(self.hub)
        for listener in self.here:
            self.check(listener, upto=self.log.last[HERE])
        for listener in self.here:
            self.hub.unsubscribe(listener, HERE)
        assert self.hub._channels == {}


@pytest.mark.logs("catching up waits for the database")
async def test_hub_in_random_runs_delivers_each_entry_once_in_order() -> None:
    heard = 0
    for seed in range(300):
        one_run = Run(seed)
        try:
            await one_run.run()
        except AssertionError as error:
            raise AssertionError(f"with seed {seed}") from error
        heard += sum(len(listener.heard) for listener in one_run.since)
    assert heard > 20_000, "the runs delivered entries"

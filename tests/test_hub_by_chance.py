"""The hub under hundreds of random plays, against a model of what each listener must have heard."""

import asyncio
import random

import pytest

from chat.delivery.hub import Hub
from chat.errors import Unavailable
from chat.model.ids import Seq
from chat.model.messages import Entry
from tests.test_hub import HERE, Ear, MemoryLog, settled


class Play:
    """Writers, bells that get lost, come twice or late, and people who come and go: as `chance` has it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.log = MemoryLog(self.chance)
        self.hub = Hub(self.log)
        self.unpublished: list[Entry] = []  # by the writer of this process, in order
        self.rung: list[int] = []  # by other workers
        self.ever: set[int] = set()
        self.deleted: set[int] = set()
        self.joining: dict[Ear, asyncio.Task[None]] = {}
        self.here: list[Ear] = []
        self.since: dict[Ear, int] = {}

    def commits(self) -> None:
        entry = self.log.commit()
        self.ever.add(entry.seq)
        if self.chance.random() < 0.6:
            self.unpublished.append(entry)
        else:
            self.rung += [entry.seq] * self.chance.randrange(3)

    def publishes(self) -> None:
        if self.unpublished:
            self.hub.publish(self.unpublished.pop(0))

    def loses_a_publish(self) -> None:
        if self.unpublished:
            self.unpublished.pop(0)

    def rings(self) -> None:
        if self.rung:
            self.hub.advance(HERE, Seq(self.rung.pop(self.chance.randrange(len(self.rung)))))

    def deletes(self) -> None:
        if there := list(self.log.entries[HERE]):
            seq = self.chance.choice(there[-4:])
            self.log.delete(seq)
            self.deleted.add(seq)

    def joins(self) -> None:
        ear = Ear()
        self.since[ear] = self.chance.choice([0, self.log.last[HERE], max(0, self.log.last[HERE] - 5)])
        self.joining[ear] = asyncio.create_task(self.hub.subscribe(ear, HERE, Seq(self.since[ear])))

    def leaves(self) -> None:
        if self.here:
            ear = self.here.pop(self.chance.randrange(len(self.here)))
            self.hub.unsubscribe(ear, HERE)
            self.check(ear, upto=max(ear.heard, default=0))

    def fails_or_recovers(self) -> None:
        self.log.away = not self.log.away and self.chance.random() < 0.3

    def arrive(self) -> None:
        for ear, task in list(self.joining.items()):
            if task.done():
                del self.joining[ear]
                if task.exception() is None:
                    self.here.append(ear)
                else:
                    assert isinstance(task.exception(), Unavailable)

    def check(self, ear: Ear, upto: int) -> None:
        assert ear.heard == sorted(set(ear.heard)), f"out of order or twice: {ear.heard}"
        wanted = {seq for seq in self.ever - self.deleted if self.since[ear] < seq <= upto}
        assert wanted <= set(ear.heard) <= self.ever, f"lost {wanted - set(ear.heard)} of {ear.heard}"

    async def run(self) -> None:
        acts = [self.commits] * 6 + [self.publishes] * 5 + [self.rings] * 2 + [self.joins] * 2
        acts += [self.leaves, self.deletes, self.loses_a_publish, self.fails_or_recovers]
        for _ in range(150):
            self.chance.choice(acts)()
            for _ in range(self.chance.randrange(4)):
                await asyncio.sleep(0)
            self.arrive()
        self.log.away = False
        while self.joining:
            await asyncio.sleep(0)
            self.arrive()
        await settled(self.hub)
        await self.hub.sweep()
        await settled(self.hub)
        for ear in self.here:
            self.check(ear, upto=self.log.last[HERE])
        for ear in self.here:
            self.hub.unsubscribe(ear, HERE)
        assert self.hub._channels == {}


@pytest.mark.logs("catching up waits for the database")
async def test_nothing_is_lost_doubled_or_reordered_in_hundreds_of_plays_of_chance() -> None:
    heard = 0
    for seed in range(300):
        play = Play(seed)
        try:
            await play.run()
        except AssertionError as error:
            raise AssertionError(f"with seed {seed}") from error
        heard += sum(len(ear.heard) for ear in play.since)
    assert heard > 20_000, "the plays were not empty"

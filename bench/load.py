"""The load generator, a process of its own: reads what to do from standard input, writes what it measured."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
import psutil
import uvloop
from msgspec import Struct

from bench.links import Ear, Person, ask, chat_path, get, listen, listen_sealed, post_message, trusting

WARM_UP_S = 1.0
IN_FLIGHT = 16
HISTORY_CONNECTIONS = 16


class Task(Struct, frozen=True):
    workload: str
    address: str
    seconds: float
    pairs: list[tuple[Person, Person]] = []
    by: str = "socket"  # socket, post, sealed, or echo
    watched: dict[str, list[int]] = {}  # process ids by name, whose CPU time is measured
    sockets: int = 0


class Link(Protocol):
    def send(self) -> None: ...


class Count:
    """What was heard, and how long each took, within the measured time."""

    def __init__(self) -> None:
        self.heard = 0
        self.took: list[float] = []

    def result(self, seconds: float) -> dict[str, float]:
        took = sorted(self.took)
        found = {"per_s": round(self.heard / seconds, 1)}
        if took:
            found |= {f"p{p}_ms": round(took[len(took) * p // 100] * 1000, 2) for p in (50, 99)}
        return found


async def measure(task: Task, count: Count) -> dict[str, float]:
    """Warm up, then count for the given time; also the CPU seconds of the watched for each 1,000 heard."""
    await asyncio.sleep(WARM_UP_S)
    count.heard, count.took = 0, []
    used, started = cpu(task), time.perf_counter()
    await asyncio.sleep(task.seconds)
    seconds, spent = time.perf_counter() - started, cpu(task)
    found = count.result(seconds)
    for name in task.watched:
        found[f"{name}_cpu_s_per_1000"] = round(1000 * (spent[name] - used[name]) / max(count.heard, 1), 4)
    return found


def cpu(task: Task) -> dict[str, float]:
    return {
        name: sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids if psutil.pid_exists(pid))
        for name, pids in task.watched.items()
    }


async def pairs(task: Task) -> list[tuple[Link, Ear, Link, Ear]]:
    """Of each pair: how the first sends and hears, and the second. With `echo` the two are one socket."""
    tls, made = trusting(task.address), []

    async def sender(person: Person, ear: Ear) -> Link:
        return ear if task.by == "socket" else await ask(task.address, post_message(person), tls)

    for one, other in task.pairs:
        if task.by == "echo":
            ear = await listen(task.address, "/", tls=tls)
            made.append((ear, ear, ear, ear))
        elif task.by == "sealed":
            one_ear, other_ear = [await listen_sealed(task.address, who, tls) for who in (one, other)]
            made.append((one_ear, one_ear, other_ear, other_ear))
        else:
            ears = [await listen(task.address, chat_path(who), who.token, tls) for who in (one, other)]
            made.append((await sender(one, ears[0]), ears[0], await sender(other, ears[1]), ears[1]))
    return made


async def ping_pong(task: Task) -> dict[str, float]:
    """Each pair has one message in flight, which the hearer answers: half a round trip is from sending to hearing."""
    count = Count()

    def play(one: Link, ear_of_one: Ear, other: Link, ear_of_other: Ear) -> None:
        sent_at = [0.0]

        def answer(link: Link) -> Callable[[], None]:
            def heard() -> None:
                now = time.perf_counter()
                count.heard += 1
                count.took.append(now - sent_at[0])
                sent_at[0] = now
                link.send()

            return heard

        ear_of_one.heard, ear_of_other.heard = answer(one), answer(other)
        sent_at[0] = time.perf_counter()
        one.send()

    for pair in await pairs(task):
        play(*pair)
    return await measure(task, count)


async def pipelined(task: Task) -> dict[str, float]:
    """Each sender has 16 messages in flight: on a socket not yet heard by the other, over HTTP not yet answered."""
    count, tls = Count(), trusting(task.address)
    for (person, _), (one, _, _, ear) in zip(task.pairs, await pairs(task), strict=True):

        def heard(link: Link = one) -> None:
            count.heard += 1
            if task.by != "post":
                link.send()

        ear.heard = heard
        for _ in range(IN_FLIGHT):
            if task.by == "post":
                asker = await ask(task.address, post_message(person), tls)
                asker.answered = asker.send
                asker.send()
            else:
                one.send()
    return await measure(task, count)


async def history(task: Task) -> dict[str, float]:
    """The newest 50 of a conversation, over and over."""
    person, count = task.pairs[0][0], Count()
    for _ in range(HISTORY_CONNECTIONS):
        path = f"/api/chats/messages?conversationId={person.conversation_id}&limit=50"
        asker = await ask(task.address, get(path, person.token), trusting(task.address))
        sent_at = [time.perf_counter()]

        def answered(asker: Link = asker, sent_at: list[float] = sent_at) -> None:
            count.heard += 1
            count.took.append(time.perf_counter() - sent_at[0])
            sent_at[0] = time.perf_counter()
            asker.send()

        asker.answered = answered
        asker.send()
    return await measure(task, count)


async def fan_out(task: Task) -> dict[str, float]:
    """One sends, many sockets listen in the same conversation; four messages are under way."""
    (one, other), tls, count = task.pairs[0], trusting(task.address), Count()
    sender = await listen(task.address, chat_path(one), one.token, tls)

    def heard() -> None:
        count.heard += 1
        if count.heard % task.sockets == 0:
            sender.send()

    for _ in range(task.sockets):
        (await listen(task.address, chat_path(other), other.token, tls)).heard = heard
    for _ in range(4):
        sender.send()
    return await measure(task, count)


async def idle(task: Task) -> dict[str, float]:
    """Open sockets, say how fast that went, and hold them until the input ends."""
    tls, person, started = trusting(task.address), task.pairs[0][0], time.perf_counter()
    held: list[Ear] = []
    left = iter(range(task.sockets))

    async def open_some() -> None:
        held.extend([await listen(task.address, chat_path(person), person.token, tls) for _ in left])

    await asyncio.gather(*(open_some() for _ in range(8)))
    print(msgspec.json.encode({"per_s": len(held) / (time.perf_counter() - started)}).decode(), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    return {}


WORKLOADS: dict[str, Callable[[Task], Awaitable[dict[str, float]]]] = {
    "ping-pong": ping_pong,
    "pipelined": pipelined,
    "history": history,
    "fan-out": fan_out,
    "idle": idle,
}


def main() -> None:
    task = msgspec.json.decode(sys.stdin.readline(), type=Task)

    async def run() -> None:
        print(msgspec.json.encode(await WORKLOADS[task.workload](task)).decode(), flush=True)

    uvloop.run(run())


if __name__ == "__main__":
    main()

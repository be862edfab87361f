"""The load generator, a separate process. It reads a Task from standard input, and writes its result as JSON.

Each workload opens its connections, lets callbacks send the next message, and counts for `seconds` after a warm-up.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
import psutil
import uvloop
from msgspec import Struct

from bench.links import (
    Listener,
    Person,
    chat_path,
    get,
    listen,
    listen_v2,
    open_requester,
    post_message,
    unverified_tls,
)

WARM_UP_S = 1.0
IN_FLIGHT = 16
HISTORY_CONNECTIONS = 16


class Task(Struct, frozen=True):
    """A workload and its parameters."""

    workload: str
    address: str
    seconds: float
    pairs: list[tuple[Person, Person]] = []
    by: str = "socket"  # the way of sending: socket, post, v2 or echo
    watched: dict[str, list[int]] = {}  # ids of the processes whose CPU time is measured, by name
    sockets: int = 0


class Link(Protocol):
    """A connection that can send a message or request."""

    def send(self) -> None:
        """Send one message or request."""
        ...


class Count:
    """The messages or responses received within the measured time, and their latencies in seconds."""

    def __init__(self) -> None:
        self.received = 0
        self.took: list[float] = []

    def result(self, seconds: float) -> dict[str, float]:
        """Return the rate, and the 50th and 99th percentile of the latency."""
        took = sorted(self.took)
        found = {"per_s": round(self.received / seconds, 1)}
        if took:
            found |= {f"p{p}_ms": round(took[len(took) * p // 100] * 1000, 2) for p in (50, 99)}
        return found


async def measure(task: Task, count: Count) -> dict[str, float]:
    """Warm up, then count for `task.seconds`. Add the CPU seconds of the watched processes per 1,000 received."""
    await asyncio.sleep(WARM_UP_S)
    count.received, count.took = 0, []
    used, started = cpu(task), time.perf_counter()
    await asyncio.sleep(task.seconds)
    seconds, spent = time.perf_counter() - started, cpu(task)
    found = count.result(seconds)
    for name in task.watched:
        found[f"{name}_cpu_s_per_1000"] = round(1000 * (spent[name] - used[name]) / max(count.received, 1), 4)
    return found


def cpu(task: Task) -> dict[str, float]:
    """Return the CPU seconds that the watched processes have used."""
    return {
        name: sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids if psutil.pid_exists(pid))
        for name, pids in task.watched.items()
    }


async def pairs(task: Task) -> list[tuple[Link, Listener, Link, Listener]]:
    """Open the sender and listener of each user. The four of an echo are one socket."""
    tls, made = unverified_tls(task.address), []

    async def sender(person: Person, listener: Listener) -> Link:
        return listener if task.by == "socket" else await open_requester(task.address, post_message(person), tls)

    for one, other in task.pairs:
        if task.by == "echo":
            listener = await listen(task.address, "/", tls=tls)
            made.append((listener, listener, listener, listener))
        elif task.by == "v2":
            one_listener, other_listener = [await listen_v2(task.address, who, tls) for who in (one, other)]
            made.append((one_listener, one_listener, other_listener, other_listener))
        else:
            listeners = [await listen(task.address, chat_path(who), who.token, tls) for who in (one, other)]
            senders = [await sender(one, listeners[0]), await sender(other, listeners[1])]
            made.append((senders[0], listeners[0], senders[1], listeners[1]))
    return made


async def ping_pong(task: Task) -> dict[str, float]:
    """Each pair has one message in flight; its receiver sends the next. The latency is from sending to receiving."""
    count = Count()

    def start(one: Link, listener_of_one: Listener, other: Link, listener_of_other: Listener) -> None:
        sent_at = [0.0]

        def answer(link: Link) -> Callable[[], None]:
            def received() -> None:
                now = time.perf_counter()
                count.received += 1
                count.took.append(now - sent_at[0])
                sent_at[0] = now
                link.send()

            return received

        listener_of_one.received, listener_of_other.received = answer(one), answer(other)
        sent_at[0] = time.perf_counter()
        one.send()

    for pair in await pairs(task):
        start(*pair)
    return await measure(task, count)


async def pipelined(task: Task) -> dict[str, float]:
    """Each sender has IN_FLIGHT messages: on a socket not yet received by the other, over HTTP not yet answered."""
    count, tls = Count(), unverified_tls(task.address)
    for (person, _), (one, _, _, listener) in zip(task.pairs, await pairs(task), strict=True):

        def received(link: Link = one) -> None:
            count.received += 1
            if task.by != "post":
                link.send()

        listener.received = received
        for _ in range(IN_FLIGHT):
            if task.by == "post":
                requester = await open_requester(task.address, post_message(person), tls)
                requester.received = requester.send
                requester.send()
            else:
                one.send()
    return await measure(task, count)


async def history(task: Task) -> dict[str, float]:
    """Read the newest 50 messages of a conversation, repeatedly."""
    person, count = task.pairs[0][0], Count()
    for _ in range(HISTORY_CONNECTIONS):
        path = f"/api/chats/messages?conversationId={person.conversation_id}&limit=50"
        requester = await open_requester(task.address, get(path, person.token), unverified_tls(task.address))
        sent_at = [time.perf_counter()]

        def received(requester: Link = requester, sent_at: list[float] = sent_at) -> None:
            count.received += 1
            count.took.append(time.perf_counter() - sent_at[0])
            sent_at[0] = time.perf_counter()
            requester.send()

        requester.received = received
        requester.send()
    return await measure(task, count)


async def fan_out(task: Task) -> dict[str, float]:
    """One user sends, many sockets of the other receive; four messages are in flight."""
    (one, other), tls, count = task.pairs[0], unverified_tls(task.address), Count()
    sender = await listen(task.address, chat_path(one), one.token, tls)
    arrived = itertools.count(1)  # `count` starts again after the warm-up

    def received() -> None:
        count.received += 1
        if next(arrived) % task.sockets == 0:
            sender.send()

    for _ in range(task.sockets):
        (await listen(task.address, chat_path(other), other.token, tls)).received = received
    for _ in range(4):
        sender.send()
    return await measure(task, count)


async def idle(task: Task) -> dict[str, float]:
    """Open sockets, print the rate, and keep them open until the input ends."""
    tls, person, started = unverified_tls(task.address), task.pairs[0][0], time.perf_counter()
    opened: list[Listener] = []
    left = iter(range(task.sockets))

    async def open_some() -> None:
        opened.extend([await listen(task.address, chat_path(person), person.token, tls) for _ in left])

    await asyncio.gather(*(open_some() for _ in range(8)))
    print(msgspec.json.encode({"per_s": len(opened) / (time.perf_counter() - started)}).decode(), flush=True)
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
    """Run the task that standard input describes."""
    task = msgspec.json.decode(sys.stdin.readline(), type=Task)

    async def run() -> None:
        print(msgspec.json.encode(await WORKLOADS[task.workload](task)).decode(), flush=True)

    uvloop.run(run())


if __name__ == "__main__":
    main()

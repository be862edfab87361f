"""The faults. Each function injects one fault into a running server, and returns when the fault is repaired."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from testing.process import Server, running
from tests.faults.load import Load, Verdict, new_load

PAIRS = 6
DISK_MIB = 192
FULL_S = 1.5


async def kill_a_worker(server: Server, chance: random.Random) -> None:
    chance.choice(server.workers()).kill()


async def kill_the_server(server: Server, chance: random.Random) -> None:
    server.kill()
    await asyncio.to_thread(server.start)


async def kill_server_and_postgres(server: Server, chance: random.Random) -> None:
    postmaster = server.postmaster()
    for victim in chance.sample([postmaster.kill, server.kill], 2):
        victim()
    await asyncio.to_thread(server.start)


async def kill_postgres(server: Server, chance: random.Random) -> None:
    server.postmaster().send_signal(signal.SIGKILL)


async def kill_a_backend(server: Server, chance: random.Random) -> None:
    """PostgreSQL then ends all backends and recovers, because shared memory may be corrupt."""
    with contextlib.suppress(psutil.NoSuchProcess):
        ours = [one for one in server.postmaster().children() if "[local]" in " ".join(one.cmdline())]
        chance.choice(ours).kill()


async def fill_the_disk(server: Server, chance: random.Random) -> None:
    filler = server.data / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))
    await asyncio.sleep(FULL_S)
    filler.unlink()


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sottovoce-faults-") as name:
        yield Path(name)


@contextmanager
def small_disk() -> Iterator[Path]:
    """A small tmpfs. Needs root, and a machine that allows root to mount."""
    with folder() as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "none", place], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


@dataclass(frozen=True)
class Fault:
    inject: Callable[[Server, random.Random], Awaitable[None]]
    settings: dict[str, str] = field(default_factory=dict)
    place: Callable[[], "contextlib.AbstractContextManager[Path]"] = folder


TWO_WORKERS = {"SOTTOVOCE_WORKERS": "2"}

FAULTS = {
    "a worker is killed": Fault(kill_a_worker, TWO_WORKERS),
    "the server is killed": Fault(kill_the_server),
    "server and PostgreSQL are killed": Fault(kill_server_and_postgres, TWO_WORKERS),
    "PostgreSQL is killed": Fault(kill_postgres),
    "a backend of PostgreSQL is killed": Fault(kill_a_backend),
    "the disk is full": Fault(fill_the_disk, place=small_disk),
}


@asynccontextmanager
async def under_load(server: Server) -> AsyncIterator[tuple[Load, Verdict]]:
    load = await new_load(server.address, PAIRS)
    load.begin()
    verdict = Verdict()
    yield load, verdict
    vars(verdict).update(vars(await load.end()))


def run(fault: Fault, rounds: int, seed: int) -> Verdict:
    """Inject the fault `rounds` times into one server, each time at a random moment under load."""
    chance = random.Random(seed)

    async def run_rounds(server: Server) -> Verdict:
        async with under_load(server) as (load, verdict):
            for _ in range(rounds):
                await load.wait_for_progress(30)
                await asyncio.sleep(chance.uniform(0, 0.3))
                await fault.inject(server, chance)
                await load.wait_for_progress(30)
        return verdict

    with fault.place() as place, running(Server(place / "data", **fault.settings)) as server:
        return asyncio.run(run_rounds(server))


def can_mount() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        with small_disk():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False

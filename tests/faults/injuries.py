"""What is done to a server while people chat. Each comes at a random moment, and returns when it is mended."""

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
from tests.faults.play import Play, Verdict, new_play

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
    """PostgreSQL then ends all others and recovers, for shared memory may be damaged."""
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
    """A file system of its own. Needs root, and a machine that lets root mount."""
    with folder() as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "none", place], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


@dataclass(frozen=True)
class Injury:
    hit: Callable[[Server, random.Random], Awaitable[None]]
    settings: dict[str, str] = field(default_factory=dict)
    place: Callable[[], "contextlib.AbstractContextManager[Path]"] = folder


TWO_WORKERS = {"SOTTOVOCE_WORKERS": "2"}

INJURIES = {
    "a worker is killed": Injury(kill_a_worker, TWO_WORKERS),
    "the server is killed": Injury(kill_the_server),
    "server and PostgreSQL are killed": Injury(kill_server_and_postgres, TWO_WORKERS),
    "PostgreSQL is killed": Injury(kill_postgres),
    "a backend of PostgreSQL is killed": Injury(kill_a_backend),
    "the disk is full": Injury(fill_the_disk, place=small_disk),
}


@asynccontextmanager
async def played(server: Server) -> AsyncIterator[tuple[Play, Verdict]]:
    play = await new_play(server.address, PAIRS)
    play.begin()
    verdict = Verdict()
    yield play, verdict
    vars(verdict).update(vars(await play.end()))


def run(injury: Injury, rounds: int, seed: int) -> Verdict:
    """So many rounds on one server, each at a random moment of a running chat."""
    chance = random.Random(seed)

    async def burn(server: Server) -> Verdict:
        async with played(server) as (play, verdict):
            for _ in range(rounds):
                await play.goes_on(30)
                await asyncio.sleep(chance.uniform(0, 0.3))
                await injury.hit(server, chance)
                await play.goes_on(30)
        return verdict

    with injury.place() as place, running(Server(place / "data", **injury.settings)) as server:
        return asyncio.run(burn(server))


def can_mount() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        with small_disk():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False

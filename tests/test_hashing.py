"""The thread pool for password hashing, and its bounded queue."""

import asyncio
import threading

import pytest

from crypto.hashing import THREADS, WAITING_MAX, Hashing
from crypto.passwords import PasswordTooLong, hash_password
from testing.server import PATIENCE_S


class Full(Exception):
    pass


@pytest.mark.real_hashes
async def test_hashing_uses_the_memory_that_is_set() -> None:
    hashing = Hashing(Full, memory_mib=8)
    try:
        made = await hashing.hash("Secret1pass", "argon2id")
        assert made.startswith("$argon2id$v=19$m=8192,t=3,p=4$")
        assert await hashing.verify("Secret1pass", made)
        assert not await hashing.verify("Secret1pass", None)
        assert await hashing.verify("Secret1pass", hash_password("Secret1pass", "argon2id")), "made before the change"
    finally:
        hashing.close()


async def test_hashing_over_the_queue_limit_is_refused_at_once() -> None:
    hashing, go = Hashing(Full), threading.Event()
    try:
        jobs = [asyncio.create_task(hashing.run(go.wait)) for _ in range(THREADS + WAITING_MAX)]
        await asyncio.sleep(0)
        assert len(jobs) == 34
        with pytest.raises(Full):
            await hashing.run(go.wait)
        go.set()
        assert await asyncio.gather(*jobs) == [True] * 34
        again = [asyncio.create_task(hashing.run(go.wait)) for _ in range(THREADS + WAITING_MAX)]
        assert await asyncio.gather(*again) == [True] * 34
    finally:
        go.set()
        hashing.close()


async def test_hashing_that_fails_frees_its_place() -> None:
    hashing = Hashing(Full)
    try:
        for _ in range(THREADS + WAITING_MAX + 1):
            with pytest.raises(ZeroDivisionError):
                await hashing.run(lambda: 1 // 0)
        with pytest.raises(PasswordTooLong):
            await hashing.hash("x" * 73, "bcrypt")
    finally:
        hashing.close()


async def test_hashing_cancelled_holds_its_thread_until_done() -> None:
    hashing, go, started = Hashing(Full), threading.Event(), threading.Semaphore(0)

    def work() -> bool:
        started.release()
        return go.wait(PATIENCE_S)

    try:
        jobs = [asyncio.create_task(hashing.run(work)) for _ in range(THREADS + WAITING_MAX)]
        await asyncio.sleep(0)
        for _ in range(THREADS):
            assert await asyncio.to_thread(started.acquire, timeout=PATIENCE_S)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        assert all(job.cancelled() for job in jobs)
        with pytest.raises(Full):
            await hashing.run(lambda: True)
        go.set()
        async with asyncio.timeout(PATIENCE_S):
            while hashing._waiting:
                await asyncio.sleep(0.005)
        assert await hashing.run(lambda: "free") == "free"
    finally:
        go.set()
        hashing.close()


async def test_hashing_runs_in_another_thread() -> None:
    hashing = Hashing(Full)
    try:
        made = await hashing.hash("Secret1pass", "bcrypt")
        assert await hashing.verify("Secret1pass", made)
        assert not await hashing.verify("Secret1pass", None)
        assert await hashing.run(threading.get_ident) != threading.get_ident()
    finally:
        hashing.close()

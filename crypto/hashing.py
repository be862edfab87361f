"""A bounded thread pool for password hashing and other slow work."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from crypto.passwords import MEMORY_MIB, Algorithm, hash_password, prepare, verify_password

T = TypeVar("T")

THREADS = 2  # each uses the memory of a hash while it hashes
WAITING_MAX = 32  # about two seconds of work; full: the error of `full` at once


class Hashing:
    """Runs slow work in threads. `close` must be called at the end."""

    def __init__(self, full: Callable[[], Exception], memory_mib: int = MEMORY_MIB) -> None:
        """`full` returns the error to raise if WAITING_MAX calls wait already. `memory_mib`: of one argon2id hash."""
        self._full, self._memory_mib = full, memory_mib
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing")
        self._waiting = 0
        self._threads.submit(prepare, memory_mib)

    async def hash(self, password: str, algorithm: Algorithm) -> str:
        """Hash a password. Raises PasswordTooLong (see `hash_password`) and the error of `full`."""
        return await self.run(lambda: hash_password(password, algorithm, self._memory_mib))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Check a password (see `verify_password`). Raises the error of `full`."""
        return await self.run(lambda: verify_password(password, password_hash, self._memory_mib))

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread and return its result; pictures are scaled here too. Raises the error of `full`."""
        if self._waiting >= THREADS + WAITING_MAX:
            raise self._full()
        self._waiting += 1
        # A cancelled caller does not stop the thread. So the end of the work, not of the wait, frees the slot.
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: "asyncio.Future[T]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # retrieve it: asyncio warns of an exception that a cancelled caller never read

    def close(self) -> None:
        """Cancel waiting work and wait for running work."""
        self._threads.shutdown(wait=True, cancel_futures=True)

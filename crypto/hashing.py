"""The two threads that hash passwords, and the bounded queue in front of them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from crypto.passwords import Algorithm, hash_password, prepare, verify_password

T = TypeVar("T")

THREADS = 2  # 64 MiB each while one hashes
WAITING_MAX = 32  # about two seconds of work; one more is refused with `full`


class Hashing:
    def __init__(self, full: Callable[[], Exception]) -> None:
        """`full` makes the error that is raised when too many wait already."""
        self._full = full
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing")
        self._waiting = 0
        self._threads.submit(prepare)

    async def hash(self, password: str, algorithm: Algorithm) -> str:
        """Raises PasswordTooLong, see `hash_password`."""
        return await self.run(lambda: hash_password(password, algorithm))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        return await self.run(lambda: verify_password(password, password_hash))

    async def run(self, work: Callable[[], T]) -> T:
        """Run slow work beside the event loop. Pictures are scaled here too."""
        if self._waiting >= THREADS + WAITING_MAX:
            raise self._full()
        self._waiting += 1
        # The thread goes on when its caller is gone, so the place is given back by the work and not by the waiter.
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: "asyncio.Future[T]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()  # read, so that a caller who left does not leave a warning

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

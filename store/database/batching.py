"""Lookups that wait together go together: one statement answers all who asked while the last one ran.

What the write queue does for writing. Whoever asks after a statement has begun waits for the next one, so that nobody
gets what was true before they asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lookup(Generic[K, V]):
    """As many can wait as requests are under way; handlers.admission bounds those."""

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        """`load` leaves out what it does not find."""
        self._load = load
        self._asked: dict[K, list[asyncio.Future[V | None]]] = {}
        self._task: asyncio.Task[None] | None = None  # ends by itself when nobody waits

    async def get(self, key: K) -> V | None:
        """None where there is nothing. Raises what `load` raises."""
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._answer_all(), name="lookup")
        return await future

    async def _answer_all(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            waiting = [(key, future) for key, futures in asked.items() for future in futures]
            try:
                found = await self._load(list(asked))
            except Exception as error:
                for _, future in waiting:
                    if not future.done():
                        future.set_exception(error)
            except asyncio.CancelledError:  # nobody shall wait for ever
                later = [future for futures in self._asked.values() for future in futures]
                for future in (*(future for _, future in waiting), *later):
                    future.cancel()
                raise
            else:
                for key, future in waiting:
                    if not future.done():
                        future.set_result(found.get(key))

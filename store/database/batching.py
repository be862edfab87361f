"""Batched lookups: one statement answers all callers that arrived while the previous statement ran.

A lookup has two states: idle, or one task that runs statements while callers wait. A caller that arrives after a
statement has begun waits for the next one. So a result is never older than the call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lookup(Generic[K, V]):
    """A batched lookup of values by key. The admission of HTTP requests bounds the number of waiting callers."""

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        """`load` returns the values of the keys that exist."""
        self._load = load
        self._asked: dict[K, list[asyncio.Future[V | None]]] = {}
        self._task: asyncio.Task[None] | None = None  # ends when no caller waits

    async def get(self, key: K) -> V | None:
        """Return the value of `key`, or None if there is none. Raises the errors of `load`."""
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._load_waiting(), name="lookup")
        return await future

    async def _load_waiting(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            waiting = [(key, future) for key, futures in asked.items() for future in futures]
            try:
                found = await self._load(list(asked))
            except Exception as error:
                for _, future in waiting:
                    if not future.done():
                        future.set_exception(error)
            except asyncio.CancelledError:  # cancel all callers, or they would never return
                later = [future for futures in self._asked.values() for future in futures]
                for future in (*(future for _, future in waiting), *later):
                    future.cancel()
                raise
            else:
                for key, future in waiting:
                    if not future.done():
                        future.set_result(found.get(key))

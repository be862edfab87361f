"""How long the event loop keeps everybody waiting: the longest single turn, in CPU time of its thread.

CPU time, because a busy machine makes every clock look late; what counts here is what our own code does in one go.
"""

import asyncio
import time

TICK_S = 0.02
WINDOW_S = 60.0


class LoopLag:
    def __init__(self) -> None:
        self._before = self._now = 0.0

    @property
    def worst_ms(self) -> float:
        """Of the last minute or two."""
        return round(1000 * max(self._before, self._now), 1)

    async def measure(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        window_ends = loop.time() + WINDOW_S
        while True:
            used = time.thread_time()
            await asyncio.sleep(TICK_S)
            # On a loop that is never idle this is up to one tick too much.
            self._now = max(self._now, time.thread_time() - used)
            if loop.time() > window_ends:
                self._before, self._now = self._now, 0.0
                window_ends = loop.time() + WINDOW_S

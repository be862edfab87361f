"""Event loop lag: the longest time that the loop ran without a pause, in CPU time of its thread.

CPU time excludes the time that other processes take on a busy machine, so the value shows only the server's own code.
"""

import asyncio
import time

TICK_S = 0.02
WINDOW_S = 60.0


class LoopLag:
    """The worst lag of a sliding window; `measure` must run."""

    def __init__(self) -> None:
        self._before = self._now = 0.0

    @property
    def worst_ms(self) -> float:
        """The worst lag of the last one to two minutes, in milliseconds."""
        return round(1000 * max(self._before, self._now), 1)

    async def measure(self) -> None:
        """Sample the loop until cancelled."""
        loop = asyncio.get_running_loop()
        window_ends = loop.time() + WINDOW_S
        while True:
            used = time.thread_time()
            await asyncio.sleep(TICK_S)
            # On a loop that is never idle, the result is up to one tick too high.
            self._now = max(self._now, time.thread_time() - used)
            if loop.time() > window_ends:
                self._before, self._now = self._now, 0.0
                window_ends = loop.time() + WINDOW_S

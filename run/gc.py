"""Python's garbage collector, kept from looking at everything at once.

A full pass over 10,000 sockets takes a third of a second, and there is nothing to be found: what the doors drop has no
circles. So full passes are rare, and what has lived for a while is set aside where no pass looks.
"""

import asyncio
import gc

YOUNG = 5_000  # objects; a pass over ten times as many takes 15 ms
FREEZE_S = 10.0
FULL_S = 6 * 3600.0  # for circles that were set aside with the rest, an exception here and there


async def collect_garbage() -> None:
    """For ever. No pass at the start: it took 40 ms and found nothing, what imports leave has no circles."""
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG, 10, 1_000_000)
    loop = asyncio.get_running_loop()
    full_at = loop.time() + FULL_S
    try:
        while True:
            if loop.time() > full_at:
                gc.unfreeze()
                gc.collect()
                full_at = loop.time() + FULL_S
            gc.freeze()
            await asyncio.sleep(FREEZE_S)
            gc.collect(1)
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)

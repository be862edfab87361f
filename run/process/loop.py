"""The event loop of every process."""

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a uvloop loop, or asyncio's own on platforms without uvloop."""
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()

"""The private names of tornado that this server uses. The import of this module checks the installed tornado for them.

They may change with any release, so setup.py accepts one minor version of tornado. To accept the next one: install it,
import this module, read tornado's changes around these names, and run the tests.
"""

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import NamedTuple

import tornado
from tornado import iostream, netutil, util, web, websocket

SUPPORTED = ">=6.6.1,<6.7"  # as in setup.py; tested with 6.6.1


class Internal(NamedTuple):
    """`name` of `owner`, a module or a class, and the reason why the server needs it."""

    owner: object
    name: str
    why: str
    used_by: object | None = None  # the function of tornado that must use it, or a replacement has no effect
    set_by: object | None = None  # the function of tornado that sets it on each instance of `owner`


INTERNALS = (
    Internal(util, "_websocket_mask", "unmasks frames in C"),
    Internal(websocket, "_WebSocketParams", "is the type of the parameters of a WebSocket"),
    Internal(
        websocket.WebSocketProtocol13,
        "_receive_frame_loop",
        "is the reader that ours replaces: tornado's awaits several reads for each frame",
        used_by=vars(websocket.WebSocketProtocol13).get("_accept_connection", "gone"),
    ),
    Internal(websocket.WebSocketProtocol13, "_handle_message", "answers pings and the closing handshake"),
    Internal(websocket.WebSocketProtocol13, "_abort", "drops a connection without a close frame"),
    Internal(
        netutil,
        "_DEFAULT_BACKLOG",
        "limits how many connections are accepted in one turn of the loop",
        used_by=netutil.add_accept_handler,
    ),
    Internal(
        iostream.BaseIOStream,
        "_write_buffer",
        "contains the bytes that a slow consumer has not taken",
        set_by=iostream.BaseIOStream.__init__,
    ),
    Internal(
        web.RequestHandler,
        "_headers_written",
        "shows that an answer has begun, which an error cannot replace",
        set_by=web.RequestHandler.__init__,
    ),
    Internal(
        web.RequestHandler,
        "_finished",
        "stops tornado from finishing an answer that was aborted",
        set_by=web.RequestHandler.__init__,
    ),
    Internal(web.RequestHandler, "_log", "reports the end of a request that was aborted"),
    Internal(web.RequestHandler, "_reason", "is the text of an HTTP error", set_by=web.RequestHandler.set_status),
)


def missing() -> Iterator[Internal]:
    """Yield the names that the installed tornado lacks, or does not use as this server expects."""
    for internal in INTERNALS:
        if internal.set_by is not None:
            is_there = internal.name in _names(internal.set_by)
        else:
            is_there = hasattr(internal.owner, internal.name)
        if not is_there or (internal.used_by is not None and internal.name not in _names(internal.used_by)):
            yield internal


def _names(function: object) -> set[str]:
    """Return the attributes and globals that a function uses, including its inner functions."""
    found: set[str] = set()
    waiting = [function.__code__] if isinstance(function, FunctionType) else []
    while waiting:
        code = waiting.pop()
        found |= set(code.co_names)
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


def check() -> None:
    """Raise ImportError if the installed tornado lacks a name."""
    for internal in missing():
        owner = getattr(internal.owner, "__qualname__", None) or getattr(internal.owner, "__name__", "tornado")
        raise ImportError(
            f"tornado {tornado.version} does not have {owner}.{internal.name}, which {internal.why}:"
            f" install tornado{SUPPORTED}"
        )


check()

websocket_mask = util._websocket_mask
WebSocketParams = websocket._WebSocketParams


def accept_at_once(connections: int) -> None:
    """Set how many connections tornado accepts in one turn of the loop."""
    netutil._DEFAULT_BACKLOG = connections


def unsent_bytes(stream: iostream.IOStream) -> int:
    """Return how many bytes of `stream` the peer has not taken."""
    return len(stream._write_buffer or b"")  # None when it is closed

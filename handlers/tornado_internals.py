"""The private names of tornado that this server uses. Importing this module checks that the installed tornado has them.

They may change with any release, so setup.py admits one minor version of tornado. To admit the next one: install it,
see whether this module imports, read what changed around these names in tornado, and run the tests.
"""

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import NamedTuple

import tornado
from tornado import iostream, netutil, util, web, websocket

SUPPORTED = ">=6.6.1,<6.7"  # as in setup.py; 6.6.1 was tried


class Internal(NamedTuple):
    """`name` of `owner`, a module or a class, and what we need it for."""

    owner: object
    name: str
    why: str
    used_by: object | None = None  # a function of tornado that must use it, or ours has no effect
    set_by: object | None = None  # the function of tornado that sets it on each instance of `owner`


INTERNALS = (
    Internal(util, "_websocket_mask", "unmasks frames in C"),
    Internal(websocket, "_WebSocketParams", "is the type of what our protocol passes on to tornado's"),
    Internal(
        websocket.WebSocketProtocol13,
        "_receive_frame_loop",
        "is what our protocol replaces: tornado's awaits several reads for each frame",
        used_by=vars(websocket.WebSocketProtocol13).get("_accept_connection", "gone"),
    ),
    Internal(websocket.WebSocketProtocol13, "_handle_message", "answers pings and the closing handshake"),
    Internal(websocket.WebSocketProtocol13, "_abort", "drops a connection without a close frame"),
    Internal(
        netutil,
        "_DEFAULT_BACKLOG",
        "bounds how many connections are accepted in one turn of the loop",
        used_by=netutil.add_accept_handler,
    ),
    Internal(
        iostream.BaseIOStream,
        "_write_buffer",
        "knows how many bytes a slow reader leaves unsent",
        set_by=iostream.BaseIOStream.__init__,
    ),
    Internal(
        web.RequestHandler,
        "_headers_written",
        "tells that an answer has begun, which an error cannot replace",
        set_by=web.RequestHandler.__init__,
    ),
    Internal(
        web.RequestHandler,
        "_finished",
        "keeps tornado from finishing an answer that was cut off",
        set_by=web.RequestHandler.__init__,
    ),
    Internal(web.RequestHandler, "_log", "reports the end of a request that was cut off"),
    Internal(web.RequestHandler, "_reason", "is the text of an HTTP error", set_by=web.RequestHandler.set_status),
)


def missing() -> Iterator[Internal]:
    """Those that the installed tornado does not have, or does not use as we expect."""
    for internal in INTERNALS:
        if internal.set_by is not None:
            is_there = internal.name in _names(internal.set_by)
        else:
            is_there = hasattr(internal.owner, internal.name)
        if not is_there or (internal.used_by is not None and internal.name not in _names(internal.used_by)):
            yield internal


def _names(function: object) -> set[str]:
    """The attributes and globals that a function uses, also in the functions inside it."""
    found: set[str] = set()
    waiting = [function.__code__] if isinstance(function, FunctionType) else []
    while waiting:
        code = waiting.pop()
        found |= set(code.co_names)
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


def check() -> None:
    """Raises ImportError."""
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
    """What `stream` holds because its reader has not taken it."""
    return len(stream._write_buffer or b"")  # None when it is closed

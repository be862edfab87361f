"""One table of everything that answers."""

from collections.abc import Callable
from typing import Any

from chat.house import Chat
from handlers import health, web
from handlers.base import App, DoorSettings, NotFound
from handlers.codes import routes as codes
from handlers.invites import routes as invites
from handlers.sealed import routes as sealed
from handlers.sockets import Socket, Sockets

PING_S = 30.0  # a peer that vanished without a word is noticed within two of these

DOORS = [*codes.ROUTES, *invites.ROUTES, *sealed.ROUTES]
LONG_BODIES = codes.LONG_BODIES | invites.LONG_BODIES | sealed.LONG_BODIES


def application(chat: Chat, door: DoorSettings, sockets: Sockets, worst_stall_ms: Callable[[], float]) -> App:
    parts: dict[str, Any] = {"chat": chat, "door": door}
    return App(
        [
            *(
                (path, handler, parts | ({"sockets": sockets} if issubclass(handler, Socket) else {}))
                for path, handler in DOORS
            ),
            (r"/healthz", health.ReadyHandler, parts | {"worst_stall_ms": worst_stall_ms}),
            (r"/(sw\.js|web/.+)?", web.WebHandler, parts),
        ],
        default_handler_class=NotFound,
        default_handler_args=parts,
        websocket_ping_interval=PING_S,
    )

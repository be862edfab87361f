"""One table of everything that answers."""

from collections.abc import Callable
from typing import Any

from chat.services import Services
from handlers.codes_api import routes as codes
from handlers.http import health
from handlers.http.base import ApiSettings, App, NotFound
from handlers.invites_api import routes as invites
from handlers.static import files as web
from handlers.v2 import routes as sealed
from handlers.websocket.connections import Connections
from handlers.websocket.socket import Socket

PING_S = 30.0  # a peer that vanished without a word is noticed within two of these

DOORS = [*codes.ROUTES, *invites.ROUTES, *sealed.ROUTES]
LONG_BODIES = codes.LONG_BODIES | invites.LONG_BODIES | sealed.LONG_BODIES


def application(
    services: Services, api: ApiSettings, connections: Connections, worst_loop_lag_ms: Callable[[], float]
) -> App:
    parts: dict[str, Any] = {"services": services, "api": api}
    return App(
        [
            *(
                (path, handler, parts | ({"connections": connections} if issubclass(handler, Socket) else {}))
                for path, handler in DOORS
            ),
            (r"/healthz", health.ReadyHandler, parts | {"worst_loop_lag_ms": worst_loop_lag_ms}),
            (r"/(sw\.js|web/.+)?", web.WebHandler, parts),
        ],
        default_handler_class=NotFound,
        default_handler_args=parts,
        websocket_ping_interval=PING_S,
    )

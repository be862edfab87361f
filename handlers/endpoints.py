"""One table of all endpoints, and the application that serves them."""

from collections.abc import Callable
from typing import Any

from chat.services import Services
from handlers.codes_api.endpoints import API as CODES_API
from handlers.http.api import Api
from handlers.http.base import ApiSettings, App, NotFound
from handlers.http.endpoint import Endpoint, SocketEndpoint, pattern
from handlers.http.health import ReadyHandler
from handlers.invites_api.endpoints import API as INVITES_API
from handlers.static.files import WebHandler
from handlers.v2.endpoints import API as V2_API
from handlers.websocket.connections import Connections

PING_S = 30.0  # a peer that vanishes without a close frame is noticed within two of these

APIS = {"codes": CODES_API, "v2": V2_API, "invites": INVITES_API}
ENDPOINTS: list[Endpoint | SocketEndpoint] = [one for api in APIS.values() for one in api.endpoints]
LONG_BODIES = {pattern(one.path) for api in APIS.values() for one in api.http if one.is_long}

Route = tuple[str, type, dict[str, Any]]


def application(
    services: Services, api: ApiSettings, connections: Connections, worst_loop_lag_ms: Callable[[], float]
) -> App:
    """Build the application. A request is compared with the roots of the APIs, then with the paths of one of them.

    `worst_loop_lag_ms` is called for each request to /healthz.
    """
    shared: dict[str, Any] = {"services": services, "api": api}
    return App(
        [
            *((_under(one.root), _routes(one, connections, shared)) for one in APIS.values()),
            (r"/healthz", ReadyHandler, shared | {"worst_loop_lag_ms": worst_loop_lag_ms}),
            (r"/(sw\.js|web/.+)?", WebHandler, shared),
        ],
        default_handler_class=NotFound,
        default_handler_args=shared,
        websocket_ping_interval=PING_S,
    )


def _under(root: str) -> str:
    """Return the regular expression of the paths that begin with `root`."""
    return f"{root}(?:/.*)?"


def _routes(api: Api, connections: Connections, shared: dict[str, Any]) -> list[Route]:
    """Return one route for each path, in the order of the table, and one for all others under the root."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    routes: list[Route] = []
    for one in api.endpoints:
        if isinstance(one, SocketEndpoint):
            more = {"connections": connections, "access": one.access, "limits": one.limits, "route": one.path}
            routes.append((pattern(one.path), one.handler, shared | more))
            continue
        if one.path not in by_path:
            by_path[one.path] = {}
            arguments = {"endpoints": by_path[one.path], "route": one.path}
            routes.append((pattern(one.path), api.handler, shared | arguments))
        by_path[one.path][one.method] = one
    if api.not_found is not None:
        routes.append((_under(api.root), api.not_found, shared | {"route": _under(api.root)}))
    return routes

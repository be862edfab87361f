"""/v2/openapi.json and /v2/asyncapi.json, generated from the table of endpoints and the types of the frames."""

from functools import cache
from typing import Any

from msgspec import Struct

from handlers.http import openapi
from handlers.http.endpoint import Call, Endpoint
from handlers.v2.schemas import frames
from handlers.v2.schemas.direct import TextFrame
from handlers.v2.schemas.groups import WelcomeShown
from handlers.websocket import asyncapi

TITLE = "Sottovoce v2 API"
VERSION = "2"
RECEIVED = {"send": frames.Send, "ack": frames.Ack, "typing": frames.Typing, "ping": frames.Ping}
SENT = {
    "entry": frames.EntryShown,
    "welcome": WelcomeShown,
    "direct": TextFrame,
    "sent": frames.SentFrame,
    "refused": frames.Refused,
    "event": frames.EventFrame,
    "ready": frames.Ready,
    "pong": frames.Pong,
    "problem": frames.Problem,
}


class Error(Struct, frozen=True):
    """`code` is missing if no rule of the domain refused the request: 404 of an unknown path, 405, 500."""

    error: str
    code: str | None = None


@cache
def v2_openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the v2 API. It is made once a process."""
    from handlers.v2.endpoints import ENDPOINTS  # the table contains these endpoints

    return openapi.document(TITLE, VERSION, [one for one in ENDPOINTS if isinstance(one, Endpoint)], Error)


@cache
def v2_asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document of /v2/socket. It is made once a process."""
    return asyncapi.document(TITLE, VERSION, "/v2/socket", RECEIVED, SENT)


async def show_openapi(_call: Call) -> dict[str, Any]:
    """Describe the HTTP endpoints of this API (OpenAPI 3.1)."""
    return v2_openapi()


async def show_asyncapi(_call: Call) -> dict[str, Any]:
    """Describe the frames of the socket of this API (AsyncAPI 3.0)."""
    return v2_asyncapi()

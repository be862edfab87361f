"""/v2/openapi.json and /v2/asyncapi.json, generated from the table of endpoints and the types of the frames."""

from functools import cache
from typing import Any

from handlers.http import openapi
from handlers.http.endpoint import Call
from handlers.websocket import asyncapi


@cache
def _documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both documents. They are made once a process."""
    from handlers.v2.endpoints import API  # the table contains these endpoints

    return openapi.document(API), asyncapi.document(API)


async def show_openapi(_call: Call) -> dict[str, Any]:
    """Describe the HTTP endpoints of this API (OpenAPI 3.1)."""
    return _documents()[0]


async def show_asyncapi(_call: Call) -> dict[str, Any]:
    """Describe the frames of the socket of this API (AsyncAPI 3.0)."""
    return _documents()[1]

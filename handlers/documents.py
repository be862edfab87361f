"""`python -m handlers.documents FOLDER` writes the OpenAPI and AsyncAPI documents of every API. `make docs` runs it."""

import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from handlers.endpoints import APIS
from handlers.http import openapi
from handlers.http.endpoint import Endpoint
from handlers.v2.description import v2_asyncapi, v2_openapi
from handlers.websocket import asyncapi

VERSION = "1"  # of the two contracts


class Error(Struct, frozen=True):
    """The body of every error of the two contracts: a text for people."""

    error: str


def documents() -> dict[str, dict[str, Any]]:
    """Return all documents by file name."""
    return {
        "openapi-codes.json": _contract("Sottovoce codes API", "codes"),
        "openapi-invites.json": _contract("Sottovoce invites API", "invites"),
        "openapi-v2.json": v2_openapi(),
        "asyncapi-codes.json": asyncapi.document(
            "Sottovoce codes API", VERSION, "/api/chats/ws", {"text": str}, {"text": str}
        ),
        "asyncapi-v2.json": v2_asyncapi(),
    }


def _contract(title: str, api: str) -> dict[str, Any]:
    endpoints = [one for one in APIS[api].ENDPOINTS if isinstance(one, Endpoint)]
    return openapi.document(title, VERSION, endpoints, Error)


def encoded(document: dict[str, Any]) -> bytes:
    """Encode a document as JSON with an indent of one space and a final newline, as the files in docs/ have it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


if __name__ == "__main__":
    for name, one in documents().items():
        Path(sys.argv[1], name).write_bytes(encoded(one))

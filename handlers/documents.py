"""`python -m handlers.documents FOLDER` writes the OpenAPI and AsyncAPI documents of every API. `make docs` runs it."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from handlers.endpoints import APIS
from handlers.http import openapi
from handlers.websocket import asyncapi


def documents() -> dict[str, dict[str, Any]]:
    """Return all documents by file name."""
    http = {f"openapi-{name}.json": openapi.document(api) for name, api in APIS.items()}
    return http | {f"asyncapi-{name}.json": asyncapi.document(api) for name, api in APIS.items() if api.sockets}


def encoded(document: dict[str, Any]) -> bytes:
    """Encode a document as JSON with an indent of one space and a final newline, as the files in docs/ have it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


if __name__ == "__main__":
    for name, one in documents().items():
        Path(sys.argv[1], name).write_bytes(encoded(one))

"""The AsyncAPI 3.0 document of the WebSocket of an API, generated from the types of its frames. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.http.api import Api


def document(api: Api) -> dict[str, Any]:
    """Return the document of the one socket of `api`."""
    (socket,) = api.sockets
    messages = {**socket.received, **socket.sent}
    schemas, components = msgspec.json.schema_components(
        list(messages.values()), ref_template="#/components/schemas/{name}"
    )
    shapes = dict(zip(messages, schemas, strict=True))
    return {
        "asyncapi": "3.0.0",
        "info": {"title": api.title, "version": api.version},
        "channels": {
            "socket": {
                "address": socket.path,
                "messages": {name: {"name": name, "payload": shape} for name, shape in shapes.items()},
            }
        },
        "operations": {
            "receive": _operation("receive", socket.received),
            "send": _operation("send", socket.sent),
        },
        "components": {"schemas": components},
    }


def _operation(action: str, messages: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"} for name in messages],
    }

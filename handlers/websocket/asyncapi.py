"""The AsyncAPI 3.0 document of a WebSocket, generated from the types of its frames. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec


def document(
    title: str, version: str, address: str, received: Mapping[str, Any], sent: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the document. `received` and `sent`, as the server sees them: the type of each message by name."""
    messages = {**received, **sent}
    schemas, components = msgspec.json.schema_components(
        list(messages.values()), ref_template="#/components/schemas/{name}"
    )
    shapes = dict(zip(messages, schemas, strict=True))
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version},
        "channels": {
            "socket": {
                "address": address,
                "messages": {name: {"name": name, "payload": shape} for name, shape in shapes.items()},
            }
        },
        "operations": {
            "receive": _operation("receive", received),
            "send": _operation("send", sent),
        },
        "components": {"schemas": components},
    }


def _operation(action: str, messages: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"} for name in messages],
    }

"""docs/PROTOCOL.md documents the frames, endpoints and error codes of the server, and no others."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat import errors
from handlers.v2.endpoints import ENDPOINTS
from handlers.v2.schemas import frames
from handlers.v2.schemas.direct import TextFrame
from handlers.v2.schemas.groups import WelcomeShown

TEXT = (Path(__file__).parent.parent.parent / "docs" / "PROTOCOL.md").read_text()
FROM_SERVER = (
    frames.EntryShown
    | frames.SentFrame
    | frames.Refused
    | WelcomeShown
    | TextFrame
    | frames.Ready
    | frames.Pong
    | frames.Problem
)
TAGS = {"direct", "entry", "sent", "refused", "welcome", "ready", "pong", "problem"}
EVENTS = {
    "devices_changed",
    "members_changed",
    "profile_changed",
    "direct_changed",
    "key_packages_low",
    "links_changed",
    "deleted",
    "typing",
}


def examples(kind: str) -> list[str]:
    return re.findall(rf"```json {kind}\n(.*?)\n```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", examples("frame client"), ids=lambda text: msgspec.json.decode(text)["type"])
def test_protocol_client_frame_is_decoded(example: str) -> None:
    assert msgspec.json.encode(frames.decode_frame(example)) == msgspec.json.encode(msgspec.json.decode(example))


def test_protocol_documents_every_client_frame() -> None:
    kinds = {type(frames.decode_frame(example)) for example in examples("frame client")}
    assert kinds == {frames.Send, frames.Ack, frames.Typing, frames.Ping}


def test_protocol_server_frames_match_their_types() -> None:
    seen = set()
    for example in examples("frame server"):
        plain: dict[str, Any] = msgspec.json.decode(example)
        shape = frames.EventFrame if plain["type"] in EVENTS else FROM_SERVER
        frame = msgspec.json.decode(example, type=shape)
        assert msgspec.json.decode(msgspec.json.encode(frame)) == plain
        seen.add(plain["type"])
    assert seen == TAGS | EVENTS


def test_protocol_documents_every_endpoint() -> None:
    listed = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/v2/[^`? ]*)", TEXT)
    documented = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in listed}
    endpoints = {(one.method, re.sub(r"\{\w+\}", "{}", one.path)) for one in ENDPOINTS}
    assert endpoints <= documented, "without a row in docs/PROTOCOL.md"
    assert documented <= endpoints, "documented, but not implemented"


def test_protocol_documents_every_error_code() -> None:
    """Rows are `| code | status | when | what to do |`. Codes of other APIs are not in this document."""
    documented = dict(re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", TEXT, re.MULTILINE))
    never_raised = {errors.ChatError, errors.Forbidden, errors.Conflict}
    elsewhere = {errors.ConversationExists}
    answered = {one.code: str(one.status) for one in tree(errors.ChatError) - never_raised - elsewhere}
    assert documented == answered


def tree(error: type[errors.ChatError]) -> set[type[errors.ChatError]]:
    """The error classes of chat/errors.py; an API may define more."""
    children = [one for one in error.__subclasses__() if one.__module__ == errors.__name__]
    return {error, *(one for child in children for one in tree(child))}

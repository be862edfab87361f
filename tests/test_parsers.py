"""Property tests of the parsers: every input parses or raises Invalid."""

import json
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.errors import Invalid, InvalidBody
from chat.model.ids import MAX_ID, ConversationId, Seq
from chat.model.messages import message_uuid, seq_of
from handlers.codes_api import schemas as codes_wire
from handlers.codes_api.messages import parse_cursor
from handlers.endpoints import ENDPOINTS
from handlers.http.base import Handler, encode
from handlers.http.endpoint import Endpoint
from handlers.http.parameters import number, parse_uuid
from handlers.invites_api import schemas as invites_wire
from handlers.invites_api.pictures import picture_of
from handlers.invites_api.schemas import local_timestamp
from handlers.v2.schemas import groups

BODIES_TRIED = 15  # for each body type, in four variants; all use the same decoder, so the examples add up
SEQS = st.integers(0, 2**62 - 1).map(Seq)
CONVERSATIONS = st.uuids().map(ConversationId)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def bodies() -> list[type]:
    """The body types of all endpoints."""
    return sorted({one.body for one in ENDPOINTS if isinstance(one, Endpoint) and one.body is not None}, key=str)


def body(content: bytes, shape: type) -> Any:
    """The result of `Handler.body`, without a server."""
    handler: Any = SimpleNamespace(request=SimpleNamespace(body=content))
    return Handler.body(handler, shape)


def check_body(content: bytes, shape: type) -> None:
    with suppress(Invalid):
        assert isinstance(body(content, shape), shape)


def test_bodies_of_the_endpoints_are_found() -> None:
    assert {codes_wire.Register, codes_wire.MessageEdit, invites_wire.Send, groups.NewCommit} <= set(bodies())


@pytest.mark.parametrize("shape", bodies(), ids=lambda shape: shape.__module__.split(".")[1] + "." + shape.__name__)
@settings(max_examples=BODIES_TRIED, deadline=None)
@given(st.data())
def test_body_of_any_bytes_parses_or_is_invalid(shape: type, data: st.DataObject) -> None:
    check_body(data.draw(st.binary(max_size=40), label="bytes"), shape)
    check_body(json.dumps(data.draw(JSON, label="value")).encode(), shape)
    fields = msgspec.structs.fields(shape)
    named = {field.encode_name: data.draw(JSON | st.text() | st.uuids().map(str), field.name) for field in fields}
    check_body(json.dumps(named).encode(), shape)
    check_body(json.dumps(named).encode()[: data.draw(st.integers(0, 60), label="cut")], shape)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(b"", InvalidBody, id="empty"),
        pytest.param(b"{", InvalidBody, id="truncated"),
        pytest.param(b'{"username":"","password":""}{}', InvalidBody, id="two objects"),
        pytest.param(b"[" * 100_000, Invalid, id="deeply nested, not an object"),
        pytest.param(b'{"x":' * 100_000, InvalidBody, id="deeply nested object"),
        pytest.param(b'{"username":"\xff","password":""}', InvalidBody, id="not UTF-8"),
        pytest.param(b'{"username":"\xed\xa0\x80","password":""}', InvalidBody, id="a surrogate in UTF-8"),
        pytest.param(b'{"username":"\\ud800","password":""}', InvalidBody, id="a lone surrogate"),
        pytest.param(b"{'username': 'a'}", InvalidBody, id="not JSON"),
        pytest.param(b"{}", Invalid, id="a field is missing"),
        pytest.param(b'{"username":1,"password":""}', Invalid, id="a field is of the wrong type"),
        pytest.param(b"[]", Invalid, id="not an object"),
        pytest.param(b"null", Invalid, id="null"),
    ],
)
def test_body_malformed_and_body_invalid_are_different_errors(content: bytes, error: type[Invalid]) -> None:
    with pytest.raises(Invalid) as refused:
        body(content, invites_wire.Login)
    assert type(refused.value) is error


def test_body_with_lone_surrogate_is_invalid() -> None:
    """A lone surrogate would otherwise fail later, where the text is hashed, stored or sent."""
    for content in (b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800x"', b'"\xed\xa0\x80"'):
        with pytest.raises(Invalid):
            body(b'{"username":' + content + b',"password":""}', invites_wire.Login)
    assert body(b'{"username":"\\ud83d\\ude42","password":""}', invites_wire.Login).username == "🙂"


@settings(max_examples=300)
@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,16}([Zz]|[+ -][0-9:]{4,6})?"))
def test_cursor_of_any_text_parses_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert parse_cursor("cursor", text).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "x", "2026-01-18", "2026-01-18T10:30:00", "1768732200", "0001-01-01T00:00:00+10:00", "2026-01-18T10Z"]
)
def test_cursor_without_offset_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        parse_cursor("cursor", text)


@settings(max_examples=200)
@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.integers(-23 * 60, 23 * 60))
def test_cursor_round_trips_in_every_zone(moment: datetime, offset: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert parse_cursor("cursor", there.isoformat()) == there
    assert parse_cursor("cursor", there.isoformat().replace("+", " ")) == there
    shown = msgspec.json.decode(encode(there.astimezone(UTC)), type=str)
    assert parse_cursor("cursor", shown) == there


@settings(max_examples=300)
@given(st.text(max_size=25) | st.integers().map(str))
def test_number_of_any_text_parses_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert 5 <= number("n", text, 5, MAX_ID) <= MAX_ID


@settings(max_examples=100)
@given(st.integers(0, MAX_ID))
def test_number_in_range_round_trips(value: int) -> None:
    assert number("n", str(value), 0, MAX_ID) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1_0", "٣", "²", "101", "007", "9" * 5000]
)
def test_number_not_in_canonical_form_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        number("n", text, 0, 100)


@settings(max_examples=100)
@given(st.uuids())
def test_uuid_round_trips(value: UUID) -> None:
    assert parse_uuid("id", str(value)) == value


@settings(max_examples=100)
@given(st.text(max_size=40) | st.from_regex(r"[0-9a-f-]{30,40}", fullmatch=True))
def test_uuid_of_any_text_parses_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert str(parse_uuid("id", text)).replace("-", "") == text.lower().replace("-", "")


@settings(max_examples=200)
@given(st.text(max_size=60) | st.text(max_size=30).map("data:image/png;base64,".__add__))
def test_picture_of_any_text_parses_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert text.partition(",")[2] == b64encode(picture_of(text)).decode()


@settings(max_examples=50)
@given(st.binary(max_size=100))
def test_picture_data_url_gives_its_bytes(data: bytes) -> None:
    assert picture_of(f"data:image/webp;base64,{b64encode(data).decode()}") == data


@settings(max_examples=300)
@given(CONVERSATIONS, SEQS, SEQS)
def test_message_uuid_identifies_conversation_and_seq(conversation: ConversationId, seq: Seq, other: Seq) -> None:
    name = message_uuid(conversation, seq)
    assert seq_of(conversation, name) == seq
    assert (name == message_uuid(conversation, other)) == (seq == other)
    assert name.version == 8
    assert name.variant == "specified in RFC 4122"


@settings(max_examples=300)
@given(CONVERSATIONS, CONVERSATIONS, SEQS, st.uuids())
def test_message_uuid_of_another_conversation_gives_no_seq(
    here: ConversationId, there: ConversationId, seq: Seq, anything: UUID
) -> None:
    if (here.int ^ there.int) >> 64 & ~0xF000:
        assert seq_of(here, message_uuid(there, seq)) is None
    found = seq_of(here, anything)
    assert found is None or message_uuid(here, found) == anything


@pytest.mark.parametrize(
    ("hour", "text"),
    [(0, "12:05:09 AM"), (1, "1:05:09 AM"), (11, "11:05:09 AM"), (12, "12:05:09 PM"), (23, "11:05:09 PM")],
)
def test_timestamp_has_the_format_of_the_contract(hour: int, text: str) -> None:
    assert local_timestamp(datetime(2026, 1, 18, hour, 5, 9).astimezone()) == f"1/18/2026, {text}"

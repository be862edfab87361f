"""WebSocket frames of clients, valid and invalid: the parser alone, and over a connection."""

import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, State
from websockets.protocol import Protocol as WebSocketProtocol

from chat.model.messages import MAX_CONTENT_CHARS
from handlers.websocket.frames import BadFrame, FrameParser, decode, text_frame
from handlers.websocket.socket import MAX_FRAME_BYTES
from testing.raw import Raw
from tests.conftest import Users

MAX = 70_000
TEXT, BINARY, CLOSE, PING, PONG = map(int, (Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE, Opcode.PING, Opcode.PONG))


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    """A frame as the websockets library serialises it."""
    return Frame(Opcode(opcode), payload, fin).serialize(mask=masked)


def header(first: int, length: int) -> bytes:
    """The header of a masked frame with a 64-bit length."""
    return struct.pack("!BBQ", first, 0x80 | 127, length) + os.urandom(4)


def parsed(pieces: Sequence[bytes], max_message_bytes: int = MAX) -> list[tuple[int, bytes]]:
    parser = FrameParser(max_message_bytes)
    return [message for piece in pieces for message in parser.feed(piece)]


def split(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


lengths = st.sampled_from([0, 1, 4, 125, 126, 127, 65_535, 65_536, MAX])
payloads = lengths.map(lambda n: (b"\xf0\x9f\x98\x80abc" * (n // 7 + 1))[:n])
messages = st.lists(
    st.tuples(st.sampled_from([TEXT, BINARY]), payloads, st.lists(st.integers(0), max_size=3)), max_size=5
)
controls = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))


@given(messages, st.lists(controls, max_size=3), st.lists(st.integers(0), max_size=8))
@example([(TEXT, b"a" * MAX, [1])], [(PING, b"b" * 125)], [])
def test_frame_parser_reads_frames_split_anywhere(
    sent: list[tuple[int, bytes, list[int]]], between: list[tuple[int, bytes]], places: list[int]
) -> None:
    data, expected = b"", []
    for opcode, payload, fragments in sent:
        pieces = split(payload, fragments) or [b""]
        for nth, piece in enumerate(pieces):
            data += frame(opcode if nth == 0 else 0, piece, fin=nth == len(pieces) - 1)
            if nth < len(pieces) - 1:
                for control in between:  # RFC 6455 section 5.4: they may come between fragments
                    data += frame(*control)
                    expected.append(control)
        expected.append((opcode, payload))
    assert parsed(split(data, places)) == expected


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_frame_parser_reads_or_refuses_any_bytes(pieces: list[bytes]) -> None:
    with suppress(BadFrame):
        assert sum(len(payload) for _, payload in parsed(pieces, 100)) <= sum(map(len, pieces))


LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 4 * MAX_CONTENT_CHARS]


@pytest.mark.parametrize("length", LENGTHS)
def test_text_frame_of_any_length_is_read_by_another_library(length: int) -> None:
    check_frame("x" * length)


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_text_frame_of_any_text_is_read_by_another_library(text: str) -> None:
    check_frame(text)


def check_frame(text: str) -> None:
    peer = WebSocketProtocol(CLIENT, state=State.OPEN, max_size=None)
    peer.receive_data(text_frame(text) + text_frame("next"))
    first, following = peer.events_received()
    assert (first.opcode, first.fin, bytes(first.data).decode()) == (Opcode.TEXT, True, text)  # type: ignore[union-attr]
    assert bytes(following.data) == b"next"  # type: ignore[union-attr]
    assert peer.parser_exc is None


BAD = {
    "unmasked": (frame(TEXT, b"hello", masked=False), 1002),
    "reserved bit": (b"\xc1\x80\0\0\0\0", 1002),
    "unknown data opcode": (b"\x83\x80\0\0\0\0", 1002),
    "unknown control opcode": (b"\x8b\x80\0\0\0\0", 1002),
    "fragmented ping": (b"\x09\x80\0\0\0\0", 1002),
    "ping of 126 bytes": (b"\x89\xfe\x00\x7e\0\0\0\0", 1002),
    "continuation without a first frame": (b"\x80\x80\0\0\0\0", 1002),
    "a message within another": (frame(TEXT, b"one", fin=False) + frame(TEXT, b"two"), 1002),
    "truncated close code": (frame(CLOSE, b"\x03"), 1002),
    "reserved close code": (frame(CLOSE, struct.pack("!H", 1006)), 1002),
    "close reason that is not UTF-8": (frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
    "text that is not UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "truncated character": (frame(TEXT, "é".encode()[:1]), 1007),
    "length not minimally encoded": (b"\x81\xfe\0\x05" + b"\0" * 9, 1002),
    "length over the limit": (header(0x81, MAX_FRAME_BYTES + 1), 1009),
    "largest length": (header(0x81, 2**64 - 1), 1009),
    "fragments over the limit": (frame(TEXT, b"a" * MAX_FRAME_BYTES, fin=False) + frame(0, b"b"), 1009),
}


@pytest.mark.parametrize(("data", "code"), BAD.values(), ids=BAD)
def test_frame_parser_refuses_a_bad_frame_by_itself(data: bytes, code: int) -> None:
    """Over a connection, what follows it could be the reason."""
    with pytest.raises(BadFrame) as refused:
        [decode(payload) for _, payload in parsed([data], MAX_FRAME_BYTES)]
    assert refused.value.code == code
    assert str(refused.value)[0].isalpha(), "the reason alone, for the close frame"


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4999])
def test_frame_parser_reads_a_valid_close_code(code: int) -> None:
    payload = struct.pack("!H", code) + b"bye"
    assert parsed([frame(CLOSE, payload)]) == [(CLOSE, payload)]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
def test_frame_parser_refuses_an_invalid_close_code(code: int) -> None:
    with pytest.raises(BadFrame):
        parsed([frame(CLOSE, struct.pack("!H", code))])


def test_frame_parser_bounds_fragments_together_without_controls() -> None:
    first, ping = frame(TEXT, b"a" * 90, fin=False), frame(PING, b"p" * 125)
    assert parsed([first + ping + frame(0, b"b" * 10)], 100) == [(PING, b"p" * 125), (TEXT, b"a" * 90 + b"b" * 10)]
    with pytest.raises(BadFrame) as refused:
        parsed([first + ping + frame(0, b"b" * 11)], 100)
    assert refused.value.code == 1009


def test_frame_parser_counts_what_it_holds() -> None:
    parser = FrameParser(MAX)
    half = frame(0, b"b" * 50)[:30]
    assert list(parser.feed(frame(TEXT, b"a" * 200, fin=False) + half)) == []
    assert parser.held_bytes == 200 + len(half)


def test_frame_parser_copies_a_long_frame_once() -> None:
    parser, data = FrameParser(1 << 22), frame(TEXT, b"a" * (1 << 22))
    since = process_time()
    pieces = [message for start in range(0, len(data), 256) for message in parser.feed(data[start : start + 256])]
    assert len(pieces) == 1
    assert process_time() - since < 1.0, "copied at each piece, it takes 16,000 copies of 2 MiB"


@pytest.mark.parametrize(("data", "code"), BAD.values(), ids=BAD)
async def test_bad_frame_closes_with_its_code_after_earlier_messages(users: Users, data: bytes, code: int) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    raw = await Raw.websocket(alice.server.http, alice.token, conversation)
    raw.writer.write(frame(TEXT, b"before") + data + b"\x55" * 100_000)  # the server must not parse what follows
    answer = await raw.rest()
    raw.writer.close()
    assert answer[:1] == b"\x88"
    assert struct.unpack("!H", answer[2:4]) == (code,)
    await at_bob.receives("before")
    await at_bob.receives_nothing(0.05)


async def test_frames_after_a_close_frame_are_ignored(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    raw = await Raw.websocket(alice.server.http, alice.token, conversation)
    raw.writer.write(frame(TEXT, b"before") + frame(CLOSE, b"") + frame(TEXT, b"after") + b"\xff" * 20)
    await at_bob.receives("before")
    await at_bob.receives_nothing(0.1)
    raw.writer.close()


async def test_text_in_many_small_fragments_is_delivered(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    raw = await Raw.websocket(alice.server.http, alice.token, conversation)
    text = "Grüße " * 10_000
    data = text.encode()
    for start in range(0, len(data), 1000):
        last = start + 1000 >= len(data)
        raw.writer.write(frame(0 if start else TEXT, data[start : start + 1000], fin=last))
        await raw.writer.drain()
    await at_bob.receives(text)
    raw.writer.close()

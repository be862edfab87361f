"""The codes API's WebSocket: the handshake, what may be said, and how it ends."""

import asyncio
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from testing.raw import Raw
from testing.server import PATIENCE_S, RunningServer
from tests.conftest import StartServer, Users

EMOJI = "\N{GRINNING FACE}"  # four bytes in UTF-8
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
TEXT, CLOSE = 0x1, 0x8  # opcodes: RFC 6455 section 5.2


async def test_two_people_talk_live(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.says("hello")
    await at_bob.hears("hello")
    await at_bob.says("how are you?")
    await at_alice.hears("how are you?")
    assert await alice.history(conversation) == ["how are you?", "hello"]


async def test_none_of_the_senders_own_sockets_hears_the_message(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    laptop, phone = await alice.opens(conversation), await alice.opens(conversation)
    at_bob = await bob.opens(conversation)
    await laptop.says("to bob")
    await at_bob.hears("to bob")
    await laptop.hears_nothing()
    await phone.hears_nothing()


# The handshake


async def test_a_stranger_is_refused_with_401(users: Users) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await eve.opens(conversation)
    assert refused.value.response.status_code == 401


async def test_a_foreign_origin_is_refused_with_403(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation, Origin="https://evil.example")
    assert refused.value.response.status_code == 403
    await alice.opens(conversation, Origin=server.http)


async def test_a_handshake_that_is_wrong_is_refused_in_json(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    right = f"?chatId={await alice.meets(bob)}"
    stranger = server.client()
    for client, query, headers, status in (
        (alice.api, "", HANDSHAKE, 400),
        (alice.api, "?chatId=", HANDSHAKE, 400),
        (alice.api, "?chatId=1", HANDSHAKE, 400),
        (alice.api, f"?chatId={uuid4()}", HANDSHAKE, 401),
        (stranger, right, HANDSHAKE, 401),
        (stranger, right, HANDSHAKE | {"Authorization": "Bearer garbage"}, 401),
        (alice.api, right, {}, 400),
        (alice.api, right, HANDSHAKE | {"Upgrade": "h2c"}, 400),
        (alice.api, right, HANDSHAKE | {"Connection": "close"}, 400),
        (alice.api, right, HANDSHAKE | {"Sec-WebSocket-Key": ""}, 400),
        (alice.api, right, HANDSHAKE | {"Sec-WebSocket-Version": "8"}, 426),
    ):
        answer = await client.get(f"/api/chats/ws{query}", headers=headers)
        assert (answer.status_code, list(answer.json())) == (status, ["error"]), (query, headers)
    assert answer.headers["Sec-WebSocket-Version"] == "13"


# What may be said


async def test_blank_messages_and_those_with_nul_are_ignored_and_the_next_ones_are_not(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    for text in ("", " ", "\r\n\t\u2003", "a\0b", "\0", " heard ", "a\0b", "heard too"):
        await at_alice.says(text)
    await at_bob.hears(" heard ", "heard too")
    assert await bob.history(conversation) == ["heard too", " heard "]


async def test_a_message_in_fragments_is_one_message(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.socket.send(["gr\u00fc", "\u00df ", "dich ", EMOJI])
    await at_bob.hears(f"gr\u00fc\u00df dich {EMOJI}")


async def test_a_binary_message_closes_with_1003(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice = await alice.opens(conversation)
    await at_alice.says(b"hello")
    await at_alice.is_closed_with(1003)
    assert await bob.history(conversation) == []


async def test_700_000_characters_arrive_intact_whatever_they_weigh(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    longest = EMOJI * 700_000
    assert len(longest.encode()) == 2_800_000
    await at_alice.says(longest)
    await at_bob.hears(longest)
    assert await bob.history(conversation) == [longest]


@pytest.mark.parametrize("character", ["x", EMOJI], ids=["one byte", "four bytes"])
async def test_700_001_characters_close_with_1009(users: Users, character: str) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice = await alice.opens(conversation)
    await at_alice.says(character * 700_001)
    await at_alice.is_closed_with(1009)
    assert await bob.history(conversation) == []


async def test_2_000_messages_without_a_pause_arrive_in_order_and_leave_no_gap(
    users: Users, server: RunningServer
) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    texts = [str(number) for number in range(2000)]

    async def say_all() -> None:
        for text in texts:
            await at_alice.says(text)

    await asyncio.gather(say_all(), at_bob.hears(*texts))
    stored = await server.sql("SELECT content, seq FROM messages WHERE conversation_id = %s ORDER BY seq", conversation)
    assert stored == [(text, seq) for seq, text in enumerate(texts, start=1)]


# How it ends


async def frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and payload."""
    first, length = await reader.readexactly(2)
    if length > 125:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    return first & 0xF, await reader.readexactly(length)


async def test_a_slow_reader_is_closed_while_the_others_hear_everything(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    raw = await Raw.websocket(bob.server.http, bob.token, conversation, receive_bytes=1 << 16)
    reader, writer = raw.reader, raw.writer
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    texts = [f"{number} {'x' * 690_000}" for number in range(24)] + ["short", "shorter"]

    async def say_all() -> None:
        for text in texts:
            await at_alice.says(text)

    await asyncio.gather(say_all(), at_bob.hears(*texts))
    heard = [await frame(reader)]
    while heard[-1][0] == TEXT:
        heard.append(await asyncio.wait_for(frame(reader), PATIENCE_S))
    opcode, goodbye = heard.pop()
    assert (opcode, int.from_bytes(goodbye[:2], "big")) == (CLOSE, 1013)
    assert 0 < len(heard) < len(texts)
    assert [text.decode() for _, text in heard] == texts[: len(heard)]
    writer.write(bytes([0x80 | CLOSE, 0x80, 0, 0, 0, 0]))
    rest = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert not rest, f"after the goodbye came {rest!r:.100}"
    writer.close()


@pytest.mark.parametrize("table", ["sessions WHERE user_id", "users WHERE id"], ids=["session", "account"])
async def test_a_session_that_is_deleted_by_anyone_closes_its_sockets(
    users: Users, server: RunningServer, table: str
) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    laptop, phone = await alice.opens(conversation), await alice.opens(conversation)
    at_bob = await bob.opens(conversation)
    await laptop.says("still there")
    await at_bob.hears("still there")
    await server.sql(f"DELETE FROM {table} = %s", alice.id)
    await laptop.is_closed_with(1008)
    await phone.is_closed_with(1008)
    await at_bob.hears_nothing()
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation)
    assert refused.value.response.status_code == 401


@pytest.mark.logs("the bus lost its connection")
async def test_a_session_that_ended_unheard_closes_its_sockets_all_the_same(start_server: StartServer) -> None:
    server = await start_server()
    alice, bob = await server.person("alice"), await server.person("bob")
    at_alice = await alice.opens(await alice.meets(bob))
    bus = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN sottovoce'"
    assert await server.sql(bus)
    await server.sql(f"SELECT pg_terminate_backend(pid) FROM ({bus}) bus")
    await server.sql("DELETE FROM sessions WHERE id = %s", alice.session_id)
    await at_alice.is_closed_with(1008)


async def test_a_server_that_stops_says_goodbye_with_1001(start_server: StartServer) -> None:
    server = await start_server()
    alice, bob = await server.person("alice"), await server.person("bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    server.stop.set()
    await at_alice.is_closed_with(1001)
    await at_bob.is_closed_with(1001)

"""The WebSocket of the codes API: handshake, messages, and close."""

import asyncio
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from testing.raw import Raw
from testing.server import PASSWORD, PATIENCE_S, RunningServer, until
from tests.conftest import StartServer, Users
from tests.test_frames import frame as frame_bytes

EMOJI = "\N{GRINNING FACE}"  # four bytes in UTF-8
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
TEXT, CLOSE = 0x1, 0x8  # opcodes: RFC 6455 section 5.2


async def test_codes_socket_delivers_messages_both_ways(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.sends("hello")
    await at_bob.receives("hello")
    await at_bob.sends("how are you?")
    await at_alice.receives("how are you?")
    assert await alice.history(conversation) == ["how are you?", "hello"]


async def test_codes_socket_does_not_echo_to_the_sender(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    laptop, phone = await alice.opens(conversation), await alice.opens(conversation)
    at_bob = await bob.opens(conversation)
    await laptop.sends("to bob")
    await at_bob.receives("to bob")
    await laptop.receives_nothing()
    await phone.receives_nothing()


# The handshake


async def test_codes_socket_of_a_stranger_is_401(users: Users) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await eve.opens(conversation)
    assert refused.value.response.status_code == 401


async def test_codes_socket_from_a_foreign_origin_is_403(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation, Origin="https://evil.example")
    assert refused.value.response.status_code == 403
    await alice.opens(conversation, Origin=server.http)


async def test_codes_socket_bad_handshake_is_a_json_error(users: Users, server: RunningServer) -> None:
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


# Messages


async def test_codes_socket_ignores_blank_and_nul_messages(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    for text in ("", " ", "\r\n\t\u2003", "a\0b", "\0", " heard ", "a\0b", "heard too"):
        await at_alice.sends(text)
    await at_bob.receives(" heard ", "heard too")
    assert await bob.history(conversation) == ["heard too", " heard "]


async def test_codes_socket_joins_fragments(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.socket.send(["gr\u00fc", "\u00df ", "dich ", EMOJI])
    await at_bob.receives(f"gr\u00fc\u00df dich {EMOJI}")


async def test_codes_socket_binary_message_closes_1003(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice = await alice.opens(conversation)
    await at_alice.sends(b"hello")
    await at_alice.is_closed_with(1003)
    assert await bob.history(conversation) == []


async def test_codes_socket_delivers_700_000_characters(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    longest = EMOJI * 700_000
    assert len(longest.encode()) == 2_800_000
    await at_alice.sends(longest)
    await at_bob.receives(longest)
    assert await bob.history(conversation) == [longest]


@pytest.mark.parametrize("character", ["x", EMOJI], ids=["one byte", "four bytes"])
async def test_codes_socket_700_001_characters_close_1009(users: Users, character: str) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice = await alice.opens(conversation)
    await at_alice.sends(character * 700_001)
    await at_alice.is_closed_with(1009)
    assert await bob.history(conversation) == []


async def test_codes_socket_burst_of_2000_arrives_in_order(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    texts = [str(number) for number in range(2000)]

    async def say_all() -> None:
        for text in texts:
            await at_alice.sends(text)

    await asyncio.gather(say_all(), at_bob.receives(*texts))
    stored = await server.sql("SELECT content, seq FROM messages WHERE conversation_id = %s ORDER BY seq", conversation)
    assert stored == [(text, seq) for seq, text in enumerate(texts, start=1)]


# Close


async def test_codes_socket_slow_consumer_is_closed_others_are_served(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    raw = await Raw.websocket(bob.server.http, bob.token, conversation, receive_bytes=1 << 16)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    texts = [f"{number} {'x' * 690_000}" for number in range(24)] + ["short", "shorter"]

    async def say_all() -> None:
        for text in texts:
            await at_alice.sends(text)

    await asyncio.gather(say_all(), at_bob.receives(*texts))
    heard = [await raw.frame()]
    while heard[-1][0] == TEXT:
        heard.append(await asyncio.wait_for(raw.frame(), PATIENCE_S))
    opcode, close_payload = heard.pop()
    assert (opcode, int.from_bytes(close_payload[:2], "big")) == (CLOSE, 1013)
    assert 0 < len(heard) < len(texts)
    assert [text.decode() for _, text in heard] == texts[: len(heard)]
    raw.writer.write(bytes([0x80 | CLOSE, 0x80, 0, 0, 0, 0]))
    rest = await asyncio.wait_for(raw.reader.read(), PATIENCE_S)
    assert not rest, f"after the close frame came {rest!r:.100}"
    raw.writer.close()


@pytest.mark.parametrize("table", ["sessions WHERE user_id", "users WHERE id"], ids=["session", "account"])
async def test_codes_socket_of_deleted_session_closes_1008(users: Users, server: RunningServer, table: str) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    laptop, phone = await alice.opens(conversation), await alice.opens(conversation)
    at_bob = await bob.opens(conversation)
    await laptop.sends("still there")
    await at_bob.receives("still there")
    await server.sql(f"DELETE FROM {table} = %s", alice.id)
    await laptop.is_closed_with(1008)
    await phone.is_closed_with(1008)
    await at_bob.receives_nothing()
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation)
    assert refused.value.response.status_code == 401


async def test_codes_socket_of_deleted_conversation_closes_1008(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    at_alice = await alice.opens(await alice.meets(bob))
    assert (await bob.api.request("DELETE", "/v2/account", json={"password": PASSWORD})).status_code == 200
    await at_alice.sends("anyone?")
    await at_alice.is_closed_with(1008)


async def test_codes_socket_reads_no_message_after_its_close_frame(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    at_alice.socket.transport.write(frame_bytes(0x1, b"in time") + frame_bytes(0x2, b"") + frame_bytes(0x1, b"late"))
    await at_alice.is_closed_with(1003)
    await at_bob.receives("in time")
    await at_bob.receives_nothing()
    assert await bob.history(conversation) == ["in time"]


@pytest.mark.logs("the bus lost its connection")
async def test_codes_socket_closes_when_the_end_notice_was_missed(start_server: StartServer) -> None:
    server = await start_server()
    alice, bob = await server.person("alice"), await server.person("bob")
    at_alice = await alice.opens(await alice.meets(bob))
    bus = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN sottovoce'"

    async def is_listening() -> bool:
        return bool(await server.sql(bus))

    await until(is_listening)
    await server.sql(f"SELECT pg_terminate_backend(pid) FROM ({bus}) bus")
    await server.sql("DELETE FROM sessions WHERE id = %s", alice.session_id)
    await at_alice.is_closed_with(1008)


async def test_codes_socket_at_server_stop_closes_1001(start_server: StartServer) -> None:
    server = await start_server()
    alice, bob = await server.person("alice"), await server.person("bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    server.stop.set()
    await at_alice.is_closed_with(1001)
    await at_bob.is_closed_with(1001)

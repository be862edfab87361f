"""The codes API's WebSocket, and the notifications that its contract documents."""

import asyncio
import json
import socket
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from websockets.exceptions import InvalidStatus

from chat.hub import Hub
from handlers.sockets import UNSETTLED_MAX, Presence
from tests.conftest import Cast
from tests.house import PATIENCE_S, House, Person

EMOJI = "\N{GRINNING FACE}"  # four bytes in UTF-8
INSERT = "INSERT INTO messages (conversation_id, sender_id, content) VALUES (%s, %s, %s)"
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
TEXT, CLOSE = 0x1, 0x8  # opcodes: RFC 6455 section 5.2


async def test_two_people_talk_live(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.says("hello")
    await at_bob.hears("hello")
    await at_bob.says("how are you?")
    await at_alice.hears("how are you?")
    assert await alice.history(conversation) == ["how are you?", "hello"]


async def test_none_of_the_senders_own_sockets_hears_the_message(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    laptop, phone = await alice.opens(conversation), await alice.opens(conversation)
    at_bob = await bob.opens(conversation)
    await laptop.says("to bob")
    await at_bob.hears("to bob")
    await laptop.hears_nothing()
    await phone.hears_nothing()


# The handshake


async def test_a_stranger_is_refused_with_401(cast: Cast) -> None:
    alice, bob, eve = await cast("alice", "bob", "eve")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await eve.opens(conversation)
    assert refused.value.response.status_code == 401


async def test_a_foreign_origin_is_refused_with_403(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation, Origin="https://evil.example")
    assert refused.value.response.status_code == 403
    await alice.opens(conversation, Origin=house.http)


async def test_a_handshake_that_is_wrong_is_refused_in_json(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    right = f"?chatId={await alice.meets(bob)}"
    stranger = house.client()
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


async def test_blank_messages_and_those_with_nul_are_ignored_and_the_next_ones_are_not(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    for text in ("", " ", "\r\n\t\u2003", "a\0b", "\0", " heard ", "a\0b", "heard too"):
        await at_alice.says(text)
    await at_bob.hears(" heard ", "heard too")
    assert await bob.history(conversation) == ["heard too", " heard "]


async def test_a_message_in_fragments_is_one_message(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.socket.send(["gr\u00fc", "\u00df ", "dich ", EMOJI])
    await at_bob.hears(f"gr\u00fc\u00df dich {EMOJI}")


async def test_a_binary_message_closes_with_1003(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice = await alice.opens(conversation)
    await at_alice.says(b"hello")
    await at_alice.is_closed_with(1003)
    assert await bob.history(conversation) == []


async def test_700_000_characters_arrive_intact_whatever_they_weigh(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    longest = EMOJI * 700_000
    assert len(longest.encode()) == 2_800_000
    await at_alice.says(longest)
    await at_bob.hears(longest)
    assert await bob.history(conversation) == [longest]


@pytest.mark.parametrize("character", ["x", EMOJI], ids=["one byte", "four bytes"])
async def test_700_001_characters_close_with_1009(cast: Cast, character: str) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice = await alice.opens(conversation)
    await at_alice.says(character * 700_001)
    await at_alice.is_closed_with(1009)
    assert await bob.history(conversation) == []


async def test_2_000_messages_without_a_pause_arrive_in_order_and_leave_no_gap(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    texts = [str(number) for number in range(2000)]

    async def say_all() -> None:
        for text in texts:
            await at_alice.says(text)

    await asyncio.gather(say_all(), at_bob.hears(*texts))
    stored = await house.sql("SELECT content, seq FROM messages WHERE conversation_id = %s ORDER BY seq", conversation)
    assert stored == [(text, seq) for seq, text in enumerate(texts, start=1)]


# Rows from elsewhere, and the documented notifications


async def test_a_row_inserted_with_sql_reaches_sockets_and_history_like_any_other(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.says("before")
    await at_bob.hears("before")
    [(seq,)] = await house.sql(f"{INSERT} RETURNING seq", conversation, alice.id, "by psql")
    assert seq == 2
    await at_bob.hears("by psql")
    await at_alice.says("after")
    await at_bob.hears("after")
    await at_alice.hears_nothing()
    assert await alice.history(conversation) == ["after", "by psql", "before"]


async def listen(house: House, conversation: str) -> psycopg.AsyncConnection[Any]:
    connection = await psycopg.AsyncConnection.connect(house.url, autocommit=True)
    await connection.execute(f'LISTEN "conversation_{conversation}"')
    return connection


async def notified(listening: psycopg.AsyncConnection[Any], count: int) -> list[dict[str, Any]]:
    found = [json.loads(given.payload) async for given in listening.notifies(timeout=PATIENCE_S, stop_after=count)]
    found += [json.loads(given.payload) async for given in listening.notifies(timeout=0.2)]
    assert len(found) == count
    return found


async def test_each_message_is_notified_on_the_channel_of_its_conversation(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    async with await listen(house, conversation) as listening:
        await at_alice.says('by "socket"\n')
        await at_bob.hears('by "socket"\n')
        await house.sql(INSERT, conversation, bob.id, "by psql")
        assert await notified(listening, 2) == [
            {"user_id": alice.id, "content": 'by "socket"\n'},
            {"user_id": bob.id, "content": "by psql"},
        ]


async def test_equal_messages_of_one_transaction_are_each_notified(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    same = [conversation, alice.id, "same"]
    async with await listen(house, conversation) as listening:
        await house.sql(f"{INSERT}, (%s, %s, %s)", *same, *same)
        assert await notified(listening, 2) == [{"user_id": alice.id, "content": "same"}] * 2
        async with await psycopg.AsyncConnection.connect(house.url) as connection:
            await connection.execute(INSERT, same)
            await connection.execute(INSERT, same)
        assert await notified(listening, 2) == [{"user_id": alice.id, "content": "same"}] * 2


@pytest.mark.parametrize("text", ["x" * 8001, EMOJI * 2500, '"' * 4500, "\1" * 2000], ids="{:.1}".format)
async def test_what_does_not_fit_into_a_notification_is_named_by_its_id(cast: Cast, house: House, text: str) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    async with await listen(house, conversation) as listening:
        await house.sql(INSERT, conversation, alice.id, text)
        await at_bob.hears(text)
        [payload] = await notified(listening, 1)
    answer = await bob.api.get("/api/chats/messages", params={"conversationId": conversation})
    [message] = answer.json()["chats"]
    assert message["content"] == text
    assert payload == {"user_id": alice.id, "id": message["id"]}
    assert UUID(message["id"]).version == 8


# How it ends


async def never_reading(person: Person, conversation: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket whose bytes stay in the pipe until somebody reads them."""
    address = urlsplit(person.house.http)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 12)
    headers = HANDSHAKE | {"Host": address.netloc, "Cookie": f"Authorization={person.token}"}
    lines = [f"GET /api/chats/ws?chatId={conversation} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return reader, writer


async def frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Opcode and payload."""
    first, length = await reader.readexactly(2)
    if length > 125:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    return first & 0xF, await reader.readexactly(length)


async def test_a_slow_reader_is_closed_while_the_others_hear_everything(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    reader, writer = await never_reading(bob, conversation)
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
async def test_a_session_that_is_deleted_by_anyone_closes_its_sockets(cast: Cast, house: House, table: str) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    laptop, phone = await alice.opens(conversation), await alice.opens(conversation)
    at_bob = await bob.opens(conversation)
    await laptop.says("still there")
    await at_bob.hears("still there")
    await house.sql(f"DELETE FROM {table} = %s", alice.id)
    await laptop.is_closed_with(1008)
    await phone.is_closed_with(1008)
    await at_bob.hears_nothing()
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation)
    assert refused.value.response.status_code == 401


@pytest.mark.logs("the bus lost its connection")
async def test_a_session_that_ended_unheard_closes_its_sockets_all_the_same(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    at_alice = await alice.opens(await alice.meets(bob))
    bus = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN sottovoce'"
    assert len(await house.sql(bus)) == 1
    await house.sql(f"SELECT pg_terminate_backend(pid) FROM ({bus}) bus")
    await house.sql("DELETE FROM sessions WHERE id = %s", alice.session_id)
    await at_alice.is_closed_with(1008)


async def test_a_server_that_stops_says_goodbye_with_1001(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    house.stop.set()
    await at_alice.is_closed_with(1001)
    await at_bob.is_closed_with(1001)


async def test_an_account_has_a_bound_of_sockets_and_the_others_do_not_notice(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.sockets.SOCKETS_MAX", 3)
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    lines = [await alice.opens(conversation) for _ in range(3)]
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation)
    assert refused.value.response.status_code == 429
    at_bob = await bob.opens(conversation)
    await lines[0].leaves()
    again = await alice.opens(conversation)
    await again.says("hello")
    await at_bob.hears("hello")


async def test_many_sockets_of_one_account_that_send_at_once_lose_nothing(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    lines = [await alice.opens(conversation) for _ in range(10)]

    async def say_all(number: int) -> None:
        for n in range(3 * UNSETTLED_MAX):
            await lines[number].says(f"{number} {n}")

    talking = asyncio.gather(*map(say_all, range(len(lines))))
    heard = [await asyncio.wait_for(at_bob.socket.recv(), 10) for _ in range(10 * 3 * UNSETTLED_MAX)]
    await talking
    for number in range(len(lines)):
        own = [text for text in heard if str(text).startswith(f"{number} ")]
        assert own == [f"{number} {n}" for n in range(3 * UNSETTLED_MAX)]


async def test_who_waits_for_room_gets_it_in_turn() -> None:
    presence, went = Presence(), []
    for _ in range(UNSETTLED_MAX):
        assert presence.has_room
        presence.submitted()
    assert not presence.has_room

    async def wait(name: str) -> None:
        await presence.turn()
        presence.submitted()
        went.append(name)

    waiting = [asyncio.create_task(wait(name)) for name in ("first", "leaves", "third")]
    await asyncio.sleep(0)
    waiting[1].cancel()
    for expected in (["first"], ["first", "third"]):
        presence.settled()
        await asyncio.sleep(0.01)
        assert went == expected
    presence.settled()
    assert presence.has_room


async def test_a_socket_that_fails_to_open_leaves_nothing_behind(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    monkeypatch.setattr("handlers.sockets.SOCKETS_MAX", 1)
    with monkeypatch.context() as broken:
        broken.setattr(Hub, "subscribe", None)
        line = await alice.opens(conversation)
        await line.is_closed_with(1006)
    assert "TypeError" in caplog.text
    caplog.clear()
    at_alice = await alice.opens(conversation)
    await at_alice.says("there is room")

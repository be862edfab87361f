"""Messages inserted by other programs with SQL, and the NOTIFY payloads that the codes API documents."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from testing.server import PATIENCE_S, RunningServer
from tests.conftest import Users

INSERT = "INSERT INTO messages (conversation_id, sender_id, content) VALUES (%s, %s, %s)"
EMOJI = "\N{GRINNING FACE}"


async def test_row_inserted_with_sql_reaches_sockets_and_history(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.sends("before")
    await at_bob.receives("before")
    [(seq,)] = await server.sql(f"{INSERT} RETURNING seq", conversation, alice.id, "by psql")
    assert seq == 2
    await at_bob.receives("by psql")
    await at_alice.sends("after")
    await at_bob.receives("after")
    await at_alice.receives_nothing()
    assert await alice.history(conversation) == ["after", "by psql", "before"]


async def listen(server: RunningServer, conversation: str) -> psycopg.AsyncConnection[Any]:
    connection = await psycopg.AsyncConnection.connect(server.url, autocommit=True)
    await connection.execute(f'LISTEN "conversation_{conversation}"')
    return connection


async def notified(listening: psycopg.AsyncConnection[Any], count: int) -> list[dict[str, Any]]:
    found = [json.loads(given.payload) async for given in listening.notifies(timeout=PATIENCE_S, stop_after=count)]
    found += [json.loads(given.payload) async for given in listening.notifies(timeout=0.2)]
    assert len(found) == count
    return found


async def test_notify_sends_each_message_on_its_channel(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    async with await listen(server, conversation) as listening:
        await at_alice.sends('by "socket"\n')
        await at_bob.receives('by "socket"\n')
        await server.sql(INSERT, conversation, bob.id, "by psql")
        assert await notified(listening, 2) == [
            {"user_id": alice.id, "content": 'by "socket"\n'},
            {"user_id": bob.id, "content": "by psql"},
        ]


async def test_notify_sends_equal_messages_of_a_transaction_each(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    same = [conversation, alice.id, "same"]
    async with await listen(server, conversation) as listening:
        await server.sql(f"{INSERT}, (%s, %s, %s)", *same, *same)
        assert await notified(listening, 2) == [{"user_id": alice.id, "content": "same"}] * 2
        async with await psycopg.AsyncConnection.connect(server.url) as connection:
            await connection.execute(INSERT, same)
            await connection.execute(INSERT, same)
        assert await notified(listening, 2) == [{"user_id": alice.id, "content": "same"}] * 2


@pytest.mark.parametrize("text", ["x" * 8001, EMOJI * 2500, '"' * 4500, "\1" * 2000], ids="{:.1}".format)
async def test_notify_of_a_large_message_has_its_id(users: Users, server: RunningServer, text: str) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    async with await listen(server, conversation) as listening:
        await server.sql(INSERT, conversation, alice.id, text)
        await at_bob.receives(text)
        [payload] = await notified(listening, 1)
    answer = await bob.api.get("/api/chats/messages", params={"conversationId": conversation})
    [message] = answer.json()["chats"]
    assert message["content"] == text
    assert payload == {"user_id": alice.id, "id": message["id"]}
    assert UUID(message["id"]).version == 8

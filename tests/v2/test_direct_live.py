"""Direct conversations at the v2 socket: messages of all APIs arrive live, in order and once."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from chat.delivery.hub import Hub, Listener
from chat.errors import Unavailable
from chat.model.ids import ConversationId, Seq, UserId
from store.conversations import Conversations
from testing.server import PASSWORD, PATIENCE_S, Person, RunningServer, until
from tests.conftest import StartServer, Users
from tests.v2.devices import listens
from tests.v2.direct import at, key, messages, send, send_texts, texts


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[Hub]:
    """The hub of each completed `Hub.follow`, in order: a socket follows its direct conversations."""
    hubs: list[Hub] = []
    follow = Hub.follow

    async def noted(self: Hub, listener: Listener, ends: Mapping[ConversationId, Seq]) -> None:
        await follow(self, listener, ends)
        hubs.append(self)

    monkeypatch.setattr(Hub, "follow", noted)
    return hubs


async def has_followed(hubs: list[Hub], times: int) -> bool:
    return len(hubs) >= times


async def is_forgotten(hubs: list[Hub], conversation: str) -> bool:
    return all(UUID(conversation) not in hub._channels for hub in hubs)


async def by_psql(server: RunningServer, conversation: str, sender: Person, text: str) -> None:
    insert = "INSERT INTO messages (conversation_id, sender_id, content) VALUES (%s, %s, %s)"
    await server.sql(insert, conversation, sender.id, text)


async def test_direct_socket_delivers_messages_of_all_apis(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob, codes = await listens(bob), await alice.opens(conversation)
    await codes.sends("codes")
    (frame,) = await at_bob.hears_texts("codes")
    await alice.posts("invites", to=bob)
    await at_bob.hears_texts("invites")
    await by_psql(server, conversation, alice, "psql")
    await at_bob.hears_texts("psql")
    await send_texts(alice, bob, "v2")
    (last,) = await at_bob.hears_texts("v2")
    assert last["seq"] == 4
    assert frame == {
        "type": "direct",
        "conversation": conversation,
        "seq": 1,
        "sender": str(alice.uuid),
        "text": "codes",
        "at": (await messages(bob, alice))[0]["at"],
    }


async def test_direct_socket_delivers_own_messages_with_their_id(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await alice.meets(bob)
    laptop, phone, at_bob = await listens(alice), await listens(await alice.again()), await listens(bob)
    id_ = uuid4().hex
    await send(alice, bob, "hello", id_)
    for device in (laptop, phone):
        (frame,) = await device.hears_texts("hello")
        assert (frame["sender"], frame["id"]) == (str(alice.uuid), id_)
    (frame,) = await at_bob.hears_texts("hello")
    assert "id" not in frame


async def test_direct_socket_does_not_deliver_the_history(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await send_texts(alice, bob, "before")
    at_bob = await listens(bob)
    await send_texts(alice, bob, "after")
    await at_bob.hears_texts("after")
    assert await texts(bob, alice, after=0) == ["before", "after"]


async def test_direct_socket_delivers_new_conversations_completely(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    at_bob, at_alice = await listens(bob), await listens(alice)
    conversation = await alice.meets(bob)
    await by_psql(server, conversation, alice, "one")
    await send_texts(bob, alice, "two")
    for device in (at_bob, at_alice):
        await device.hears_of_change(conversation)
        assert [frame["seq"] for frame in await device.hears_texts("one", "two")] == [1, 2]
    await carol.posts("me too", to=bob)
    assert (await at_bob.next())["type"] == "direct_changed"
    await at_bob.hears_texts("me too")
    await at_alice.receives_nothing()


async def test_direct_socket_notifies_both_of_key_and_reset(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    at_alice, at_bob = await listens(alice), await listens(bob)
    started = await key(alice, bob)
    conversation = started["conversation"]
    for device in (at_alice, at_bob):
        await device.hears_of_change(conversation)
    await send_texts(alice, bob, "one", "two")
    await (await alice.again()).api.get("/conversation/start", params={"user_id": bob.id})
    await send_texts(alice, bob, "three")
    for device in (at_alice, at_bob):
        await device.hears_texts("one", "two")
        heard = [await device.next(), await device.next()]  # an event and a message, in any order
        assert sorted(frame["type"] for frame in heard) == ["direct", "direct_changed"]
    assert await texts(bob, alice) == ["three"]
    assert (await key(bob, alice, "key/claim"))["key"] not in (None, started["key"])


async def test_direct_socket_notifies_of_edit_and_delete_of_all_apis(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await send_texts(alice, bob, "one", "two")
    at_bob = await listens(bob)
    shown = (await bob.api.get("/api/chats/messages", params={"conversationId": conversation})).json()["chats"]
    body = {"conversationId": conversation, "messageId": shown[1]["id"], "content": "eins"}
    assert (await alice.api.patch("/api/chats/messages", json=body)).status_code == 200
    await at_bob.hears_of_change(conversation, seq=1)
    assert await texts(bob, alice, after=0, limit=1) == ["eins"]
    assert (await alice.api.delete(at(bob, "messages/2"))).status_code == 200
    await at_bob.hears_of_change(conversation, seq=2)
    assert await texts(bob, alice, after=1) == []
    assert (await alice.api.delete(at(bob, "messages/2"))).status_code == 404
    await at_bob.receives_nothing()


async def test_direct_socket_delivers_nothing_of_blocked_users(users: Users, followed: list[Hub]) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await listens(alice), await listens(bob)
    await alice.api.put(f"/v2/blocks/{bob.uuid}")
    await until(lambda: has_followed(followed, 3))
    await send_texts(bob, alice, "do you hear me?")
    await send_texts(alice, bob, "no")
    assert [frame["seq"] for frame in await at_alice.hears_texts("no")] == [2]
    await at_bob.hears_texts("do you hear me?", "no")
    await alice.api.delete(f"/v2/blocks/{bob.uuid}")
    await until(lambda: has_followed(followed, 4))
    await send_texts(bob, alice, "and now?")
    assert [frame["conversation"] for frame in await at_alice.hears_texts("and now?")] == [conversation]


async def test_direct_socket_notifies_of_a_deleted_account(users: Users, followed: list[Hub]) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice = await listens(alice)
    assert (await bob.api.request("DELETE", "/v2/account", json={"password": PASSWORD})).status_code == 200
    await at_alice.hears_of_change(conversation)
    await until(lambda: is_forgotten(followed, conversation))


async def test_direct_socket_closed_leaves_no_subscription(users: Users, followed: list[Hub]) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await listens(alice), await listens(bob)
    assert not await is_forgotten(followed, conversation)
    await at_alice.leaves()
    await send_texts(alice, bob, "hello")
    await at_bob.hears_texts("hello")
    at_bob.socket.transport.abort()
    await until(lambda: is_forgotten(followed, conversation))


async def test_direct_socket_delivers_concurrent_messages_in_order(
    server: RunningServer, start_server: StartServer
) -> None:
    alice, bob = await server.person("alice"), await server.person("bob")
    elsewhere = await start_server()
    there = replace(alice, server=elsewhere, api=elsewhere.client(cookies={"Authorization": alice.token}))
    conversation = await alice.meets(bob)
    at_bob = await listens(bob)
    near, far = await alice.opens(conversation), await there.opens(conversation)

    async def talks() -> None:
        for nth in range(100):
            await near.sends(f"near {nth}")
            await far.sends(f"far {nth}")
            if nth % 20 == 0:
                await send_texts(there, bob, f"posted {nth}")
                await by_psql(server, conversation, alice, f"psql {nth}")

    async with asyncio.timeout(PATIENCE_S):
        talking = asyncio.create_task(talks())
        frames = [await at_bob.next() for _ in range(210)]
        await talking
    assert [frame["seq"] for frame in frames] == list(range(1, 211))
    assert len({frame["text"] for frame in frames}) == 210
    await at_bob.receives_nothing()


async def test_direct_socket_delivers_conversations_of_another_worker(
    server: RunningServer, start_server: StartServer
) -> None:
    alice, bob = await server.person("alice"), await server.person("bob")
    elsewhere = await start_server()
    there = replace(bob, server=elsewhere, api=elsewhere.client(cookies={"Authorization": bob.token}))
    at_bob = await listens(there)
    await alice.posts("hello", to=bob)
    assert (await at_bob.next())["type"] == "direct_changed"
    await at_bob.hears_texts("hello")


async def test_direct_socket_slow_consumer_is_closed_and_catches_up(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob, codes = await listens(bob), await alice.opens(conversation)
    at_bob.socket.transport.pause_reading()
    for _ in range(60):
        await codes.sends("x" * 500_000)
    await until(lambda: has(bob, alice, 60))
    at_bob.socket.transport.resume_reading()
    await at_bob.is_closed_with(1013)
    again = await listens(bob)
    await codes.sends("the last")
    await again.hears_texts("the last")
    seen = 0
    while page := await messages(bob, alice, after=seen):
        assert page[0]["seq"] == seen + 1
        seen = page[-1]["seq"]
    assert seen == 61


async def has(person: Person, other: Person, seq: int) -> bool:
    return bool(await messages(person, other, after=seq - 1, limit=1))


async def test_direct_socket_without_database_closes_1013(
    users: Users, monkeypatch: pytest.MonkeyPatch, followed: list[Hub]
) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await listens(bob)

    async def away(self: Conversations, user_id: UserId) -> None:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(Conversations, "direct", away)
        await key(alice, bob)
        await at_bob.is_closed_with(1013)
    await until(lambda: is_forgotten(followed, conversation))
    again = await listens(bob)
    await send_texts(alice, bob, "hello")
    await again.hears_texts("hello")

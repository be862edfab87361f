"""GET /messages/updates and /messages/newmessages: new senders since the last request, and all senders."""

import asyncio
from typing import Any

import pytest

from handlers.invites_api.schemas import notification
from testing.server import Person, RunningServer
from tests.conftest import Users


async def updates_of(person: Person) -> tuple[str, int]:
    answer = (await person.api.get("/messages/updates")).json()
    assert sorted(answer) == ["all_messages", "notification_data"]
    return answer["notification_data"], answer["all_messages"]


async def senders_to(person: Person) -> list[dict[str, Any]]:
    answer = (await person.api.get("/messages/newmessages")).json()
    assert list(answer) == ["updates"]
    return list(answer["updates"])


def shown(person: Person) -> dict[str, Any]:
    return {"sender_id": person.id, "username": person.name}


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["Alice"], "Alice sent you a new message"),
        (["Alice", "Bob"], "Alice and Bob sent you a new message"),
        (["Alice", "Bob", "Charlie"], "Alice, Bob, and Charlie sent you a new message"),
        (["Al", "Bo", "Cy", "Di"], "Al, Bo, Cy, and Di sent you a new message"),
    ],
    ids=["none", "one", "two", "three", "four"],
)
def test_invites_updates_text_names_the_senders(names: list[str], text: str) -> None:
    assert notification(names) == text


async def test_invites_updates_name_new_senders_once_latest_first(users: Users) -> None:
    alice, bob, carol, dave = await users("alice", "bob", "carol", "dave")
    assert await updates_of(alice) == ("", 0)
    await bob.posts("1", to=alice)
    assert await updates_of(alice) == (f"{bob.name} sent you a new message", 1)
    assert await updates_of(alice) == ("", 0)
    await bob.posts("2", to=alice)
    await carol.posts("3", to=alice)
    await carol.posts("4", to=alice)
    assert await updates_of(alice) == (f"{carol.name} and {bob.name} sent you a new message", 2)
    for sender in (carol, dave, bob, carol):
        await sender.posts("5", to=alice)
    assert await updates_of(alice) == (f"{carol.name}, {bob.name}, and {dave.name} sent you a new message", 3)
    assert await updates_of(alice) == ("", 0)


async def test_invites_updates_skip_own_and_deleted_messages(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await alice.posts("mine", to=bob)
    assert await updates_of(alice) == ("", 0)
    await bob.posts("kept", to=alice)
    deleted = await bob.posts("deleted", to=alice)
    also_deleted = await carol.posts("also deleted", to=alice)
    await server.sql("DELETE FROM messages WHERE id = ANY(%s)", [deleted, also_deleted])
    assert await updates_of(alice) == (f"{bob.name} sent you a new message", 1)
    assert await updates_of(bob) == (f"{alice.name} sent you a new message", 1)


async def test_invites_updates_requested_at_once_are_given_once(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    for sender in (bob, carol, bob):
        await sender.posts("hello", to=alice)
    counts = [count for _, count in await asyncio.gather(*(updates_of(alice) for _ in range(8)))]
    assert sum(counts) == 2


async def test_invites_newmessages_list_senders_latest_first(users: Users) -> None:
    alice, bob, carol, dave = await users("alice", "bob", "carol", "dave")
    assert await senders_to(alice) == []
    for sender in (bob, carol, bob):
        await sender.posts("hello", to=alice)
    await alice.posts("hello", to=dave)
    assert await senders_to(alice) == [shown(bob), shown(carol)]
    await updates_of(alice)
    assert await senders_to(alice) == [shown(bob), shown(carol)]  # /messages/updates does not change the list
    assert await senders_to(dave) == [shown(alice)]


async def test_invites_newmessages_follow_deletions(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await bob.posts("first", to=alice)
    await carol.posts("second", to=alice)
    third = await bob.posts("third", to=alice)
    assert await senders_to(alice) == [shown(bob), shown(carol)]
    await server.sql("DELETE FROM messages WHERE id = %s", third)
    assert await senders_to(alice) == [shown(carol), shown(bob)]
    await server.sql("DELETE FROM messages WHERE sender_id = %s", bob.id)
    assert await senders_to(alice) == [shown(carol)]

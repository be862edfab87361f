"""News at the invites API: who wrote since the last look, and who ever wrote."""

import asyncio
from typing import Any

import pytest

from handlers.invites_api.schemas import notification
from testing.server import Person, RunningServer
from tests.conftest import Users


async def news_of(person: Person) -> tuple[str, int]:
    answer = (await person.api.get("/messages/updates")).json()
    assert sorted(answer) == ["all_messages", "notification_data"]
    return answer["notification_data"], answer["all_messages"]


async def senders_to(person: Person) -> list[dict[str, Any]]:
    answer = (await person.api.get("/messages/newmessages")).json()
    assert list(answer) == ["updates"]
    return list(answer["updates"])


def named(person: Person) -> dict[str, Any]:
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
    ids=["nobody", "one", "two", "three", "four"],
)
def test_how_news_is_told(names: list[str], text: str) -> None:
    assert notification(names) == text


async def test_news_names_the_latest_sender_first_and_is_told_once(users: Users) -> None:
    alice, bob, carol, dave = await users("alice", "bob", "carol", "dave")
    assert await news_of(alice) == ("", 0)
    await bob.posts("1", to=alice)
    assert await news_of(alice) == (f"{bob.name} sent you a new message", 1)
    assert await news_of(alice) == ("", 0)
    await bob.posts("2", to=alice)
    await carol.posts("3", to=alice)
    await carol.posts("4", to=alice)
    assert await news_of(alice) == (f"{carol.name} and {bob.name} sent you a new message", 2)
    for sender in (carol, dave, bob, carol):
        await sender.posts("5", to=alice)
    assert await news_of(alice) == (f"{carol.name}, {bob.name}, and {dave.name} sent you a new message", 3)
    assert await news_of(alice) == ("", 0)


async def test_own_and_deleted_messages_are_no_news(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await alice.posts("mine", to=bob)
    assert await news_of(alice) == ("", 0)
    await bob.posts("kept", to=alice)
    taken_back = await bob.posts("taken back", to=alice)
    also_taken_back = await carol.posts("also taken back", to=alice)
    await server.sql("DELETE FROM messages WHERE id = ANY(%s)", [taken_back, also_taken_back])
    assert await news_of(alice) == (f"{bob.name} sent you a new message", 1)
    assert await news_of(bob) == (f"{alice.name} sent you a new message", 1)


async def test_news_is_told_to_one_of_several_who_ask_at_once(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    for sender in (bob, carol, bob):
        await sender.posts("hello", to=alice)
    told = [count for _, count in await asyncio.gather(*(news_of(alice) for _ in range(8)))]
    assert sum(told) == 2


async def test_everybody_who_wrote_is_listed_once_the_latest_first(users: Users) -> None:
    alice, bob, carol, dave = await users("alice", "bob", "carol", "dave")
    assert await senders_to(alice) == []
    for sender in (bob, carol, bob):
        await sender.posts("hello", to=alice)
    await alice.posts("hello", to=dave)
    assert await senders_to(alice) == [named(bob), named(carol)]
    await news_of(alice)
    assert await senders_to(alice) == [named(bob), named(carol)]  # looking takes nobody off the list
    assert await senders_to(dave) == [named(alice)]


async def test_the_list_follows_deletion(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await bob.posts("first", to=alice)
    await carol.posts("second", to=alice)
    third = await bob.posts("third", to=alice)
    assert await senders_to(alice) == [named(bob), named(carol)]
    await server.sql("DELETE FROM messages WHERE id = %s", third)
    assert await senders_to(alice) == [named(carol), named(bob)]
    await server.sql("DELETE FROM messages WHERE sender_id = %s", bob.id)
    assert await senders_to(alice) == [named(carol)]

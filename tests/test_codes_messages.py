"""Message history at the codes API: pages, edits and deletions."""

import re
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from testing.server import Person, RunningServer
from tests.conftest import Users

PATH = "/api/chats/messages"
RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
EMOJI = "\N{GRINNING FACE}"  # four bytes in UTF-8

Shown = dict[str, Any]


async def burst(sender: Person, receiver: Person, conversation: str, *texts: str) -> None:
    """Send without a pause; return when the receiver has all of it."""
    at_sender, at_receiver = await sender.opens(conversation), await receiver.opens(conversation)
    for text in texts:
        await at_sender.sends(text)
    await at_receiver.receives(*texts)


async def page(person: Person, conversation: str, **query: Any) -> dict[str, Any]:
    answer = await person.api.get(PATH, params={"conversationId": conversation, **query})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"chats", "nextCursor", "hasMore"}
    return answer.json()  # type: ignore[no-any-return]


async def pages(person: Person, conversation: str, **query: Any) -> list[list[Shown]]:
    """All pages, by the cursor as the contract specifies."""
    found = [await page(person, conversation, **query)]
    while found[-1]["hasMore"]:
        assert len(found) < 200, "the pages do not end"
        found.append(await page(person, conversation, cursor=found[-1]["nextCursor"], **query))
    assert found[-1]["nextCursor"] == found[-1]["chats"][-1]["sentAt"]
    return [part["chats"] for part in found]


def contents(parts: list[list[Shown]]) -> list[str]:
    return [message["content"] for part in parts for message in part]


async def change(person: Person | httpx.AsyncClient, conversation: str, message: str, **more: str) -> httpx.Response:
    """PATCH with a `content`, DELETE without one."""
    body = {"conversationId": conversation, "messageId": message, **more}
    client = person.api if isinstance(person, Person) else person
    return await client.request("PATCH" if more else "DELETE", PATH, json=body)


async def test_codes_history_message_has_every_field(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    assert await page(bob, conversation) == {"chats": [], "nextCursor": None, "hasMore": False}
    await burst(alice, bob, conversation, " caf\u00e9\r\n\t")
    for person in (alice, bob):
        shown = await page(person, conversation)
        [message] = shown["chats"]
        assert shown == {"chats": [message], "nextCursor": message["sentAt"], "hasMore": False}
        assert set(message) == {"id", "content", "userSent", "sentAt"}
        assert (message["content"], message["userSent"]) == (" caf\u00e9\r\n\t", alice.name)
        assert message["id"] == str(UUID(message["id"]))
        assert RFC3339_UTC.fullmatch(message["sentAt"])


async def test_codes_history_pages_have_each_message_once_newest_first(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    texts = [str(number) for number in range(130)]
    await burst(alice, bob, conversation, *texts)
    for query, sizes in (
        ({}, [50, 50, 30]),
        ({"limit": 100}, [100, 30]),
        ({"limit": 65}, [65, 65]),
        ({"limit": 7}, [7] * 18 + [4]),
    ):
        parts = await pages(bob, conversation, **query)
        assert [len(part) for part in parts] == sizes
        assert contents(parts) == texts[::-1]
    messages = [message for part in parts for message in part]
    assert len({message["id"] for message in messages}) == 130
    sent = [datetime.fromisoformat(message["sentAt"]) for message in messages]
    assert all(later > earlier for later, earlier in pairwise(sent))


async def test_codes_history_cursor_survives_deletion_of_its_message(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, "1", "2", "3", "4")
    first = await page(bob, conversation, limit=2)
    assert contents([first["chats"]]) == ["4", "3"]
    assert (await change(alice, conversation, first["chats"][-1]["id"])).status_code == 200
    await burst(alice, bob, conversation, "5")
    rest = await page(bob, conversation, limit=2, cursor=first["nextCursor"])
    assert (contents([rest["chats"]]), rest["hasMore"]) == (["2", "1"], False)


async def test_codes_history_page_of_large_messages_is_shortened(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    texts = [f"{number} {EMOJI * 150_000}" for number in range(8)]
    await burst(alice, bob, conversation, *texts)
    parts = await pages(bob, conversation)
    assert contents(parts) == texts[::-1]
    assert len(parts) > 1
    assert all(len(part) < 8 for part in parts)


async def test_codes_history_cursor_accepts_offset_with_unescaped_plus(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, "1", "2", "3")
    sent_at = datetime.fromisoformat((await page(bob, conversation))["chats"][1]["sentAt"])
    for hours in (2, -5):
        cursor = sent_at.astimezone(timezone(timedelta(hours=hours))).isoformat(timespec="microseconds")
        assert await bob.history(conversation, cursor=cursor) == ["1"]
        raw = await bob.api.get(f"{PATH}?conversationId={conversation}&cursor={cursor}")
        assert f"cursor={cursor}" in str(raw.request.url)
        assert contents([raw.json()["chats"]]) == ["1"]


async def test_codes_history_cursor_accepts_extreme_times(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, "hello")
    assert await bob.history(conversation, cursor="9999-12-31T23:59:59.999999Z") == ["hello"]
    assert await bob.history(conversation, cursor="0001-01-01T00:00:00Z") == []


BAD_QUERIES = [
    *(f"limit={limit}" for limit in ("1.5", "ten", "--1", "%2B1", "%ff", "9" * 5000, "\u0663")),
    *(f"cursor={cursor}" for cursor in ("now", "0", "2026-01-18", "2026-01-18T10:30:00", "%ff")),
    *(f"cursor={cursor}" for cursor in ("2026-02-30T10:30:00Z", "0001-01-01T00:00:00%2B14:00")),
    *(f"cursor={cursor}" for cursor in ("9999-12-31T23:59:59-12:00", "2026-01-18T10:30:00Zx")),
]


@pytest.mark.parametrize("query", BAD_QUERIES, ids=lambda query: f"{query:.40}")
async def test_codes_history_with_bad_limit_or_cursor_is_400(users: Users, query: str) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    answer = await bob.api.get(f"{PATH}?conversationId={conversation}&{query}")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize(
    ("limit", "count"), [("0", 1), ("-7", 1), ("1", 1), ("100", 100), ("101", 100), ("9" * 18, 100)]
)
async def test_codes_history_limit_out_of_range_is_clamped(users: Users, limit: str, count: int) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, *map(str, range(101)))
    assert len((await page(bob, conversation, limit=limit))["chats"]) == count


async def test_codes_history_without_valid_conversation_id_is_400(users: Users) -> None:
    [alice] = await users("alice")
    for query in ("", "?conversationId=", "?conversationId=1", "?conversationId=%ff", f"?conversationId={uuid4()}0"):
        answer = await alice.api.get(PATH + query)
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), query


async def test_codes_edit_is_seen_by_both_and_keeps_the_order(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, "1", "2", "3")
    before = (await page(bob, conversation))["chats"]
    server.clock.forward(minutes=1)
    answer = await change(alice, conversation, before[1]["id"], content="two")
    assert answer.status_code == 200
    edited_at = answer.json()["editedAt"]
    assert answer.json() == {"message": "Message updated successfully", "editedAt": edited_at}
    assert RFC3339_UTC.fullmatch(edited_at)
    assert datetime.fromisoformat(edited_at) > datetime.fromisoformat(before[1]["sentAt"]) + timedelta(seconds=50)
    stored = await server.sql(
        "SELECT content, edited_at FROM messages WHERE message_uuid(conversation_id, seq) = %s", before[1]["id"]
    )
    assert stored == [("two", datetime.fromisoformat(edited_at))]
    after = [before[0], before[1] | {"content": "two"}, before[2]]
    assert (await page(alice, conversation))["chats"] == (await page(bob, conversation))["chats"] == after


async def test_codes_delete_removes_the_message_for_both(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, "1", "2", "3")
    [_, message, _] = (await page(bob, conversation))["chats"]
    answer = await change(alice, conversation, message["id"])
    assert (answer.status_code, answer.json()) == (200, {"message": "Message deleted successfully"})
    assert await alice.history(conversation) == await bob.history(conversation) == ["3", "1"]
    assert (await change(alice, conversation, message["id"])).status_code == 404
    assert (await change(alice, conversation, message["id"], content="back")).status_code == 404
    await burst(alice, bob, conversation, "4")
    assert await bob.history(conversation) == ["4", "3", "1"]


@pytest.mark.parametrize("more", [{"content": "changed"}, {}], ids=["edit", "delete"])
async def test_codes_edit_or_delete_by_another_user_is_401(
    users: Users, server: RunningServer, more: dict[str, str]
) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, "mine")
    [message] = (await page(alice, conversation))["chats"]
    for person in (bob, eve, server.client()):
        answer = await change(person, conversation, message["id"], **more)
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert await alice.history(conversation) == ["mine"]
    assert (await change(alice, conversation, message["id"], **more)).status_code == 200


@pytest.mark.parametrize("more", [{"content": "changed"}, {}], ids=["edit", "delete"])
async def test_codes_edit_or_delete_of_unknown_message_is_404(users: Users, more: dict[str, str]) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    conversation, elsewhere = await alice.meets(bob), await alice.meets(carol)
    await burst(alice, bob, conversation, "here")
    await burst(alice, carol, elsewhere, "there")
    [here] = (await page(alice, conversation))["chats"]
    [there] = (await page(alice, elsewhere))["chats"]
    next_one = str(UUID(int=UUID(here["id"]).int + 1))
    for id_ in (there["id"], next_one, conversation, str(UUID(int=0)), str(uuid4())):
        answer = await change(alice, conversation, id_, **more)
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert (await alice.history(conversation), await alice.history(elsewhere)) == (["here"], ["there"])


async def test_codes_history_of_a_stranger_is_401(users: Users, server: RunningServer) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    conversation = await alice.meets(bob)
    for client, id_ in ((eve.api, conversation), (server.client(), conversation), (alice.api, str(uuid4()))):
        answer = await client.get(PATH, params={"conversationId": id_})
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
        for more in ({"content": "changed"}, {}):
            answer = await change(client, id_, str(uuid4()), **more)
            assert (answer.status_code, list(answer.json())) == (401, ["error"])


async def test_codes_edit_to_invalid_content_is_400(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    await burst(alice, bob, conversation, "mine")
    [message] = (await page(alice, conversation))["chats"]
    for content in ("", " \n\u2003", "a\0b", "x" * 700_001):
        answer = await change(alice, conversation, message["id"], content=content)
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), content[:10]
    names = {"conversationId": conversation, "messageId": message["id"]}
    for body in ({}, names, names | {"content": 1}, names | {"messageId": "1", "content": "x"}):
        answer = await alice.api.patch(PATH, json=body)
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), body
    assert (await alice.api.request("DELETE", PATH)).status_code == 400
    assert await bob.history(conversation) == ["mine"]
    longest = EMOJI * 700_000
    assert (await change(alice, conversation, message["id"], content=longest)).status_code == 200
    assert await bob.history(conversation) == [longest]

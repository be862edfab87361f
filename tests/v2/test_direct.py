"""Direct conversations at the v2 API: list, keys, messages. For live delivery see test_direct_live.py."""

import asyncio
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from chat.model.ids import ConversationId, Seq, UserId
from store.messages import Messages
from testing.server import PASSWORD, RunningServer
from tests.conftest import StartServer, Users
from tests.v2.direct import assert_refused, at, conversations, key, messages, send, send_texts, texts

# The list


async def test_direct_list_has_conversations_of_all_apis(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    assert await conversations(alice) == []
    with_bob = await alice.meets(bob)
    await carol.posts("hello", to=alice)
    from_carol, from_bob = await conversations(alice)
    at_ = from_carol.pop("last_message_at")
    assert datetime.now(UTC) - datetime.fromisoformat(at_) < timedelta(minutes=1)
    assert from_carol == {
        "id": from_carol["id"],
        "user": {"id": str(carol.uuid), "username": carol.name},
        "last_seq": 1,
        "key_fingerprint": None,
        "key_waiting": False,
        "blocked": False,
    }
    assert (from_bob["id"], from_bob["last_seq"], from_bob["last_message_at"]) == (with_bob, 0, None)
    await bob.posts("me too", to=alice)
    assert [one["user"]["username"] for one in await conversations(alice)] == [bob.name, carol.name]


async def test_direct_list_omits_encrypted_and_foreign_conversations(users: Users, server: RunningServer) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    await alice.posts("hello", to=bob)
    ((encrypted,),) = await server.sql("INSERT INTO conversations (kind) VALUES ('encrypted') RETURNING id")
    await server.sql("INSERT INTO members (conversation_id, user_id) VALUES (%s, %s)", encrypted, alice.id)
    assert [one["user"]["id"] for one in await conversations(alice)] == [str(bob.uuid)]
    assert await conversations(eve) == []


async def test_direct_conversation_is_deleted_with_the_other_account(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await send_texts(alice, bob, "hello")
    await send_texts(alice, carol, "hello")
    assert (await bob.api.request("DELETE", "/v2/account", json={"password": PASSWORD})).status_code == 200
    assert [one["user"]["id"] for one in await conversations(alice)] == [str(carol.uuid)]
    assert_refused(await send(alice, bob, "are you there?"), 404, "no_such_user")
    assert_refused(await alice.api.get(at(bob)), 404, "no_such_user")


async def test_direct_list_marks_blocked_users(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await send_texts(bob, alice, "hello")
    assert (await alice.api.put(f"/v2/blocks/{bob.uuid}")).status_code == 200
    assert [one["blocked"] for one in await conversations(alice)] == [True]
    assert [one["blocked"] for one in await conversations(bob)] == [False], "a blocked user cannot see the block"
    assert (await alice.api.delete(f"/v2/blocks/{bob.uuid}")).status_code == 200
    assert [one["blocked"] for one in await conversations(alice)] == [False]


async def test_block_of_the_own_account_is_refused(users: Users) -> None:
    (alice,) = await users("alice")
    assert_refused(await alice.api.put(f"/v2/blocks/{alice.uuid}"), 400, "self_chat")
    assert (await alice.api.get("/v2/blocks")).json() == []


# Keys


async def test_direct_key_is_claimed_once_by_the_partner(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    started = await key(alice, bob)
    assert len(b64decode(started["key"], validate=True)) == 32
    (listed,) = await conversations(bob)
    assert started == {"conversation": listed["id"], "key": started["key"], "reset": False}
    assert listed["key_waiting"] is True
    assert [one["key_waiting"] for one in await conversations(alice)] == [False]
    assert await key(bob, alice, "key/claim") == {"key": started["key"]}
    assert await key(bob, alice, "key/claim") == {"key": None}
    assert [one["key_waiting"] for one in await conversations(bob)] == [False]


async def test_direct_list_has_the_fingerprint_of_the_current_key(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    made = [await key(alice, bob), await key(bob, alice, "key/claim"), await key(bob, alice)]
    assert made[2]["key"] != made[0]["key"], "the key was changed"
    current = b64encode(sha256(b64decode(made[2]["key"])).digest()).decode()
    for person in (alice, bob):
        assert [one["key_fingerprint"] for one in await conversations(person)] == [current]


async def test_direct_key_start_by_partner_gives_the_pending_key(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    started = await key(alice, bob)
    await send_texts(alice, bob, "hello")
    assert await key(bob, alice) == started
    assert await texts(bob, alice) == ["hello"]


async def test_direct_key_reset_deletes_messages_and_keeps_counting(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    first = await key(alice, bob)
    await send_texts(alice, bob, "one", "two")
    second = await key(alice, bob)
    assert (second["reset"], second["conversation"]) == (True, first["conversation"])
    assert second["key"] != first["key"]
    assert await texts(bob, alice) == []
    assert await send_texts(bob, alice, "three") == 3


async def test_direct_key_of_the_invites_api_is_claimed_at_v2(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    started = (await alice.api.get("/conversation/start", params={"user_id": bob.id})).json()
    assert await key(bob, alice, "key/claim") == {"key": started["aes_key"]}


# Messages


async def test_direct_message_shows_its_id_to_the_sender_only(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    id_ = uuid4().hex
    sent = (await send(alice, bob, " caf\u00e9\n\U0001f600", id_)).json()
    assert list(sent) == ["seq", "at"]
    shown = {"seq": 1, "sender": str(alice.uuid), "text": " caf\u00e9\n\U0001f600", "at": sent["at"]}
    assert await messages(bob, alice) == [shown]
    assert await messages(alice, bob) == [shown | {"id": id_}]


async def test_direct_messages_are_shared_by_all_apis(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    await send_texts(alice, bob, "from here")
    await at_bob.receives("from here")
    await at_bob.sends("from the codes API")
    await alice.posts("from the invites API", to=bob)
    await at_bob.receives("from the invites API")
    assert await texts(alice, bob) == ["from here", "from the codes API", "from the invites API"]
    assert await bob.history(conversation) == ["from the invites API", "from the codes API", "from here"]


async def test_direct_pages_follow_after_and_before(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await send_texts(alice, bob, *(f"{nth}" for nth in range(1, 8)))
    assert await texts(bob, alice, limit=3) == ["5", "6", "7"]
    assert await texts(bob, alice, limit=3, before=5) == ["2", "3", "4"]
    assert await texts(bob, alice, limit=3, before=2) == ["1"]
    assert await texts(bob, alice, limit=3, before=1) == []
    assert await texts(bob, alice, limit=3, after=0) == ["1", "2", "3"]
    assert await texts(bob, alice, limit=3, after=5) == ["6", "7"]
    assert await texts(bob, alice, limit=3, after=7) == []


async def test_direct_page_ends_after_a_megabyte(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    long = [f"{nth}" * 400_000 for nth in range(1, 6)]
    await send_texts(alice, bob, *long)
    assert await texts(bob, alice, after=0) == long[:3]
    assert await texts(bob, alice, after=3) == long[3:]
    assert await texts(bob, alice) == long[2:]
    assert await texts(bob, alice, before=3) == long[:2]


async def test_direct_message_over_the_limit_is_400(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    longest = "\U0001f600" * 700_000
    await send_texts(alice, bob, longest)
    assert await texts(bob, alice) == [longest]
    assert_refused(await send(alice, bob, longest + "!"), 400, "invalid")


async def test_direct_message_repeated_is_stored_once(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    id_ = uuid4().hex
    first = await send(alice, bob, "hello", id_)
    await send_texts(alice, bob, "another")
    again = await send(alice, bob, "hello", id_)
    assert (again.status_code, again.json()) == (200, first.json())
    assert_refused(await send(alice, bob, "hello!", id_), 409, "id_taken")
    assert (await send(bob, alice, "his own", id_)).status_code == 200, "ids are per sender"
    assert await texts(bob, alice) == ["hello", "another", "his own"]


async def test_direct_edit_keeps_the_seq_and_delete_leaves_a_gap(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await send_texts(alice, bob, "one", "two", "three")
    before = await messages(bob, alice)
    edited = await alice.api.patch(at(bob, "messages/2"), json={"text": "zwei"})
    assert edited.status_code == 200
    assert list(edited.json()) == ["edited_at"]
    changed = before[1] | {"text": "zwei", "edited_at": edited.json()["edited_at"]}
    assert await messages(bob, alice) == [before[0], changed, before[2]]
    deleted = await alice.api.delete(at(bob, "messages/1"))
    assert (deleted.status_code, deleted.json()) == (200, {})
    assert await messages(bob, alice, after=0) == [changed, before[2]]
    assert_refused(await alice.api.delete(at(bob, "messages/1")), 404, "no_such_message")


async def test_direct_edit_or_delete_by_another_user_is_refused(users: Users) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    await send_texts(alice, bob, "hello")
    assert_refused(await bob.api.patch(at(alice, "messages/1"), json={"text": "goodbye"}), 403, "not_yours")
    assert_refused(await bob.api.delete(at(alice, "messages/1")), 403, "not_yours")
    assert_refused(await eve.api.delete(at(alice, "messages/1")), 404, "no_such_conversation")
    assert_refused(await alice.api.patch(at(bob, "messages/2"), json={"text": "hello"}), 404, "no_such_message")
    assert_refused(await alice.api.patch(at(bob, "messages/1"), json={"text": " "}), 400, "invalid")
    assert await texts(bob, alice) == ["hello"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_direct_change_of_a_message_deleted_meanwhile_is_refused(
    users: Users, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """It was there when its author was looked up, and is gone when it is written."""
    alice, bob = await users("alice", "bob")
    await send_texts(alice, bob, "hello")
    look_up = Messages.sender

    async def slow(self: Messages, conversation_id: ConversationId, seq: Seq) -> UserId | None:
        sender = await look_up(self, conversation_id, seq)
        await self.delete(conversation_id, seq)
        return sender

    monkeypatch.setattr(Messages, "sender", slow)
    body = {"text": "goodbye"} if method == "PATCH" else None
    answer = await alice.api.request(method, at(bob, "messages/1"), json=body)
    assert_refused(answer, 404, "no_such_message")
    assert await messages(bob, alice) == []


async def test_direct_reading_creates_no_conversation(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    assert await messages(alice, bob) == []
    assert await key(alice, bob, "key/claim") == {"key": None}
    assert await conversations(alice) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"id": "a" * 32}, id="no text"),
        pytest.param({"text": "hello"}, id="no id"),
        pytest.param({"id": "a" * 32, "text": ""}, id="empty"),
        pytest.param({"id": "a" * 32, "text": "a\0"}, id="U+0000"),
        pytest.param({"id": "a" * 31, "text": "hello"}, id="short id"),
        pytest.param({"id": "a" * 33, "text": "hello"}, id="long id"),
        pytest.param({"id": "A" * 32, "text": "hello"}, id="id in capitals"),
        pytest.param({"id": "a" * 32 + "\n", "text": "hello"}, id="id with a line feed"),
    ],
)
async def test_direct_message_invalid_is_400_and_creates_nothing(users: Users, body: dict[str, str]) -> None:
    alice, bob = await users("alice", "bob")
    assert_refused(await alice.api.post(at(bob), json=body), 400, "invalid")
    assert await conversations(alice) == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "after=-1", "before=x", "after=1&before=5", f"after={2**63}", "limit=1.0"]
)
async def test_direct_page_with_bad_query_is_400(users: Users, query: str) -> None:
    alice, bob = await users("alice", "bob")
    assert_refused(await alice.api.get(f"{at(bob)}?{query}"), 400, "invalid")


async def test_direct_with_unknown_user_or_oneself_is_refused(users: Users) -> None:
    (alice,) = await users("alice")
    for method, more in [("POST", "key"), ("POST", "key/claim"), ("GET", "messages"), ("DELETE", "messages/1")]:
        for user, status, code in [(uuid4(), 404, "no_such_user"), (alice.id, 400, "invalid")]:
            assert_refused(await alice.api.request(method, f"/v2/direct/{user}/{more}"), status, code)
    for more in ("key", "key/claim"):
        assert_refused(await alice.api.post(at(alice, more)), 400, "self_chat")
    assert_refused(await send(alice, alice, "hello"), 400, "self_chat")
    assert await messages(alice, alice) == []


async def test_direct_limit_of_8_messages_in_10_s_covers_all_apis(start_server: StartServer) -> None:
    server = await start_server(rate_limits=True)
    alice, bob = await server.person("alice"), await server.person("bob")
    await send_texts(alice, bob, *"12345")
    for text in "678":
        await alice.posts(text, to=bob)
    refused = await send(alice, bob, "9")
    assert_refused(refused, 429, "too_many")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10


async def test_direct_lists_requested_at_once_are_per_user(users: Users) -> None:
    people = await users(*(f"one{nth}" for nth in range(6)))
    for one, other in pairwise(people):
        await send_texts(one, other, "hello")
    lists = await asyncio.gather(*(conversations(one) for one in people * 3))
    partners = [[UUID(one["user"]["id"]) for one in found] for found in lists]
    assert partners[0] == [people[1].uuid]
    assert partners[1] == [people[2].uuid, people[0].uuid]
    assert partners[:6] == partners[6:12] == partners[12:]


async def test_direct_conversation_opens_once_without_a_key(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    opened = await alice.api.put(at(bob, "").rstrip("/"))
    assert opened.status_code == 200
    assert (await bob.api.put(at(alice, "").rstrip("/"))).json() == opened.json()
    for person in (alice, bob):
        (shown,) = await conversations(person)
        assert shown["id"] == opened.json()["conversation"]
        assert (shown["key_fingerprint"], shown["key_waiting"], shown["last_seq"]) == (None, False, 0)
    assert_refused(await alice.api.put(at(alice, "").rstrip("/")), 400, "self_chat")


async def test_direct_message_accepts_long_escaped_text(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    body = json.dumps({"id": uuid4().hex, "text": "\U0001f600" * 450_000})  # 5.4 MB of \\ud83d\\ude00
    answer = await alice.api.post(at(bob), content=body)
    assert answer.status_code == 200, answer.text

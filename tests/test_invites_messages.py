"""Messages of the invites API: POST /messages, GET /messages and GET /allmessages."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from chat.accounts.accounts import Accounts
from chat.errors import NoSuchUser
from chat.model.messages import MAX_CONTENT_CHARS
from handlers.invites_api.schemas import local_timestamp
from testing.server import Person, RunningServer
from tests.conftest import Users

LONGEST = "🦉" * (MAX_CONTENT_CHARS - 5) + "a\n\x01\x7f\u2028"


async def send(person: Person, body: Any, **headers: str) -> httpx.Response:
    return await person.api.post("/messages", json=body, headers=headers)


async def shown(person: Person, path: str, other: Person, **query: Any) -> list[dict[str, Any]]:
    answer = await person.api.get(path, params={"user_id": other.id, **query})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, list)
    return found


async def texts(person: Person, path: str, other: Person, **query: Any) -> list[str]:
    return [one["message"] for one in await shown(person, path, other, **query)]


async def fill(server: RunningServer, one: Person, other: Person, count: int, text: str = "") -> None:
    """Insert the messages `0` to `count - 1` by `one` with SQL."""
    await one.posts("premise", to=other)
    await server.sql(
        "INSERT INTO messages (conversation_id, sender_id, content)"
        " SELECT c.id, %s, nth || %s FROM conversations c, generate_series(0, %s) nth"
        " WHERE user_id_1 = %s AND user_id_2 = %s ORDER BY nth",
        one.id,
        text,
        count - 1,
        min(one.id, other.id),
        max(one.id, other.id),
    )
    await server.sql("DELETE FROM messages WHERE content = 'premise' AND sender_id = %s", one.id)


# Send


async def test_invites_send_gives_rising_ids_and_a_conversation(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    assert await server.sql("SELECT 1 FROM members WHERE user_id = %s", alice.id) == []
    answer = await send(alice, {"receiver_id": bob.id, "message": "hello"})
    assert answer.status_code == 200
    assert list(answer.json()) == ["message_id"]
    ids = [answer.json()["message_id"]]
    for sender, receiver in ((bob, alice), (alice, carol), (carol, bob), (alice, bob)):
        ids.append(await sender.posts("hello", to=receiver))
    assert ids == sorted(set(ids))
    assert await texts(bob, "/messages", alice) == ["hello"] * 3


async def test_invites_first_messages_at_once_share_one_conversation(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await asyncio.gather(*(one.posts("hello", to=other) for one, other in [(alice, bob), (bob, alice)] * 3))
    assert len(await shown(alice, "/messages", bob)) == 6
    assert await server.sql("SELECT count(*) FROM members WHERE user_id = %s", alice.id) == [(1,)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({}, 400, id="empty object"),
        pytest.param({"message": "x"}, 400, id="no receiver"),
        pytest.param({"receiver_id": "{bob}"}, 400, id="no message"),
        pytest.param({"receiver_id": "{bob}", "message": ""}, 400, id="empty message"),
        pytest.param({"receiver_id": "{bob}", "message": None}, 400, id="null as message"),
        pytest.param({"receiver_id": "{bob}", "message": 5}, 400, id="number as message"),
        pytest.param({"receiver_id": "{bob}", "message": ["x"]}, 400, id="list as message"),
        pytest.param({"receiver_id": "5", "message": "x"}, 400, id="text as receiver"),
        pytest.param({"receiver_id": None, "message": "x"}, 400, id="null as receiver"),
        pytest.param({"receiver_id": True, "message": "x"}, 400, id="true as receiver"),
        pytest.param({"receiver_id": 1.5, "message": "x"}, 400, id="fraction as receiver"),
        pytest.param({"receiver_id": -1, "message": "x"}, 400, id="negative receiver"),
        pytest.param({"receiver_id": 2**63, "message": "x"}, 400, id="receiver beyond bigint"),
        pytest.param({"receiver_id": 10**400, "message": "x"}, 400, id="receiver of 400 digits"),
        pytest.param({"receiver_id": "{alice}", "message": "x"}, 400, id="self"),
        pytest.param({"receiver_id": 0, "message": "x"}, 404, id="unknown user"),
        pytest.param({"receiver_id": 2**63 - 1, "message": "x"}, 404, id="largest id"),
        pytest.param({"receiver_id": "{bob}", "message": "a\0b"}, 400, id="U+0000"),
        pytest.param({"receiver_id": "{bob}", "message": "x" * 700_001}, 400, id="too long"),
        pytest.param({"receiver_id": "{bob}", "message": "🦉" * 700_001}, 400, id="too long in emoji"),
    ],
)
async def test_invites_send_invalid_stores_nothing(
    users: Users, server: RunningServer, body: dict[str, Any], status: int
) -> None:
    alice, bob = await users("alice", "bob")
    people = {"{alice}": alice.id, "{bob}": bob.id}
    answer = await send(alice, {key: people.get(str(value), value) for key, value in body.items()})
    assert answer.status_code == status, answer.text[:200]
    assert list(answer.json()) == ["error"]
    assert await server.sql("SELECT 1 FROM members WHERE user_id = %s", alice.id) == []


@pytest.mark.parametrize("text", [r"\ud800", r"\udc00 x", r"\ud800\ud800", r"\ude00\ud83d"])
async def test_invites_send_lone_surrogate_is_400(users: Users, text: str) -> None:
    alice, bob = await users("alice", "bob")
    for escape, status in ((r"\ud83e\udd89", 200), (text, 400)):
        body = f'{{"receiver_id": {bob.id}, "message": "{escape}"}}'
        answer = await alice.api.post("/messages", content=body)
        assert answer.status_code == status, answer.text
    assert await texts(bob, "/messages", alice) == ["🦉"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LONGEST, id="700,000 code points in 2.8 MB"),
        pytest.param("\x01" * MAX_CONTENT_CHARS, id="700,000 control characters, 4.2 MB of escapes"),
        pytest.param("\x01\x1f\x7f\x85\u200b\u202e\ufeff\uffff\U0010ffff", id="invisible characters"),
        pytest.param(" \n\t ", id="only whitespace"),
        pytest.param("<script>alert('1')</script>'; DROP TABLE users; -- %s {} \\", id="markup and SQL"),
        pytest.param("e\u0301 ﬁ İ", id="not normalised"),
    ],
)
async def test_invites_send_keeps_any_text_unchanged(users: Users, text: str) -> None:
    alice, bob = await users("alice", "bob")
    assert len(text) <= MAX_CONTENT_CHARS
    await alice.posts(text, to=bob)
    for path in ("/messages", "/allmessages"):
        assert await texts(bob, path, alice) == [text], path


async def test_invites_send_accepts_fully_escaped_text(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    text = "\U0001f600" * MAX_CONTENT_CHARS
    body = json.dumps({"receiver_id": bob.id, "message": text})
    assert len(body) > 12 * MAX_CONTENT_CHARS
    assert (await alice.api.post("/messages", content=body)).status_code == 200
    assert await texts(bob, "/messages", alice) == [text]


async def test_invites_idempotency_key_of_another_text_is_409(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    key = {"Idempotency-Key": "one"}
    first = await alice.posts("hello", to=bob, **key)
    answer = await alice.api.post("/messages", json={"receiver_id": bob.id, "message": "bye"}, headers=key)
    assert answer.status_code == 409
    assert list(answer.json()) == ["error"]
    assert await texts(bob, "/messages", alice) == ["hello"]
    await alice.server.sql("UPDATE messages SET content = 'hallo', edited_at = now() WHERE id = %s", first)
    assert await alice.posts("hello", to=bob, **key) == first


async def test_invites_retry_gets_the_first_answer(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    key = {"Idempotency-Key": "one"}
    first = await alice.posts("hello", to=bob, **key)
    assert await alice.posts("hello", to=bob, **key) == first
    assert await alice.posts("hello", to=bob) != first
    assert await bob.posts("hello", to=alice, **key) != first  # the key belongs to its sender
    assert await alice.posts("hello", to=carol, **key) != first
    assert len(await shown(bob, "/messages", alice)) == 3


async def test_invites_retries_at_once_store_one_message(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    ids = await asyncio.gather(*(alice.posts("hello", to=bob, **{"Idempotency-Key": "k"}) for _ in range(8)))
    assert len(set(ids)) == 1
    assert [one["id"] for one in await shown(bob, "/messages", alice)] == ids[:1]


@pytest.mark.parametrize(
    ("key", "status"),
    [
        pytest.param(b"k" * 200, 200, id="200 characters"),
        pytest.param(b"k" * 201, 400, id="201 characters"),
        pytest.param("ü".encode(), 400, id="not ASCII"),
        pytest.param(b"a\tb", 400, id="a tab"),
        pytest.param(b"", 400, id="empty"),
    ],
)
async def test_invites_idempotency_key_is_1_to_200_ascii_characters(users: Users, key: bytes, status: int) -> None:
    alice, bob = await users("alice", "bob")
    body = {"receiver_id": bob.id, "message": "hello"}
    answer = await alice.api.post("/messages", json=body, headers={b"Idempotency-Key": key})  # type: ignore[dict-item]
    assert answer.status_code == status, answer.text


# Read


async def test_invites_message_has_every_field(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    before = datetime.now(UTC).replace(microsecond=0)
    first, second = await alice.posts("hello", to=bob), await bob.posts("hello yourself", to=alice)
    found = await shown(alice, "/messages", bob)
    stamps = [one.pop("timestamp") for one in found]
    a = {"sender_id": alice.id, "sender_username": alice.name, "receiver_id": bob.id, "receiver_username": bob.name}
    b = {"sender_id": bob.id, "sender_username": bob.name, "receiver_id": alice.id, "receiver_username": alice.name}
    assert found == [{"id": first, "message": "hello"} | a, {"id": second, "message": "hello yourself"} | b]
    for stamp in stamps:
        sent_at = datetime.strptime(stamp, "%m/%d/%Y, %I:%M:%S %p").astimezone()
        assert before <= sent_at <= datetime.now(UTC)
    assert await shown(bob, "/messages", alice) == await shown(alice, "/messages", bob)
    assert await shown(bob, "/allmessages", alice) == await shown(alice, "/messages", bob)


async def test_invites_pages_have_50_messages_in_order(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await fill(server, alice, bob, 130)
    everything = [str(nth) for nth in range(130)]
    assert await texts(bob, "/messages", alice) == everything[80:]
    assert [await texts(bob, "/messages", alice, page=page) for page in (1, 2, 3, 4, 10**17)] == [
        everything[80:],
        everything[30:80],
        everything[:30],
        [],
        [],
    ]
    assert await texts(bob, "/allmessages", alice) == everything


async def test_invites_pages_skip_deleted_messages(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await fill(server, alice, bob, 110)
    await server.sql("DELETE FROM messages WHERE sender_id = %s AND content::int %% 10 = 3", alice.id)
    kept = [str(nth) for nth in range(110) if nth % 10 != 3]
    assert [await texts(bob, "/messages", alice, page=page) for page in (1, 2)] == [kept[-50:], kept[:-50]]


async def test_invites_page_after_a_full_last_one_is_empty(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await fill(server, alice, bob, 100)
    assert [len(await shown(bob, "/messages", alice, page=page)) for page in (1, 2, 3)] == [50, 50, 0]


async def test_invites_page_of_large_messages_is_complete(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await fill(server, alice, bob, 60)
    await server.sql(
        "UPDATE messages SET content = content || repeat('🦉', 690000)"
        " WHERE sender_id = %s AND content IN ('7', '30', '31', '59')",
        alice.id,
    )
    everything = [str(nth) for nth in range(60)]
    for path, query, expected in (
        ("/allmessages", {}, everything),
        ("/messages", {}, everything[10:]),
        ("/messages", {"page": 2}, everything[:10]),
    ):
        found = await texts(bob, path, alice, **query)
        assert [text.rstrip("🦉") for text in found] == expected
        assert sum(len(text) for text in found) > 690_000


@pytest.mark.parametrize("path", ["/messages", "/allmessages"])
async def test_invites_messages_without_conversation_are_empty(users: Users, path: str) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await bob.posts("not for alice", to=carol)
    for id_ in (bob.id, carol.id, alice.id, 0, 2**63 - 1):
        answer = await alice.api.get(path, params={"user_id": id_})
        assert (answer.status_code, answer.json()) == (200, []), id_


@pytest.mark.parametrize("path", ["/messages", "/allmessages"])
@pytest.mark.parametrize("query", ["", "user_id=", "user_id=bob", "user_id=-1", "user_id=1e3", f"user_id={2**63}"])
async def test_invites_messages_with_bad_user_id_are_400(users: Users, path: str, query: str) -> None:
    (alice,) = await users("alice")
    assert (await alice.api.get(f"{path}?{query}")).status_code == 400


@pytest.mark.parametrize("page", ["0", "-1", "1.5", "one", "1_0", "+1", "9" * 19, "9" * 400])
async def test_invites_messages_with_bad_page_are_400(users: Users, page: str) -> None:
    alice, bob = await users("alice", "bob")
    for asked, status in (("1", 200), (page, 400)):
        answer = await alice.api.get("/messages", params={"user_id": bob.id, "page": asked})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("zone", "moment", "text"),
    [
        pytest.param("UTC", "2026-01-18T10:30:00", "1/18/2026, 10:30:00 AM", id="example of the contract"),
        pytest.param("UTC", "2026-01-18T00:00:00", "1/18/2026, 12:00:00 AM", id="midnight"),
        pytest.param("UTC", "2026-01-18T12:00:00", "1/18/2026, 12:00:00 PM", id="noon"),
        pytest.param(
            "UTC", "2026-12-01T13:05:09.999999", "12/1/2026, 1:05:09 PM", id="afternoon, truncated to seconds"
        ),
        pytest.param("Europe/Berlin", "2026-01-18T23:30:00", "1/19/2026, 12:30:00 AM", id="Berlin in winter"),
        pytest.param("Europe/Berlin", "2026-07-18T10:30:00", "7/18/2026, 12:30:00 PM", id="Berlin in summer"),
        pytest.param("America/New_York", "2026-01-01T04:59:59", "12/31/2025, 11:59:59 PM", id="New York"),
        pytest.param(
            "Asia/Kathmandu", "2026-01-18T10:30:00", "1/18/2026, 4:15:00 PM", id="Kathmandu, offset of 45 minutes"
        ),
    ],
)
def test_invites_timestamp_is_local(monkeypatch: pytest.MonkeyPatch, zone: str, moment: str, text: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert local_timestamp(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == text
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("path", ["/messages", "/allmessages", "/messages/updates", "/messages/newmessages"])
async def test_invites_messages_without_token_are_401(server: RunningServer, path: str) -> None:
    answer = await server.client().get(path)
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("path", ["/messages", "/allmessages"])
async def test_invites_history_of_user_deleted_meanwhile_is_empty(
    users: Users, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    alice, bob = await users("alice", "bob")
    await alice.posts("hello", to=bob)

    async def deleted(*_: object) -> None:
        raise NoSuchUser("User not found")

    monkeypatch.setattr(Accounts, "get", deleted)
    answer = await alice.api.get(path, params={"user_id": bob.id})
    assert (answer.status_code, answer.json()) == (200, [])

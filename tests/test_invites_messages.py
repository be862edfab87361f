"""Messages of the invites API: seeds/invites-api.md, endpoints 11 to 13."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

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
    """Messages `0` to `count - 1` by `one`, put there as psql would."""
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


# Sending


async def test_ids_rise_and_the_first_message_makes_the_conversation(users: Users, server: RunningServer) -> None:
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


async def test_two_who_write_first_at_the_same_moment_share_one_conversation(
    users: Users, server: RunningServer
) -> None:
    alice, bob = await users("alice", "bob")
    await asyncio.gather(*(one.posts("hello", to=other) for one, other in [(alice, bob), (bob, alice)] * 3))
    assert len(await shown(alice, "/messages", bob)) == 6
    assert await server.sql("SELECT count(*) FROM members WHERE user_id = %s", alice.id) == [(1,)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({}, 400, id="nothing"),
        pytest.param({"message": "x"}, 400, id="no receiver"),
        pytest.param({"receiver_id": "{bob}"}, 400, id="no message"),
        pytest.param({"receiver_id": "{bob}", "message": ""}, 400, id="empty message"),
        pytest.param({"receiver_id": "{bob}", "message": None}, 400, id="null"),
        pytest.param({"receiver_id": "{bob}", "message": 5}, 400, id="number as message"),
        pytest.param({"receiver_id": "{bob}", "message": ["x"]}, 400, id="list as message"),
        pytest.param({"receiver_id": "5", "message": "x"}, 400, id="text as receiver"),
        pytest.param({"receiver_id": None, "message": "x"}, 400, id="null as receiver"),
        pytest.param({"receiver_id": True, "message": "x"}, 400, id="true as receiver"),
        pytest.param({"receiver_id": 1.5, "message": "x"}, 400, id="fraction as receiver"),
        pytest.param({"receiver_id": -1, "message": "x"}, 400, id="negative receiver"),
        pytest.param({"receiver_id": 2**63, "message": "x"}, 400, id="receiver beyond bigint"),
        pytest.param({"receiver_id": 10**400, "message": "x"}, 400, id="receiver of 400 digits"),
        pytest.param({"receiver_id": "{alice}", "message": "x"}, 400, id="oneself"),
        pytest.param({"receiver_id": 0, "message": "x"}, 404, id="nobody"),
        pytest.param({"receiver_id": 2**63 - 1, "message": "x"}, 404, id="largest id"),
        pytest.param({"receiver_id": "{bob}", "message": "a\0b"}, 400, id="U+0000"),
        pytest.param({"receiver_id": "{bob}", "message": "x" * 700_001}, 400, id="too long"),
        pytest.param({"receiver_id": "{bob}", "message": "🦉" * 700_001}, 400, id="too long in owls"),
    ],
)
async def test_what_cannot_be_sent_leaves_no_trace(
    users: Users, server: RunningServer, body: dict[str, Any], status: int
) -> None:
    alice, bob = await users("alice", "bob")
    people = {"{alice}": alice.id, "{bob}": bob.id}
    answer = await send(alice, {key: people.get(str(value), value) for key, value in body.items()})
    assert answer.status_code == status, answer.text[:200]
    assert list(answer.json()) == ["error"]
    assert await server.sql("SELECT 1 FROM members WHERE user_id = %s", alice.id) == []


@pytest.mark.parametrize("text", [r"\ud800", r"\udc00 x", r"\ud800\ud800", r"\ude00\ud83d"])
async def test_half_a_surrogate_pair_is_a_400(users: Users, text: str) -> None:
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
        pytest.param("\x01\x1f\x7f\x85\u200b\u202e\ufeff\uffff\U0010ffff", id="characters that are hard to see"),
        pytest.param(" \n\t ", id="only blanks"),
        pytest.param("<script>alert('1')</script>'; DROP TABLE users; -- %s {} \\", id="what looks like code"),
        pytest.param("e\u0301 ﬁ İ", id="not normalised"),
    ],
)
async def test_any_text_comes_out_as_it_went_in(users: Users, text: str) -> None:
    alice, bob = await users("alice", "bob")
    assert len(text) <= MAX_CONTENT_CHARS
    await alice.posts(text, to=bob)
    for path in ("/messages", "/allmessages"):
        assert await texts(bob, path, alice) == [text], path


async def test_a_text_may_be_escaped_character_by_character(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    text = "\U0001f600" * MAX_CONTENT_CHARS
    body = json.dumps({"receiver_id": bob.id, "message": text})
    assert len(body) > 12 * MAX_CONTENT_CHARS
    assert (await alice.api.post("/messages", content=body)).status_code == 200
    assert await texts(bob, "/messages", alice) == [text]


async def test_an_idempotency_key_of_another_text_is_a_409_and_of_an_edited_one_is_not(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    key = {"Idempotency-Key": "one"}
    first = await alice.posts("hello", to=bob, **key)
    answer = await alice.api.post("/messages", json={"receiver_id": bob.id, "message": "bye"}, headers=key)
    assert answer.status_code == 409
    assert list(answer.json()) == ["error"]
    assert await texts(bob, "/messages", alice) == ["hello"]
    await alice.server.sql("UPDATE messages SET content = 'hallo', edited_at = now() WHERE id = %s", first)
    assert await alice.posts("hello", to=bob, **key) == first


async def test_a_retry_gets_the_first_answer_and_stores_nothing(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    key = {"Idempotency-Key": "one"}
    first = await alice.posts("hello", to=bob, **key)
    assert await alice.posts("hello", to=bob, **key) == first
    assert await alice.posts("hello", to=bob) != first
    assert await bob.posts("hello", to=alice, **key) != first  # the key is the sender's own
    assert await alice.posts("hello", to=carol, **key) != first
    assert len(await shown(bob, "/messages", alice)) == 3


async def test_retries_that_come_together_store_one_message(users: Users) -> None:
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
async def test_what_an_idempotency_key_may_be(users: Users, key: bytes, status: int) -> None:
    alice, bob = await users("alice", "bob")
    body = {"receiver_id": bob.id, "message": "hello"}
    answer = await alice.api.post("/messages", json=body, headers={b"Idempotency-Key": key})  # type: ignore[dict-item]
    assert answer.status_code == status, answer.text


# Reading


async def test_a_message_is_shown_field_by_field(users: Users) -> None:
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


async def test_pages_hold_the_newest_50_from_old_to_new(users: Users, server: RunningServer) -> None:
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


async def test_pages_count_messages_and_not_deleted_ones(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await fill(server, alice, bob, 110)
    await server.sql("DELETE FROM messages WHERE sender_id = %s AND content::int %% 10 = 3", alice.id)
    kept = [str(nth) for nth in range(110) if nth % 10 != 3]
    assert [await texts(bob, "/messages", alice, page=page) for page in (1, 2)] == [kept[-50:], kept[:-50]]


async def test_a_full_last_page_is_followed_by_an_empty_one(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await fill(server, alice, bob, 100)
    assert [len(await shown(bob, "/messages", alice, page=page)) for page in (1, 2, 3)] == [50, 50, 0]


async def test_a_page_is_complete_however_large_its_messages(users: Users, server: RunningServer) -> None:
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
async def test_a_conversation_that_is_not_there_is_empty(users: Users, path: str) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await bob.posts("not for alice", to=carol)
    for id_ in (bob.id, carol.id, alice.id, 0, 2**63 - 1):
        answer = await alice.api.get(path, params={"user_id": id_})
        assert (answer.status_code, answer.json()) == (200, []), id_


@pytest.mark.parametrize("path", ["/messages", "/allmessages"])
@pytest.mark.parametrize("query", ["", "user_id=", "user_id=bob", "user_id=-1", "user_id=1e3", f"user_id={2**63}"])
async def test_a_bad_user_id_is_a_400(users: Users, path: str, query: str) -> None:
    (alice,) = await users("alice")
    assert (await alice.api.get(f"{path}?{query}")).status_code == 400


@pytest.mark.parametrize("page", ["0", "-1", "1.5", "one", "1_0", "+1", "9" * 19, "9" * 400])
async def test_a_bad_page_is_a_400(users: Users, page: str) -> None:
    alice, bob = await users("alice", "bob")
    for asked, status in (("1", 200), (page, 400)):
        answer = await alice.api.get("/messages", params={"user_id": bob.id, "page": asked})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("zone", "moment", "text"),
    [
        pytest.param("UTC", "2026-01-18T10:30:00", "1/18/2026, 10:30:00 AM", id="the seed's own"),
        pytest.param("UTC", "2026-01-18T00:00:00", "1/18/2026, 12:00:00 AM", id="midnight"),
        pytest.param("UTC", "2026-01-18T12:00:00", "1/18/2026, 12:00:00 PM", id="noon"),
        pytest.param("UTC", "2026-12-01T13:05:09.999999", "12/1/2026, 1:05:09 PM", id="afternoon, cut to seconds"),
        pytest.param("Europe/Berlin", "2026-01-18T23:30:00", "1/19/2026, 12:30:00 AM", id="Berlin in winter"),
        pytest.param("Europe/Berlin", "2026-07-18T10:30:00", "7/18/2026, 12:30:00 PM", id="Berlin in summer"),
        pytest.param("America/New_York", "2026-01-01T04:59:59", "12/31/2025, 11:59:59 PM", id="New York"),
        pytest.param("Asia/Kathmandu", "2026-01-18T10:30:00", "1/18/2026, 4:15:00 PM", id="Kathmandu, a quarter"),
    ],
)
def test_a_timestamp_is_local(monkeypatch: pytest.MonkeyPatch, zone: str, moment: str, text: str) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert local_timestamp(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == text
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("path", ["/messages", "/allmessages", "/messages/updates", "/messages/newmessages"])
async def test_nobody_reads_without_a_token(server: RunningServer, path: str) -> None:
    answer = await server.client().get(path)
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]

"""Keys of direct conversations: GET /conversation/start and /conversation/check-key, and keys at rest."""

import asyncio
from base64 import b64decode
from hashlib import sha256
from typing import Any

import pytest
from psycopg import AsyncConnection

from crypto.conversation_keys import KeyWrapper, UnreadableKey
from store.database.pool import Database
from store.pending_keys import PendingKeys
from testing.server import KEK, Person, RunningServer, until
from tests.conftest import Users


async def start(person: Person, other: Person) -> tuple[bytes, bool]:
    answer = await person.api.get("/conversation/start", params={"user_id": other.id})
    assert answer.status_code == 200, answer.text
    assert sorted(answer.json()) == ["aes_key", "reset"]
    return b64decode(answer.json()["aes_key"], validate=True), answer.json()["reset"]


async def check(person: Person, other: Person) -> bytes | None:
    answer = await person.api.get("/conversation/check-key", params={"user_id": other.id})
    assert answer.status_code == 200, answer.text
    if answer.json() == {"new_key": False}:
        return None
    assert sorted(answer.json()) == ["aes_key", "new_key"]
    assert answer.json()["new_key"] is True
    return b64decode(answer.json()["aes_key"], validate=True)


async def pending(*people: Person) -> list[tuple[Any, ...]]:
    """The stored pending keys of these users: conversation, recipient, wrapped key."""
    query = "SELECT conversation_id, user_id, wrapped_key FROM pending_keys WHERE user_id = ANY(%s) ORDER BY user_id"
    return await people[0].server.sql(query, [person.id for person in people])


async def rows_with_keys(server: RunningServer) -> bytes:
    """All rows that could contain a key, as PostgreSQL's text in UTF-8."""
    rows = await server.sql("SELECT p::text FROM pending_keys p UNION ALL SELECT c::text FROM conversations c")
    assert rows
    return "\n".join(row[0] for row in rows).encode()


async def test_key_start_gives_32_bytes_without_reset(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    key, reset = await start(alice, bob)
    assert len(key) == 32
    assert reset is False


async def test_key_check_gives_the_partner_the_key_once(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    key, _ = await start(alice, bob)
    assert await check(bob, alice) == key
    assert await check(bob, alice) is None


async def test_key_check_of_the_starter_gives_nothing(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await start(alice, bob)
    assert await check(alice, bob) is None


async def test_key_check_before_start_gives_nothing(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    assert await check(alice, bob) is None
    await alice.posts("hello", to=bob)
    assert await check(bob, alice) is None


async def test_key_check_concurrently_gives_the_key_once(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    key, _ = await start(alice, bob)
    fetched = await asyncio.gather(*(check(bob, alice) for _ in range(8)))
    assert sorted(fetched, key=str) == sorted([key] + [None] * 7, key=str)


async def test_key_start_by_partner_gives_pending_key_without_reset(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    key, _ = await start(alice, bob)
    message = await alice.posts("hello", to=bob)
    assert await start(bob, alice) == (key, False)
    shown = await bob.api.get("/allmessages", params={"user_id": alice.id})
    assert [one["id"] for one in shown.json()] == [message]
    assert await check(alice, bob) is None


async def test_key_reset_deletes_messages_and_changes_the_key(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    first, _ = await start(alice, bob)
    assert await check(bob, alice) == first
    await alice.posts("hello", to=bob)
    await bob.posts("hello back", to=alice)
    await alice.posts("kept", to=carol)
    second, reset = await start(bob, alice)
    assert reset is True
    assert second != first
    for one, other in ((alice, bob), (bob, alice)):
        assert (await one.api.get("/allmessages", params={"user_id": other.id})).json() == []
    assert await check(alice, bob) == second
    assert len((await carol.api.get("/allmessages", params={"user_id": alice.id})).json()) == 1


async def test_key_start_repeated_replaces_the_pending_key(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    first, _ = await start(alice, bob)
    second, reset = await start(alice, bob)
    assert reset is True
    assert second != first
    assert await check(bob, alice) == second
    assert await check(bob, alice) is None


async def test_key_reset_keeps_later_messages(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await start(alice, bob)
    before = await alice.posts("old", to=bob)
    await start(alice, bob)
    after = await alice.posts("new", to=bob)
    assert after > before
    shown = await bob.api.get("/messages", params={"user_id": alice.id})
    assert [one["message"] for one in shown.json()] == ["new"]


async def test_key_start_by_both_at_once_gives_one_key(users: Users) -> None:
    people = await users(*(f"one{n}" for n in range(8)))
    pairs = [(one, other) for one in people for other in people if one.id < other.id][:20]
    for one, other in pairs:
        (key, reset), (same_key, same_reset) = await asyncio.gather(start(one, other), start(other, one))
        assert key == same_key
        assert (reset, same_reset) == (False, False)
        assert await check(one, other) is None
        assert await check(other, one) is None
    assert await pending(*people) == []


async def test_key_is_stored_wrapped_until_fetched(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    key, _ = await start(alice, bob)
    ((conversation, recipient, wrapped),) = await pending(alice, bob)
    assert recipient == bob.id
    assert key not in wrapped
    assert len(wrapped) == 60  # nonce, ciphertext, tag
    assert key.hex().encode() not in await rows_with_keys(server)
    assert await check(bob, alice) == key
    assert await pending(alice, bob) == []
    assert key.hex().encode() not in await rows_with_keys(server)
    kept = await server.sql("SELECT key_fingerprint FROM conversations WHERE id = %s", conversation)
    assert kept == [(sha256(key).digest(),)]


@pytest.mark.logs("pending key of conversation .* is unreadable")
async def test_key_moved_to_another_row_is_unreadable(users: Users, server: RunningServer) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    await start(alice, bob)
    await start(alice, eve)
    ((conversation, _, wrapped),) = await pending(bob)
    await server.sql("UPDATE pending_keys SET wrapped_key = %s WHERE user_id = %s", wrapped, eve.id)
    assert await check(eve, alice) is None  # another conversation
    await server.sql("UPDATE pending_keys SET user_id = %s WHERE conversation_id = %s", alice.id, conversation)
    assert await check(alice, bob) is None  # another recipient
    wrapper = KeyWrapper(bytes.fromhex(KEK))
    assert len(wrapper.unwrap(wrapped, conversation, bob.id)) == 32
    with pytest.raises(UnreadableKey):
        wrapper.unwrap(wrapped, conversation, alice.id)


@pytest.mark.parametrize("path", ["/conversation/start", "/conversation/check-key"])
async def test_key_endpoints_reject_bad_user_id(users: Users, server: RunningServer, path: str) -> None:
    (alice,) = await users("alice")
    wanted = {
        "": 400,
        "?user_id=": 400,
        "?user_id=bob": 400,
        "?user_id=-1": 400,
        "?user_id=1.0": 400,
        f"?user_id={2**63}": 400,
        f"?user_id={alice.id}": 400,
        "?user_id=0": 404,
        f"?user_id={2**63 - 1}": 404,
    }
    assert {query: (await alice.api.get(path + query)).status_code for query in wanted} == wanted
    stranger = await server.client().get(f"{path}?user_id={alice.id}")
    assert stranger.status_code == 401
    assert list(stranger.json()) == ["error"]
    assert await pending(alice) == []


async def test_key_start_in_a_codes_conversation_resets_it(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.sends("before")
    await at_bob.receives("before")
    key, reset = await start(alice, bob)
    assert reset is True
    assert await bob.history(conversation) == []
    assert await check(bob, alice) == key
    await at_alice.sends("after")  # the sockets stay open, and the order is kept
    await at_bob.receives("after")
    assert await bob.history(conversation) == ["after"]


@pytest.mark.logs("pending key of conversation .* is unreadable")
async def test_key_wrapped_by_another_kek_is_dropped(
    users: Users, server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = await users("alice", "bob")
    first, _ = await start(alice, bob)
    database = Database(server.url, "another operator")
    await database.open(10)
    try:
        changed = PendingKeys(database, KeyWrapper(bytes(32)))
        assert await changed.take(bob.id, alice.id) is None  # type: ignore[arg-type]
        assert await pending(alice, bob) == []
        assert "unreadable" in caplog.text

        await start(alice, bob)
        issued = await changed.start(bob.id, alice.id)  # type: ignore[arg-type]
        assert issued is not None
        assert issued.reset
        assert issued.key != first
        assert await changed.take(alice.id, bob.id) == issued.key  # type: ignore[arg-type]
    finally:
        await database.close()


@pytest.mark.parametrize("have_messages", [False, True], ids=["no conversation", "conversation with messages"])
async def test_key_start_with_an_account_being_deleted_is_404(
    users: Users, server: RunningServer, have_messages: bool
) -> None:
    alice, bob = await users("alice", "bob")
    if have_messages:
        await alice.posts("before", to=bob)
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def waits() -> bool:
        return bool(await server.sql(waiting))

    async with await AsyncConnection.connect(server.url) as another:
        await another.execute("DELETE FROM users WHERE id = %s", [bob.id])
        asked = asyncio.create_task(alice.api.get("/conversation/start", params={"user_id": bob.id}))
        await until(waits)
        await another.commit()
    assert (await asked).status_code == 404

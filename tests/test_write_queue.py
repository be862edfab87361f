"""The write queue on a real PostgreSQL: results, order, idempotency, bounds and failures."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chat.errors import Busy, ChatError, NoSuchConversation, StaleEpoch, Unavailable
from chat.model.ids import ConversationId, UserId
from chat.model.messages import Draft, Entry
from store.database.pool import Connection, Database
from store.writer import queue as write_queue
from store.writer.append import append
from store.writer.queue import WAITING_MAX, WAITING_MAX_CHARS, WriteQueue, _Transaction
from testing.server import PATIENCE_S

Result = Entry | ChatError
NOBODY = UserId(2**62)


class Rig:
    """A running queue. `published`: entries for the hub; `lost`: notices of a lost connection."""

    def __init__(self, database: Database) -> None:
        self.published: list[Entry] = []
        self.lost = 0
        self.queue = WriteQueue(database, self.published.append, self._lose)

    def _lose(self) -> None:
        self.lost += 1

    def submit(self, draft: Draft) -> "asyncio.Future[Result]":
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def done(result: Result) -> None:
            if not future.cancelled():  # by a test that timed out
                future.set_result(result)  # raises if it is called twice

        self.queue.submit(draft, done)
        return future

    async def write(self, *drafts: Draft) -> list[Any]:
        return list(await asyncio.wait_for(asyncio.gather(*map(self.submit, drafts)), PATIENCE_S))


@asynccontextmanager
async def rig(url: str, name: str = "") -> AsyncIterator[Rig]:
    database = Database(url, name or f"rig-{secrets.token_hex(4)}")
    await database.open(PATIENCE_S)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        made = Rig(database)
        running = asyncio.create_task(made.queue.run())

        async def end() -> None:
            made.queue.stop()
            _, hanging = await asyncio.wait([running], timeout=PATIENCE_S)
            running.cancel()
            assert not hanging, "the writer did not stop"
            await running

        stack.push_async_callback(end)
        await asyncio.wait_for(made.queue.opened(), PATIENCE_S)
        yield made


def sql(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query, values)
        return cursor.fetchall() if cursor.description else []


def user(url: str) -> UserId:
    name = secrets.token_hex(8)
    insert = "INSERT INTO users (username, username_key, password_hash) VALUES (%s, %s, '') RETURNING id"
    return UserId(sql(url, insert, name, name)[0][0])


def conversations(url: str, count: int = 1) -> tuple[UserId, list[ConversationId]]:
    """A new user with `count` conversations."""
    one, made = user(url), []
    for _ in range(count):
        insert = "INSERT INTO conversations (user_id_1, user_id_2) VALUES (%s, %s) RETURNING id"
        made.append(ConversationId(sql(url, insert, one, user(url))[0][0]))
        join(url, made[-1], one)
    return one, made


def join(url: str, conversation: ConversationId, one: UserId) -> None:
    sql(url, "INSERT INTO members (conversation_id, user_id) VALUES (%s, %s)", conversation, one)


def stored(url: str, conversation: UUID, columns: str = "seq, content") -> list[tuple[Any, ...]]:
    return sql(url, f"SELECT {columns} FROM messages WHERE conversation_id = %s ORDER BY seq", conversation)


async def test_write_queue_commits_waiting_drafts_in_one_batch(database_url: str) -> None:
    sender, (here,) = conversations(database_url)
    async with rig(database_url) as it:
        entries = await it.write(*(Draft(here, sender, f"{n}") for n in range(300)))
    assert [entry.seq for entry in entries] == [*range(1, 301)]
    assert [content for _, content in stored(database_url, here)] == [f"{n}" for n in range(300)]
    assert len(stored(database_url, here, "DISTINCT xmin::text, 1 AS seq")) <= 2


async def test_write_queue_publishes_before_it_acknowledges(database_url: str) -> None:
    """After the acknowledgement the sender can read the message: for drafts, and for transactions of their own."""
    sender, (here,) = conversations(database_url)
    order: list[tuple[str, int]] = []
    async with rig(database_url) as it:
        it.queue._publish = lambda entry: order.append(("published", entry.seq))

        def acknowledged(entry: Result) -> None:
            assert isinstance(entry, Entry)
            order.append(("acknowledged", entry.seq))

        for n in range(3):
            it.queue.submit(Draft(here, sender, f"{n}"), acknowledged)
        await it.write(Draft(here, sender, "together with them"))
        assert order == [("published", n) for n in (1, 2, 3, 4)] + [("acknowledged", n) for n in (1, 2, 3)]
        order.clear()

        async def change(connection: Connection) -> tuple[Entry, bool]:
            ((entry, _),) = await append(connection, [Draft(here, sender, "alone")])
            assert isinstance(entry, Entry)
            return entry, True

        it.queue._enqueue(_Transaction(change, 5), 5, acknowledged)
        await it.write(Draft(here, sender, "after it"))
        assert order == [("published", 5), ("acknowledged", 5), ("published", 6)]


async def test_write_queue_result_equals_the_stored_entry(database_url: str) -> None:
    sender, (here,) = conversations(database_url)
    async with rig(database_url) as it:
        (entry,) = await it.write(Draft(here, sender, "héllo 🙂"))
        assert it.published == [entry]
    assert stored(database_url, here, "conversation_id, seq, id, sender_id, content, sent_at") == [
        (here, entry.seq, entry.id, sender, "héllo 🙂", entry.sent_at)
    ]
    (moved,) = sql(database_url, "SELECT last_seq, last_seq_1, last_message_at FROM conversations WHERE id = %s", here)
    assert moved == (1, 1, entry.sent_at)


async def test_write_queues_on_one_conversation_leave_no_gap(database_url: str) -> None:
    sender, here = conversations(database_url, 5)
    async with rig(database_url) as one, rig(database_url) as other:

        async def write(it: Rig, name: str) -> None:
            for part in range(12):
                await it.write(*(Draft(here[n % 5], sender, f"{name} {part} {n}") for n in range(25)))

        await asyncio.gather(write(one, "one"), write(other, "other"))
        for it in (one, other):
            assert len(it.published) == 300
            for conversation in here:
                seqs = [entry.seq for entry in it.published if entry.conversation_id == conversation]
                assert seqs == sorted(set(seqs))
    both = {(entry.conversation_id, entry.seq): entry.content for it in (one, other) for entry in it.published}
    for conversation in here:
        rows = stored(database_url, conversation, "seq, content, sent_at")
        assert [seq for seq, _, _ in rows] == [*range(1, 121)]
        assert all(both[conversation, seq] == content for seq, content, _ in rows)
        times = [sent_at for _, _, sent_at in rows]
        assert times == sorted(set(times)), "sent_at rises strictly"


async def test_write_queue_sent_at_rises_after_clock_was_set_back(database_url: str) -> None:
    sender, (here,) = conversations(database_url)
    ahead = (
        "UPDATE conversations SET last_message_at = now() + interval '1 day' WHERE id = %s RETURNING last_message_at"
    )
    ((future,),) = sql(database_url, ahead, here)
    async with rig(database_url) as it:
        entries = await it.write(*(Draft(here, sender, "x") for _ in range(3)))
        entries += await it.write(Draft(here, sender, "x"))
    assert [entry.sent_at - future for entry in entries] == [timedelta(microseconds=n) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("how", ["one batch", "another batch", "another queue", "two queues at once"])
async def test_write_queue_retry_gets_the_first_result(database_url: str, how: str) -> None:
    sender, (here,) = conversations(database_url)
    first, retry = Draft(here, sender, "first", "id-1"), Draft(here, sender, "first", "id-1")
    async with rig(database_url) as it, rig(database_url) as other:
        if how == "one batch":
            one, again, third = await it.write(first, retry, Draft(here, sender, "third"))
        elif how == "two queues at once":
            (one,), (again,) = await asyncio.gather(it.write(first), other.write(retry))
            (third,) = await it.write(Draft(here, sender, "third"))
        else:
            (one,) = await it.write(first)
            (again,) = await (it if how == "another batch" else other).write(retry)
            (third,) = await it.write(Draft(here, sender, "third"))
        assert (again.seq, again.id, again.sent_at) == (one.seq, one.id, one.sent_at)
        assert (one.seq, third.seq) == (1, 2), "a retry takes no seq"
        assert Counter(entry.seq for entry in it.published + other.published) == {1: 1, 2: 1}
    assert stored(database_url, here) == [(1, "first"), (2, "third")]


async def test_write_queue_client_id_is_per_sender_and_conversation(database_url: str) -> None:
    one, (here, there) = conversations(database_url, 2)
    other = user(database_url)
    join(database_url, here, other)
    async with rig(database_url) as it:
        drafts = [Draft(here, one, "a", "id"), Draft(there, one, "b", "id"), Draft(here, other, "c", "id")]
        assert [entry.content for entry in await it.write(*drafts)] == ["a", "b", "c"]
    assert (stored(database_url, here), stored(database_url, there)) == ([(1, "a"), (2, "c")], [(1, "b")])


async def test_write_queue_draft_of_a_stranger_fails_alone(database_url: str) -> None:
    sender, (here,) = conversations(database_url)
    async with rig(database_url) as it:
        before, unknown, nobody, stranger, after = await it.write(
            Draft(here, sender, "before"),
            Draft(ConversationId(uuid4()), sender, "unknown"),
            Draft(here, NOBODY, "nobody"),
            Draft(here, user(database_url), "stranger"),
            Draft(here, sender, "after"),
        )
    assert {type(unknown), type(nobody), type(stranger)} == {NoSuchConversation}
    assert (before.seq, after.seq) == (1, 2)


def test_insert_with_sql_for_a_stranger_is_refused(database_url: str) -> None:
    _, (here,) = conversations(database_url)
    stranger = user(database_url)
    insert = "INSERT INTO messages (conversation_id, sender_id, content) VALUES (%s, %s, 'x') RETURNING seq"
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="is not a member"):
        sql(database_url, insert, here, stranger)


@pytest.mark.parametrize("gone", ["DELETE FROM conversations WHERE id = %s", "DELETE FROM users WHERE id = %s"])
async def test_delete_of_conversation_or_user_deletes_its_messages(database_url: str, gone: str) -> None:
    sender, (here,) = conversations(database_url)
    other, (there,) = conversations(database_url)
    async with rig(database_url) as it:
        await it.write(Draft(here, sender, "here"), Draft(there, other, "there"))
    sql(database_url, gone + " RETURNING id", here if "conversations" in gone else sender)
    assert stored(database_url, here) == []
    assert stored(database_url, there) == [(1, "there")]


BAD_DRAFTS = [
    pytest.param({"content": "a\0b"}, id="U+0000"),
    pytest.param({"content": "a\ud800"}, id="a lone surrogate"),
    pytest.param({"client_id": "i\0d"}, id="U+0000 in the client id"),
]


@pytest.mark.logs("a batch of", "was refused")
@pytest.mark.parametrize("bad", BAD_DRAFTS)
async def test_write_queue_draft_refused_by_the_database_fails_alone(database_url: str, bad: dict[str, Any]) -> None:
    sender, (here,) = conversations(database_url)
    wrong = Draft(**{"conversation_id": here, "sender_id": sender, "content": "bad"} | bad)
    async with rig(database_url) as it:
        before, refused, after = await it.write(Draft(here, sender, "before"), wrong, Draft(here, sender, "after"))
        assert isinstance(refused, ChatError)
        assert (before.seq, after.seq) == (1, 2)
        assert [entry.content for entry in it.published] == ["before", "after"]
        (later,) = await it.write(Draft(here, sender, "later"))
        assert (later.seq, it.lost) == (3, 0)


@pytest.mark.logs("1 conversation rows are locked by another session")
async def test_write_queue_locked_conversation_fails_alone(database_url: str) -> None:
    sender, (held, free) = conversations(database_url, 2)
    async with rig(database_url) as it:
        with psycopg.connect(database_url) as other:
            other.execute("SELECT 1 FROM conversations WHERE id = %s FOR UPDATE", [held])
            results = await it.write(*(Draft(here, sender, f"{n}") for n in range(20) for here in (held, free)))
            assert all(isinstance(result, Unavailable) for result in results[::2])
            assert [entry.seq for entry in results[1::2]] == [*range(1, 21)]
        (after,) = await it.write(Draft(held, sender, "after"))
        assert (after.seq, it.lost) == (1, 0)


async def test_write_queue_full_raises_busy_at_once(database_url: str) -> None:
    sender, here = conversations(database_url, 8)
    async with rig(database_url) as it:
        waiting = [it.submit(Draft(here[n % 8], sender, "x")) for n in range(WAITING_MAX)]
        with pytest.raises(Busy):
            it.submit(Draft(here[0], sender, "too many"))
        results = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
        assert all(isinstance(result, Entry) for result in results)
        assert await it.write(Draft(here[0], sender, "there is room again"))
    assert len(it.published) == WAITING_MAX + 1


async def test_write_queue_full_in_characters_raises_busy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert WAITING_MAX_CHARS >= 700_000
    monkeypatch.setattr(write_queue, "WAITING_MAX_CHARS", 1000)
    sender, (here,) = conversations(database_url)
    async with rig(database_url) as it:
        for _ in range(2):
            waiting = [it.submit(Draft(here, sender, "x" * 500)) for _ in range(2)]
            with pytest.raises(Busy):
                it.submit(Draft(here, sender, ""))
            assert all(isinstance(result, Entry) for result in await asyncio.gather(*waiting))


async def test_write_queue_splits_large_drafts_over_transactions(database_url: str) -> None:
    sender, (here,) = conversations(database_url)
    async with rig(database_url) as it:
        await it.write(*(Draft(here, sender, "é" * 700_000) for _ in range(5)))
    assert stored(database_url, here, "seq, length(content)") == [(n, 700_000) for n in range(1, 6)]
    assert len(stored(database_url, here, "DISTINCT xmin::text, 1 AS seq")) == 3


async def test_write_queue_splits_many_drafts_over_transactions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "BATCH_MAX", 10)
    sender, (here,) = conversations(database_url)
    async with rig(database_url) as it:
        await it.write(*(Draft(here, sender, f"{n}") for n in range(30)))
    assert len(stored(database_url, here, "DISTINCT xmin::text, 1 AS seq")) == 3


async def test_write_queue_stopped_writes_the_waiting_drafts(database_url: str) -> None:
    sender, (here,) = conversations(database_url)
    async with rig(database_url) as it:
        waiting = [it.submit(Draft(here, sender, f"{n}")) for n in range(600)]
        it.queue.stop()
        assert not it.queue.is_open
        with pytest.raises(Unavailable):
            it.submit(Draft(here, sender, "too late"))
        results: Sequence[Result] = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
    assert all(isinstance(result, Entry) for result in results)
    assert len(stored(database_url, here)) == 600


@pytest.mark.logs("a change failed")
async def test_write_queue_failed_transaction_is_rolled_back(database_url: str) -> None:
    """Group commits run in transactions of their own: an error in one must not end the writer."""
    sender, (here,) = conversations(database_url, 1)

    async def fails(connection: Connection, error: Exception) -> tuple[Entry, bool]:
        await connection.execute("UPDATE conversations SET last_seq = 99 WHERE id = %s", [here])
        raise error

    async with rig(database_url) as it:
        with pytest.raises(Unavailable):
            await it.queue.run_alone(lambda connection: fails(connection, RuntimeError("a mistake")), 10)
        with pytest.raises(StaleEpoch):
            await it.queue.run_alone(lambda connection: fails(connection, StaleEpoch("late")), 10)
        (entry,) = await it.write(Draft(here, sender, "still here"))
        assert (entry.seq, it.lost) == (1, 0)


@pytest.mark.logs("a change was refused")
async def test_write_queue_refused_transaction_fails_alone(database_url: str) -> None:
    sender, (here,) = conversations(database_url)

    async def divides_by_zero(connection: Connection) -> tuple[Entry, bool]:
        await connection.execute("SELECT 1 / 0")
        raise AssertionError("it was refused")

    async with rig(database_url) as it:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(it.queue.run_alone(divides_by_zero, 10), PATIENCE_S)
        (entry,) = await it.write(Draft(here, sender, "still here"))
        assert (entry.seq, it.lost) == (1, 0)


async def test_write_queue_transaction_of_a_locked_row_fails_alone(database_url: str) -> None:
    sender, (held, free) = conversations(database_url, 2)

    async def locks(connection: Connection) -> tuple[Entry, bool]:
        await connection.execute("SET LOCAL lock_timeout = '10ms'")
        await connection.execute("SELECT 1 FROM conversations WHERE id = %s FOR UPDATE", [held])
        raise AssertionError("it was locked")

    async with rig(database_url) as it:
        with psycopg.connect(database_url) as other:
            other.execute("SELECT 1 FROM conversations WHERE id = %s FOR UPDATE", [held])
            with pytest.raises(Unavailable, match="locked by another program"):
                await asyncio.wait_for(it.queue.run_alone(locks, 10), PATIENCE_S)
        (entry,) = await it.write(Draft(free, sender, "still here"))
        assert (entry.seq, it.lost) == (1, 0)

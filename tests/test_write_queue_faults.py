"""The write queue while its connection is killed: acknowledged drafts are stored once, and no caller waits forever."""

import asyncio
from collections import Counter
from itertools import count

import psycopg
import pytest

from chat.errors import Unavailable
from chat.model.messages import Draft, Entry
from store.database.pool import Connection
from store.writer import queue as write_queue
from testing.server import PATIENCE_S, until
from tests.test_write_queue import conversations, rig, sql, stored

KILL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = %s AND datname = current_database() AND state IS NOT NULL"
)
LOST = pytest.mark.logs("the writer lost its connection", "discarding closed connection", "error ignored")


@LOST
async def test_write_queue_killed_under_load_stores_drafts_once(database_url: str) -> None:
    sender, here = conversations(database_url, 3)
    acknowledged: list[str] = []
    refused = 0
    async with rig(database_url, "to-be-killed") as it:

        async def client(name: int) -> None:
            """A client that sends one draft at a time, and repeats it until it is acknowledged."""
            nonlocal refused
            for n in count():
                if it.lost >= 3:
                    break
                draft = Draft(here[name % 3], sender, f"{name}-{n}", f"{name}-{n}")
                while True:
                    try:
                        result = await asyncio.wait_for(it.submit(draft), PATIENCE_S)
                    except Unavailable:
                        await asyncio.sleep(0.01)
                        continue
                    if isinstance(result, Entry):
                        acknowledged.append(draft.content)
                        break
                    assert isinstance(result, Unavailable)
                    refused += 1

        async def killer() -> None:
            while it.lost < 3:
                enough = len(acknowledged) + 50
                while len(acknowledged) < enough and it.lost < 3:
                    await asyncio.sleep(0.005)
                await asyncio.to_thread(sql, database_url, KILL, "to-be-killed")

        async with asyncio.TaskGroup() as people:
            for work in (killer(), *map(client, range(20))):
                people.create_task(work)
    assert refused > 0, "some drafts were not acknowledged"
    rows = [row for conversation in here for row in stored(database_url, conversation)]
    assert Counter(content for _, content in rows) == Counter(acknowledged)
    assert len(acknowledged) > 100
    for conversation in here:
        seqs = [seq for seq, _ in stored(database_url, conversation)]
        assert seqs == [*range(1, len(seqs) + 1)]
    published = [(entry.conversation_id, entry.seq) for entry in it.published]
    assert len(published) == len(set(published))


@LOST
async def test_write_queue_idle_connection_killed_is_replaced(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.writer.queue.PROBE_S", 0.05)
    sender, (here,) = conversations(database_url)
    async with rig(database_url, "idle") as it:
        await it.write(Draft(here, sender, "before"))
        assert sql(database_url, KILL, "idle") != [(0,)]

        async def noticed() -> bool:
            return it.lost == 1

        await until(noticed)
        (after,) = await it.write(Draft(here, sender, "after"))
        assert isinstance(after, Entry)
    assert [content for _, content in stored(database_url, here)] == ["before", "after"]


@LOST
@pytest.mark.logs("a batch of")
async def test_write_queue_killed_in_single_mode_fails_the_rest(
    database_url: str,
) -> None:
    sender, (here,) = conversations(database_url)
    async with rig(database_url, "one-by-one") as it:

        def publish_and_die(entry: Entry) -> None:
            it.published.append(entry)
            if len(it.published) == 1:
                sql(database_url, KILL, "one-by-one")

        it.queue._publish = publish_and_die
        bad = Draft(here, sender, "\0 makes the whole batch fail")
        results = await it.write(
            Draft(here, sender, "first", "1"), bad, *(Draft(here, sender, f"{n}") for n in range(3))
        )
        assert isinstance(results[0], Entry)
        assert all(isinstance(result, Unavailable) for result in results[1:])
        (later,) = await it.write(Draft(here, sender, "later"))
        assert later.seq == 2


@LOST
async def test_write_queue_connection_lost_notifies_the_hub(database_url: str) -> None:
    """`lost` makes the hub sweep: the entries are in the log and were never published."""
    sender, (here,) = conversations(database_url)
    async with rig(database_url, "unheard") as it:
        await it.write(Draft(here, sender, "before"))
        sql(database_url, KILL, "unheard")
        results = await it.write(Draft(here, sender, "into the void"))
        assert it.lost == 1
        assert isinstance(results[0], Unavailable)


@LOST
async def test_write_queue_killed_in_a_transaction_is_unavailable(database_url: str) -> None:
    sender, (here,) = conversations(database_url)

    async def is_killed(connection: Connection) -> tuple[Entry, bool]:
        await asyncio.to_thread(sql, database_url, KILL, "killed-alone")
        await connection.execute("SELECT 1")
        raise AssertionError("the connection was killed")

    async with rig(database_url, "killed-alone") as it:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(it.queue.run_alone(is_killed, 10), PATIENCE_S)
        (later,) = await it.write(Draft(here, sender, "later"))
        assert (later.seq, it.lost) == (1, 1)


@LOST
async def test_write_queue_stopped_while_disconnected_writes_the_rest(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "BATCH_MAX", 1)
    sender, (here,) = conversations(database_url)
    async with rig(database_url, "stopped") as it:
        await it.write(Draft(here, sender, "before"))
        sql(database_url, KILL, "stopped")
        waiting = [it.submit(Draft(here, sender, f"{n}")) for n in range(3)]
        it.queue.stop()
        first, *rest = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
        assert isinstance(first, Unavailable)
        assert [entry.seq for entry in rest if isinstance(entry, Entry)] == [2, 3]


@LOST
async def test_write_queue_outage_refuses_what_waits(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_queue, "BATCH_MAX", 1)
    monkeypatch.setattr(write_queue, "WAITING_MAX_CHARS", 1000)
    sender, (here,) = conversations(database_url)
    is_down = True
    async with rig(database_url, "outage") as it:
        connect = it.queue._database.dedicated

        async def dedicated() -> Connection:
            if is_down:
                raise psycopg.OperationalError
            return await connect()

        monkeypatch.setattr(it.queue._database, "dedicated", dedicated)
        await it.write(Draft(here, sender, "before"))
        sql(database_url, KILL, "outage")
        results = await it.write(*(Draft(here, sender, "x" * 500) for _ in range(2)))
        assert all(isinstance(result, Unavailable) for result in results)
        assert not it.queue.is_open
        with pytest.raises(Unavailable):
            it.submit(Draft(here, sender, "during the outage"))
        is_down = False

        async def is_open() -> bool:
            return it.queue.is_open

        await until(is_open)
        entries = await it.write(*(Draft(here, sender, "x" * 500) for _ in range(2)))
        assert [entry.seq for entry in entries] == [2, 3], "nothing of the outage counts towards the bound"

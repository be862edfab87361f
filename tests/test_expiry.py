"""Expiry: rows that are deleted when their time is over, and rows that are kept."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chat.errors import Unavailable
from store.database import expiry
from store.database.expiry import delete_expired, expire_forever
from store.database.pool import Database
from testing.server import PATIENCE_S
from tests.test_write_queue import sql, user

NOW = datetime.now(UTC)
MOMENTS = {"expired": NOW - timedelta(seconds=1), "expires now": NOW, "not expired": NOW + timedelta(seconds=1)}


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url, f"expiry-{secrets.token_hex(4)}")
    await opened.open(PATIENCE_S)
    try:
        yield opened
    finally:
        await opened.close()


async def expire(url: str) -> None:
    async with database(url) as opened:
        await delete_expired(opened, NOW)


def device(url: str, owner: int) -> int:
    """Insert a device; return its id."""
    insert = "INSERT INTO devices VALUES (%s, %s, 'Laptop', %s, now()) RETURNING id"
    return int(sql(url, insert, secrets.randbits(62) | 1, owner, secrets.token_bytes(32))[0][0])


INSERTS = {
    "limits": "INSERT INTO limits (key, expires_at) VALUES (%(name)s, %(at)s)",
    "chat_codes": "INSERT INTO chat_codes VALUES (%(number)s, %(user)s, now(), %(at)s)",
    "sessions": "INSERT INTO sessions VALUES (%(uuid)s, %(user)s, now(), %(at)s)",
    "key_packages": "INSERT INTO key_packages VALUES (%(bytes)s, %(device)s, 'data', %(flag)s, %(at)s)",
    "claims": "INSERT INTO claims VALUES (%(bytes)s, %(user)s, %(device)s, %(at)s)",
}


@pytest.mark.parametrize("table", INSERTS)
async def test_expiry_deletes_expired_rows_only(own_database_url: str, table: str) -> None:
    url = own_database_url
    owner = user(url)
    owned = {"user": owner, "device": device(url, owner)}
    for number, at in enumerate(MOMENTS.values()):
        for flag in (False, True):
            given = {"name": secrets.token_hex(8), "number": 20_000 + 2 * number + flag, "uuid": uuid4()}
            with_all = owned | given | {"bytes": secrets.token_bytes(32), "flag": flag, "at": at}
            _insert(url, INSERTS[table], with_all)
    before = _rows(url)
    assert before[table] == 6
    await expire(url)
    assert _rows(url) == before | {table: 2}
    assert sql(url, f"SELECT DISTINCT expires_at FROM {table}") == [(MOMENTS["not expired"],)]


def _insert(url: str, query: str, values: dict[str, Any]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(query, values)


def _rows(url: str) -> dict[str, int]:
    tables = [row[0] for row in sql(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {table: sql(url, f"SELECT count(*) FROM {table}")[0][0] for table in tables}


GROUP = """
WITH made AS (INSERT INTO conversations (kind, last_seq) VALUES ('encrypted', 9) RETURNING id)
INSERT INTO groups (conversation_id, epoch, group_info) SELECT id, 1, '' FROM made RETURNING conversation_id
"""
WELCOME = "INSERT INTO welcomes (conversation_id, seq, data) VALUES (%s, %s, 'welcome')"
LEAF = """
INSERT INTO leaves (conversation_id, device_id, since_seq, leaf, user_id, acked_seq, until_seq, welcome)
VALUES (%s, %s, %s, %s, %s, 0, %s, %s)
"""

# Of each device that the welcome is for: whether it has yet to fetch it, the seq of its removal, whether it is revoked.
Reader = tuple[bool, int | None, bool]
PENDING: Reader = (True, None, False)
FETCHED: Reader = (False, None, False)
REMOVED: Reader = (True, 7, False)
REVOKED: Reader = (True, None, True)


@pytest.mark.parametrize(
    ("readers", "is_kept"),
    [
        pytest.param([PENDING], True, id="one pending"),
        pytest.param([FETCHED, PENDING], True, id="one of two pending"),
        pytest.param([FETCHED, FETCHED], False, id="all fetched"),
        pytest.param([REMOVED], False, id="removed before joining"),
        pytest.param([REVOKED], False, id="revoked before joining"),
        pytest.param([REMOVED, REVOKED, PENDING], True, id="one of three pending"),
        pytest.param([], False, id="no device"),
    ],
)
async def test_welcome_is_kept_while_a_device_can_join_by_it(
    database_url: str, readers: list[Reader], is_kept: bool
) -> None:
    ((here,),) = sql(database_url, GROUP)
    sql(database_url, WELCOME, here, 5)
    for leaf, (waits, until, is_revoked) in enumerate(readers):
        owner = user(database_url)
        one = device(database_url, owner)
        sql(database_url, LEAF, here, one, 5, leaf, owner, until, waits)
        if is_revoked:
            sql(database_url, "DELETE FROM devices WHERE id = %s", one)
    await expire(database_url)
    assert bool(sql(database_url, "SELECT 1 FROM welcomes WHERE conversation_id = %s", here)) is is_kept


async def test_welcome_of_another_commit_or_group_is_deleted(database_url: str) -> None:
    """The device needs the welcome of seq 5 in this group only."""
    owner = user(database_url)
    one = device(database_url, owner)
    ((here,),), ((elsewhere,),) = sql(database_url, GROUP), sql(database_url, GROUP)
    for where, seq in ((here, 5), (here, 3), (elsewhere, 5)):
        sql(database_url, WELCOME, where, seq)
    sql(database_url, LEAF, here, one, 5, 0, owner, None, True)
    await expire(database_url)
    left = "SELECT conversation_id, seq FROM welcomes WHERE conversation_id IN (%s, %s)"
    assert sql(database_url, left, here, elsewhere) == [(here, 5)]


@pytest.mark.logs("expiry waits for the database")
async def test_expiry_goes_on_after_an_outage(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "INTERVAL_S", 0.01)
    outage = iter([True])
    goes_on = asyncio.Event()

    async def delete(opened: Database, now: datetime) -> None:
        if next(outage, False):
            raise Unavailable("an outage")
        await delete_expired(opened, now)
        goes_on.set()

    monkeypatch.setattr(expiry, "delete_expired", delete)
    key = secrets.token_hex(8)
    sql(database_url, "INSERT INTO limits (key, expires_at) VALUES (%s, %s)", key, MOMENTS["expired"])
    async with database(database_url) as opened:
        running = asyncio.create_task(expire_forever(opened, lambda: NOW))
        await asyncio.wait_for(goes_on.wait(), PATIENCE_S)
        running.cancel()
    assert sql(database_url, "SELECT 1 FROM limits WHERE key = %s", key) == []

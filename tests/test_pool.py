"""The connection pool: a database that does not answer, or is busy, and the settings of its connections."""

import asyncio
from typing import Any

import psycopg
import pytest

from chat.errors import Busy, Unavailable
from store.database import pool
from store.database.pool import Connection, Database
from testing.server import PATIENCE_S

SETTINGS = {
    "TimeZone": "UTC",
    "lock_timeout": "3s",
    "statement_timeout": "15s",
    "plan_cache_mode": "force_generic_plan",
}


async def settings(connection: Connection, *names: str) -> dict[str, Any]:
    return {name: (await (await connection.execute(f"SHOW {name}")).fetchall())[0][0] for name in names}


@pytest.mark.logs("error connecting in")
async def test_pool_of_a_database_that_does_not_answer_is_unavailable() -> None:
    database = Database("postgresql://postgres@127.0.0.1:1/postgres", "nobody")
    try:
        with pytest.raises(Unavailable, match="does not answer"):
            await database.open(0.2)
    finally:
        await database.close()


async def test_pool_with_too_many_callers_is_busy(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "POOL_MAX", 1)
    monkeypatch.setattr(pool, "WAITING_MAX", 1)
    database = Database(database_url, "busy")
    await database.open(PATIENCE_S)
    try:
        async with database.connection():
            waiting = asyncio.create_task(database.rows("SELECT 1", []))
            await asyncio.sleep(0)
            with pytest.raises(Busy):
                await database.rows("SELECT 2", [])
        assert await waiting == [(1,)]
    finally:
        await database.close()


@pytest.mark.parametrize("notifies", [True, False])
async def test_pool_connections_have_time_limits_and_utc(database_url: str, notifies: bool) -> None:
    database = Database(database_url, "settings", notifies=notifies)
    await database.open(PATIENCE_S)
    try:
        dedicated = await database.dedicated()
        async with database.connection() as pooled, dedicated:
            for connection in (pooled, dedicated):
                assert await settings(connection, *SETTINGS) == SETTINGS
                query = "SELECT current_setting('sottovoce.notify', true)"
                ((notify,),) = await (await connection.execute(query)).fetchall()
                assert (notify or "on") == ("on" if notifies else "off")
    finally:
        await database.close()


async def test_pool_closes_a_connection_that_it_cannot_set_up(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(database_url, "half-open")
    made: list[Connection] = []

    async def fails(connection: Connection) -> None:
        made.append(connection)
        raise psycopg.OperationalError("the database ends")

    monkeypatch.setattr(database, "_set_up", fails)
    with pytest.raises(psycopg.OperationalError, match="the database ends"):
        await database.dedicated()
    assert [connection.closed for connection in made] == [True]

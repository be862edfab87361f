"""The connection pool. It turns errors of the connection into Unavailable and Busy."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from chat.errors import Busy, Unavailable

log = logging.getLogger("sottovoce.database")

POOL_MAX = 10
DEDICATED = 2  # connections outside the pool: the writer's and the bus's
WAITING_MAX = 1024  # callers that wait for a connection; full: Busy at once
WAIT_S = 2.0  # for a connection; then the database counts as unavailable

# Within 30 s, these detect a server that disappeared without closing the connection.
TIMEOUTS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

Connection = AsyncConnection[Any]


class Database:
    """A pool of connections in autocommit mode, with the time zone UTC.

    Every method that uses the pool raises Unavailable if the database is unavailable, and Busy if WAITING_MAX callers
    wait already.
    """

    def __init__(self, url: str, application_name: str, *, notifies: bool = True) -> None:
        """`notifies`: whether triggers notify other workers of entries that these connections commit."""
        self._url = url
        self._notifies = notifies
        self._name = application_name
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            kwargs={"autocommit": True, "application_name": application_name, **TIMEOUTS},
            min_size=1,
            max_size=POOL_MAX,
            max_waiting=WAITING_MAX,
            timeout=WAIT_S,
            reconnect_timeout=3.0,
            configure=self._set_up,
            open=False,
        )

    async def open(self, timeout_s: float) -> None:
        """Open the pool. Raises Unavailable if the database does not answer within `timeout_s`."""
        try:
            await self._pool.open(wait=True, timeout=timeout_s)
        except PoolTimeout as error:
            raise Unavailable(f"the database does not answer within {timeout_s:.0f} s") from error

    async def close(self) -> None:
        """Close all connections of the pool."""
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection. Each statement is a transaction of its own."""
        try:
            async with self._pool.connection() as connection:
                try:
                    yield connection
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    if connection.broken:
                        await self._pool.check()  # the other connections probably broke too
                    raise
        except TooManyRequests as error:
            raise Busy("The server is busy, try again") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            log.warning("database unavailable: %s", type(error).__name__)
            raise Unavailable("The database is not available, try again later") from error

    async def rows(self, query: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a frequent statement and return all rows. It is prepared, and its result is in binary format."""
        async with self.connection() as connection:
            return await (await connection.execute(query, values, prepare=True, binary=True)).fetchall()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Borrow a connection for one transaction. An exception rolls it back."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def dedicated(self) -> Connection:
        """Open a connection outside the pool, for the writer or the bus. Raises psycopg.OperationalError."""
        connection = await AsyncConnection.connect(self._url, autocommit=True, application_name=self._name, **TIMEOUTS)
        try:
            await self._set_up(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _set_up(self, connection: Connection) -> None:
        # With these timeouts, a long lock or a slow statement fails one request instead of blocking the server.
        await connection.execute("SET TIME ZONE 'UTC'; SET lock_timeout = '3s'; SET statement_timeout = '15s'")
        # Every statement has one good plan, which uses an index. Planning a page of history took as long as reading it.
        await connection.execute("SET plan_cache_mode = 'force_generic_plan'")
        if not self._notifies:
            await connection.execute("SET sottovoce.notify = 'off'")

"""The pool, and what an absent database looks like to the domain."""

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
DEDICATED = 2  # the writer's and the bus's
WAITING_MAX = 1024  # who wait for a connection; one more is Busy at once
WAIT_S = 2.0  # then the database is taken to be away

# A server that vanished without a word is noticed within half a minute.
PATIENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

Connection = AsyncConnection[Any]


class Database:
    """Connections in autocommit; times come and go in UTC.

    Every method of the store raises Unavailable where the database is away, and Busy where too many wait for it.
    """

    def __init__(self, url: str, application_name: str, *, rings: bool = True) -> None:
        """`rings`: whether what is written here rings the doorbell of other workers; see the migration."""
        self._url = url
        self._rings = rings
        self._name = application_name
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            kwargs={"autocommit": True, "application_name": application_name, **PATIENCE},
            min_size=1,
            max_size=POOL_MAX,
            max_waiting=WAITING_MAX,
            timeout=WAIT_S,
            reconnect_timeout=3.0,
            configure=self._set_up,
            open=False,
        )

    async def open(self, timeout_s: float) -> None:
        """Raises Unavailable if the database does not answer in time."""
        try:
            await self._pool.open(wait=True, timeout=timeout_s)
        except PoolTimeout as error:
            raise Unavailable(f"the database does not answer within {timeout_s:.0f} s") from error

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        try:
            async with self._pool.connection() as connection:
                try:
                    yield connection
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    if connection.broken:
                        await self._pool.check()  # its neighbours have probably died with it
                    raise
        except TooManyRequests as error:
            raise Busy("The server is busy, try again") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            log.warning("database unavailable: %s", type(error).__name__)
            raise Unavailable("The database is not available, try again later") from error

    async def rows(self, query: str, values: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """What a statement that is asked often finds: prepared, and in binary."""
        async with self.connection() as connection:
            return await (await connection.execute(query, values, prepare=True, binary=True)).fetchall()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def dedicated(self) -> Connection:
        """A connection outside the pool, for the writer and the bus. Raises psycopg.OperationalError."""
        connection = await AsyncConnection.connect(self._url, autocommit=True, application_name=self._name, **PATIENCE)
        try:
            await self._set_up(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _set_up(self, connection: Connection) -> None:
        # Somebody else's lock, or a statement that runs away, fails what waits for it and does not stop the house.
        await connection.execute("SET TIME ZONE 'UTC'; SET lock_timeout = '3s'; SET statement_timeout = '15s'")
        # Every statement has one good plan, by an index. Planning a page of history anew took as long as reading it.
        await connection.execute("SET plan_cache_mode = 'force_generic_plan'")
        if not self._rings:
            await connection.execute("SET sottovoce.notify = 'off'")

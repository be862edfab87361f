"""Throws away what has expired."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from chat.errors import Unavailable
from store.database import Database

log = logging.getLogger("sottovoce.housekeeping")

INTERVAL_S = 60.0

EXPIRED = (
    "DELETE FROM limits WHERE expires_at <= %s",
    "DELETE FROM chat_codes WHERE expires_at <= %s",
    "DELETE FROM sessions WHERE expires_at <= %s",
)


async def throw_away_expired(database: Database, now: datetime) -> None:
    """Raises Unavailable. Several workers may do this at once."""
    async with database.connection() as connection:
        for statement in EXPIRED:
            await connection.execute(statement, [now])


async def keep_house(database: Database, now: Callable[[], datetime]) -> None:
    while True:
        await asyncio.sleep(INTERVAL_S)
        try:
            await throw_away_expired(database, now())
        except Unavailable:
            log.warning("housekeeping waits for the database")

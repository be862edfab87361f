"""Throws away what has expired."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from chat.errors import Unavailable
from store.database.pool import Database

log = logging.getLogger("sottovoce.housekeeping")

INTERVAL_S = 60.0

EXPIRED = (
    "DELETE FROM limits WHERE expires_at <= %s",
    "DELETE FROM chat_codes WHERE expires_at <= %s",
    "DELETE FROM sessions WHERE expires_at <= %s",
    "DELETE FROM key_packages WHERE expires_at <= %s",
    "DELETE FROM claims WHERE expires_at <= %s",
)
# Welcomes that every device has acknowledged, or can do nothing with any more.
USED_UP = """
DELETE FROM welcomes w WHERE NOT EXISTS (
    SELECT FROM leaves l JOIN devices d ON d.id = l.device_id
    WHERE l.conversation_id = w.conversation_id AND l.since_seq = w.seq AND l.welcome AND l.until_seq IS NULL
)
"""


async def delete_expired(database: Database, now: datetime) -> None:
    """Raises Unavailable. Several workers may do this at once."""
    async with database.connection() as connection:
        for statement in EXPIRED:
            await connection.execute(statement, [now])
        await connection.execute(USED_UP)


async def expire_forever(database: Database, now: Callable[[], datetime]) -> None:
    while True:
        await asyncio.sleep(INTERVAL_S)
        try:
            await delete_expired(database, now())
        except Unavailable:
            log.warning("housekeeping waits for the database")

"""Delete expired rows, once a minute in every worker."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from chat.errors import Unavailable
from store.database.pool import Database

log = logging.getLogger("sottovoce.expiry")

INTERVAL_S = 60.0

EXPIRED = (
    "DELETE FROM limits WHERE expires_at <= %s",
    "DELETE FROM chat_codes WHERE expires_at <= %s",
    "DELETE FROM sessions WHERE expires_at <= %s",
    "DELETE FROM key_packages WHERE expires_at <= %s",
    "DELETE FROM claims WHERE expires_at <= %s",
    "DELETE FROM links WHERE expires_at <= %s",
)
# Welcomes that no device waits for: each recipient acknowledged it, was removed or was deleted.
USED_WELCOMES = """
DELETE FROM welcomes w WHERE NOT EXISTS (
    SELECT FROM leaves l JOIN devices d ON d.id = l.device_id
    WHERE l.conversation_id = w.conversation_id AND l.since_seq = w.seq AND l.welcome AND l.until_seq IS NULL
)
"""


async def delete_expired(database: Database, now: datetime) -> None:
    """Delete what has expired at `now`. Several workers may do this at the same time. Raises Unavailable."""
    async with database.connection() as connection:
        for statement in EXPIRED:
            await connection.execute(statement, [now])
        await connection.execute(USED_WELCOMES)


async def expire_forever(database: Database, now: Callable[[], datetime]) -> None:
    """Run until cancelled."""
    while True:
        await asyncio.sleep(INTERVAL_S)
        try:
            await delete_expired(database, now())
        except Unavailable:
            log.warning("expiry waits for the database")

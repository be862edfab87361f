"""SQL of limits: every decision is one statement, so that two workers cannot both see the last free place."""

from datetime import datetime
from typing import Any

from chat.model.limits import Bucket, Window
from store.database.pool import Database

# GCRA. Nothing is returned where the bucket is full. Nobody waits for the disk: what a crash forgets of a bucket fills
# up again within seconds. (`true`: for this transaction only.)
TAKE = """
WITH not_waiting AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO limits AS l (key, full_until, expires_at)
SELECT %(key)s, %(now)s + %(interval)s, %(now)s + %(interval)s FROM not_waiting
ON CONFLICT (key) DO UPDATE SET
    full_until = greatest(l.full_until, %(now)s) + %(interval)s,
    expires_at = greatest(l.full_until, %(now)s) + %(interval)s
WHERE greatest(l.full_until, %(now)s) + %(interval)s <= %(now)s + %(interval)s * %(burst)s
RETURNING full_until
"""
TAKEN_UNTIL = "SELECT full_until - %(interval)s * (%(burst)s - 1) FROM limits WHERE key = %(key)s"

# `blocked_until` is set by the last hit that is still allowed; a hit while blocked changes and returns nothing.
HIT = """
INSERT INTO limits AS l (key, hits, expires_at) VALUES (%(key)s, ARRAY[%(now)s], %(now)s + %(per)s)
ON CONFLICT (key) DO UPDATE SET (hits, blocked_until, expires_at) = (
    SELECT recent.hits,
           CASE WHEN cardinality(recent.hits) >= %(max)s
                THEN coalesce(%(now)s + %(block)s, recent.hits[1] + %(per)s) END,
           %(now)s + greatest(%(per)s, %(block)s)
    FROM (SELECT array_agg(hit ORDER BY hit) AS hits
          FROM unnest(l.hits || %(now)s::timestamptz) hit WHERE hit > %(now)s - %(per)s) recent
)
WHERE l.blocked_until IS NULL OR l.blocked_until <= %(now)s
RETURNING hits
"""
BLOCKED = "SELECT blocked_until FROM limits WHERE key = %(key)s AND blocked_until > %(now)s"


class Limits:
    """Each answers None where it is allowed, or the time from which it is again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, key: str, bucket: Bucket, now: datetime) -> datetime | None:
        values = {"key": key, "now": now, "interval": bucket.interval, "burst": bucket.burst}
        return await self._allowed_or_until(TAKE, TAKEN_UNTIL, values)

    async def hit(self, key: str, window: Window, now: datetime) -> datetime | None:
        values = {"key": key, "now": now, "per": window.per, "block": window.block, "max": window.hits}
        return await self._allowed_or_until(HIT, BLOCKED, values)

    async def blocked(self, key: str, now: datetime) -> datetime | None:
        async with self._database.connection() as connection:
            row = await (await connection.execute(BLOCKED, {"key": key, "now": now})).fetchone()
            return row[0] if row else None

    async def _allowed_or_until(self, ask: str, until: str, values: dict[str, Any]) -> datetime | None:
        async with self._database.connection() as connection:
            if await (await connection.execute(ask, values)).fetchone() is not None:
                return None
            row = await (await connection.execute(until, values)).fetchone()
            return row[0] if row else None

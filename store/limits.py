"""Repository of rate limits. Each decision is one statement, so two workers cannot both use the last free slot."""

from datetime import datetime
from typing import Any

from chat.model.limits import Bucket, Window
from store.database.pool import Database

# Generic cell rate algorithm (GCRA). Returns no row if the bucket is full. The commit does not wait for the disk: a
# bucket that a crash resets would have recovered within seconds. `true` limits the setting to this transaction.
TAKE = """
WITH no_wait AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO limits AS l (key, full_until, expires_at)
SELECT %(key)s, %(now)s + %(interval)s, %(now)s + %(interval)s FROM no_wait
ON CONFLICT (key) DO UPDATE SET
    full_until = greatest(l.full_until, %(now)s) + %(interval)s,
    expires_at = greatest(l.full_until, %(now)s) + %(interval)s
WHERE greatest(l.full_until, %(now)s) + %(interval)s <= %(now)s + %(interval)s * %(burst)s
RETURNING full_until
"""
TAKEN_UNTIL = "SELECT full_until - %(interval)s * (%(burst)s - 1) FROM limits WHERE key = %(key)s"

# The last allowed hit sets `blocked_until`. A hit while blocked changes nothing and returns no row.
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
    """Token buckets and sliding windows. A method returns None if it allows the action, else the next time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, key: str, bucket: Bucket, now: datetime) -> datetime | None:
        """Take a token from the bucket of `key`."""
        values = {"key": key, "now": now, "interval": bucket.interval, "burst": bucket.burst}
        return await self._allowed_or_until(TAKE, TAKEN_UNTIL, values)

    async def hit(self, key: str, window: Window, now: datetime) -> datetime | None:
        """Count a hit in the window of `key`."""
        values = {"key": key, "now": now, "per": window.per, "block": window.block, "max": window.hits}
        return await self._allowed_or_until(HIT, BLOCKED, values)

    async def blocked(self, key: str, now: datetime) -> datetime | None:
        """Check whether `key` is blocked, without counting a hit."""
        async with self._database.connection() as connection:
            row = await (await connection.execute(BLOCKED, {"key": key, "now": now})).fetchone()
            return row[0] if row else None

    async def _allowed_or_until(self, ask: str, until: str, values: dict[str, Any]) -> datetime | None:
        async with self._database.connection() as connection:
            if await (await connection.execute(ask, values)).fetchone() is not None:
                return None
            row = await (await connection.execute(until, values)).fetchone()
            return row[0] if row else None

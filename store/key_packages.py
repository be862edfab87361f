"""SQL of key packages."""

from datetime import datetime, timedelta

from chat.errors import Invalid
from chat.model.groups import IssuedKeyPackage, StoredKeyPackage
from chat.model.ids import DeviceId, UserId
from store.database.pool import Database
from store.notify.postgres import notify

CLAIM_LIFE = timedelta(days=1)  # a claimed key package that is not used within it is lost

LOCK_DEVICE = "SELECT 1 FROM devices WHERE id = %s FOR NO KEY UPDATE"
COUNT = "SELECT count(*) FROM key_packages WHERE device_id = %s AND NOT is_last_resort AND expires_at > %s"
REPLACE = "DELETE FROM key_packages WHERE device_id = %s AND is_last_resort"
ADD = """
INSERT INTO key_packages (reference, device_id, data, is_last_resort, expires_at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
# Of each device the one that expires first. SKIP LOCKED gives concurrent claims different ones. A last resort remains.
CLAIM = """
WITH wanted AS (
    SELECT id FROM devices d
    WHERE user_id = %(of)s AND (%(devices)s::bigint[] IS NULL OR id = ANY(%(devices)s::bigint[]))
    AND NOT EXISTS (SELECT FROM unlisted_devices u WHERE u.id = d.id)
), picked AS (
    SELECT p.* FROM wanted CROSS JOIN LATERAL (
        SELECT reference, device_id, data FROM key_packages
        WHERE device_id = wanted.id AND NOT is_last_resort AND expires_at > %(now)s
        ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) p
), taken AS (
    DELETE FROM key_packages k USING picked WHERE k.reference = picked.reference
    RETURNING k.reference, k.device_id, k.data, false AS is_last_resort
), issued AS (
    SELECT * FROM taken
    UNION ALL
    SELECT reference, device_id, data, true FROM key_packages k JOIN wanted ON wanted.id = k.device_id
    WHERE is_last_resort AND expires_at > %(now)s AND NOT EXISTS (SELECT FROM taken t WHERE t.device_id = k.device_id)
), noted AS (
    INSERT INTO claims (reference, user_id, device_id, expires_at)
    SELECT reference, %(by)s, device_id, %(until)s FROM issued
    ON CONFLICT (reference, user_id) DO UPDATE SET expires_at = excluded.expires_at
)
SELECT device_id, data, is_last_resort FROM issued ORDER BY device_id
"""
LOW = """
SELECT d.id FROM devices d
WHERE d.user_id = %s AND (
    SELECT count(*) FROM key_packages k WHERE k.device_id = d.id AND NOT is_last_resort AND expires_at > %s
) < %s
"""


class KeyPackages:
    """The key packages in PostgreSQL. Implements `chat.mls.key_packages.KeyPackageStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, device_id: DeviceId, packages: list[StoredKeyPackage], most: int, now: datetime) -> int:
        """Store key packages, and return how many the device has now, without the last resort.

        A last resort replaces the former one. Raises Invalid, and stores nothing, if there are more than `most`.
        """
        async with self._database.transaction() as connection:
            await connection.execute(LOCK_DEVICE, [device_id])
            if any(package.is_last_resort for package in packages):
                await connection.execute(REPLACE, [device_id])
            async with connection.cursor() as cursor:
                rows = [(one.reference, device_id, one.data, one.is_last_resort, one.expires_at) for one in packages]
                await cursor.executemany(ADD, rows)
            row = await (await connection.execute(COUNT, [device_id, now])).fetchone()
            assert row is not None, "a count is always there"
            if row[0] > most:
                raise Invalid(f"A device can have at most {most} key packages: upload fewer")
            return int(row[0])

    async def count(self, device_id: DeviceId, now: datetime) -> int:
        """Return how many are stored and not expired at `now`, without the last resort."""
        rows = await self._database.rows(COUNT, [device_id, now])
        return int(rows[0][0])

    async def claim(
        self, of: UserId, by: UserId, few: int, now: datetime, devices: list[DeviceId] | None
    ) -> list[IssuedKeyPackage]:
        """Return one for each device that has any, and delete it unless it is the last resort.

        Records for CLAIM_LIFE that `by` may add the device by it. Notifies the devices that have fewer than `few` left.
        """
        values = {"of": of, "by": by, "now": now, "until": now + CLAIM_LIFE, "devices": devices}
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(CLAIM, values, binary=True)).fetchall()
            issued = [IssuedKeyPackage(*row) for row in rows]
            low = await (await connection.execute(LOW, [of, now, few])).fetchall()
            await notify(connection, [row[0] for row in low], "key_packages_low")
            return issued

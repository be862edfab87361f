"""SQL of devices.

A revocation locks the groups of the device in the order of their ids, and then the device. A commit locks its group and
then the devices. So no commit adds a device while it is revoked, and the two cannot deadlock.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from psycopg.errors import UniqueViolation

from chat.errors import Invalid, NoSuchDevice, Taken
from chat.model.accounts import Account
from chat.model.groups import Device
from chat.model.ids import DeviceId, SessionId, UserId
from store.database.batching import Lookup
from store.database.locks import lock_user
from store.database.pool import Connection, Database
from store.notify.postgres import notify

COUNT = "SELECT count(*) FROM devices WHERE user_id = %s AND id <> %s"
# The id of a deleted device that held a leaf is not used again: the new device could read the deleted one's messages.
MAKE = """
INSERT INTO devices (id, user_id, name, signature_key, created_at, seen_at)
SELECT %(id)s, %(user)s, %(name)s, %(key)s, %(now)s, %(now)s
WHERE NOT EXISTS (
    SELECT FROM leaves l WHERE l.device_id = %(id)s AND NOT EXISTS (SELECT FROM devices d WHERE d.id = l.device_id)
)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at
    WHERE devices.user_id = excluded.user_id AND devices.signature_key = excluded.signature_key
RETURNING xmax = 0  -- made, not found
"""
# A session takes over an existing device only soon after its login, when the user has just given the password.
BIND = """
UPDATE sessions SET device_id = %(device)s
WHERE id = %(session)s AND (device_id = %(device)s OR device_id IS NULL AND (%(is_new)s OR created_at > %(recently)s))
"""
GET = """
SELECT d.id, d.user_id, u.uuid, d.name, d.signature_key, d.created_at
FROM devices d JOIN users u ON u.id = d.user_id WHERE d.id = ANY(%b)
"""
OF_USER = """
SELECT d.id, d.user_id, u.uuid, d.name, d.signature_key, d.created_at
FROM devices d JOIN users u ON u.id = d.user_id WHERE d.user_id = %s ORDER BY d.created_at, d.id
"""
ACQUAINTED = """
SELECT EXISTS (
    SELECT FROM members mine JOIN members other USING (conversation_id)
    WHERE mine.user_id = %(user)s AND other.user_id = %(other)s
) OR EXISTS (
    SELECT FROM claims c JOIN devices d ON d.id = c.device_id WHERE c.user_id = %(user)s AND d.user_id = %(other)s
)
"""
HOLD = "SELECT 1 FROM devices WHERE id = %s FOR UPDATE"
DELETE = "DELETE FROM devices WHERE user_id = %s AND id = %s"
# In the order of the writer's locks.
GROUPS = """
SELECT c.id FROM conversations c WHERE c.id IN (
    SELECT conversation_id FROM leaves WHERE device_id = %s AND until_seq IS NULL
) ORDER BY c.id
"""
LOCK_GROUPS = f"{GROUPS} FOR NO KEY UPDATE"
REMOVALS_DUE = "UPDATE groups SET removal_due = true WHERE conversation_id = ANY(%s)"
# Every device with a leaf in a group of this user, and the user's own.
OBSERVERS = """
SELECT DISTINCT other.device_id FROM members m JOIN leaves other USING (conversation_id)
WHERE m.user_id = %s AND other.until_seq IS NULL
UNION SELECT id FROM devices WHERE user_id = %s
"""

FRESH = timedelta(minutes=15)


class Devices:
    """The devices in PostgreSQL. Implements `chat.mls.devices.DeviceStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._devices = Lookup(self._load)

    async def register(self, device: Device, session_id: SessionId, most: int) -> Device:
        """Store the device, or find the one with its id and key, and bind the session to it. Raises Taken, Invalid."""
        values = {
            "id": device.id,
            "user": device.user_id,
            "name": device.name,
            "key": device.signature_key,
            "now": device.created_at,
        }
        try:
            async with self._database.transaction() as connection:
                await lock_user(connection, device.user_id)
                row = await (await connection.execute(COUNT, [device.user_id, device.id])).fetchone()
                if row is not None and row[0] >= most:
                    raise Invalid(f"An account can have at most {most} devices: revoke one first")
                made = await (await connection.execute(MAKE, values)).fetchone()
                if made is None:
                    raise Taken("Another device has this id: choose another one")
                binding = {"device": device.id, "session": session_id, "is_new": made[0]}
                bound = await connection.execute(BIND, binding | {"recently": device.created_at - FRESH})
                if bound.rowcount == 0:
                    raise Taken("Session is bound to another device, or older than 15 minutes: log in again to rebind")
                if made[0]:
                    await notify_devices_changed(connection, device.user_id, device.user_uuid)
        except UniqueViolation as error:
            raise Taken("Another device has this signature_key: generate another one") from error
        return device

    async def get(self, device_id: DeviceId) -> Device | None:
        """Return the device, or None. One statement answers all concurrent callers."""
        return await self._devices.get(device_id)

    async def of_user(self, user_id: UserId) -> list[Device]:
        """Return all devices of the account, the oldest first."""
        return [Device(*row) for row in await self._database.rows(OF_USER, [user_id])]

    async def acquainted(self, user_id: UserId, other: UserId) -> bool:
        """Whether they share a conversation, or `user_id` has claimed key packages of `other`."""
        rows = await self._database.rows(ACQUAINTED, {"user": user_id, "other": other})
        return bool(rows[0][0])

    async def revoke(self, account: Account, device_id: DeviceId) -> None:
        """Delete the device, and mark its groups: a commit must remove its leaf. Raises NoSuchDevice."""
        device = await self.get(device_id)
        if device is None or device.user_id != account.id:
            raise NoSuchDevice("No such device")
        while not await self._revoke(device):
            pass

    async def _revoke(self, device: Device) -> bool:
        """Return False if the device was added to another group meanwhile: that group must be locked first."""
        async with self._database.transaction() as connection:
            groups = await (await connection.execute(LOCK_GROUPS, [device.id])).fetchall()
            await connection.execute(HOLD, [device.id])
            if await (await connection.execute(GROUPS, [device.id])).fetchall() != groups:
                return False
            await connection.execute(REMOVALS_DUE, [[row[0] for row in groups]])
            await connection.execute(DELETE, [device.user_id, device.id])
            await notify_devices_changed(connection, device.user_id, device.user_uuid)
            return True

    async def _load(self, asked: Sequence[DeviceId]) -> dict[DeviceId, Device]:
        return {row[0]: Device(*row) for row in await self._database.rows(GET, [asked])}


async def notify_devices_changed(connection: Connection, user_id: UserId, user_uuid: UUID) -> None:
    """Notify the devices of the user, and all devices in a group with the user, after the transaction's commit."""
    rows = await (await connection.execute(OBSERVERS, [user_id, user_id])).fetchall()
    await notify(connection, [row[0] for row in rows], "devices_changed", user=user_uuid)

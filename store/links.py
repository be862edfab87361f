"""SQL of links."""

from datetime import datetime

from chat.model.groups import Device
from chat.model.identity import Link
from chat.model.ids import DeviceId, UserId
from store.database.pool import Connection, Database
from store.notify.postgres import notify

REQUEST = """
INSERT INTO links (device_id, request, expires_at) VALUES (%s, %s, %s)
ON CONFLICT (device_id) DO UPDATE SET request = excluded.request, answer = NULL, expires_at = excluded.expires_at
"""
OF_USER = """
SELECT l.device_id, l.request, l.answer, l.expires_at FROM links l JOIN devices d ON d.id = l.device_id
WHERE d.user_id = %s AND l.expires_at > %s ORDER BY l.expires_at DESC, l.device_id
"""
ANSWER = """
UPDATE links l SET answer = %(answer)s FROM devices d
WHERE l.device_id = %(device)s AND d.id = l.device_id AND d.user_id = %(user)s AND l.expires_at > %(now)s
"""
DEVICES = "SELECT id FROM devices WHERE user_id = %s"


class Links:
    """The links in PostgreSQL. Implements `chat.identity.links.LinkStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(self, device: Device, request: bytes, expires_at: datetime) -> None:
        """Store the request of a device instead of its former one, and notify the account's devices."""
        async with self._database.transaction() as connection:
            await connection.execute(REQUEST, [device.id, request, expires_at])
            await _notify(connection, device.user_id)

    async def of_user(self, user_id: UserId, now: datetime) -> list[Link]:
        """Return the requests of an account's devices that have not expired at `now`, the newest first."""
        return [Link(*row) for row in await self._database.rows(OF_USER, [user_id, now])]

    async def answer(self, user_id: UserId, device_id: DeviceId, answer: bytes, now: datetime) -> bool:
        """Store the answer, and notify the account's devices. Return False if the device has no request at `now`."""
        values = {"answer": answer, "device": device_id, "user": user_id, "now": now}
        async with self._database.transaction() as connection:
            if (await connection.execute(ANSWER, values)).rowcount == 0:
                return False
            await _notify(connection, user_id)
            return True


async def _notify(connection: Connection, user_id: UserId) -> None:
    rows = await (await connection.execute(DEVICES, [user_id])).fetchall()
    await notify(connection, [row[0] for row in rows], "links_changed")

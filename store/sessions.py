"""Repository of sessions. A database trigger notifies all workers when any program deletes a session."""

from collections.abc import Sequence
from datetime import datetime

from chat.model.accounts import Account, Session, SessionShown
from chat.model.ids import SessionId, UserId
from store.database.batching import Lookup
from store.database.locks import lock_user
from store.database.pool import Database

CREATE = "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES (%s, %s, %s, %s)"

GET = """
SELECT s.id, s.expires_at, s.device_id, u.id, u.username, u.email, u.role, u.bio, u.created_at, u.updated_at, u.uuid
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ANY(%b)
"""

OF_USER = "SELECT id, created_at, expires_at, device_id FROM sessions WHERE user_id = %s AND expires_at > %s ORDER BY 2"
RENEW = "UPDATE sessions SET expires_at = greatest(expires_at, %s) WHERE id = %s RETURNING expires_at, device_id"
USED = "UPDATE devices SET seen_at = %s WHERE id = %s"
END = "DELETE FROM sessions WHERE user_id = %s AND id = %s"

ENDED = """
SELECT id FROM unnest(%s::uuid[]) AS asked (id)
WHERE NOT EXISTS (SELECT FROM sessions s WHERE s.id = asked.id AND s.expires_at > %s)
"""


class Sessions:
    """Sessions and their expiry. `get` is batched, because every request calls it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sessions = Lookup(self._load)

    async def create(self, session_id: SessionId, user_id: UserId, now: datetime, expires_at: datetime) -> None:
        """Store a session. Raises Unauthenticated if the account was deleted meanwhile."""
        async with self._database.transaction() as connection:
            await lock_user(connection, user_id)
            await connection.execute(CREATE, [session_id, user_id, now, expires_at])

    async def get(self, session_id: SessionId, now: datetime) -> Session | None:
        """Return the session with its account; None if it does not exist or has expired."""
        found = await self._sessions.get(session_id)
        return found[1] if found is not None and found[0] > now else None

    async def _load(self, asked: Sequence[SessionId]) -> dict[SessionId, tuple[datetime, Session]]:
        rows = await self._database.rows(GET, [asked])
        return {
            id_: (expires_at, Session(id_, Account(*account), device_id))
            for id_, expires_at, device_id, *account in rows
        }

    async def of_user(self, user_id: UserId, now: datetime) -> list[SessionShown]:
        """Return the sessions of an account that have not expired, oldest first."""
        return [SessionShown(*row) for row in await self._database.rows(OF_USER, [user_id, now])]

    async def renew(self, session_id: SessionId, now: datetime, expires_at: datetime) -> datetime | None:
        """Extend a session to `expires_at`; never shorten it. Its device is in use.

        Return its expiry; None if there is no such session.
        """
        async with self._database.connection() as connection:
            row = await (await connection.execute(RENEW, [expires_at, session_id])).fetchone()
            if row is None:
                return None
            # Not in one transaction: a revocation locks the device first, and then its sessions.
            await connection.execute(USED, [now, row[1]])
            renewed: datetime = row[0]
            return renewed

    async def end(self, user_id: UserId, session_id: SessionId) -> bool:
        """Delete a session of the account. Return False if it has no such session."""
        async with self._database.connection() as connection:
            return (await connection.execute(END, [user_id, session_id])).rowcount == 1

    async def ended(self, session_ids: list[SessionId], now: datetime) -> list[SessionId]:
        """Return those of `session_ids` that have expired or do not exist."""
        async with self._database.connection() as connection:
            rows = await (await connection.execute(ENDED, [session_ids, now])).fetchall()
            return [SessionId(row[0]) for row in rows]

"""Repository of invites."""

from collections.abc import Callable
from datetime import datetime

from psycopg.rows import class_row

from chat.model.accounts import Invite, InviteHistory
from chat.model.ids import UserId
from store.database.locks import lock_user
from store.database.pool import Database

# `partners` counts users with whom the account exchanged messages, also if the messages were deleted since. In a group
# the server cannot tell messages from other encrypted content, so there it counts members that joined.
HISTORY = """
SELECT u.role, count(i.id) AS made, max(i.created_at) AS last_made_at,
       coalesce(bool_or(i.used_at IS NULL AND i.expires_at > %(now)s), false) AS active,
       (SELECT count(DISTINCT other.user_id)
        FROM members mine JOIN conversations c ON c.id = mine.conversation_id
        JOIN members other ON other.conversation_id = c.id AND other.user_id <> mine.user_id
        WHERE mine.user_id = u.id AND c.last_seq > 0
        AND (c.kind = 'direct' OR mine.state = 'joined' AND other.state = 'joined')) AS partners
FROM users u LEFT JOIN invites i ON i.created_by = u.id
WHERE u.id = %(maker)s
GROUP BY u.id
"""

CREATE = """
INSERT INTO invites (code, created_by, created_at, expires_at) VALUES (%s, %s, %s, %s) ON CONFLICT (code) DO NOTHING
"""

OPEN = """
SELECT code, created_by, created_at, expires_at, used_by FROM invites
WHERE used_at IS NULL AND expires_at > %(now)s AND created_by IS NOT DISTINCT FROM coalesce(%(maker)s, created_by)
ORDER BY created_at
"""

REVOKE = """
UPDATE invites SET expires_at = %(now)s
WHERE code = %(code)s AND used_at IS NULL AND expires_at > %(now)s
AND created_by IS NOT DISTINCT FROM coalesce(%(maker)s, created_by)
"""


class Invites:
    """Invites, each for one registration."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, invite: Invite, plan: Callable[[InviteHistory, datetime], None]) -> bool:
        """Store the invite. Return False if its code is taken.

        `plan` receives the creator's history under a lock on the account, and may raise to refuse.
        Raises Unauthenticated if the creator's account was deleted.
        """
        async with self._database.transaction() as connection:
            if invite.created_by is not None:
                await lock_user(connection, invite.created_by)
                async with connection.cursor(row_factory=class_row(InviteHistory)) as cur:
                    query = await cur.execute(HISTORY, {"maker": invite.created_by, "now": invite.created_at})
                    history = await query.fetchone()
                if history is not None:
                    plan(history, invite.created_at)
            values = [invite.code, invite.created_by, invite.created_at, invite.expires_at]
            return (await connection.execute(CREATE, values)).rowcount == 1

    async def open(self, now: datetime, maker: UserId | None = None) -> list[Invite]:
        """Return the unused and valid invites, all or those of `maker`, oldest first."""
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(Invite)) as cur:
            return await (await cur.execute(OPEN, {"now": now, "maker": maker})).fetchall()

    async def revoke(self, code: str, now: datetime, maker: UserId | None = None) -> bool:
        """Revoke an unused and valid invite, any or one of `maker`. Return False if there is none with this code."""
        async with self._database.connection() as connection:
            return (await connection.execute(REVOKE, {"code": code, "now": now, "maker": maker})).rowcount == 1

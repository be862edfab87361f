"""Repository of chat codes."""

from collections.abc import Callable
from datetime import datetime

from psycopg.rows import class_row, scalar_row

from chat.errors import ConversationExists, SelfChat
from chat.model.accounts import ChatCode
from chat.model.ids import ConversationId, UserId
from store import conversations
from store.database.locks import lock_user
from store.database.pool import Database

COUNT = "SELECT count(*) FROM chat_codes WHERE user_id = %s AND expires_at > %s"
PURGE = "DELETE FROM chat_codes WHERE code = ANY(%s) AND expires_at <= %s"

CREATE = """
INSERT INTO chat_codes (code, user_id, created_at, expires_at)
SELECT candidate, %(owner)s, %(now)s, %(expires_at)s
FROM unnest(%(codes)s::int[]) WITH ORDINALITY AS candidates (candidate, nth)
WHERE NOT EXISTS (SELECT FROM chat_codes WHERE code = candidate)
ORDER BY nth LIMIT 1
ON CONFLICT (code) DO NOTHING
RETURNING code
"""

OPEN = "SELECT code, expires_at FROM chat_codes WHERE user_id = %s AND expires_at > %s ORDER BY created_at"
DELETE = "DELETE FROM chat_codes WHERE code = %s AND user_id = %s AND expires_at > %s"
REDEEM = "DELETE FROM chat_codes WHERE code = %s AND expires_at > %s RETURNING user_id"


class ChatCodes:
    """Chat codes, which expire and can be used once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, owner: UserId, codes: list[int], now: datetime, expires_at: datetime, plan: Callable[[int], None]
    ) -> int | None:
        """Store the first free one of `codes` for `owner` and return it; None if all are taken.

        `plan` receives the number of valid codes of `owner`, under a lock on the account. It may raise to refuse.
        Raises Unauthenticated if the account was deleted.
        """
        async with self._database.transaction() as connection, connection.cursor(row_factory=scalar_row) as cur:
            await lock_user(connection, owner)
            plan(await (await cur.execute(COUNT, [owner, now])).fetchone() or 0)
            await cur.execute(PURGE, [codes, now])
            values = {"owner": owner, "codes": codes, "now": now, "expires_at": expires_at}
            return await (await cur.execute(CREATE, values)).fetchone()

    async def open(self, owner: UserId, now: datetime) -> list[ChatCode]:
        """Return the valid codes of `owner`, oldest first."""
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(ChatCode)) as cur:
            return await (await cur.execute(OPEN, [owner, now])).fetchall()

    async def delete(self, owner: UserId, code: int, now: datetime) -> bool:
        """Revoke a valid code. Return False if `owner` has no such code."""
        async with self._database.connection() as connection:
            return (await connection.execute(DELETE, [code, owner, now])).rowcount == 1

    async def redeem(self, code: int, by: UserId, now: datetime) -> ConversationId | None:
        """Use the code and create the direct conversation with its owner; None if there is no such code.

        Raises SelfChat, ConversationExists. Both roll back the transaction, so the code remains valid.
        """
        async with self._database.transaction() as connection:
            row = await (await connection.execute(REDEEM, [code, now])).fetchone()
            if row is None:
                return None
            owner = UserId(row[0])
            if owner == by:
                raise SelfChat("You cannot start a conversation with yourself")
            opened = await conversations.open_direct(connection, by, owner)
            if not opened.is_new:
                raise ConversationExists(opened.id)
            return opened.id

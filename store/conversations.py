"""SQL of conversations and their members."""

from typing import NamedTuple

from psycopg.rows import class_row

from chat.model import Conversation, ConversationId, UserId
from store.database import Connection, Database

OF_MEMBER = """
SELECT c.id, c.last_seq FROM conversations c JOIN members m ON m.conversation_id = c.id
WHERE c.id = %s AND m.user_id = %s
"""

BETWEEN = "SELECT id, last_seq FROM conversations WHERE user_id_1 = %s AND user_id_2 = %s"

# Nothing is returned where the two have one already: then LOCK_DIRECT finds it, also one that another worker made
# after this statement began.
OPEN_DIRECT = """
WITH opened AS (
    INSERT INTO conversations (kind, user_id_1, user_id_2) VALUES ('direct', %(low)s, %(high)s)
    ON CONFLICT (user_id_1, user_id_2) DO NOTHING
    RETURNING id
), joined AS (
    INSERT INTO members (conversation_id, user_id) SELECT id, unnest(ARRAY[%(low)s, %(high)s]::bigint[]) FROM opened
)
SELECT id FROM opened
"""
LOCK_DIRECT = "SELECT id FROM conversations WHERE user_id_1 = %(low)s AND user_id_2 = %(high)s FOR NO KEY UPDATE"

EXISTS = "SELECT 1 FROM users WHERE id = %s"


class Opened(NamedTuple):
    id: ConversationId
    is_new: bool


async def open_direct(connection: Connection, one: UserId, other: UserId) -> Opened:
    """The direct conversation of two accounts that exist, made if there is none; locked until the transaction ends."""
    pair = {"low": min(one, other), "high": max(one, other)}
    row = await (await connection.execute(OPEN_DIRECT, pair)).fetchone()
    if row is not None:
        return Opened(ConversationId(row[0]), is_new=True)
    row = await (await connection.execute(LOCK_DIRECT, pair)).fetchone()
    assert row is not None, "the conversation was there a statement ago, and nothing deletes one"
    return Opened(ConversationId(row[0]), is_new=False)


async def user_exists(connection: Connection, user_id: UserId) -> bool:
    return await (await connection.execute(EXISTS, [user_id])).fetchone() is not None


class Conversations:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_member(self, conversation_id: ConversationId, member: UserId) -> Conversation | None:
        return await self._one(OF_MEMBER, conversation_id, member)

    async def between(self, one: UserId, other: UserId) -> Conversation | None:
        return await self._one(BETWEEN, min(one, other), max(one, other))

    async def open(self, one: UserId, other: UserId) -> ConversationId | None:
        """The direct conversation of the two, made if there is none; None if `other` does not exist."""
        found = await self.between(one, other)
        if found is not None:
            return found.id
        async with self._database.transaction() as connection:
            if not await user_exists(connection, other):
                return None
            return (await open_direct(connection, one, other)).id

    async def _one(self, query: str, *values: object) -> Conversation | None:
        async with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(Conversation)) as cur,
        ):
            return await (await cur.execute(query, values)).fetchone()

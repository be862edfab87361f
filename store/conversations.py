"""Repository of conversations. Direct ones are created here; groups are created in groups.py."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg.errors import ForeignKeyViolation

from chat.errors import NoSuchUser
from chat.model.accounts import Person
from chat.model.direct import DirectConversation
from chat.model.ids import ConversationId, Seq, UserId
from chat.model.messages import Conversation
from store.database.batching import Lookup
from store.database.pool import Connection, Database
from store.notify.postgres import notify

OF_MEMBERS = """
SELECT c.id, m.user_id, c.last_seq
FROM unnest(%b::uuid[], %b::bigint[]) AS asked (conversation_id, user_id)
JOIN members m USING (conversation_id, user_id) JOIN conversations c ON c.id = m.conversation_id
WHERE c.kind = 'direct'
"""

BETWEEN = """
SELECT user_id_1, user_id_2, id, last_seq
FROM unnest(%b::bigint[], %b::bigint[]) AS asked (user_id_1, user_id_2) JOIN conversations USING (user_id_1, user_id_2)
"""

# Returns no row if the two users have a conversation already. LOCK_DIRECT then finds it, because its snapshot is newer:
# another worker may have created the conversation after this statement began.
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

# For each user, newest first.
DIRECT = """
SELECT asked.user_id, c.id, c.last_seq, c.last_message_at, u.id, u.uuid, u.username, u.picture_version,
       c.key_fingerprint,
       EXISTS (SELECT FROM pending_keys p WHERE p.conversation_id = c.id AND p.user_id = asked.user_id),
       EXISTS (SELECT FROM blocks b WHERE b.user_id = asked.user_id AND b.blocked_id = u.id)
FROM unnest(%b::bigint[]) AS asked (user_id)
CROSS JOIN LATERAL (
    SELECT *, user_id_2 AS other FROM conversations WHERE user_id_1 = asked.user_id
    UNION ALL
    SELECT *, user_id_1 FROM conversations WHERE user_id_2 = asked.user_id
) c
JOIN users u ON u.id = c.other
ORDER BY coalesce(c.last_message_at, c.created_at) DESC
"""

DEVICES = """
SELECT c.id, array_agg(d.id)
FROM conversations c JOIN devices d ON d.user_id IN (c.user_id_1, c.user_id_2)
WHERE c.id = ANY(%s) AND c.kind = 'direct'
GROUP BY c.id
"""

EXISTS = "SELECT 1 FROM users WHERE id = %s"


class Opened(NamedTuple):
    """A direct conversation, and whether this transaction created it."""

    id: ConversationId
    is_new: bool


async def open_direct(connection: Connection, one: UserId, other: UserId) -> Opened:
    """Return the direct conversation of two accounts, locked until the transaction ends. Create it if there is none.

    Raises NoSuchUser if one of the accounts was deleted meanwhile.
    """
    pair = {"low": min(one, other), "high": max(one, other)}
    try:
        row = await (await connection.execute(OPEN_DIRECT, pair)).fetchone()
    except ForeignKeyViolation as error:
        raise NoSuchUser("User not found") from error
    if row is not None:
        await notify_direct_changed(connection, [row[0]])
        return Opened(ConversationId(row[0]), is_new=True)
    row = await (await connection.execute(LOCK_DIRECT, pair)).fetchone()
    if row is None:  # deleted with an account since the last statement
        raise NoSuchUser("User not found")
    return Opened(ConversationId(row[0]), is_new=False)


async def notify_direct_changed(
    connection: Connection, conversation_ids: Sequence[ConversationId], seq: Seq | None = None
) -> None:
    """Notify the devices of both users that a direct conversation changed, or its message `seq` if given."""
    for conversation_id, devices in await (await connection.execute(DEVICES, [conversation_ids])).fetchall():
        await notify(connection, devices, "direct_changed", conversation_id, seq)


async def user_exists(connection: Connection, user_id: UserId) -> bool:
    """Tell whether the account exists."""
    return await (await connection.execute(EXISTS, [user_id])).fetchone() is not None


class Conversations:
    """Lookups of conversations, batched; creation of direct conversations."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._of_members = Lookup(self._load_of_members)
        self._between = Lookup(self._load_between)
        self._direct = Lookup(self._load_direct)

    async def of_member(self, conversation_id: ConversationId, member: UserId) -> Conversation | None:
        """Return a direct conversation; None if it does not exist or `member` is not a member."""
        return await self._of_members.get((conversation_id, member))

    async def between(self, one: UserId, other: UserId) -> Conversation | None:
        """Return the direct conversation of two accounts; None if there is none."""
        return await self._between.get((min(one, other), max(one, other)))

    async def direct(self, user_id: UserId) -> list[DirectConversation]:
        """Return the direct conversations of the account, newest first."""
        return await self._direct.get(user_id) or []

    async def open(self, one: UserId, other: UserId) -> ConversationId | None:
        """Return the direct conversation of two accounts, created if necessary; None if `other` does not exist."""
        found = await self.between(one, other)
        if found is not None:
            return found.id
        async with self._database.transaction() as connection:
            if not await user_exists(connection, other):
                return None
            return (await open_direct(connection, one, other)).id

    async def _load_of_members(
        self, asked: Sequence[tuple[ConversationId, UserId]]
    ) -> dict[tuple[ConversationId, UserId], Conversation]:
        rows = await self._database.rows(OF_MEMBERS, [*map(list, zip(*asked, strict=True))])
        return {(id_, user_id): Conversation(id_, last_seq) for id_, user_id, last_seq in rows}

    async def _load_between(self, asked: Sequence[tuple[UserId, UserId]]) -> dict[tuple[UserId, UserId], Conversation]:
        rows = await self._database.rows(BETWEEN, [*map(list, zip(*asked, strict=True))])
        return {(low, high): Conversation(id_, last_seq) for low, high, id_, last_seq in rows}

    async def _load_direct(self, asked: Sequence[UserId]) -> dict[UserId, list[DirectConversation]]:
        found: dict[UserId, list[DirectConversation]] = {}
        rows = await self._database.rows(DIRECT, [asked])
        for user_id, id_, last_seq, at, other, uuid, name, picture, fingerprint, key_waiting, is_blocked in rows:
            found.setdefault(user_id, []).append(
                DirectConversation(
                    id_, last_seq, at, Person(other, uuid, name, None, picture), fingerprint, key_waiting, is_blocked
                )
            )
        return found

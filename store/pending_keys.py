"""SQL of pending keys. A row is a key that somebody has still to fetch; fetching it deletes the row."""

import logging

from chat.model.direct import IssuedKey
from chat.model.ids import ConversationId, UserId
from crypto.conversation_keys import KeyWrapper, UnreadableKey, fingerprint, new_key
from store.conversations import notify_direct_changed, open_direct, user_exists
from store.database.pool import Connection, Database

log = logging.getLogger("sottovoce.keys")

TAKE = "DELETE FROM pending_keys WHERE conversation_id = %s AND user_id = %s RETURNING wrapped_key"

TAKE_OF_PAIR = """
DELETE FROM pending_keys p USING conversations c
WHERE c.user_id_1 = %s AND c.user_id_2 = %s AND p.conversation_id = c.id AND p.user_id = %s
RETURNING c.id, p.wrapped_key
"""

# The caller's copy never touches the disk: it goes out with the answer.
PUT = """
INSERT INTO pending_keys (conversation_id, user_id, wrapped_key) VALUES (%s, %s, %b)
ON CONFLICT (conversation_id, user_id) DO UPDATE SET wrapped_key = excluded.wrapped_key, created_at = now()
"""

EMPTY = "DELETE FROM messages WHERE conversation_id = %s"
REMEMBER = "UPDATE conversations SET key_fingerprint = %b WHERE id = %s"


class PendingKeys:
    def __init__(self, database: Database, wrapper: KeyWrapper) -> None:
        self._database = database
        self._wrapper = wrapper

    async def start(self, caller: UserId, other: UserId) -> IssuedKey | None:
        """The key that is pending for the caller, or a new one for both; None if `other` does not exist.

        The conversation's row is locked, so of two who start at the same moment the second finds the first one's key.
        """
        async with self._database.transaction() as connection:
            if not await user_exists(connection, other):
                return None
            conversation = await open_direct(connection, caller, other)
            row = await (await connection.execute(TAKE, [conversation.id, caller], binary=True)).fetchone()
            pending = self._unwrap(row[0], conversation.id, caller) if row else None
            if pending is not None:
                return IssuedKey(conversation.id, pending, reset=False)
            key = new_key()
            if not conversation.is_new:
                await connection.execute(EMPTY, [conversation.id])
            await self._leave_for(connection, conversation.id, other, key)
            await notify_direct_changed(connection, [conversation.id])
            return IssuedKey(conversation.id, key, reset=not conversation.is_new)

    async def take(self, caller: UserId, other: UserId) -> bytes | None:
        """The key that is pending for the caller, who has it from now on; None if there is none."""
        pair = [min(caller, other), max(caller, other), caller]
        async with self._database.connection() as connection:
            row = await (await connection.execute(TAKE_OF_PAIR, pair, binary=True)).fetchone()
            return self._unwrap(row[1], row[0], caller) if row else None

    async def exists(self, user_id: UserId) -> bool:
        async with self._database.connection() as connection:
            return await user_exists(connection, user_id)

    def _unwrap(self, wrapped: bytes, conversation_id: ConversationId, recipient: UserId) -> bytes | None:
        try:
            return self._wrapper.unwrap(wrapped, conversation_id, recipient)
        except UnreadableKey:
            # The operator changed the key-encryption key. Nobody can have this key any more; the next start makes one.
            log.warning("a pending key of conversation %s is unreadable and was dropped", conversation_id)
            return None

    async def _leave_for(self, connection: Connection, conversation: ConversationId, user: UserId, key: bytes) -> None:
        await connection.execute(PUT, [conversation, user, self._wrapper.wrap(key, conversation, user)])
        await connection.execute(REMEMBER, [fingerprint(key), conversation])

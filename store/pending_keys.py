"""Repository of pending keys: wrapped keys of direct conversations that a user has not fetched yet.

Fetching a key deletes its row.
"""

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

# Only for the other user. The caller receives the key in the response, so it is not stored.
PUT = """
INSERT INTO pending_keys (conversation_id, user_id, wrapped_key) VALUES (%s, %s, %b)
ON CONFLICT (conversation_id, user_id) DO UPDATE SET wrapped_key = excluded.wrapped_key, created_at = now()
"""

DELETE_MESSAGES = "DELETE FROM messages WHERE conversation_id = %s"
SET_FINGERPRINT = "UPDATE conversations SET key_fingerprint = %b WHERE id = %s"


class PendingKeys:
    """Pending keys, wrapped with the key-encryption key."""

    def __init__(self, database: Database, wrapper: KeyWrapper) -> None:
        self._database = database
        self._wrapper = wrapper

    async def start(self, caller: UserId, other: UserId) -> IssuedKey | None:
        """Return the caller's pending key, or generate a key for both users; None if `other` does not exist.

        A new key deletes the messages of an existing conversation. The conversation's row is locked: if both users
        start at the same moment, the second one receives the key of the first. Raises NoSuchUser.
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
                await connection.execute(DELETE_MESSAGES, [conversation.id])
            await self._store_for(connection, conversation.id, other, key)
            await notify_direct_changed(connection, [conversation.id])
            return IssuedKey(conversation.id, key, reset=not conversation.is_new)

    async def take(self, caller: UserId, other: UserId) -> bytes | None:
        """Return the caller's pending key and delete it; None if there is none or it is unreadable."""
        pair = [min(caller, other), max(caller, other), caller]
        async with self._database.connection() as connection:
            row = await (await connection.execute(TAKE_OF_PAIR, pair, binary=True)).fetchone()
            return self._unwrap(row[1], row[0], caller) if row else None

    async def exists(self, user_id: UserId) -> bool:
        """Tell whether the account exists."""
        async with self._database.connection() as connection:
            return await user_exists(connection, user_id)

    def _unwrap(self, wrapped: bytes, conversation_id: ConversationId, recipient: UserId) -> bytes | None:
        try:
            return self._wrapper.unwrap(wrapped, conversation_id, recipient)
        except UnreadableKey:
            # The operator changed the key-encryption key, so the key is lost. The next `start` generates another.
            log.warning("a pending key of conversation %s is unreadable and was dropped", conversation_id)
            return None

    async def _store_for(self, connection: Connection, conversation: ConversationId, user: UserId, key: bytes) -> None:
        await connection.execute(PUT, [conversation, user, self._wrapper.wrap(key, conversation, user)])
        await connection.execute(SET_FINGERPRINT, [fingerprint(key), conversation])

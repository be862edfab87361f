"""Repository of contacts, blocked users, and the states of conversations: joined, requested, ignored, blocked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chat.errors import SelfChat
from chat.model.accounts import Person
from chat.model.groups import MemberState
from chat.model.ids import ConversationId, UserId
from store.chat_codes import REDEEM
from store.database.pool import Connection, Database
from store.notify.postgres import notify

BY_NAME = "SELECT id, uuid, username, bio, picture_version FROM users WHERE username_key = %s"
BY_UUID = "SELECT id, uuid, username, bio, picture_version FROM users WHERE uuid = %s"
BY_ID = "SELECT id, uuid, username, bio, picture_version FROM users WHERE id = %s"
ADD_CONTACTS = "INSERT INTO contacts VALUES (%(one)s, %(other)s), (%(other)s, %(one)s) ON CONFLICT DO NOTHING"
SET_STATE = """
UPDATE members SET state = %(state)s FROM conversations c
WHERE c.id = conversation_id AND c.kind = 'encrypted' AND conversation_id = %(conversation)s AND user_id = %(user)s
"""
# Accepting a message request makes its members contacts of the account.
ADD_MEMBERS_AS_CONTACTS = """
INSERT INTO contacts SELECT %(user)s, user_id FROM members
WHERE conversation_id = %(conversation)s AND user_id <> %(user)s ON CONFLICT DO NOTHING
"""
DEVICES = "SELECT id FROM devices WHERE user_id = %s"
BLOCK = "INSERT INTO blocks VALUES (%(user)s, %(other)s) ON CONFLICT DO NOTHING"
REMOVE_CONTACT = "DELETE FROM contacts WHERE user_id = %(user)s AND contact_id = %(other)s"
# Only encrypted conversations that have no other members; larger groups are not affected.
SET_STATE_BETWEEN = """
UPDATE members m SET state = %(state)s WHERE m.user_id = %(user)s AND m.state = ANY(%(from)s)
AND (SELECT array_agg(user_id ORDER BY user_id) FROM members all_of WHERE all_of.conversation_id = m.conversation_id)
    = ARRAY[least(%(user)s, %(other)s), greatest(%(user)s, %(other)s)]::bigint[]
AND EXISTS (SELECT FROM groups g WHERE g.conversation_id = m.conversation_id)
"""
UNBLOCK = "DELETE FROM blocks WHERE user_id = %(user)s AND blocked_id = %(other)s"
BLOCKED = """
SELECT u.id, u.uuid, u.username, u.bio, u.picture_version FROM blocks b JOIN users u ON u.id = b.blocked_id
WHERE b.user_id = %s ORDER BY u.username_key
"""


class Contacts:
    """Users whom an account can find, and whom it accepts, ignores or blocks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_name(self, username_key: str) -> Person | None:
        """Return the user with this exact username, compared by its key."""
        return await self._person(BY_NAME, username_key)

    async def by_uuid(self, uuid: UUID) -> Person | None:
        """Return the user with this public id."""
        return await self._person(BY_UUID, uuid)

    async def meet(self, code: int, by: UserId, now: datetime) -> Person | None:
        """Use the chat code and make `by` and its owner contacts; return the owner, or None if there is no such code.

        Raises SelfChat, which rolls back the transaction, so the code remains valid.
        """
        async with self._database.transaction() as connection:
            row = await (await connection.execute(REDEEM, [code, now])).fetchone()
            if row is None:
                return None
            if row[0] == by:
                raise SelfChat("This is your own code")
            await connection.execute(ADD_CONTACTS, {"one": by, "other": row[0]})
            found = await (await connection.execute(BY_ID, [row[0]])).fetchone()
            return Person(*found) if found else None

    async def answer(self, user_id: UserId, conversation_id: ConversationId, state: MemberState) -> bool:
        """Accept or ignore a message request. Return False if the account is not a member of the conversation."""
        values: dict[str, Any] = {"user": user_id, "conversation": conversation_id, "state": state}
        async with self._database.transaction() as connection:
            if (await connection.execute(SET_STATE, values)).rowcount == 0:
                return False
            if state == "joined":
                await connection.execute(ADD_MEMBERS_AS_CONTACTS, values)
            await _notify_own_devices(connection, user_id)
            return True

    async def block(self, user_id: UserId, other: UserId) -> None:
        """Block `other`: they are no longer a contact, and their conversation gets the state `blocked`."""
        values: dict[str, Any] = {"user": user_id, "other": other, "state": "blocked"}
        async with self._database.transaction() as connection:
            await connection.execute(BLOCK, values)
            await connection.execute(REMOVE_CONTACT, values)
            await connection.execute(SET_STATE_BETWEEN, values | {"from": ["joined", "requested", "ignored"]})
            await _notify_own_devices(connection, user_id)

    async def unblock(self, user_id: UserId, other: UserId) -> None:
        """Unblock `other`: their conversation becomes a message request."""
        values: dict[str, Any] = {"user": user_id, "other": other, "state": "requested", "from": ["blocked"]}
        async with self._database.transaction() as connection:
            await connection.execute(UNBLOCK, values)
            await connection.execute(SET_STATE_BETWEEN, values)
            await _notify_own_devices(connection, user_id)

    async def blocked(self, user_id: UserId) -> list[Person]:
        """Return the blocked users, sorted by username."""
        return [Person(*row) for row in await self._database.rows(BLOCKED, [user_id])]

    async def _person(self, query: str, value: object) -> Person | None:
        rows = await self._database.rows(query, [value])
        return Person(*rows[0]) if rows else None


async def _notify_own_devices(connection: Connection, user_id: UserId) -> None:
    rows = await (await connection.execute(DEVICES, [user_id])).fetchall()
    await notify(connection, [row[0] for row in rows], "memberships")

"""Repository of accounts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row, scalar_row

from chat.errors import BadInvite, Taken
from chat.model.accounts import Account, AccountChanges, Credentials, NewAccount, Person, Role
from chat.model.groups import Device
from chat.model.ids import SessionId, UserId
from store.conversations import notify_direct_changed
from store.database.pool import Connection, Database
from store.devices import OF_USER, notify_devices_changed
from store.members import settle_deleted_member
from store.notify.postgres import notify

CREATE = """
INSERT INTO users (username, username_key, email, password_hash, bio, role, created_at, updated_at)
VALUES (%(name)s, %(key)s, %(email)s, %(password_hash)s, %(bio)s, %(role)s, %(now)s, %(now)s)
RETURNING id
"""

USE_INVITE = """
WITH used AS (
    UPDATE invites SET used_by = %(user_id)s, used_at = %(now)s
    WHERE code = %(code)s AND used_at IS NULL AND expires_at > %(now)s
    RETURNING created_by
), acquainted AS (
    INSERT INTO contacts
    SELECT created_by, %(user_id)s FROM used WHERE created_by IS NOT NULL
    UNION ALL SELECT %(user_id)s, created_by FROM used WHERE created_by IS NOT NULL
)
UPDATE users SET invited_by = used.created_by FROM used WHERE users.id = %(user_id)s
"""

INVITER = """
SELECT h.id, h.uuid, h.username, h.bio, h.picture_version FROM users u JOIN users h ON h.id = u.invited_by
WHERE u.id = %s
"""
ALL = "SELECT id, username, email, role, bio, created_at, updated_at, uuid FROM users"
GET = f"{ALL} WHERE id = %s"

CREDENTIALS_BY_NAME = "SELECT id, password_hash FROM users WHERE username_key = %s"
CREDENTIALS_BY_EMAIL = "SELECT id, password_hash FROM users WHERE lower(email) = lower(%s)"

# Returns whether the public profile changed.
UPDATE = """
WITH before AS (SELECT username, bio FROM users WHERE id = %(id)s FOR NO KEY UPDATE)
UPDATE users u SET
    username = coalesce(%(name)s, u.username),
    username_key = coalesce(%(key)s, username_key),
    email = coalesce(%(email)s, email),
    bio = coalesce(%(bio)s, u.bio),
    password_hash = coalesce(%(password_hash)s, password_hash),
    updated_at = %(now)s
FROM before WHERE id = %(id)s
RETURNING (u.username, u.bio) IS DISTINCT FROM (before.username, before.bio)
"""
SET_PICTURE = """
UPDATE users SET profile_picture = %(png)b WHERE id = %(id)s AND profile_picture IS DISTINCT FROM %(png)b
"""

# The account's own devices, and those of users who share a conversation with it. Users who ignore that conversation or
# block the account are left out.
PROFILE_RECIPIENTS = """
WITH recipients AS (
    SELECT %(user)s::bigint AS id
    UNION SELECT other.user_id FROM members mine JOIN members other USING (conversation_id)
    WHERE mine.user_id = %(user)s AND other.state IN ('joined', 'requested')
    AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = other.user_id AND b.blocked_id = mine.user_id)
)
SELECT u.uuid, array_agg(d.id) FROM recipients JOIN devices d ON d.user_id = recipients.id, users u
WHERE u.id = %(user)s GROUP BY u.uuid
"""

END_OTHER_SESSIONS = "DELETE FROM sessions WHERE user_id = %s AND id IS DISTINCT FROM %s"

# Direct conversations are deleted with the account. Its messages in groups remain as entries without content.
ERASE_MESSAGES = """
UPDATE messages SET data = NULL, edited_at = now()
WHERE conversation_id IN (SELECT conversation_id FROM leaves WHERE user_id = %s)
AND sender_id = %s AND kind = 'application' AND data IS NOT NULL
"""
# In the order of the writer's locks, so that the two cannot deadlock.
CONVERSATIONS = """
SELECT id FROM conversations WHERE user_id_1 = %(user)s OR user_id_2 = %(user)s
    OR id IN (SELECT conversation_id FROM members WHERE user_id = %(user)s)
ORDER BY id
"""
LOCK_CONVERSATIONS = f"{CONVERSATIONS} FOR UPDATE"
# Locked after the conversations, as the writer does. A transaction that adds the account to another conversation
# waits for these locks, or has committed before them.
LOCK_DEVICES = "SELECT 1 FROM devices WHERE user_id = %s ORDER BY id FOR UPDATE"
LOCK_ACCOUNT = "SELECT 1 FROM users WHERE id = %s FOR UPDATE"
DELETE = "DELETE FROM users WHERE id = %s"
DELETE_EMPTY = """
DELETE FROM conversations c
WHERE id = ANY(%s) AND NOT EXISTS (SELECT FROM members m WHERE m.conversation_id = c.id)
"""

SET_ROLE = "UPDATE users SET role = %s WHERE username_key = %s"


class Accounts:
    """Accounts, their credentials, profiles and pictures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, account: NewAccount, invite: str | None, now: datetime) -> UserId:
        """Create an account and use `invite`, in one transaction. Raises Taken, BadInvite."""
        with _names_taken():
            async with self._database.transaction() as connection:
                user_id = await _create(connection, account, now)
                if invite is not None:
                    used = await connection.execute(USE_INVITE, {"code": invite, "user_id": user_id, "now": now})
                    if used.rowcount == 0:
                        raise BadInvite("Invalid invite code")
                return user_id

    async def get(self, user_id: UserId) -> Account | None:
        """Return the account; None if there is none."""
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(Account)) as cur:
            return await (await cur.execute(GET, [user_id])).fetchone()

    async def all(self) -> list[Account]:
        """Return all accounts, oldest first."""
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(Account)) as cur:
            return await (await cur.execute(f"{ALL} ORDER BY id")).fetchall()

    async def host(self, user_id: UserId) -> Person | None:
        """Return the user who invited the account; None if there is none."""
        rows = await self._database.rows(INVITER, [user_id])
        return Person(*rows[0]) if rows else None

    async def credentials(self, *, username_key: str | None = None, email: str | None = None) -> Credentials | None:
        """Return id and password hash of the account with this username or e-mail address; None if there is none."""
        query, argument = (CREDENTIALS_BY_NAME, username_key) if email is None else (CREDENTIALS_BY_EMAIL, email)
        async with (
            self._database.connection() as connection,
            connection.cursor(row_factory=class_row(Credentials)) as cur,
        ):
            return await (await cur.execute(query, [argument])).fetchone()

    async def password_hash(self, user_id: UserId) -> str | None:
        """Return the password hash; None if there is no such account."""
        async with self._database.connection() as connection, connection.cursor(row_factory=scalar_row) as cur:
            return await (await cur.execute("SELECT password_hash FROM users WHERE id = %s", [user_id])).fetchone()

    async def update(self, user_id: UserId, changes: AccountChanges, keep: SessionId | None, now: datetime) -> None:
        """Apply `changes`. A new password ends every session except `keep`. Raises Taken."""
        values = {
            "id": user_id,
            "name": changes.username and changes.username.name,
            "key": changes.username and changes.username.key,
            "email": changes.email,
            "bio": changes.bio,
            "password_hash": changes.password_hash,
            "now": now,
        }
        with _names_taken():
            async with self._database.transaction() as connection:
                changed = await (await connection.execute(UPDATE, values)).fetchone()
                if changed is not None and changed[0]:
                    await _notify_profile_changed(connection, user_id)
                if changes.password_hash is not None:
                    await connection.execute(END_OTHER_SESSIONS, [user_id, keep])

    async def delete(self, user_id: UserId) -> None:
        """Delete the account, its direct conversations, and the content of its messages in groups.

        The transaction must lock all conversations of the account in order. If the account joins another conversation
        before the locks are held, the transaction is repeated.
        """
        async with self._database.connection() as connection:
            await connection.execute(ERASE_MESSAGES, [user_id, user_id])  # most rows, before the locks below
        while not await self._delete(user_id):
            pass

    async def _delete(self, user_id: UserId) -> bool:
        """Delete the account, or return False if it joined another conversation meanwhile."""
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(LOCK_CONVERSATIONS, {"user": user_id})).fetchall()
            await connection.execute(LOCK_DEVICES, [user_id])
            await connection.execute(LOCK_ACCOUNT, [user_id])
            if await (await connection.execute(CONVERSATIONS, {"user": user_id})).fetchall() != rows:
                return False
            await connection.execute(ERASE_MESSAGES, [user_id, user_id])
            ids = [row[0] for row in rows]
            await notify_direct_changed(connection, ids)
            for row in await (await connection.execute(OF_USER, [user_id])).fetchall():
                device = Device(*row)
                await notify_devices_changed(connection, device.user_id, device.user_uuid)
            await connection.execute(DELETE, [user_id])
            await connection.execute(DELETE_EMPTY, [ids])
            await settle_deleted_member(connection, ids)
            return True

    async def set_role(self, username_key: str, role: Role) -> bool:
        """Set the role. Return False if there is no such account."""
        async with self._database.connection() as connection:
            return (await connection.execute(SET_ROLE, [role, username_key])).rowcount == 1

    async def any(self) -> bool:
        """Tell whether any account exists."""
        async with self._database.connection() as connection:
            return await (await connection.execute("SELECT 1 FROM users LIMIT 1")).fetchone() is not None

    async def picture(self, user_id: UserId) -> tuple[bool, bytes | None]:
        """Return whether the account exists, and its picture as PNG, if it has one."""
        async with self._database.connection() as connection:
            cursor = await connection.execute("SELECT profile_picture FROM users WHERE id = %s", [user_id], binary=True)
            row = await cursor.fetchone()
            return row is not None, row[0] if row else None

    async def set_picture(self, user_id: UserId, png: bytes) -> None:
        """Replace the picture, and notify the recipients of the profile if it differs."""
        async with self._database.transaction() as connection:
            changed = await connection.execute(SET_PICTURE, {"png": png, "id": user_id})
            if changed.rowcount:
                await _notify_profile_changed(connection, user_id)


async def _notify_profile_changed(connection: Connection, user_id: UserId) -> None:
    for uuid, devices in await (await connection.execute(PROFILE_RECIPIENTS, {"user": user_id})).fetchall():
        await notify(connection, devices, "profile_changed", user=uuid)


async def _create(connection: Connection, account: NewAccount, now: datetime) -> UserId:
    values = {
        "name": account.username.name,
        "key": account.username.key,
        "email": account.email,
        "password_hash": account.password_hash,
        "bio": account.bio,
        "role": account.role,
        "now": now,
    }
    row = await (await connection.execute(CREATE, values)).fetchone()
    assert row is not None, "RETURNING gives a row or an error"
    return UserId(row[0])


@contextmanager
def _names_taken() -> Iterator[None]:
    """Turn a unique violation into Taken."""
    try:
        yield
    except UniqueViolation as error:
        field = "E-mail address" if error.diag.constraint_name == "users_email" else "User name"
        raise Taken(f"{field} already exists") from error

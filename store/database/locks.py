"""The lock on an account, under which its own things are counted and made."""

from chat.errors import Unauthenticated
from chat.model.ids import UserId
from store.database.pool import Connection

LOCK_USER = "SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE"


async def lock_user(connection: Connection, user_id: UserId) -> None:
    """Raises Unauthenticated where the account has gone just now."""
    if await (await connection.execute(LOCK_USER, [user_id])).fetchone() is None:
        raise Unauthenticated("This account does not exist any more")

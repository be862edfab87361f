"""The lock on an account. It serialises transactions that count what an account owns and then add to it."""

from chat.errors import Unauthenticated
from chat.model.ids import UserId
from store.database.pool import Connection

LOCK_USER = "SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE"


async def lock_user(connection: Connection, user_id: UserId) -> None:
    """Lock the account until the transaction ends. Raises Unauthenticated if it was deleted meanwhile."""
    if await (await connection.execute(LOCK_USER, [user_id])).fetchone() is None:
        raise Unauthenticated("This account no longer exists")

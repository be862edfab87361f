"""/v2/contacts and /v2/blocks."""

from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.v2.parameters import User
from handlers.v2.schemas.accounts import Code, UserShown


async def add_by_code(call: Call, body: Code) -> UserShown:
    """Become contacts with the owner of a chat code, which is used up."""
    return UserShown.of(await call.services.contacts.add_by_code(call.account, body.code))


async def blocked(call: Call) -> list[UserShown]:
    """List the blocked users."""
    return [UserShown.of(person) for person in await call.services.repositories.contacts.blocked(call.account.id)]


async def block(call: Call, user: User) -> Empty:
    """Block a user."""
    await call.services.contacts.block(call.account, user)
    return Empty()


async def unblock(call: Call, user: User) -> Empty:
    """Unblock a user."""
    await call.services.contacts.unblock(call.account, user)
    return Empty()

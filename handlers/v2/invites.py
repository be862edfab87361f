"""/v2/invites: invite codes of the account."""

from typing import Annotated

from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.http.parameters import text
from handlers.v2.schemas.accounts import InviteShown


async def list_all(call: Call) -> list[InviteShown]:
    """List the invites that can still be used."""
    return [InviteShown(one.code, one.expires_at) for one in await call.services.invites.open(call.account)]


async def create(call: Call) -> InviteShown:
    """Create an invite."""
    invite = await call.services.invites.create(call.account)
    return InviteShown(invite.code, invite.expires_at)


async def revoke(call: Call, code: Annotated[str, text()]) -> Empty:
    """Revoke an invite."""
    await call.services.invites.revoke(call.account, code)
    return Empty()

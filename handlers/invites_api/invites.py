"""Invite codes."""

from handlers.http.endpoint import Call
from handlers.invites_api.schemas import InviteMade


async def create(call: Call) -> InviteMade:
    """Create an invite code."""
    return InviteMade((await call.services.invites.create(call.account)).code)

"""Invites for others."""

from handlers.base import Handler
from handlers.invites.wire import InviteMade


class InvitesHandler(Handler):
    async def post(self) -> None:
        invite = await self.chat.invites.create(await self.account())
        self.reply(InviteMade(invite.code))

"""Invites for others."""

from handlers.http.base import Handler
from handlers.invites_api.wire import InviteMade


class InvitesHandler(Handler):
    async def post(self) -> None:
        invite = await self.services.invites.create(await self.account())
        self.reply(InviteMade(invite.code))

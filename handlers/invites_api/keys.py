"""Keys of direct conversations. GET requests with effects, as the contract has them."""

from base64 import b64encode

from handlers.http.base import Handler
from handlers.invites_api.wire import KeyChecked, KeyStarted


class StartHandler(Handler):
    async def get(self) -> None:
        account = await self.account()
        handed_out = await self.services.pending_keys.start(account, self.query_id("user_id"))
        self.reply(KeyStarted(b64encode(handed_out.key).decode(), handed_out.reset))


class CheckKeyHandler(Handler):
    async def get(self) -> None:
        account = await self.account()
        key = await self.services.pending_keys.check(account, self.query_id("user_id"))
        self.reply(KeyChecked(False) if key is None else KeyChecked(True, b64encode(key).decode()))

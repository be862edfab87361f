"""/api/chats and /api/chats/codes: from a code to a conversation."""

from handlers.codes_api.base import CodesHandler
from handlers.codes_api.wire import CodeBody, CodeCreated, ConversationAnswer


class CodesOfUserHandler(CodesHandler):
    async def post(self) -> None:
        code = await self.services.chat_codes.create(await self.account())
        self.reply(CodeCreated("Chat code created successfully", code), 201)

    async def delete(self) -> None:
        account = await self.account()
        await self.services.chat_codes.delete(account, self.body(CodeBody).code)
        self.reply(ConversationAnswer("Chat code deleted successfully", None))


class ChatsHandler(CodesHandler):
    async def post(self) -> None:
        account = await self.account()
        conversation_id = await self.services.chat_codes.redeem(account, self.body(CodeBody).code)
        self.reply(ConversationAnswer("Conversation created successfully", conversation_id), 201)

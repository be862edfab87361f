"""What all endpoints of the codes API share: the rate limit and two readings of errors."""

from typing import Any

from chat.errors import ChatError, ConversationExists, NoSuchConversation, NotYours
from chat.limits import API
from chat.model.accounts import Account
from chat.model.ids import ConversationId
from chat.model.messages import Conversation
from handlers.http.base import Handler


class CodesHandler(Handler):
    async def prepare(self) -> None:
        # Counted by the route, not by the path: nobody gets a fresh bucket by making up addresses.
        await self.services.limits.take(API, f"{self.rate_key}:{type(self).__name__}", self.services.now())

    def error_body(self, error: ChatError) -> dict[str, Any]:
        body = super().error_body(error)
        if isinstance(error, ConversationExists):
            body["conversation_id"] = error.conversation_id
        return body

    def error_status(self, error: ChatError) -> int:
        # COMPAT(codes): the seed answers 401, not 403, where something is somebody else's.
        return 401 if isinstance(error, NotYours) else super().error_status(error)

    async def conversation(self, account: Account, conversation_id: ConversationId) -> Conversation:
        """Raises NotYours."""
        try:
            return await self.services.conversations.get(account, conversation_id)
        except NoSuchConversation as error:
            # COMPAT(codes): the seed answers 401, not 404, to a stranger.
            raise NotYours("You are not a participant of this conversation") from error


class NotFound(CodesHandler):
    async def prepare(self) -> None:
        await super().prepare()
        self.send_error(404)

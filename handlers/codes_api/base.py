"""Errors of the codes API: their body, and statuses that differ from those of the other APIs."""

from typing import Any

from tornado.web import HTTPError

from chat.errors import ChatError, ConversationExists, NoSuchConversation, NotYours
from chat.limits import API
from chat.model.accounts import Account
from chat.model.ids import ConversationId
from chat.model.messages import Conversation
from chat.services import Services
from handlers.http.base import Handler
from handlers.http.endpoint import EndpointHandler, Limit, take_limits

BY_ROUTE = Limit(API, by=("address", "route"))


class CodesErrors(Handler):
    """Renders errors as the contract of the codes API requires."""

    def error_body(self, error: ChatError) -> dict[str, Any]:
        """Add `conversation_id` to ConversationExists: the client opens that conversation."""
        body = super().error_body(error)
        if isinstance(error, ConversationExists):
            body["conversation_id"] = error.conversation_id
        return body

    def error_status(self, error: ChatError) -> int:
        """Answer 401 for NotYours, and the status of the error's class otherwise."""
        # COMPAT(codes): the contract answers 401, not 403, for an object of another account.
        return 401 if isinstance(error, NotYours) else super().error_status(error)


class CodesHandler(CodesErrors, EndpointHandler):
    """Serves the endpoints of the codes API."""


class NotFound(CodesErrors):
    """Answers 404. All unknown paths count as one route, so that invented paths are limited together."""

    async def prepare(self) -> None:
        """Count the request by address, then refuse it. Raises TooMany, Unavailable, HTTPError 404."""
        await take_limits(self, [BY_ROUTE])
        raise HTTPError(404)


async def conversation_of(services: Services, account: Account, conversation_id: ConversationId) -> Conversation:
    """Return a conversation of the account. Raises NotYours."""
    try:
        return await services.conversations.get(account, conversation_id)
    except NoSuchConversation as error:
        # COMPAT(codes): the contract answers 401, not 404, to an account that is not a participant.
        raise NotYours("You are not a participant of this conversation") from error

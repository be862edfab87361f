"""/api/chats/messages: the history, newest first, and its author's second thoughts."""

import re
from datetime import UTC, datetime

import msgspec

from chat.errors import Invalid
from chat.model.ids import ConversationId
from chat.model.messages import Conversation, Message, message_uuid, seq_of
from handlers.codes_api.base import CodesHandler
from handlers.codes_api.wire import Edited, MessageEdit, MessageName, MessagePage, MessageShown, Said

LIMIT, LIMIT_MAX = 50, 100


class MessagesHandler(CodesHandler):
    async def get(self) -> None:
        account = await self.account()
        limit = parse_limit(self.query("limit") or str(LIMIT))
        cursor = self.query("cursor")
        before = parse_cursor(cursor) if cursor is not None else None
        conversation_id = ConversationId(self.query_uuid("conversationId"))
        conversation = await self.conversation(account, conversation_id)
        page = await self.services.messages.page(conversation, before, limit)
        self.reply(
            MessagePage(
                chats=[_shown(conversation, message) for message in page.messages],
                next_cursor=page.messages[-1].sent_at if page.messages else None,
                has_more=page.more,
            )
        )

    async def patch(self) -> None:
        account = await self.account()
        wanted = self.body(MessageEdit)
        conversation = await self.conversation(account, ConversationId(wanted.conversation_id))
        seq = seq_of(conversation.id, wanted.message_id)
        edited_at = await self.services.messages.edit(account, conversation, seq, wanted.content)
        self.reply(Edited("Message updated successfully", edited_at))

    async def delete(self) -> None:
        account = await self.account()
        wanted = self.body(MessageName)
        conversation = await self.conversation(account, ConversationId(wanted.conversation_id))
        await self.services.messages.delete(account, conversation, seq_of(conversation.id, wanted.message_id))
        self.reply(Said("Message deleted successfully"))


def parse_limit(text: str) -> int:
    """Raises Invalid where `text` is not a number of at most 18 digits."""
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Invalid("limit must be a number")
    return min(max(int(text), 1), LIMIT_MAX)  # COMPAT(codes): a limit out of range is clamped, not refused


def parse_cursor(text: str) -> datetime:
    """An RFC 3339 time. Raises Invalid.

    In a query `+` stands for a blank; an offset that a client forgot to escape is understood all the same.
    """
    try:
        moment = msgspec.convert(text[:11] + text[11:].replace(" ", "+"), datetime)
        if moment.tzinfo is None:
            raise Invalid("cursor needs an offset, or Z")
        return moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError) as error:
        raise Invalid("cursor is not an RFC 3339 time") from error


def _shown(conversation: Conversation, message: Message) -> MessageShown:
    return MessageShown(message_uuid(conversation.id, message.seq), message.content, message.sender, message.sent_at)

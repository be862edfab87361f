"""/api/chats/messages: message history, edit and delete."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from chat.errors import Invalid
from chat.model.ids import ConversationId
from chat.model.messages import Conversation, Message, message_uuid, seq_of
from handlers.codes_api.base import conversation_of
from handlers.codes_api.schemas import Done, Edited, MessageEdit, MessageName, MessagePage, MessageShown
from handlers.http.endpoint import Call
from handlers.http.parameters import Parameter, uuid

LIMIT, LIMIT_MAX = 50, 100


def parse_limit(name: str, text: str) -> int:
    """Parse a number of at most 18 digits and clamp it to 1-100. Raises Invalid."""
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Invalid(f"{name} must be a number")
    return min(max(int(text), 1), LIMIT_MAX)  # COMPAT(codes): an out-of-range limit is clamped, not refused


def parse_cursor(name: str, text: str) -> datetime:
    """Parse an RFC 3339 time. Raises Invalid.

    In a query string, `+` means a space. An offset with an unescaped `+` is accepted too.
    """
    try:
        moment = msgspec.convert(text[:11] + text[11:].replace(" ", "+"), datetime)
        if moment.tzinfo is None:
            raise Invalid(f"{name} must have an offset or Z")
        return moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError) as error:
        raise Invalid(f"{name} is not an RFC 3339 time") from error


LIMIT_PARAMETER = Parameter(parse_limit, {"type": "integer", "description": "clamped to 1-100"})
CURSOR_PARAMETER = Parameter(parse_cursor, {"type": "string", "format": "date-time"})


async def page(
    call: Call,
    *,
    conversation_id: Annotated[UUID, uuid("conversationId")],
    cursor: Annotated[datetime | None, CURSOR_PARAMETER] = None,
    limit: Annotated[int, LIMIT_PARAMETER] = LIMIT,
) -> MessagePage:
    """Read the newest messages before `cursor`, newest first."""
    conversation = await conversation_of(call.services, call.account, ConversationId(conversation_id))
    found = await call.services.messages.page(conversation, cursor, limit)
    return MessagePage(
        chats=[_shown(conversation, message) for message in found.messages],
        next_cursor=found.messages[-1].sent_at if found.messages else None,
        has_more=found.more,
    )


async def edit(call: Call, body: MessageEdit) -> Edited:
    """Edit a message of the account."""
    conversation = await conversation_of(call.services, call.account, ConversationId(body.conversation_id))
    seq = seq_of(conversation.id, body.message_id)
    edited_at = await call.services.messages.edit(call.account, conversation, seq, body.content)
    return Edited("Message updated successfully", edited_at)


async def delete(call: Call, body: MessageName) -> Done:
    """Delete a message of the account."""
    conversation = await conversation_of(call.services, call.account, ConversationId(body.conversation_id))
    await call.services.messages.delete(call.account, conversation, seq_of(conversation.id, body.message_id))
    return Done("Message deleted successfully")


def _shown(conversation: Conversation, message: Message) -> MessageShown:
    return MessageShown(message_uuid(conversation.id, message.seq), message.content, message.sender, message.sent_at)

"""Messages between two accounts: send, read, and check for new ones."""

from collections.abc import AsyncIterator
from typing import Annotated

from chat.direct.messages import check_content
from chat.errors import Invalid, NoSuchUser
from chat.model.accounts import Account
from chat.model.ids import MAX_ID, UserId
from chat.model.messages import Draft, Page
from handlers.http.answers import Stream
from handlers.http.endpoint import Call
from handlers.http.parameters import integer
from handlers.invites_api.schemas import (
    MessageShown,
    Send,
    Senders,
    SenderShown,
    Sent,
    Updates,
    local_timestamp,
    notification,
)

PAGE = 50
RETRY_ID_MAX_CHARS = 200
OTHER = integer(0, MAX_ID)


async def send(call: Call, body: Send) -> Sent:
    """Send a message. A repeated request with the same `Idempotency-Key` stores one message."""
    if not body.message:
        raise Invalid("message must not be empty")
    check_content(body.message)  # before a conversation is created for it
    retry_id = parse_retry_id(call.header("Idempotency-Key"))
    conversation_id = await call.services.conversations.open(call.account, UserId(body.receiver_id))
    entry = await call.services.messages.send(Draft(conversation_id, call.account.id, body.message, retry_id))
    return Sent(entry.id)


def parse_retry_id(given: str | None) -> str | None:
    """Check the `Idempotency-Key` header. Raises Invalid."""
    if given is None:
        return None
    if not (given.isascii() and given.isprintable() and 0 < len(given) <= RETRY_ID_MAX_CHARS):
        raise Invalid(f"Idempotency-Key must be 1 to {RETRY_ID_MAX_CHARS} printable ASCII characters")
    return given


async def page(
    call: Call, *, user_id: Annotated[UserId, OTHER], page: Annotated[int, integer(1, MAX_ID // PAGE)] = 1
) -> Annotated[Stream, list[MessageShown]]:
    """Read 50 messages, from old to new; page 1 has the newest."""
    return Stream(_messages(call, user_id, skip=(page - 1) * PAGE, limit=PAGE))


async def everything(call: Call, *, user_id: Annotated[UserId, OTHER]) -> Annotated[Stream, list[MessageShown]]:
    """Read all messages, from old to new."""
    return Stream(_messages(call, user_id, skip=0, limit=MAX_ID))


async def updates(call: Call) -> Updates:
    """List the senders of messages since the last call."""
    senders = await call.services.repositories.messages.take_news(call.account.id)
    return Updates(notification([sender.username for sender in senders]), len(senders))


async def senders(call: Call) -> Senders:
    """List everyone who has sent messages to the account, the latest first."""
    found = await call.services.repositories.messages.senders_to(call.account.id)
    return Senders([SenderShown(sender.user_id, sender.username) for sender in found])


async def _messages(call: Call, other_id: UserId, skip: int, limit: int) -> AsyncIterator[list[MessageShown]]:
    """Yield messages, oldest first; none if there is no conversation, or the other account was deleted."""
    conversation = await call.services.repositories.conversations.between(call.account.id, other_id)
    if conversation is None:
        return
    try:
        other = await call.services.accounts.get(other_id)
    except NoSuchUser:
        return
    async for part in call.services.messages.pages(conversation, skip, limit):
        yield _shown(part, call.account, other)


def _shown(page: Page, account: Account, other: Account) -> list[MessageShown]:
    return [
        MessageShown(
            id=message.id,
            sender_id=message.sender_id,
            sender_username=message.sender,
            receiver_id=other.id if message.sender_id == account.id else account.id,
            receiver_username=other.username if message.sender_id == account.id else account.username,
            message=message.content,
            timestamp=local_timestamp(message.sent_at),
        )
        for message in page.messages
    ]

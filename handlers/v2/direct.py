"""/v2/direct: direct conversations, whose keys the server issues. They are not end-to-end encrypted."""

from typing import Annotated

from chat.direct.messages import check_content
from chat.errors import Invalid, NoSuchConversation
from chat.model.ids import Seq
from chat.model.messages import Conversation, Draft
from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.http.parameters import integer
from handlers.v2.parameters import POSITION, EntrySeq, User
from handlers.v2.schemas.direct import (
    DirectShown,
    Edit,
    Edited,
    KeyClaimed,
    KeyStarted,
    NewText,
    Opened,
    Stored,
    TextShown,
)

LIMIT, LIMIT_MAX = 50, 100


async def list_all(call: Call) -> list[DirectShown]:
    """List the account's direct conversations."""
    return [DirectShown.of(one) for one in await call.services.repositories.conversations.direct(call.account.id)]


async def open_with(call: Call, user: User) -> Opened:
    """Open the direct conversation with a user, without a key; it is created if there is none."""
    other = await call.services.contacts.get(user)
    return Opened(await call.services.conversations.open(call.account, other.id))


async def start_key(call: Call, user: User) -> KeyStarted:
    """Take the pending key, or create a new one, which deletes all messages."""
    other = await call.services.contacts.get(user)
    issued = await call.services.pending_keys.start(call.account, other.id)
    return KeyStarted(issued.conversation_id, issued.key, issued.reset)


async def claim_key(call: Call, user: User) -> KeyClaimed:
    """Take the pending key, if there is one."""
    other = await call.services.contacts.get(user)
    return KeyClaimed(await call.services.pending_keys.take(call.account, other.id))


async def read(
    call: Call,
    user: User,
    *,
    after: Annotated[Seq | None, POSITION] = None,
    before: Annotated[Seq | None, POSITION] = None,
    limit: Annotated[int, integer(1, LIMIT_MAX)] = LIMIT,
) -> list[TextShown]:
    """Read messages, oldest first: those after `after`, or else the newest before `before`."""
    if after is not None and before is not None:
        raise Invalid("after and before exclude each other")
    account, other = call.account, await call.services.contacts.get(user)
    conversation = await call.services.repositories.conversations.between(account.id, other.id)
    if conversation is None:
        return []
    found = await call.services.messages.read(conversation, after, before, limit)
    whose = [(one, one.sender_id == account.id) for one in found]
    return [TextShown.of(one, account.uuid if own else other.uuid, own) for one, own in whose]


async def send(call: Call, user: User, body: NewText) -> Stored:
    """Send a message."""
    check_content(body.text)  # before a conversation is created for it
    other = await call.services.contacts.get(user)
    conversation_id = await call.services.conversations.open(call.account, other.id)
    entry = await call.services.messages.send(Draft(conversation_id, call.account.id, body.text, body.id))
    return Stored(entry.seq, entry.sent_at)


async def edit(call: Call, user: User, seq: EntrySeq, body: Edit) -> Edited:
    """Edit a message of the account."""
    return Edited(await call.services.messages.edit(call.account, await _between(call, user), seq, body.text))


async def delete(call: Call, user: User, seq: EntrySeq) -> Empty:
    """Delete a message of the account for both."""
    await call.services.messages.delete(call.account, await _between(call, user), seq)
    return Empty()


async def _between(call: Call, user: User) -> Conversation:
    """Return the direct conversation with `user`. Raises NoSuchUser, NoSuchConversation."""
    other = await call.services.contacts.get(user)
    found = await call.services.repositories.conversations.between(call.account.id, other.id)
    if found is None:
        raise NoSuchConversation("No such conversation")
    return found

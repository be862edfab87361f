"""/v2/conversations and /v2/welcomes: groups, their commits and their logs."""

from typing import Annotated

from chat.model.ids import ConversationId, Seq
from chat.model.messages import EncryptedDraft
from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.http.parameters import integer
from handlers.v2.parameters import FIRST, Conversation, Message, Position, User
from handlers.v2.schemas.frames import EntryShown, SentFrame
from handlers.v2.schemas.groups import (
    Accepted,
    ConversationShown,
    GroupInfo,
    NewCommit,
    NewConversation,
    NewMessage,
    NewRole,
    NewState,
    RemovalsShown,
    Seen,
    WelcomeShown,
)
from handlers.v2.schemas.ids import hex_of

WELCOMES_MAX = 8  # in one answer; each has up to 1 MiB
LIMIT_MAX = 200


async def list_all(call: Call) -> list[ConversationShown]:
    """List the account's conversations."""
    return [ConversationShown.of(one) for one in await call.services.repositories.groups.list_of(call.account.id)]


async def create(call: Call, body: NewConversation) -> Accepted:
    """Create a conversation by the first commit of its group."""
    return Accepted.of(await call.services.groups.create(call.device, ConversationId(body.id), body.bundle))


async def commit(call: Call, conversation: Conversation, body: NewCommit) -> Accepted:
    """End an epoch by a commit."""
    return Accepted.of(await call.services.groups.commit(call.device, conversation, body.bundle))


async def send(call: Call, conversation: Conversation, body: NewMessage) -> SentFrame:
    """Send a message."""
    device = call.device
    draft = EncryptedDraft(conversation, device.user_id, device.id, body.epoch, body.data, client_id=body.id)
    entry = await call.services.groups.send(draft)
    return SentFrame(body.id, entry.seq, entry.sent_at)


async def log(
    call: Call,
    conversation: Conversation,
    *,
    after: Position = FIRST,
    limit: Annotated[int, integer(1, LIMIT_MAX)] = LIMIT_MAX,
) -> list[EntryShown]:
    """Read the next entries after a seq that this device may read, oldest first."""
    entries = await call.services.repositories.groups.log(call.device, conversation, after, limit)
    return [EntryShown.of(entry, call.device.id) for entry in entries]


async def delete(call: Call, conversation: Conversation, message: Message) -> Empty:
    """Delete the ciphertext of a message of the account, which is named by the id that its client gave it."""
    await call.services.repositories.groups.delete(call.account, conversation, message)
    return Empty()


async def acknowledge(call: Call, conversation: Conversation, body: Seen) -> Empty:
    """Acknowledge the entries up to a seq: this device has stored them."""
    await call.services.repositories.groups.acknowledge(call.device, {conversation: Seq(body.seq)})
    return Empty()


async def group_info(call: Call, conversation: Conversation) -> GroupInfo:
    """Get the group info with which a new device of a member joins."""
    epoch, data = await call.services.repositories.groups.group_info(call.account, conversation)
    return GroupInfo(epoch, data)


async def removals(call: Call, conversation: Conversation) -> RemovalsShown:
    """List the devices that a commit has to remove before anything else, and those that it may remove."""
    found = await call.services.repositories.groups.removals(call.account, conversation)
    return RemovalsShown([hex_of(one) for one in found.due], [hex_of(one) for one in found.unused])


async def answer(call: Call, conversation: Conversation, body: NewState) -> Empty:
    """Accept or ignore a message request."""
    await call.services.contacts.answer(call.account, conversation, body.state)
    return Empty()


async def leave(call: Call, conversation: Conversation) -> Empty:
    """Leave a conversation."""
    await call.services.groups.leave(call.device, conversation)
    return Empty()


async def set_role(call: Call, conversation: Conversation, user: User, body: NewRole) -> Empty:
    """Change the role of another member."""
    person = await call.services.contacts.get(user)
    await call.services.groups.set_role(call.account, conversation, person.id, body.role)
    return Empty()


async def welcomes(call: Call) -> list[WelcomeShown]:
    """List the groups that this device was added to; acknowledging the `seq` of one makes room for the next."""
    groups = call.services.repositories.groups
    waiting = [membership for membership in await groups.memberships(call.device) if membership.welcome]
    return [WelcomeShown(one.conversation_id, one.since, await groups.welcome(one)) for one in waiting[:WELCOMES_MAX]]

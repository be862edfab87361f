"""/v2/conversations: groups, their commits, and their logs."""

from uuid import UUID

from chat.errors import Invalid
from chat.limits import COMMITS
from chat.model.groups import Device
from chat.model.ids import MAX_ID, ConversationId, Seq
from chat.model.messages import EncryptedDraft, Entry
from handlers.http.base import number, uuid
from handlers.v2.base import V2Handler
from handlers.v2.schemas.conversations import (
    Accepted,
    ConversationShown,
    GroupInfo,
    NewCommit,
    NewConversation,
    NewMessage,
    NewRole,
    NewState,
    Removals,
    Seen,
    WelcomeShown,
)
from handlers.v2.schemas.frames import EntryShown, SentFrame
from handlers.v2.schemas.ids import hex_of

WELCOMES_MAX = 8  # at once; each has up to a megabyte


def conversation_of(text: str) -> ConversationId:
    """Raises Invalid."""
    return ConversationId(uuid("conversation", text))


class GroupHandler(V2Handler):
    async def committing_device(self) -> Device:
        device = await self.device()
        await self.services.limits.take(COMMITS, f"{device.user_id}", self.services.now())
        return device


class ConversationsHandler(GroupHandler):
    async def get(self) -> None:
        found = await self.services.contacts.conversations(await self.account())
        self.reply([ConversationShown.of(one) for one in found])

    async def post(self) -> None:
        device, wanted = await self.committing_device(), self.body(NewConversation)
        entry = await self.services.groups.create(device, ConversationId(wanted.id), wanted.bundle)
        self.reply(Accepted.of(entry), 201)


class CommitsHandler(GroupHandler):
    async def post(self, id_: str) -> None:
        device, wanted = await self.committing_device(), self.body(NewCommit)
        self.reply(Accepted.of(await self.services.groups.commit(device, conversation_of(id_), wanted.bundle)))


class MessagesHandler(V2Handler):
    async def post(self, id_: str) -> None:
        device, wanted = await self.device(), self.body(NewMessage)
        draft = EncryptedDraft(
            conversation_of(id_), device.user_id, device.id, wanted.epoch, wanted.data, client_id=wanted.id
        )
        entry = await self.services.groups.send(draft)
        self.reply(SentFrame(wanted.id, entry.seq, entry.sent_at))


class LogHandler(V2Handler):
    async def get(self, id_: str) -> None:
        """`after`: a seq; the next entries that this device may read, oldest first."""
        device = await self.device()
        after = Seq(number("after", self.query("after") or "0", 0, MAX_ID))
        limit = number("limit", self.query("limit") or "200", 1, 200)
        entries: list[Entry] = await self.services.groups.log(device, conversation_of(id_), after)
        self.reply([EntryShown.of(entry, device.id) for entry in entries[:limit]])


class EntryHandler(V2Handler):
    async def delete(self, id_: str, seq: str) -> None:
        """For everyone, by its author."""
        account = await self.account()
        await self.services.groups.delete(account, conversation_of(id_), Seq(number("seq", seq, 1, MAX_ID)))
        self.reply({})


class AckHandler(V2Handler):
    async def post(self, id_: str) -> None:
        device = await self.device()
        await self.services.groups.acknowledge(device, {conversation_of(id_): Seq(self.body(Seen).seq)})
        self.reply({})


class GroupInfoHandler(V2Handler):
    async def get(self, id_: str) -> None:
        epoch, group_info = await self.services.groups.group_info(await self.account(), conversation_of(id_))
        self.reply(GroupInfo(epoch, group_info))


class RemovalsHandler(V2Handler):
    async def get(self, id_: str) -> None:
        devices = await self.services.groups.removals(await self.account(), conversation_of(id_))
        self.reply(Removals([hex_of(device) for device in devices]))


class StateHandler(V2Handler):
    async def put(self, id_: str) -> None:
        account = await self.account()
        await self.services.contacts.answer(account, conversation_of(id_), self.body(NewState).state)
        self.reply({})


class LeaveHandler(V2Handler):
    async def post(self, id_: str) -> None:
        await self.services.groups.leave(await self.device(), conversation_of(id_))
        self.reply({})


class RoleHandler(V2Handler):
    async def put(self, id_: str, user: str) -> None:
        account, role = await self.account(), self.body(NewRole).role
        person = await self.services.contacts.get(uuid("user", user))
        if person.id == account.id:
            raise Invalid("Nobody changes their own role")
        await self.services.groups.set_role(account, conversation_of(id_), person.id, role)
        self.reply({})


class WelcomesHandler(V2Handler):
    async def get(self) -> None:
        """Groups that this device was added to; the acknowledgement of `seq` settles each, and makes room."""
        device = await self.device()
        waiting = [membership for membership in await self.services.groups.memberships(device) if membership.welcome][
            :WELCOMES_MAX
        ]
        found: list[tuple[UUID, int, bytes | None]] = [
            (membership.conversation_id, membership.since, await self.services.groups.welcome(membership))
            for membership in waiting
        ]
        self.reply([WelcomeShown(*one) for one in found])

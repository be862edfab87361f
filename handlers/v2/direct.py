"""/v2/direct: conversations of two whose key the server hands out. They are not end-to-end encrypted."""

from chat.direct.messages import check_content
from chat.errors import Invalid, NoSuchConversation
from chat.limits import MESSAGES
from chat.model.accounts import Account, Person
from chat.model.ids import MAX_ID, Seq
from chat.model.messages import Conversation, Draft
from handlers.http.base import number, uuid
from handlers.v2.base import V2Handler
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


class DirectHandler(V2Handler):
    async def get(self) -> None:
        found = await self.services.conversations.direct(await self.account())
        self.reply([DirectShown.of(one) for one in found])


class PairHandler(V2Handler):
    async def other(self, user: str) -> Person:
        """Raises Invalid, NoSuchUser."""
        return await self.services.contacts.get(uuid("user", user))


class OpenHandler(PairHandler):
    async def put(self, user: str) -> None:
        """Made if there is none; no key with it."""
        account, other = await self.account(), await self.other(user)
        self.reply(Opened(await self.services.conversations.open(account, other.id)))


class KeyHandler(PairHandler):
    async def post(self, user: str) -> None:
        """The key that waits for the caller; where none does, a new one, and the messages go."""
        account, other = await self.account(), await self.other(user)
        handed_out = await self.services.pending_keys.start(account, other.id)
        self.reply(KeyStarted(handed_out.conversation_id, handed_out.key, handed_out.reset))


class ClaimHandler(PairHandler):
    async def post(self, user: str) -> None:
        account, other = await self.account(), await self.other(user)
        self.reply(KeyClaimed(await self.services.pending_keys.check(account, other.id)))


class TextsHandler(PairHandler):
    async def get(self, user: str) -> None:
        """Oldest first: what comes after `after`, or else the newest below `before`."""
        account = await self.account()
        after, before = self.query_seq("after"), self.query_seq("before")
        limit = number("limit", self.query("limit") or str(LIMIT), 1, LIMIT_MAX)
        if after is not None and before is not None:
            raise Invalid("after and before do not go together")
        other = await self.other(user)
        conversation = await self.services.conversations.between(account, other.id)
        found = (
            await self.services.messages.read(conversation, after, before, limit) if conversation is not None else []
        )
        whose = [(one, one.sender_id == account.id) for one in found]
        self.reply([TextShown.of(one, account.uuid if own else other.uuid, own) for one, own in whose])

    async def post(self, user: str) -> None:
        account, wanted = await self.account(), self.body(NewText)
        check_content(wanted.text)  # before anything is counted or made for it
        other = await self.other(user)
        await self.services.limits.hit(MESSAGES, f"account:{account.id}", self.services.now())
        conversation_id = await self.services.conversations.open(account, other.id)
        entry = await self.services.messages.send(Draft(conversation_id, account.id, wanted.text, wanted.id))
        self.reply(Stored(entry.seq, entry.sent_at))

    def query_seq(self, name: str) -> Seq | None:
        text = self.query(name)
        return Seq(number(name, text, 0, MAX_ID)) if text is not None else None


class TextHandler(PairHandler):
    async def patch(self, user: str, seq: str) -> None:
        account, wanted, named = await self.account(), self.body(Edit), seq_of(seq)
        conversation = await self.conversation(account, user)
        self.reply(Edited(await self.services.messages.edit(account, conversation, named, wanted.text)))

    async def delete(self, user: str, seq: str) -> None:
        """For both."""
        account, named = await self.account(), seq_of(seq)
        await self.services.messages.delete(account, await self.conversation(account, user), named)
        self.reply({})

    async def conversation(self, account: Account, user: str) -> Conversation:
        """Raises NoSuchConversation, and as `other` does."""
        found = await self.services.conversations.between(account, (await self.other(user)).id)
        if found is None:
            raise NoSuchConversation("No such conversation")
        return found


def seq_of(text: str) -> Seq:
    """Raises Invalid."""
    return Seq(number("seq", text, 1, MAX_ID))

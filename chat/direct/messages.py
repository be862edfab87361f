"""The log as an account sees it: send, read, edit, delete, and what is new."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Protocol

from chat.accounts import validation
from chat.errors import ChatError, Invalid, NoSuchMessage, NotYours
from chat.model.accounts import Account
from chat.model.ids import MAX_ID, ConversationId, Seq, UserId
from chat.model.messages import MAX_CONTENT_CHARS, Conversation, Draft, Entry, Message, Page, Sender

END = Seq(MAX_ID)  # before this one come all

Done = Callable[[Entry | ChatError], None]


class WriteQueue(Protocol):
    @property
    def is_open(self) -> bool: ...

    def submit(self, draft: Draft, done: Done) -> None:
        """`done` is called once, with the entry after its commit or with the reason. Raises Busy, Unavailable."""
        ...

    async def write(self, draft: Draft) -> Entry: ...


class MessageStore(Protocol):
    async def before(self, conversation_id: ConversationId, seq: Seq, limit: int) -> Page:
        """Newest first."""
        ...

    async def next(self, conversation_id: ConversationId, seq: Seq, limit: int) -> Page:
        """What comes after `seq`, oldest first."""
        ...

    async def skip(self, conversation_id: ConversationId, count: int) -> Seq | None:
        """The seq below which come all but the newest `count`; None if there are not that many."""
        ...

    async def seq_at(self, conversation_id: ConversationId, before: datetime) -> Seq | None:
        """The lowest seq that was sent at `before` or later."""
        ...

    async def sender(self, conversation_id: ConversationId, seq: Seq) -> UserId | None: ...
    async def edit(self, conversation_id: ConversationId, seq: Seq, content: str, now: datetime) -> bool: ...
    async def delete(self, conversation_id: ConversationId, seq: Seq) -> bool: ...
    async def senders_to(self, user_id: UserId) -> list[Sender]: ...
    async def take_news(self, user_id: UserId) -> list[Sender]: ...


class Messages:
    def __init__(self, queue: WriteQueue, store: MessageStore, now: Callable[[], datetime]) -> None:
        self._queue = queue
        self._store = store
        self._now = now

    @property
    def are_taken(self) -> bool:
        """Whether a message could be stored now."""
        return self._queue.is_open

    def submit(self, draft: Draft, done: Done) -> None:
        """For those who do not wait. Raises Invalid, Busy, Unavailable at once, and then never calls `done`.

        Whether the sender may write there was asked when they came in.
        """
        check_content(draft.content)
        self._queue.submit(draft, done)

    async def send(self, draft: Draft) -> Entry:
        """Return when the draft is on disk. Raises Invalid, Busy, Unavailable, NoSuchConversation."""
        check_content(draft.content)
        return await self._queue.write(draft)

    async def page(self, conversation: Conversation, before: datetime | None, limit: int) -> Page:
        """The newest messages sent before `before`."""
        seq = before and await self._store.seq_at(conversation.id, before)
        return await self._store.before(conversation.id, seq or END, limit)

    async def read(
        self, conversation: Conversation, after: Seq | None, before: Seq | None, limit: int
    ) -> list[Message]:
        """Oldest first: the next ones after `after`, or else the newest ones below `before`; empty at the end."""
        if after is not None:
            return (await self._store.next(conversation.id, after, limit)).messages
        return (await self._store.before(conversation.id, before or END, limit)).messages[::-1]

    async def pages(self, conversation: Conversation, skip: int = 0, limit: int = MAX_ID) -> AsyncIterator[Page]:
        """The newest `limit` messages but the newest `skip`, oldest first, in parts small enough to hold in memory.

        Messages that are sent meanwhile do not count.
        """
        end = await self._store.skip(conversation.id, skip) if skip else Seq(conversation.last_seq + 1)
        if end is None:
            return
        first = await self._store.skip(conversation.id, skip + limit) if limit < MAX_ID else None
        after = Seq(first - 1) if first is not None else Seq(0)
        more = True
        while more:
            page = await self._store.next(conversation.id, after, min(limit, 100))
            kept = [message for message in page.messages if message.seq < end]
            limit -= len(kept)
            more = page.more and limit > 0 and len(kept) == len(page.messages)
            if kept:
                after = kept[-1].seq
                yield Page(kept, more)

    async def edit(self, account: Account, conversation: Conversation, seq: Seq | None, content: str) -> datetime:
        """Raises Invalid, NoSuchMessage, NotYours."""
        check_content(content)
        if not content.strip():
            raise Invalid("A message cannot be empty")
        mine = await self._mine(account, conversation, seq)
        now = self._now()
        if not await self._store.edit(conversation.id, mine, content, now):
            raise NoSuchMessage("Message not found")
        return now

    async def delete(self, account: Account, conversation: Conversation, seq: Seq | None) -> None:
        """Raises NoSuchMessage, NotYours."""
        mine = await self._mine(account, conversation, seq)
        if not await self._store.delete(conversation.id, mine):
            raise NoSuchMessage("Message not found")

    async def senders(self, account: Account) -> list[Sender]:
        """Everybody who wrote to this account, the latest first."""
        return await self._store.senders_to(account.id)

    async def take_news(self, account: Account) -> list[Sender]:
        """Return who wrote since the last call, the latest first, and mark their messages as seen."""
        return await self._store.take_news(account.id)

    async def _mine(self, account: Account, conversation: Conversation, seq: Seq | None) -> Seq:
        sender = await self._store.sender(conversation.id, seq) if seq is not None else None
        if seq is None or sender is None:
            raise NoSuchMessage("Message not found")
        if sender != account.id:
            raise NotYours("Only the author can change a message")
        return seq


def check_content(content: str) -> None:
    """Raises Invalid."""
    if len(content) > MAX_CONTENT_CHARS:
        raise Invalid(f"A message has at most {MAX_CONTENT_CHARS:,} characters")
    validation.no_nul(content)

"""Messages of direct conversations: send, read, edit and delete.

Senders pass drafts to the write queue, which stores them and publishes each entry after its commit. Readers page
through the log by seq, so a message that arrives meanwhile never repeats or skips another one.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Protocol

from chat.accounts import validation
from chat.delivery.write_queue import Done, WriteQueue
from chat.errors import Invalid, NoSuchMessage, NotYours, Unavailable
from chat.model.accounts import Account
from chat.model.ids import MAX_ID, ConversationId, Seq, UserId
from chat.model.messages import MAX_CONTENT_CHARS, Conversation, Draft, Entry, Message, Page

END = Seq(MAX_ID)  # above every seq


class MessageStore(Protocol):
    """The repository of direct messages."""

    async def before(self, conversation_id: ConversationId, seq: Seq, limit: int) -> Page:
        """Read the entries below `seq`, newest first."""
        ...

    async def next(self, conversation_id: ConversationId, seq: Seq, limit: int) -> Page:
        """Read the entries above `seq`, oldest first."""
        ...

    async def skip(self, conversation_id: ConversationId, count: int) -> Seq | None:
        """Return the seq below which all entries but the newest `count` lie; None if there are fewer."""
        ...

    async def seq_at(self, conversation_id: ConversationId, before: datetime) -> Seq | None:
        """Return the lowest seq that was sent at `before` or later; None if there is none."""
        ...

    async def sender(self, conversation_id: ConversationId, seq: Seq) -> UserId | None:
        """Return the author of a message; None if the message does not exist."""
        ...

    async def edit(self, conversation_id: ConversationId, seq: Seq, content: str, now: datetime) -> bool:
        """Return False if the message does not exist."""
        ...

    async def delete(self, conversation_id: ConversationId, seq: Seq) -> bool:
        """Return False if the message does not exist."""
        ...


class Messages:
    """Messages of direct conversations."""

    def __init__(self, queue: WriteQueue, store: MessageStore, now: Callable[[], datetime]) -> None:
        self._queue = queue
        self._store = store
        self._now = now

    def check_available(self) -> None:
        """Raise Unavailable while the write queue stores nothing."""
        if not self._queue.is_open:
            raise Unavailable("The database is not available")

    def submit(self, draft: Draft, done: Done) -> None:
        """Queue the draft without waiting. Raises Invalid, Busy, Unavailable at once, and then never calls `done`.

        The caller has already checked that the sender is a participant.
        """
        check_content(draft.content)
        self._queue.submit(draft, done)

    async def send(self, draft: Draft) -> Entry:
        """Return the entry when it is on disk. Raises Invalid, Busy, Unavailable, NoSuchConversation."""
        check_content(draft.content)
        return await self._queue.write(draft)

    async def page(self, conversation: Conversation, before: datetime | None, limit: int) -> Page:
        """Read the newest messages sent before `before`, newest first."""
        seq = before and await self._store.seq_at(conversation.id, before)
        return await self._store.before(conversation.id, seq or END, limit)

    async def read(
        self, conversation: Conversation, after: Seq | None, before: Seq | None, limit: int
    ) -> list[Message]:
        """Read at most `limit` messages, oldest first: those after `after`, or else the newest below `before`.

        The list is empty at the end of the log.
        """
        if after is not None:
            return (await self._store.next(conversation.id, after, limit)).messages
        return (await self._store.before(conversation.id, before or END, limit)).messages[::-1]

    async def pages(self, conversation: Conversation, skip: int = 0, limit: int = MAX_ID) -> AsyncIterator[Page]:
        """Skip the newest `skip` messages and read the `limit` before them, oldest first.

        Yields pages that are small enough to hold in memory. Messages that are sent meanwhile do not count.
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
        """Replace the text of the account's own message; return the time. Raises Invalid, NoSuchMessage, NotYours."""
        check_content(content)
        if not content.strip():
            raise Invalid("A message cannot be empty")
        own_seq = await self._own_seq(account, conversation, seq)
        now = self._now()
        if not await self._store.edit(conversation.id, own_seq, content, now):
            raise NoSuchMessage("Message not found")
        return now

    async def delete(self, account: Account, conversation: Conversation, seq: Seq | None) -> None:
        """Delete the account's own message for both. Raises NoSuchMessage, NotYours."""
        own_seq = await self._own_seq(account, conversation, seq)
        if not await self._store.delete(conversation.id, own_seq):
            raise NoSuchMessage("Message not found")

    async def _own_seq(self, account: Account, conversation: Conversation, seq: Seq | None) -> Seq:
        """Check that the account wrote the message. Raises NoSuchMessage, NotYours."""
        sender = await self._store.sender(conversation.id, seq) if seq is not None else None
        if seq is None or sender is None:
            raise NoSuchMessage("Message not found")
        if sender != account.id:
            raise NotYours("Only the author can change a message")
        return seq


def check_content(content: str) -> None:
    """Refuse a text that is too long or contains U+0000. Raises Invalid."""
    if len(content) > MAX_CONTENT_CHARS:
        raise Invalid(f"A message must be at most {MAX_CONTENT_CHARS:,} characters")
    validation.no_nul(content)

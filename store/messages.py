"""Repository of messages: reads the log, and edits and deletes direct messages. The write queue appends to the log."""

from datetime import datetime
from typing import Any

from psycopg.rows import class_row, scalar_row

from chat.model.ids import ConversationId, Seq, UserId
from chat.model.messages import EncryptedPart, Entry, Message, Page, Sender
from store.conversations import notify_direct_changed
from store.database.pool import Database

ENTRIES_MAX = 200  # of a page of entries
PAGE_BYTES = 1024 * 1024  # a page ends after the message that exceeds this

# The page size is the sum of the lengths, which PostgreSQL knows without fetching large values. A row after the end of
# the page has no content: it only shows that there are more messages.
BEFORE = """
SELECT m.seq, m.id, m.sender_id, u.username,
       CASE WHEN m.bytes_before < %(bytes)s AND m.nth <= %(limit)s THEN m.content END,
       m.sent_at, m.edited_at, m.client_id
FROM (
    SELECT *, row_number() OVER read AS nth,
           sum(octet_length(content)) OVER read - octet_length(content) AS bytes_before
    FROM messages WHERE conversation_id = %(conversation)s AND seq < %(seq)s
    WINDOW read AS (ORDER BY seq DESC)
    ORDER BY seq DESC LIMIT %(limit)s + 1
) m JOIN users u ON u.id = m.sender_id
ORDER BY m.seq DESC
"""
NEXT = BEFORE.replace("seq < ", "seq > ").replace("seq DESC", "seq")

AFTER = """
SELECT m.conversation_id, m.seq, m.id, m.sender_id, m.content, m.sent_at,
       m.kind, m.device_id, m.epoch, m.data, m.client_id, m.removed
FROM (
    SELECT *, sum(bytes) OVER (ORDER BY seq) - bytes AS bytes_before
    FROM (
        SELECT *, coalesce(octet_length(content), octet_length(data), 0) AS bytes
        FROM messages WHERE conversation_id = %(conversation)s AND seq > %(seq)s
        ORDER BY seq LIMIT %(limit)s
    ) next
) m
WHERE m.bytes_before < %(bytes)s
ORDER BY m.seq
"""

SKIP = "SELECT seq FROM messages WHERE conversation_id = %s ORDER BY seq DESC OFFSET %s LIMIT 1"
SEQ_AT = "SELECT seq FROM messages WHERE conversation_id = %s AND sent_at >= %s ORDER BY sent_at LIMIT 1"
POSITIONS = "SELECT id, last_seq FROM conversations WHERE id = ANY(%s)"

SENDER = "SELECT sender_id FROM messages WHERE conversation_id = %s AND seq = %s"
EDIT = "UPDATE messages SET content = %s, edited_at = %s WHERE conversation_id = %s AND seq = %s"
DELETE = "DELETE FROM messages WHERE conversation_id = %s AND seq = %s"

# Sorted by the newest message of each sender that is not deleted.
SENDERS_TO = """
SELECT other.id AS user_id, other.username
FROM (
    SELECT id, user_id_2 AS other, last_seq_2 AS last_seq FROM conversations WHERE user_id_1 = %(user)s
    UNION ALL
    SELECT id, user_id_1, last_seq_1 FROM conversations WHERE user_id_2 = %(user)s
) c
CROSS JOIN LATERAL (
    SELECT m.id FROM messages m
    WHERE m.conversation_id = c.id AND m.seq <= c.last_seq AND m.sender_id = c.other
    ORDER BY m.seq DESC LIMIT 1
) newest
JOIN users other ON other.id = c.other
ORDER BY newest.id DESC
"""

TAKE_NEWS = """
WITH unread AS (
    SELECT m.conversation_id, m.read_seq, c.last_seq, c.user_id_1 + c.user_id_2 - m.user_id AS other
    FROM members m JOIN conversations c ON c.id = m.conversation_id
    WHERE m.user_id = %(user)s AND c.kind = 'direct' AND c.last_seq > m.read_seq
    FOR UPDATE OF m
), seen AS (
    UPDATE members m SET read_seq = unread.last_seq FROM unread
    WHERE m.conversation_id = unread.conversation_id AND m.user_id = %(user)s
)
SELECT u.id AS user_id, u.username
FROM unread
JOIN messages n ON n.conversation_id = unread.conversation_id AND n.sender_id = unread.other
    AND n.seq > unread.read_seq AND n.seq <= unread.last_seq
JOIN users u ON u.id = unread.other
GROUP BY u.id
ORDER BY max(n.id) DESC
"""


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return the entry in a row of AFTER."""
    conversation_id, seq, id_, sender_id, content, sent_at, kind, device_id, epoch, data, client_id, removed = row
    encrypted = EncryptedPart(kind, device_id, epoch, data, tuple(removed or ())) if kind is not None else None
    return Entry(conversation_id, seq, id_, sender_id, content or "", sent_at, encrypted, client_id)


async def entries_after(database: Database, conversation_id: ConversationId, seq: Seq, limit: int) -> list[Entry]:
    """Return the entries after `seq`, oldest first; at most `limit`, and about PAGE_BYTES. Empty at the log's end."""
    values = {"conversation": conversation_id, "seq": seq, "limit": limit, "bytes": PAGE_BYTES}
    return [entry_of(row) for row in await database.rows(AFTER, values)]


class Messages:
    """Pages and entries of the log. Pages are bounded in messages and bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def before(self, conversation_id: ConversationId, seq: Seq, limit: int) -> Page:
        """Return the messages before `seq`, newest first; at most `limit`, and about PAGE_BYTES."""
        return await self._page(BEFORE, conversation_id, seq, limit)

    async def next(self, conversation_id: ConversationId, seq: Seq, limit: int) -> Page:
        """Return the messages after `seq`, oldest first; at most `limit`, and about PAGE_BYTES."""
        return await self._page(NEXT, conversation_id, seq, limit)

    async def _page(self, query: str, conversation_id: ConversationId, seq: Seq, limit: int) -> Page:
        values = {"conversation": conversation_id, "seq": seq, "limit": limit, "bytes": PAGE_BYTES}
        found = [Message(*row) for row in await self._database.rows(query, values)]
        kept = [message for message in found if message.content is not None]
        return Page(kept, more=len(kept) < len(found))

    async def after(self, conversation_id: ConversationId, seq: Seq) -> list[Entry]:
        """Return the next entries after `seq`, oldest first, about PAGE_BYTES; an empty list at the end of the log."""
        return await entries_after(self._database, conversation_id, seq, ENTRIES_MAX)

    async def skip(self, conversation_id: ConversationId, count: int) -> Seq | None:
        """Return the lowest seq of the newest `count` messages; None if the conversation has fewer."""
        seq: Seq | None = await self._scalar(SKIP, conversation_id, count - 1)
        return seq

    async def seq_at(self, conversation_id: ConversationId, before: datetime) -> Seq | None:
        """Return the lowest seq that was sent at `before` or later; None if there is none."""
        seq: Seq | None = await self._scalar(SEQ_AT, conversation_id, before)
        return seq

    async def sender(self, conversation_id: ConversationId, seq: Seq) -> UserId | None:
        """Return the author of a message; None if there is no such message."""
        sender: UserId | None = await self._scalar(SENDER, conversation_id, seq)
        return sender

    async def positions(self, conversation_ids: list[ConversationId]) -> dict[ConversationId, Seq]:
        """Return the highest seq of each conversation."""
        async with self._database.connection() as connection:
            return dict(await (await connection.execute(POSITIONS, [conversation_ids])).fetchall())

    async def edit(self, conversation_id: ConversationId, seq: Seq, content: str, now: datetime) -> bool:
        """Replace the content of a direct message. Return False if there is no such message."""
        return await self._change(EDIT, conversation_id, seq, content, now)

    async def delete(self, conversation_id: ConversationId, seq: Seq) -> bool:
        """Delete a direct message. Return False if there is no such message."""
        return await self._change(DELETE, conversation_id, seq)

    async def _change(self, query: str, conversation_id: ConversationId, seq: Seq, *values: object) -> bool:
        async with self._database.transaction() as connection:
            if (await connection.execute(query, [*values, conversation_id, seq])).rowcount == 0:
                return False
            await notify_direct_changed(connection, [conversation_id], seq)
            return True

    async def senders_to(self, user_id: UserId) -> list[Sender]:
        """Return the users who sent direct messages to the account, the latest sender first."""
        return await self._senders(SENDERS_TO, user_id)

    async def take_news(self, user_id: UserId) -> list[Sender]:
        """Return the senders of unread direct messages, the latest first, and mark the messages as read."""
        return await self._senders(TAKE_NEWS, user_id)

    async def _senders(self, query: str, user_id: UserId) -> list[Sender]:
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(Sender)) as cur:
            return await (await cur.execute(query, {"user": user_id})).fetchall()

    async def _scalar(self, query: str, *values: object) -> Any:
        async with self._database.connection() as connection, connection.cursor(row_factory=scalar_row) as cur:
            return await (await cur.execute(query, values)).fetchone()

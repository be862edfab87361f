"""Conversations and their log: drafts, entries and pages of history."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chat.model.ids import ConversationId, DeviceId, Seq, UserId

EntryKind = Literal["application", "commit", "left"]
MAX_CONTENT_CHARS = 700_000  # code points; docs/invites-api.md, POST /messages


class Conversation(Struct, frozen=True):
    """A conversation and the seq of its last entry."""

    id: ConversationId
    last_seq: Seq


class Draft(Struct, frozen=True):
    """A message to be stored in the log. A retry with the same `client_id` gets the first result."""

    conversation_id: ConversationId
    sender_id: UserId
    content: str
    client_id: str | None = None


class EncryptedDraft(Struct, frozen=True):
    """An MLS message to be stored in the log. `epoch` is the frame's, and must be the group's current one."""

    conversation_id: ConversationId
    sender_id: UserId
    device_id: DeviceId
    epoch: int
    data: bytes
    client_id: str


class EncryptedPart(Struct, frozen=True):
    """The additional fields of an entry in an encrypted conversation."""

    kind: EntryKind
    device_id: DeviceId
    epoch: int
    data: bytes | None  # None: deleted by its author, or an entry without data
    removed: tuple[DeviceId, ...] = ()  # devices that this entry removes from the group


class Entry(Struct, frozen=True):
    """An entry of a conversation's log.

    `seq` counts from 1 in each conversation. It is assigned without gaps; deletion leaves gaps. `id` is unique and
    ascends on the whole server.
    """

    conversation_id: ConversationId
    seq: Seq
    id: int
    sender_id: UserId
    content: str  # empty in an encrypted conversation
    sent_at: datetime
    encrypted: EncryptedPart | None = None
    client_id: str | None = None


class Message(Struct, frozen=True):
    """An entry of a direct conversation, as the message history shows it."""

    seq: Seq
    id: int
    sender_id: UserId
    sender: str
    content: str
    sent_at: datetime
    edited_at: datetime | None
    client_id: str | None


class Page(Struct, frozen=True):
    """Messages in reading order. `more`: others follow. A page ends at its limit of messages or of bytes."""

    messages: list[Message]
    more: bool


class Sender(Struct, frozen=True):
    """An account that has sent messages to the reader."""

    user_id: UserId
    username: str


def message_uuid(conversation_id: ConversationId, seq: Seq) -> UUID:
    """Return the id of a message in the codes API: a version 8 UUID (RFC 9562) of conversation and seq.

    It is computed, so the log needs neither a column nor an index for it. The SQL function `message_uuid` of the
    migrations must give the same result.
    """
    head = conversation_id.int >> 64 & ~0xF000 | 0x8000
    return UUID(int=head << 64 | 0b10 << 62 | seq)


def seq_of(conversation_id: ConversationId, uuid: UUID) -> Seq | None:
    """Return the seq that `uuid` encodes; None if it is of another conversation."""
    seq = Seq(uuid.int & (1 << 62) - 1)
    return seq if uuid == message_uuid(conversation_id, seq) else None

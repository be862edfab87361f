"""Conversations and their log: drafts, entries and pages of history."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chat.model.ids import ConversationId, DeviceId, Seq, UserId

EntryKind = Literal["application", "commit", "left"]
MAX_CONTENT_CHARS = 700_000  # code points; seed: invites API, POST /messages


class Conversation(Struct, frozen=True):
    id: ConversationId
    last_seq: Seq


class Draft(Struct, frozen=True):
    """What a sender wants in the log. A retry carries the same `client_id` and gets the first result."""

    conversation_id: ConversationId
    sender_id: UserId
    content: str
    client_id: str | None = None


class EncryptedDraft(Struct, frozen=True):
    """A message of MLS for the log. `epoch` is what its frame says, and has to be the group's."""

    conversation_id: ConversationId
    sender_id: UserId
    device_id: DeviceId
    epoch: int
    data: bytes
    client_id: str


class EncryptedPart(Struct, frozen=True):
    """What an entry of a sealed conversation has besides."""

    kind: EntryKind
    device_id: DeviceId
    epoch: int
    data: bytes | None  # None: deleted by its author, or nothing to say
    removed: tuple[DeviceId, ...] = ()  # with this entry they have left


class Entry(Struct, frozen=True):
    """What the log holds. `seq` counts from 1 and has no gap when it is given out; `id` orders the whole server."""

    conversation_id: ConversationId
    seq: Seq
    id: int
    sender_id: UserId
    content: str  # empty where it is sealed
    sent_at: datetime
    sealed: EncryptedPart | None = None
    client_id: str | None = None


class Message(Struct, frozen=True):
    """An entry as a reader of the history wants it."""

    seq: Seq
    id: int
    sender_id: UserId
    sender: str
    content: str
    sent_at: datetime
    edited_at: datetime | None
    client_id: str | None


class Page(Struct, frozen=True):
    """In the order of reading. `more`: others follow, also where a page was cut short by its size in bytes."""

    messages: list[Message]
    more: bool


class Sender(Struct, frozen=True):
    """An account that wrote to the reader."""

    user_id: UserId
    username: str


def message_uuid(conversation_id: ConversationId, seq: Seq) -> UUID:
    """The id of a message at the codes API: an RFC 9562 version 8 UUID made of conversation and seq.

    Derived, so that the log needs neither a column nor an index for it. The migration's `message_uuid` is its twin.
    """
    head = conversation_id.int >> 64 & ~0xF000 | 0x8000
    return UUID(int=head << 64 | 0b10 << 62 | seq)


def seq_of(conversation_id: ConversationId, uuid: UUID) -> Seq | None:
    """The seq that `uuid` names in this conversation, or None where it is of another one."""
    seq = Seq(uuid.int & (1 << 62) - 1)
    return seq if uuid == message_uuid(conversation_id, seq) else None

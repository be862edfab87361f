"""The nouns of the house. Ids that a client sees are opaque; times are aware and in UTC."""

from datetime import datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from msgspec import Struct

UserId = NewType("UserId", int)
SessionId = NewType("SessionId", UUID)
ConversationId = NewType("ConversationId", UUID)
Seq = NewType("Seq", int)

Role = Literal["user", "tester", "admin"]

MAX_ID = 2**63 - 1  # PostgreSQL's bigint; a larger id names nobody
MAX_CONTENT_CHARS = 700_000  # code points; seed: invites API, POST /messages


class Username(Struct, frozen=True):
    name: str
    key: str  # what makes it unique: case-folded, RFC 8265 section 3.3


class Account(Struct, frozen=True):
    id: UserId
    username: str
    email: str | None
    role: Role
    bio: str | None
    created_at: datetime
    updated_at: datetime


class Credentials(Struct, frozen=True):
    id: UserId
    password_hash: str


class NewAccount(Struct, frozen=True):
    username: Username
    password_hash: str
    email: str | None = None
    bio: str | None = None
    role: Role = "user"


class AccountChanges(Struct, frozen=True):
    """None means: leave as it is."""

    username: Username | None = None
    email: str | None = None
    bio: str | None = None
    password_hash: str | None = None

    @property
    def names(self) -> list[str]:
        """Names of what changes, in the order of the fields."""
        return [name.removesuffix("_hash") for name in self.__struct_fields__ if getattr(self, name) is not None]


class Session(Struct, frozen=True):
    id: SessionId
    account: Account


class Invite(Struct, frozen=True):
    code: str
    created_by: UserId | None
    created_at: datetime
    expires_at: datetime
    used_by: UserId | None = None


class Conversation(Struct, frozen=True):
    id: ConversationId
    last_seq: Seq


class Draft(Struct, frozen=True):
    """What a sender wants in the log. A retry carries the same `client_id` and gets the first result."""

    conversation_id: ConversationId
    sender_id: UserId
    content: str
    client_id: str | None = None


class Entry(Struct, frozen=True):
    """What the log holds. `seq` counts from 1 and has no gap when it is given out; `id` orders the whole server."""

    conversation_id: ConversationId
    seq: Seq
    id: int
    sender_id: UserId
    content: str
    sent_at: datetime


class Message(Struct, frozen=True):
    """An entry as a reader of the history wants it."""

    seq: Seq
    id: int
    sender_id: UserId
    sender: str
    content: str
    sent_at: datetime


class Page(Struct, frozen=True):
    """Newest first. `more`: older messages follow, also where a page was cut short by its size in bytes."""

    messages: list[Message]
    more: bool


class Sender(Struct, frozen=True):
    """Somebody who wrote to us; `news` counts what came since the last look."""

    user_id: UserId
    username: str
    news: int = 0


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


class InviteHistory(Struct, frozen=True):
    """What the rule for new invites looks at."""

    role: Role
    made: int
    last_made_at: datetime | None
    active: bool  # one is neither used nor expired
    partners: int  # how many accounts this one has chatted with


class HandedOut(Struct, frozen=True):
    """The key of a direct conversation, on its way to one of the two."""

    key: bytes
    reset: bool  # the conversation was there before; its messages are gone


class Window(Struct, frozen=True):
    """At most `hits` in `per`; the last of them blocks for `block`, or until the oldest has left the window."""

    name: str
    hits: int
    per: timedelta
    block: timedelta | None = None


class Bucket(Struct, frozen=True):
    """One in each `interval`, up to `burst` at once (GCRA, the generic cell rate algorithm)."""

    name: str
    interval: timedelta
    burst: int

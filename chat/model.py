"""The nouns of the house. Ids that a client sees are opaque; times are aware and in UTC."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from msgspec import Struct

UserId = NewType("UserId", int)
SessionId = NewType("SessionId", UUID)
ConversationId = NewType("ConversationId", UUID)
Seq = NewType("Seq", int)
DeviceId = NewType("DeviceId", int)

Role = Literal["user", "tester", "admin"]
MemberRole = Literal["owner", "admin", "member"]
MemberState = Literal["joined", "requested", "ignored", "blocked"]
EntryKind = Literal["application", "commit", "left"]

DOMAIN = "sottovoce"  # of MLS identities; an address may change, an identity may not
MAX_SEALED_BYTES = 256 * 1024  # of one message; attachments will travel elsewhere
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
    uuid: UUID  # what the sealed door calls it


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

    @property
    def is_seen(self) -> bool:
        """By others."""
        return self.username is not None or self.bio is not None


class Session(Struct, frozen=True):
    id: SessionId
    account: Account
    device_id: DeviceId | None = None  # that it speaks for, at the sealed door


class ChatCode(Struct, frozen=True):
    code: int
    expires_at: datetime


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


class SealedDraft(Struct, frozen=True):
    """A message of MLS for the log. `epoch` is what its frame says, and has to be the group's."""

    conversation_id: ConversationId
    sender_id: UserId
    device_id: DeviceId
    epoch: int
    data: bytes
    client_id: str


class Sealed(Struct, frozen=True):
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
    sealed: Sealed | None = None
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

    conversation_id: ConversationId
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


class Device(Struct, frozen=True):
    """A leaf in every group of its user. `id` is 63 bits, made by the device at random."""

    id: DeviceId
    user_id: UserId
    user_uuid: UUID
    name: str
    signature_key: bytes  # Ed25519
    created_at: datetime

    @property
    def identity(self) -> bytes:
        """Its basic credential, as @wireapp/core-crypto writes client ids."""
        return f"{self.user_uuid}:{self.id:x}@{DOMAIN}".encode()


class Stay(Struct, frozen=True):
    """A device's time in a group: it reads what comes after `since`, and nothing after `until`."""

    conversation_id: ConversationId
    since: Seq
    acked: Seq
    until: Seq | None
    welcome: bool  # it was invited by one, and has not acknowledged it


class ClaimedKeyPackage(Struct, frozen=True):
    device_id: DeviceId
    user_id: UserId


class LeafHolder(Struct, frozen=True):
    device_id: DeviceId
    user_id: UserId
    is_revoked: bool = False


class Group(Struct, frozen=True):
    """What the server knows of an MLS group."""

    epoch: int
    group_info: bytes
    leaves: dict[int, LeafHolder]
    roles: dict[UserId, MemberRole]


class GroupChange(Struct, frozen=True):
    """What a commit comes to."""

    removed: list[LeafHolder]
    added: dict[int, LeafHolder]  # by their leaves
    new_members: list[UserId]
    lost_members: list[UserId]


class Bundle(Struct, frozen=True):
    """A commit and what travels with it, each an MLSMessage."""

    commit: bytes
    welcome: bytes | None
    group_info: bytes
    read: int = MAX_ID  # the seq up to which who commits has read the log


Claims = Mapping[bytes, ClaimedKeyPackage]


class Wanted(Struct, frozen=True):
    """What a commit asks of the store: the epoch that it ends, its key packages, and what is to be done with them."""

    epoch: int
    references: list[bytes]
    plan: Callable[[Group, Claims], GroupChange]


class Told(Struct, tag="told", frozen=True, omit_defaults=True):
    """An event for these devices: `what` has happened, with a conversation or a user. Never stored."""

    devices: list[int]
    what: str
    conversation: UUID | None = None
    seq: int | None = None
    user: UUID | None = None


class StoredKeyPackage(Struct, frozen=True):
    reference: bytes
    data: bytes
    expires_at: datetime
    is_last_resort: bool


class HandedKeyPackage(Struct, frozen=True):
    device_id: DeviceId
    data: bytes
    is_last_resort: bool


class Person(Struct, frozen=True):
    """Somebody as others see them."""

    id: UserId
    uuid: UUID
    username: str
    bio: str | None = None
    picture_version: str | None = None  # None: no picture


class DirectConversation(Struct, frozen=True):
    """As one of its two sees it."""

    id: ConversationId
    last_seq: Seq
    last_message_at: datetime | None
    other: Person
    key_fingerprint: bytes | None  # SHA-256 of the key that was made last; None before the first
    key_waiting: bool  # for this one
    is_blocked: bool  # the other one, by this one, at the sealed door


class Member(Struct, frozen=True):
    uuid: UUID
    username: str
    role: MemberRole
    picture_version: str | None


class SealedConversation(Struct, frozen=True):
    """As one of its members sees it."""

    id: ConversationId
    epoch: int
    last_seq: Seq
    state: MemberState
    members: list[Member]


class SessionShown(Struct, frozen=True):
    id: SessionId
    created_at: datetime
    expires_at: datetime
    device_id: DeviceId | None

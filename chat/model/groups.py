"""Devices, key packages and MLS groups."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chat.model.ids import MAX_ID, ConversationId, DeviceId, Seq, UserId

MemberRole = Literal["owner", "admin", "member"]
MemberState = Literal["joined", "requested", "ignored", "blocked"]
DOMAIN = "sottovoce"  # of MLS identities; an address may change, an identity may not
MAX_ENCRYPTED_BYTES = 256 * 1024  # of one message; attachments will travel elsewhere


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


class DeviceMembership(Struct, frozen=True):
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


class CommitBundle(Struct, frozen=True):
    """A commit and what travels with it, each an MLSMessage."""

    commit: bytes
    welcome: bytes | None
    group_info: bytes
    read: int = MAX_ID  # the seq up to which who commits has read the log


Claims = Mapping[bytes, ClaimedKeyPackage]


class CommitRequest(Struct, frozen=True):
    """What a commit asks of the store: the epoch that it ends, its key packages, and what is to be done with them."""

    epoch: int
    references: list[bytes]
    plan: Callable[[Group, Claims], GroupChange]


class DeviceEvent(Struct, tag="told", frozen=True, omit_defaults=True):
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


class IssuedKeyPackage(Struct, frozen=True):
    device_id: DeviceId
    data: bytes
    is_last_resort: bool


class Member(Struct, frozen=True):
    uuid: UUID
    username: str
    role: MemberRole
    picture_version: str | None


class EncryptedConversation(Struct, frozen=True):
    """As one of its members sees it."""

    id: ConversationId
    epoch: int
    last_seq: Seq
    state: MemberState
    members: list[Member]

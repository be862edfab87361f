"""Devices, key packages and MLS groups."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import Struct

from chat.errors import ChatError
from chat.model.ids import MAX_ID, ConversationId, DeviceId, Seq, UserId
from chat.model.messages import Entry

MemberRole = Literal["owner", "admin", "member"]
MemberState = Literal["joined", "requested", "ignored", "blocked"]
DOMAIN = "sottovoce"  # of MLS identities; an address may change, an identity may not
MAX_ENCRYPTED_BYTES = 256 * 1024  # of one message; attachments will travel elsewhere


class Device(Struct, frozen=True):
    """A client with its own keys, and a leaf in every group of its user. `id`: 63 random bits, made by the device."""

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
    """The span of the log that a device may read: entries after `since`, up to `until`."""

    conversation_id: ConversationId
    since: Seq
    acked: Seq
    until: Seq | None
    welcome: bool  # it was added by a welcome that it has not acknowledged


class ClaimedKeyPackage(Struct, frozen=True):
    """A key package that the committer has claimed, and the relation of its owner to the committer."""

    device_id: DeviceId
    user_id: UserId
    is_contact: bool = False  # the owner has the committer as a contact
    is_blocking: bool = False  # the owner blocks the committer
    is_listed: bool = True  # the owner's account key has listed the device, or there is none


class LeafHolder(Struct, frozen=True):
    device_id: DeviceId
    user_id: UserId
    is_disowned: bool = False  # its account has revoked the device, or has an account key that does not list it
    is_muted: bool = False  # a member is removing it
    is_unused: bool = False  # no session of the device began or was renewed for 90 days


class Removals(Struct, frozen=True):
    """Devices that any member may remove from a group."""

    due: list[DeviceId]  # before the next message
    unused: list[DeviceId]  # at any time


class Group(Struct, frozen=True):
    """The state of an MLS group that the server knows."""

    epoch: int
    group_info: bytes
    leaves: dict[int, LeafHolder]
    roles: dict[UserId, MemberRole]  # of each member, the longest-standing first


def next_owner(roles: Mapping[UserId, MemberRole]) -> UserId | None:
    """The member who becomes owner of a group that has none: an admin, otherwise the longest-standing member.

    None if the group has an owner or no members. `roles` are ordered as in `Group`. This rule is here because the store
    needs it too, when it deletes an account.
    """
    if not roles or "owner" in roles.values():
        return None
    return min(roles, key=lambda user_id: roles[user_id] != "admin")


class CommitBundle(Struct, frozen=True):
    """A commit with its welcome and its group info, each an MLSMessage."""

    commit: bytes
    welcome: bytes | None
    group_info: bytes
    read: int = MAX_ID  # the seq up to which the committer has read the log


Claims = Mapping[bytes, ClaimedKeyPackage]


class CommitFacts(Struct, frozen=True):
    """The facts that the rules of a commit need. The store reads them while the conversation is locked."""

    group: Group | None  # None: there is no group of this id
    claims: Claims  # those of the commit's key packages that the committer has claimed
    is_id_taken: bool = True  # there is a conversation of this id, a group or not
    is_revoked: bool = False  # the committing device
    is_listed: bool = True  # its account key has listed it, or there is none
    unread: frozenset[DeviceId] = frozenset()  # devices at removed leaves that have sent messages after `read`
    earlier: Entry | None = None  # the log's entry of the same commit by the same device


class GroupChange(Struct, frozen=True):
    """The effects of a commit. The store applies all of them, with the commit's entry in the log."""

    removed: list[LeafHolder]
    added: dict[int, LeafHolder]  # by their leaves
    new_members: dict[UserId, MemberState]
    lost_members: list[UserId]
    contacts: list[UserId]  # become contacts of the committer
    removal_due: bool  # whether a leaf remains that has to be removed before the next message


class Muting(Struct, frozen=True):
    """Devices whose messages and commits the server refuses for `duration`."""

    devices: list[DeviceId]
    duration: timedelta


class Accepted(Struct, frozen=True):
    change: GroupChange
    founded: Group | None = None  # the group to create first


class Repeated(Struct, frozen=True):
    """The commit is stored already. Its sender gets the first result."""

    entry: Entry


class Refused(Struct, frozen=True):
    """`muting` is stored although the commit is refused."""

    error: ChatError
    muting: Muting | None = None


Outcome = Accepted | Repeated | Refused


class CommitRequest(Struct, frozen=True):
    """The values by which the store loads the facts, and the rules that it then calls."""

    bundle: CommitBundle
    epoch: int  # that the commit ends
    references: list[bytes]  # of the key packages that it adds
    removed: list[int]  # leaves
    plan: Callable[[CommitFacts], Outcome]  # pure; never raises ChatError


class Departure(Struct, frozen=True):
    """The effects on the group when a member leaves."""

    new_owner: UserId | None
    removal_due: bool


class DeviceEvent(Struct, tag="told", frozen=True, omit_defaults=True):
    """A notification to `devices`; `what` is the name of the event. Never stored."""

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
    """An encrypted conversation as one of its members sees it."""

    id: ConversationId
    epoch: int
    commit_hash: bytes | None  # SHA-256 of the commit that began the epoch; None if an earlier version stored it
    last_seq: Seq
    state: MemberState
    members: list[Member]

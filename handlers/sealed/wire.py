"""Bodies, answers and frames of the sealed API. Bytes travel as base64, ids of devices as 16 hex digits."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chat.errors import Invalid
from chat.model import (
    MAX_ID,
    Bundle,
    Device,
    DeviceId,
    Entry,
    HandedKeyPackage,
    Person,
    SealedConversation,
    SessionShown,
)

Id = Annotated[str, Meta(pattern="^[!-~]{1,64}$")]
Number = Annotated[int, Meta(ge=0, le=MAX_ID)]


def device_id(text: str) -> DeviceId:
    """Raises Invalid."""
    if len(text) != 16 or any(char not in "0123456789abcdef" for char in text) or not 0 < int(text, 16) <= MAX_ID:
        raise Invalid("A device's id has 16 hex digits in lower case, the first one of them below 8, and is not nought")
    return DeviceId(int(text, 16))


def hex_of(device: DeviceId) -> str:
    return f"{device:016x}"


# Accounts


class Register(Struct, frozen=True):
    username: str
    password: str
    invite_code: str | None = None
    email: str | None = None


class LogIn(Struct, frozen=True):
    username: str
    password: str


class LoggedIn(Struct, frozen=True):
    token: str
    user: "UserShown"


class Renewed(Struct, frozen=True):
    token: str
    expires_at: datetime


class UserShown(Struct, frozen=True, omit_defaults=True):
    id: UUID
    username: str
    bio: str | None = None

    @classmethod
    def of(cls, person: Person) -> "UserShown":
        return cls(person.uuid, person.username, person.bio)


class Me(Struct, frozen=True):
    id: UUID
    username: str
    email: str | None
    bio: str | None
    role: str
    invited_by: UserShown | None


class Profile(Struct, frozen=True):
    bio: str


class Password(Struct, frozen=True):
    password: str


class NewPassword(Struct, frozen=True):
    password: str
    new_password: str


class Picture(Struct, frozen=True):
    image: bytes


class Code(Struct, frozen=True):
    code: Annotated[int, Meta(ge=0, le=MAX_ID)]


class Session(Struct, frozen=True):
    id: UUID
    created_at: datetime
    expires_at: datetime
    device: str | None
    current: bool

    @classmethod
    def of(cls, one: SessionShown, current: UUID) -> "Session":
        device = hex_of(one.device_id) if one.device_id is not None else None
        return cls(one.id, one.created_at, one.expires_at, device, one.id == current)


# Devices


class NewDevice(Struct, frozen=True):
    id: str
    name: str
    signature_key: bytes


class DeviceShown(Struct, frozen=True):
    id: str
    user: UUID
    name: str
    signature_key: bytes
    identity: str
    created_at: datetime

    @classmethod
    def of(cls, device: Device) -> "DeviceShown":
        return cls(
            hex_of(device.id),
            device.user_uuid,
            device.name,
            device.signature_key,
            device.identity.decode(),
            device.created_at,
        )


class NewKeyPackages(Struct, frozen=True):
    key_packages: list[bytes] = []
    last_resort: bytes | None = None


class Count(Struct, frozen=True):
    count: int


class Claim(Struct, frozen=True):
    devices: list[str] | None = None  # default: all


class KeyPackage(Struct, frozen=True):
    device: str
    key_package: bytes
    last_resort: bool

    @classmethod
    def of(cls, handed: HandedKeyPackage) -> "KeyPackage":
        return cls(hex_of(handed.device_id), handed.data, handed.is_last_resort)


# Conversations


class NewConversation(Struct, frozen=True):
    id: UUID
    commit: bytes
    group_info: bytes
    welcome: bytes | None = None

    @property
    def bundle(self) -> Bundle:
        return Bundle(self.commit, self.welcome, self.group_info)


class NewCommit(Struct, frozen=True):
    commit: bytes
    group_info: bytes
    read: Number
    welcome: bytes | None = None

    @property
    def bundle(self) -> Bundle:
        return Bundle(self.commit, self.welcome, self.group_info, self.read)


class Accepted(Struct, frozen=True):
    seq: int
    epoch: int  # that began
    at: datetime

    @classmethod
    def of(cls, entry: Entry) -> "Accepted":
        assert entry.sealed is not None
        return cls(entry.seq, entry.sealed.epoch + 1, entry.sent_at)


class NewMessage(Struct, frozen=True):
    id: Id
    epoch: Number
    data: bytes


class GroupInfo(Struct, frozen=True):
    epoch: int
    group_info: bytes


class Removals(Struct, frozen=True):
    devices: list[str]


class MemberShown(Struct, frozen=True):
    id: UUID
    username: str
    role: str


class ConversationShown(Struct, frozen=True):
    id: UUID
    epoch: int
    last_seq: int
    state: str
    members: list[MemberShown]

    @classmethod
    def of(cls, one: SealedConversation) -> "ConversationShown":
        members = [MemberShown(member.uuid, member.username, member.role) for member in one.members]
        return cls(one.id, one.epoch, one.last_seq, one.state, members)


class NewState(Struct, frozen=True):
    state: Literal["joined", "ignored"]


class NewRole(Struct, frozen=True):
    role: Literal["owner", "admin", "member"]


class Seen(Struct, frozen=True):
    seq: Number


class WelcomeShown(Struct, frozen=True, tag="welcome"):
    conversation: UUID
    seq: int  # acknowledge it when the welcome is processed; entries follow it
    data: bytes | None


# Frames of the socket, what comes


class Send(Struct, frozen=True, tag="send"):
    id: Id
    conversation: UUID
    epoch: Number
    data: bytes


class Ack(Struct, frozen=True, tag="ack"):
    conversation: UUID
    seq: Number


class Typing(Struct, frozen=True, tag="typing"):
    conversation: UUID


class Ping(Struct, frozen=True, tag="ping"):
    pass


decode_frame = msgspec.json.Decoder(Send | Ack | Typing | Ping).decode

# What goes


class EntryShown(Struct, frozen=True, tag="entry", omit_defaults=True):
    conversation: UUID
    seq: int
    epoch: int
    kind: str
    sender: str  # the device
    at: datetime
    data: bytes | UnsetType = UNSET  # absent: deleted by its author, or one's own
    id: str | UnsetType = UNSET  # of one's own messages

    @classmethod
    def of(cls, entry: Entry, reader: DeviceId) -> "EntryShown":
        """One's own come without what one cannot read anyway: RFC 9420's ratchets are for the others."""
        sealed = entry.sealed
        assert sealed is not None
        own = sealed.device_id == reader
        return cls(
            entry.conversation_id,
            entry.seq,
            sealed.epoch,
            sealed.kind,
            hex_of(sealed.device_id),
            entry.sent_at,
            sealed.data if sealed.data is not None and not own else UNSET,
            sealed.client_id if own and sealed.client_id is not None else UNSET,
        )


class SentFrame(Struct, frozen=True, tag="sent"):
    id: str
    seq: int
    at: datetime


class Refused(Struct, frozen=True, tag="refused"):
    id: str
    code: str
    error: str


class Happened(Struct, frozen=True, omit_defaults=True):
    """devices_changed, key_packages_low, deleted, typing"""

    type: str
    conversation: UUID | None = None
    seq: int | None = None
    user: UUID | None = None


class Ready(Struct, frozen=True, tag="ready"):
    """What was missed has been told; from here on it is live."""


class Pong(Struct, frozen=True, tag="pong"):
    pass


class Problem(Struct, frozen=True, tag="problem"):
    """A frame that could not be read."""

    code: str
    error: str

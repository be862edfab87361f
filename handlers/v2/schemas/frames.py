"""Frames of the socket: what comes, and what goes."""

from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from chat.model.ids import DeviceId
from chat.model.messages import Entry

# What comes
from handlers.http.answers import Time
from handlers.v2.schemas.ids import Id, Number, hex_of


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
    at: Time
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
            entry.client_id if own and entry.client_id is not None else UNSET,
        )


class SentFrame(Struct, frozen=True, tag="sent"):
    id: str
    seq: int
    at: Time


class Refused(Struct, frozen=True, tag="refused"):
    id: str
    code: str
    error: str


class Happened(Struct, frozen=True, omit_defaults=True):
    """devices_changed, members_changed, profile_changed, direct_changed, key_packages_low, deleted, typing"""

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

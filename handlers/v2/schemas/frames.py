"""Frames of the socket: received and sent."""

from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from chat.model.ids import DeviceId
from chat.model.messages import Entry
from handlers.http.answers import Time
from handlers.v2.schemas.ids import Id, Number, hex_of

# Received


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

# Sent


class EntryShown(Struct, frozen=True, tag="entry", omit_defaults=True):
    conversation: UUID
    seq: int
    epoch: int
    kind: str
    sender: str  # the device
    at: Time
    data: bytes | UnsetType = UNSET  # absent: deleted by its author, or sent by this device
    id: str | UnsetType = UNSET  # only of messages that this device has sent

    @classmethod
    def of(cls, entry: Entry, reader: DeviceId) -> "EntryShown":
        """Show `entry` to the device `reader`.

        A device's own entries come without data: it has deleted their keys after encryption, RFC 9420 section 9.2.
        """
        encrypted = entry.encrypted
        assert encrypted is not None
        own = encrypted.device_id == reader
        return cls(
            entry.conversation_id,
            entry.seq,
            encrypted.epoch,
            encrypted.kind,
            hex_of(encrypted.device_id),
            entry.sent_at,
            encrypted.data if encrypted.data is not None and not own else UNSET,
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


class EventFrame(Struct, frozen=True, omit_defaults=True):
    """An event; docs/PROTOCOL.md lists the types, such as `devices_changed` and `links_changed`."""

    type: str
    conversation: UUID | None = None
    seq: int | None = None
    user: UUID | None = None


class Ready(Struct, frozen=True, tag="ready"):
    """The backlog has been sent; later frames are live."""


class Pong(Struct, frozen=True, tag="pong"):
    pass


class Problem(Struct, frozen=True, tag="problem"):
    """The server could not decode a frame."""

    code: str
    error: str

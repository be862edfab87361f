"""Bodies, answers and the frame of direct conversations. Clients define the format of `text`."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from chat.model.direct import DirectConversation
from chat.model.messages import Entry, Message
from handlers.http.answers import Time
from handlers.v2.schemas.accounts import UserShown

MessageId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]


class DirectShown(Struct, frozen=True):
    id: UUID
    user: UserShown
    last_seq: int
    last_message_at: Time | None
    key_fingerprint: bytes | None
    key_waiting: bool
    blocked: bool

    @classmethod
    def of(cls, one: DirectConversation) -> "DirectShown":
        """Show a direct conversation as one of its two participants sees it."""
        user = UserShown.of(one.other)
        return cls(
            one.id, user, one.last_seq, one.last_message_at, one.key_fingerprint, one.key_waiting, one.is_blocked
        )


class Opened(Struct, frozen=True):
    conversation: UUID


class KeyStarted(Struct, frozen=True):
    conversation: UUID
    key: bytes
    reset: bool


class KeyClaimed(Struct, frozen=True):
    key: bytes | None


class NewText(Struct, frozen=True):
    id: MessageId
    text: Annotated[str, Meta(min_length=1)]


class Stored(Struct, frozen=True):
    seq: int
    at: Time


class Edit(Struct, frozen=True):
    text: str


class Edited(Struct, frozen=True):
    edited_at: Time


class TextShown(Struct, frozen=True, omit_defaults=True):
    seq: int
    sender: UUID
    text: str
    at: Time
    id: str | UnsetType = UNSET  # only of the account's own messages
    edited_at: Time | UnsetType = UNSET

    @classmethod
    def of(cls, message: Message, sender: UUID, own: bool) -> "TextShown":
        """Show a stored message; `own`: the account that reads it has sent it."""
        id_ = message.client_id if own and message.client_id is not None else UNSET
        edited_at = message.edited_at if message.edited_at is not None else UNSET
        return cls(message.seq, sender, message.content, message.sent_at, id_, edited_at)


class TextFrame(Struct, frozen=True, tag="direct", omit_defaults=True):
    conversation: UUID
    seq: int
    sender: UUID
    text: str
    at: Time
    id: str | UnsetType = UNSET  # only of the account's own messages

    @classmethod
    def of(cls, entry: Entry, sender: UUID, own: bool) -> "TextFrame":
        """Show a live message; `own`: the account that receives it has sent it."""
        id_ = entry.client_id if own and entry.client_id is not None else UNSET
        return cls(entry.conversation_id, entry.seq, sender, entry.content, entry.sent_at, id_)

"""Direct conversations, whose AES-256 keys the server hands out."""

from datetime import datetime

from msgspec import Struct

from chat.model.accounts import Person
from chat.model.ids import ConversationId, Seq


class IssuedKey(Struct, frozen=True):
    """The key of a direct conversation, on its way to one of the two."""

    conversation_id: ConversationId
    key: bytes
    reset: bool  # the conversation was there before; its messages are gone


class DirectConversation(Struct, frozen=True):
    """As one of its two sees it."""

    id: ConversationId
    last_seq: Seq
    last_message_at: datetime | None
    other: Person
    key_fingerprint: bytes | None  # SHA-256 of the key that was made last; None before the first
    key_waiting: bool  # for this one
    is_blocked: bool  # the other one, by this one, at the sealed door

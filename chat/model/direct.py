"""Direct conversations, whose AES-256 keys the server creates and issues."""

from datetime import datetime

from msgspec import Struct

from chat.model.accounts import Person
from chat.model.ids import ConversationId, Seq


class IssuedKey(Struct, frozen=True):
    """The key of a direct conversation, issued to one participant."""

    conversation_id: ConversationId
    key: bytes
    reset: bool  # the conversation existed before; its messages are deleted


class DirectConversation(Struct, frozen=True):
    """A direct conversation from the view of one participant."""

    id: ConversationId
    last_seq: Seq
    last_message_at: datetime | None
    other: Person
    key_fingerprint: bytes | None  # SHA-256 of the latest key; None before the first
    key_waiting: bool  # a key is pending for this participant
    is_blocked: bool  # this participant blocks the other one (v2 API)

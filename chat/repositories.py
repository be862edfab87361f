"""Operations that no rule of the domain restricts. An endpoint calls the repository directly, through these Protocols.

An operation belongs here if the endpoint's checks (session, device, limits, form) are all there is to check. One that
needs a rule, the clock or an error of its own is a method of a service.

Every method raises Unavailable if the database is unavailable, and Busy if too many callers wait for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from chat.model.accounts import Account, Person
from chat.model.direct import DirectConversation
from chat.model.groups import Device, DeviceMembership, EncryptedConversation, Removals
from chat.model.ids import ConversationId, Seq, UserId
from chat.model.messages import Conversation, Entry, Sender


class AccountRepository(Protocol):
    """Accounts."""

    async def host(self, user_id: UserId) -> Person | None:
        """The account that created the invite with which `user_id` registered; None without an invite."""
        ...


class ContactRepository(Protocol):
    """Contacts and blocks."""

    async def blocked(self, user_id: UserId) -> list[Person]:
        """The accounts that `user_id` blocks, by username."""
        ...


class ConversationRepository(Protocol):
    """Direct conversations."""

    async def between(self, one: UserId, other: UserId) -> Conversation | None:
        """The direct conversation of two accounts, or None."""
        ...

    async def direct(self, user_id: UserId) -> list[DirectConversation]:
        """The direct conversations of an account, the latest message first."""
        ...


class GroupRepository(Protocol):
    """Encrypted conversations, as one device of a member uses them."""

    async def list_of(self, user_id: UserId) -> list[EncryptedConversation]:
        """The encrypted conversations of an account, the latest message first."""
        ...

    async def typing(self, device: Device, conversation_id: ConversationId) -> None:
        """Notify the connected devices of the other members and of the account itself. Stores nothing."""
        ...

    async def group_info(self, account: Account, conversation_id: ConversationId) -> tuple[int, bytes]:
        """The epoch, and the group info by which a member's new device joins. Raises NoSuchConversation."""
        ...

    async def removals(self, account: Account, conversation_id: ConversationId) -> Removals:
        """The devices that any member may remove; none if the account is no member."""
        ...

    async def memberships(self, device: Device) -> list[DeviceMembership]:
        """The spans of the logs that the device reads, by conversation, the earlier first."""
        ...

    async def welcome(self, membership: DeviceMembership) -> bytes | None:
        """The welcome by which the membership began; None if it began without one, or was deleted."""
        ...

    async def log(self, device: Device, conversation_id: ConversationId, after: Seq, limit: int) -> list[Entry]:
        """The next entries that the device may read, oldest first, bounded in number and bytes; empty at the end."""
        ...

    async def acknowledge(self, device: Device, seqs: Mapping[ConversationId, Seq]) -> None:
        """Record that the device has stored the entries up to these and will not ask for them again."""
        ...

    async def delete(self, account: Account, conversation_id: ConversationId, client_id: str) -> None:
        """Delete a message for everyone. Raises NoSuchMessage, also if another account sent it."""
        ...


class MessageRepository(Protocol):
    """Direct messages."""

    async def senders_to(self, user_id: UserId) -> list[Sender]:
        """All accounts that have sent a direct message to `user_id`, the latest first."""
        ...

    async def take_news(self, user_id: UserId) -> list[Sender]:
        """The accounts that have sent a direct message since the last call, the latest first; marks these as seen."""
        ...


@dataclass(frozen=True)
class Repositories:
    """The repositories that endpoints call."""

    accounts: AccountRepository
    contacts: ContactRepository
    conversations: ConversationRepository
    groups: GroupRepository
    messages: MessageRepository

"""Queries that no rule of the domain restricts. An endpoint calls the repository directly, through these Protocols.

A query belongs here if its answer goes to the client as the repository gives it. A query that needs a check, the clock
or an error of its own is a method of a service.
"""

from dataclasses import dataclass
from typing import Protocol

from chat.model.accounts import Person
from chat.model.direct import DirectConversation
from chat.model.groups import EncryptedConversation
from chat.model.ids import UserId
from chat.model.messages import Conversation, Sender


class AccountQueries(Protocol):
    """Queries about accounts."""

    async def host(self, user_id: UserId) -> Person | None:
        """The account that created the invite with which `user_id` registered; None without an invite."""
        ...


class ContactQueries(Protocol):
    """Queries about contacts, encrypted conversations and blocks."""

    async def conversations(self, user_id: UserId) -> list[EncryptedConversation]:
        """The encrypted conversations of an account, the latest message first."""
        ...

    async def blocked(self, user_id: UserId) -> list[Person]:
        """The accounts that `user_id` blocks, by username."""
        ...


class ConversationQueries(Protocol):
    """Queries about direct conversations."""

    async def between(self, one: UserId, other: UserId) -> Conversation | None:
        """The direct conversation of two accounts, or None."""
        ...

    async def direct(self, user_id: UserId) -> list[DirectConversation]:
        """The direct conversations of an account, the latest message first."""
        ...


class MessageQueries(Protocol):
    """Queries about direct messages."""

    async def senders_to(self, user_id: UserId) -> list[Sender]:
        """All accounts that have sent a direct message to `user_id`, the latest first."""
        ...

    async def take_news(self, user_id: UserId) -> list[Sender]:
        """The accounts that have sent a direct message since the last call, the latest first; marks these as seen."""
        ...


@dataclass(frozen=True)
class Queries:
    """All queries, by repository."""

    accounts: AccountQueries
    contacts: ContactQueries
    conversations: ConversationQueries
    messages: MessageQueries

"""Direct conversations: find one of which the account is a participant, open one with another account."""

from typing import Protocol

from chat.errors import NoSuchConversation, NoSuchUser, SelfChat
from chat.model.accounts import Account
from chat.model.ids import ConversationId, UserId
from chat.model.messages import Conversation


class ConversationStore(Protocol):
    """The repository of conversations."""

    async def of_member(self, conversation_id: ConversationId, member: UserId) -> Conversation | None:
        """Return the direct conversation if `member` is one of its two participants, or else None."""
        ...

    async def open(self, one: UserId, other: UserId) -> ConversationId | None:
        """Return the direct conversation of two accounts, creating it if needed; None if `other` does not exist."""
        ...


class Conversations:
    """Direct conversations of an account."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    async def get(self, account: Account, conversation_id: ConversationId) -> Conversation:
        """Return a conversation of the account. Raises NoSuchConversation if it does not exist or is of others."""
        conversation = await self._store.of_member(conversation_id, account.id)
        if conversation is None:
            raise NoSuchConversation("No such conversation")
        return conversation

    async def open(self, account: Account, other: UserId) -> ConversationId:
        """Return the direct conversation with `other`, creating it if needed. Raises SelfChat, NoSuchUser."""
        if other == account.id:
            raise SelfChat("You cannot chat with yourself")
        conversation_id = await self._store.open(account.id, other)
        if conversation_id is None:
            raise NoSuchUser("User not found")
        return conversation_id

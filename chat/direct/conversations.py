"""Conversations: who may see them, and how two accounts come to have one."""

from typing import Protocol

from chat.errors import NoSuchConversation, NoSuchUser, SelfChat
from chat.model.accounts import Account
from chat.model.direct import DirectConversation
from chat.model.ids import ConversationId, UserId
from chat.model.messages import Conversation


class ConversationStore(Protocol):
    async def of_member(self, conversation_id: ConversationId, member: UserId) -> Conversation | None: ...
    async def between(self, one: UserId, other: UserId) -> Conversation | None: ...
    async def direct(self, user_id: UserId) -> list[DirectConversation]: ...
    async def open(self, one: UserId, other: UserId) -> ConversationId | None:
        """The direct conversation of the two, made if there is none; None if `other` does not exist."""
        ...


class Conversations:
    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    async def get(self, account: Account, conversation_id: ConversationId) -> Conversation:
        """Raise NoSuchConversation, also when it exists but is not theirs."""
        conversation = await self._store.of_member(conversation_id, account.id)
        if conversation is None:
            raise NoSuchConversation("No such conversation")
        return conversation

    async def between(self, account: Account, other: UserId) -> Conversation | None:
        return await self._store.between(account.id, other)

    async def direct(self, account: Account) -> list[DirectConversation]:
        """All of theirs, the newest first."""
        return await self._store.direct(account.id)

    async def open(self, account: Account, other: UserId) -> ConversationId:
        """The direct conversation with `other`, made if there is none. Raises SelfChat, NoSuchUser."""
        if other == account.id:
            raise SelfChat("You cannot chat with yourself")
        conversation_id = await self._store.open(account.id, other)
        if conversation_id is None:
            raise NoSuchUser("User not found")
        return conversation_id

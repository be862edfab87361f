"""Who may reach whom at the sealed door: finding somebody, requests of strangers, blocks."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chat.accounts import validation
from chat.errors import NoSuchCode, NoSuchConversation, NoSuchUser, SelfChat
from chat.model.accounts import Account, Person
from chat.model.groups import EncryptedConversation, MemberState
from chat.model.ids import ConversationId, UserId


class ContactStore(Protocol):
    async def by_name(self, username_key: str) -> Person | None: ...
    async def by_uuid(self, uuid: UUID) -> Person | None: ...
    async def meet(self, code: int, by: UserId, now: datetime) -> Person | None:
        """Use the chat code up; from now on the two know each other. Raises SelfChat; then the code stays."""
        ...

    async def conversations(self, user_id: UserId) -> list[EncryptedConversation]: ...
    async def answer(self, user_id: UserId, conversation_id: ConversationId, state: MemberState) -> bool: ...
    async def block(self, user_id: UserId, other: UserId) -> None: ...
    async def unblock(self, user_id: UserId, other: UserId) -> None: ...
    async def blocked(self, user_id: UserId) -> list[Person]: ...


class Contacts:
    def __init__(self, store: ContactStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def find(self, name: str) -> Person:
        """By the exact name, whatever its case. Raises NoSuchUser."""
        return _there(await self._store.by_name(validation.username_key(name)))

    async def get(self, uuid: UUID) -> Person:
        """Raises NoSuchUser."""
        return _there(await self._store.by_uuid(uuid))

    async def meet(self, account: Account, code: int) -> Person:
        """Whose chat code this is. Raises NoSuchCode, SelfChat."""
        person = await self._store.meet(code, account.id, self._now())
        if person is None:
            raise NoSuchCode("Chat code not found")
        return person

    async def conversations(self, account: Account) -> list[EncryptedConversation]:
        return await self._store.conversations(account.id)

    async def answer(self, account: Account, conversation_id: ConversationId, state: MemberState) -> None:
        """Take a stranger's request, or ignore it. Raises NoSuchConversation."""
        if not await self._store.answer(account.id, conversation_id, state):
            raise NoSuchConversation("No such conversation")

    async def block(self, account: Account, uuid: UUID) -> None:
        """They reach this account no more, and are not told. Raises NoSuchUser, SelfChat."""
        other = await self.get(uuid)
        if other.id == account.id:
            raise SelfChat("You cannot block yourself")
        await self._store.block(account.id, other.id)

    async def unblock(self, account: Account, uuid: UUID) -> None:
        """Raises NoSuchUser."""
        await self._store.unblock(account.id, (await self.get(uuid)).id)

    async def blocked(self, account: Account) -> list[Person]:
        return await self._store.blocked(account.id)


def _there(person: Person | None) -> Person:
    if person is None:
        raise NoSuchUser("User not found")
    return person

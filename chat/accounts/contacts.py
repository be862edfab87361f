"""Contacts of the v2 API: find a user, become contacts, answer message requests, block."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chat.accounts import validation
from chat.errors import NoSuchCode, NoSuchConversation, NoSuchUser, SelfChat
from chat.model.accounts import Account, Person
from chat.model.groups import MemberState
from chat.model.ids import ConversationId, UserId


class ContactStore(Protocol):
    """The repository of contacts and blocks."""

    async def by_name(self, username_key: str) -> Person | None:
        """Return the user with this username key, or None."""
        ...

    async def by_uuid(self, uuid: UUID) -> Person | None:
        """Return the user with this id, or None."""
        ...

    async def meet(self, code: int, by: UserId, now: datetime) -> Person | None:
        """Use up the chat code and make both accounts contacts; return the owner, or None if there is no such code.

        Raises SelfChat; the code then remains usable.
        """
        ...

    async def answer(self, user_id: UserId, conversation_id: ConversationId, state: MemberState) -> bool:
        """Return False if the account is no member of such an encrypted conversation."""
        ...

    async def block(self, user_id: UserId, other: UserId) -> None:
        """Block `other`, remove the contact, and hide the conversations of only these two."""
        ...

    async def unblock(self, user_id: UserId, other: UserId) -> None:
        """Undo a block; the hidden conversations become message requests."""
        ...


class Contacts:
    """Find users, become contacts, answer message requests, block."""

    def __init__(self, store: ContactStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def find(self, name: str) -> Person:
        """Return the user with this username; case is ignored. Raises NoSuchUser."""
        return _existing(await self._store.by_name(validation.username_key(name)))

    async def get(self, uuid: UUID) -> Person:
        """Return the user with this id. Raises NoSuchUser."""
        return _existing(await self._store.by_uuid(uuid))

    async def add_by_code(self, account: Account, code: int) -> Person:
        """Use up a chat code and become contacts with its owner, who is returned. Raises NoSuchCode, SelfChat."""
        person = await self._store.meet(code, account.id, self._now())
        if person is None:
            raise NoSuchCode("Chat code not found")
        return person

    async def answer(self, account: Account, conversation_id: ConversationId, state: MemberState) -> None:
        """Accept (`joined`) or ignore (`ignored`) a message request. Raises NoSuchConversation."""
        if not await self._store.answer(account.id, conversation_id, state):
            raise NoSuchConversation("No such conversation")

    async def block(self, account: Account, uuid: UUID) -> None:
        """Stop messages of this user from reaching the account, without notifying them. Raises NoSuchUser, SelfChat."""
        other = await self.get(uuid)
        if other.id == account.id:
            raise SelfChat("You cannot block yourself")
        await self._store.block(account.id, other.id)

    async def unblock(self, account: Account, uuid: UUID) -> None:
        """Undo `block`. Raises NoSuchUser."""
        await self._store.unblock(account.id, (await self.get(uuid)).id)


def _existing(person: Person | None) -> Person:
    if person is None:
        raise NoSuchUser("User not found")
    return person

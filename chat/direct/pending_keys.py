"""Pending keys of direct conversations (DESIGN section 5): made here, handed to each of the two once, then erased."""

from typing import Protocol

from chat.errors import NoSuchUser, SelfChat
from chat.model.accounts import Account
from chat.model.direct import IssuedKey
from chat.model.ids import UserId


class PendingKeyStore(Protocol):
    async def start(self, caller: UserId, other: UserId) -> IssuedKey | None:
        """The key that is pending for the caller, or a new one for both; None if `other` does not exist."""
        ...

    async def take(self, caller: UserId, other: UserId) -> bytes | None:
        """The key that is pending for the caller, who has it from now on; None if there is none."""
        ...

    async def exists(self, user_id: UserId) -> bool: ...


class PendingKeys:
    def __init__(self, store: PendingKeyStore) -> None:
        self._store = store

    async def start(self, account: Account, other: UserId) -> IssuedKey:
        """Raises SelfChat, NoSuchUser."""
        if other == account.id:
            raise SelfChat("You cannot chat with yourself")
        handed_out = await self._store.start(account.id, other)
        if handed_out is None:
            raise NoSuchUser("User not found")
        return handed_out

    async def check(self, account: Account, other: UserId) -> bytes | None:
        """Raises SelfChat, NoSuchUser."""
        if other == account.id:
            raise SelfChat("You cannot chat with yourself")
        key = await self._store.take(account.id, other)
        if key is None and not await self._store.exists(other):
            raise NoSuchUser("User not found")
        return key

"""Pending keys of direct conversations.

The server creates the AES-256 key of a conversation and stores a wrapped copy for each participant. A participant
fetches its copy once; fetching deletes it. An account that starts a conversation without a pending copy gets a new key,
and all messages under the old key are deleted.
"""

from typing import Protocol

from chat.errors import NoSuchUser, SelfChat
from chat.model.accounts import Account
from chat.model.direct import IssuedKey
from chat.model.ids import UserId


class PendingKeyStore(Protocol):
    """The repository of wrapped pending keys."""

    async def start(self, caller: UserId, other: UserId) -> IssuedKey | None:
        """Take the caller's pending key, or create a new one for both; None if `other` does not exist."""
        ...

    async def take(self, caller: UserId, other: UserId) -> bytes | None:
        """Return and delete the caller's pending key; None if there is none."""
        ...

    async def exists(self, user_id: UserId) -> bool:
        """Return whether the account exists."""
        ...


class PendingKeys:
    """Pending keys of an account."""

    def __init__(self, store: PendingKeyStore) -> None:
        self._store = store

    async def start(self, account: Account, other: UserId) -> IssuedKey:
        """Take the pending key, or create a new one, which deletes all messages. Raises SelfChat, NoSuchUser."""
        if other == account.id:
            raise SelfChat("You cannot chat with yourself")
        issued = await self._store.start(account.id, other)
        if issued is None:
            raise NoSuchUser("User not found")
        return issued

    async def take(self, account: Account, other: UserId) -> bytes | None:
        """Take the pending key, or None if there is none. Raises SelfChat, NoSuchUser."""
        if other == account.id:
            raise SelfChat("You cannot chat with yourself")
        key = await self._store.take(account.id, other)
        if key is None and not await self._store.exists(other):
            raise NoSuchUser("User not found")
        return key

"""Chat codes: five digits. A user who enters the code of another user starts a conversation with them.

Rules: docs/codes-api.md, /api/chats.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import Busy, NoSuchCode, TooManyCodes
from chat.model.accounts import Account, ChatCode
from chat.model.ids import ConversationId, UserId

FIRST, LAST = 10_000, 65_535  # five digits, within the contract's u16
CODES_PER_USER = 5
CANDIDATES = 50  # with 90 % of all codes in use, creation still fails only once in 200 times


def plan_code(active: int) -> None:
    """Raise TooManyCodes if an account with `active` codes may not have another."""
    if active >= CODES_PER_USER:
        raise TooManyCodes(f"You already have {CODES_PER_USER} chat codes")


class ChatCodeStore(Protocol):
    """The repository of chat codes."""

    async def create(
        self, owner: UserId, codes: list[int], now: datetime, expires_at: datetime, plan: Callable[[int], None]
    ) -> int | None:
        """Give `owner` the first unused one of `codes` and return it; None if all are in use.

        Calls `plan` with the number of the owner's active codes, under a lock; `plan` may raise.
        """
        ...

    async def open(self, owner: UserId, now: datetime) -> list[ChatCode]:
        """List the owner's codes that can still be used, oldest first."""
        ...

    async def delete(self, owner: UserId, code: int, now: datetime) -> bool:
        """Return False if the owner has no such code that can still be used."""
        ...

    async def redeem(self, code: int, by: UserId, now: datetime) -> ConversationId | None:
        """Use up the code and start a conversation with its owner; None if there is no such code.

        Raises SelfChat, ConversationExists; the code then remains usable.
        """
        ...


class ChatCodes:
    """Create, list, delete and redeem chat codes."""

    def __init__(self, store: ChatCodeStore, now: Callable[[], datetime], life: timedelta) -> None:
        self._store = store
        self._now = now
        self._life = life

    async def create(self, account: Account) -> int:
        """Create a chat code. Raises TooManyCodes; Busy if nearly all codes are in use."""
        now = self._now()
        candidates = [FIRST + secrets.randbelow(LAST - FIRST + 1) for _ in range(CANDIDATES)]
        code = await self._store.create(account.id, candidates, now, now + self._life, plan_code)
        if code is None:
            raise Busy("Nearly all chat codes are in use, try again later")
        return code

    async def open(self, account: Account) -> list[ChatCode]:
        """List the account's codes that can still be used, oldest first."""
        return await self._store.open(account.id, self._now())

    async def delete(self, account: Account, code: int) -> None:
        """Delete a code of the account. Raises NoSuchCode."""
        if not await self._store.delete(account.id, code, self._now()):
            raise NoSuchCode("Chat code not found")

    async def redeem(self, account: Account, code: int) -> ConversationId:
        """Use up the code and start a conversation with its owner. Raises NoSuchCode, SelfChat, ConversationExists."""
        conversation_id = await self._store.redeem(code, account.id, self._now())
        if conversation_id is None:
            raise NoSuchCode("Chat code not found")
        return conversation_id

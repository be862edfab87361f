"""Chat codes: five digits that somebody else types to start a conversation. Rules: codes seed, /api/chats."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import Busy, NoSuchCode, TooManyCodes
from chat.model.accounts import Account, ChatCode
from chat.model.ids import ConversationId, UserId

FIRST, LAST = 10_000, 65_535  # five digits, and the seed's u16
CODES_PER_USER = 5
TRIES = 50  # at 90 % of all codes taken this still fails only once in 200 times


def plan_code(active: int) -> None:
    """Raise TooManyCodes if an account with `active` codes may not have another."""
    if active >= CODES_PER_USER:
        raise TooManyCodes(f"You already have {CODES_PER_USER} chat codes")


class ChatCodeStore(Protocol):
    async def create(
        self, owner: UserId, codes: list[int], now: datetime, expires_at: datetime, plan: Callable[[int], None]
    ) -> int | None:
        """The first of `codes` that nobody has, given to `owner`; None if all are taken. `plan` may raise."""
        ...

    async def open(self, owner: UserId, now: datetime) -> list[ChatCode]:
        """Those that can still be used, oldest first."""
        ...

    async def delete(self, owner: UserId, code: int, now: datetime) -> bool: ...

    async def redeem(self, code: int, by: UserId, now: datetime) -> ConversationId | None:
        """Use the code up and start the conversation with its owner; None if there is no such code.

        Raises SelfChat, ConversationExists; the code is then still there.
        """
        ...


class ChatCodes:
    def __init__(self, store: ChatCodeStore, now: Callable[[], datetime], life: timedelta) -> None:
        self._store = store
        self._now = now
        self._life = life

    async def create(self, account: Account) -> int:
        now = self._now()
        wishes = [FIRST + secrets.randbelow(LAST - FIRST + 1) for _ in range(TRIES)]
        code = await self._store.create(account.id, wishes, now, now + self._life, plan_code)
        if code is None:
            raise Busy("Nearly all chat codes are in use, try again later")
        return code

    async def open(self, account: Account) -> list[ChatCode]:
        """Those that can still be used, oldest first."""
        return await self._store.open(account.id, self._now())

    async def delete(self, account: Account, code: int) -> None:
        if not await self._store.delete(account.id, code, self._now()):
            raise NoSuchCode("Chat code not found")

    async def redeem(self, account: Account, code: int) -> ConversationId:
        conversation_id = await self._store.redeem(code, account.id, self._now())
        if conversation_id is None:
            raise NoSuchCode("Chat code not found")
        return conversation_id

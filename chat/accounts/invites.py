"""Invites: who may make one, and when. Rules: invites seed, POST /invites."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import BadInvite, InviteRefused, NoSuchInvite
from chat.model.accounts import Account, Invite, InviteHistory
from chat.model.ids import UserId

COOLDOWN = timedelta(hours=24)
PARTNERS_NEEDED = (0, 1, 2, 5)  # for the first, second, third, and every later invite


def plan_invite(history: InviteHistory, now: datetime) -> None:
    """Raise InviteRefused if this account may not make another invite yet."""
    if history.role in ("admin", "tester"):
        return
    if history.active:
        raise InviteRefused("You already have an active invite")
    if history.last_made_at and now < history.last_made_at + COOLDOWN:
        raise InviteRefused("You can make one invite in 24 hours")
    needed = PARTNERS_NEEDED[min(history.made, len(PARTNERS_NEEDED) - 1)]
    if history.partners < needed:
        raise InviteRefused(f"You must have chatted with at least {needed} users first")


class InviteStore(Protocol):
    async def create(self, invite: Invite, plan: Callable[[InviteHistory, datetime], None]) -> bool:
        """False if the code is taken. `plan` sees the maker's history under a lock, and may raise."""
        ...

    async def open(self, now: datetime, maker: UserId | None = None) -> list[Invite]:
        """Those that can still be used, of everybody or of one maker, oldest first."""
        ...

    async def revoke(self, code: str, now: datetime, maker: UserId | None = None) -> bool:
        """False if there is no such invite, of anybody or of this maker, that could still be used."""
        ...


class Invites:
    def __init__(self, store: InviteStore, now: Callable[[], datetime], life: timedelta) -> None:
        self._store = store
        self._now = now
        self._life = life

    async def create(self, account: Account) -> Invite:
        return await self._create(account.id, plan_invite)

    async def open(self, account: Account) -> list[Invite]:
        """Those of this account that can still be used, oldest first."""
        return await self._store.open(self._now(), account.id)

    async def revoke(self, account: Account, code: str) -> None:
        """One of its own. Raises BadInvite, NoSuchInvite."""
        if not await self._store.revoke(invite_code(code), self._now(), account.id):
            raise NoSuchInvite("You have no such invite that could still be used")

    async def create_as_operator(self) -> Invite:
        """Without a maker and without a rule: for the command line and the first start."""
        return await self._create(None, lambda _history, _now: None)

    async def _create(self, maker: UserId | None, plan: Callable[[InviteHistory, datetime], None]) -> Invite:
        while True:
            now = self._now()
            invite = Invite(secrets.token_hex(4).upper(), maker, now, now + self._life)
            if await self._store.create(invite, plan):
                return invite


def invite_code(text: str) -> str:
    """As it is stored. Raises BadInvite."""
    if not text.isalnum() or not text.isascii():
        raise BadInvite("Invalid invite code")
    return text.upper()

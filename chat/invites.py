"""Invites: who may make one, and when. Rules: invites seed, POST /invites."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import InviteRefused
from chat.model import Account, Invite, InviteHistory, UserId

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


class Invites:
    def __init__(self, store: InviteStore, now: Callable[[], datetime], life: timedelta) -> None:
        self._store = store
        self._now = now
        self._life = life

    async def create(self, account: Account) -> Invite:
        return await self._create(account.id, plan_invite)

    async def create_as_operator(self) -> Invite:
        """Without a maker and without a rule: for the command line and the first start."""
        return await self._create(None, lambda _history, _now: None)

    async def _create(self, maker: UserId | None, plan: Callable[[InviteHistory, datetime], None]) -> Invite:
        while True:
            now = self._now()
            invite = Invite(secrets.token_hex(4).upper(), maker, now, now + self._life)
            if await self._store.create(invite, plan):
                return invite

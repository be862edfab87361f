"""Invites: which account may create one, and when. Rules: docs/invites-api.md, POST /invites."""

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
    """Raise InviteRefused if this account may not create another invite yet."""
    if history.role in ("admin", "tester"):
        return
    if history.active:
        raise InviteRefused("You already have an active invite")
    if history.last_made_at and now < history.last_made_at + COOLDOWN:
        raise InviteRefused("You can create one invite every 24 hours")
    needed = PARTNERS_NEEDED[min(history.made, len(PARTNERS_NEEDED) - 1)]
    if history.partners < needed:
        raise InviteRefused(f"You must have chatted with at least {needed} users first")


class InviteStore(Protocol):
    """The repository of invites."""

    async def create(self, invite: Invite, plan: Callable[[InviteHistory, datetime], None]) -> bool:
        """Store the invite; return False if its code is in use.

        Calls `plan` with the creator's history, under a lock; `plan` may raise.
        """
        ...

    async def open(self, now: datetime, maker: UserId | None = None) -> list[Invite]:
        """List the invites that can still be used, oldest first: those of one creator, or all."""
        ...

    async def revoke(self, code: str, now: datetime, maker: UserId | None = None) -> bool:
        """Return False if there is no such usable invite, of this creator if one is given."""
        ...


class Invites:
    """Create, list and revoke invites."""

    def __init__(self, store: InviteStore, now: Callable[[], datetime], life: timedelta) -> None:
        self._store = store
        self._now = now
        self._life = life

    async def create(self, account: Account) -> Invite:
        """Create an invite. Raises InviteRefused."""
        return await self._create(account.id, plan_invite)

    async def open(self, account: Account) -> list[Invite]:
        """List the account's invites that can still be used, oldest first."""
        return await self._store.open(self._now(), account.id)

    async def revoke(self, account: Account, code: str) -> None:
        """Revoke an invite that the account has created. Raises BadInvite, NoSuchInvite."""
        if not await self._store.revoke(invite_code(code), self._now(), account.id):
            raise NoSuchInvite("You have no such invite that can still be used")

    async def create_as_operator(self) -> Invite:
        """Create an invite without a creator and without limits, for the command line and the first start."""
        return await self._create(None, lambda _history, _now: None)

    async def _create(self, maker: UserId | None, plan: Callable[[InviteHistory, datetime], None]) -> Invite:
        while True:
            now = self._now()
            invite = Invite(secrets.token_hex(4).upper(), maker, now, now + self._life)
            if await self._store.create(invite, plan):
                return invite


def invite_code(text: str) -> str:
    """Return the code in its stored spelling: upper case. Raises BadInvite."""
    if not text.isalnum() or not text.isascii():
        raise BadInvite("Invalid invite code")
    return text.upper()

"""Rate limits: how often something may be done. All workers count together, in the database.

Which endpoints each of them applies to is in the tables, `handlers/*/endpoints.py`.
"""

from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import TooMany
from chat.model.limits import Bucket, Window

API = Bucket("api", interval=timedelta(seconds=1), burst=20)
REGISTRATIONS = Window("register", hits=20, per=timedelta(seconds=5), block=timedelta(minutes=10))
FAILED_LOGINS = Window("login", hits=10, per=timedelta(seconds=60), block=timedelta(minutes=15))
CLAIMS = Bucket("claims", interval=timedelta(minutes=1), burst=10)  # of the key packages of one account by another
CONTACTS = Bucket("contacts", interval=timedelta(seconds=5), burst=10)  # chat codes that an account tries
LOOKUPS = Bucket("lookups", interval=timedelta(seconds=1), burst=300)  # of users by name; pictures and devices too
PROFILES = Bucket("profiles", interval=timedelta(seconds=30), burst=20)  # changes that contacts see
UPLOADS = Bucket("key packages", interval=timedelta(seconds=10), burst=10)
COMMITS = Bucket("commits", interval=timedelta(seconds=1), burst=60)
MESSAGES = Window("messages", hits=8, per=timedelta(seconds=10))


class LimitStore(Protocol):
    """Each answers None where it is allowed, or the time from which it is again."""

    async def take(self, key: str, bucket: Bucket, now: datetime) -> datetime | None: ...
    async def hit(self, key: str, window: Window, now: datetime) -> datetime | None: ...
    async def blocked(self, key: str, now: datetime) -> datetime | None: ...


class Limits:
    """Raises TooMany, with the seconds to wait. With `enforced` off nothing is counted at all (benchmarks)."""

    def __init__(self, store: LimitStore, enforced: bool = True) -> None:
        self._store = store
        self._enforced = enforced

    async def take(self, rate: Bucket | Window, who: str, now: datetime) -> None:
        """Count one. A request that is refused is not counted."""
        if not self._enforced:
            return
        key = f"{rate.name}:{who}"
        if isinstance(rate, Bucket):
            self._check(await self._store.take(key, rate, now), now)
        else:
            self._check(await self._store.hit(key, rate, now), now)

    async def check(self, window: Window, who: str, now: datetime) -> None:
        """Refuse while blocked, count nothing."""
        if self._enforced:
            self._check(await self._store.blocked(f"{window.name}:{who}", now), now)

    def _check(self, until: datetime | None, now: datetime) -> None:
        if until is not None:
            raise TooMany("Too many requests, try again later", (until - now).total_seconds())

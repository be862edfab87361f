"""How often something may be done. The numbers are the seeds'; the counting is shared by all workers."""

from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import TooMany
from chat.model.limits import Bucket, Window

API = Bucket("api", interval=timedelta(seconds=1), burst=20)
REGISTRATIONS = Window("register", hits=20, per=timedelta(seconds=5), block=timedelta(minutes=10))
FAILED_LOGINS = Window("login", hits=10, per=timedelta(seconds=60), block=timedelta(minutes=15))
CLAIMS = Bucket("claims", interval=timedelta(minutes=1), burst=10)  # of one account, of one other's key packages
CONTACTS = Bucket("contacts", interval=timedelta(seconds=5), burst=10)  # codes that are tried
LOOKUPS = Bucket("lookups", interval=timedelta(seconds=1), burst=300)  # of users by name; each picture is one
PROFILES = Bucket("profiles", interval=timedelta(seconds=30), burst=20)  # changes that everybody they know hears of
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

    async def take(self, bucket: Bucket, who: str, now: datetime) -> None:
        if self._enforced:
            self._check(await self._store.take(f"{bucket.name}:{who}", bucket, now), now)

    async def hit(self, window: Window, who: str, now: datetime) -> None:
        """Count one; a blocked one is refused and not counted."""
        if self._enforced:
            self._check(await self._store.hit(f"{window.name}:{who}", window, now), now)

    async def check(self, window: Window, who: str, now: datetime) -> None:
        """Refuse while blocked, count nothing."""
        if self._enforced:
            self._check(await self._store.blocked(f"{window.name}:{who}", now), now)

    def _check(self, until: datetime | None, now: datetime) -> None:
        if until is not None:
            raise TooMany("Too many requests, try again later", (until - now).total_seconds())

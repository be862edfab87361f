"""Rate limits. All workers share the counters, which are in the database.

The tables `handlers/*/endpoints.py` say which limit applies to which endpoint.
"""

from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import TooMany
from chat.model.limits import Bucket, Window

API = Bucket("api", interval=timedelta(seconds=1), burst=20)
REGISTRATIONS = Window("register", hits=20, per=timedelta(seconds=5), block=timedelta(minutes=10))
FAILED_LOGINS = Window("login", hits=10, per=timedelta(seconds=60), block=timedelta(minutes=15))
CLAIMS = Bucket("claims", interval=timedelta(minutes=1), burst=10)  # key packages of one account, by another one
CONTACTS = Bucket("contacts", interval=timedelta(seconds=5), burst=10)  # attempts of an account to use a chat code
LOOKUPS = Bucket("lookups", interval=timedelta(seconds=1), burst=300)  # users by name, their pictures and devices
PROFILES = Bucket("profiles", interval=timedelta(seconds=30), burst=20)  # changes that contacts are notified of
UPLOADS = Bucket("key packages", interval=timedelta(seconds=10), burst=10)
COMMITS = Bucket("commits", interval=timedelta(seconds=1), burst=60)
MESSAGES = Window("messages", hits=8, per=timedelta(seconds=10))


class LimitStore(Protocol):
    """Counters of the limits. Each method returns None if the request is allowed, or else the time when it will be."""

    async def take(self, key: str, bucket: Bucket, now: datetime) -> datetime | None:
        """Count a request against a bucket."""
        ...

    async def hit(self, key: str, window: Window, now: datetime) -> datetime | None:
        """Count a request in a window."""
        ...

    async def blocked(self, key: str, now: datetime) -> datetime | None:
        """Count nothing; answer whether a window blocks the key."""
        ...


class Limits:
    """Count requests and refuse them. Without `enforced`, for benchmarks, nothing is counted or refused."""

    def __init__(self, store: LimitStore, enforced: bool = True) -> None:
        self._store = store
        self._enforced = enforced

    async def take(self, rate: Bucket | Window, who: str, now: datetime) -> None:
        """Count one request by `who`. Raises TooMany with the seconds to wait; a refused request is not counted."""
        if not self._enforced:
            return
        key = f"{rate.name}:{who}"
        if isinstance(rate, Bucket):
            self._check(await self._store.take(key, rate, now), now)
        else:
            self._check(await self._store.hit(key, rate, now), now)

    async def check(self, window: Window, who: str, now: datetime) -> None:
        """Raise TooMany while `who` is blocked. Counts nothing."""
        if self._enforced:
            self._check(await self._store.blocked(f"{window.name}:{who}", now), now)

    def _check(self, until: datetime | None, now: datetime) -> None:
        if until is not None:
            raise TooMany("Too many requests, try again later", (until - now).total_seconds())

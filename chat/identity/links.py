"""Linking: a new device gets the account key from another one. Both sides know a secret that the server does not.

The server keeps what they send each other, which is encrypted and authenticated by that secret.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chat.errors import Invalid, NoSuchDevice
from chat.model.accounts import Account
from chat.model.groups import Device
from chat.model.identity import Link
from chat.model.ids import DeviceId, UserId

LIFE = timedelta(minutes=15)  # long enough to find the other device and to type a code
REQUEST_MAX_BYTES = 1024
ANSWER_MAX_BYTES = 64 * 1024  # with the keys of contacts


class LinkStore(Protocol):
    """The repository of links."""

    async def request(self, device: Device, request: bytes, expires_at: datetime) -> None:
        """Store the request of a device instead of its former one, and notify the account's devices."""
        ...

    async def of_user(self, user_id: UserId, now: datetime) -> list[Link]:
        """Return the requests of an account's devices that have not expired at `now`."""
        ...

    async def answer(self, user_id: UserId, device_id: DeviceId, answer: bytes, now: datetime) -> bool:
        """Notify the account's devices; return False, and store nothing, if the device has no request at `now`."""
        ...


class Links:
    """Requests of new devices, and their answers."""

    def __init__(self, store: LinkStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def request(self, device: Device, request: bytes) -> None:
        """Ask the account's other devices to link this one, within LIFE. Raises Invalid."""
        _check_length("request", request, REQUEST_MAX_BYTES)
        await self._store.request(device, request, self._now() + LIFE)

    async def pending(self, account: Account) -> list[Link]:
        """Return the requests of the account's devices."""
        return await self._store.of_user(account.id, self._now())

    async def answer(self, account: Account, device_id: DeviceId, answer: bytes) -> None:
        """Answer a request. Raises Invalid, NoSuchDevice."""
        _check_length("answer", answer, ANSWER_MAX_BYTES)
        if not await self._store.answer(account.id, device_id, answer, self._now()):
            raise NoSuchDevice("No device of the account with this id waits to be linked")


def _check_length(name: str, value: bytes, most: int) -> None:
    if not 0 < len(value) <= most:
        raise Invalid(f"{name} must have 1 to {most} bytes")

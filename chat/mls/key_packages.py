"""Key packages: a device uploads them, so that others can add it to groups while it is offline."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from chat.errors import BadFrame, Invalid
from chat.model.accounts import Account
from chat.model.groups import Device, IssuedKeyPackage, StoredKeyPackage
from chat.model.ids import DeviceId, UserId
from crypto.mls.checks import check_key_package, key_package_reference
from crypto.mls.frames import parse_key_package
from crypto.mls.wire import Malformed

KEPT_MAX = 200  # of one device
UPLOAD_MAX = 100  # at once
MAX_BYTES = 4096
FEW = 20  # below this the device is notified to upload more


class KeyPackageStore(Protocol):
    """Each method is one transaction: an error or a cancellation before its commit stores nothing.

    Every method raises Unavailable if the database is unavailable, and Busy if too many callers wait for it.
    """

    async def add(self, device_id: DeviceId, packages: list[StoredKeyPackage], most: int, now: datetime) -> int:
        """Store key packages, and return how many the device has now, without the last resort.

        A last resort replaces the former one. Raises Invalid, and stores nothing, if there are more than `most`.
        """
        ...

    async def count(self, device_id: DeviceId, now: datetime) -> int:
        """Return how many are stored and not expired at `now`, without the last resort."""
        ...

    async def claim(
        self, of: UserId, by: UserId, few: int, now: datetime, devices: list[DeviceId] | None
    ) -> list[IssuedKeyPackage]:
        """Return one for each device that has any, and notify the devices that have fewer than `few` left.

        Concurrent claims get different key packages, unless only the last resort is left.
        """
        ...


class KeyPackages:
    """The upload and the claims of key packages."""

    def __init__(self, store: KeyPackageStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def add(self, device: Device, packages: list[bytes], last_resort: bytes | None) -> int:
        """Check and store key packages. Return how many the device has now, without the last resort.

        Raises Invalid, BadFrame, and then stores none of them; Busy, Unavailable.
        """
        if len(packages) > UPLOAD_MAX:
            raise Invalid(f"key_packages must have at most {UPLOAD_MAX} items")
        read = [self._read(device, package, is_last_resort=False) for package in packages]
        if last_resort is not None:
            read.append(self._read(device, last_resort, is_last_resort=True))
        return await self._store.add(device.id, read, KEPT_MAX, self._now())

    def _read(self, device: Device, data: bytes, *, is_last_resort: bool) -> StoredKeyPackage:
        if len(data) > MAX_BYTES:
            raise BadFrame(f"A key package must have at most {MAX_BYTES:,} bytes")
        try:
            package = parse_key_package(data)
            check_key_package(package, self._now())
        except Malformed as error:
            raise BadFrame(f"Malformed key package: {error}") from error
        if (package.leaf.identity, package.leaf.signature_key) != (device.identity, device.signature_key):
            raise BadFrame("Identity and signature key of a key package must be this device's")
        expires_at = datetime.fromtimestamp(min(package.leaf.not_after, 2**33), UTC)
        return StoredKeyPackage(key_package_reference(data), data, expires_at, is_last_resort)

    async def count(self, device: Device) -> int:
        """Return how many the device has on the server, without the last resort. Raises Busy, Unavailable."""
        return await self._store.count(device.id, self._now())

    async def claim(
        self, account: Account, of: UserId, devices: list[DeviceId] | None = None
    ) -> list[IssuedKeyPackage]:
        """Claim one for each device of `of`, or of `devices`. A device without any is left out.

        Raises Busy, Unavailable.
        """
        return await self._store.claim(of, account.id, FEW, self._now(), devices)

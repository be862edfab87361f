"""Devices: each has its own identity in every group of its user."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chat.accounts import validation
from chat.errors import Invalid, NoDevice, NoSuchUser
from chat.model.accounts import Account, Session
from chat.model.groups import Device
from chat.model.ids import DeviceId, SessionId, UserId

DEVICES_MAX = 16  # of one account
NAME_MAX_CHARS = 50
KEY_BYTES = 32  # Ed25519


class DeviceStore(Protocol):
    """Every method raises Unavailable if the database is unavailable, and Busy if too many callers wait for it."""

    async def register(self, device: Device, session_id: SessionId, most: int) -> Device:
        """Store the device, or find the one with its id and key, and bind the session to it.

        `most` is the number of devices that an account may have. Raises Taken, Invalid.
        """
        ...

    async def get(self, device_id: DeviceId) -> Device | None:
        """Return the device, or None if it was revoked or never registered."""
        ...

    async def of_user(self, user_id: UserId) -> list[Device]:
        """Return all devices of the account, the oldest first."""
        ...

    async def acquainted(self, user_id: UserId, other: UserId) -> bool:
        """Whether they share a conversation, or `user_id` has claimed key packages of `other`."""
        ...

    async def revoke(self, account: Account, device_id: DeviceId) -> None:
        """Delete the device and end its sessions. Its groups must remove its leaf before they send again.

        Raises NoSuchDevice, also if the device belongs to another account.
        """
        ...


class Devices:
    """The devices of accounts. `revoke` is the store's own method: `DeviceStore` describes it."""

    def __init__(self, store: DeviceStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self.revoke = store.revoke

    async def register(
        self, session: Session, user_uuid: UUID, device_id: DeviceId, name: str, signature_key: bytes
    ) -> Device:
        """Create this session's device, or bind the session to the device with the same key. Raises Invalid, Taken."""
        if len(signature_key) != KEY_BYTES:
            raise Invalid(f"signature_key must have {KEY_BYTES} bytes")
        if not name.strip() or len(name) > NAME_MAX_CHARS:
            raise Invalid(f"name must have 1 to {NAME_MAX_CHARS} characters")
        validation.no_nul(name)
        device = Device(device_id, session.account.id, user_uuid, name.strip(), signature_key, self._now())
        return await self._store.register(device, session.id, DEVICES_MAX)

    async def of_session(self, session: Session) -> Device:
        """Return the device of a session. Raises NoDevice, Busy, Unavailable."""
        device = await self._store.get(session.device_id) if session.device_id is not None else None
        if device is None:
            raise NoDevice("This session has no device: register one first")
        return device

    async def mine(self, account: Account) -> list[Device]:
        """Return the account's own devices, the oldest first. Raises Busy, Unavailable."""
        return await self._store.of_user(account.id)

    async def of(self, account: Account, other: UserId) -> list[Device]:
        """Return the devices of `other`, the oldest first. Raises NoSuchUser, Busy, Unavailable.

        NoSuchUser also hides the devices of a stranger, who shares no conversation with `account` and of whom `account`
        has claimed no key packages.
        """
        if other != account.id and not await self._store.acquainted(account.id, other):
            raise NoSuchUser("User not found")
        return await self._store.of_user(other)

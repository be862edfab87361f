"""Device lists: an account key signs which devices its account has. The server stores the newest list.

Other clients check a list themselves and need not trust the server. It checks lists too, so that an honest server never
spreads a wrong one, and adds no device to a group that its account has not listed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chat.accounts.accounts import Accounts
from chat.errors import AccountKeyExists, Invalid, NoDeviceList, NoSuchUser, StaleDeviceList
from chat.mls.devices import DeviceStore
from chat.model.accounts import Account
from chat.model.identity import Publication, PublicationFacts, SignedDeviceList
from chat.model.ids import DeviceId, UserId
from crypto.device_lists import BadDeviceList, DeviceList, check_signature, parse_device_list

LIFE_MAX = timedelta(days=366)  # so that a list which the server withholds a newer one of ends some day
CLOCK_SKEW = timedelta(hours=1)
COUNTER_AHEAD_MAX = timedelta(days=1)  # of the Unix time in ms, the highest counter: clocks of clients may be wrong
OMITTED_MAX = 1024  # devices of an account: more than a person ever has
RECOVERY_LABEL = b"Sottovoce recovery 1"
RECOVERY_MAX_BYTES = 64 * 1024  # with the keys of contacts


class DeviceListStore(Protocol):
    """The repository of device lists."""

    async def publish(
        self, account: Account, publication: Publication, check: Callable[[PublicationFacts], None]
    ) -> None:
        """Lock the account, call `check`, store the list, and notify the devices of everyone in a group with it.

        What `check` raises leaves everything as it was. Another account key than the stored one deletes `recovery`.
        """
        ...

    async def get(self, user_id: UserId) -> SignedDeviceList | None:
        """Return the newest list of an account, or None."""
        ...

    async def set_recovery(self, user_id: UserId, account_key: bytes, recovery: bytes) -> bool:
        """Return False, and store nothing, if the account has another account key."""
        ...

    async def recovery(self, user_id: UserId) -> bytes | None:
        """Return what `set_recovery` has stored, or None."""
        ...


class DeviceLists:
    """The device lists of accounts, and the encrypted copies of account keys."""

    def __init__(
        self, store: DeviceListStore, devices: DeviceStore, accounts: Accounts, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._devices = devices
        self._accounts = accounts
        self._now = now

    async def publish(self, account: Account, signed: SignedDeviceList, password: str | None) -> None:
        """Store a newer list. The first of another account key than the stored one needs the account's password.

        Raises Invalid, StaleDeviceList, AccountKeyExists, InvalidCredentials, TooMany.
        """
        found = self._read(account, signed)
        if password is not None:
            await self._accounts.confirm(account, password)
        publication = Publication(signed, found.counter, list(found.devices.values()))
        await self._store.publish(
            account,
            publication,
            lambda facts: check_publication(signed, found, facts, is_confirmed=password is not None),
        )

    def _read(self, account: Account, signed: SignedDeviceList) -> DeviceList:
        try:
            found = parse_device_list(signed.device_list)
            check_signature(signed.account_key, signed.device_list, signed.signature)
        except BadDeviceList as error:
            raise Invalid(str(error)) from error
        if found.user != account.uuid:
            raise Invalid("device_list is of another account")
        now = self._now()
        # A thief of the account key could sign the highest number of all, and no list could follow it.
        if found.counter > (now + COUNTER_AHEAD_MAX).timestamp() * 1000:
            raise Invalid("The counter of device_list is ahead of the time")
        if not now.timestamp() < found.not_after <= (now + LIFE_MAX + CLOCK_SKEW).timestamp():
            raise Invalid(f"device_list must expire within {LIFE_MAX.days} days from now")
        return found

    async def of(self, account: Account, other: UserId) -> SignedDeviceList:
        """Return the newest list of `other`. Raises NoSuchUser for a stranger, as `Devices.of`, and NoDeviceList."""
        if other != account.id and not await self._devices.acquainted(account.id, other):
            raise NoSuchUser("User not found")
        found = await self._store.get(other)
        if found is None:
            raise NoDeviceList("This account has no account key")
        return found

    async def set_recovery(self, account: Account, recovery: bytes, signature: bytes) -> None:
        """Store the account key, encrypted and signed. Raises Invalid, NoDeviceList, AccountKeyExists."""
        if not 0 < len(recovery) <= RECOVERY_MAX_BYTES:
            raise Invalid(f"recovery must have 1 to {RECOVERY_MAX_BYTES} bytes")
        stored = await self.of(account, account.id)
        try:
            check_signature(stored.account_key, RECOVERY_LABEL + account.uuid.bytes + recovery, signature)
        except BadDeviceList as error:
            raise Invalid(str(error)) from error
        if not await self._store.set_recovery(account.id, stored.account_key, recovery):
            raise AccountKeyExists("The account key was replaced meanwhile")

    async def recovery(self, account: Account) -> bytes:
        """Return the encrypted account key. Raises NoDeviceList if none is stored."""
        found = await self._store.recovery(account.id)
        if found is None:
            raise NoDeviceList("This account has no recovery key")
        return found


def check_publication(
    signed: SignedDeviceList, found: DeviceList, facts: PublicationFacts, *, is_confirmed: bool
) -> None:
    """Check a list against what is stored. Raises Invalid, StaleDeviceList, AccountKeyExists.

    `is_confirmed`: the user has just given the password.
    """
    for device, key in found.devices.items():
        # A server that hid a device could otherwise have it taken off the list.
        if facts.devices.get(DeviceId(device)) != key and key not in facts.listed:
            raise Invalid("device_list has a device that is not registered with this key")
    if facts.account_key is None:
        return
    if facts.account_key != signed.account_key:
        if not is_confirmed:
            raise AccountKeyExists("The account has another account key: link this device, or give the password")
    elif found.counter <= facts.counter:
        raise StaleDeviceList("A list with this counter or a higher one is stored: read it, and sign a newer one")
    _check_omitted(set(found.devices.values()), facts)


def _check_omitted(listed: set[bytes], facts: PublicationFacts) -> None:
    """Check that no device comes back. Raises Invalid.

    Clients never count a device again that a list has omitted: they would wait for the removal of its leaf from a
    group, which the server would refuse them. This includes lists of former account keys, which can come back.
    """
    if not listed.isdisjoint(facts.omitted):
        raise Invalid("device_list has a device that an earlier list omitted: register a new device")
    if len(facts.omitted) + len(set(facts.listed) - listed) > OMITTED_MAX:
        raise Invalid(f"An account can remove at most {OMITTED_MAX:,} devices")

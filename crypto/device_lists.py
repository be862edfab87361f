"""Device lists: which devices an account has now, signed by its account key. docs/PROTOCOL.md has the format.

A list is these bytes, numbers big-endian: LABEL; the account's UUID (16); a counter (8), which each list of an account
raises; the Unix time at which the list expires (8); and for each device, in ascending order, its id (8) and its MLS
signature key (32). The signature is Ed25519 over all of them.
"""

from dataclasses import dataclass
from itertools import pairwise
from struct import Struct, error
from uuid import UUID

from crypto.signatures import BadSignature, verify

LABEL = b"Sottovoce device list 1"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
DEVICES_MAX = 16
HEAD = Struct(f">{len(LABEL)}s16sQQ")
ENTRY = Struct(f">Q{KEY_BYTES}s")


class BadDeviceList(ValueError):
    """The bytes are not a device list, or the signature is not by the account key."""


@dataclass(frozen=True)
class DeviceList:
    """A device list. `devices`: signature key by id. `not_after`: Unix time in seconds."""

    user: UUID
    counter: int
    not_after: int
    devices: dict[int, bytes]

    def encode(self) -> bytes:
        """Return the bytes that the account key signs."""
        head = HEAD.pack(LABEL, self.user.bytes, self.counter, self.not_after)
        return head + b"".join(ENTRY.pack(*one) for one in sorted(self.devices.items()))


def parse_device_list(data: bytes) -> DeviceList:
    """Parse a list; there is one encoding of each. Raises BadDeviceList."""
    try:
        label, user, counter, not_after = HEAD.unpack_from(data)
        devices = list(ENTRY.iter_unpack(data[HEAD.size :]))
    except error as cause:
        raise BadDeviceList("device_list has a wrong length") from cause
    if label != LABEL:
        raise BadDeviceList("device_list does not begin with its label")
    if not 1 <= len(devices) <= DEVICES_MAX:
        raise BadDeviceList(f"device_list must have 1 to {DEVICES_MAX} devices")
    if any(one >= next_one for (one, _), (next_one, _) in pairwise(devices)):
        raise BadDeviceList("device_list must have each device once, in ascending order")
    return DeviceList(UUID(bytes=user), counter, not_after, dict(devices))


def check_signature(account_key: bytes, signed: bytes, signature: bytes) -> None:
    """Check that the account key has signed these bytes. Raises BadDeviceList."""
    try:
        verify(account_key, signed, signature)
    except BadSignature as cause:
        raise BadDeviceList("signature does not verify with account_key") from cause

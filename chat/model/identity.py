"""Account keys and the linking of devices."""

from datetime import datetime

from msgspec import Struct

from chat.model.ids import DeviceId


class SignedDeviceList(Struct, frozen=True):
    """A device list with the account key that has signed it: crypto/device_lists.py."""

    account_key: bytes
    device_list: bytes
    signature: bytes


class Publication(Struct, frozen=True):
    """What is stored of a device list. `listed`: the signature keys in it."""

    signed: SignedDeviceList
    counter: int
    listed: list[bytes]


class PublicationFacts(Struct, frozen=True):
    """What the rules of a publication need; read while the account is locked."""

    account_key: bytes | None  # the stored one
    counter: int
    devices: dict[DeviceId, bytes]  # signature keys of the account's devices
    listed: list[bytes]  # signature keys of the stored list
    omitted: list[bytes]  # signature keys of earlier lists, which a later one did not have


class Link(Struct, frozen=True):
    """The request of a device to be linked to its account, and the answer of another device. Opaque to the server."""

    device_id: DeviceId
    request: bytes
    answer: bytes | None
    expires_at: datetime

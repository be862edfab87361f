"""Bodies and answers about account keys and linking."""

from msgspec import Struct

from chat.model.identity import Link, SignedDeviceList
from handlers.http.answers import Time
from handlers.v2.schemas.ids import hex_of


class NewDeviceList(Struct, frozen=True):
    account_key: bytes
    device_list: bytes
    signature: bytes
    password: str | None = None  # with another account key than the stored one


class DeviceListShown(Struct, frozen=True):
    account_key: bytes
    device_list: bytes
    signature: bytes

    @classmethod
    def of(cls, signed: SignedDeviceList) -> "DeviceListShown":
        """Show the newest list of an account."""
        return cls(signed.account_key, signed.device_list, signed.signature)


class NewRecovery(Struct, frozen=True):
    recovery: bytes
    signature: bytes


class Recovery(Struct, frozen=True):
    recovery: bytes


class LinkRequest(Struct, frozen=True):
    request: bytes


class LinkAnswer(Struct, frozen=True):
    answer: bytes


class LinkShown(Struct, frozen=True):
    device: str
    request: bytes
    answer: bytes | None
    expires_at: Time

    @classmethod
    def of(cls, link: Link) -> "LinkShown":
        """Show a link to the devices of its account."""
        return cls(hex_of(link.device_id), link.request, link.answer, link.expires_at)

"""Bodies and answers about devices and their key packages."""

from uuid import UUID

from msgspec import Struct

from chat.model.groups import Device, IssuedKeyPackage
from handlers.http.answers import Time
from handlers.v2.schemas.ids import hex_of


class NewDevice(Struct, frozen=True):
    id: str
    name: str
    signature_key: bytes


class DeviceShown(Struct, frozen=True):
    id: str
    user: UUID
    name: str
    signature_key: bytes
    identity: str
    created_at: Time

    @classmethod
    def of(cls, device: Device) -> "DeviceShown":
        """Show a device with its MLS identity."""
        return cls(
            hex_of(device.id),
            device.user_uuid,
            device.name,
            device.signature_key,
            device.identity.decode(),
            device.created_at,
        )


class NewKeyPackages(Struct, frozen=True):
    key_packages: list[bytes] = []
    last_resort: bytes | None = None


class Count(Struct, frozen=True):
    count: int


class Claim(Struct, frozen=True):
    devices: list[str] | None = None  # default: all


class KeyPackage(Struct, frozen=True):
    device: str
    key_package: bytes
    last_resort: bool

    @classmethod
    def of(cls, issued: IssuedKeyPackage) -> "KeyPackage":
        """Show a claimed key package to its claimer."""
        return cls(hex_of(issued.device_id), issued.data, issued.is_last_resort)

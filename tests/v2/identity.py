"""Account keys of users: signed device lists, as a client makes them."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat.identity.device_lists import RECOVERY_LABEL
from crypto.device_lists import DeviceList
from testing.server import Person
from tests.v2.mls import MlsDevice

DAY_S = 24 * 3600


def base64(data: bytes) -> str:
    return b64encode(data).decode()


@dataclass
class AccountKey:
    """The account key of a user."""

    user: Person
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, signed: bytes, **more: Any) -> dict[str, Any]:
        return {
            "account_key": base64(self.public_key),
            "device_list": base64(signed),
            "signature": base64(self.key.sign(signed)),
        } | more

    def list_of(self, *devices: MlsDevice, counter: int = 1, days: float = 90) -> DeviceList:
        ends = int(self.user.server.clock().timestamp() + days * DAY_S)
        return DeviceList(self.user.uuid, counter, ends, {one.id: one.signer.public_key for one in devices})

    def lists(self, *devices: MlsDevice, counter: int = 1, days: float = 90, **more: Any) -> dict[str, Any]:
        """The body that publishes a list of these devices."""
        return self.sign(self.list_of(*devices, counter=counter, days=days).encode(), **more)

    async def publishes(self, *devices: MlsDevice, counter: int = 1, **more: Any) -> httpx.Response:
        return await self.user.api.put("/v2/account/device-list", json=self.lists(*devices, counter=counter, **more))

    def recovery(self, wrapped: bytes = b"wrapped") -> dict[str, str]:
        signed = RECOVERY_LABEL + self.user.uuid.bytes + wrapped
        return {"recovery": base64(wrapped), "signature": base64(self.key.sign(signed))}


async def account_key_of(*devices: MlsDevice) -> AccountKey:
    """The first of these devices publishes a list of all of them."""
    made = AccountKey(devices[0].session)
    answer = await made.publishes(*devices)
    assert answer.status_code == 200, answer.text
    return made

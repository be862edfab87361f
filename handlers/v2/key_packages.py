"""/v2/key-packages: upload, count and claim key packages."""

from handlers.http.endpoint import Call
from handlers.v2.parameters import User
from handlers.v2.schemas.devices import Claim, Count, KeyPackage, NewKeyPackages
from handlers.v2.schemas.ids import device_id


async def upload(call: Call, body: NewKeyPackages) -> Count:
    """Upload key packages of this device."""
    return Count(await call.services.key_packages.add(call.device, body.key_packages, body.last_resort))


async def count(call: Call) -> Count:
    """Count the key packages of this device, without the last resort."""
    return Count(await call.services.key_packages.count(call.device))


async def claim(call: Call, user: User, body: Claim) -> list[KeyPackage]:
    """Claim one key package of each device of a user, or of some of them."""
    person = await call.services.contacts.get(user)
    devices = [device_id(text) for text in body.devices] if body.devices is not None else None
    return [KeyPackage.of(one) for one in await call.services.key_packages.claim(call.account, person.id, devices)]

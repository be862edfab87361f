"""/v2/devices, and the devices of other users."""

from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.v2.parameters import Device, Name
from handlers.v2.schemas.devices import DeviceShown, NewDevice
from handlers.v2.schemas.ids import device_id


async def register(call: Call, body: NewDevice) -> DeviceShown:
    """Register the device of this session."""
    session = call.session
    registered = await call.services.devices.register(
        session, session.account.uuid, device_id(body.id), body.name, body.signature_key
    )
    return DeviceShown.of(registered)


async def list_all(call: Call) -> list[DeviceShown]:
    """List the devices of the account."""
    return [DeviceShown.of(one) for one in await call.services.devices.mine(call.account)]


async def revoke(call: Call, device: Device) -> Empty:
    """Revoke a device of the account."""
    await call.services.devices.revoke(call.account, device)
    return Empty()


async def of_user(call: Call, name: Name) -> list[DeviceShown]:
    """List the devices of a user who shares a conversation with the account, or is about to."""
    person = await call.services.contacts.find(name)
    return [DeviceShown.of(one) for one in await call.services.devices.of(call.account, person.id)]

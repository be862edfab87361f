"""/v2/account/device-list, /v2/account/recovery, /v2/users/{user}/device-list, /v2/links."""

from chat.model.identity import SignedDeviceList
from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.v2.parameters import Device, User
from handlers.v2.schemas.identity import (
    DeviceListShown,
    LinkAnswer,
    LinkRequest,
    LinkShown,
    NewDeviceList,
    NewRecovery,
    Recovery,
)


async def publish(call: Call, body: NewDeviceList) -> Empty:
    """Publish a newer list of the account's devices, signed by its account key."""
    signed = SignedDeviceList(body.account_key, body.device_list, body.signature)
    await call.services.device_lists.publish(call.account, signed, body.password)
    return Empty()


async def of_user(call: Call, user: User) -> DeviceListShown:
    """Show the device list of a user who shares a conversation with the account, or is about to."""
    person = await call.services.contacts.get(user)
    return DeviceListShown.of(await call.services.device_lists.of(call.account, person.id))


async def set_recovery(call: Call, body: NewRecovery) -> Empty:
    """Store the account key, encrypted by the recovery key."""
    await call.services.device_lists.set_recovery(call.account, body.recovery, body.signature)
    return Empty()


async def recovery(call: Call) -> Recovery:
    """Show the encrypted account key."""
    return Recovery(await call.services.device_lists.recovery(call.account))


async def links(call: Call) -> list[LinkShown]:
    """List the devices of the account that wait to be linked."""
    return [LinkShown.of(one) for one in await call.services.links.pending(call.account)]


async def request_link(call: Call, body: LinkRequest) -> Empty:
    """Ask the other devices of the account to link this one."""
    await call.services.links.request(call.device, body.request)
    return Empty()


async def answer_link(call: Call, device: Device, body: LinkAnswer) -> Empty:
    """Answer a device that waits to be linked."""
    await call.services.links.answer(call.account, device, body.answer)
    return Empty()

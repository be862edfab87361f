"""/v2/devices, /v2/key-packages: who can be added to groups."""

from chat.limits import UPLOADS
from handlers.base import uuid
from handlers.sealed.base import SealedHandler
from handlers.sealed.wire.devices import Claim, Count, DeviceShown, KeyPackage, NewDevice, NewKeyPackages
from handlers.sealed.wire.ids import device_id


class DevicesHandler(SealedHandler):
    async def post(self) -> None:
        session, wanted = await self.session(), self.body(NewDevice)
        device = await self.chat.devices.register(
            session, session.account.uuid, device_id(wanted.id), wanted.name, wanted.signature_key
        )
        self.reply(DeviceShown.of(device), 201)

    async def get(self) -> None:
        self.reply([DeviceShown.of(device) for device in await self.chat.devices.mine(await self.account())])


class DeviceHandler(SealedHandler):
    async def delete(self, id_: str) -> None:
        await self.chat.devices.revoke(await self.account(), device_id(id_))
        self.reply({})


class DevicesOfUserHandler(SealedHandler):
    async def get(self, name: str) -> None:
        account = await self.account()
        person = await self.chat.people.find(account, name)
        self.reply([DeviceShown.of(device) for device in await self.chat.devices.of(account, person.id)])


class KeyPackagesHandler(SealedHandler):
    async def post(self) -> None:
        device = await self.device()
        await self.chat.limits.take(UPLOADS, f"{device.id}", self.chat.now())
        given = self.body(NewKeyPackages)
        self.reply(Count(await self.chat.key_packages.add(device, given.key_packages, given.last_resort)), 201)


class CountHandler(SealedHandler):
    async def get(self) -> None:
        self.reply(Count(await self.chat.key_packages.count(await self.device())))


class ClaimHandler(SealedHandler):
    async def post(self, user: str) -> None:
        account, given = await self.account(), self.body(Claim)
        person = await self.chat.people.get(uuid("user", user))
        devices = [device_id(text) for text in given.devices] if given.devices is not None else None
        self.reply([KeyPackage.of(one) for one in await self.chat.key_packages.claim(account, person.id, devices)])

"""/v2/devices, /v2/key-packages: who can be added to groups."""

from chat.limits import UPLOADS
from handlers.http.base import uuid
from handlers.v2.base import V2Handler
from handlers.v2.schemas.devices import Claim, Count, DeviceShown, KeyPackage, NewDevice, NewKeyPackages
from handlers.v2.schemas.ids import device_id


class DevicesHandler(V2Handler):
    async def post(self) -> None:
        session, wanted = await self.session(), self.body(NewDevice)
        device = await self.services.devices.register(
            session, session.account.uuid, device_id(wanted.id), wanted.name, wanted.signature_key
        )
        self.reply(DeviceShown.of(device), 201)

    async def get(self) -> None:
        self.reply([DeviceShown.of(device) for device in await self.services.devices.mine(await self.account())])


class DeviceHandler(V2Handler):
    async def delete(self, id_: str) -> None:
        await self.services.devices.revoke(await self.account(), device_id(id_))
        self.reply({})


class DevicesOfUserHandler(V2Handler):
    async def get(self, name: str) -> None:
        account = await self.account()
        person = await self.services.contacts.find(account, name)
        self.reply([DeviceShown.of(device) for device in await self.services.devices.of(account, person.id)])


class KeyPackagesHandler(V2Handler):
    async def post(self) -> None:
        device = await self.device()
        await self.services.limits.take(UPLOADS, f"{device.id}", self.services.now())
        given = self.body(NewKeyPackages)
        self.reply(Count(await self.services.key_packages.add(device, given.key_packages, given.last_resort)), 201)


class CountHandler(V2Handler):
    async def get(self) -> None:
        self.reply(Count(await self.services.key_packages.count(await self.device())))


class ClaimHandler(V2Handler):
    async def post(self, user: str) -> None:
        account, given = await self.account(), self.body(Claim)
        person = await self.services.contacts.get(uuid("user", user))
        devices = [device_id(text) for text in given.devices] if given.devices is not None else None
        self.reply([KeyPackage.of(one) for one in await self.services.key_packages.claim(account, person.id, devices)])

"""Devices and groups of users over HTTP, with frames that the server accepts (tests/mls/maker.py)."""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from chat.model.groups import CommitBundle
from testing.server import Person
from tests.mls.maker import MadeGroup, Signer


@dataclass(eq=False)
class MlsDevice:
    """A device of a user. `session` is the session that is bound to it."""

    session: Person
    id: int
    signer: Signer

    @property
    def hex(self) -> str:
        return f"{self.id:016x}"

    @property
    def registration(self) -> dict[str, str]:
        return {"id": self.hex, "name": "Laptop", "signature_key": b64encode(self.signer.public_key).decode()}

    def key_package(self) -> bytes:
        now = self.session.server.clock()
        begin, end = (int((now + timedelta(days)).timestamp()) for days in (-1, 30))
        return self.signer.key_package(lifetime=(begin, end))

    async def uploads(self, count: int = 1) -> None:
        body = {"key_packages": [b64encode(self.key_package()).decode() for _ in range(count)]}
        answer = await self.session.api.post("/v2/key-packages", json=body)
        assert answer.status_code == 201, answer.text

    async def claims(self, other: "MlsDevice") -> bytes:
        """Claim a key package of the device `other`."""
        wanted = {"devices": [other.hex]}
        answer = await self.session.api.post(f"/v2/users/{other.session.uuid}/key-packages/claim", json=wanted)
        assert answer.status_code == 200, answer.text
        return b64decode(answer.json()[0]["key_package"], validate=True)


async def device(session: Person) -> MlsDevice:
    """Register a new device and bind it to this session."""
    device_id = secrets.randbits(62) | 1
    made = MlsDevice(session, device_id, Signer(f"{session.uuid}:{device_id:x}@sottovoce".encode()))
    answer = await session.api.post("/v2/devices", json=made.registration)
    assert answer.status_code == 201, answer.text
    return made


@dataclass
class MlsGroup:
    """A group of devices over HTTP. It enters an epoch when the server has accepted a commit."""

    made: MadeGroup

    @classmethod
    def of(cls, creator: MlsDevice, id: UUID | None = None) -> "MlsGroup":
        """A group of one device. The first commit creates it at the server."""
        return cls(MadeGroup(id or uuid4(), creator.signer))

    @property
    def id(self) -> UUID:
        return self.made.group_id

    @property
    def epoch(self) -> int:
        return self.made.epoch

    @property
    def path(self) -> str:
        return f"/v2/conversations/{self.id}"

    def has(self, device: MlsDevice) -> bool:
        return device.signer in self.made.leaves.values()

    def message(self, text: bytes = b"secret", *, epoch: int | None = None) -> str:
        return b64encode(self.made.message(text, epoch=epoch)).decode()

    def commit(
        self,
        by: MlsDevice,
        add: Mapping[MlsDevice, bytes] = {},
        remove: tuple[MlsDevice, ...] = (),
        **options: Any,
    ) -> "Commit":
        """`add`: key packages by device. `options`: those of `MadeGroup.commit`, which break rules."""
        after = self.made.copy()
        added = [(one.signer, package) for one, package in add.items()]
        removed = [one.signer for one in remove]
        return Commit(self, after.commit(by.signer, add=added, remove=removed, **options), after)


@dataclass
class Commit:
    group: MlsGroup
    bundle: CommitBundle
    after: MadeGroup

    @property
    def body(self) -> dict[str, Any]:
        frames = {name: getattr(self.bundle, name) for name in ("commit", "welcome", "group_info")}
        given = {name: b64encode(frame).decode() for name, frame in frames.items() if frame is not None}
        return given | ({"id": str(self.group.id)} if self.group.epoch == 0 else {"read": self.bundle.read})

    async def sent_by(self, session: Person) -> httpx.Response:
        """Send the commit; if it is accepted, the group enters the next epoch."""
        path = "/v2/conversations" if self.group.epoch == 0 else f"{self.group.path}/commits"
        answer = await session.api.post(path, json=self.body)
        if answer.is_success:
            self.group.made = self.after
        return answer


async def group_of(owner: MlsDevice, *others: MlsDevice) -> MlsGroup:
    """Create a group of the owner with the other devices."""
    group, packages = MlsGroup.of(owner), {}
    for other in others:
        await other.uploads()
        packages[other] = await owner.claims(other)
    answer = await group.commit(owner, packages).sent_by(owner.session)
    assert answer.status_code == 201, answer.text
    return group

"""MLS frames as a delivery service sees them: signed by their devices, without encrypted content.

The server reads who changes what and checks signatures; it cannot read secrets, so random bytes stand for those. Frames
that members could read come from CoreCrypto: tests/mls/frames.json and web/scenarios.
"""

import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.mls.checks import key_package_reference
from crypto.mls.wire import opaque
from testing.server import Person

MLS_10, SUITE = (1).to_bytes(2), (1).to_bytes(2)
PUBLIC_MESSAGE, PRIVATE_MESSAGE, WELCOME, GROUP_INFO = (number.to_bytes(2) for number in (1, 2, 3, 4))
APPLICATION, COMMIT = b"\x01", b"\x03"
BY_VALUE, ADD, REMOVE, EXTERNAL_INIT = b"\x01", (1).to_bytes(2), (3).to_bytes(2), (6).to_bytes(2)
PRESENT, BLANK, IS_LEAF = b"\x01", b"\x00", b"\x01"
NONE = opaque(b"")  # an empty vector


@dataclass(eq=False)
class MlsDevice:
    """A device of a user, with its signature key. `session` is the session that is bound to it."""

    session: Person
    id: int
    key: Ed25519PrivateKey

    @property
    def hex(self) -> str:
        return f"{self.id:016x}"

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def registration(self) -> dict[str, str]:
        return {"id": self.hex, "name": "Laptop", "signature_key": b64encode(self.public_key).decode()}

    def sign(self, label: str, content: bytes) -> bytes:
        """SignWithLabel, RFC 9420 section 5.1.2."""
        return self.key.sign(opaque(f"MLS 1.0 {label}".encode()) + opaque(content))

    def leaf(self, source: bytes, context: bytes = b"") -> bytes:
        identity = f"{self.session.uuid}:{self.id:x}@sottovoce".encode()
        keys = opaque(secrets.token_bytes(32)) + opaque(self.public_key)
        signed = keys + (1).to_bytes(2) + opaque(identity) + 5 * NONE + source + NONE
        return signed + opaque(self.sign("LeafNodeTBS", signed + context))

    def key_package(self, *, forge_leaf: bool = False) -> bytes:
        """`forge_leaf`: sign something else than the leaf; the signature of the package is right."""
        now = self.session.server.clock()
        lifetime = b"".join(int(one.timestamp()).to_bytes(8) for one in (now - timedelta(1), now + timedelta(30)))
        leaf = self.leaf(b"\x01" + lifetime, b"forged" if forge_leaf else b"")
        signed = MLS_10 + SUITE + opaque(secrets.token_bytes(32)) + leaf + NONE
        return signed + opaque(self.sign("KeyPackageTBS", signed))

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
    made = MlsDevice(session, secrets.randbits(62) | 1, Ed25519PrivateKey.generate())
    answer = await session.api.post("/v2/devices", json=made.registration)
    assert answer.status_code == 201, answer.text
    return made


@dataclass
class MlsGroup:
    """A group as its members see it: its epoch, and the device at each leaf."""

    id: UUID = field(default_factory=uuid4)
    epoch: int = 0
    leaves: dict[int, tuple[MlsDevice, bytes]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/v2/conversations/{self.id}"

    def leaf_of(self, device: MlsDevice) -> int:
        return next(leaf for leaf, (holder, _) in self.leaves.items() if holder is device)

    def message(self, text: bytes = b"secret", *, epoch: int | None = None) -> str:
        """An application message with random content."""
        content = self._head(PRIVATE_MESSAGE, self.epoch if epoch is None else epoch) + APPLICATION
        return b64encode(content + NONE + opaque(b"sender") + opaque(text)).decode()

    def commit(
        self,
        by: MlsDevice,
        add: dict[MlsDevice, bytes] | None = None,
        remove: tuple[MlsDevice, ...] = (),
        *,
        forge_path: bool = False,
        with_path: bool = True,
        also: bytes = b"",
    ) -> "Commit":
        """`add`: key packages by device. `forge_path`: sign the path for another leaf. `also`: other proposals."""
        add = add or {}
        sender = 0 if not self.leaves else self.leaf_of(by)
        after = {leaf: holder for leaf, holder in self.leaves.items() if holder[0] not in remove}
        proposals = [BY_VALUE + REMOVE + self.leaf_of(one).to_bytes(4) for one in remove]
        after[sender] = (by, b"")
        for one, package in add.items():
            proposals.append(BY_VALUE + ADD + package)
            after[min(set(range(len(after) + 1)) - set(after))] = (one, one.leaf(b"\x02"))
        path = self._path(by, sender + forge_path)
        after[sender] = (by, path if with_path else self.leaves[sender][1])
        head = self._head(PUBLIC_MESSAGE, self.epoch) + b"\x01" + sender.to_bytes(4) + NONE + COMMIT
        update = PRESENT + path + NONE if with_path else BLANK
        commit = head + opaque(b"".join(proposals) + also) + update + 3 * opaque(b"tag")
        references = b"".join(opaque(key_package_reference(package)) + 2 * NONE for package in add.values())
        welcome = MLS_10 + WELCOME + SUITE + opaque(references) + opaque(b"info") if add else None
        return Commit(self, commit, welcome, self._group_info(by, sender, after), after)

    def external_commit(self, by: MlsDevice, *, inits: int = 1, also: bytes = b"", with_path: bool = True) -> "Commit":
        """A commit by which a new device of a member joins. `also`: other proposals, which are not allowed."""
        leaf = min(set(range(len(self.leaves) + 1)) - set(self.leaves))
        path = self._path(by, leaf)
        head = self._head(PUBLIC_MESSAGE, self.epoch) + b"\x04" + NONE + COMMIT
        proposals = opaque(inits * (BY_VALUE + EXTERNAL_INIT + opaque(b"kem")) + also)
        commit = head + proposals + (PRESENT + path + NONE if with_path else BLANK) + 2 * opaque(b"tag")
        after = {**self.leaves, leaf: (by, path)}
        return Commit(self, commit, None, self._group_info(by, leaf, after), after)

    def _head(self, kind: bytes, epoch: int) -> bytes:
        return MLS_10 + kind + opaque(self.id.bytes) + epoch.to_bytes(8)

    def _path(self, by: MlsDevice, leaf: int) -> bytes:
        return by.leaf(b"\x03" + opaque(b"parent"), opaque(self.id.bytes) + leaf.to_bytes(4))

    def _group_info(self, by: MlsDevice, signer: int, leaves: dict[int, tuple[MlsDevice, bytes]]) -> bytes:
        nodes = [PRESENT + IS_LEAF + leaves[leaf][1] if leaf in leaves else BLANK for leaf in range(max(leaves) + 1)]
        tree = opaque(BLANK.join(nodes))
        context = MLS_10 + SUITE + opaque(self.id.bytes) + (self.epoch + 1).to_bytes(8) + 2 * opaque(b"hash") + NONE
        extensions = opaque((2).to_bytes(2) + opaque(tree) + (4).to_bytes(2) + opaque(b"external"))
        signed = context + extensions + opaque(b"tag") + signer.to_bytes(4)
        return MLS_10 + GROUP_INFO + signed + opaque(by.sign("GroupInfoTBS", signed))


@dataclass
class Commit:
    group: MlsGroup
    commit: bytes
    welcome: bytes | None
    group_info: bytes
    leaves: dict[int, tuple[MlsDevice, bytes]]

    @property
    def body(self) -> dict[str, Any]:
        frames = {"commit": self.commit, "welcome": self.welcome, "group_info": self.group_info}
        given = {name: b64encode(frame).decode() for name, frame in frames.items() if frame is not None}
        return given | ({"id": str(self.group.id)} if self.group.epoch == 0 else {"read": 2**62})

    async def sent_by(self, session: Person) -> httpx.Response:
        """Send the commit; if it is accepted, the group enters the next epoch."""
        path = "/v2/conversations" if self.group.epoch == 0 else f"{self.group.path}/commits"
        answer = await session.api.post(path, json=self.body)
        if answer.is_success:
            self.group.epoch, self.group.leaves = self.group.epoch + 1, self.leaves
        return answer


async def group_of(owner: MlsDevice, *others: MlsDevice) -> MlsGroup:
    """Create a group of the owner with the other devices."""
    group, packages = MlsGroup(), {}
    for other in others:
        await other.uploads()
        packages[other] = await owner.claims(other)
    answer = await group.commit(owner, packages).sent_by(owner.session)
    assert answer.status_code == 201, answer.text
    return group

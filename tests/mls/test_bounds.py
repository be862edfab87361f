"""Bounds of a commit, and mistakes that CoreCrypto does not make: `plan_commit` on frames that are signed here."""

import secrets
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chat.errors import BadFrame, NotAllowed
from chat.mls import commit_rules
from chat.mls.commit_rules import MAX_FRAME_BYTES, MAX_LEAVES, plan_commit, read_bundle
from chat.model.groups import (
    Accepted,
    ClaimedKeyPackage,
    Claims,
    CommitBundle,
    CommitFacts,
    Device,
    Group,
    GroupChange,
    LeafHolder,
    Refused,
)
from chat.model.ids import ConversationId, DeviceId, UserId
from crypto.mls.checks import Forged, check_key_package, key_package_reference
from crypto.mls.frames import parse_key_package
from crypto.mls.wire import Malformed
from tests.v2.mls import ADD, BY_VALUE, EXTERNAL_INIT, REMOVE, Commit, MlsDevice, MlsGroup


def claimed(device: MlsDevice, user: UserId) -> ClaimedKeyPackage:
    return ClaimedKeyPackage(DeviceId(device.id), user, is_contact=False, is_blocking=False)


class World:
    """People with devices, and a group that the first of them has made."""

    def __init__(self, count: int) -> None:
        self.devices = [self.device() for _ in range(count)]
        self.users = {id(device): UserId(nth) for nth, device in enumerate(self.devices, 1)}
        self.group = MlsGroup()
        self.info = b""
        self.roles: dict[UserId, Any] = {UserId(1): "owner"}
        self.claims: Claims = {}

    @staticmethod
    def device(uuid: UUID | None = None) -> MlsDevice:
        session: Any = SimpleNamespace(uuid=uuid or uuid4(), server=SimpleNamespace(clock=lambda: datetime.now(UTC)))
        return MlsDevice(session, secrets.randbits(62) | 1, Ed25519PrivateKey.generate())

    def packages(self, *devices: MlsDevice) -> dict[MlsDevice, bytes]:
        """Claimed ones."""
        made = {device: device.key_package() for device in devices}
        self.claims = {
            key_package_reference(package): claimed(device, self.users[id(device)]) for device, package in made.items()
        }
        return made

    def plan(self, commit: Commit, by: MlsDevice) -> GroupChange:
        place = ConversationId(self.group.id)
        frames = read_bundle(CommitBundle(commit.commit, commit.welcome, commit.group_info), place)
        leaves = {leaf: self.holder(device) for leaf, (device, _) in self.group.leaves.items()}
        if not leaves:
            leaves = {0: self.holder(by)}
        known = Group(self.group.epoch, self.info, leaves, self.roles)
        user = self.users[id(by)]
        shown = Device(DeviceId(by.id), user, by.session.uuid, "", by.public_key, datetime.now(UTC))
        outcome = plan_commit(frames, shown, CommitFacts(known, self.claims))
        if isinstance(outcome, Refused):
            raise outcome.error
        assert isinstance(outcome, Accepted)
        return outcome.change

    def holder(self, device: MlsDevice) -> LeafHolder:
        return LeafHolder(DeviceId(device.id), self.users[id(device)])

    def accept(self, commit: Commit, by: MlsDevice) -> None:
        change = self.plan(commit, by)
        self.roles |= dict.fromkeys(change.new_members, "member")
        self.group.epoch, self.group.leaves, self.info = self.group.epoch + 1, commit.leaves, commit.group_info

    def phone(self, of: MlsDevice) -> MlsDevice:
        """Another device of the same person."""
        made = self.device(of.session.uuid)
        self.users[id(made)] = self.users[id(of)]
        self.devices.append(made)
        return made


def test_group_is_bounded_when_members_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_LEAVES == 1024
    monkeypatch.setattr(commit_rules, "MAX_LEAVES", 4)
    world = World(5)
    owner, *others = world.devices
    world.accept(world.group.commit(owner, world.packages(*others[:3])), owner)
    assert len(world.group.leaves) == 4, "the last place is taken"
    with pytest.raises(BadFrame, match="at most 4 devices"):
        world.plan(world.group.commit(owner, world.packages(others[3])), owner)


def test_group_is_bounded_when_devices_join_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_rules, "MAX_LEAVES", 4)
    world = World(3)
    owner, *others = world.devices
    world.accept(world.group.commit(owner, world.packages(*others)), owner)
    phone, tablet = world.phone(owner), world.phone(owner)
    world.accept(world.group.external_commit(phone), phone)
    assert len(world.group.leaves) == 4, "the last place is taken"
    with pytest.raises(BadFrame, match="at most 4 devices"):
        world.plan(world.group.external_commit(tablet), tablet)


def test_commit_takes_the_leftmost_free_leaves() -> None:
    world = World(4)
    owner, *others = world.devices
    world.accept(world.group.commit(owner, world.packages(*others[:2])), owner)
    world.accept(world.group.commit(owner, remove=(others[0],)), owner)
    change = world.plan(world.group.commit(owner, world.packages(others[2])), owner)
    assert change.added == {1: world.holder(others[2])}


@pytest.mark.parametrize("which", ["commit", "welcome", "group_info"])
def test_frame_of_a_commit_has_at_most_a_megabyte(which: str) -> None:
    assert MAX_FRAME_BYTES == 2**20
    frames = {"commit": b"", "welcome": None, "group_info": b""}
    with pytest.raises(BadFrame, match=f"{which} must have at most 1,048,576 bytes"):
        read_bundle(CommitBundle(**frames | {which: bytes(2**20 + 1)}), ConversationId(uuid4()))
    with pytest.raises(BadFrame, match="Malformed MLS message"):
        read_bundle(CommitBundle(**frames | {which: bytes(2**20)}), ConversationId(uuid4()))


def test_member_may_add_own_devices_and_no_members() -> None:
    world = World(3)
    owner, member, stranger = world.devices
    world.accept(world.group.commit(owner, world.packages(member)), owner)
    phone = world.phone(member)
    assert world.plan(world.group.commit(member, world.packages(phone)), member).new_members == {}
    with pytest.raises(NotAllowed, match="add members"):
        world.plan(world.group.commit(member, world.packages(stranger)), member)
    world.roles[UserId(2)] = "admin"
    change = world.plan(world.group.commit(member, world.packages(stranger)), member)
    assert list(change.new_members) == [UserId(3)]


def test_device_added_twice_in_a_commit_is_refused() -> None:
    world = World(2)
    owner, other = world.devices
    (first,), (second,) = world.packages(other).values(), world.packages(other).values()
    twin = MlsDevice(other.session, other.id, other.key)
    world.users[id(twin)] = world.users[id(other)]
    world.claims = {key_package_reference(package): claimed(other, UserId(2)) for package in (first, second)}
    with pytest.raises(BadFrame, match="in the group already"):
        world.plan(world.group.commit(owner, {other: first, twin: second}), owner)


def test_external_commit_has_one_init_a_path_and_no_more() -> None:
    world = World(2)
    owner, other = world.devices
    world.accept(world.group.commit(owner), owner)
    phone = world.phone(owner)
    add = BY_VALUE + ADD + next(iter(world.packages(other).values()))
    for wrong in (
        world.group.external_commit(phone, inits=0),
        world.group.external_commit(phone, inits=2),
        world.group.external_commit(phone, also=add),
        world.group.external_commit(phone, with_path=False),
    ):
        with pytest.raises(BadFrame, match="exactly one ExternalInit"):
            world.plan(wrong, phone)
    assert world.plan(world.group.external_commit(phone), phone).added == {1: world.holder(phone)}


def test_external_commit_removes_no_leaf_of_another() -> None:
    world = World(2)
    owner, other = world.devices
    world.accept(world.group.commit(owner, world.packages(other)), owner)
    phone = world.phone(owner)
    for leaf in (0, 1):
        with pytest.raises(BadFrame, match="own former leaf"):
            world.plan(world.group.external_commit(phone, also=BY_VALUE + REMOVE + leaf.to_bytes(4)), phone)


def test_member_needs_a_path_but_for_adds_alone() -> None:
    world = World(3)
    owner, other, third = world.devices
    world.accept(world.group.commit(owner, world.packages(other)), owner)
    with pytest.raises(BadFrame, match="must contain an update path"):
        world.plan(world.group.commit(owner, with_path=False), owner)
    with pytest.raises(BadFrame, match="must contain an update path"):
        world.plan(world.group.commit(owner, remove=(other,), with_path=False), owner)
    with pytest.raises(BadFrame, match="not allowed in a member's commit"):
        world.plan(world.group.commit(owner, also=BY_VALUE + EXTERNAL_INIT + b"\x03kem"), owner)
    commit = world.group.commit(owner, world.packages(third), with_path=False)
    assert list(world.plan(commit, owner).new_members) == [UserId(3)]


def test_member_who_removes_the_own_leaf_is_refused() -> None:
    world = World(2)
    owner, other = world.devices
    world.accept(world.group.commit(owner, world.packages(other)), owner)
    commit = world.group.commit(other, also=BY_VALUE + REMOVE + world.group.leaf_of(other).to_bytes(4))
    with pytest.raises(BadFrame, match="own leaf is not allowed"):
        world.plan(commit, other)


def test_group_info_of_another_epoch_or_signer_is_refused() -> None:
    world = World(2)
    owner, other = world.devices
    world.accept(world.group.commit(owner, world.packages(other)), owner)
    commit = world.group.commit(owner)
    late = MlsGroup(world.group.id, world.group.epoch + 1, world.group.leaves)
    for info in (
        late._group_info(owner, 0, commit.leaves),
        world.group._group_info(owner, 1, commit.leaves),
    ):
        with pytest.raises(commit_rules.TreeDiffers):
            world.plan(Commit(world.group, commit.commit, None, info, commit.leaves), owner)


def test_key_package_needs_both_signatures() -> None:
    device, now = World.device(), datetime.now(UTC)
    check_key_package(parse_key_package(device.key_package()), now)
    with pytest.raises(Forged, match="LeafNodeTBS"):
        check_key_package(parse_key_package(device.key_package(forge_leaf=True)), now)
    forged = bytearray(device.key_package())
    forged[-1] ^= 1
    with pytest.raises(Forged, match="KeyPackageTBS"):
        check_key_package(parse_key_package(bytes(forged)), now)


def test_key_package_is_valid_from_its_first_second_to_its_last() -> None:
    package = parse_key_package(World.device().key_package())
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (package.leaf.not_before, package.leaf.not_after))
    moment = timedelta(milliseconds=1)
    for valid in (begin, end - moment):
        check_key_package(package, valid)
    for invalid in (begin - moment, end):
        with pytest.raises(Malformed, match="expired or not valid yet"):
            check_key_package(package, invalid)

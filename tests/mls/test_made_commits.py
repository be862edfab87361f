"""The rules of a commit on frames that CoreCrypto does not make: groups of any shape, commits wrong in one place."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs

from chat.errors import BadFrame, ChatError, NotAllowed, TreeDiffers
from chat.mls import commit_rules
from chat.mls.commit_rules import MAX_FRAME_BYTES, MAX_LEAVES, MUTED_FOR, plan_commit, read_bundle
from chat.model.groups import (
    Accepted,
    ClaimedKeyPackage,
    CommitBundle,
    CommitFacts,
    Device,
    Group,
    GroupChange,
    LeafHolder,
    MemberRole,
    Muting,
    Outcome,
    Refused,
)
from chat.model.ids import ConversationId, DeviceId, UserId
from crypto.mls.checks import key_package_reference
from tests.mls.maker import UNUSABLE_KEYS, MadeGroup, Signer

CONVERSATION = ConversationId(UUID("11111111-2222-4333-8444-555555555555"))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALICE, BOB, CAROL = UserId(1), UserId(2), UserId(3)


@dataclass(frozen=True)
class Owned:
    """A device with its key."""

    device: Device
    signer: Signer

    @property
    def holder(self) -> LeafHolder:
        return LeafHolder(self.device.id, self.device.user_id)


def owned(number: int, user: UserId) -> Owned:
    device = Device(DeviceId(number), user, UUID(int=user), "a device", b"", NOW)
    signer = Signer(device.identity)
    return Owned(structs.replace(device, signature_key=signer.public_key), signer)


LAPTOP, PHONE, TABLET = owned(1, ALICE), owned(2, ALICE), owned(3, ALICE)
BOBS, BOBS_PHONE, CAROLS = owned(4, BOB), owned(5, BOB), owned(6, CAROL)


class GroupOf:
    """A group in epoch 1 with these devices at the leaves 0, 1, … The first one's user owns it."""

    def __init__(self, *devices: Owned, **facts: Any) -> None:
        self.made = MadeGroup(CONVERSATION, devices[0].signer)
        for leaf, one in enumerate(devices[1:], 1):
            self.made.place(leaf, one.signer)
        info = self.made.commit(devices[0].signer).group_info
        roles: dict[UserId, MemberRole] = {one.device.user_id: "member" for one in devices}
        roles[devices[0].device.user_id] = "owner"
        self.group = Group(1, info, {leaf: one.holder for leaf, one in enumerate(devices)}, roles)
        self.facts = CommitFacts(self.group, {}, **facts)

    def on(self, **changes: Any) -> "GroupOf":
        """Change fields of the stored group."""
        self.group = structs.replace(self.group, **changes)
        self.facts = structs.replace(self.facts, group=self.group)
        return self

    def claim(self, *devices: Owned, **options: Any) -> list[tuple[Signer, bytes]]:
        """Claim a key package of each device, with options of `Signer.key_package`."""
        packages = [(one, one.signer.key_package(**options)) for one in devices]
        claims = {
            key_package_reference(package): ClaimedKeyPackage(one.device.id, one.device.user_id)
            for one, package in packages
        }
        self.facts = structs.replace(self.facts, claims=claims)
        return [(one.signer, package) for one, package in packages]

    def plan(self, by: Owned = LAPTOP, **options: Any) -> Outcome:
        """The outcome of a commit by this device, with options of `MadeGroup.commit`."""
        return self.plan_bundle(self.made.copy().commit(by.signer, **options), by)

    def plan_bundle(self, bundle: CommitBundle, by: Owned = LAPTOP) -> Outcome:
        return plan_commit(read_bundle(bundle, CONVERSATION), by.device, self.facts)


def refusal(outcome: Outcome) -> ChatError:
    assert isinstance(outcome, Refused)
    return outcome.error


def effects(outcome: Outcome) -> GroupChange:
    assert isinstance(outcome, Accepted)
    return outcome.change


ONE_INIT = "External commit must contain exactly one ExternalInit, no Add, and an update path"
OWN_LEAF = "External commit must remove the device's own former leaf and no other"
NEEDS_PATH = "Commit with a Remove, or without proposals, must contain an update path"
REJOIN: dict[str, Any] = {"external": True, "remove": [LAPTOP.signer]}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"with_init": True}, "ExternalInit is not allowed in a member's commit"),
        ({"remove": [LAPTOP.signer]}, "Remove of the committer's own leaf is not allowed"),
        ({"with_path": False}, NEEDS_PATH),
        ({"with_path": False, "remove": [BOBS.signer]}, NEEDS_PATH),
        ({"external": True, "remove": [LAPTOP.signer, BOBS.signer]}, OWN_LEAF),
        ({"external": True, "remove": [BOBS.signer]}, OWN_LEAF),
        ({"external": True, "remove": []}, OWN_LEAF),
        ({**REJOIN, "with_init": True}, ONE_INIT),
        ({**REJOIN, "without_init": True}, ONE_INIT),
        ({**REJOIN, "with_path": False}, ONE_INIT),
        ({**REJOIN, "add": [(BOBS.signer, BOBS.signer.key_package())]}, ONE_INIT),
        ({"path_at": 7}, "Malformed MLS message: signature of LeafNodeTBS does not verify"),
        ({"path_by": BOBS.signer}, "The committer's leaf has another device's identity or signature key"),
    ],
)
def test_malformed_commit_is_refused_with_its_reason(options: dict[str, Any], text: str) -> None:
    error = refusal(GroupOf(LAPTOP, BOBS).plan(**options))
    assert isinstance(error, BadFrame)
    assert str(error) == text


@pytest.mark.parametrize("key", UNUSABLE_KEYS.values(), ids=UNUSABLE_KEYS)
@pytest.mark.parametrize("field", ["leaf_key", "node_key"])
def test_commit_with_an_unusable_key_is_refused(field: str, key: bytes) -> None:
    error = refusal(GroupOf(LAPTOP, BOBS).plan(wrong={field: key}))
    assert isinstance(error, BadFrame)
    assert str(error) == "Malformed MLS message: encryption_key is not a usable X25519 public key"


def test_commit_that_only_adds_needs_no_path() -> None:
    group = GroupOf(LAPTOP, BOBS)
    assert list(effects(group.plan(add=group.claim(CAROLS), with_path=False)).new_members) == [CAROL]


def test_device_joins_by_itself_with_no_former_leaf() -> None:
    assert effects(GroupOf(LAPTOP, BOBS).plan(PHONE, external=True)).added == {2: PHONE.holder}


def test_device_that_joins_may_remove_no_leaf_of_its_user() -> None:
    for leaf in (LAPTOP, BOBS):
        assert str(refusal(GroupOf(LAPTOP, BOBS).plan(PHONE, external=True, remove=[leaf.signer]))) == OWN_LEAF


def test_device_that_joins_again_may_have_unread_messages() -> None:
    change = effects(GroupOf(LAPTOP, unread=frozenset([LAPTOP.device.id])).plan(**REJOIN))
    assert (change.removed, change.added) == ([LAPTOP.holder], {0: LAPTOP.holder})


def test_unread_sender_is_muted_with_all_removed_devices() -> None:
    group = GroupOf(LAPTOP, BOBS, BOBS_PHONE, unread=frozenset([BOBS_PHONE.device.id]))
    outcome = group.plan(remove=[BOBS.signer, BOBS_PHONE.signer])
    assert isinstance(outcome, Refused)
    assert outcome.muting == Muting([BOBS.device.id, BOBS_PHONE.device.id], MUTED_FOR)


def test_member_may_add_own_devices_and_no_members() -> None:
    group = GroupOf(LAPTOP, BOBS)
    assert effects(group.plan(BOBS, add=group.claim(BOBS_PHONE))).new_members == {}
    assert isinstance(refusal(group.plan(BOBS, add=group.claim(CAROLS))), NotAllowed)
    admin = group.on(roles={ALICE: "owner", BOB: "admin"})
    assert list(effects(admin.plan(BOBS, add=group.claim(CAROLS))).new_members) == [CAROL]


def test_member_removed_and_added_at_once_is_due_for_removal() -> None:
    """The removal ends the membership, and the new leaf does not begin another one."""
    group = GroupOf(LAPTOP, BOBS)
    change = effects(group.plan(remove=[BOBS.signer], add=group.claim(BOBS_PHONE)))
    assert (change.lost_members, change.new_members, change.removal_due) == ([BOB], {}, True)


def test_member_removes_a_device_of_their_own() -> None:
    change = effects(GroupOf(LAPTOP, TABLET).on(roles={ALICE: "member"}).plan(remove=[TABLET.signer]))
    assert (change.removed, change.lost_members, change.removal_due) == ([TABLET.holder], [], False)


def test_device_added_twice_by_a_commit_is_refused() -> None:
    group = GroupOf(LAPTOP)
    outcome = group.plan(add=group.claim(BOBS, BOBS))
    assert str(refusal(outcome)) == "Add refers to a device that is in the group already"


def test_commit_takes_the_leftmost_free_leaves() -> None:
    group = GroupOf(LAPTOP, BOBS, CAROLS)
    del group.made.leaves[1]
    group.made.tree.remove(1)
    group.on(leaves={0: LAPTOP.holder, 2: CAROLS.holder}, group_info=group.made.group_info(LAPTOP.signer, 0))
    assert effects(group.plan(add=group.claim(PHONE, TABLET))).added == {1: PHONE.holder, 3: TABLET.holder}


@pytest.mark.parametrize(("epochs", "signer"), [(1, 0), (0, 1)], ids=["epoch", "signer"])
def test_group_info_of_another_epoch_or_signer_is_refused(epochs: int, signer: int) -> None:
    group = GroupOf(LAPTOP, BOBS)
    bundle = group.made.commit(LAPTOP.signer)
    assert isinstance(group.plan_bundle(bundle), Accepted)
    group.made.epoch += epochs
    other = structs.replace(bundle, group_info=group.made.group_info(LAPTOP.signer, signer))
    assert isinstance(refusal(group.plan_bundle(other)), TreeDiffers)


def test_group_is_bounded_however_devices_come(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_LEAVES == 1024
    monkeypatch.setattr(commit_rules, "MAX_LEAVES", 3)
    for devices in ([LAPTOP, BOBS], [LAPTOP, BOBS, CAROLS]):
        group = GroupOf(*devices)
        for outcome in (group.plan(add=group.claim(TABLET)), group.plan(PHONE, external=True)):
            if len(devices) == 3:
                assert "at most 3 devices" in str(refusal(outcome))
            else:
                assert isinstance(outcome, Accepted), "the last place is taken"


@pytest.mark.parametrize("which", ["commit", "welcome", "group_info"])
def test_frame_of_a_commit_has_at_most_a_megabyte(which: str) -> None:
    assert MAX_FRAME_BYTES == 2**20
    frames: dict[str, Any] = {"commit": b"", "welcome": None, "group_info": b""}
    with pytest.raises(BadFrame, match=f"{which} must have at most 1,048,576 bytes"):
        read_bundle(CommitBundle(**frames | {which: bytes(2**20 + 1)}), ConversationId(uuid4()))
    with pytest.raises(BadFrame, match="Malformed MLS message"):
        read_bundle(CommitBundle(**frames | {which: bytes(2**20)}), ConversationId(uuid4()))

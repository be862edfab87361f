"""What the server makes of a commit: `plan_change`, on frames of CoreCrypto. web/scenarios has the same in life."""

import base64
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from msgspec import structs

from chat.errors import (
    BadFrame,
    ChatError,
    NoSuchConversation,
    NotALeaf,
    NotAllowed,
    StaleEpoch,
    TreeDiffers,
    UnknownKeyPackage,
    WrongGroup,
)
from chat.group_plan import Frames, plan_change, read_bundle
from chat.model import (
    Bundle,
    ClaimedKeyPackage,
    Claims,
    ConversationId,
    Device,
    DeviceId,
    Group,
    GroupChange,
    LeafHolder,
    UserId,
)
from crypto.mls.frames import parse_group_info

MADE = json.loads(Path(__file__).with_name("frames.json").read_text())
STEPS = {step["name"]: {k: base64.b64decode(v) for k, v in step.items() if k != "name" and v} for step in MADE["steps"]}
CONVERSATION = ConversationId(UUID(MADE["group_id"]))
REFERENCE = base64.b64decode(MADE["reference"])
ALICE, BOB = UserId(1), UserId(2)
UUIDS = {ALICE: UUID("11111111-2222-4333-8444-555555555555"), BOB: UUID("21111111-2222-4333-8444-555555555555")}
KEYS = {
    one.identity: one.signature_key
    for step in STEPS.values()
    for one in parse_group_info(step["group_info"]).leaves.values()
}


def device(number: int, user: UserId) -> Device:
    made = Device(DeviceId(number), user, UUIDS[user], "a device", b"", datetime(2026, 1, 1, tzinfo=UTC))
    return structs.replace(made, signature_key=KEYS[made.identity])


LAPTOP, BOBS, PHONE = device(1, ALICE), device(2, BOB), device(3, ALICE)
AT_LAPTOP, AT_BOBS, AT_PHONE = LeafHolder(LAPTOP.id, ALICE), LeafHolder(BOBS.id, BOB), LeafHolder(PHONE.id, ALICE)
BOTH = {0: AT_LAPTOP, 1: AT_BOBS}
CLAIMED: Claims = {REFERENCE: ClaimedKeyPackage(BOBS.id, BOB)}


@dataclass(frozen=True)
class Step:
    """Everything that a plan is made of."""

    name: str
    device: Device
    group: Group
    claims: Claims
    change: GroupChange

    def frames(self) -> Frames:
        step = STEPS[self.name]
        return read_bundle(Bundle(step["commit"], step.get("welcome"), step["group_info"]), CONVERSATION)

    def plan(self) -> GroupChange:
        return plan_change(self.frames(), self.device, self.group, self.claims)

    def on(self, **changes: object) -> "Step":
        return replace(self, group=structs.replace(self.group, **changes))


def after(name: str, epoch: int, leaves: dict[int, LeafHolder]) -> Group:
    return Group(epoch, STEPS[name]["group_info"], leaves, {ALICE: "owner", BOB: "member"})


ADD = Step(
    "add",
    LAPTOP,
    Group(0, b"", {0: AT_LAPTOP}, {ALICE: "owner"}),
    CLAIMED,
    GroupChange([], {1: AT_BOBS}, [BOB], []),
)
UPDATE = Step("update", BOBS, after("add", 1, BOTH), {}, GroupChange([], {}, [], []))
JOIN = Step("join", PHONE, after("update", 2, BOTH), {}, GroupChange([], {2: AT_PHONE}, [], []))
REMOVE = Step("remove", LAPTOP, after("join", 3, {**BOTH, 2: AT_PHONE}), {}, GroupChange([AT_BOBS], {}, [], [BOB]))


@pytest.mark.parametrize("step", [ADD, UPDATE, JOIN, REMOVE], ids=lambda step: step.name)
def test_a_commit_comes_to_what_it_says(step: Step) -> None:
    assert step.plan() == step.change


def test_a_revoked_device_and_one_who_left_are_removed_by_anybody() -> None:
    revoked = {**REMOVE.group.leaves, 1: LeafHolder(BOBS.id, BOB, is_revoked=True)}
    plain = {ALICE: "member", BOB: "member"}
    assert REMOVE.on(leaves=revoked, roles=plain).plan().lost_members == []
    assert REMOVE.on(roles={ALICE: "member"}).plan().lost_members == []


@pytest.mark.parametrize(
    ("step", "error"),
    [
        pytest.param(UPDATE.on(epoch=2), StaleEpoch, id="late"),
        pytest.param(UPDATE.on(epoch=0), StaleEpoch, id="early"),
        pytest.param(replace(UPDATE, device=LAPTOP), NotALeaf, id="in another's name"),
        pytest.param(UPDATE.on(leaves={0: AT_LAPTOP}), NotALeaf, id="from nowhere"),
        pytest.param(UPDATE.on(roles={ALICE: "owner"}), NoSuchConversation, id="by a stranger"),
        pytest.param(JOIN.on(roles={BOB: "owner"}), NoSuchConversation, id="a stranger's device joins"),
        pytest.param(JOIN.on(leaves={**BOTH, 2: AT_PHONE}), BadFrame, id="joins without removing its former leaf"),
        pytest.param(replace(JOIN, device=LAPTOP), BadFrame, id="joins as another device"),
        pytest.param(replace(ADD, claims={}), UnknownKeyPackage, id="not claimed"),
        pytest.param(ADD.on(leaves=BOTH), BadFrame, id="in the group already"),
        pytest.param(REMOVE.on(roles={ALICE: "member", BOB: "member"}), NotAllowed, id="removed by a member"),
        pytest.param(REMOVE.on(roles={ALICE: "admin", BOB: "owner"}), NotAllowed, id="an owner removed by an admin"),
        pytest.param(REMOVE.on(roles={ALICE: "admin", BOB: "admin"}), NotAllowed, id="an admin removed by another"),
        pytest.param(REMOVE.on(leaves={0: AT_LAPTOP, 2: AT_PHONE}), BadFrame, id="who is not there"),
        pytest.param(
            REMOVE.on(leaves={**REMOVE.group.leaves, 3: LeafHolder(DeviceId(9), BOB)}),
            BadFrame,
            id="not all devices",
        ),
        pytest.param(UPDATE.on(group_info=STEPS["remove"]["group_info"]), TreeDiffers, id="on another tree"),
    ],
)
def test_a_commit_that_is_wrong_is_refused(step: Step, error: type[ChatError]) -> None:
    with pytest.raises(error):
        step.plan()


@pytest.mark.parametrize("other", ["update", "remove"])
def test_a_group_info_that_is_another_commits_is_refused(other: str) -> None:
    bundle = Bundle(STEPS["join"]["commit"], None, STEPS[other]["group_info"])
    with pytest.raises(TreeDiffers):
        plan_change(read_bundle(bundle, CONVERSATION), PHONE, JOIN.group, {})


def test_a_welcome_for_others_than_those_who_are_added_is_refused() -> None:
    bundle = Bundle(STEPS["add"]["commit"], None, STEPS["add"]["group_info"])
    with pytest.raises(BadFrame):
        plan_change(read_bundle(bundle, CONVERSATION), LAPTOP, ADD.group, CLAIMED)
    bundle = Bundle(STEPS["update"]["commit"], STEPS["add"]["welcome"], STEPS["update"]["group_info"])
    with pytest.raises(BadFrame):
        plan_change(read_bundle(bundle, CONVERSATION), BOBS, UPDATE.group, {})


def test_frames_of_another_group_and_frames_that_are_too_large_are_refused() -> None:
    step = STEPS["update"]
    with pytest.raises(WrongGroup):
        read_bundle(Bundle(step["commit"], None, step["group_info"]), ConversationId(UUID(int=7)))
    with pytest.raises(BadFrame):
        read_bundle(Bundle(step["commit"], bytes(2**20 + 1), step["group_info"]), CONVERSATION)


def test_a_signature_that_is_not_the_devices_is_refused() -> None:
    thief = structs.replace(BOBS, signature_key=KEYS[LAPTOP.identity])
    with pytest.raises(BadFrame):
        replace(UPDATE, device=thief).plan()
    info = bytearray(STEPS["update"]["group_info"])
    info[-1] ^= 1
    bundle = Bundle(STEPS["update"]["commit"], None, bytes(info))
    with pytest.raises(BadFrame):
        plan_change(read_bundle(bundle, CONVERSATION), BOBS, UPDATE.group, {})

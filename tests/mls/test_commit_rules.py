"""The rules of a commit, as pure functions, on frames of CoreCrypto."""

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
    NoDevice,
    NoSuchConversation,
    NotALeaf,
    NotAllowed,
    StaleEpoch,
    Taken,
    TreeDiffers,
    UnknownKeyPackage,
    UnreadMessages,
    WrongGroup,
)
from chat.mls.commit_rules import MUTED_FOR, Frames, plan_commit, plan_creation, read_bundle
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
    MemberState,
    Muting,
    Outcome,
    Refused,
    Repeated,
)
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import Entry
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
CLAIM = ClaimedKeyPackage(BOBS.id, BOB)
EARLIER = Entry(CONVERSATION, Seq(1), 1, ALICE, "", datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Step:
    """The input of a plan, and its expected change."""

    name: str
    device: Device
    facts: CommitFacts
    change: GroupChange

    def frames(self) -> Frames:
        step = STEPS[self.name]
        return read_bundle(CommitBundle(step["commit"], step.get("welcome"), step["group_info"]), CONVERSATION)

    def plan(self) -> Outcome:
        return plan_commit(self.frames(), self.device, self.facts)

    def on(self, **changes: object) -> "Step":
        """The same step with other fields of the group."""
        return self.given(group=structs.replace(self.facts.group, **changes))

    def given(self, **changes: object) -> "Step":
        """The same step with other facts."""
        return replace(self, facts=structs.replace(self.facts, **changes))


def after(name: str, epoch: int, leaves: dict[int, LeafHolder]) -> CommitFacts:
    return CommitFacts(Group(epoch, STEPS[name]["group_info"], leaves, {ALICE: "owner", BOB: "member"}), {})


def change(**effects: object) -> GroupChange:
    none = GroupChange([], {}, {}, [], contacts=[], removal_due=False)
    return structs.replace(none, **effects)


ADD = Step(
    "add",
    LAPTOP,
    CommitFacts(Group(0, b"", {0: AT_LAPTOP}, {ALICE: "owner"}), {REFERENCE: CLAIM}),
    change(added={1: AT_BOBS}, new_members={BOB: "requested"}, contacts=[BOB]),
)
UPDATE = Step("update", BOBS, after("add", 1, BOTH), change())
JOIN = Step("join", PHONE, after("update", 2, BOTH), change(added={2: AT_PHONE}))
REMOVE = Step("remove", LAPTOP, after("join", 3, {**BOTH, 2: AT_PHONE}), change(removed=[AT_BOBS], lost_members=[BOB]))
REMAIN = {**BOTH, 2: AT_PHONE}
UNUSED = LeafHolder(BOBS.id, BOB, is_unused=True)


def refusal(outcome: Outcome) -> ChatError:
    assert isinstance(outcome, Refused)
    return outcome.error


def effects(outcome: Outcome) -> GroupChange:
    assert isinstance(outcome, Accepted)
    return outcome.change


@pytest.mark.parametrize("step", [ADD, UPDATE, JOIN, REMOVE], ids=lambda step: step.name)
def test_commit_has_the_effects_of_its_proposals(step: Step) -> None:
    assert step.plan() == Accepted(step.change)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        pytest.param(UPDATE.given(group=None), NoSuchConversation, id="no group"),
        pytest.param(UPDATE.given(is_revoked=True), NoDevice, id="by a revoked device"),
        pytest.param(UPDATE.on(epoch=2), StaleEpoch, id="late"),
        pytest.param(UPDATE.on(epoch=0), StaleEpoch, id="early"),
        pytest.param(replace(UPDATE, device=LAPTOP), NotALeaf, id="at another device's leaf"),
        pytest.param(UPDATE.on(leaves={0: AT_LAPTOP}), NotALeaf, id="at an empty leaf"),
        pytest.param(UPDATE.on(roles={ALICE: "owner"}), NoSuchConversation, id="by a stranger"),
        pytest.param(
            UPDATE.on(roles={ALICE: "owner"}, epoch=2),
            NoSuchConversation,
            id="late and by a stranger: no information",
        ),
        pytest.param(JOIN.on(roles={BOB: "owner"}), NoSuchConversation, id="a stranger's device joins"),
        pytest.param(JOIN.on(leaves=REMAIN), BadFrame, id="joins without removing its former leaf"),
        pytest.param(replace(JOIN, device=LAPTOP), BadFrame, id="joins as another device"),
        pytest.param(ADD.given(claims={}), UnknownKeyPackage, id="not claimed"),
        pytest.param(ADD.on(leaves=BOTH), BadFrame, id="in the group already"),
        pytest.param(ADD.on(roles={ALICE: "member"}), NotAllowed, id="member added by a member"),
        pytest.param(REMOVE.on(roles={ALICE: "member", BOB: "member"}), NotAllowed, id="member removed by a member"),
        pytest.param(REMOVE.on(roles={ALICE: "admin", BOB: "owner"}), NotAllowed, id="owner removed by an admin"),
        pytest.param(REMOVE.on(roles={ALICE: "admin", BOB: "admin"}), NotAllowed, id="admin removed by an admin"),
        pytest.param(REMOVE.on(leaves={0: AT_LAPTOP, 2: AT_PHONE}), BadFrame, id="removes an empty leaf"),
        pytest.param(REMOVE.on(leaves={**REMAIN, 3: LeafHolder(DeviceId(9), BOB)}), BadFrame, id="not all devices"),
        pytest.param(REMOVE.given(unread=frozenset([BOBS.id])), UnreadMessages, id="removes an unread sender"),
        pytest.param(UPDATE.on(group_info=STEPS["remove"]["group_info"]), TreeDiffers, id="on another tree"),
    ],
)
def test_commit_against_a_rule_is_refused(step: Step, error: type[ChatError]) -> None:
    outcome = step.plan()
    assert type(refusal(outcome)) is error
    assert isinstance(outcome, Refused)
    assert (outcome.muting is not None) == (error is UnreadMessages)


@pytest.mark.parametrize(
    ("mine", "theirs"), [("owner", "owner"), ("owner", "admin"), ("owner", "member"), ("admin", "member")]
)
def test_member_is_removed_by_a_higher_role(mine: MemberRole, theirs: MemberRole) -> None:
    assert effects(REMOVE.on(roles={ALICE: mine, BOB: theirs}).plan()).lost_members == [BOB]


def test_disowned_unused_or_former_leaf_is_removed_by_anyone() -> None:
    plain = {ALICE: "member", BOB: "member"}
    for holder in (LeafHolder(BOBS.id, BOB, is_disowned=True), UNUSED):
        assert effects(REMOVE.on(leaves={**REMAIN, 1: holder}, roles=plain).plan()).lost_members == []
    assert effects(REMOVE.on(roles={ALICE: "member"}).plan()).lost_members == []


@pytest.mark.parametrize(
    ("is_contact", "is_blocking", "state"),
    [
        (False, False, "requested"),
        (True, False, "joined"),
        (False, True, "blocked"),
        (True, True, "blocked"),
    ],
)
def test_new_member_state_depends_on_contacts_and_blocks(
    is_contact: bool, is_blocking: bool, state: MemberState
) -> None:
    claim = structs.replace(CLAIM, is_contact=is_contact, is_blocking=is_blocking)
    change = effects(ADD.given(claims={REFERENCE: claim}).plan())
    assert (change.new_members, change.contacts) == ({BOB: state}, [BOB])


def test_add_of_a_members_second_device_adds_no_member() -> None:
    change = effects(ADD.on(roles={ALICE: "member", BOB: "member"}).plan())
    assert (change.added, change.new_members, change.contacts) == ({1: AT_BOBS}, {}, [])


@pytest.mark.parametrize(
    ("step", "is_due"),
    [
        pytest.param(UPDATE, False, id="every leaf is a member's"),
        pytest.param(UPDATE.on(roles={BOB: "owner"}), True, id="a former member's leaf stays"),
        pytest.param(
            UPDATE.on(leaves={**BOTH, 0: LeafHolder(LAPTOP.id, ALICE, True)}), True, id="a revoked leaf stays"
        ),
        pytest.param(REMOVE.on(roles={ALICE: "owner"}), False, id="a former member's leaf is removed"),
        pytest.param(REMOVE.on(leaves={**REMAIN, 1: LeafHolder(BOBS.id, BOB, True)}), False, id="a revoked is removed"),
        pytest.param(
            UPDATE.on(leaves={**BOTH, 0: LeafHolder(LAPTOP.id, ALICE, is_unused=True)}),
            False,
            id="an unused leaf stays",
        ),
        pytest.param(REMOVE.on(leaves={**REMAIN, 2: LeafHolder(PHONE.id, ALICE, True)}), True, id="another one stays"),
        pytest.param(ADD, False, id="a new member's leaf is added"),
        pytest.param(JOIN.on(roles={ALICE: "owner"}), True, id="a device joins beside a former member's"),
    ],
)
def test_removal_is_due_while_a_foreign_leaf_remains(step: Step, is_due: bool) -> None:
    assert effects(step.plan()).removal_due == is_due


def test_muted_device_commits_nothing() -> None:
    def muted(*leaves: int) -> dict[int, LeafHolder]:
        return {leaf: structs.replace(holder, is_muted=leaf in leaves) for leaf, holder in BOTH.items()}

    assert isinstance(refusal(UPDATE.on(leaves=muted(1)).plan()), StaleEpoch)
    assert isinstance(UPDATE.on(leaves=muted(0)).plan(), Accepted), "another one is muted"


def test_muted_user_joins_with_no_other_device() -> None:
    for is_muted in (False, True):
        holder = LeafHolder(LAPTOP.id, ALICE, is_muted=is_muted)
        outcome = JOIN.on(leaves={**BOTH, 0: holder}).plan()
        assert isinstance(outcome, Refused if is_muted else Accepted)


def test_removal_in_an_ended_epoch_mutes_the_member() -> None:
    phone = {2: LeafHolder(DeviceId(99), BOB)}
    outcome = REMOVE.on(epoch=9, leaves={**BOTH, **phone}).plan()
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, StaleEpoch)
    assert outcome.muting == Muting([BOBS.id, DeviceId(99)], MUTED_FOR)
    refused = REMOVE.on(epoch=9, roles={ALICE: "member", BOB: "member"}).plan()
    assert isinstance(refused, Refused)
    assert refused.muting is None, "a plain member may not remove another one"
    updated = UPDATE.on(epoch=9).plan()
    assert isinstance(updated, Refused)
    assert updated.muting is None


def test_unread_sender_is_muted_with_all_removed_devices() -> None:
    outcome = REMOVE.given(unread=frozenset([BOBS.id])).plan()
    assert isinstance(outcome, Refused)
    assert outcome.muting == Muting([BOBS.id], MUTED_FOR)


def test_unread_messages_of_others_or_own_device_are_ignored() -> None:
    assert REMOVE.given(unread=frozenset([PHONE.id])).plan() == Accepted(REMOVE.change)


def test_repeated_commit_of_an_ended_epoch_gets_its_entry() -> None:
    assert UPDATE.on(epoch=2).given(earlier=EARLIER).plan() == Repeated(EARLIER)
    assert type(refusal(UPDATE.on(epoch=2, roles={ALICE: "owner"}).given(earlier=EARLIER).plan())) is NoSuchConversation


def test_creation_makes_a_group_owned_by_its_creator() -> None:
    facts = CommitFacts(None, {REFERENCE: CLAIM}, is_id_taken=False)
    founded = Group(0, b"", {0: AT_LAPTOP}, {ALICE: "owner"})
    assert plan_creation(ADD.frames(), LAPTOP, facts) == Accepted(ADD.change, founded)
    assert type(refusal(plan_creation(ADD.frames(), LAPTOP, structs.replace(facts, claims={})))) is UnknownKeyPackage
    assert type(refusal(plan_creation(ADD.frames(), LAPTOP, structs.replace(facts, is_revoked=True)))) is NoDevice
    assert type(refusal(plan_creation(UPDATE.frames(), BOBS, facts))) is StaleEpoch


def test_creation_with_a_taken_id_is_refused_or_repeated() -> None:
    for group in (None, ADD.facts.group):  # a direct conversation, and a group
        facts = CommitFacts(group, {REFERENCE: CLAIM}, is_id_taken=True)
        assert type(refusal(plan_creation(ADD.frames(), LAPTOP, facts))) is Taken
    assert plan_creation(ADD.frames(), LAPTOP, structs.replace(facts, earlier=EARLIER)) == Repeated(EARLIER)


@pytest.mark.parametrize("other", ["update", "remove"])
def test_group_info_of_another_commit_is_refused(other: str) -> None:
    bundle = CommitBundle(STEPS["join"]["commit"], None, STEPS[other]["group_info"])
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), PHONE, JOIN.facts))) is TreeDiffers


def test_welcome_for_other_devices_than_the_added_is_refused() -> None:
    bundle = CommitBundle(STEPS["add"]["commit"], None, STEPS["add"]["group_info"])
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), LAPTOP, ADD.facts))) is BadFrame
    bundle = CommitBundle(STEPS["update"]["commit"], STEPS["add"]["welcome"], STEPS["update"]["group_info"])
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), BOBS, UPDATE.facts))) is BadFrame


def test_frames_of_another_group_are_refused() -> None:
    step = STEPS["update"]
    with pytest.raises(WrongGroup):
        read_bundle(CommitBundle(step["commit"], None, step["group_info"]), ConversationId(UUID(int=7)))


def test_signature_of_another_device_is_refused() -> None:
    thief = structs.replace(BOBS, signature_key=KEYS[LAPTOP.identity])
    assert type(refusal(replace(UPDATE, device=thief).plan())) is BadFrame
    info = bytearray(STEPS["update"]["group_info"])
    info[-1] ^= 1
    bundle = CommitBundle(STEPS["update"]["commit"], None, bytes(info))
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), BOBS, UPDATE.facts))) is BadFrame

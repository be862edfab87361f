"""The rules of a commit, as pure functions: on frames of CoreCrypto, and on groups of any shape."""

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
    NoSuchUser,
    NotALeaf,
    NotAllowed,
    StaleEpoch,
    Taken,
    TreeDiffers,
    UnknownKeyPackage,
    UnreadMessages,
    WrongGroup,
)
from chat.mls import commit_rules
from chat.mls.commit_rules import MAX_LEAVES, MUTED_FOR, Frames, plan_commit, plan_creation, read_bundle
from chat.mls.member_rules import check_role_change, plan_departure
from chat.model.groups import (
    Accepted,
    ClaimedKeyPackage,
    Claims,
    CommitBundle,
    CommitFacts,
    Departure,
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
    next_owner,
)
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import Entry
from crypto.mls.checks import key_package_reference
from crypto.mls.frames import parse_group_info
from tests.mls.maker import MadeGroup, Signer

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
    none = GroupChange([], {}, {}, [], contacts=[], unmuted=[], removal_due=False)
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


def test_device_revoked_or_of_former_member_is_removed_by_anyone() -> None:
    revoked = {**REMAIN, 1: LeafHolder(BOBS.id, BOB, is_revoked=True)}
    plain = {ALICE: "member", BOB: "member"}
    assert effects(REMOVE.on(leaves=revoked, roles=plain).plan()).lost_members == []
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
        pytest.param(REMOVE.on(leaves={**REMAIN, 2: LeafHolder(PHONE.id, ALICE, True)}), True, id="another one stays"),
        pytest.param(ADD, False, id="a new member's leaf is added"),
        pytest.param(JOIN.on(roles={ALICE: "owner"}), True, id="a device joins beside a former member's"),
    ],
)
def test_removal_is_due_while_a_foreign_leaf_remains(step: Step, is_due: bool) -> None:
    assert effects(step.plan()).removal_due == is_due


def test_commit_unmutes_the_remaining_devices() -> None:
    muted = {leaf: structs.replace(holder, is_muted=True) for leaf, holder in REMAIN.items()}
    assert effects(UPDATE.on(leaves={**BOTH, 1: muted[1]}).plan()).unmuted == [BOBS.id]
    assert effects(REMOVE.on(leaves=muted).plan()).unmuted == [LAPTOP.id, PHONE.id]


def test_unread_sender_is_muted_with_all_removed_devices() -> None:
    outcome = REMOVE.given(unread=frozenset([BOBS.id])).plan()
    assert isinstance(outcome, Refused)
    assert outcome.muting == Muting([BOBS.id], MUTED_FOR)
    group = MadeGroup(CONVERSATION, ALICES_SIGNER)
    group.leaves |= {1: BOBS_SIGNER, 2: Signer(b"bob's other device")}
    before = Group(0, group.commit(ALICES_SIGNER).group_info, {}, {ALICE: "owner", BOB: "member"})
    both = {0: AT_LAPTOP, 1: AT_BOBS, 2: LeafHolder(DeviceId(9), BOB)}
    bundle = group.commit(ALICES_SIGNER, remove=[group.leaves[1], group.leaves[2]])
    facts = CommitFacts(structs.replace(before, epoch=1, leaves=both), {}, unread=frozenset([DeviceId(9)]))
    outcome = plan_commit(read_bundle(bundle, CONVERSATION), MADE_LAPTOP, facts)
    assert isinstance(outcome, Refused)
    assert outcome.muting == Muting([BOBS.id, DeviceId(9)], MUTED_FOR)


def test_unread_messages_of_others_or_own_device_are_ignored() -> None:
    assert REMOVE.given(unread=frozenset([PHONE.id])).plan() == Accepted(REMOVE.change)
    group = MadeGroup(CONVERSATION, ALICES_SIGNER)
    info = group.commit(ALICES_SIGNER).group_info
    bundle = group.commit(ALICES_SIGNER, remove=[ALICES_SIGNER], external=True)
    facts = CommitFacts(Group(1, info, {0: AT_LAPTOP}, {ALICE: "owner"}), {}, unread=frozenset([LAPTOP.id]))
    change_ = effects(plan_commit(read_bundle(bundle, CONVERSATION), MADE_LAPTOP, facts))
    assert (change_.removed, change_.added) == ([AT_LAPTOP], {0: AT_LAPTOP})


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


def test_group_over_the_device_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_LEAVES == 1024
    monkeypatch.setattr(commit_rules, "MAX_LEAVES", 3)
    assert isinstance(JOIN.plan(), Accepted)
    monkeypatch.setattr(commit_rules, "MAX_LEAVES", 2)
    assert type(refusal(JOIN.plan())) is BadFrame
    assert isinstance(ADD.plan(), Accepted)
    monkeypatch.setattr(commit_rules, "MAX_LEAVES", 1)
    assert type(refusal(ADD.plan())) is BadFrame


@pytest.mark.parametrize("other", ["update", "remove"])
def test_group_info_of_another_commit_is_refused(other: str) -> None:
    bundle = CommitBundle(STEPS["join"]["commit"], None, STEPS[other]["group_info"])
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), PHONE, JOIN.facts))) is TreeDiffers


def test_welcome_for_other_devices_than_the_added_is_refused() -> None:
    bundle = CommitBundle(STEPS["add"]["commit"], None, STEPS["add"]["group_info"])
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), LAPTOP, ADD.facts))) is BadFrame
    bundle = CommitBundle(STEPS["update"]["commit"], STEPS["add"]["welcome"], STEPS["update"]["group_info"])
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), BOBS, UPDATE.facts))) is BadFrame


def test_frames_of_another_group_and_large_frames_are_refused() -> None:
    step = STEPS["update"]
    with pytest.raises(WrongGroup):
        read_bundle(CommitBundle(step["commit"], None, step["group_info"]), ConversationId(UUID(int=7)))
    large = bytes(2**20 + 1)
    for name, bundle in (
        ("commit", CommitBundle(large, None, step["group_info"])),
        ("welcome", CommitBundle(step["commit"], large, step["group_info"])),
        ("group_info", CommitBundle(step["commit"], None, large)),
    ):
        with pytest.raises(BadFrame, match=f"^{name} must have at most 1,048,576 bytes"):
            read_bundle(bundle, CONVERSATION)


def test_signature_of_another_device_is_refused() -> None:
    thief = structs.replace(BOBS, signature_key=KEYS[LAPTOP.identity])
    assert type(refusal(replace(UPDATE, device=thief).plan())) is BadFrame
    info = bytearray(STEPS["update"]["group_info"])
    info[-1] ^= 1
    bundle = CommitBundle(STEPS["update"]["commit"], None, bytes(info))
    assert type(refusal(plan_commit(read_bundle(bundle, CONVERSATION), BOBS, UPDATE.facts))) is BadFrame


# Commits that CoreCrypto does not make

ALICES_SIGNER, BOBS_SIGNER = Signer(LAPTOP.identity), Signer(BOBS.identity)
MADE_LAPTOP = structs.replace(LAPTOP, signature_key=ALICES_SIGNER.public_key)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"with_init": True}, "ExternalInit is not allowed in a member's commit"),
        ({"remove": [ALICES_SIGNER]}, "Remove of the committer's own leaf is not allowed"),
        ({"with_path": False}, "Commit with a Remove, or without proposals, must contain an update path"),
        (
            {"with_path": False, "remove": [BOBS_SIGNER]},
            "Commit with a Remove, or without proposals, must contain an update path",
        ),
        (
            {"external": True, "remove": [ALICES_SIGNER, BOBS_SIGNER]},
            "External commit must remove the device's own former leaf and no other",
        ),
        ({"external": True, "remove": []}, "External commit must remove the device's own former leaf and no other"),
        (
            {"external": True, "remove": [ALICES_SIGNER], "with_init": True},
            "External commit must contain exactly one ExternalInit, no Add, and an update path",
        ),
        (
            {"external": True, "remove": [ALICES_SIGNER], "with_path": False},
            "External commit must contain exactly one ExternalInit, no Add, and an update path",
        ),
        (
            {"external": True, "remove": [ALICES_SIGNER], "add": [(BOBS_SIGNER, BOBS_SIGNER.key_package())]},
            "External commit must contain exactly one ExternalInit, no Add, and an update path",
        ),
    ],
)
def test_malformed_commit_is_refused_with_its_reason(options: dict[str, object], text: str) -> None:
    group = MadeGroup(CONVERSATION, ALICES_SIGNER)
    group.leaves[1] = BOBS_SIGNER
    info = group.commit(ALICES_SIGNER).group_info
    bundle = group.commit(ALICES_SIGNER, **options)  # type: ignore[arg-type]
    facts = CommitFacts(Group(1, info, BOTH, {ALICE: "owner", BOB: "member"}), {})
    error = refusal(plan_commit(read_bundle(bundle, CONVERSATION), MADE_LAPTOP, facts))
    assert (type(error), str(error)) == (BadFrame, text)


def made_group(*others: Signer) -> tuple[MadeGroup, CommitFacts]:
    """In epoch 1: Alice's laptop at leaf 0, then the others, who are Bob's first device and unknown ones of his."""
    group = MadeGroup(CONVERSATION, ALICES_SIGNER)
    group.leaves |= dict(enumerate(others, 1))
    info = group.commit(ALICES_SIGNER).group_info
    holders = {leaf: LeafHolder(DeviceId(leaf + 1), BOB if leaf else ALICE) for leaf in group.leaves}
    return group, CommitFacts(Group(1, info, holders, {ALICE: "owner", BOB: "member"}), {})


def plan_made(bundle: CommitBundle, facts: CommitFacts) -> Outcome:
    return plan_commit(read_bundle(bundle, CONVERSATION), MADE_LAPTOP, facts)


def claims_of(*packages: bytes, device_id: DeviceId, user_id: UserId) -> Claims:
    return {key_package_reference(package): ClaimedKeyPackage(device_id, user_id) for package in packages}


def test_member_removed_and_added_at_once_is_due_for_removal() -> None:
    """The removal ends the membership, and the new leaf does not begin another one."""
    group, facts = made_group(BOBS_SIGNER)
    phone = Signer(b"bob's phone")
    package = phone.key_package()
    facts = structs.replace(facts, claims=claims_of(package, device_id=DeviceId(9), user_id=BOB))
    change = effects(plan_made(group.commit(ALICES_SIGNER, remove=[BOBS_SIGNER], add=[(phone, package)]), facts))
    assert (change.lost_members, change.new_members, change.removal_due) == ([BOB], {}, True)


def test_member_removes_a_device_of_their_own() -> None:
    tablet = Signer(b"alice's tablet")
    group, facts = made_group(tablet)
    assert facts.group is not None
    holders = {0: AT_LAPTOP, 1: LeafHolder(DeviceId(9), ALICE)}
    mine = structs.replace(facts, group=structs.replace(facts.group, leaves=holders, roles={ALICE: "member"}))
    change = effects(plan_made(group.commit(ALICES_SIGNER, remove=[tablet]), mine))
    assert (change.removed, change.lost_members, change.removal_due) == ([holders[1]], [], False)


def test_device_added_twice_by_a_commit_is_refused() -> None:
    group, facts = made_group()
    packages = [BOBS_SIGNER.key_package(), BOBS_SIGNER.key_package()]
    facts = structs.replace(facts, claims=claims_of(*packages, device_id=BOBS.id, user_id=BOB))
    outcome = plan_made(group.commit(ALICES_SIGNER, add=[(BOBS_SIGNER, package) for package in packages]), facts)
    assert str(refusal(outcome)) == "Add refers to a device that is in the group already"


@pytest.mark.parametrize(("epochs", "signer"), [(1, 0), (0, 1)], ids=["epoch", "signer"])
def test_group_info_of_another_epoch_or_signer_is_refused(epochs: int, signer: int) -> None:
    group, facts = made_group(BOBS_SIGNER)
    bundle = group.commit(ALICES_SIGNER)
    assert isinstance(plan_made(bundle, facts), Accepted)
    group.epoch += epochs
    other = structs.replace(bundle, group_info=group.group_info(ALICES_SIGNER, signer))
    assert type(refusal(plan_made(other, facts))) is TreeDiffers


def test_update_path_of_another_device_is_refused() -> None:
    group, facts = made_group()
    error = refusal(plan_made(group.commit(ALICES_SIGNER, path_by=BOBS_SIGNER), facts))
    assert str(error) == "The update path's leaf has another device's identity or signature key"


def test_update_path_signed_for_another_leaf_is_refused() -> None:
    group, facts = made_group()
    error = refusal(plan_made(group.commit(ALICES_SIGNER, path_at=7), facts))
    assert (type(error), str(error)) == (BadFrame, "Malformed MLS message: signature of LeafNodeTBS does not verify")


# Members


@pytest.mark.parametrize(
    ("roles", "owner"),
    [
        ({}, None),
        ({ALICE: "owner", BOB: "admin"}, None),
        ({BOB: "member", ALICE: "owner"}, None),
        ({BOB: "member", ALICE: "member"}, BOB),
        ({ALICE: "member", BOB: "member"}, ALICE),
        ({BOB: "member", ALICE: "admin"}, ALICE),
        ({BOB: "admin", ALICE: "admin"}, BOB),
    ],
)
def test_next_owner_is_an_admin_or_the_longest_standing(roles: dict[UserId, MemberRole], owner: UserId | None) -> None:
    assert next_owner(roles) == owner


CAROL = UserId(3)


@pytest.mark.parametrize(
    ("roles", "leaves", "departure"),
    [
        pytest.param({ALICE: "owner", BOB: "member"}, BOTH, Departure(BOB, True), id="the last owner"),
        pytest.param(
            {ALICE: "owner", BOB: "member", CAROL: "owner"}, BOTH, Departure(None, True), id="an owner beside another"
        ),
        pytest.param({ALICE: "member", BOB: "owner"}, BOTH, Departure(None, True), id="a member"),
        pytest.param({ALICE: "owner", BOB: "member"}, {1: AT_BOBS}, Departure(BOB, False), id="without a leaf"),
        pytest.param(
            {ALICE: "owner", BOB: "member"},
            {1: LeafHolder(BOBS.id, BOB, is_revoked=True)},
            Departure(BOB, True),
            id="while another removal is due",
        ),
        pytest.param({ALICE: "owner"}, {0: AT_LAPTOP}, Departure(None, True), id="the last member"),
    ],
)
def test_departure_promotes_and_asks_for_removal(
    roles: dict[UserId, MemberRole], leaves: dict[int, LeafHolder], departure: Departure
) -> None:
    assert plan_departure(Group(1, b"", leaves, roles), ALICE) == departure


@pytest.mark.parametrize("group", [None, Group(1, b"", BOTH, {BOB: "owner"})], ids=["no group", "a former member"])
def test_departure_of_a_stranger_is_refused(group: Group | None) -> None:
    outcome = plan_departure(group, ALICE)
    assert isinstance(outcome, Refused)
    assert type(outcome.error) is NoSuchConversation


@pytest.mark.parametrize(
    ("roles", "error"),
    [
        (None, NoSuchConversation),
        ({BOB: "owner"}, NoSuchConversation),
        ({ALICE: "member", BOB: "member"}, NotAllowed),
        ({ALICE: "admin", BOB: "member"}, NotAllowed),
        ({ALICE: "admin"}, NotAllowed),
        ({ALICE: "owner"}, NoSuchUser),
        ({ALICE: "owner", BOB: "member"}, None),
        ({ALICE: "owner", BOB: "owner"}, None),
    ],
)
def test_role_change_by_a_non_owner_is_refused(
    roles: dict[UserId, MemberRole] | None, error: type[ChatError] | None
) -> None:
    group = None if roles is None else Group(1, b"", BOTH, roles)
    if error is None:
        check_role_change(group, ALICE, BOB)
    else:
        with pytest.raises(error):
            check_role_change(group, ALICE, BOB)

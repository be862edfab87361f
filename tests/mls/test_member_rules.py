"""Who owns a group after a departure, and who may give roles, as pure functions."""

import pytest

from chat.errors import ChatError, NoSuchConversation, NoSuchUser, NotAllowed
from chat.mls.member_rules import check_role_change, plan_departure
from chat.model.groups import Departure, Group, LeafHolder, MemberRole, Refused, next_owner
from chat.model.ids import DeviceId, UserId

ALICE, BOB, CAROL = UserId(1), UserId(2), UserId(3)
AT_LAPTOP, AT_BOBS = LeafHolder(DeviceId(1), ALICE), LeafHolder(DeviceId(2), BOB)
BOTH = {0: AT_LAPTOP, 1: AT_BOBS}


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
            {1: LeafHolder(AT_BOBS.device_id, BOB, is_disowned=True)},
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

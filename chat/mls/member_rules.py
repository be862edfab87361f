"""The rules of leaving a group and of giving roles in it. Pure."""

from chat.errors import Invalid, NoSuchConversation, NoSuchUser, NotAllowed
from chat.mls.commit_rules import is_removal_due
from chat.model.groups import Departure, Group, Refused, next_owner
from chat.model.ids import UserId


def plan_departure(group: Group | None, user_id: UserId) -> Departure | Refused:
    """Plan that a member leaves. Return Refused with NoSuchConversation if the account is not a member."""
    if group is None or user_id not in group.roles:
        return Refused(NoSuchConversation("No such conversation"))
    remaining = {member: role for member, role in group.roles.items() if member != user_id}
    return Departure(next_owner(remaining), is_removal_due(group.leaves, remaining))


def check_role_change(group: Group | None, by: UserId, member: UserId) -> None:
    """Check that `by` may change the role of `member`: only owners may, and not their own.

    Raises NoSuchConversation, NotAllowed, Invalid, NoSuchUser.
    """
    if group is None or by not in group.roles:
        raise NoSuchConversation("No such conversation")
    if member == by:
        raise Invalid("You cannot change your own role")
    if group.roles[by] != "owner":
        raise NotAllowed("Only an owner can change roles")
    if member not in group.roles:
        raise NoSuchUser("No such member")

"""The rules of a commit: who may change a group, and what else changes with it. Pure.

The server cannot read a group and is not a member of it. It knows which device holds which leaf, and compares every
commit with the tree that the commit leads to.

The store reads `CommitFacts` while it holds the lock on the conversation, calls `plan_commit` or `plan_creation`, and
applies the outcome in the same transaction. A refusal is an outcome too, because it can have an effect: the devices
that the committer tried to remove are muted. So the plans return a refusal and never raise a ChatError. The checks that
they are made of raise it.
"""

from collections.abc import Container, Iterator, Mapping
from datetime import timedelta
from itertools import count

from msgspec import Struct, structs

from chat.errors import (
    BadFrame,
    ChatError,
    NoDevice,
    NoSuchConversation,
    NotALeaf,
    NotAllowed,
    NotListed,
    StaleEpoch,
    Taken,
    UnknownKeyPackage,
    UnreadMessages,
    WrongGroup,
)
from chat.mls.group_info_rules import check_result
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
    MemberRole,
    MemberState,
    Muting,
    Outcome,
    Refused,
    Repeated,
)
from chat.model.ids import ConversationId, UserId
from crypto.mls.checks import key_package_reference
from crypto.mls.frames import Commit, ExternalInit, GroupInfo, LeafIndex, parse_commit, parse_group_info, parse_welcome
from crypto.mls.wire import Malformed

MAX_LEAVES = 1024  # of one group
MAX_FRAME_BYTES = 1024 * 1024  # of a commit, a welcome or a group info: three times what MAX_LEAVES need
STAFF: tuple[MemberRole, ...] = ("owner", "admin")
# Enough for the remover to read the log and to commit again. A member who commits in a loop ends each epoch before
# the remover's commit of it arrives.
MUTED_FOR = timedelta(seconds=30)


class Frames(Struct, frozen=True):
    """A bundle whose frames are well-formed and of one group."""

    commit: Commit
    new_members: list[bytes]
    group_info: GroupInfo

    @property
    def references(self) -> list[bytes]:
        """The references of the added key packages, in the order of the Add proposals."""
        return [key_package_reference(package.raw) for package in self.commit.added]


def read_bundle(bundle: CommitBundle, conversation_id: ConversationId) -> Frames:
    """Parse the frames of a bundle, and check that they belong to the conversation. Raises BadFrame, WrongGroup."""
    for name, frame in (("commit", bundle.commit), ("welcome", bundle.welcome), ("group_info", bundle.group_info)):
        if frame is not None and len(frame) > MAX_FRAME_BYTES:
            raise BadFrame(f"{name} must have at most {MAX_FRAME_BYTES:,} bytes")
    try:
        commit = parse_commit(bundle.commit)
        new_members = parse_welcome(bundle.welcome).new_members if bundle.welcome is not None else []
        group_info = parse_group_info(bundle.group_info)
    except Malformed as error:
        raise BadFrame(f"Malformed MLS message: {error}") from error
    if not commit.group_id == group_info.group_id == conversation_id.bytes:
        raise WrongGroup("group_id of the commit or the group info is not the conversation's id")
    return Frames(commit, new_members, group_info)


def plan_creation(frames: Frames, device: Device, facts: CommitFacts) -> Outcome:
    """Plan the first commit of a conversation. Its group begins with the leaf of the device that creates it.

    The outcome is Refused with Taken if another conversation has the id, and otherwise as of `plan_commit`.
    """
    if facts.is_id_taken:
        taken = Taken("Another conversation has this id: choose another one")
        return Refused(taken) if facts.earlier is None else Repeated(facts.earlier)
    founded = Group(0, b"", {0: LeafHolder(device.id, device.user_id)}, {device.user_id: "owner"})
    outcome = plan_commit(frames, device, structs.replace(facts, group=founded))
    return Accepted(outcome.change, founded) if isinstance(outcome, Accepted) else outcome


def plan_commit(frames: Frames, device: Device, facts: CommitFacts) -> Outcome:
    """Plan a commit: Accepted, Repeated, or Refused with one of the errors that docs/PROTOCOL.md lists."""
    try:
        group = _group_of(device, facts)
        if frames.commit.epoch != group.epoch:
            if facts.earlier is not None:
                return Repeated(facts.earlier)
            stale = StaleEpoch("Another commit has ended this epoch: read the log and commit again")
            return Refused(stale, _muting_of_removal(frames.commit, device, group))
        if _is_muted(device, group):
            raise StaleEpoch("A member is removing this device: read the log and commit again")
        if not facts.is_listed and (frames.commit.sender is None or not group.group_info):
            raise NotListed("The account key has not listed this device: link it, or use the recovery key")
        change = _change(frames, device, group, facts.claims)
    except ChatError as error:
        return Refused(error)
    # Members cannot decrypt a message of a removed leaf, so they must read its messages before the removal.
    others = [holder.device_id for holder in change.removed if holder.device_id != device.id]
    if facts.unread.intersection(others):
        unread = UnreadMessages("The removed member has sent messages after `read`: read the log and commit again")
        return Refused(unread, Muting(others, MUTED_FOR))
    return Accepted(change)


def _muting_of_removal(commit: Commit, device: Device, group: Group) -> Muting | None:
    """Mute the members whom a commit of an ended epoch removes, if the committer may do that."""
    removed = [group.leaves[leaf] for leaf in commit.removed if leaf in group.leaves]
    try:
        lost = _lost_members(removed, {}, device, group.roles)
    except NotAllowed:
        return None
    devices = [holder.device_id for holder in group.leaves.values() if holder.user_id in lost]
    return Muting(devices, MUTED_FOR) if devices else None


def _is_muted(device: Device, group: Group) -> bool:
    """Whether the leaf of the device is muted, or one of its user if the device has none and would join beside it."""
    own = [holder for holder in group.leaves.values() if holder.device_id == device.id]
    of_user = [holder for holder in group.leaves.values() if holder.user_id == device.user_id]
    return any(holder.is_muted for holder in own or of_user)


def _group_of(device: Device, facts: CommitFacts) -> Group:
    if facts.group is None:
        raise NoSuchConversation("No such conversation")
    if facts.is_revoked:
        raise NoDevice("This device was revoked: log in again and register a device")
    if device.user_id not in facts.group.roles:
        raise NoSuchConversation("No such conversation")
    return facts.group


def _change(frames: Frames, device: Device, group: Group, claims: Claims) -> GroupChange:
    commit = frames.commit
    if commit.sender is None:
        _check_joining(commit, device, group)
    else:
        _check_member(commit, commit.sender, device, group)
    holders = dict(group.leaves)
    removed = _removed(commit, holders)
    lost = _lost_members(removed, holders, device, group.roles)
    added = _added(frames, holders, claims)
    places = [LeafIndex(leaf) for leaf in added]
    new_members = _new_members(frames, claims, device, group.roles)
    signer = commit.sender
    if signer is None:
        signer = LeafIndex(next(_free_leaves(holders)))
        holders[signer] = LeafHolder(device.id, device.user_id)
        added = {signer: holders[signer]}
    if len(holders) > MAX_LEAVES:
        raise BadFrame(f"A group must have at most {MAX_LEAVES} devices")
    before = parse_group_info(group.group_info) if group.group_info else None
    leaves = dict(zip(places, (package.leaf for package in commit.added), strict=True))
    check_result(commit, frames.group_info, before, device, leaves, signer)
    return GroupChange(
        removed=removed,
        added=added,
        new_members=new_members,
        lost_members=lost,
        contacts=list(new_members),
        removal_due=is_removal_due(holders, (group.roles.keys() - lost) | new_members.keys()),
    )


def is_removal_due(leaves: Mapping[int, LeafHolder], members: Container[UserId]) -> bool:
    """Whether a disowned device, or a device of an account that is not a member, still holds a leaf.

    Until a commit removes the leaf, the server refuses messages: the device could read them. The view `removals` lists
    such leaves.
    """
    return any(holder.is_disowned or holder.user_id not in members for holder in leaves.values())


def _free_leaves(taken: Container[int]) -> Iterator[int]:
    """Yield free leaves from the left: an added device takes the leftmost one, RFC 9420 section 7.7."""
    return (leaf for leaf in count() if leaf not in taken)


def _check_joining(commit: Commit, device: Device, group: Group) -> None:
    """Check an external commit (RFC 9420 section 12.4.3.2) of a device that has no leaf, or replaces its own."""
    inits = sum(isinstance(proposal, ExternalInit) for proposal in commit.proposals)
    if inits != 1 or commit.added or commit.path is None:
        raise BadFrame("External commit must contain exactly one ExternalInit, no Add, and an update path")
    own = {leaf for leaf, holder in group.leaves.items() if holder.device_id == device.id}
    if set(commit.removed) != own:
        raise BadFrame("External commit must remove the device's own former leaf and no other")


def _check_member(commit: Commit, sender: LeafIndex, device: Device, group: Group) -> None:
    holder = group.leaves.get(sender)
    if holder is None or holder.device_id != device.id:
        raise NotALeaf("This device does not hold the leaf that sends the commit")
    if any(isinstance(proposal, ExternalInit) for proposal in commit.proposals):
        raise BadFrame("ExternalInit is not allowed in a member's commit")
    if commit.path is None and (commit.removed or not commit.proposals):
        raise BadFrame("Commit with a Remove, or without proposals, must contain an update path")  # section 12.4
    if sender in commit.removed:
        raise BadFrame("Remove of the committer's own leaf is not allowed")


def _removed(commit: Commit, holders: dict[int, LeafHolder]) -> list[LeafHolder]:
    """Take the removed leaves out of `holders`, and return their holders. Raises BadFrame."""
    try:
        return [holders.pop(leaf) for leaf in commit.removed]
    except KeyError as error:
        raise BadFrame("Remove refers to an empty leaf") from error


def _lost_members(
    removed: list[LeafHolder], remaining: dict[int, LeafHolder], device: Device, roles: Mapping[UserId, MemberRole]
) -> list[UserId]:
    """Return the members whom another member removes. Raises NotAllowed, BadFrame.

    Every member may remove disowned and unused devices, and devices of former members.
    """
    lost = {
        holder.user_id
        for holder in removed
        if holder.user_id != device.user_id and holder.user_id in roles and not (holder.is_disowned or holder.is_unused)
    }
    mine = roles[device.user_id]
    if any(mine not in STAFF or (roles[user_id] in STAFF and mine != "owner") for user_id in lost):
        raise NotAllowed("Your role does not allow you to remove this member")
    if lost & {holder.user_id for holder in remaining.values()}:
        raise BadFrame("Commit must remove all devices of a member, or none")
    return sorted(lost)


def _added(frames: Frames, holders: dict[int, LeafHolder], claims: Claims) -> dict[int, LeafHolder]:
    """Put the added devices into `holders`, and return them by leaf.

    Raises BadFrame, UnknownKeyPackage, NotListed.
    """
    references = frames.references
    if sorted(frames.new_members) != sorted(references):
        raise BadFrame("Welcome recipients do not match the added key packages")
    there = {holder.device_id for holder in holders.values()}
    added = {}
    for reference, leaf in zip(references, _free_leaves(holders), strict=False):
        claimed = claims.get(reference)
        if claimed is None:
            raise UnknownKeyPackage("A key package was not claimed, or is used already: claim another one")
        if not claimed.is_listed:
            raise NotListed("The account key of an added device's user has not listed it: claim again")
        if claimed.device_id in there:
            raise BadFrame("Add refers to a device that is in the group already")
        there.add(claimed.device_id)
        holders[leaf] = added[leaf] = LeafHolder(claimed.device_id, claimed.user_id)
    return added


def _new_members(
    frames: Frames, claims: Claims, device: Device, roles: Mapping[UserId, MemberRole]
) -> dict[UserId, MemberState]:
    claimed = [claims[reference] for reference in frames.references]
    new = {claim.user_id: _state_of(claim) for claim in claimed if claim.user_id not in roles}
    if new and roles[device.user_id] not in STAFF:
        raise NotAllowed("Your role does not allow you to add members")
    return dict(sorted(new.items()))


def _state_of(claim: ClaimedKeyPackage) -> MemberState:
    """Return "blocked" if the new member blocks the committer, "joined" if they have them as a contact.

    Otherwise "requested": the new member then decides whether to accept the group.
    """
    if claim.is_blocking:
        return "blocked"
    return "joined" if claim.is_contact else "requested"

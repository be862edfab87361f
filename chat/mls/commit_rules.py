"""What a commit comes to: who may change a group, and whether what changes is what the frames say. Pure.

The server cannot read a group and cannot join one. It knows which device holds which leaf, and compares every commit
with the tree that it leads to.
"""

from collections.abc import Container, Iterator, Mapping
from itertools import count

from msgspec import Struct

from chat.errors import (
    BadFrame,
    NoSuchConversation,
    NotALeaf,
    NotAllowed,
    StaleEpoch,
    TreeDiffers,
    UnknownKeyPackage,
    WrongGroup,
)
from chat.model.groups import Claims, CommitBundle, Device, Group, GroupChange, LeafHolder, MemberRole
from chat.model.ids import ConversationId, UserId
from crypto.mls.checks import check_group_info, check_path, key_package_reference
from crypto.mls.frames import Commit, ExternalInit, GroupInfo, LeafIndex, parse_commit, parse_group_info, parse_welcome
from crypto.mls.wire import Malformed

MAX_LEAVES = 1024  # of one group
MAX_FRAME_BYTES = 1024 * 1024  # of a commit, a welcome or a group info: three times what so many need
STAFF: tuple[MemberRole, ...] = ("owner", "admin")


class Frames(Struct, frozen=True):
    """A bundle that is well-formed and of one group."""

    commit: Commit
    new_members: list[bytes]
    group_info: GroupInfo

    @property
    def references(self) -> list[bytes]:
        return [key_package_reference(package.raw) for package in self.commit.added]


def read_bundle(bundle: CommitBundle, conversation_id: ConversationId) -> Frames:
    """Raises BadFrame, WrongGroup."""
    if any(len(frame) > MAX_FRAME_BYTES for frame in (bundle.commit, bundle.welcome or b"", bundle.group_info)):
        raise BadFrame(f"A frame has at most {MAX_FRAME_BYTES:,} bytes")
    try:
        commit = parse_commit(bundle.commit)
        new_members = parse_welcome(bundle.welcome).new_members if bundle.welcome is not None else []
        group_info = parse_group_info(bundle.group_info)
    except Malformed as error:
        raise BadFrame(f"Not a frame of MLS: {error}") from error
    if not commit.group_id == group_info.group_id == conversation_id.bytes:
        raise WrongGroup("These frames are of another group")
    return Frames(commit, new_members, group_info)


def plan_change(frames: Frames, device: Device, group: Group, claims: Claims) -> GroupChange:
    """What the commit comes to. Raises what is wrong with it; see chat.errors."""
    commit = frames.commit
    if device.user_id not in group.roles:
        raise NoSuchConversation("No such conversation")
    if commit.epoch != group.epoch:
        raise StaleEpoch("Another commit has ended this epoch")
    if commit.sender is None:
        _check_joining(commit, device, group)
    else:
        _check_member(commit, device, group)
    holders = dict(group.leaves)
    removed = _removed(commit, holders)
    lost = _lost_members(removed, holders, device, group.roles)
    added = _added(frames, holders, claims)
    new_members = _new_members(added, device, group.roles)
    signer = commit.sender
    if signer is None:
        signer = LeafIndex(next(_free_leaves(holders)))
        added = {signer: LeafHolder(device.id, device.user_id)}
    if len(holders) + 1 > MAX_LEAVES:
        raise BadFrame(f"A group has at most {MAX_LEAVES} devices")
    _check_tree(frames, _tree(group, device), added, signer)
    _check_signatures(frames, device, signer)
    return GroupChange(removed, added, new_members, lost)


def _tree(group: Group, device: Device) -> dict[int, tuple[bytes, bytes]]:
    """Identity and signature key of each leaf."""
    if not group.group_info:
        return {0: (device.identity, device.signature_key)}  # a group begins with who makes it
    leaves = parse_group_info(group.group_info).leaves
    return {leaf: (one.identity, one.signature_key) for leaf, one in leaves.items()}


def _free_leaves(taken: Container[int]) -> Iterator[int]:
    """Each that is added takes the leftmost leaf that is free, RFC 9420 section 7.7."""
    return (leaf for leaf in count() if leaf not in taken)


def _check_joining(commit: Commit, device: Device, group: Group) -> None:
    """An external commit, RFC 9420 section 12.4.3.2: of a device that is new, or that begins again."""
    inits = sum(isinstance(proposal, ExternalInit) for proposal in commit.proposals)
    if inits != 1 or commit.added or commit.path is None:
        raise BadFrame("This is not how a device joins by itself")
    own = {leaf for leaf, holder in group.leaves.items() if holder.device_id == device.id}
    if set(commit.removed) != own:
        raise BadFrame("Who joins removes its own former leaf and no other")


def _check_member(commit: Commit, device: Device, group: Group) -> None:
    assert commit.sender is not None
    holder = group.leaves.get(commit.sender)
    if holder is None or holder.device_id != device.id:
        raise NotALeaf("This device does not hold the leaf that commits")
    if any(isinstance(proposal, ExternalInit) for proposal in commit.proposals):
        raise BadFrame("A member does not join")
    if commit.path is None and (commit.removed or not commit.proposals):
        raise BadFrame("A commit that removes somebody needs a path")  # section 12.4
    if commit.sender in commit.removed:
        raise BadFrame("Nobody removes themselves")


def _removed(commit: Commit, holders: dict[int, LeafHolder]) -> list[LeafHolder]:
    """Takes them out of `holders`."""
    try:
        return [holders.pop(leaf) for leaf in commit.removed]
    except KeyError as error:
        raise BadFrame("A leaf that is removed is not there") from error


def _lost_members(
    removed: list[LeafHolder], remaining: dict[int, LeafHolder], device: Device, roles: Mapping[UserId, MemberRole]
) -> list[UserId]:
    """Members whose devices another one takes out. Those that left, and revoked devices, anybody may take out."""
    lost = {
        holder.user_id
        for holder in removed
        if holder.user_id != device.user_id and holder.user_id in roles and not holder.is_revoked
    }
    mine = roles[device.user_id]
    if any(mine not in STAFF or (roles[user_id] in STAFF and mine != "owner") for user_id in lost):
        raise NotAllowed("Your role does not allow you to remove this member")
    if lost & {holder.user_id for holder in remaining.values()}:
        raise BadFrame("A member is removed with all devices")
    return sorted(lost)


def _added(frames: Frames, holders: dict[int, LeafHolder], claims: Claims) -> dict[int, LeafHolder]:
    """By leaf. Puts them into `holders`."""
    references = frames.references
    if sorted(frames.new_members) != sorted(references):
        raise BadFrame("The welcome is for others than those who are added")
    there = {holder.device_id for holder in holders.values()}
    added = {}
    for reference, leaf in zip(references, _free_leaves(holders), strict=False):
        claimed = claims.get(reference)
        if claimed is None:
            raise UnknownKeyPackage("A key package was not claimed, or was used already")
        if claimed.device_id in there:
            raise BadFrame("A device that is added is in the group already")
        there.add(claimed.device_id)
        holders[leaf] = added[leaf] = LeafHolder(claimed.device_id, claimed.user_id)
    return added


def _new_members(added: dict[int, LeafHolder], device: Device, roles: Mapping[UserId, MemberRole]) -> list[UserId]:
    new = {holder.user_id for holder in added.values()} - set(roles)
    if new and roles[device.user_id] not in STAFF:
        raise NotAllowed("Your role does not allow you to add members")
    return sorted(new)


def _check_tree(
    frames: Frames, before: dict[int, tuple[bytes, bytes]], added: dict[int, LeafHolder], signer: LeafIndex
) -> None:
    """The group info must show the tree that the commit makes, or nobody could join by it."""
    commit, after = frames.commit, dict(before)
    for leaf in commit.removed:
        after.pop(leaf, None)
    for package, place in zip(commit.added, added, strict=False):
        after[place] = package.leaf.identity, package.leaf.signature_key
    if commit.path is not None:
        after[signer] = commit.path.identity, commit.path.signature_key
    shown = {leaf: (one.identity, one.signature_key) for leaf, one in frames.group_info.leaves.items()}
    if shown != after or (frames.group_info.epoch, frames.group_info.signer) != (commit.epoch + 1, signer):
        raise TreeDiffers("The group info does not show what the commit makes of the group")


def _check_signatures(frames: Frames, device: Device, signer: LeafIndex) -> None:
    """The group info is signed by the device, and names the commit by its transcript.

    The commit's own signature covers a context that the server knows from the last committer only, who may have lied:
    to believe it would let one member stop all others.
    """
    path = frames.commit.path
    try:
        if path is not None:
            if (path.identity, path.signature_key) != (device.identity, device.signature_key):
                raise BadFrame("The path is another device's")
            check_path(path, frames.commit.group_id, signer)
        check_group_info(frames.group_info, device.signature_key)
    except Malformed as error:
        raise BadFrame(str(error)) from error

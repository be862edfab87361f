"""What the server checks of a group info: what a device checks that joins by it, except for secrets. Pure.

A device can join by a group info that passes these checks (RFC 9420 section 12.4.3.1), even if no member can apply the
commit that came with it. Each follows from the one before and from the commit. So the server knows the tree and the
transcript of the members who have followed all commits, and a false group info cannot make it refuse theirs.
"""

from collections.abc import Mapping

from chat.errors import BadFrame, TreeDiffers
from chat.model.groups import Device
from crypto.mls.checks import check_group_info, check_leaf, check_path, check_required_capabilities
from crypto.mls.frames import Commit, GroupInfo, Leaf, LeafIndex
from crypto.mls.transcript import confirmed_transcript_hash
from crypto.mls.tree import RatchetTree
from crypto.mls.wire import Malformed


def check_result(
    commit: Commit,
    group_info: GroupInfo,
    before: GroupInfo | None,
    device: Device,
    added: Mapping[LeafIndex, Leaf],
    signer: LeafIndex,
) -> None:
    """Check the group info that comes with a commit.

    `before`: the group info of the epoch that the commit ends, or None for a new group. `added`: the leaves of the Add
    proposals. `signer`: the committer's leaf.

    Raises TreeDiffers if the group info does not follow from the former one and the commit, BadFrame if it or the
    commit is wrong in itself.
    """
    tree = _tree_after(commit, group_info, before, added, signer)
    if (group_info.nodes, group_info.epoch, group_info.signer) != (tree.nodes, commit.epoch + 1, signer):
        raise TreeDiffers("The group info does not show the tree that the commit makes: read the log and commit again")
    if before is not None:
        _check_context(commit, group_info, before)
    _check_signatures(commit, group_info, device, signer)
    if group_info.tree_hash != tree.hash():
        raise BadFrame("tree_hash of the group info is not that of its ratchet tree")
    if group_info.confirmation_tag != commit.confirmation_tag:
        raise BadFrame("confirmation_tag of the group info is not that of the commit")


def _tree_after(
    commit: Commit,
    group_info: GroupInfo,
    before: GroupInfo | None,
    added: Mapping[LeafIndex, Leaf],
    signer: LeafIndex,
) -> RatchetTree:
    """Return the tree that the commit makes. Raises TreeDiffers.

    A new group has the leaf of its creator only. The group info is the first to show it, unless a path replaces it.
    """
    if before is not None:
        nodes = before.nodes
    else:
        nodes = {index: node for index, node in group_info.nodes.items() if index == 0 and commit.path is None}
    try:
        return RatchetTree(nodes).after(commit.removed, added, commit.path, signer)
    except Malformed as error:
        raise TreeDiffers(f"The commit does not fit the tree of the group ({error}): read the log") from error


def _check_context(commit: Commit, group_info: GroupInfo, before: GroupInfo) -> None:
    """Check what of the group context follows from the former one. Raises TreeDiffers."""
    if group_info.extensions != before.extensions:
        raise TreeDiffers("Extensions of the group context must not change")
    if group_info.confirmed_transcript_hash != confirmed_transcript_hash(before, commit):
        raise TreeDiffers("confirmed_transcript_hash does not follow from the commit: read the log and commit again")


def _check_signatures(commit: Commit, group_info: GroupInfo, device: Device, signer: LeafIndex) -> None:
    """Check that the device has signed its leaf and the group info, and that all can use its keys. Raises BadFrame.

    The leaves of others were checked when they came: as the leaf of a commit, or in an uploaded key package. The
    commit's own signature is not checked: members check it, and a member who cannot follow joins by the group info.
    """
    leaf = group_info.leaves.get(signer)
    if leaf is None or (leaf.identity, leaf.signature_key) != (device.identity, device.signature_key):
        raise BadFrame("The committer's leaf has another device's identity or signature key")
    new = [package.leaf for package in commit.added]
    try:
        if commit.path is not None:
            check_path(commit.path, commit.group_id, signer)
            new.append(commit.path.leaf)
        elif commit.epoch == 0:
            check_leaf(leaf, commit.group_id, signer)
            new.append(leaf)
        for one in new:
            check_required_capabilities(one, group_info.extensions)
        check_group_info(group_info, device.signature_key)
    except Malformed as error:
        raise BadFrame(f"Malformed MLS message: {error}") from error

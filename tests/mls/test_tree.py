"""Tree hash, parent hashes and transcript hash, on frames that CoreCrypto made."""

from itertools import pairwise

import pytest

from crypto.mls.frames import LeafIndex, parse_commit, parse_group_info
from crypto.mls.transcript import confirmed_transcript_hash
from crypto.mls.tree import RatchetTree
from crypto.mls.wire import Malformed
from tests.mls.test_frames import ORDER, STEPS


@pytest.mark.parametrize("name", ORDER)
def test_tree_hash_is_that_of_core_crypto(name: str) -> None:
    group_info = parse_group_info(STEPS[name]["group_info"])
    assert RatchetTree(group_info.nodes).hash() == group_info.tree_hash


@pytest.mark.parametrize(("before", "name"), list(pairwise(ORDER)))
def test_commit_gives_tree_and_transcript_of_core_crypto(before: str, name: str) -> None:
    former, after = (parse_group_info(STEPS[step]["group_info"]) for step in (before, name))
    commit = parse_commit(STEPS[name]["commit"])
    tree = RatchetTree(former.nodes).after(commit.removed, {}, commit.path, after.signer)
    assert (tree.nodes, tree.hash()) == (after.nodes, after.tree_hash)
    assert RatchetTree(former.nodes).hash() == former.tree_hash, "the former tree is as it was"
    assert confirmed_transcript_hash(former, commit) == after.confirmed_transcript_hash


def test_path_of_another_leaf_does_not_fit_the_tree() -> None:
    former, commit = parse_group_info(STEPS["update"]["group_info"]), parse_commit(STEPS["join"]["commit"])
    with pytest.raises(Malformed, match=r"the update path has too few or too many nodes|parent_hash"):
        RatchetTree(former.nodes).after([], {}, commit.path, LeafIndex(1))

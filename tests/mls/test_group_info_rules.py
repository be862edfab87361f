"""What a group info must be, so that devices can join by it whatever its author wanted."""

from random import Random
from typing import Any

import pytest

from chat.errors import BadFrame, ChatError, TreeDiffers
from chat.mls.commit_rules import plan_creation, read_bundle
from chat.model.groups import Accepted, CommitBundle, CommitFacts
from crypto.mls.wire import opaque
from tests.mls.maker import CAPABILITIES, MLS10, UNUSABLE_KEYS, MadeGroup, of_key_package
from tests.mls.test_made_commits import ALICE, BOBS, CAROLS, CONVERSATION, LAPTOP, PHONE, GroupOf, owned, refusal

HASH = b"\1" * 32
CONTEXT = "Extensions of the group context must not change"
CAPABLE = "Malformed MLS message: Capabilities of a leaf must have the group's cipher suite"
ONE_VERSION = "Malformed MLS message: Capabilities of a leaf must have mls10 as its only version"
TWICE = "an encryption_key of the commit is in the tree already"


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"tree_hash": HASH}, BadFrame, "tree_hash of the group info is not that of its ratchet tree"),
        ({"confirmed_transcript_hash": HASH}, TreeDiffers, "confirmed_transcript_hash does not follow from the commit"),
        ({"confirmation_tag": HASH}, BadFrame, "confirmation_tag of the group info is not that of the commit"),
        ({"context_extensions": b""}, TreeDiffers, CONTEXT),
        ({"extensions": b"\0\5\0"}, BadFrame, "Malformed MLS message: group info must have the extensions"),
        ({"parent_hash": HASH}, TreeDiffers, "parent_hash of the update path's leaf is not the one of the tree"),
        ({"more_nodes": [HASH]}, TreeDiffers, "the update path has too few or too many nodes"),
        ({"node_key": HASH}, TreeDiffers, TWICE),
        ({"capabilities": opaque(b"\0\2") + CAPABILITIES[3:]}, BadFrame, ONE_VERSION),
        ({"capabilities": opaque(MLS10 + b"\x0a\x0a") + CAPABILITIES[3:]}, BadFrame, ONE_VERSION),
        ({"capabilities": CAPABILITIES[:-3] + opaque(b"\0\1" * 33)}, BadFrame, "must have at most 32 elements"),
        ({"capabilities": opaque(MLS10) + opaque(b"\0\2") + CAPABILITIES[6:]}, BadFrame, CAPABLE),
        ({"capabilities": CAPABILITIES[:-3] + opaque(b"\0\2")}, BadFrame, CAPABLE),
        *(
            ({"external_pub": key}, BadFrame, "Malformed MLS message: external_pub is not a usable X25519 public key")
            for key in UNUSABLE_KEYS.values()
        ),
    ],
)
def test_group_info_that_nobody_can_join_by_is_refused(
    wrong: dict[str, Any], error: type[ChatError], text: str
) -> None:
    """The group has four leaves, so the path has two nodes."""
    for by, options in ((LAPTOP, {}), (CAROLS, {"external": True, "remove": [CAROLS.signer]})):
        group = GroupOf(LAPTOP, BOBS, CAROLS, PHONE)
        assert isinstance(group.plan(by, **options), Accepted)
        try:
            refused = refusal(group.plan(by, wrong=wrong, **options))
        except BadFrame as malformed:
            refused = malformed
        assert type(refused) is error
        assert text in str(refused)


def required(extensions: bytes, proposals: bytes, credentials: bytes) -> bytes:
    return b"\0\3" + opaque(opaque(extensions) + opaque(proposals) + opaque(credentials))


@pytest.mark.parametrize(
    ("context_extensions", "is_right"),
    [
        (b"", True),
        (required(b"", b"", b""), True),
        (required(b"\0\1\0\5", b"\0\1\0\7", b"\0\1"), True),
        (required(b"\0\6", b"", b""), False),
        (required(b"", b"\0\x08", b""), False),
        (required(b"", b"", b"\0\2"), False),
    ],
    ids=["nothing", "empty", "defaults", "an extension", "a proposal", "a credential"],
)
def test_new_group_requires_what_its_creator_has(context_extensions: bytes, is_right: bool) -> None:
    for with_path in (True, False):
        made, group = MadeGroup(CONVERSATION, LAPTOP.signer), GroupOf(LAPTOP)
        add = group.claim(BOBS)
        bundle = made.commit(
            LAPTOP.signer, add=add, with_path=with_path, wrong={"context_extensions": context_extensions}
        )
        facts = CommitFacts(None, group.facts.claims, is_id_taken=False)
        outcome = plan_creation(read_bundle(bundle, CONVERSATION), LAPTOP.device, facts)
        if is_right:
            assert isinstance(outcome, Accepted)
        else:
            assert "Capabilities of a new leaf lack what the group requires" in str(refusal(outcome))


LACKS = "Capabilities of a new leaf lack what the group requires"
ABLE = {"capabilities": CAPABILITIES[:-3] + opaque(b"\0\1\0\2")}
BOTH = {"context_extensions": required(b"", b"", b"\0\1\0\2")}


def test_new_leaves_have_what_the_group_requires() -> None:
    """The key package of an added device was checked when it was uploaded, but for no group."""
    group = GroupOf(LAPTOP, BOBS)
    group.on(group_info=group.made.commit(LAPTOP.signer, wrong=BOTH).group_info, epoch=2)
    assert isinstance(group.plan(add=group.claim(CAROLS, **ABLE), wrong=BOTH | ABLE), Accepted)
    assert LACKS in str(refusal(group.plan(add=group.claim(CAROLS), wrong=BOTH | ABLE)))
    assert LACKS in str(refusal(group.plan(wrong=BOTH)))


@pytest.mark.parametrize("creator", [CAPABILITIES, ABLE["capabilities"]], ids=["lacks one", "has all"])
def test_creator_has_what_the_group_requires(creator: bytes) -> None:
    made, group = MadeGroup(CONVERSATION, LAPTOP.signer), GroupOf(LAPTOP)
    made.tree.leaves[0] = LAPTOP.signer.leaf(of_key_package(), capabilities=creator)
    bundle = made.commit(LAPTOP.signer, add=group.claim(BOBS, **ABLE), with_path=False, wrong=BOTH)
    facts = CommitFacts(None, group.facts.claims, is_id_taken=False)
    outcome = plan_creation(read_bundle(bundle, CONVERSATION), LAPTOP.device, facts)
    assert isinstance(outcome, Accepted) if creator != CAPABILITIES else LACKS in str(refusal(outcome))


@pytest.mark.parametrize("what", ["another device", "a forged leaf", "an unusable key", "no leaf"])
def test_new_group_begins_with_its_creators_leaf(what: str) -> None:
    """Without an update path, only the group info shows it."""
    made, group = MadeGroup(CONVERSATION, LAPTOP.signer), GroupOf(LAPTOP)
    match what:
        case "another device":
            made.place(0, PHONE.signer)
        case "a forged leaf":
            made.tree.leaves[0] = LAPTOP.signer.leaf(b"\2")
        case "an unusable key":
            made.tree.leaves[0] = LAPTOP.signer.leaf(b"\1" + bytes(8) + b"\1" * 8, encryption_key=bytes(32))
    made.leaves[0] = LAPTOP.signer
    add = group.claim(BOBS)
    if what == "no leaf":
        bundle = made.copy().commit(LAPTOP.signer, add=add, with_path=False)
        del made.tree.leaves[0]
        bundle = CommitBundle(
            bundle.commit, bundle.welcome, made.commit(LAPTOP.signer, add=add, with_path=False).group_info
        )
    else:
        bundle = made.commit(LAPTOP.signer, add=add, with_path=False)
    outcome = plan_creation(
        read_bundle(bundle, CONVERSATION), LAPTOP.device, CommitFacts(None, group.facts.claims, is_id_taken=False)
    )
    assert isinstance(refusal(outcome), BadFrame)


def test_encryption_key_is_in_a_tree_once() -> None:
    group = GroupOf(LAPTOP, BOBS)
    key = b"\5" * 32
    group.on(group_info=group.made.commit(LAPTOP.signer, wrong={"leaf_key": key}).group_info, epoch=2)
    for by in (LAPTOP, BOBS):  # the leaf that it replaces, and another leaf
        assert TWICE in str(refusal(group.plan(by, wrong={"leaf_key": key})))
    assert TWICE in str(refusal(group.plan(wrong={"leaf_key": b"\6" * 32, "node_key": b"\6" * 32})))


@pytest.mark.parametrize("with_path", [True, False])
def test_ratchet_tree_is_the_one_of_its_tree_hash(with_path: bool) -> None:
    """The other tree is that of before the commit, or has another leaf with the identity and keys of Bob."""
    group = GroupOf(LAPTOP, BOBS)
    made = group.made.copy()
    made.place(1, BOBS.signer)
    for other in (made, group.made):
        tree = other.tree.extension()
        outcome = group.plan(add=group.claim(CAROLS), with_path=with_path, wrong={"ratchet_tree": tree})
        assert isinstance(refusal(outcome), TreeDiffers)
        assert "does not show the tree that the commit makes" in str(refusal(outcome))


def test_random_commits_give_the_trees_of_the_maker() -> None:
    """Two implementations agree on trees of any shape: with blank nodes, unmerged leaves, grown and shrunk."""
    random = Random(9420)
    everyone = [owned(number, ALICE) for number in range(1, 25)]
    group = GroupOf(everyone[0])
    there, sizes = [everyone[0]], set()
    for _ in range(200):
        by = random.choice(there)
        outside = [one for one in everyone if one not in there]
        others = [one for one in there if one is not by]
        added = random.sample(outside, random.randint(0, min(3, len(outside)))) if random.random() < 0.5 else []
        removed = random.sample(others, random.randint(0, min(3, len(others)))) if random.random() < 0.5 else []
        with_path = bool(removed) or not added or random.random() < 0.5
        options: dict[str, Any] = {
            "add": group.claim(*added),
            "remove": [one.signer for one in removed],
            "with_path": with_path,
        }
        if random.random() < 0.2 and outside:
            by, added, removed = random.choice(outside), [], []
            options = {"external": True}
            there.append(by)
        bundle = group.made.commit(by.signer, **options)
        outcome = group.plan_bundle(bundle, by)
        assert isinstance(outcome, Accepted), outcome
        there = [one for one in there if one not in removed] + added
        sizes.add(group.made.tree.height)
        leaves = {leaf: next(one.holder for one in there if one.signer is s) for leaf, s in group.made.leaves.items()}
        group.on(epoch=group.group.epoch + 1, group_info=bundle.group_info, leaves=leaves)
    assert sizes >= {2, 3, 4, 5}

"""The parsers of MLS frames: on CoreCrypto's frames (web/scenarios/make-frames.js), on mutated and on random ones."""

import base64
import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.mls.checks import Forged, check_group_info, check_key_package, check_path, key_package_reference
from crypto.mls.frames import (
    Add,
    ExternalInit,
    LeafIndex,
    Remove,
    UpdatePath,
    _leaf,
    parse_commit,
    parse_group_info,
    parse_key_package,
    parse_private_message,
    parse_welcome,
)
from crypto.mls.wire import Malformed, Reader, opaque, read_all
from tests.mls.maker import MLS10, SUITE, UNUSABLE_KEYS, MadeGroup, Signer, of_key_package

MADE = json.loads(Path(__file__).with_name("frames.json").read_text())
STEPS = {step["name"]: {k: base64.b64decode(v) for k, v in step.items() if k != "name" and v} for step in MADE["steps"]}
ORDER = list(STEPS)
GROUP_ID = bytes.fromhex(MADE["group_id"])
KEY_PACKAGE = base64.b64decode(MADE["key_package"])
MESSAGE = base64.b64decode(MADE["message"])
NOW = datetime(2027, 1, 1, tzinfo=UTC)
ALICE, BOB, PHONE = (
    b"11111111-2222-4333-8444-555555555555:1@sottovoce",
    b"21111111-2222-4333-8444-555555555555:2@sottovoce",
    b"11111111-2222-4333-8444-555555555555:3@sottovoce",
)

Parse = Callable[[bytes], Any]

FRAMES: list[tuple[str, Parse, bytes]] = [
    ("key package", parse_key_package, KEY_PACKAGE),
    ("message", parse_private_message, MESSAGE),
    ("welcome", parse_welcome, STEPS["add"]["welcome"]),
    *((f"commit: {name}", parse_commit, step["commit"]) for name, step in STEPS.items()),
    *((f"group info: {name}", parse_group_info, step["group_info"]) for name, step in STEPS.items()),
]
EACH = pytest.mark.parametrize(("parse", "frame"), [one[1:] for one in FRAMES], ids=[one[0] for one in FRAMES])


def test_key_package_has_core_cryptos_reference() -> None:
    package = parse_key_package(KEY_PACKAGE)
    assert package.raw == KEY_PACKAGE
    assert package.leaf.identity == BOB
    assert len(package.leaf.signature_key) == 32
    assert key_package_reference(KEY_PACKAGE) == base64.b64decode(MADE["reference"])
    check_key_package(package, NOW)


@pytest.mark.parametrize("moment", [NOW - timedelta(days=3650), NOW + timedelta(days=36500)], ids=["early", "late"])
def test_key_package_outside_its_lifetime_is_malformed(moment: datetime) -> None:
    with pytest.raises(Malformed, match="expired or not valid yet"):
        check_key_package(parse_key_package(KEY_PACKAGE), moment)


def test_private_message_shows_group_and_epoch() -> None:
    message = parse_private_message(MESSAGE)
    assert (message.group_id, message.epoch, message.content_type) == (GROUP_ID, 1, "application")


def test_commits_show_sender_and_proposals() -> None:
    commits = [parse_commit(STEPS[name]["commit"]) for name in ORDER]
    assert [(commit.epoch, commit.sender) for commit in commits] == [(0, 0), (1, 1), (2, None), (3, 0)]
    assert {commit.group_id for commit in commits} == {GROUP_ID}
    kinds = [[type(proposal) for proposal in commit.proposals] for commit in commits]
    assert kinds == [[Add], [], [ExternalInit], [Remove]]
    assert commits[0].added[0].raw == KEY_PACKAGE
    assert [commit.removed for commit in commits] == [[], [], [], [1]]
    assert [commit.path.leaf.identity if commit.path else None for commit in commits] == [None, BOB, PHONE, ALICE]


def test_welcome_names_its_key_package() -> None:
    assert parse_welcome(STEPS["add"]["welcome"]).new_members == [base64.b64decode(MADE["reference"])]


def test_group_infos_show_the_trees_of_the_commits() -> None:
    infos = [parse_group_info(STEPS[name]["group_info"]) for name in ORDER]
    assert [(info.epoch, info.signer) for info in infos] == [(1, 0), (2, 1), (3, 2), (4, 0)]
    trees = [{leaf: one.identity for leaf, one in info.leaves.items()} for info in infos]
    assert trees == [{0: ALICE, 1: BOB}, {0: ALICE, 1: BOB}, {0: ALICE, 1: BOB, 2: PHONE}, {0: ALICE, 2: PHONE}]


def test_signatures_verify_with_the_signers_key_only() -> None:
    for name in ORDER:
        commit, info = parse_commit(STEPS[name]["commit"]), parse_group_info(STEPS[name]["group_info"])
        check_group_info(info, info.leaves[info.signer].signature_key)
        with pytest.raises(Forged):
            check_group_info(info, bytes(32))
        if commit.path is not None:
            check_path(commit.path, GROUP_ID, info.signer)
            with pytest.raises(Forged):
                check_path(commit.path, GROUP_ID[::-1], info.signer)


@EACH
def test_truncated_or_extended_frame_is_malformed(parse: Parse, frame: bytes) -> None:
    parse(frame)
    for length in range(len(frame)):
        with pytest.raises(Malformed):
            parse(frame[:length])
    with pytest.raises(Malformed):
        parse(frame + b"\0")


@EACH
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_frame_parses_or_is_malformed(parse: Parse, frame: bytes, data: st.DataObject) -> None:
    changed = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    _read_or_malformed(parse, bytes(changed))


@pytest.mark.parametrize("parse", {one[1] for one in FRAMES}, ids=lambda parse: parse.__name__)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_random_bytes_parse_or_are_malformed(parse: Parse, data: bytes) -> None:
    _read_or_malformed(parse, data)


def _read_or_malformed(parse: Parse, data: bytes) -> None:
    with suppress(Malformed):
        parse(data)


@given(data=st.binary(max_size=70_000))
@settings(max_examples=30)
def test_opaque_round_trips(data: bytes) -> None:
    assert read_all(opaque(data), Reader.opaque) == data


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"\x40\x3f" + bytes(63), id="63 in two bytes"),
        pytest.param(b"\x80\x00\x3f\xff" + bytes(0x3FFF), id="16383 in four bytes"),
        pytest.param(b"\xc0\x00\x00\x00\x00\x00\x00\x01x", id="eight bytes"),
        pytest.param(b"\x05four", id="longer than the frame"),
        pytest.param(b"\xbf\xff\xff\xff", id="a gigabyte in a short frame"),
    ],
)
def test_length_not_minimal_or_too_long_is_malformed(wire: bytes) -> None:
    with pytest.raises(Malformed):
        read_all(wire, Reader.opaque)


def group_info_with(tree: bytes, other_extension: bytes = b"\0\4") -> bytes:
    context = b"\x00\x01\x00\x01" + opaque(GROUP_ID) + bytes(8) + opaque(b"tree") + opaque(b"transcript") + opaque(b"")
    extensions = opaque(b"\x00\x02" + opaque(tree) + other_extension + opaque(opaque(b"key")))
    return b"\x00\x01\x00\x04" + context + extensions + opaque(b"tag") + bytes(4) + opaque(b"signature")


def test_frame_with_too_many_elements_is_refused_cheaply() -> None:
    """Time and memory are bounded. A tree of blank nodes has the most elements for its bytes."""
    assert list(parse_group_info(group_info_with(opaque(bytes(1000) + LEAF))).leaves) == [500]
    frame = group_info_with(opaque(bytes(1_000_000)))
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(Malformed, match="frame has too many elements"):
        parse_group_info(frame)
    took_s, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took_s < 5, "of CPU time, most of it for tracemalloc"
    assert peak < 10 * 2**20


def group() -> MadeGroup:
    return MadeGroup(UUID(MADE["group_id"]), Signer(ALICE))


def commit_with(old: bytes, new: bytes) -> Callable[[], object]:
    def parse() -> object:
        frame = group().commit(Signer(ALICE), with_path=False, external=True).commit
        assert frame.count(old) == 1
        return parse_commit(frame.replace(old, new))

    return parse


def key_package_with(
    *, source: bytes = of_key_package(), init_key: bytes = b"\5" * 32, encryption_key: bytes = b"\6" * 32
) -> Callable[[], object]:
    def check() -> object:
        signer = Signer(BOB)
        signed = MLS10 + SUITE + opaque(init_key) + signer.leaf(source, encryption_key=encryption_key) + opaque(b"")
        check_key_package(parse_key_package(signed + signer.sign("KeyPackageTBS", signed)), NOW)
        return None

    return check


def leaf_with(old: bytes, new: bytes) -> Callable[[], object]:
    package = Signer(BOB).key_package()
    assert package.count(old) == 1
    return lambda: parse_key_package(package.replace(old, new))


def check_path_of_another_source() -> None:
    signer = Signer(BOB)
    place = opaque(GROUP_ID) + bytes(4)
    check_path(UpdatePath(read_all(signer.leaf(b"\2", place), _leaf), []), GROUP_ID, LeafIndex(0))


def tree_with(nodes: bytes) -> Callable[[], object]:
    return lambda: parse_group_info(group_info_with(opaque(nodes)))


LEAF = b"\1\1" + Signer(BOB).leaf(b"\2")
PARENT = b"\1\2" + opaque(b"key") + opaque(b"") + opaque(b"")
INIT = b"\1\0\6" + opaque(b"kem output")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (lambda: parse_welcome(MESSAGE), "WireFormat must be mls_welcome"),
        (lambda: parse_commit(b"\0\2\0\1"), "ProtocolVersion must be mls10"),
        (lambda: parse_welcome(b"\0\1\0\3\0\2"), "CipherSuite must be MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"),
        (leaf_with(b"\0\1" + opaque(BOB), b"\0\2" + opaque(BOB)), "CredentialType must be basic"),
        (leaf_with(of_key_package(), b"\4" + of_key_package()[1:]), "unknown LeafNodeSource"),
        (commit_with(INIT, b"\1\0\2" + opaque(b"kem output")), "ProposalType must be add, remove or external_init"),
        (commit_with(INIT, b"\2\0\6" + opaque(b"kem output")), "proposals by reference are not supported"),
        (commit_with(bytes(8) + b"\4", bytes(8) + b"\2"), "SenderType must be member or new_member_commit"),
        (commit_with(b"\4\0\3", b"\4\0\1"), "ContentType must be commit"),
        (
            lambda: parse_private_message(group().message().replace(bytes(8) + b"\1", bytes(8) + b"\4")),
            "unknown Content",
        ),
        (tree_with(b"\1\3"), "unknown NodeType"),
        (tree_with(b"\2"), "optional must begin with 0 or 1"),
        (tree_with(b"\0" + LEAF), "leaf at the index of a parent node, or the reverse"),
        (tree_with(PARENT + b"\0" + LEAF), "leaf at the index of a parent node, or the reverse"),
        (tree_with(LEAF + b"\0"), "last node of the ratchet tree must not be blank"),
        (tree_with(b""), "last node of the ratchet tree must not be blank"),
        (leaf_with(of_key_package() + b"\0", of_key_package() + opaque(b"\0\1\0")), "extensions of a LeafNode are not"),
        (
            lambda: parse_group_info(group_info_with(b"\0", b"\0\5")),
            "group info must have the extensions ratchet_tree and external_pub, and no other",
        ),
        (
            lambda: parse_group_info(group_info_with(b"\0", b"\0\5\0\0\4")),
            "group info must have the extensions ratchet_tree and external_pub, and no other",
        ),
        (lambda: parse_group_info(group_info_with(b"\0", b"\0\2")), "duplicate extension"),
        (key_package_with(source=b"\2"), "LeafNodeSource of a key package must be key_package"),
        (key_package_with(init_key=b"\6" * 32), "init_key and encryption_key of a key package must differ"),
        (check_path_of_another_source, "LeafNodeSource of an update path must be commit"),
        (lambda: read_all(b"\xc0" + bytes(7), Reader.opaque), "length must not be encoded in eight bytes"),
        (lambda: read_all(b"\x40\x3f" + bytes(63), Reader.opaque), "length is not minimally encoded"),
        (lambda: read_all(b"\0\0\0", Reader.opaque), "2 bytes after the end of the frame"),
        (lambda: read_all(b"\1", Reader.opaque), "frame is truncated"),
    ],
)
def test_malformed_frame_says_what_is_wrong(parse: Callable[[], object], text: str) -> None:
    with pytest.raises(Malformed, match=text):
        parse()


def test_key_package_valid_is_accepted() -> None:
    key_package_with()()


@pytest.mark.parametrize("key", UNUSABLE_KEYS.values(), ids=UNUSABLE_KEYS)
@pytest.mark.parametrize("field", ["init_key", "encryption_key"])
def test_key_package_with_an_unusable_key_is_malformed(field: str, key: bytes) -> None:
    with pytest.raises(Malformed, match=f"{field} is not a usable X25519 public key"):
        key_package_with(**{field: key})()


def test_key_package_needs_both_signatures() -> None:
    with pytest.raises(Forged, match="LeafNodeTBS"):
        check_key_package(parse_key_package(Signer(BOB).key_package(forge_leaf=True)), NOW)
    forged = bytearray(Signer(BOB).key_package())
    forged[-1] ^= 1
    with pytest.raises(Forged, match="KeyPackageTBS"):
        check_key_package(parse_key_package(bytes(forged)), NOW)


def test_key_package_is_valid_from_its_first_second_to_its_last() -> None:
    begin, end = (int(NOW.timestamp()) + seconds for seconds in (-3600, 3600))
    package = parse_key_package(Signer(BOB).key_package(lifetime=(begin, end)))
    moment = timedelta(milliseconds=1)
    for valid in (datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC) - moment):
        check_key_package(package, valid)
    for invalid in (datetime.fromtimestamp(begin, UTC) - moment, datetime.fromtimestamp(end, UTC)):
        with pytest.raises(Malformed, match="expired or not valid yet"):
            check_key_package(package, invalid)

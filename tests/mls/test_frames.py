"""The parser of MLS, on frames that CoreCrypto made (web/scenarios/make-frames.js) and on what chance makes of them."""

import base64
import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.mls.checks import (
    Forged,
    check_group_info,
    check_key_package,
    check_path,
    key_package_reference,
)
from crypto.mls.frames import (
    Add,
    ExternalInit,
    Remove,
    parse_commit,
    parse_group_info,
    parse_key_package,
    parse_private_message,
    parse_welcome,
)
from crypto.mls.wire import Malformed, Reader, opaque, read_all

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
    *((f"commit that is to {name}", parse_commit, step["commit"]) for name, step in STEPS.items()),
    *((f"group info after {name}", parse_group_info, step["group_info"]) for name, step in STEPS.items()),
]
EACH = pytest.mark.parametrize(("parse", "frame"), [one[1:] for one in FRAMES], ids=[one[0] for one in FRAMES])


def test_a_key_package_is_read_and_has_the_reference_that_its_maker_gives_it() -> None:
    package = parse_key_package(KEY_PACKAGE)
    assert package.raw == KEY_PACKAGE
    assert package.leaf.identity == BOB
    assert len(package.leaf.signature_key) == 32
    assert key_package_reference(KEY_PACKAGE) == base64.b64decode(MADE["reference"])
    check_key_package(package, NOW)


@pytest.mark.parametrize("moment", [NOW - timedelta(days=3650), NOW + timedelta(days=36500)], ids=["early", "late"])
def test_a_key_package_out_of_its_time_is_none(moment: datetime) -> None:
    with pytest.raises(Malformed, match="not valid now"):
        check_key_package(parse_key_package(KEY_PACKAGE), moment)


def test_a_message_shows_its_group_and_epoch_and_nothing_else() -> None:
    message = parse_private_message(MESSAGE)
    assert (message.group_id, message.epoch, message.content_type) == (GROUP_ID, 1, "application")


def test_commits_say_who_is_added_and_removed_and_by_whom() -> None:
    commits = [parse_commit(STEPS[name]["commit"]) for name in ORDER]
    assert [(commit.epoch, commit.sender) for commit in commits] == [(0, 0), (1, 1), (2, None), (3, 0)]
    assert {commit.group_id for commit in commits} == {GROUP_ID}
    kinds = [[type(proposal) for proposal in commit.proposals] for commit in commits]
    assert kinds == [[Add], [], [ExternalInit], [Remove]]
    assert commits[0].added[0].raw == KEY_PACKAGE
    assert [commit.removed for commit in commits] == [[], [], [], [1]]
    assert [commit.path.identity if commit.path else None for commit in commits] == [None, BOB, PHONE, ALICE]


def test_a_welcome_names_the_key_package_that_it_is_for() -> None:
    assert parse_welcome(STEPS["add"]["welcome"]).new_members == [base64.b64decode(MADE["reference"])]


def test_group_infos_show_the_tree_that_the_commits_make() -> None:
    infos = [parse_group_info(STEPS[name]["group_info"]) for name in ORDER]
    assert [(info.epoch, info.signer) for info in infos] == [(1, 0), (2, 1), (3, 2), (4, 0)]
    trees = [{leaf: one.identity for leaf, one in info.leaves.items()} for info in infos]
    assert trees == [{0: ALICE, 1: BOB}, {0: ALICE, 1: BOB}, {0: ALICE, 1: BOB, 2: PHONE}, {0: ALICE, 2: PHONE}]


def test_every_signature_is_its_signers() -> None:
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
def test_a_frame_that_ends_early_or_late_is_malformed(parse: Parse, frame: bytes) -> None:
    parse(frame)
    for length in range(len(frame)):
        with pytest.raises(Malformed):
            parse(frame[:length])
    with pytest.raises(Malformed):
        parse(frame + b"\0")


@EACH
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_frame_that_was_changed_is_read_or_is_malformed(parse: Parse, frame: bytes, data: st.DataObject) -> None:
    changed = bytearray(frame)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    _read_or_malformed(parse, bytes(changed))


@pytest.mark.parametrize("parse", {one[1] for one in FRAMES}, ids=lambda parse: parse.__name__)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_or_are_malformed(parse: Parse, data: bytes) -> None:
    _read_or_malformed(parse, data)


def _read_or_malformed(parse: Parse, data: bytes) -> None:
    with suppress(Malformed):
        parse(data)


@given(data=st.binary(max_size=70_000))
@settings(max_examples=30)
def test_what_is_written_as_opaque_is_read_back(data: bytes) -> None:
    assert read_all(opaque(data), Reader.opaque) == data


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"\x40\x3f" + bytes(63), id="63 in two bytes"),
        pytest.param(b"\x80\x00\x3f\xff" + bytes(0x3FFF), id="16383 in four bytes"),
        pytest.param(b"\xc0\x00\x00\x00\x00\x00\x00\x01x", id="eight bytes"),
        pytest.param(b"\x05four", id="more than there is"),
        pytest.param(b"\xbf\xff\xff\xff", id="a gigabyte that is not there"),
    ],
)
def test_a_length_has_one_spelling_and_its_bytes(wire: bytes) -> None:
    with pytest.raises(Malformed):
        read_all(wire, Reader.opaque)


def group_info_with(tree: bytes) -> bytes:
    context = b"\x00\x01\x00\x01" + opaque(GROUP_ID) + bytes(8) + opaque(b"tree") + opaque(b"transcript") + opaque(b"")
    extensions = opaque(b"\x00\x02" + opaque(tree) + b"\x00\x04" + opaque(b"key"))
    return b"\x00\x01\x00\x04" + context + extensions + opaque(b"tag") + bytes(4) + opaque(b"signature")


def test_a_frame_of_many_small_things_takes_neither_long_nor_much() -> None:
    """A tree of blank nodes has the most structure for its bytes."""
    assert parse_group_info(group_info_with(opaque(bytes(1000)))).leaves == {}
    frame = group_info_with(opaque(bytes(1_000_000)))
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(Malformed, match="too many elements"):
        parse_group_info(frame)
    took_s, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took_s < 2, "with tracemalloc, which takes most of it"
    assert peak < 10 * 2**20

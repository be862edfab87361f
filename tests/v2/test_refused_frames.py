"""What the server reads of a message, a key package and a device before it stores them, and refuses."""

import json
import secrets
from base64 import b64encode
from collections.abc import Callable
from uuid import uuid4

import pytest

from chat.mls.devices import DEVICES_MAX, NAME_MAX_CHARS
from chat.mls.key_packages import KEPT_MAX, MAX_BYTES, UPLOAD_MAX
from chat.model.groups import MAX_ENCRYPTED_BYTES
from tests.conftest import Users
from tests.mls.maker import MadeGroup, Signer
from tests.v2.devices import listens
from tests.v2.direct import assert_refused
from tests.v2.mls import MlsDevice, MlsGroup, device, group_of


def base64(data: bytes) -> str:
    return b64encode(data).decode()


MESSAGES = {
    "of another group": (lambda group: MadeGroup(uuid4(), Signer(b"")).message(epoch=group.epoch), 400, "wrong_group"),
    "no MLS message": (lambda _: b"\0\1\0\2", 400, "bad_frame"),
    "with more after it": (lambda group: group.made.message() + b"\0", 400, "bad_frame"),
    "of another epoch than it says": (lambda group: group.made.message(epoch=group.epoch + 1), 400, "bad_frame"),
    "a proposal": (lambda group: with_content_type(group.made.message(), 2), 400, "bad_frame"),
    "a commit": (lambda group: with_content_type(group.made.message(), 3), 400, "bad_frame"),
    "too large": (lambda group: sized(group, MAX_ENCRYPTED_BYTES + 1), 400, "bad_frame"),
    "as large as it may be": (lambda group: sized(group, MAX_ENCRYPTED_BYTES), 200, ""),
}


def with_content_type(message: bytes, content_type: int) -> bytes:
    """The type is after version, wire format, group id and epoch (RFC 9420, section 6.3)."""
    at = 2 + 2 + 1 + 16 + 8
    assert message[at] == 1
    return message[:at] + bytes([content_type]) + message[at + 1 :]


def sized(group: MlsGroup, size: int) -> bytes:
    """A message of this size."""
    short = len(group.made.message(bytes(2**16))) - 2**16
    message = group.made.message(bytes(size - short))
    assert len(message) == size
    return message


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("way", ["http", "socket"])
async def test_group_message_is_checked(users: Users, name: str, way: str) -> None:
    make, status, code = MESSAGES[name]
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    data = base64(make(group))
    body = {"id": uuid4().hex, "epoch": group.epoch, "data": data}
    if way == "http":
        answer = await alice.session.api.post(f"{group.path}/messages", json=body)
        if status == 200:
            assert answer.status_code == 200, answer.text
        else:
            assert_refused(answer, status, code)
        return
    socket = await listens(alice.session)
    await socket.sends(json.dumps({"type": "send", "conversation": str(group.id), **body}))
    answer = await socket.next()
    while answer.get("id") != body["id"]:
        answer = await socket.next()
    expected = "sent entry" if status == 200 else "refused"
    assert answer["type"] in expected
    assert answer.get("code", "") == code


KEY_PACKAGES: dict[str, Callable[[MlsDevice, MlsDevice], bytes]] = {
    "of another device": lambda _, other: other.key_package(),
    "with the key of another": lambda own, _: MlsDevice(own.session, own.id, Signer(own.signer.identity)).key_package(),
    "with the name of another": lambda own, other: MlsDevice(
        own.session, own.id, Signer(other.signer.identity, own.signer.key)
    ).key_package(),
    "with more after it": lambda own, _: own.key_package() + b"\0",
    "with a forged leaf": lambda own, _: own.signer.key_package(forge_leaf=True),
    "that is over": lambda own, _: own.signer.key_package(
        lifetime=(0, int(own.session.server.clock().timestamp()) - 9)
    ),
    "with an init key of zeros": lambda own, _: own.signer.key_package(init_key=bytes(32)),
    "with an encryption key of zeros": lambda own, _: own.signer.key_package(encryption_key=bytes(32)),
    "too large": lambda own, _: bytes(MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", KEY_PACKAGES)
@pytest.mark.parametrize("field", ["key_packages", "last_resort"])
async def test_key_package_that_is_wrong_is_refused_with_others(users: Users, name: str, field: str) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    wrong, right = base64(KEY_PACKAGES[name](alice, bob)), base64(alice.key_package())
    body = {"key_packages": [right, wrong]} if field == "key_packages" else {"key_packages": [right], field: wrong}
    assert_refused(await alice.session.api.post("/v2/key-packages", json=body), 400, "bad_frame")
    assert (await alice.session.api.get("/v2/key-packages/count")).json() == {"count": 0}


async def test_key_packages_are_bounded(users: Users) -> None:
    (alice,) = [await device(one) for one in await users("alice")]
    await alice.uploads(UPLOAD_MAX)
    too_many = {"key_packages": [base64(alice.key_package()) for _ in range(UPLOAD_MAX + 1)]}
    assert_refused(await alice.session.api.post("/v2/key-packages", json=too_many), 400, "invalid")
    await alice.uploads(KEPT_MAX - UPLOAD_MAX)
    one_more = {"key_packages": [base64(alice.key_package())]}
    assert_refused(await alice.session.api.post("/v2/key-packages", json=one_more), 400, "invalid")
    assert (await alice.session.api.get("/v2/key-packages/count")).json() == {"count": KEPT_MAX}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "  "}, 400),
        ({"name": "a\0b"}, 400),
        ({"name": "x" * NAME_MAX_CHARS}, 201),
        ({"name": "x" * (NAME_MAX_CHARS + 1)}, 400),
        ({"signature_key": base64(bytes(31))}, 400),
        ({"signature_key": base64(bytes(33))}, 400),
    ],
)
async def test_device_name_and_key_are_checked(users: Users, change: dict[str, str], status: int) -> None:
    (alice,) = await users("alice")
    registration = MlsDevice(alice, secrets.randbits(62), Signer(b"")).registration | change
    answer = await alice.api.post("/v2/devices", json=registration)
    assert answer.status_code == status, answer.text
    shown = [one["name"] for one in (await alice.api.get("/v2/devices")).json()]
    assert shown == ([registration["name"]] if status == 201 else [])


async def test_devices_of_an_account_are_bounded(users: Users) -> None:
    (alice,) = await users("alice")
    sessions = [alice, *[await alice.again() for _ in range(DEVICES_MAX)]]
    for session in sessions[:-1]:
        await device(session)
    more = MlsDevice(sessions[-1], secrets.randbits(62), Signer(b""))
    answer = await more.session.api.post("/v2/devices", json=more.registration)
    assert answer.status_code == 400, answer.text
    assert len((await alice.api.get("/v2/devices")).json()) == DEVICES_MAX


async def test_own_role_cannot_be_changed(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    path = f"{group.path}/members/{alice.session.uuid}"
    assert_refused(await alice.session.api.put(path, json={"role": "member"}), 400, "invalid")

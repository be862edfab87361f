"""What the devices of a group are notified of, and which entries each of them gets."""

import asyncio
import secrets
from typing import Any

import msgspec
import pytest

from testing.server import PATIENCE_S, Person, connect
from tests.conftest import Users
from tests.v2.devices import DeviceSocket, listens
from tests.v2.direct import assert_refused
from tests.v2.mls import MlsDevice, MlsGroup, device, group_of


async def frame_of(line: DeviceSocket, kind: str) -> dict[str, Any]:
    """The next frame of this type."""
    while True:
        frame: dict[str, Any] = msgspec.json.decode(await asyncio.wait_for(line.socket.recv(), PATIENCE_S))
        if frame["type"] == kind:
            return frame


async def says(by: MlsDevice, group: MlsGroup) -> int:
    body = {"id": secrets.token_hex(16), "epoch": group.epoch, "data": group.message()}
    answer = await by.session.api.post(f"{group.path}/messages", json=body)
    assert answer.status_code == 200, answer.text
    seq: int = answer.json()["seq"]
    return seq


async def entries_at_connection(person: Person) -> list[int]:
    """The places of the entries that a new socket gets before `ready`."""
    address = f"{person.server.http.replace('http', 'ws')}/v2/socket"
    line = DeviceSocket(await connect(address, {"Cookie": f"Authorization={person.token}"}))
    person.server.sockets.append(line)
    found = []
    while (frame := await line.next())["type"] != "ready":
        if frame["type"] == "entry":
            found.append(frame["seq"])
    return found


async def test_change_of_a_role_is_notified_to_the_group(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    line = await listens(bob.session)
    path = f"{group.path}/members/{bob.session.uuid}"
    assert (await alice.session.api.put(path, json={"role": "admin"})).status_code == 200
    assert await frame_of(line, "members_changed") == {"type": "members_changed", "conversation": str(group.id)}


async def test_deletion_is_notified_to_the_group(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    body = {"id": secrets.token_hex(16), "epoch": group.epoch, "data": group.message()}
    seq = (await alice.session.api.post(f"{group.path}/messages", json=body)).json()["seq"]
    line = await listens(bob.session)
    assert (await alice.session.api.delete(f"{group.path}/messages/{body['id']}")).status_code == 200
    assert await frame_of(line, "deleted") == {"type": "deleted", "conversation": str(group.id), "seq": seq}


async def test_new_and_revoked_devices_are_notified_to_members(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    await group_of(alice, bob)
    line = await listens(bob.session)
    expected = {"type": "devices_changed", "user": str(alice.session.uuid)}
    phone = await device(await alice.session.again())
    while await frame_of(line, "devices_changed") != expected:
        pass
    assert (await alice.session.api.delete(f"/v2/devices/{phone.hex}")).status_code == 200
    while await frame_of(line, "devices_changed") != expected:
        pass


async def test_acknowledged_entries_do_not_come_again(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    first, second = [await says(alice, group) for _ in range(2)]
    assert await entries_at_connection(bob.session) == [first, second]
    assert (await bob.session.api.post(f"{group.path}/ack", json={"seq": first})).status_code == 200
    assert await entries_at_connection(bob.session) == [second]


async def test_device_gets_no_entry_from_before_its_membership(users: Users) -> None:
    alice, bob, carol = [await device(one) for one in await users("alice", "bob", "carol")]
    group = await group_of(alice, bob)
    before = await says(alice, group)
    await carol.uploads()
    added = await group.commit(alice, {carol: await alice.claims(carol)}, read=before).sent_by(alice.session)
    assert added.status_code == 200, added.text
    later = await says(alice, group)
    await alice.session.server.sql("UPDATE leaves SET acked_seq = 0 WHERE device_id = %s", carol.id)
    assert await entries_at_connection(carol.session) == [later]
    log = (await carol.session.api.get(f"{group.path}/log?after=0")).json()
    assert [entry["seq"] for entry in log] == [later]


@pytest.mark.parametrize("is_acked", [True, False])
async def test_device_added_again_gets_nothing_from_between(users: Users, is_acked: bool) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    removal = await group.commit(alice, remove=(bob,)).sent_by(alice.session)
    assert removal.status_code == 200, removal.text
    removed_at = removal.json()["seq"]
    if is_acked:
        assert (await bob.session.api.post(f"{group.path}/ack", json={"seq": removed_at})).status_code == 200
    between = await says(alice, group)
    await bob.uploads()
    added = await group.commit(alice, {bob: await alice.claims(bob)}, read=between).sent_by(alice.session)
    assert added.status_code == 200, added.text
    later = await says(alice, group)
    assert await entries_at_connection(bob.session) == ([later] if is_acked else [removed_at, later])


async def test_log_of_a_removed_device_ends_with_its_removal(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    before = await says(alice, group)
    removal = await group.commit(alice, remove=(bob,)).sent_by(alice.session)
    assert removal.status_code == 200
    await says(alice, group)
    log = (await bob.session.api.get(f"{group.path}/log?after=0")).json()
    assert [entry["seq"] for entry in log][-2:] == [before, removal.json()["seq"]]


async def test_signature_key_belongs_to_one_device(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    made = await device(alice)
    body = made.registration | {"id": f"{secrets.randbits(62) | 1:016x}"}
    assert_refused(await bob.api.post("/v2/devices", json=body), 409, "taken")


async def test_revocation_of_an_unknown_device_is_404(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    for unknown in (f"{secrets.randbits(62) | 1:016x}", bob.hex):
        assert_refused(await alice.session.api.delete(f"/v2/devices/{unknown}"), 404, "no_such_device")

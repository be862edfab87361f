"""Devices: which session may be bound to one, and who may list them."""

import pytest

from testing.server import RunningServer
from tests.conftest import Users
from tests.v2.direct import assert_refused
from tests.v2.mls import device, group_of


@pytest.mark.parametrize(("minutes", "status"), [(14, 201), (16, 409)])
async def test_device_is_bound_again_by_a_fresh_session_only(
    users: Users, server: RunningServer, minutes: int, status: int
) -> None:
    """A session younger than 15 minutes has just given the password; a stolen session is usually older."""
    (alice,) = await users("alice")
    laptop = await device(alice)
    again = await alice.again()
    server.clock.forward(minutes=minutes)
    answer = await again.api.post("/v2/devices", json=laptop.registration)
    assert answer.status_code == status, answer.text
    if status == 409:
        assert answer.json()["code"] == "taken"
    shown = {one["id"]: one["device"] for one in (await alice.api.get("/v2/sessions")).json()}
    assert shown[str(again.session_id)] == (laptop.hex if status == 201 else None)


async def test_device_new_is_registered_by_any_session(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    server.clock.forward(days=3)
    await device(alice)


async def test_device_of_a_bound_session_is_not_changed(users: Users) -> None:
    (alice,) = await users("alice")
    laptop = await device(alice)
    other = laptop.registration | {"id": f"{laptop.id ^ 2:016x}", "signature_key": "A" * 43 + "="}
    assert_refused(await alice.api.post("/v2/devices", json=other), 409, "taken")
    assert (await alice.api.post("/v2/devices", json=laptop.registration)).status_code == 201, (
        "repeating the registration of its own device is allowed"
    )


async def test_devices_of_a_stranger_are_hidden(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await device(bob)
    hidden = await alice.api.get(f"/v2/users/{bob.name}/devices")
    nobody = await alice.api.get("/v2/users/nobody_at_all/devices")
    assert_refused(hidden, 404, "no_such_user")
    assert hidden.json() == nobody.json(), "the response does not reveal that the user exists"


async def test_devices_are_shown_after_a_key_package_claim(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    await bob.uploads()
    await alice.claims(bob)
    (shown,) = (await alice.session.api.get(f"/v2/users/{bob.session.name}/devices")).json()
    assert shown["id"] == bob.hex
    assert_refused(await bob.session.api.get(f"/v2/users/{alice.session.name}/devices"), 404, "no_such_user")


async def test_devices_are_shown_to_both_in_a_conversation(users: Users, server: RunningServer) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    await group_of(alice, bob)
    await server.sql("DELETE FROM claims WHERE user_id = %s", alice.session.id)
    for one, other in ((alice, bob), (bob, alice)):
        (shown,) = (await one.session.api.get(f"/v2/users/{other.session.name}/devices")).json()
        assert shown["id"] == other.hex

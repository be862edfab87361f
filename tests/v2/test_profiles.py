"""Profile changes, and which devices are notified of them."""

from base64 import b64encode

from testing.server import PASSWORD, Person
from tests.conftest import Users
from tests.test_pictures import drawn, saved
from tests.v2.devices import listens


def changed(person: Person) -> dict[str, str]:
    return {"type": "profile_changed", "user": str(person.uuid)}


async def test_profile_change_notifies_conversation_partners(users: Users) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    await alice.meets(bob)
    at_alice, at_bob, at_eve = await listens(alice), await listens(bob), await listens(eve)
    picture = b64encode(saved(drawn(), "PNG")).decode()
    assert (await alice.api.put("/v2/account/picture", json={"image": picture})).status_code == 200
    assert await at_bob.next() == await at_alice.next() == changed(alice)
    assert (await alice.api.patch("/v2/account", json={"bio": "I sing"})).status_code == 200
    assert await at_bob.next() == changed(alice)
    renamed = {"username": f"{alice.name[:12]}_now", "password": PASSWORD}
    assert (await alice.api.patch("/api/users", json=renamed)).status_code == 200
    assert await at_bob.next() == changed(alice)
    (shown,) = (await bob.api.get("/v2/direct")).json()
    assert shown["user"]["username"] == renamed["username"]
    person = (await bob.api.get(f"/v2/users/{renamed['username']}")).json()
    assert shown["user"]["picture"] == person["picture"] is not None
    assert person["bio"] == "I sing"
    await at_eve.receives_nothing()


async def test_profile_change_of_private_fields_is_not_notified(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await alice.meets(bob)
    at_bob = await listens(bob)
    private = {"email": f"{alice.name}@elsewhere.example", "password": PASSWORD}
    assert (await alice.api.patch("/api/users", json=private)).status_code == 200
    await at_bob.receives_nothing()


async def test_profile_change_without_effect_is_not_notified(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await alice.meets(bob)
    picture = {"image": b64encode(saved(drawn(), "PNG")).decode()}
    bio = {"bio": "I sing"}
    for _ in range(2):
        at_bob = await listens(bob)
        await alice.api.put("/v2/account/picture", json=picture)
        await alice.api.patch("/v2/account", json=bio)
    await at_bob.receives_nothing()


async def test_profile_change_is_not_notified_to_blocking_users(users: Users) -> None:
    alice, bob, carol, dave = await users("alice", "bob", "carol", "dave")
    for other in (bob, carol, dave):
        await alice.meets(other)
    await bob.api.put(f"/v2/blocks/{alice.uuid}")
    await alice.server.sql("UPDATE members SET state = 'ignored' WHERE user_id = %s", carol.id)
    at_bob, at_carol, at_dave = await listens(bob), await listens(carol), await listens(dave)
    await alice.api.patch("/v2/account", json={"bio": "I sing"})
    assert await at_dave.next() == changed(alice)
    await at_bob.receives_nothing()
    await at_carol.receives_nothing()

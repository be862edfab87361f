"""What somebody shows of themselves, and that those who see it hear when it changes."""

from base64 import b64encode

from tests.conftest import Cast
from tests.house import PASSWORD, Person
from tests.sealed.devices import listens
from tests.test_pictures import drawn, saved


def changed(person: Person) -> dict[str, str]:
    return {"type": "profile_changed", "user": str(person.uuid)}


async def test_whoever_shares_a_conversation_hears_of_a_new_picture_bio_or_name(cast: Cast) -> None:
    alice, bob, eve = await cast("alice", "bob", "eve")
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
    assert (await bob.api.get(f"/v2/users/{renamed['username']}")).json()["bio"] == "I sing"
    await at_eve.hears_nothing()


async def test_what_others_do_not_see_is_not_told(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    await alice.meets(bob)
    at_bob = await listens(bob)
    private = {"email": f"{alice.name}@elsewhere.example", "password": PASSWORD}
    assert (await alice.api.patch("/api/users", json=private)).status_code == 200
    await at_bob.hears_nothing()

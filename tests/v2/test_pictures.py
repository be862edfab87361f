"""Picture versions: clients learn whether a picture exists or has changed without fetching it."""

from base64 import b64encode

from testing.server import Person
from tests.conftest import Users
from tests.test_pictures import drawn, saved


async def version_of(person: Person) -> str | None:
    version: str | None = (await person.api.get("/v2/account")).json()["picture"]
    return version


async def test_picture_has_a_version_visible_to_others(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    assert await version_of(alice) is None
    assert "picture" not in (await bob.api.get(f"/v2/users/{alice.name}")).json()
    for mode in ("RGB", "L"):
        before = await version_of(alice)
        picture = b64encode(saved(drawn(mode), "PNG")).decode()
        assert (await alice.api.put("/v2/account/picture", json={"image": picture})).status_code == 200
        assert await version_of(alice) not in (None, before)
    assert (await bob.api.get(f"/v2/users/{alice.name}")).json()["picture"] == await version_of(alice)


async def test_picture_requested_by_version_is_cacheable(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    path = f"/v2/users/{alice.name}/picture"
    assert (await bob.api.get(path)).status_code == 404
    await alice.api.put("/v2/account/picture", json={"image": b64encode(saved(drawn(), "PNG")).decode()})
    assert (await bob.api.get(path)).headers["Cache-Control"] == "no-store"
    kept = await bob.api.get(path, params={"v": await version_of(alice)})
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["Content-Type"] == "image/png"
    assert kept.content.startswith(b"\x89PNG")

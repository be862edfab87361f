"""Key packages: the last resort, the life of a claim, and who is notified that few are left."""

from base64 import b64decode, b64encode
from typing import Any

from store.database.expiry import delete_expired
from store.database.pool import Database
from testing.server import PATIENCE_S, RunningServer
from tests.conftest import Users
from tests.v2.devices import listens
from tests.v2.direct import assert_refused
from tests.v2.mls import MlsDevice, MlsGroup, device

FEW = 20  # a device that has fewer is notified


async def uploads(of: MlsDevice, *packages: bytes, last_resort: bytes | None = None) -> int:
    body: dict[str, Any] = {"key_packages": [b64encode(one).decode() for one in packages]}
    if last_resort is not None:
        body["last_resort"] = b64encode(last_resort).decode()
    answer = await of.session.api.post("/v2/key-packages", json=body)
    assert answer.status_code == 201, answer.text
    count: int = answer.json()["count"]
    return count


async def claimed(by: MlsDevice, of: MlsDevice) -> list[bytes]:
    answer = await by.session.api.post(f"/v2/users/{of.session.uuid}/key-packages/claim", json={})
    assert answer.status_code == 200, answer.text
    return [b64decode(one["key_package"], validate=True) for one in answer.json()]


async def test_last_resort_is_claimed_again_until_it_is_replaced(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    once, last, newer = (bob.key_package() for _ in range(3))
    assert await uploads(bob, once, last_resort=last) == 1, "the last resort is not counted"
    assert [await claimed(alice, bob) for _ in range(3)] == [[once], [last], [last]]
    other = bob.key_package()
    assert await uploads(bob, other) == 1
    assert [await claimed(alice, bob) for _ in range(2)] == [[other], [last]], "packages without one replace none"
    assert await uploads(bob, last_resort=newer) == 0
    assert [await claimed(alice, bob) for _ in range(2)] == [[newer], [newer]]


async def expires(server: RunningServer) -> None:
    """What the server does every few minutes."""
    database = Database(server.url, "expiry")
    await database.open(PATIENCE_S)
    await delete_expired(database, server.clock())
    await database.close()


async def test_claim_of_a_key_package_is_kept_for_a_day(users: Users, server: RunningServer) -> None:
    alice, bob, carol = [await device(one) for one in await users("alice", "bob", "carol")]
    for one in (bob, carol):
        await one.uploads()
    packages = {one: await alice.claims(one) for one in (bob, carol)}
    group = MlsGroup.of(alice)
    server.clock.forward(hours=23)
    await expires(server)
    assert (await group.commit(alice, {bob: packages[bob]}).sent_by(alice.session)).status_code == 201
    server.clock.forward(hours=2)
    await expires(server)
    late = await group.commit(alice, {carol: packages[carol]}).sent_by(alice.session)
    assert_refused(late, 409, "unknown_key_package")


async def test_device_with_few_key_packages_is_notified(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    await uploads(bob, *(bob.key_package() for _ in range(FEW + 1)))
    line = await listens(bob.session)
    await claimed(alice, bob)
    await line.receives_nothing()
    await claimed(alice, bob)
    assert await line.next() == {"type": "key_packages_low"}

"""Account keys: what the server checks of a device list, and which devices it lets join groups."""

import asyncio
import secrets
import time
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chat.identity.device_lists import RECOVERY_MAX_BYTES
from chat.identity.links import ANSWER_MAX_BYTES, REQUEST_MAX_BYTES
from chat.model.ids import UserId
from crypto.device_lists import ENTRY, HEAD, LABEL
from store.device_lists import DeviceLists
from testing.server import PASSWORD, PATIENCE_S, RunningServer
from tests.conftest import Users
from tests.v2.devices import listens
from tests.v2.direct import assert_refused
from tests.v2.identity import AccountKey, account_key_of, base64
from tests.v2.mls import MlsDevice, MlsGroup, device, group_of

LIST = "/v2/account/device-list"


async def two_devices(users: Users) -> tuple[MlsDevice, MlsDevice]:
    """Of one user."""
    (alice,) = await users("alice")
    return await device(alice), await device(await alice.again())


# Publishing a list


async def test_device_list_newest_is_shown_to_those_who_share_a_group(users: Users) -> None:
    alice, bob, eve = [await device(one) for one in await users("alice", "bob", "eve")]
    key = await account_key_of(alice)
    path = f"/v2/users/{alice.session.uuid}/device-list"
    assert_refused(await bob.session.api.get(path), 404, "no_such_user")
    await group_of(alice, bob)
    assert (await key.publishes(alice, counter=2)).status_code == 200
    for one in (alice, bob):
        shown = (await one.session.api.get(path)).json()
        assert shown["account_key"] == base64(key.public_key)
        assert HEAD.unpack_from(b64decode(shown["device_list"]))[2] == 2
        key.key.public_key().verify(b64decode(shown["signature"]), b64decode(shown["device_list"]))
    assert_refused(await eve.session.api.get(path), 404, "no_such_user")


async def test_device_list_of_an_account_without_a_key_is_none(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    await group_of(alice, bob)
    answer = await alice.session.api.get(f"/v2/users/{bob.session.uuid}/device-list")
    assert_refused(answer, 404, "no_device_list")


@pytest.mark.parametrize("counter", [4, 5])
async def test_device_list_needs_a_higher_counter(users: Users, counter: int) -> None:
    laptop, phone = await two_devices(users)
    key = AccountKey(laptop.session)
    assert (await key.publishes(laptop, counter=5)).status_code == 200
    assert_refused(await key.publishes(laptop, phone, counter=counter), 409, "stale_device_list")
    assert (await key.publishes(laptop, phone, counter=6)).status_code == 200


async def test_counter_of_a_device_list_cannot_be_used_up(users: Users) -> None:
    laptop, _ = await two_devices(users)
    key = await account_key_of(laptop)
    tomorrow = int((time.time() + 24 * 3600) * 1000)
    assert_refused(await key.publishes(laptop, counter=tomorrow + 60_000), 400, "invalid")
    assert (await key.publishes(laptop, counter=tomorrow - 60_000)).status_code == 200


async def test_device_list_may_keep_a_device_that_was_removed(users: Users) -> None:
    """A server that hides a device must not have it taken off the list."""
    laptop, phone = await two_devices(users)
    key = await account_key_of(laptop, phone)
    assert (await laptop.session.api.delete(f"/v2/devices/{phone.hex}")).status_code == 200
    assert (await key.publishes(laptop, phone, counter=2)).status_code == 200
    assert (await key.publishes(laptop, counter=3)).status_code == 200
    assert_refused(await key.publishes(laptop, phone, counter=4), 400, "invalid")


async def test_device_that_a_list_omitted_is_not_listed_again(users: Users) -> None:
    """Clients take it for removed, and would stop in a group with it: also where another account key came between."""
    laptop, phone = await two_devices(users)
    tablet = await device(await laptop.session.again())
    key = await account_key_of(laptop, phone)
    assert (await key.publishes(laptop, counter=2)).status_code == 200
    assert_refused(await key.publishes(laptop, phone, counter=3), 400, "invalid")
    assert (await key.publishes(tablet, counter=3)).status_code == 200
    for back in (laptop, phone):
        assert_refused(await key.publishes(tablet, back, counter=4), 400, "invalid")
    other = AccountKey(tablet.session)
    assert_refused(await other.publishes(tablet, phone, password=PASSWORD), 400, "invalid")
    new = await device(await laptop.session.again())
    assert (await other.publishes(new, password=PASSWORD)).status_code == 200
    assert_refused(await key.publishes(new, laptop, counter=5, password=PASSWORD), 400, "invalid")
    assert_refused(await key.publishes(new, tablet, counter=5, password=PASSWORD), 400, "invalid")


async def test_device_list_of_another_key_needs_the_password(users: Users) -> None:
    laptop, phone = await two_devices(users)
    await account_key_of(laptop)
    other = AccountKey(phone.session)
    assert_refused(await other.publishes(phone, counter=9), 409, "account_key_exists")
    assert_refused(await other.publishes(phone, counter=9, password="Wrong1pass"), 400, "invalid_credentials")
    assert (await other.publishes(phone, password=PASSWORD)).status_code == 200, "its counter starts again"


def changed(key: AccountKey, laptop: MlsDevice, what: str) -> dict[str, Any]:
    right = key.list_of(laptop).encode()
    first = ENTRY.pack(1, bytes(32))
    match what:
        case "its signature is by another key":
            return key.lists(laptop) | {"account_key": base64(AccountKey(key.user).public_key)}
        case "its label is another":
            return key.sign(LABEL.replace(b"1", b"2") + right[len(LABEL) :])
        case "it is of another user":
            return key.sign(right[: len(LABEL)] + bytes(16) + right[len(LABEL) + 16 :])
        case "it has no device":
            return key.sign(right[: HEAD.size])
        case "it has a part of a device":
            return key.sign(right[:-1])
        case "its head is cut":
            return key.sign(right[: HEAD.size - 1])
        case "it has a device twice":
            return key.sign(right + right[HEAD.size :])
        case "its order is wrong":
            return key.sign(right + first)
        case "it has 17 devices":
            return key.sign(right[: HEAD.size] + b"".join(ENTRY.pack(nth, bytes(32)) for nth in range(1, 18)))
        case "it has a device that is not registered":
            return key.sign(right[: HEAD.size] + first + right[HEAD.size :])
        case "it has another key of a device":
            return key.sign(right[:-32] + bytes(32))
        case "it has expired":
            return key.lists(laptop, days=-0.01)
        case "it is valid for more than a year":
            return key.lists(laptop, days=367)
        case "its counter is no bigint":
            return key.lists(laptop, counter=2**63)
        case _:
            raise AssertionError(what)


@pytest.mark.parametrize(
    "what",
    [
        "its signature is by another key",
        "its label is another",
        "it is of another user",
        "it has no device",
        "it has a part of a device",
        "its head is cut",
        "it has a device twice",
        "its order is wrong",
        "it has 17 devices",
        "it has a device that is not registered",
        "it has another key of a device",
        "it has expired",
        "it is valid for more than a year",
        "its counter is no bigint",
    ],
)
async def test_device_list_is_refused_if(users: Users, what: str) -> None:
    laptop, phone = await two_devices(users)
    key = AccountKey(laptop.session)
    assert_refused(await laptop.session.api.put(LIST, json=changed(key, laptop, what)), 400, "invalid")
    missing = await phone.session.api.get(f"/v2/users/{laptop.session.uuid}/device-list")
    assert_refused(missing, 404, "no_device_list")


@pytest.mark.parametrize(
    ("what", "status"),
    [
        pytest.param({"days": 1 / 24 / 60}, 200, id="over in a minute"),
        pytest.param({"days": 366 + 59 / 24 / 60}, 200, id="366 days by a clock that is almost an hour ahead"),
        pytest.param({"days": 366 + 61 / 24 / 60}, 400, id="by one that is more than an hour ahead"),
        pytest.param({"counter": 2**63 - 1}, 400, id="the highest counter"),
    ],
)
async def test_device_list_life_and_counter_have_bounds(users: Users, what: dict[str, Any], status: int) -> None:
    (alice,) = [await device(one) for one in await users("alice")]
    answer = await alice.session.api.put(LIST, json=AccountKey(alice.session).lists(alice, **what))
    assert answer.status_code == status, answer.text


async def test_device_list_notifies_those_who_share_a_group(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    await group_of(alice, bob)
    hearer = await listens(bob.session)
    await account_key_of(alice)
    async with asyncio.timeout(PATIENCE_S):
        while f'"devices_changed","user":"{alice.session.uuid}"'.encode() not in await hearer.socket.recv(decode=False):
            pass


# What a device may do before it is listed


async def test_unlisted_device_is_not_handed_out(users: Users) -> None:
    laptop, phone = await two_devices(users)
    (bob,) = await users("bob")
    path = f"/v2/users/{laptop.session.uuid}/key-packages/claim"
    for one in (laptop, phone):
        await one.uploads(2)
    key = await account_key_of(laptop)
    assert [one["device"] for one in (await bob.api.post(path, json={})).json()] == [laptop.hex]
    assert (await key.publishes(laptop, phone, counter=2)).status_code == 200
    assert {one["device"] for one in (await bob.api.post(path, json={})).json()} == {laptop.hex, phone.hex}


async def test_unlisted_device_joins_and_creates_nothing(users: Users) -> None:
    laptop, phone = await two_devices(users)
    group = await group_of(laptop)
    key = await account_key_of(laptop)
    joining, creating = group.commit(phone, external=True), MlsGroup.of(phone).commit(phone)
    for commit in (joining, creating):
        assert_refused(await commit.sent_by(phone.session), 403, "not_listed")
    assert (await key.publishes(laptop, phone, counter=2)).status_code == 200
    for commit in (joining, creating):
        assert (await commit.sent_by(phone.session)).is_success


async def test_device_unlisted_after_its_claim_is_not_added(users: Users) -> None:
    laptop, phone = await two_devices(users)
    (bob,) = [await device(one) for one in await users("bob")]
    key = await account_key_of(laptop, phone)
    group = await group_of(bob)
    await phone.uploads()
    adding = group.commit(bob, {phone: await bob.claims(phone)})
    assert (await key.publishes(laptop, counter=2)).status_code == 200
    assert_refused(await adding.sent_by(bob.session), 403, "not_listed")


async def test_device_unlisted_in_a_group_may_commit_there(users: Users) -> None:
    """Its account takes it out by a commit; until then a list alone must not stop the group."""
    laptop, phone = await two_devices(users)
    key = await account_key_of(laptop, phone)
    group = await group_of(laptop, phone)
    assert (await key.publishes(laptop, counter=2)).status_code == 200
    assert (await group.commit(phone).sent_by(phone.session)).status_code == 200


# The recovery key


async def test_recovery_is_kept_until_the_account_key_changes(users: Users) -> None:
    laptop, phone = await two_devices(users)
    path = "/v2/account/recovery"
    key = AccountKey(laptop.session)
    assert_refused(await laptop.session.api.put(path, json=key.recovery()), 404, "no_device_list")
    assert (await key.publishes(laptop)).status_code == 200
    assert_refused(await laptop.session.api.get(path), 404, "no_device_list")
    assert (await laptop.session.api.put(path, json=key.recovery())).status_code == 200
    assert (await key.publishes(laptop, phone, counter=2)).status_code == 200
    assert (await phone.session.api.get(path)).json() == {"recovery": base64(b"wrapped")}
    assert (await AccountKey(phone.session).publishes(phone, password=PASSWORD)).status_code == 200
    assert_refused(await laptop.session.api.get(path), 404, "no_device_list")


async def test_recovery_is_signed_by_the_account_key(users: Users) -> None:
    (alice,) = [await device(one) for one in await users("alice")]
    key = await account_key_of(alice)
    forged = AccountKey(alice.session).recovery()
    for body in (forged, key.recovery(b""), key.recovery(bytes(RECOVERY_MAX_BYTES + 1))):
        assert_refused(await alice.session.api.put("/v2/account/recovery", json=body), 400, "invalid")
    largest = key.recovery(bytes(RECOVERY_MAX_BYTES))
    assert (await alice.session.api.put("/v2/account/recovery", json=largest)).status_code == 200


async def test_recovery_of_a_key_replaced_meanwhile_is_refused(
    users: Users, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alice,) = [await device(one) for one in await users("alice")]
    key = await account_key_of(alice)
    store = DeviceLists.set_recovery

    async def late(self: DeviceLists, user_id: UserId, account_key: bytes, recovery: bytes) -> bool:
        await server.sql("UPDATE account_keys SET public_key = %s", bytes(32))
        return await store(self, user_id, account_key, recovery)

    monkeypatch.setattr(DeviceLists, "set_recovery", late)
    answer = await alice.session.api.put("/v2/account/recovery", json=key.recovery())
    assert_refused(answer, 409, "account_key_exists")
    assert_refused(await alice.session.api.get("/v2/account/recovery"), 404, "no_device_list")


# Leaves of devices that are not listed, or not used


async def says(by: MlsDevice, group: MlsGroup) -> httpx.Response:
    body = {"id": secrets.token_hex(16), "epoch": group.epoch, "data": group.message()}
    return await by.session.api.post(f"{group.path}/messages", json=body)


async def removals(by: MlsDevice, group: MlsGroup) -> dict[str, list[str]]:
    answer: dict[str, list[str]] = (await by.session.api.get(f"{group.path}/removals")).json()
    return answer


async def test_leaf_that_a_newer_list_omits_is_removed_first(users: Users) -> None:
    (alice,) = await users("alice")
    laptop, phone = await device(alice), await device(await alice.again())
    bob, carol = [await device(one) for one in await users("bob", "carol")]
    key = await account_key_of(laptop, phone)
    group = await group_of(carol, bob, laptop, phone)
    assert (await says(bob, group)).status_code == 200
    assert (await key.publishes(laptop, counter=2)).status_code == 200
    assert await removals(bob, group) == {"devices": [phone.hex], "unused": []}
    assert_refused(await says(bob, group), 409, "commit_needed")
    assert (await group.commit(bob, remove=(phone,)).sent_by(bob.session)).status_code == 200, "a member without a role"
    assert (await says(bob, group)).status_code == 200
    assert_refused(await group.commit(bob, remove=(laptop,)).sent_by(bob.session), 403, "not_allowed")


async def test_leaf_whose_list_has_expired_is_removed_by_any_member(users: Users, server: RunningServer) -> None:
    alice, bob, carol = [await device(one) for one in await users("alice", "bob", "carol")]
    key = await account_key_of(alice)
    group = await group_of(carol, bob, alice)

    async def expires(ago: timedelta) -> None:
        data = replace(key.list_of(alice), not_after=int((datetime.now(UTC) - ago).timestamp())).encode()
        query = "UPDATE account_keys SET device_list = %s WHERE public_key = %s"
        await server.sql(query, data, key.public_key)

    await expires(timedelta(minutes=50))
    assert await removals(bob, group) == {"devices": [], "unused": []}, "clocks differ"
    assert_refused(await group.commit(bob, remove=(alice,)).sent_by(bob.session), 403, "not_allowed")
    await expires(timedelta(minutes=70))
    assert await removals(bob, group) == {"devices": [alice.hex], "unused": []}
    assert (await group.commit(bob, remove=(alice,)).sent_by(bob.session)).status_code == 200


async def test_first_list_makes_the_removal_of_other_devices_due(users: Users) -> None:
    (alice,) = await users("alice")
    laptop, phone = await device(alice), await device(await alice.again())
    (bob,) = [await device(one) for one in await users("bob")]
    group = await group_of(bob, laptop, phone)
    await account_key_of(laptop)
    assert await removals(laptop, group) == {"devices": [phone.hex], "unused": []}
    assert_refused(await says(bob, group), 409, "commit_needed")


async def test_leaf_unused_for_90_days_is_removed_by_any_member(users: Users, server: RunningServer) -> None:
    alice, bob, carol = [await device(one) for one in await users("alice", "bob", "carol")]
    group = await group_of(carol, bob, alice)
    age = "UPDATE devices SET seen_at = now() - make_interval(days => %s) WHERE id = %s"
    await server.sql(age, 89, alice.id)
    assert await removals(bob, group) == {"devices": [], "unused": []}
    await server.sql(age, 91, alice.id)
    assert await removals(bob, group) == {"devices": [], "unused": [alice.hex]}
    assert (await says(bob, group)).status_code == 200, "messages do not wait for it"
    assert (await alice.session.api.put("/v2/sessions/current")).status_code == 200
    assert await removals(bob, group) == {"devices": [], "unused": []}, "it is used"
    assert_refused(await group.commit(bob, remove=(alice,)).sent_by(bob.session), 403, "not_allowed")
    await server.sql(age, 91, alice.id)
    assert (await group.commit(bob, remove=(alice,)).sent_by(bob.session)).status_code == 200
    assert (await says(bob, group)).status_code == 200


async def test_device_that_a_new_session_takes_over_is_used(users: Users, server: RunningServer) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(bob, alice)
    await server.sql("UPDATE devices SET seen_at = now() - interval '91 days' WHERE id = %s", alice.id)
    again = await alice.session.again()
    assert (await again.api.post("/v2/devices", json=alice.registration)).is_success
    assert await removals(bob, group) == {"devices": [], "unused": []}


# Linking


async def test_link_carries_a_request_and_its_answer(users: Users) -> None:
    laptop, phone = await two_devices(users)
    hearer = await listens(laptop.session)
    assert (await phone.session.api.put("/v2/links", json={"request": base64(b"please")})).status_code == 200
    while (await hearer.next())["type"] != "links_changed":
        pass
    (asked,) = (await laptop.session.api.get("/v2/links")).json()
    assert (asked["device"], asked["request"], asked["answer"]) == (phone.hex, base64(b"please"), None)
    answer = await laptop.session.api.put(f"/v2/links/{phone.hex}", json={"answer": base64(b"here")})
    assert answer.status_code == 200
    while (await hearer.next())["type"] != "links_changed":
        pass
    (answered,) = (await phone.session.api.get("/v2/links")).json()
    assert answered["answer"] == base64(b"here")
    assert (await phone.session.api.put("/v2/links", json={"request": base64(b"again")})).status_code == 200
    (anew,) = (await phone.session.api.get("/v2/links")).json()
    assert (anew["request"], anew["answer"]) == (base64(b"again"), None)


async def test_link_ends_after_fifteen_minutes(users: Users, server: RunningServer) -> None:
    laptop, phone = await two_devices(users)
    assert (await phone.session.api.put("/v2/links", json={"request": base64(b"please")})).status_code == 200
    server.clock.forward(minutes=16)
    assert (await laptop.session.api.get("/v2/links")).json() == []
    late = await laptop.session.api.put(f"/v2/links/{phone.hex}", json={"answer": base64(b"here")})
    assert_refused(late, 404, "no_such_device")


async def test_link_of_another_account_is_not_answered(users: Users) -> None:
    alice, eve = [await device(one) for one in await users("alice", "eve")]
    assert (await alice.session.api.put("/v2/links", json={"request": base64(b"please")})).status_code == 200
    assert (await eve.session.api.get("/v2/links")).json() == []
    forged = await eve.session.api.put(f"/v2/links/{alice.hex}", json={"answer": base64(b"mine")})
    assert_refused(forged, 404, "no_such_device")


async def test_link_of_no_bytes_or_too_many_is_refused(users: Users) -> None:
    laptop, phone = await two_devices(users)
    for size in (0, REQUEST_MAX_BYTES + 1):
        body = {"request": base64(bytes(size))}
        assert_refused(await phone.session.api.put("/v2/links", json=body), 400, "invalid")
    largest = {"request": base64(bytes(REQUEST_MAX_BYTES))}
    assert (await phone.session.api.put("/v2/links", json=largest)).status_code == 200
    path = f"/v2/links/{phone.hex}"
    for size in (0, ANSWER_MAX_BYTES + 1):
        assert_refused(await laptop.session.api.put(path, json={"answer": base64(bytes(size))}), 400, "invalid")
    assert (await laptop.session.api.put(path, json={"answer": base64(bytes(ANSWER_MAX_BYTES))})).status_code == 200

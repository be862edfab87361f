"""Groups over HTTP: roles, forged commits, contacts and blocks, with correctly signed frames."""

from base64 import b64decode
from hashlib import sha256

import pytest
from msgspec import structs

from tests.conftest import Users
from tests.v2.direct import assert_refused
from tests.v2.mls import MlsGroup, device, group_of


async def test_group_roles_are_set_by_owners_only(users: Users) -> None:
    alice, bob, carol = [await device(one) for one in await users("alice", "bob", "carol")]
    group = await group_of(alice, bob, carol)
    of_bob, of_carol = (f"{group.path}/members/{one.session.uuid}" for one in (bob, carol))
    for role in ("owner", "admin", "member"):
        assert_refused(await bob.session.api.put(of_carol, json={"role": role}), 403, "not_allowed")
    assert (await alice.session.api.put(of_bob, json={"role": "admin"})).status_code == 200
    assert_refused(await bob.session.api.put(of_carol, json={"role": "admin"}), 403, "not_allowed")
    (shown,) = (await carol.session.api.get("/v2/conversations")).json()
    roles = {member["id"]: member["role"] for member in shown["members"]}
    people = [str(one.session.uuid) for one in (alice, bob, carol)]
    assert roles == dict(zip(people, ["owner", "admin", "member"], strict=True))


async def test_conversation_names_the_commit_that_began_its_epoch(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    for by in (alice, bob):
        commit = group.commit(by)
        assert (await commit.sent_by(by.session)).status_code == 200
        (shown,) = (await bob.session.api.get("/v2/conversations")).json()
        assert b64decode(shown["commit_hash"]) == sha256(commit.bundle.commit).digest()


async def test_commit_with_a_forged_leaf_is_refused(users: Users) -> None:
    """Only the leaf's signature is wrong: its key, the group info and its signature are valid."""
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = MlsGroup.of(alice)
    forged = group.commit(alice, path_at=1)
    assert_refused(await forged.sent_by(alice.session), 400, "bad_frame")
    assert (await alice.session.api.get("/v2/conversations")).json() == []
    group = await group_of(alice, bob)
    assert_refused(await group.commit(bob, path_at=0).sent_by(bob.session), 400, "bad_frame")
    assert (await group.commit(bob).sent_by(bob.session)).status_code == 200


async def test_commit_with_group_info_of_another_signer_is_refused(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    commit = group.commit(bob)
    signature = group.commit(alice).bundle.group_info[-64:]
    commit.bundle = structs.replace(commit.bundle, group_info=commit.bundle.group_info[:-64] + signature)
    assert_refused(await commit.sent_by(bob.session), 400, "bad_frame")


@pytest.mark.parametrize("are_blocked", [False, True], ids=["contacts", "blocked and unblocked"])
async def test_block_of_a_contact_ends_the_contact(users: Users, are_blocked: bool) -> None:
    """A contact can add you to a group without a request. A block ends that, even after you unblock."""
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    code = (await bob.session.api.post("/v2/codes")).json()["code"]
    assert (await alice.session.api.post("/v2/contacts", json={"code": code})).status_code == 200
    if are_blocked:
        blocks = f"/v2/blocks/{bob.session.uuid}"
        assert (await alice.session.api.put(blocks)).status_code == 200
        assert (await alice.session.api.delete(blocks)).status_code == 200
    await group_of(bob, alice)
    (shown,) = (await alice.session.api.get("/v2/conversations")).json()
    assert shown["state"] == ("requested" if are_blocked else "joined")


async def test_group_of_a_blocked_user_is_hidden(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    assert (await alice.session.api.put(f"/v2/blocks/{bob.session.uuid}")).status_code == 200
    group = await group_of(bob, alice)
    (shown,) = (await alice.session.api.get("/v2/conversations")).json()
    assert (shown["id"], shown["state"]) == (str(group.id), "blocked")
    (shown,) = (await bob.session.api.get("/v2/conversations")).json()
    assert "state" in shown, "a blocked user cannot see the block"
    assert "blocked" not in str(shown)

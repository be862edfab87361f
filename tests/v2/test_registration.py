"""Registration modes, and invites and codes of an account."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from testing.server import PASSWORD, RunningServer
from tests.conftest import StartServer, Users
from tests.v2.direct import assert_refused


@pytest.mark.parametrize("registration", ["open", "invite", "closed"])
async def test_server_info_has_registration_and_motd(start_server: StartServer, registration: str) -> None:
    server = await start_server(registration=registration, motd="Mind the step")
    version = (await server.client().get("/version")).json()["ver"]
    told = await server.client().get("/v2/server")
    assert told.json() == {"version": version, "registration": registration, "motd": "Mind the step"}


async def test_invite_registers_one_user_and_the_next_is_403(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    made = await alice.api.post("/v2/invites")
    assert made.status_code == 201
    assert list(made.json()) == ["code", "expires_at"]
    life = datetime.fromisoformat(made.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6) < life <= timedelta(days=7)
    assert_refused(await alice.api.post("/v2/invites"), 403, "invite_refused")
    body = {"username": f"bob_{uuid4().hex[:8]}", "password": PASSWORD, "invite_code": made.json()["code"]}
    assert (await server.client().post("/v2/accounts", json=body)).status_code == 201


async def test_list_and_revoke_own_invites_and_codes(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    await server.sql("UPDATE users SET role = 'tester' WHERE id = %s", alice.id)
    for what in ("invites", "codes"):
        path = f"/v2/{what}"
        made = [(await alice.api.post(path)).json()["code"] for _ in range(3)]
        other = (await bob.api.post(path)).json()["code"]
        listed = (await alice.api.get(path)).json()
        assert [one["code"] for one in listed] == made
        assert all(datetime.fromisoformat(one["expires_at"]) > datetime.now(UTC) for one in listed)
        assert (await alice.api.delete(f"{path}/{made[1]}")).status_code == 200
        for gone in (made[1], other):
            assert_refused(await alice.api.delete(f"{path}/{gone}"), 404, f"no_such_{what.removesuffix('s')}")
        assert [one["code"] for one in (await alice.api.get(path)).json()] == [made[0], made[2]]
        assert [one["code"] for one in (await bob.api.get(path)).json()] == [other]
        server.clock.forward(days=6, hours=23)
        await server.sql("UPDATE invites SET expires_at = %s", server.clock())
        assert (await alice.api.get(path)).json() == []
        server.clock.forward(days=-6, hours=-23)


async def test_invite_or_code_once_revoked_is_refused(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    invite, code = [(await alice.api.post(f"/v2/{what}")).json()["code"] for what in ("invites", "codes")]
    for path in (f"invites/{invite.lower()}", f"codes/{code}"):
        assert (await alice.api.delete(f"/v2/{path}")).status_code == 200
    body = {"username": f"eve_{uuid4().hex[:8]}", "password": PASSWORD, "invite_code": invite}
    assert_refused(await server.client().post("/v2/accounts", json=body), 400, "bad_invite")
    assert_refused(await bob.api.post("/v2/contacts", json={"code": code}), 404, "no_such_code")


@pytest.mark.parametrize("path", ["invites/%00", "invites/'--", "codes/1%00", "codes/-1", "codes/99999999999999999999"])
async def test_revoke_of_a_malformed_code_is_400(users: Users, path: str) -> None:
    (alice,) = await users("alice")
    assert (await alice.api.delete(f"/v2/{path}")).status_code == 400

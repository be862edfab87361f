"""The profile at the codes API: updates, refusals, and the sessions that a new password ends."""

from typing import Any

import pytest

from testing.server import PASSWORD, RunningServer
from tests.conftest import Users
from tests.test_codes_accounts import log_in, new_user

NEW_PASSWORD = "Another2pass"


async def test_codes_profile_update_returns_the_changed_fields(users: Users) -> None:
    [kim] = await users("kim")
    before = (await kim.api.get("/api/users")).json()
    wanted = new_user(bio="New")
    for changes, fields in (
        ({"bio": "New"}, ["bio"]),
        ({"username": wanted["username"], "email": wanted["email"]}, ["username", "email"]),
        ({"username": wanted["username"].upper()}, ["username"]),
    ):
        answer = await kim.api.patch("/api/users", json={"password": PASSWORD} | changes)
        assert (answer.status_code, sorted(answer.json()["updatedFields"])) == (200, sorted(fields))
    after = (await kim.api.get("/api/users")).json()
    assert after["updated_at"] > before["updated_at"]
    assert after == {
        "email": wanted["email"],
        "username": wanted["username"].upper(),
        "bio": "New",
        "created_at": before["created_at"],
        "updated_at": after["updated_at"],
    }


INVALID_UPDATES = {
    "wrong current password": {"password": "Wrong1pass", "bio": "New"},
    "no current password": {"bio": "New"},
    "nothing to change": {"password": PASSWORD},
    "only nulls": {"password": PASSWORD, "bio": None, "email": None},
    "empty name": {"password": PASSWORD, "bio": "New", "username": ""},
    "no address": {"password": PASSWORD, "bio": "New", "email": "kim"},
    "U+0000": {"password": PASSWORD, "bio": "\0"},
    "weak new password": {"password": PASSWORD, "bio": "New", "new_password": "secret1pass"},
    "number for a bio": {"password": PASSWORD, "bio": 1},
}


@pytest.mark.parametrize("changes", INVALID_UPDATES.values(), ids=INVALID_UPDATES)
async def test_codes_profile_update_with_invalid_field_is_400(users: Users, changes: dict[str, Any]) -> None:
    [kim] = await users("kim")
    before = (await kim.api.get("/api/users")).json()
    answer = await kim.api.patch("/api/users", json=changes)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert (await kim.api.get("/api/users")).json() == before


async def test_codes_profile_update_to_taken_name_or_email_is_409(users: Users) -> None:
    kim, lee = await users("kim", "lee")
    for changes in ({"username": lee.name.upper()}, {"email": f"{lee.name}@example.com".upper()}):
        answer = await kim.api.patch("/api/users", json={"password": PASSWORD, "bio": "New"} | changes)
        assert (answer.status_code, list(answer.json())) == (409, ["error"])
    profile = (await kim.api.get("/api/users")).json()
    assert (profile["username"], profile["bio"]) == (kim.name, None)


async def test_codes_new_password_ends_other_sessions_and_sockets(users: Users, server: RunningServer) -> None:
    kim, lee = await users("kim", "lee")
    conversation = await kim.meets(lee)
    elsewhere = server.client()
    old_cookie = (await log_in(elsewhere, kim.name)).headers["Set-Cookie"].partition(";")[0]
    here, there = await kim.opens(conversation), await kim.opens(conversation, Cookie=old_cookie)
    at_lee = await lee.opens(conversation)
    answer = await kim.api.patch("/api/users", json={"password": PASSWORD, "new_password": NEW_PASSWORD})
    assert answer.status_code == 200
    await there.is_closed_with(1008)
    assert (await elsewhere.get("/api/users")).status_code == 401
    await at_lee.sends("still here?")
    await here.receives("still here?")
    assert (await kim.api.get("/api/users")).status_code == 200
    assert (await log_in(server.client(), kim.name)).status_code == 401
    assert (await log_in(server.client(), kim.name, NEW_PASSWORD)).status_code == 200

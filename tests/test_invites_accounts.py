"""Accounts at the invites API: registration, login and user names, docs/invites-api.md."""

import asyncio
import secrets
from collections.abc import Callable
from time import process_time
from typing import Any

import httpx
import jwt
import pytest

from run.version import VERSION
from testing.server import PASSWORD, RunningServer
from tests.conftest import StartServer, Users

VALID = "correct horse"


def unique_name(start: str = "new") -> str:
    return f"{start}_{secrets.token_hex(6)}"


async def new_invite(server: RunningServer) -> str:
    """A new invite code of an admin, who may create any number."""
    host = await server.person("host", role="admin")
    return str((await host.api.post("/invites")).json()["invite_code"])


async def register(server: RunningServer, invite: Any, name: Any = None, password: Any = VALID) -> httpx.Response:
    body = {"username": unique_name() if name is None else name, "password": password, "invite_code": invite}
    return await server.client().post("/register", json=body)


async def log_in(server: RunningServer, name: str, password: str) -> httpx.Response:
    return await server.client().post("/login", json={"username": name, "password": password})


async def unused(server: RunningServer, *codes: str) -> bool:
    found = await server.sql("SELECT used_at, used_by FROM invites WHERE code = ANY(%s)", list(codes))
    return found == [(None, None)] * len(codes)


async def accounts_named(server: RunningServer, name: str) -> int:
    ((count,),) = await server.sql("SELECT count(*) FROM users WHERE username_key = %s", name.casefold())
    return int(count)


async def test_invites_motd_is_the_setting(start_server: StartServer) -> None:
    server = await start_server(motd="Tea at five")
    assert (await server.client().get("/motd")).json() == {"motd": "Tea at five"}


async def test_invites_version_is_that_of_the_server(server: RunningServer) -> None:
    assert (await server.client().get("/version")).json() == {"ver": VERSION}


@pytest.mark.real_hashes
async def test_invites_register_stores_bcrypt_hash_and_inviter(server: RunningServer) -> None:
    host = await server.person("host", role="tester")
    code = (await host.api.post("/invites")).json()["invite_code"]
    name = unique_name()
    answer = await register(server, code, name)
    assert answer.status_code == 200
    assert list(answer.json()) == ["user_id"]
    ((username, role, password_hash, invited_by),) = await server.sql(
        "SELECT username, role, password_hash, invited_by FROM users WHERE id = %s", answer.json()["user_id"]
    )
    assert (username, role, invited_by) == (name, "user", host.id)
    assert password_hash.startswith("$2b$10$")
    assert await server.sql("SELECT used_by FROM invites WHERE code = %s AND used_at IS NOT NULL", code) == [
        (answer.json()["user_id"],)
    ]


async def test_invites_register_ignores_case_of_the_code(server: RunningServer) -> None:
    codes = [await new_invite(server) for _ in range(8)]
    code = next(
        code for code in codes if code != code.lower()
    )  # all eight are without a letter once in 43 million runs
    assert (await register(server, code.lower())).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"password": VALID, "invite_code": "{code}"}, id="no name"),
        pytest.param({"username": "{name}", "invite_code": "{code}"}, id="no password"),
        pytest.param({"username": "{name}", "password": VALID}, id="no invite"),
        pytest.param({"username": "", "password": VALID, "invite_code": "{code}"}, id="empty name"),
        pytest.param({"username": "{name}", "password": "", "invite_code": "{code}"}, id="empty password"),
        pytest.param({"username": "{name}", "password": VALID, "invite_code": ""}, id="empty invite"),
        pytest.param({"username": 5, "password": VALID, "invite_code": "{code}"}, id="number as name"),
        pytest.param({"username": None, "password": VALID, "invite_code": "{code}"}, id="null as name"),
        pytest.param({"username": "{name}", "password": 12345678, "invite_code": "{code}"}, id="number as password"),
        pytest.param({"username": "{name}", "password": VALID, "invite_code": ["{code}"]}, id="list as invite"),
        pytest.param({"username": "n" * 21, "password": VALID, "invite_code": "{code}"}, id="name of 21"),
        pytest.param({"username": "n" * 100_000, "password": VALID, "invite_code": "{code}"}, id="name of 100,000"),
        pytest.param({"username": "two words", "password": VALID, "invite_code": "{code}"}, id="name with a space"),
        pytest.param({"username": "nul\0", "password": VALID, "invite_code": "{code}"}, id="name with U+0000"),
        pytest.param({"username": "admin", "password": VALID, "invite_code": "{code}"}, id="reserved name"),
        pytest.param({"username": "ADMIN", "password": VALID, "invite_code": "{code}"}, id="reserved, upper case"),
        pytest.param({"username": "ａｄｍｉｎ", "password": VALID, "invite_code": "{code}"}, id="reserved, full width"),  # noqa: RUF001
        pytest.param({"username": "{name}", "password": "1234567", "invite_code": "{code}"}, id="password of 7"),
        pytest.param({"username": "{name}", "password": "p" * 73, "invite_code": "{code}"}, id="password of 73 bytes"),
        pytest.param({"username": "{name}", "password": "ü" * 37, "invite_code": "{code}"}, id="37 letters, 74 bytes"),
        pytest.param({"username": "{name}", "password": VALID, "invite_code": "nonsense"}, id="unknown invite"),
        pytest.param({"username": "{name}", "password": VALID, "invite_code": "\0"}, id="invite with U+0000"),
        pytest.param({"username": "{name}", "password": VALID, "invite_code": " {code}"}, id="invite with a space"),
    ],
)
async def test_invites_register_invalid_is_400_and_keeps_the_invite(
    server: RunningServer, body: dict[str, Any]
) -> None:
    code, name = await new_invite(server), unique_name()
    sent = {key: value.format(code=code, name=name) if isinstance(value, str) else value for key, value in body.items()}
    answer = await server.client().post("/register", json=sent)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]
    assert await accounts_named(server, name) == 0
    assert await unused(server, code)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param("n" * 8, "12345678", id="password of 8"),
        pytest.param("Å" + "n" * 7, "ü" * 36, id="password of 72 bytes"),
        pytest.param("日本" + "n" * 6, "null\0byte", id="password with U+0000"),
    ],
)
async def test_invites_register_and_login_at_the_limits_succeed(
    server: RunningServer, name: str, password: str
) -> None:
    name += secrets.token_hex(6)
    assert len(name) == 20
    assert (await register(server, await new_invite(server), name, password)).status_code == 200
    assert (await log_in(server, name, password)).status_code == 200
    assert (await log_in(server, name, password[:-1])).status_code == 400


async def test_invites_register_with_spent_invite_is_400(server: RunningServer) -> None:
    used, expired, revoked = [await new_invite(server) for _ in range(3)]
    assert (await register(server, used)).status_code == 200
    await server.sql("UPDATE invites SET expires_at = %s WHERE code = %s", server.clock(), expired)
    await server.sql("UPDATE invites SET expires_at = now() WHERE code = %s", revoked)  # `sottovoce invite revoke`
    answers = [await register(server, code) for code in (used, expired, revoked, "00000000")]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert len({answer.text for answer in answers}) == 1  # the error does not reveal why the code is refused


async def test_invites_register_after_the_invites_lifetime_is_400(start_server: StartServer) -> None:
    server = await start_server(invite_days=2)
    early, late = await new_invite(server), await new_invite(server)
    server.clock.forward(hours=47)
    assert (await register(server, early)).status_code == 200
    server.clock.forward(hours=2)
    assert (await register(server, late)).status_code == 400


@pytest.mark.parametrize("change_case", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"])
async def test_invites_register_taken_name_is_400_and_keeps_the_invite(
    server: RunningServer, change_case: Callable[[str], str]
) -> None:
    first, second = await new_invite(server), await new_invite(server)
    name = unique_name("Taken")
    assert (await register(server, first, name)).status_code == 200
    answer = await register(server, second, change_case(name))
    assert answer.status_code == 400
    assert await accounts_named(server, name) == 1
    assert (await register(server, second)).status_code == 200


async def test_invites_register_20_at_once_by_one_invite_gives_one_200(server: RunningServer) -> None:
    code = await new_invite(server)
    names = [unique_name() for _ in range(20)]
    answers = await asyncio.gather(*(register(server, code, name) for name in names))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    keys = [name.casefold() for name in names]
    assert len(await server.sql("SELECT id FROM users WHERE username_key = ANY(%s)", keys)) == 1


async def test_invites_register_concurrently_by_one_name_gives_one_200(server: RunningServer) -> None:
    codes, name = [await new_invite(server) for _ in range(5)], unique_name()
    answers = await asyncio.gather(*(register(server, code, name) for code in codes))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 4
    assert len(await server.sql("SELECT 1 FROM invites WHERE code = ANY(%s) AND used_at IS NULL", codes)) == 4


async def test_invites_register_when_closed_is_403(start_server: StartServer) -> None:
    server = await start_server(registration="closed")
    code = await new_invite(server)
    assert (await register(server, code)).status_code == 403
    assert await unused(server, code)


async def test_invites_register_when_invite_only_is_200(start_server: StartServer) -> None:
    server = await start_server(registration="invite")
    assert (await register(server, await new_invite(server))).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"password": PASSWORD}, id="no name"),
        pytest.param({"username": "{name}"}, id="no password"),
        pytest.param({"username": "", "password": PASSWORD}, id="empty name"),
        pytest.param({"username": "{name}", "password": ""}, id="empty password"),
        pytest.param({"username": 5, "password": PASSWORD}, id="number as name"),
        pytest.param({"username": "{name}", "password": 5}, id="number as password"),
        pytest.param({"username": "{name}", "password": "wrong"}, id="wrong password"),
        pytest.param({"username": "{name}", "password": PASSWORD + "\0"}, id="password and U+0000"),
        pytest.param({"username": "{name}", "password": "p" * 100_000}, id="long password"),
        pytest.param({"username": "nobody", "password": PASSWORD}, id="unknown name"),
        pytest.param({"username": "no body\0", "password": PASSWORD}, id="invalid name"),
    ],
)
async def test_invites_login_invalid_is_400(server: RunningServer, users: Users, body: dict[str, Any]) -> None:
    (alice,) = await users("alice")
    sent = {key: value.format(name=alice.name) if isinstance(value, str) else value for key, value in body.items()}
    answer = await server.client().post("/login", json=sent)
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]


async def test_invites_login_with_an_empty_field_is_named(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    for name, password in (("", PASSWORD), (alice.name, "")):
        answer = await log_in(server, name, password)
        assert (answer.status_code, answer.json()) == (400, {"error": "username and password must not be empty"})


async def test_invites_login_wrong_password_equals_unknown_user_400(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    wrong, unknown = await log_in(server, alice.name, "wrong"), await log_in(server, unique_name(), "wrong")
    assert (wrong.status_code, wrong.text) == (unknown.status_code, unknown.text) == (400, unknown.text)


@pytest.mark.real_hashes
async def test_invites_login_of_unknown_user_takes_equal_time(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    client = server.client()

    async def seconds(name: str) -> float:
        began = process_time()
        answer = await client.post("/login", json={"username": name, "password": "wrong"})
        assert answer.status_code == 400
        return process_time() - began

    await seconds(alice.name)
    known, unknown = zip(*[(await seconds(alice.name), await seconds(unique_name())) for _ in range(5)], strict=True)
    # CPU time, and the minimum of each: least disturbed by other processes.
    assert 0.7 < min(known) / min(unknown) < 1.4


async def test_invites_login_token_expires_after_one_day(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    answer = await log_in(server, alice.name, PASSWORD)
    assert list(answer.json()) == ["token"]
    assert "Set-Cookie" not in answer.headers
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 24 * 3600, "clients read it"
    client = server.client(headers={"Authorization": f"Bearer {answer.json()['token']}"})
    server.clock.forward(hours=23, minutes=59)
    assert (await client.get("/me")).json() == {"id": alice.id, "username": alice.name}
    server.clock.forward(minutes=1)
    assert (await client.get("/me")).status_code == 401


async def test_invites_login_ignores_case_of_the_name(server: RunningServer, users: Users) -> None:
    (alice,) = await users("Alice")
    assert alice.name.upper() != alice.name
    assert (await log_in(server, alice.name.upper(), PASSWORD)).status_code == 200


async def test_invites_me_without_token_is_401(server: RunningServer) -> None:
    answer = await server.client().get("/me")
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]


async def test_invites_deleted_account_is_401_and_404(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    assert (await alice.api.get("/me")).status_code == 200
    await server.sql("DELETE FROM users WHERE id = %s", alice.id)
    assert (await alice.api.get("/me")).status_code == 401
    assert (await server.client().get(f"/username/{alice.id}")).status_code == 404


async def test_invites_username_is_public(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    assert (await server.client().get(f"/username/{alice.id}")).json() == {"username": alice.name}


@pytest.mark.parametrize(
    "id_", ["0", str(2**63 - 1), str(2**63), "9" * 400, "-1", "1.0", "+1", "alice", "%20", "%00", "\u0661", "1%2F2"]
)
async def test_invites_username_of_unknown_or_bad_id_is_404(server: RunningServer, id_: str) -> None:
    answer = await server.client().get(f"/username/{id_}")
    assert answer.status_code == 404, answer.text
    assert list(answer.json()) == ["error"]


async def test_invites_login_of_a_codes_account_is_200(server: RunningServer) -> None:
    name = unique_name()
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    assert (await server.client().post("/api/auth/register", json=body)).status_code == 201
    assert await server.sql("SELECT left(password_hash, 10) FROM users WHERE username = %s", name) == [("$argon2id$",)]
    assert (await log_in(server, name, PASSWORD)).status_code == 200


async def test_codes_login_of_an_invites_account_is_200(server: RunningServer) -> None:
    name = unique_name()
    assert (await register(server, await new_invite(server), name, "Grüße und 1")).status_code == 200
    client = server.client()
    body = {"person": name, "password": "Grüße und 1", "isEmail": False}
    assert (await client.post("/api/auth/login", json=body)).status_code == 200
    assert (await client.get("/api/users")).json()["username"] == name

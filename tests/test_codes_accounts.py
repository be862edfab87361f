"""Accounts at the codes API: health, registration, login, sessions."""

import asyncio
import re
import secrets
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from testing.server import PASSWORD, SECRET, RunningServer
from tests.conftest import StartServer, Users

RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def new_user(**changes: Any) -> dict[str, Any]:
    """The body of a valid registration with a unique name."""
    name = f"Kim{secrets.token_hex(5)}"
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "bio": "Hi"} | changes


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in new_user().items() if name != field}


async def register(client: httpx.AsyncClient, wanted: object) -> httpx.Response:
    return await client.post("/api/auth/register", json=wanted)


async def log_in(
    client: httpx.AsyncClient, person: str, password: str = PASSWORD, *, by_email: bool = False
) -> httpx.Response:
    return await client.post("/api/auth/login", json={"person": person, "password": password, "isEmail": by_email})


def cookie_attributes(answer: httpx.Response) -> set[str]:
    name_and_token, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert re.fullmatch(r"Authorization=[\w-]+\.[\w-]+\.[\w-]+", name_and_token)
    return set(attributes)


async def test_codes_health_is_ok(server: RunningServer) -> None:
    answer = await server.client().get("/api/health")
    assert (answer.status_code, answer.text) == (200, "ok :)")
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_codes_register_logs_in_and_profile_has_every_field(server: RunningServer) -> None:
    kim, wanted = server.client(), new_user()
    answer = await register(kim, wanted)
    assert answer.status_code == 201
    assert answer.json() == {"ok": True, "message": "User registered successfully", "id": answer.json()["id"]}
    assert await server.sql("SELECT username FROM users WHERE id = %s", answer.json()["id"]) == [(wanted["username"],)]
    profile = (await kim.get("/api/users")).json()
    assert RFC3339_UTC.fullmatch(profile["created_at"])
    assert profile == {
        "email": wanted["email"],
        "username": wanted["username"],
        "bio": "Hi",
        "created_at": profile["created_at"],
        "updated_at": profile["created_at"],
    }


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_codes_cookie_is_http_only_and_same_site(server: RunningServer, tls: bool) -> None:
    kim, wanted = server.client(tls=tls), new_user()
    expected = {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={7 * 24 * 3600}"} | ({"Secure"} if tls else set())
    assert cookie_attributes(await register(kim, wanted)) == expected
    assert cookie_attributes(await log_in(kim, wanted["username"])) == expected


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_codes_cookie_is_secure_where_a_trusted_proxy_has_tls(start_server: StartServer, scheme: str) -> None:
    forwarded = {"X-Forwarded-Proto": scheme, "X-Forwarded-For": "203.0.113.1"}
    behind, direct = await start_server(trusted_proxies=["127.0.0.1/32"]), await start_server()
    for server, is_secure in ((behind, scheme == "https"), (direct, False)):
        kim = server.client(headers=forwarded)
        assert ("Secure" in cookie_attributes(await register(kim, new_user()))) == is_secure


@pytest.mark.real_hashes
async def test_codes_register_stores_the_password_as_argon2id(server: RunningServer) -> None:
    wanted = new_user()
    await register(server.client(), wanted)
    [(stored,)] = await server.sql("SELECT password_hash FROM users WHERE username = %s", wanted["username"])
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


REFUSED = {
    "no name": without("username"),
    "no e-mail": without("email"),
    "no password": without("password"),
    "not an object": [],
    "null for a name": new_user(username=None),
    "number for a password": new_user(password=123456),
    "empty name": new_user(username=""),
    "21 characters": new_user(username="a" * 21),
    "space in the name": new_user(username="kim lee"),
    "U+0000 in the name": new_user(username="kim\0"),
    "reserved name": new_user(username="Admin"),
    "malformed address": new_user(email="kim.example.com"),
    "empty address": new_user(email=""),
    "U+0000 in the address": new_user(email="kim\0@example.com"),
    "five characters": new_user(password="Abc12"),
    "no upper case": new_user(password="secret1pass"),
    "no lower case": new_user(password="SECRET1PASS"),
    "no digit": new_user(password="SecretPass"),
    "1,025 bytes": new_user(password="Aa1" + "x" * 1022),
    "U+0000 in the bio": new_user(bio="\0"),
    "bio of 2,001 characters": new_user(bio="x" * 2001),
}


@pytest.mark.parametrize("wanted", REFUSED.values(), ids=REFUSED)
async def test_codes_register_with_invalid_field_is_401(server: RunningServer, wanted: Any) -> None:
    before = await server.sql("SELECT count(*) FROM users")
    answer = await register(server.client(), wanted)
    assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert "Set-Cookie" not in answer.headers
    assert await server.sql("SELECT count(*) FROM users") == before


async def test_codes_register_at_the_limits_is_201(server: RunningServer) -> None:
    for accepted in (
        without("bio") | {"password": "Abc123"},
        new_user(username=secrets.token_hex(10), bio="x" * 2000),
        new_user(username="\u00e9" + secrets.token_hex(4), password="Aa1" + "x" * 1021),
    ):
        kim = server.client()
        assert (await register(kim, accepted)).status_code == 201, accepted
        assert (await kim.get("/api/users")).json()["bio"] == accepted.get("bio")


UNREADABLE = [b"", b"{", b'{"username": "kim\xff"}', b'{"username": "\\ud800"}', b'{"x":' + b"[" * 100_000]


@pytest.mark.parametrize("path", ["/api/auth/register", "/api/auth/login"])
@pytest.mark.parametrize("body", UNREADABLE, ids=["empty", "truncated", "not UTF-8", "lone surrogate", "deeply nested"])
async def test_codes_register_and_login_with_malformed_body_are_400(
    server: RunningServer, path: str, body: bytes
) -> None:
    answer = await server.client().post(path, content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_codes_register_with_taken_name_or_email_is_409(server: RunningServer) -> None:
    first = new_user()
    name, email = first["username"], first["email"]
    assert (await register(server.client(), first)).status_code == 201
    taken = [{"username": name}, {"username": name.swapcase()}, {"username": name.replace("K", "\uff2b")}]  # full width
    for again in [*taken, {"email": email}, {"email": email.swapcase()}]:
        answer = await register(server.client(), new_user(**again))
        assert (answer.status_code, list(answer.json())) == (409, ["error"]), again


async def test_codes_register_concurrently_with_one_name_gives_one_201(server: RunningServer) -> None:
    name = new_user()["username"]
    answers = await asyncio.gather(*(register(server.client(), new_user(username=name)) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize("registration", ["invite", "closed"])
async def test_codes_register_when_registration_is_not_open_is_403(
    start_server: StartServer, registration: str
) -> None:
    server = await start_server(registration=registration)
    answer = await register(server.client(), new_user())
    assert (answer.status_code, list(answer.json())) == (403, ["error"])


async def test_codes_register_by_invite_succeeds_once(start_server: StartServer) -> None:
    server = await start_server(registration="invite")
    tester = await server.person("tester", role="tester")
    code = (await tester.api.post("/invites")).json()["invite_code"]
    assert (await register(server.client(), new_user(invite_code="FFFFFFFF"))).status_code == 401
    assert (await register(server.client(), new_user(invite_code=code.lower()))).status_code == 201
    assert (await register(server.client(), new_user(invite_code=code))).status_code == 401


async def test_codes_login_ignores_case_of_name_and_email(server: RunningServer) -> None:
    wanted = new_user()
    user_id = (await register(server.client(), wanted)).json()["id"]
    for field, by_email in (("username", False), ("email", True)):
        for person in (wanted[field], wanted[field].swapcase()):
            client = server.client()
            answer = await log_in(client, person, by_email=by_email)
            assert answer.status_code == 200, person
            assert answer.json() == {"ok": True, "message": "Login successful", "id": user_id}
            assert (await client.get("/api/users")).json()["username"] == wanted["username"]


async def test_codes_login_wrong_password_equals_unknown_user_401(users: Users, server: RunningServer) -> None:
    [kim] = await users("kim")
    assert (await log_in(server.client(), kim.name)).status_code == 200
    answers = [
        await log_in(server.client(), kim.name, "Wrong1pass"),
        await log_in(server.client(), "nobody_at_all"),
        await log_in(server.client(), f"{kim.name}@example.com"),
        await log_in(server.client(), "nobody@example.com", by_email=True),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, '{"error":"Invalid credentials"}')}
    assert not any("Set-Cookie" in answer.headers for answer in answers)


INVALID_LOGINS = {
    "empty person": {"person": "", "password": PASSWORD, "isEmail": False},
    "empty password": {"person": "kim", "password": "", "isEmail": False},
    "no person": {"password": PASSWORD, "isEmail": False},
    "no password": {"person": "kim", "isEmail": False},
    "isEmail is not a boolean": {"person": "kim", "password": PASSWORD, "isEmail": "no"},
    "over 1,024 bytes": {"person": "kim", "password": "x" * 1025, "isEmail": False},
    "malformed address": {"person": "kim.example.com", "password": PASSWORD, "isEmail": True},
}


@pytest.mark.parametrize("given", INVALID_LOGINS.values(), ids=INVALID_LOGINS)
async def test_codes_login_with_invalid_field_is_400(server: RunningServer, given: dict[str, Any]) -> None:
    answer = await server.client().post("/api/auth/login", json=given)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.real_hashes
async def test_codes_login_of_unknown_user_takes_equal_time(users: Users, server: RunningServer) -> None:
    [kim] = await users("kim")
    client, took_s = server.client(), {kim.name: [], "nobody_at_all": []}  # type: dict[str, list[float]]
    for person in [kim.name, "nobody_at_all"] * 3:
        started = process_time()
        assert (await log_in(client, person, "Wrong1pass")).status_code == 401
        took_s[person].append(process_time() - started)
    known_s, unknown_s = map(min, took_s.values())  # CPU time; the minimum is least disturbed by other processes
    assert known_s > 0.01, "a password hash was computed"
    assert 0.5 < unknown_s / known_s < 2


def token(secret: str | None = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    return jwt.encode({"sid": str(uuid4()), "sub": "1", "exp": expires_at} | changes, secret, algorithm)


async def test_codes_token_is_accepted_for_a_valid_session_only(users: Users, server: RunningServer) -> None:
    [kim] = await users("kim")
    sid, client = str(kim.session_id), server.client()
    good = token(sid=sid)
    bad = {
        "garbage": "garbage",
        "empty": "",
        "unsigned": token(None, "none", sid=sid),
        "no signature": good.rpartition(".")[0] + ".",
        "another secret": token("f" * 64, sid=sid),
        "another algorithm": token(SECRET, "HS512", sid=sid),
        "unknown session": token(),
        "malformed session id": token(sid="1"),
    }
    for carry in ("Authorization: Bearer {}", "Cookie: Authorization={}"):
        name, _, value = carry.partition(": ")
        assert (await client.get("/api/users", headers={name: value.format(good)})).status_code == 200
        for what, forged in bad.items():
            answer = await client.get("/api/users", headers={name: value.format(forged).strip()})
            assert (answer.status_code, list(answer.json())) == (401, ["error"]), what
    assert (await client.get("/api/users")).status_code == 401
    assert (await client.patch("/api/users", json={"password": PASSWORD, "bio": ""})).status_code == 401


async def test_codes_session_ends_with_its_cookie(server: RunningServer) -> None:
    kim = server.client()
    cookie = (await register(kim, new_user())).headers["Set-Cookie"].partition(";")[0]
    server.clock.forward(days=7, seconds=-30)
    assert (await server.client().get("/api/users", headers={"Cookie": cookie})).status_code == 200
    server.clock.forward(seconds=31)
    assert (await server.client().get("/api/users", headers={"Cookie": cookie})).status_code == 401


async def test_codes_unknown_method_or_path_is_a_json_error(server: RunningServer) -> None:
    client = server.client()
    for method, path, status in (("DELETE", "/api/users", 405), ("GET", "/api/nothing", 404), ("GET", "/api", 404)):
        answer = await client.request(method, path)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])

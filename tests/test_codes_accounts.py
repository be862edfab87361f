"""The codes API's accounts: health, register and log in."""

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


def newcomer(**changes: Any) -> dict[str, Any]:
    """A registration that nobody made before."""
    name = f"Kim{secrets.token_hex(5)}"
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD, "bio": "Hi"} | changes


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in newcomer().items() if name != field}


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


async def test_health_says_ok(server: RunningServer) -> None:
    answer = await server.client().get("/api/health")
    assert (answer.status_code, answer.text) == (200, "ok :)")
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_registering_signs_in_and_the_profile_shows_every_field(server: RunningServer) -> None:
    kim, wanted = server.client(), newcomer()
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
async def test_the_cookie_is_for_this_site_and_not_for_scripts(server: RunningServer, tls: bool) -> None:
    kim, wanted = server.client(tls=tls), newcomer()
    expected = {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={7 * 24 * 3600}"} | ({"Secure"} if tls else set())
    assert cookie_attributes(await register(kim, wanted)) == expected
    assert cookie_attributes(await log_in(kim, wanted["username"])) == expected


@pytest.mark.real_hashes
async def test_the_password_is_stored_as_argon2id(server: RunningServer) -> None:
    wanted = newcomer()
    await register(server.client(), wanted)
    [(stored,)] = await server.sql("SELECT password_hash FROM users WHERE username = %s", wanted["username"])
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


REFUSED = {
    "no name": without("username"),
    "no e-mail": without("email"),
    "no password": without("password"),
    "no object": [],
    "null for a name": newcomer(username=None),
    "number for a password": newcomer(password=123456),
    "empty name": newcomer(username=""),
    "21 characters": newcomer(username="a" * 21),
    "blank in the name": newcomer(username="kim lee"),
    "U+0000 in the name": newcomer(username="kim\0"),
    "operator's name": newcomer(username="Admin"),
    "no address": newcomer(email="kim.example.com"),
    "empty address": newcomer(email=""),
    "U+0000 in the address": newcomer(email="kim\0@example.com"),
    "five characters": newcomer(password="Abc12"),
    "no upper case": newcomer(password="secret1pass"),
    "no lower case": newcomer(password="SECRET1PASS"),
    "no digit": newcomer(password="SecretPass"),
    "1,025 bytes": newcomer(password="Aa1" + "x" * 1022),
    "U+0000 in the bio": newcomer(bio="\0"),
    "bio of 2,001 characters": newcomer(bio="x" * 2001),
}


@pytest.mark.parametrize("wanted", REFUSED.values(), ids=REFUSED)
async def test_a_registration_that_fails_validation_is_401_and_makes_nobody(server: RunningServer, wanted: Any) -> None:
    before = await server.sql("SELECT count(*) FROM users")
    answer = await register(server.client(), wanted)
    assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert "Set-Cookie" not in answer.headers
    assert await server.sql("SELECT count(*) FROM users") == before


async def test_what_is_just_within_the_rules_is_accepted(server: RunningServer) -> None:
    for accepted in (
        without("bio") | {"password": "Abc123"},
        newcomer(username=secrets.token_hex(10), bio="x" * 2000),
        newcomer(username="\u00e9" + secrets.token_hex(4), password="Aa1" + "x" * 1021),
    ):
        kim = server.client()
        assert (await register(kim, accepted)).status_code == 201, accepted
        assert (await kim.get("/api/users")).json()["bio"] == accepted.get("bio")


UNREADABLE = [b"", b"{", b'{"username": "kim\xff"}', b'{"username": "\\ud800"}', b'{"x":' + b"[" * 100_000]


@pytest.mark.parametrize("path", ["/api/auth/register", "/api/auth/login"])
@pytest.mark.parametrize("body", UNREADABLE, ids=["empty", "cut off", "not UTF-8", "half a surrogate", "deep"])
async def test_an_unreadable_body_is_400(server: RunningServer, path: str, body: bytes) -> None:
    answer = await server.client().post(path, content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_a_name_or_an_address_that_is_taken_is_409_however_it_is_written(server: RunningServer) -> None:
    first = newcomer()
    name, email = first["username"], first["email"]
    assert (await register(server.client(), first)).status_code == 201
    taken = [{"username": name}, {"username": name.swapcase()}, {"username": name.replace("K", "\uff2b")}]  # full width
    for again in [*taken, {"email": email}, {"email": email.swapcase()}]:
        answer = await register(server.client(), newcomer(**again))
        assert (answer.status_code, list(answer.json())) == (409, ["error"]), again


async def test_of_those_who_register_a_name_at_once_one_gets_it(server: RunningServer) -> None:
    name = newcomer()["username"]
    answers = await asyncio.gather(*(register(server.client(), newcomer(username=name)) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize("registration", ["invite", "closed"])
async def test_where_registration_is_not_open_it_is_403(start_server: StartServer, registration: str) -> None:
    server = await start_server(registration=registration)
    answer = await register(server.client(), newcomer())
    assert (answer.status_code, list(answer.json())) == (403, ["error"])


async def test_an_invite_opens_the_codes_api_once_where_registration_takes_invites(start_server: StartServer) -> None:
    server = await start_server(registration="invite")
    tester = await server.person("tester", role="tester")
    code = (await tester.api.post("/invites")).json()["invite_code"]
    assert (await register(server.client(), newcomer(invite_code="FFFFFFFF"))).status_code == 401
    assert (await register(server.client(), newcomer(invite_code=code.lower()))).status_code == 201
    assert (await register(server.client(), newcomer(invite_code=code))).status_code == 401


async def test_one_logs_in_by_name_and_by_address_in_any_case(server: RunningServer) -> None:
    wanted = newcomer()
    user_id = (await register(server.client(), wanted)).json()["id"]
    for field, by_email in (("username", False), ("email", True)):
        for person in (wanted[field], wanted[field].swapcase()):
            client = server.client()
            answer = await log_in(client, person, by_email=by_email)
            assert answer.status_code == 200, person
            assert answer.json() == {"ok": True, "message": "Login successful", "id": user_id}
            assert (await client.get("/api/users")).json()["username"] == wanted["username"]


async def test_a_wrong_password_and_an_unknown_person_get_the_same_401(users: Users, server: RunningServer) -> None:
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


NO_LOGIN = {
    "empty person": {"person": "", "password": PASSWORD, "isEmail": False},
    "empty password": {"person": "kim", "password": "", "isEmail": False},
    "no person": {"password": PASSWORD, "isEmail": False},
    "no password": {"person": "kim", "isEmail": False},
    "isEmail is no boolean": {"person": "kim", "password": PASSWORD, "isEmail": "no"},
    "over 1,024 bytes": {"person": "kim", "password": "x" * 1025, "isEmail": False},
    "no address": {"person": "kim.example.com", "password": PASSWORD, "isEmail": True},
}


@pytest.mark.parametrize("given", NO_LOGIN.values(), ids=NO_LOGIN)
async def test_a_login_that_fails_validation_is_400(server: RunningServer, given: dict[str, Any]) -> None:
    answer = await server.client().post("/api/auth/login", json=given)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.real_hashes
async def test_an_unknown_person_costs_the_same_time_as_a_known_one(users: Users, server: RunningServer) -> None:
    [kim] = await users("kim")
    client, took_s = server.client(), {kim.name: [], "nobody_at_all": []}  # type: dict[str, list[float]]
    for person in [kim.name, "nobody_at_all"] * 3:
        started = process_time()
        assert (await log_in(client, person, "Wrong1pass")).status_code == 401
        took_s[person].append(process_time() - started)
    known_s, unknown_s = map(min, took_s.values())  # of CPU, the least disturbed try
    assert known_s > 0.01, "a password hash was computed"
    assert 0.5 < unknown_s / known_s < 2


def token(secret: str | None = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    return jwt.encode({"sid": str(uuid4()), "sub": "1", "exp": expires_at} | changes, secret, algorithm)


async def test_only_a_token_of_ours_for_a_living_session_is_believed(users: Users, server: RunningServer) -> None:
    [kim] = await users("kim")
    sid, client = str(kim.session_id), server.client()
    good = token(sid=sid)
    bad = {
        "garbage": "garbage",
        "empty": "",
        "unsigned": token(None, "none", sid=sid),
        "signature cut off": good.rpartition(".")[0] + ".",
        "of another secret": token("f" * 64, sid=sid),
        "of another algorithm": token(SECRET, "HS512", sid=sid),
        "of no session": token(),
        "of a session that is no id": token(sid="1"),
    }
    for carry in ("Authorization: Bearer {}", "Cookie: Authorization={}"):
        name, _, value = carry.partition(": ")
        assert (await client.get("/api/users", headers={name: value.format(good)})).status_code == 200
        for what, forged in bad.items():
            answer = await client.get("/api/users", headers={name: value.format(forged).strip()})
            assert (answer.status_code, list(answer.json())) == (401, ["error"]), what
    assert (await client.get("/api/users")).status_code == 401
    assert (await client.patch("/api/users", json={"password": PASSWORD, "bio": ""})).status_code == 401


async def test_a_session_ends_when_its_cookie_does(server: RunningServer) -> None:
    kim = server.client()
    cookie = (await register(kim, newcomer())).headers["Set-Cookie"].partition(";")[0]
    server.clock.forward(days=7, seconds=-30)
    assert (await server.client().get("/api/users", headers={"Cookie": cookie})).status_code == 200
    server.clock.forward(seconds=31)
    assert (await server.client().get("/api/users", headers={"Cookie": cookie})).status_code == 401


async def test_other_methods_and_unknown_addresses_are_errors_in_json(server: RunningServer) -> None:
    client = server.client()
    for method, path, status in (("DELETE", "/api/users", 405), ("GET", "/api/nothing", 404), ("GET", "/api", 404)):
        answer = await client.request(method, path)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])

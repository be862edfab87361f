"""Rate limits and login blocks: counted in the database, so that they hold across workers and restarts.

The clock is stopped: a bucket refills only when a test moves the clock, however slow the machine is.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import httpx
import pytest

from crypto.hashing import Hashing
from testing.server import PASSWORD, PATIENCE_S, Person, RunningServer
from tests.conftest import StartServer
from tests.test_pictures import drawn, saved
from tests.v2.mls import MlsDevice, device

WRONG = "Wrong1pass"
PROXY = ["127.0.0.1/32"]

Ask = Callable[[], Awaitable[httpx.Response]]


@pytest.fixture
def limited(io_loop: object, start_server: StartServer) -> StartServer:
    """Start servers with rate limits and a stopped clock. The first start resets the counters."""
    servers: list[RunningServer] = []
    moment = datetime.now(UTC)

    async def opening(**changes: object) -> RunningServer:
        servers.append(await start_server(rate_limits=True, **changes))
        servers[-1].clock.stopped_at = moment
        if len(servers) == 1:
            await servers[0].sql("TRUNCATE limits")
        return servers[-1]

    return opening


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def is_refused(answer: httpx.Response, within_s: int) -> None:
    assert answer.status_code == 429
    assert answer.json().keys() - {"code"} == {"error"}
    assert answer.headers["Retry-After"].isdecimal()
    assert 1 <= int(answer.headers["Retry-After"]) <= within_s


async def allowed(ask: Ask, within_s: int = 1) -> int:
    """The number of requests until one is refused."""
    for passed in range(100):
        answer = await ask()
        if answer.status_code == 429:
            is_refused(answer, within_s)
            return passed
    raise AssertionError("there is no limit")


async def is_used_up(ask: Ask) -> None:
    assert await allowed(ask) == 0


async def health(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    return await client.get("/api/health", headers=headers)


# The codes API: 1 request a second for each address and route, 20 at once


async def test_limit_codes_allows_20_at_once_then_one_a_second(limited: StartServer) -> None:
    server = await limited()
    client = server.client()
    assert await allowed(lambda: health(client)) == 20
    server.clock.forward(seconds=5)
    assert await allowed(lambda: health(client)) == 5
    server.clock.forward(hours=1)
    assert await allowed(lambda: health(client)) == 20, "at most the burst"


async def test_limit_codes_is_per_route(limited: StartServer) -> None:
    server = await limited()
    kim = await server.person("kim")
    names = count()
    assert await allowed(lambda: kim.api.get(f"/api/nothing/{next(names)}")) == 20
    await is_used_up(lambda: kim.api.get("/api"))
    assert await allowed(lambda: kim.api.get("/api/users")) == 20
    await is_used_up(lambda: kim.api.patch("/api/users"))
    assert (await health(kim.api)).status_code == 200
    assert (await kim.api.get("/motd")).status_code == 200


async def test_limit_ignores_forwarded_for_of_clients(limited: StartServer) -> None:
    server = await limited()
    client, numbers = server.client(), count(1)
    await allowed(lambda: health(client, **from_address(f"203.0.113.{next(numbers)}")))
    await is_used_up(lambda: health(client))


async def test_limit_uses_forwarded_for_of_a_trusted_proxy(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    client, one = server.client(), from_address("203.0.113.1")
    assert await allowed(lambda: health(client, **one)) == 20
    await is_used_up(lambda: health(client, **from_address("198.51.100.7, 203.0.113.1")))  # the left address is forged
    assert (await health(client, **from_address("203.0.113.2"))).status_code == 200
    assert (await health(client)).status_code == 200


async def test_limit_codes_counts_handshakes(limited: StartServer) -> None:
    server = await limited()
    client = server.client()
    assert await allowed(lambda: client.get("/api/chats/ws")) == 20


# Failed logins: 10 in 60 s block address and account for 15 minutes


async def log_in(
    client: httpx.AsyncClient, person: str, password: str, address: str, *, api: str = "codes"
) -> httpx.Response:
    if api == "codes":
        body = {"person": person, "password": password, "isEmail": "@" in person}
        return await client.post("/api/auth/login", json=body, headers=from_address(address))
    body = {"username": person, "password": password}
    return await client.post("/login", json=body, headers=from_address(address))


async def fail_to_log_in(server: RunningServer, *people: str, address: str = "") -> None:
    """Log in with a wrong password as each of `people`, at both APIs in turn; by default from different addresses."""
    apis = [("codes", 401), ("invites", 400)] * len(people)
    client = server.client()
    answers = await asyncio.gather(
        *(
            log_in(client, person, WRONG, address or f"203.0.113.{number}", api=api)
            for number, (person, (api, _)) in enumerate(zip(people, apis, strict=False))
        )
    )
    assert [answer.status_code for answer in answers] == [status for _, status in apis[: len(people)]]


async def logs_in(server: RunningServer, person: Person, address: str) -> None:
    assert (await log_in(server.client(), person.name, PASSWORD, address)).status_code == 200


async def is_blocked(server: RunningServer, person: str, address: str) -> None:
    """Check that both APIs refuse the right password and a wrong one alike."""
    client = server.client()
    for api in ("codes", "invites"):
        for password in (PASSWORD, WRONG):
            answer = await log_in(client, person, password, address, api=api)
            is_refused(answer, within_s=15 * 60)
            assert "Set-Cookie" not in answer.headers


async def test_login_after_10_failures_blocks_the_account(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    kim, lee = await server.person("kim"), await server.person("lee")
    await fail_to_log_in(server, *[kim.name] * 9)
    await logs_in(server, kim, "203.0.113.100")
    await fail_to_log_in(server, kim.name.swapcase())
    await is_blocked(server, kim.name, "203.0.113.100")
    await logs_in(server, lee, "203.0.113.100")
    assert (await kim.api.get("/api/users")).status_code == 200, "existing sessions are not affected"
    server.clock.forward(minutes=14, seconds=30)
    await is_blocked(server, kim.name, "203.0.113.100")
    server.clock.forward(seconds=30)
    await logs_in(server, kim, "203.0.113.100")


async def test_login_after_10_failures_blocks_the_address(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    kim = await server.person("kim")
    await fail_to_log_in(server, *(f"nobody_{number}" for number in range(10)), address="203.0.113.1")
    await is_blocked(server, kim.name, "203.0.113.1")
    await is_blocked(server, "nobody_else", "203.0.113.1")
    await logs_in(server, kim, "203.0.113.2")
    server.clock.forward(minutes=15)
    await logs_in(server, kim, "203.0.113.1")


async def test_login_block_by_name_holds_for_the_email(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    kim = await server.person("kim")
    await fail_to_log_in(server, *[kim.name] * 10)
    answer = await log_in(server.client(), f"{kim.name}@example.com", PASSWORD, "203.0.113.100")
    is_refused(answer, within_s=15 * 60)


async def test_login_failures_over_60_s_do_not_block(limited: StartServer) -> None:
    server = await limited()
    kim = await server.person("kim")
    await fail_to_log_in(server, *[kim.name] * 9)
    server.clock.forward(seconds=60)
    await fail_to_log_in(server, kim.name)
    await logs_in(server, kim, "")


async def test_login_block_is_shared_and_survives_a_restart(limited: StartServer) -> None:
    server, neighbour = await limited(), await limited()
    kim = await server.person("kim")
    await fail_to_log_in(server, *[kim.name] * 5)
    await fail_to_log_in(neighbour, *[kim.name] * 5)
    await is_blocked(server, kim.name, "")
    await is_blocked(neighbour, kim.name, "")
    await server.close()
    await neighbour.close()
    await is_blocked(await limited(), kim.name, "")


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
async def test_login_blocked_while_hashing_is_429(
    limited: StartServer, monkeypatch: pytest.MonkeyPatch, right: bool
) -> None:
    """After ten failures, no concurrent guess may learn whether its password was right."""
    server = await limited()
    kim = await server.person("kim")
    verify, hashed, go = Hashing.verify, asyncio.Event(), asyncio.Event()

    async def slow(self: Hashing, password: str, password_hash: str | None) -> bool:
        found = await verify(self, password, password_hash)
        if not hashed.is_set():
            hashed.set()
            await go.wait()
        return found

    monkeypatch.setattr(Hashing, "verify", slow)
    guess = asyncio.create_task(log_in(server.client(), kim.name, PASSWORD if right else WRONG, ""))
    await asyncio.wait_for(hashed.wait(), PATIENCE_S)
    await fail_to_log_in(server, *[kim.name] * 10)
    go.set()
    answer = await guess
    is_refused(answer, within_s=15 * 60)
    assert "Set-Cookie" not in answer.headers


# The invites API


async def test_limit_20_registrations_in_5_s_block_for_10_minutes(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    client = server.client()

    async def register(address: str = "203.0.113.1") -> httpx.Response:
        return await client.post("/register", json={}, headers=from_address(address))

    for _ in range(19):
        assert (await register()).status_code == 400
    server.clock.forward(seconds=5)
    assert await allowed(register, within_s=600) == 20
    is_refused(await register(), within_s=600)
    assert (await register("203.0.113.2")).status_code == 400
    server.clock.forward(minutes=9, seconds=30)
    is_refused(await register(), within_s=30)
    server.clock.forward(seconds=30)
    assert (await register()).status_code == 400


@pytest.mark.parametrize("path", ["/v2/accounts", "/api/auth/register"])
async def test_limit_foreign_pages_use_up_no_registrations(limited: StartServer, path: str) -> None:
    server = await limited()
    client = server.client()
    for _ in range(25):
        answer = await client.post(path, json={}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
    assert (await client.post(path, json={})).status_code in (400, 401), "the visitor can still register"


async def test_limit_invites_allows_8_messages_in_10_s(limited: StartServer) -> None:
    server, neighbour = await limited(), await limited()
    alice, bob = await server.person("alice"), await server.person("bob")

    here, there = server.client(), neighbour.client()

    async def post(at: httpx.AsyncClient = here, sender: Person = alice, to: Person = bob) -> httpx.Response:
        return await at.post("/messages", json={"receiver_id": to.id, "message": "hello"}, headers=sender.bearer)

    for at in (here, there, here, there):
        assert (await post(at)).status_code == 200
    for both in (server, neighbour):
        both.clock.forward(seconds=6)
    assert await allowed(post, within_s=10) == 4
    is_refused(await post(), within_s=4)
    is_refused(await post(there), within_s=4)
    assert (await post(sender=bob, to=alice)).status_code == 200
    server.clock.forward(seconds=4)
    assert await allowed(post, within_s=10) == 4, "only the first four have left the window"
    stored = await server.sql("SELECT count(*) FROM messages WHERE sender_id = %s", alice.id)
    assert stored == [(12,)], "refused messages are not stored"


# All APIs: attempts to find a user


async def test_limit_code_redemptions_is_shared_by_both_apis(limited: StartServer) -> None:
    server = await limited()
    alice = await server.person("alice")
    turns = count()

    async def tries() -> httpx.Response:
        path = "/v2/contacts" if next(turns) % 2 else "/api/chats"
        return await alice.api.post(path, json={"code": 10_000})

    assert await allowed(tries, within_s=5) == 10
    is_refused(await alice.api.post("/api/chats", json={"code": 10_001}), within_s=5)


async def test_limit_user_lookups_allows_300_at_once(limited: StartServer) -> None:
    server = await limited()
    alice = await server.person("alice")
    turns = count()

    async def looks() -> httpx.Response:
        more = ("", "/picture", "/devices")[next(turns) % 3]
        return await alice.api.get(f"/v2/users/nobody{more}")

    for _ in range(290):
        assert (await looks()).status_code == 404
    assert await allowed(looks) == 10


# v2: groups and key packages


async def test_limit_commits_allows_60_at_once_then_one_a_second(limited: StartServer) -> None:
    server = await limited()
    alice, bob = [await device(await server.person(name)) for name in ("alice", "bob")]
    turns = count()

    async def commits(by: MlsDevice = alice) -> httpx.Response:
        paths = ("/v2/conversations", f"/v2/conversations/{uuid4()}/commits")
        return await by.session.api.post(paths[next(turns) % 2], json={})

    assert await allowed(commits) == 60
    again = await device(await alice.session.again())
    is_refused(await commits(again), within_s=1)
    assert (await commits(bob)).status_code == 400, "each account has its own bucket"
    server.clock.forward(seconds=3)
    assert await allowed(commits) == 3


async def test_limit_key_package_uploads_allows_10_then_6_a_minute(limited: StartServer) -> None:
    server = await limited()
    person = await server.person("alice")
    laptop, phone = await device(person), await device(await person.again())

    async def uploads(by: MlsDevice = laptop) -> httpx.Response:
        return await by.session.api.post("/v2/key-packages", json={})

    assert await allowed(uploads, within_s=10) == 10
    assert (await uploads(phone)).status_code == 201, "each device has its own bucket"
    server.clock.forward(seconds=30)
    assert await allowed(uploads, within_s=10) == 3


async def test_limit_key_package_claims_allows_10_per_pair(limited: StartServer) -> None:
    """Then one a minute: no user can use up the key packages of another."""
    server = await limited()
    alice, bob, carol = [await server.person(name) for name in ("alice", "bob", "carol")]

    async def claims(by: Person = alice, of: Person = bob) -> httpx.Response:
        return await by.api.post(f"/v2/users/{of.uuid}/key-packages/claim", json={})

    assert await allowed(claims, within_s=60) == 10
    assert (await claims(of=carol)).status_code == 200
    assert (await claims(by=carol)).status_code == 200
    server.clock.forward(minutes=2)
    assert await allowed(claims, within_s=60) == 2


# All APIs: 20 changes that others see at once, then one in 30 s


async def test_limit_profile_changes_allows_20_then_2_a_minute(limited: StartServer) -> None:
    server = await limited()
    alice, bob = await server.person("alice"), await server.person("bob")
    picture = {"image": f"data:image/png;base64,{b64encode(saved(drawn(), 'PNG')).decode()}"}
    turns = count()

    async def change(person: Person = alice) -> httpx.Response:
        if next(turns) % 2:
            return await server.client().post("/uploadpfp", json=picture, headers=person.bearer)
        return await person.api.patch("/v2/account", json={"bio": f"I sing {next(turns)}"})

    for _ in range(20):
        assert (await change()).status_code == 200
    assert await allowed(change, within_s=30) == 0
    private = {"email": f"{alice.name}@elsewhere.example", "password": PASSWORD}
    assert (await alice.api.patch("/api/users", json=private)).status_code == 200
    for public in ({"bio": "Aloud"}, {"username": f"{alice.name[:18]}_2"}):
        is_refused(await alice.api.patch("/api/users", json=public | {"password": PASSWORD}), within_s=30)
    assert (await change(bob)).status_code == 200
    server.clock.forward(seconds=60)
    assert await allowed(change, within_s=30) == 2


async def test_limit_is_shared_by_servers_on_one_database(limited: StartServer) -> None:
    server, neighbour = await limited(), await limited()
    clients = [server.client(), neighbour.client()]
    turns = count()
    assert await allowed(lambda: health(clients[next(turns) % 2])) == 20


async def test_limit_when_switched_off_refuses_nothing(start_server: StartServer) -> None:
    server = await start_server(rate_limits=False)
    client = server.client()
    assert {(await health(client)).status_code for _ in range(30)} == {200}

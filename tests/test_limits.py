"""Rate limits and blocks: counted in the database, so that they hold across workers and restarts.

The clock stands: nothing drips in but what a test lets pass, however slow the machine is.
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
    """Houses that count, by clocks that stand. The first one finds the counters at zero."""
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
    """How often it is, until it is refused."""
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


async def test_twenty_requests_pass_at_once_and_then_one_a_second(limited: StartServer) -> None:
    server = await limited()
    client = server.client()
    assert await allowed(lambda: health(client)) == 20
    server.clock.forward(seconds=5)
    assert await allowed(lambda: health(client)) == 5
    server.clock.forward(hours=1)
    assert await allowed(lambda: health(client)) == 20, "never more than the burst"


async def test_each_route_has_a_bucket_of_its_own_and_unknown_ones_share_one(limited: StartServer) -> None:
    server = await limited()
    kim = await server.person("kim")
    names = count()
    assert await allowed(lambda: kim.api.get(f"/api/nothing/{next(names)}")) == 20
    await is_used_up(lambda: kim.api.get("/api"))
    assert await allowed(lambda: kim.api.get("/api/users")) == 20
    await is_used_up(lambda: kim.api.patch("/api/users"))
    assert (await health(kim.api)).status_code == 200
    assert (await kim.api.get("/motd")).status_code == 200


async def test_what_a_client_says_about_its_address_is_not_believed(limited: StartServer) -> None:
    server = await limited()
    client, numbers = server.client(), count(1)
    await allowed(lambda: health(client, **from_address(f"203.0.113.{next(numbers)}")))
    await is_used_up(lambda: health(client))


async def test_what_a_trusted_proxy_says_about_the_address_is_believed(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    client, one = server.client(), from_address("203.0.113.1")
    assert await allowed(lambda: health(client, **one)) == 20
    await is_used_up(lambda: health(client, **from_address("198.51.100.7, 203.0.113.1")))  # the left is made up
    assert (await health(client, **from_address("203.0.113.2"))).status_code == 200
    assert (await health(client)).status_code == 200


async def test_a_handshake_counts_like_any_request(limited: StartServer) -> None:
    server = await limited()
    client = server.client()
    assert await allowed(lambda: client.get("/api/chats/ws")) == 20


# Failed logins: 10 in 60 s block address and account for 15 minutes


async def log_in(
    client: httpx.AsyncClient, person: str, password: str, address: str, *, door: str = "codes"
) -> httpx.Response:
    if door == "codes":
        body = {"person": person, "password": password, "isEmail": "@" in person}
        return await client.post("/api/auth/login", json=body, headers=from_address(address))
    body = {"username": person, "password": password}
    return await client.post("/login", json=body, headers=from_address(address))


async def fail_to_log_in(server: RunningServer, *people: str, address: str = "") -> None:
    """At both doors in turn; each from an address of its own where none is given."""
    doors = [("codes", 401), ("invites", 400)] * len(people)
    client = server.client()
    answers = await asyncio.gather(
        *(
            log_in(client, person, WRONG, address or f"203.0.113.{number}", door=door)
            for number, (person, (door, _)) in enumerate(zip(people, doors, strict=False))
        )
    )
    assert [answer.status_code for answer in answers] == [status for _, status in doors[: len(people)]]


async def logs_in(server: RunningServer, person: Person, address: str) -> None:
    assert (await log_in(server.client(), person.name, PASSWORD, address)).status_code == 200


async def is_blocked(server: RunningServer, person: str, address: str) -> None:
    """At both doors, the right password and a wrong one alike."""
    client = server.client()
    for door in ("codes", "invites"):
        for password in (PASSWORD, WRONG):
            answer = await log_in(client, person, password, address, door=door)
            is_refused(answer, within_s=15 * 60)
            assert "Set-Cookie" not in answer.headers


async def test_ten_failures_block_the_account_wherever_it_is_tried_from(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    kim, lee = await server.person("kim"), await server.person("lee")
    await fail_to_log_in(server, *[kim.name] * 9)
    await logs_in(server, kim, "203.0.113.100")
    await fail_to_log_in(server, kim.name.swapcase())
    await is_blocked(server, kim.name, "203.0.113.100")
    await logs_in(server, lee, "203.0.113.100")
    assert (await kim.api.get("/api/users")).status_code == 200, "who is in stays in"
    server.clock.forward(minutes=14, seconds=30)
    await is_blocked(server, kim.name, "203.0.113.100")
    server.clock.forward(seconds=30)
    await logs_in(server, kim, "203.0.113.100")


async def test_ten_failures_block_the_address_whoever_is_tried(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    kim = await server.person("kim")
    await fail_to_log_in(server, *(f"nobody_{number}" for number in range(10)), address="203.0.113.1")
    await is_blocked(server, kim.name, "203.0.113.1")
    await is_blocked(server, "nobody_else", "203.0.113.1")
    await logs_in(server, kim, "203.0.113.2")
    server.clock.forward(minutes=15)
    await logs_in(server, kim, "203.0.113.1")


async def test_an_account_is_the_same_by_name_and_by_address(limited: StartServer) -> None:
    server = await limited(trusted_proxies=PROXY)
    kim = await server.person("kim")
    await fail_to_log_in(server, *[kim.name] * 10)
    answer = await log_in(server.client(), f"{kim.name}@example.com", PASSWORD, "203.0.113.100")
    is_refused(answer, within_s=15 * 60)


async def test_failures_that_are_spread_over_time_block_nobody(limited: StartServer) -> None:
    server = await limited()
    kim = await server.person("kim")
    await fail_to_log_in(server, *[kim.name] * 9)
    server.clock.forward(seconds=60)
    await fail_to_log_in(server, kim.name)
    await logs_in(server, kim, "")


async def test_a_block_outlives_the_server_and_holds_at_its_neighbour(limited: StartServer) -> None:
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
async def test_login_whose_block_began_while_hashing_is_refused(
    limited: StartServer, monkeypatch: pytest.MonkeyPatch, right: bool
) -> None:
    """Of many guesses at once none is told whether it was right after ten have failed."""
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


async def test_twenty_registrations_in_five_seconds_block_the_address_for_ten_minutes(limited: StartServer) -> None:
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


async def test_eight_messages_pass_in_any_ten_seconds(limited: StartServer) -> None:
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
    assert await allowed(post, within_s=10) == 4, "the first four have left the window, the others have not"
    stored = await server.sql("SELECT count(*) FROM messages WHERE sender_id = %s", alice.id)
    assert stored == [(12,)], "nothing that was refused is kept"


# Every door: what is tried to find somebody


async def test_codes_are_tried_ten_times_at_once_at_both_doors_together(limited: StartServer) -> None:
    server = await limited()
    alice = await server.person("alice")
    turns = count()

    async def tries() -> httpx.Response:
        path = "/v2/contacts" if next(turns) % 2 else "/api/chats"
        return await alice.api.post(path, json={"code": 10_000})

    assert await allowed(tries, within_s=5) == 10
    is_refused(await alice.api.post("/api/chats", json={"code": 10_001}), within_s=5)


async def test_names_are_looked_up_three_hundred_times_at_once_whatever_is_asked_of_them(limited: StartServer) -> None:
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


async def test_commits_pass_sixty_at_once_and_then_one_a_second(limited: StartServer) -> None:
    server = await limited()
    alice, bob = [await device(await server.person(name)) for name in ("alice", "bob")]
    turns = count()

    async def commits(by: MlsDevice = alice) -> httpx.Response:
        paths = ("/v2/conversations", f"/v2/conversations/{uuid4()}/commits")
        return await by.session.api.post(paths[next(turns) % 2], json={})

    assert await allowed(commits) == 60
    again = await device(await alice.session.again())
    is_refused(await commits(again), within_s=1)
    assert (await commits(bob)).status_code == 400, "each account has a bucket of its own"
    server.clock.forward(seconds=3)
    assert await allowed(commits) == 3


async def test_uploads_pass_ten_at_once_and_then_six_a_minute(limited: StartServer) -> None:
    server = await limited()
    person = await server.person("alice")
    laptop, phone = await device(person), await device(await person.again())

    async def uploads(by: MlsDevice = laptop) -> httpx.Response:
        return await by.session.api.post("/v2/key-packages", json={})

    assert await allowed(uploads, within_s=10) == 10
    assert (await uploads(phone)).status_code == 201, "each device has a bucket of its own"
    server.clock.forward(seconds=30)
    assert await allowed(uploads, within_s=10) == 3


async def test_claims_of_one_persons_key_packages_pass_ten_at_once(limited: StartServer) -> None:
    """Nobody drains somebody else's, and then one in each minute."""
    server = await limited()
    alice, bob, carol = [await server.person(name) for name in ("alice", "bob", "carol")]

    async def claims(by: Person = alice, of: Person = bob) -> httpx.Response:
        return await by.api.post(f"/v2/users/{of.uuid}/key-packages/claim", json={})

    assert await allowed(claims, within_s=60) == 10
    assert (await claims(of=carol)).status_code == 200
    assert (await claims(by=carol)).status_code == 200
    server.clock.forward(minutes=2)
    assert await allowed(claims, within_s=60) == 2


# Every door: 20 changes that others see at once, then one in 30 s


async def test_what_others_hear_of_may_be_changed_twenty_times_and_then_twice_a_minute(limited: StartServer) -> None:
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
    is_refused(await alice.api.patch("/api/users", json={"bio": "Aloud", "password": PASSWORD}), within_s=30)
    assert (await change(bob)).status_code == 200
    server.clock.forward(seconds=60)
    assert await allowed(change, within_s=30) == 2


async def test_two_servers_on_one_database_share_a_bucket(limited: StartServer) -> None:
    server, neighbour = await limited(), await limited()
    clients = [server.client(), neighbour.client()]
    turns = count()
    assert await allowed(lambda: health(clients[next(turns) % 2])) == 20


async def test_where_limits_are_off_there_are_none(start_server: StartServer) -> None:
    server = await start_server(rate_limits=False)
    client = server.client()
    assert {(await health(client)).status_code for _ in range(30)} == {200}

"""PostgreSQL goes away and comes back: what people are told meanwhile, and that nobody has to restart anything."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from store.database.embedded import EmbeddedPostgres
from testing.server import PASSWORD, PATIENCE_S, Line, Person, RunningServer, until
from tests.conftest import StartServer, a_database, a_postgres
from tests.v2.devices import listens
from tests.v2.direct import says, send

ABSENCE_S = 16.0  # one who doubled the pauses between attempts would wait for as long again
ABSENCE = pytest.mark.logs(
    "database unavailable",
    "the bus lost its connection",
    "the writer lost its connection",
    "waits for the database",
    "error connecting in",
    "reconnection attempt in pool",
    "error ignored",
    "discarding (closed|broken) connection",
)


@pytest.fixture(scope="module")
def mortal() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that only these tests use, and stop."""
    with a_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def mortal_url(mortal: EmbeddedPostgres) -> str:
    return a_database(mortal, "shared")


@pytest.fixture
def server(
    io_loop: Any, start_server: StartServer, mortal: EmbeddedPostgres, mortal_url: str
) -> Iterator[RunningServer]:
    yield io_loop.run_sync(lambda: start_server(url=mortal_url), timeout=PATIENCE_S)
    if not mortal.answers():  # a test failed in the middle of its outage
        mortal.start()


async def goes(postgres: EmbeddedPostgres) -> None:
    await asyncio.to_thread(postgres.stop)
    assert not postgres.answers()


async def returns(postgres: EmbeddedPostgres) -> None:
    await asyncio.to_thread(postgres.start)


async def pair(server: RunningServer) -> tuple[Person, Person, str]:
    alice, bob = await server.person("alice"), await server.person("bob")
    return alice, bob, await alice.meets(bob)


async def in_conversation(server: RunningServer) -> tuple[Person, Person, str, Line, Line]:
    """A pair at sockets that are past their beginning, for which the server reads the database once more."""
    alice, bob, conversation = await pair(server)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.says("hello")
    await at_bob.hears("hello")
    await at_bob.says("hello, you")
    await at_alice.hears("hello, you")
    return alice, bob, conversation, at_alice, at_bob


async def refused(request: Any) -> httpx.Response:
    """The answer to a request that is told that it cannot be served now, while the database is still away."""
    async with asyncio.timeout(PATIENCE_S):
        answer: httpx.Response = await request
    assert answer.status_code == 503, answer.text
    assert list(answer.json()) == ["error"]
    assert int(answer.headers["Retry-After"]) >= 1
    return answer


@ABSENCE
async def test_everything_is_refused_soon_while_it_is_away_and_works_by_itself_when_it_is_back(
    server: RunningServer, mortal: EmbeddedPostgres
) -> None:
    alice, bob, conversation = await pair(server)
    stranger = server.client()
    login = {"username": alice.name, "password": PASSWORD}
    message = {"receiver_id": bob.id, "message": "hello"}
    assert (await stranger.get("/healthz")).status_code == 200
    await goes(mortal)
    for _ in range(2):
        await asyncio.gather(
            refused(alice.api.post("/messages", json=message)),
            refused(alice.api.get("/me")),
            refused(stranger.post("/login", json=login)),
            refused(alice.api.get("/api/chats/messages", params={"conversationId": conversation})),
            *(refused(bob.api.get("/me")) for _ in range(40)),
        )
    assert (await stranger.get("/motd")).status_code == 200, "what needs no database is served"
    await returns(mortal)

    async def well() -> bool:
        return (await alice.api.post("/messages", json=message)).status_code == 200

    await until(well)
    assert (await alice.api.get("/me")).json()["id"] == alice.id
    assert (await stranger.post("/login", json=login)).status_code == 200
    assert (await stranger.get("/healthz")).status_code == 200


@ABSENCE
async def test_a_long_absence_is_not_followed_by_a_long_wait(server: RunningServer, mortal: EmbeddedPostgres) -> None:
    alice, _, _ = await pair(server)
    await goes(mortal)
    since = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < since + ABSENCE_S:
        await refused(alice.api.get("/me"))
        await asyncio.sleep(0.1)
    await returns(mortal)

    async def well() -> bool:
        return (await alice.api.get("/me")).status_code == 200

    await until(well, within_s=ABSENCE_S / 2)


@ABSENCE
async def test_a_load_balancer_learns_of_it_though_nobody_writes(
    server: RunningServer, mortal: EmbeddedPostgres
) -> None:
    client = server.client()

    async def health_is(status: int) -> None:
        async def it_is() -> bool:
            return (await client.get("/healthz")).status_code == status

        await until(it_is)

    await health_is(200)
    await goes(mortal)
    await health_is(503)
    await refused(client.get("/healthz"))
    await returns(mortal)
    await health_is(200)


@ABSENCE
async def test_sockets_outlive_it_and_hear_what_is_said_afterwards(
    server: RunningServer, mortal: EmbeddedPostgres
) -> None:
    alice, bob, _, at_alice, at_bob = await in_conversation(server)
    await goes(mortal)
    await refused(alice.api.get("/me"))
    await returns(mortal)

    async def posted() -> bool:
        answer = await alice.api.post("/messages", json={"receiver_id": bob.id, "message": "after"})
        return answer.status_code == 200

    await until(posted)
    await at_bob.hears("after")
    await at_bob.says("welcome back")
    await at_alice.hears("welcome back")
    await at_bob.hears_nothing()


@ABSENCE
@pytest.mark.parametrize("returns_soon", [True, False], ids=["it is back soon", "it stays away"])
async def test_what_a_socket_says_meanwhile_arrives_or_the_socket_is_closed(
    server: RunningServer, mortal: EmbeddedPostgres, returns_soon: bool
) -> None:
    alice, _, conversation, at_alice, at_bob = await in_conversation(server)
    await goes(mortal)
    await at_alice.says("into the dark")
    if returns_soon:
        await returns(mortal)
    heard = asyncio.create_task(at_bob.hears("into the dark"))
    closed = asyncio.create_task(at_alice.is_closed_with(1013))
    await asyncio.wait([heard, closed], return_when=asyncio.FIRST_COMPLETED)
    (heard if heard.done() else closed).result()
    arrived = heard.done()
    for task in (heard, closed):
        task.cancel()
    await asyncio.gather(heard, closed, return_exceptions=True)
    if not returns_soon:
        assert not arrived
        await returns(mortal)

    async def readable() -> bool:
        return (await alice.api.get("/me")).status_code == 200

    await until(readable)
    said = await alice.history(conversation)
    assert said in (["into the dark", "hello, you", "hello"], ["hello, you", "hello"])
    assert not arrived or said[0] == "into the dark"


@ABSENCE
async def test_devices_hear_everything_once_whether_it_was_said_before_or_after(
    server: RunningServer, mortal: EmbeddedPostgres
) -> None:
    alice, bob, _ = await pair(server)
    at_bob = await listens(bob)
    await says(alice, bob, "before")
    await at_bob.hears_texts("before")
    await goes(mortal)
    await refused(alice.api.get("/me"))
    with pytest.raises(InvalidStatus) as stranger:
        await listens(bob)
    assert stranger.value.response.status_code == 503
    await returns(mortal)
    id_ = uuid4().hex

    async def said() -> bool:
        return (await send(alice, bob, "after", id_)).status_code == 200

    await until(said)
    await says(alice, bob, "and then")
    await at_bob.hears_texts("after", "and then")
    await at_bob.hears_nothing()


@ABSENCE
async def test_who_repeats_with_the_same_key_until_it_works_has_said_everything_once(
    server: RunningServer, mortal: EmbeddedPostgres
) -> None:
    alice, bob, conversation = await pair(server)
    at_bob = await bob.opens(conversation)
    texts = [f"{n}" for n in range(60)]
    refusals = 0

    async def talk() -> None:
        nonlocal refusals
        for text in texts:
            while True:
                wanted = {"receiver_id": bob.id, "message": text}
                answer = await alice.api.post("/messages", json=wanted, headers={"Idempotency-Key": f"key {text}"})
                if answer.status_code == 200:
                    break
                assert answer.status_code == 503, answer.text
                refusals += 1
                await asyncio.sleep(0.05)

    talking = asyncio.create_task(talk())
    await at_bob.hears(*texts[:10])
    await goes(mortal)
    await returns(mortal)
    await talking
    assert refusals > 0
    await at_bob.hears(*texts[10:])
    await at_bob.hears_nothing()
    assert await alice.history(conversation, limit=100) == texts[::-1]

"""An outage of PostgreSQL: the server answers 503 meanwhile, and recovers without a restart."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from store.database.embedded import EmbeddedPostgres
from testing.databases import a_database, a_postgres
from testing.server import PASSWORD, PATIENCE_S, OpenSocket, Person, RunningServer, until
from testing.tree import ROOT
from tests.conftest import StartServer
from tests.v2.devices import listens
from tests.v2.direct import send, send_texts

OUTAGE_S = 16.0  # with exponential backoff, the next attempt would be as far away again
OUTAGE = pytest.mark.logs(
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
def outage_postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL that only these tests use, so that they can stop it."""
    with a_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def outage_url(outage_postgres: EmbeddedPostgres) -> str:
    return a_database(outage_postgres.url, "outage")


@pytest.fixture
def server(
    io_loop: Any, start_server: StartServer, outage_postgres: EmbeddedPostgres, outage_url: str
) -> Iterator[RunningServer]:
    yield io_loop.run_sync(lambda: start_server(url=outage_url), timeout=PATIENCE_S)
    if not outage_postgres.answers():  # the test failed during the outage
        outage_postgres.start()


async def stop(postgres: EmbeddedPostgres) -> None:
    await asyncio.to_thread(postgres.stop)
    assert not postgres.answers()


async def start(postgres: EmbeddedPostgres) -> None:
    await asyncio.to_thread(postgres.start)


async def pair(server: RunningServer) -> tuple[Person, Person, str]:
    alice, bob = await server.person("alice"), await server.person("bob")
    return alice, bob, await alice.meets(bob)


async def in_conversation(server: RunningServer) -> tuple[Person, Person, str, OpenSocket, OpenSocket]:
    """Two users with open sockets that have exchanged messages: the server reads the log when a socket opens."""
    alice, bob, conversation = await pair(server)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.sends("hello")
    await at_bob.receives("hello")
    await at_bob.sends("hello, you")
    await at_alice.receives("hello, you")
    return alice, bob, conversation, at_alice, at_bob


async def refused(request: Any) -> httpx.Response:
    """Check that the request is answered with 503 and Retry-After; return the response."""
    async with asyncio.timeout(PATIENCE_S):
        answer: httpx.Response = await request
    assert answer.status_code == 503, answer.text
    assert list(answer.json()) == ["error"]
    assert int(answer.headers["Retry-After"]) >= 1
    return answer


@OUTAGE
async def test_database_outage_gives_503_and_recovers_on_its_own(
    server: RunningServer, outage_postgres: EmbeddedPostgres
) -> None:
    alice, bob, conversation = await pair(server)
    stranger = server.client()
    login = {"username": alice.name, "password": PASSWORD}
    message = {"receiver_id": bob.id, "message": "hello"}
    assert (await stranger.get("/healthz")).status_code == 200
    await stop(outage_postgres)
    for _ in range(2):
        await asyncio.gather(
            refused(alice.api.post("/messages", json=message)),
            refused(alice.api.get("/me")),
            refused(stranger.post("/login", json=login)),
            refused(alice.api.get("/api/chats/messages", params={"conversationId": conversation})),
            *(refused(bob.api.get("/me")) for _ in range(40)),
        )
    assert (await stranger.get("/motd")).status_code == 200, "an endpoint without database access is served"
    await start(outage_postgres)

    async def works() -> bool:
        return (await alice.api.post("/messages", json=message)).status_code == 200

    await until(works)
    assert (await alice.api.get("/me")).json()["id"] == alice.id
    assert (await stranger.post("/login", json=login)).status_code == 200
    assert (await stranger.get("/healthz")).status_code == 200


@pytest.mark.once
@OUTAGE
async def test_database_reconnect_is_quick_after_a_long_outage(
    server: RunningServer, outage_postgres: EmbeddedPostgres
) -> None:
    alice, _, _ = await pair(server)
    await stop(outage_postgres)
    since = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < since + OUTAGE_S:
        await refused(alice.api.get("/me"))
        await asyncio.sleep(0.1)
    await start(outage_postgres)

    async def works() -> bool:
        return (await alice.api.get("/me")).status_code == 200

    await until(works, within_s=OUTAGE_S / 2)


@pytest.mark.once
@OUTAGE
async def test_healthz_reports_an_outage_without_writes(
    server: RunningServer, outage_postgres: EmbeddedPostgres
) -> None:
    client = server.client()

    async def health_is(status: int) -> None:
        async def has_status() -> bool:
            return (await client.get("/healthz")).status_code == status

        await until(has_status)

    await health_is(200)
    shown = re.search(r"answers 200 with `(\{.*?\})`", (ROOT / "docs" / "running.md").read_text())
    assert shown
    assert list((await client.get("/healthz")).json()) == re.findall(r'"(\w+)":', shown[1])
    await stop(outage_postgres)
    await health_is(503)
    await refused(client.get("/healthz"))
    await start(outage_postgres)
    await health_is(200)


@OUTAGE
async def test_sockets_survive_an_outage_and_hear_later_messages(
    server: RunningServer, outage_postgres: EmbeddedPostgres
) -> None:
    alice, bob, _, at_alice, at_bob = await in_conversation(server)
    await stop(outage_postgres)
    await refused(alice.api.get("/me"))
    await start(outage_postgres)

    async def posted() -> bool:
        answer = await alice.api.post("/messages", json={"receiver_id": bob.id, "message": "after"})
        return answer.status_code == 200

    await until(posted)
    await at_bob.receives("after")
    await at_bob.sends("welcome back")
    await at_alice.receives("welcome back")
    await at_bob.receives_nothing()


@OUTAGE
@pytest.mark.parametrize("is_short", [True, False], ids=["short outage", "long outage"])
async def test_socket_message_in_an_outage_arrives_or_closes_1013(
    server: RunningServer, outage_postgres: EmbeddedPostgres, is_short: bool
) -> None:
    alice, _, conversation, at_alice, at_bob = await in_conversation(server)
    await stop(outage_postgres)
    await at_alice.sends("into the dark")
    if is_short:
        await start(outage_postgres)
    heard = asyncio.create_task(at_bob.receives("into the dark"))
    closed = asyncio.create_task(at_alice.is_closed_with(1013))
    await asyncio.wait([heard, closed], return_when=asyncio.FIRST_COMPLETED)
    (heard if heard.done() else closed).result()
    arrived = heard.done()
    for task in (heard, closed):
        task.cancel()
    await asyncio.gather(heard, closed, return_exceptions=True)
    if not is_short:
        assert not arrived
        await start(outage_postgres)

    async def readable() -> bool:
        return (await alice.api.get("/me")).status_code == 200

    await until(readable)
    said = await alice.history(conversation)
    assert said in (["into the dark", "hello, you", "hello"], ["hello, you", "hello"])
    assert not arrived or said[0] == "into the dark"


@OUTAGE
async def test_devices_hear_each_message_once_across_an_outage(
    server: RunningServer, outage_postgres: EmbeddedPostgres
) -> None:
    alice, bob, _ = await pair(server)
    at_bob = await listens(bob)
    await send_texts(alice, bob, "before")
    await at_bob.hears_texts("before")
    await stop(outage_postgres)
    await refused(alice.api.get("/me"))
    with pytest.raises(InvalidStatus) as stranger:
        await listens(bob)
    assert stranger.value.response.status_code == 503
    await start(outage_postgres)
    id_ = uuid4().hex

    async def said() -> bool:
        return (await send(alice, bob, "after", id_)).status_code == 200

    await until(said)
    await send_texts(alice, bob, "and then")
    await at_bob.hears_texts("after", "and then")
    await at_bob.receives_nothing()


@pytest.mark.once
@OUTAGE
async def test_idempotent_retries_across_an_outage_store_once(
    server: RunningServer, outage_postgres: EmbeddedPostgres
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
    await at_bob.receives(*texts[:10])
    await stop(outage_postgres)
    await start(outage_postgres)
    await talking
    assert refusals > 0
    await at_bob.receives(*texts[10:])
    await at_bob.receives_nothing()
    assert await alice.history(conversation, limit=100) == texts[::-1]


@pytest.mark.once
@OUTAGE
async def test_answer_that_breaks_in_the_middle_is_incomplete(
    server: RunningServer, outage_postgres: EmbeddedPostgres
) -> None:
    alice, bob, _ = await pair(server)
    for _ in range(40):  # more than the buffers of the two sockets hold
        await alice.posts("x" * 700_000, to=bob)
    async with alice.api.stream("GET", "/allmessages", params={"user_id": bob.id}) as answer:
        assert answer.status_code == 200
        await stop(outage_postgres)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            await answer.aread()
    await start(outage_postgres)


@pytest.mark.once
@OUTAGE
async def test_request_that_cannot_be_counted_is_refused(
    io_loop: Any, start_server: StartServer, outage_postgres: EmbeddedPostgres, outage_url: str
) -> None:
    server = await start_server(url=outage_url, rate_limits=True)
    client = server.client()
    assert (await client.get("/api/nothing")).status_code == 404
    await stop(outage_postgres)
    await refused(client.get("/api/nothing"))
    assert (await client.get("/api/health")).status_code == 200
    await start(outage_postgres)

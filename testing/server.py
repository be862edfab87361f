"""A complete server in the test's event loop, on a real PostgreSQL and with an adjustable clock; and its users."""

import asyncio
import itertools
import secrets
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from psycopg_pool import AsyncConnectionPool
from tornado.netutil import bind_sockets
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed

from crypto import passwords
from crypto.tokens import Tokens
from run.config.settings import Settings, default_settings
from run.process.worker import WorkerPlan, run_worker
from run.tls.local_ca import local_certificate

PASSWORD = "Secret1pass"
SECRET = "0123456789abcdef" * 4
KEK = "ab" * 32
PATIENCE_S = 60.0  # deadline of every wait, long enough for any machine; only a failing test waits this long
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # shared, because a default context reads all certificate authorities

_numbers = itertools.count(1)


def settings(**changes: Any) -> Settings:
    """Return settings for tests, without rate limits and on local addresses only."""
    usual: dict[str, Any] = {
        "https_port": None,
        "https_bind_addr": "127.0.0.1",
        "port": None,
        "data_dir": Path("/nonexistent"),
        "jwt_secret": SECRET,
        "key_encryption_key": KEK,
        "rate_limits": False,
    }
    return msgspec.structs.replace(default_settings(), **usual | changes)


class Clock:
    """A clock that follows the system's, and can be moved forward or stopped."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.ahead

    def forward(self, **by: float) -> None:
        """Move forward by a timedelta."""
        self.ahead += timedelta(**by)


@dataclass
class RunningServer:
    """A running server. `http` and `https` are its base addresses."""

    url: str  # of the database
    plan: WorkerPlan
    http: str
    https: str
    authority: Path
    clock: Clock
    stop: asyncio.Event
    running: "asyncio.Task[None]"
    psql: AsyncConnectionPool
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    sockets: list["OpenSocket"] = field(default_factory=list)

    def client(self, *, tls: bool = False, **options: Any) -> httpx.AsyncClient:
        """Return an HTTP client with a cookie jar, which the test's end closes."""
        verify = ssl.create_default_context(cafile=str(self.authority)) if tls else NO_TLS
        client = httpx.AsyncClient(
            base_url=self.https if tls else self.http, verify=verify, timeout=PATIENCE_S, **options
        )
        self.clients.append(client)
        return client

    async def person(self, name: str, *, role: str = "user") -> "Person":
        """Insert an account with a session into the database. Other tests cover registration."""
        unique = f"{name}_{next(_numbers)}_{secrets.token_hex(2)}"[-20:]
        ((user_id, uuid),) = await self.sql(
            "INSERT INTO users (username, username_key, email, password_hash, role)"
            " VALUES (%s, %s, %s, %s, %s) RETURNING id, uuid",
            *[unique, unique.casefold(), f"{unique}@example.com", a_hash(), role],
        )
        return await self.session_of(unique, user_id, uuid)

    async def session_of(self, name: str, user_id: int, uuid: UUID) -> "Person":
        """Insert another session of an account."""
        session_id, now = uuid4(), self.clock()
        life = timedelta(days=7)
        await self.sql("INSERT INTO sessions VALUES (%s, %s, %s, %s)", session_id, user_id, now, now + life)
        token = Tokens(SECRET).issue(session_id, user_id, now, now + life)
        return Person(self, name, user_id, uuid, session_id, token, self.client(cookies={"Authorization": token}))

    async def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own, like `psql`; return its rows."""
        async with self.psql.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def let_go(self) -> None:
        """Close the sockets and clients that a test opened."""
        for line in self.sockets:
            line.socket.transport.abort()
        for client in self.clients:
            await client.aclose()
        self.sockets.clear()
        self.clients.clear()

    async def close(self) -> None:
        """Stop the server."""
        await self.let_go()
        await self.psql.close()
        self.stop.set()
        await self.running


@dataclass
class Person:
    """A user with a session. `api` sends its cookie, which all APIs accept."""

    server: RunningServer
    name: str
    id: int
    uuid: UUID
    session_id: UUID
    token: str
    api: httpx.AsyncClient

    @property
    def bearer(self) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self.token}"}

    async def again(self) -> "Person":
        """Return the same account with another session."""
        return await self.server.session_of(self.name, self.id, self.uuid)

    async def meets(self, other: "Person") -> str:
        """Open a direct conversation with `other` by a chat code; return its id."""
        code = (await other.api.post("/api/chats/codes")).json()["code"]
        answer = await self.api.post("/api/chats", json={"code": code})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["conversation_id"])

    async def opens(self, conversation_id: str, **headers: str) -> "OpenSocket":
        """Open a socket of the codes API."""
        address = f"{self.server.http.replace('http', 'ws')}/api/chats/ws?chatId={conversation_id}"
        given = {"Cookie": f"Authorization={self.token}"} | headers
        line = OpenSocket(await connect(address, given))
        self.server.sockets.append(line)
        return line

    async def posts(self, text: str, to: "Person", **headers: str) -> int:
        """Send a message through the invites API; return its id."""
        answer = await self.api.post("/messages", json={"receiver_id": to.id, "message": text}, headers=headers)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["message_id"])

    async def history(self, conversation_id: str, **query: Any) -> list[str]:
        """Return the texts of a conversation from the codes API, newest first."""
        answer = await self.api.get("/api/chats/messages", params={"conversationId": conversation_id, **query})
        assert answer.status_code == 200, answer.text
        return [message["content"] for message in answer.json()["chats"]]


async def connect(address: str, headers: dict[str, str]) -> ClientConnection:
    """Open a WebSocket with the deadlines of the tests. The library's own are too short for a busy machine."""
    return await connect_websocket(
        address,
        additional_headers=headers,
        max_size=None,
        proxy=None,
        open_timeout=PATIENCE_S,
        ping_interval=None,
    )


class OpenSocket:
    """A WebSocket with assertions."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def sends(self, text: str | bytes) -> None:
        """Send a message."""
        await self.socket.send(text)

    async def receives(self, *texts: str) -> None:
        """Assert that the next messages are `texts`."""
        for text in texts:
            heard = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
            assert heard == text, f"heard {heard!r:.200} instead of {text!r:.200}"

    async def receives_nothing(self, for_s: float = 0.3) -> None:
        """Assert that no message arrives within `for_s` seconds."""
        try:
            heard = await asyncio.wait_for(self.socket.recv(), for_s)
        except TimeoutError:
            return
        raise AssertionError(f"heard {heard!r:.200}")

    async def is_closed_with(self, code: int) -> None:
        """Assert that the server closes with `code`; skip messages before that."""
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        except ConnectionClosed:
            assert self.socket.close_code == code, f"closed with {self.socket.close_code}, not {code}"

    async def leaves(self) -> None:
        """Close the socket."""
        await self.socket.close()


def a_hash() -> str:
    """Return a hash of PASSWORD at the current cost, cached."""
    return _hash_at(passwords.BCRYPT_COST)


@cache
def _hash_at(_cost: int) -> str:
    return passwords.hash_password(PASSWORD, "argon2id")


async def start_server(url: str, folder: Path, **changes: Any) -> RunningServer:
    """Start a server on free ports and return when it is ready. `changes` are settings."""
    certificate = local_certificate(folder / "tls", ["127.0.0.1", "localhost"], datetime.now(UTC))
    http, https = bind_sockets(0, "127.0.0.1"), bind_sockets(0, "127.0.0.1")
    ports = http[0].getsockname()[1], https[0].getsockname()[1]
    plan = WorkerPlan(
        settings=settings(**changes),
        database_url=url,
        jwt_secret=SECRET,
        key_encryption_key=KEK,
        tls_chain=certificate.chain,
        tls_key=certificate.key,
        https_fds=[bound.detach() for bound in https],
        http_fds=[bound.detach() for bound in http],
    )
    clock, stop, ready = Clock(), asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(run_worker(plan, stop, ready.set, clock))
    running.add_done_callback(lambda _: ready.set())
    await ready.wait()
    if running.done():
        running.result()
    return RunningServer(
        url,
        plan,
        f"http://127.0.0.1:{ports[0]}",
        f"https://127.0.0.1:{ports[1]}",
        certificate.authority,
        clock,
        stop,
        running,
        await a_psql(url),
    )


async def a_psql(url: str) -> AsyncConnectionPool:
    """Open a pool of connections. A new connection per statement took a tenth of the time of all tests."""
    psql = AsyncConnectionPool(
        url,
        kwargs={"autocommit": True},
        min_size=0,
        max_size=8,
        check=AsyncConnectionPool.check_connection,  # some tests stop PostgreSQL
        open=False,
    )
    await psql.open()
    return psql


async def until(true: Callable[[], Awaitable[bool]], within_s: float = PATIENCE_S) -> None:
    """Wait until `true` returns True; fail after `within_s` seconds."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not await true():
        assert asyncio.get_running_loop().time() < deadline, "it did not become true in time"
        await asyncio.sleep(0.02)

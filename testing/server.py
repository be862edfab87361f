"""A whole server in the test's own loop, on a real PostgreSQL, with a clock that can be set; and people to use it."""

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
from run.config.settings import Settings
from run.process.worker import WorkerPlan, run_worker
from run.tls.local_ca import local_certificate

PASSWORD = "Secret1pass"
SECRET = "0123456789abcdef" * 4
KEK = "ab" * 32
PATIENCE_S = 60.0  # what has to happen happens within this on any machine; only a test that fails waits so long
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made once: each client would read all authorities otherwise

_numbers = itertools.count(1)


def settings(**changes: Any) -> Settings:
    """As a test wants them: no limits, nothing listening outside the machine."""
    usual = Settings(
        https_port=None,
        https_bind_addr="127.0.0.1",
        port=None,
        bind_addr="127.0.0.1",
        tls_cert=None,
        tls_key=None,
        data_dir=Path("/nonexistent"),
        database_url=None,
        workers=1,
        bus="postgresql",
        jwt_secret=SECRET,
        key_encryption_key=KEK,
        admin_password=None,
        registration="open",
        rate_limits=False,
        trusted_proxies=[],
        cookie_days=7,
        code_hours=24,
        invite_days=7,
        motd="Welcome",
        log_level="info",
    )
    return msgspec.structs.replace(usual, **changes)


class Clock:
    """Runs like the real one, and can be moved forward, or stopped."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.ahead

    def forward(self, **by: float) -> None:
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
    lines: list["Line"] = field(default_factory=list)

    def client(self, *, tls: bool = False, **options: Any) -> httpx.AsyncClient:
        """Keeps cookies, as a browser does."""
        verify = ssl.create_default_context(cafile=str(self.authority)) if tls else NO_TLS
        client = httpx.AsyncClient(
            base_url=self.https if tls else self.http, verify=verify, timeout=PATIENCE_S, **options
        )
        self.clients.append(client)
        return client

    async def person(self, name: str, *, role: str = "user") -> "Person":
        """An account with a session, made in the database: registering is what other tests are about."""
        unique = f"{name}_{next(_numbers)}_{secrets.token_hex(2)}"[-20:]
        ((user_id, uuid),) = await self.sql(
            "INSERT INTO users (username, username_key, email, password_hash, role)"
            " VALUES (%s, %s, %s, %s, %s) RETURNING id, uuid",
            *[unique, unique.casefold(), f"{unique}@example.com", a_hash(), role],
        )
        return await self.session_of(unique, user_id, uuid)

    async def session_of(self, name: str, user_id: int, uuid: UUID) -> "Person":
        session_id, now = uuid4(), self.clock()
        life = timedelta(days=7)
        await self.sql("INSERT INTO sessions VALUES (%s, %s, %s, %s)", session_id, user_id, now, now + life)
        token = Tokens(SECRET).issue(session_id, user_id, now, now + life)
        return Person(self, name, user_id, uuid, session_id, token, self.client(cookies={"Authorization": token}))

    async def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What `psql` would do: another program on the same database."""
        async with self.psql.connection() as connection:
            cursor = await connection.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def let_go(self) -> None:
        """End what a test has opened."""
        for line in self.lines:
            line.socket.transport.abort()
        for client in self.clients:
            await client.aclose()
        self.lines.clear()
        self.clients.clear()

    async def close(self) -> None:
        await self.let_go()
        await self.psql.close()
        self.stop.set()
        await self.running


@dataclass
class Person:
    """Somebody with an account. `api` is logged in by cookie and serves all doors."""

    server: RunningServer
    name: str
    id: int
    uuid: UUID
    session_id: UUID
    token: str
    api: httpx.AsyncClient

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def again(self) -> "Person":
        """The same account with another session."""
        return await self.server.session_of(self.name, self.id, self.uuid)

    async def meets(self, other: "Person") -> str:
        """A conversation with `other` through a chat code; answers its id."""
        code = (await other.api.post("/api/chats/codes")).json()["code"]
        answer = await self.api.post("/api/chats", json={"code": code})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["conversation_id"])

    async def opens(self, conversation_id: str, **headers: str) -> "Line":
        """A socket of the codes API."""
        address = f"{self.server.http.replace('http', 'ws')}/api/chats/ws?chatId={conversation_id}"
        given = {"Cookie": f"Authorization={self.token}"} | headers
        line = Line(await connect(address, given))
        self.server.lines.append(line)
        return line

    async def posts(self, text: str, to: "Person", **headers: str) -> int:
        """A message through the invites API; answers its id."""
        answer = await self.api.post("/messages", json={"receiver_id": to.id, "message": text}, headers=headers)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["message_id"])

    async def history(self, conversation_id: str, **query: Any) -> list[str]:
        """Texts of the conversation as the codes API shows them, newest first."""
        answer = await self.api.get("/api/chats/messages", params={"conversationId": conversation_id, **query})
        assert answer.status_code == 200, answer.text
        return [message["content"] for message in answer.json()["chats"]]


async def connect(address: str, headers: dict[str, str]) -> ClientConnection:
    """A WebSocket that waits as long as a test does: the library's own deadlines are for faster machines."""
    return await connect_websocket(
        address,
        additional_headers=headers,
        max_size=None,
        proxy=None,
        open_timeout=PATIENCE_S,
        ping_interval=None,
    )


class Line:
    """A socket as a play uses it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def says(self, text: str | bytes) -> None:
        await self.socket.send(text)

    async def hears(self, *texts: str) -> None:
        for text in texts:
            heard = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
            assert heard == text, f"heard {heard!r:.200} instead of {text!r:.200}"

    async def hears_nothing(self, for_s: float = 0.3) -> None:
        try:
            heard = await asyncio.wait_for(self.socket.recv(), for_s)
        except TimeoutError:
            return
        raise AssertionError(f"heard {heard!r:.200}")

    async def is_closed_with(self, code: int) -> None:
        """Everything that still comes is read over."""
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        except ConnectionClosed:
            assert self.socket.close_code == code, f"closed with {self.socket.close_code}, not {code}"

    async def leaves(self) -> None:
        await self.socket.close()


def a_hash() -> str:
    """Of PASSWORD, at the cost that this test has."""
    return _hash_at(passwords.BCRYPT_COST)


@cache
def _hash_at(_cost: int) -> str:
    return passwords.hash_password(PASSWORD, "argon2id")


async def start_server(url: str, folder: Path, **changes: Any) -> RunningServer:
    """Start a server on free ports."""
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
    running = asyncio.create_task(run_worker(plan, stop, ready, clock))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
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
    """Kept open: each new connection is a new process for PostgreSQL, and was a tenth of the work of all tests."""
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
    """Wait until something becomes true."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not await true():
        assert asyncio.get_running_loop().time() < deadline, "it did not become true in time"
        await asyncio.sleep(0.02)

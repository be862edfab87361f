"""One worker: build its parts, connect them, serve HTTP and WebSockets, and drain.

A start opens, in this order: the database pool, the hub, the write queue, notifications, HTTP. A drain closes the
listening ports, sends close frames, finishes requests in progress, and writes the queued messages. Then the tasks end,
and the hub and the pool close. A task that ends early ends the worker with its error.
"""

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from tornado.httpserver import HTTPServer

from chat.delivery.hub import Hub, sweep_forever
from chat.errors import Busy, Unavailable
from chat.model.messages import Entry
from chat.services import Services
from crypto.conversation_keys import KeyWrapper
from crypto.hashing import Hashing
from crypto.tokens import Tokens
from handlers.endpoints import LONG_BODIES, application
from handlers.http.admission import DRAIN_BYTES, Admission
from handlers.http.base import ApiSettings, App
from handlers.tornado_internals import accept_at_once
from handlers.websocket.connections import Connections
from run.config.settings import Settings
from run.gc import collect_garbage
from run.metrics.loop_lag import LoopLag
from run.process.database import DATABASE_S
from run.process.services import build_services
from run.tls.context import reload_certificate, tls_context
from run.version import VERSION
from store import messages, sessions
from store.database.expiry import expire_forever
from store.database.pool import Database
from store.notify.postgres import Bus
from store.writer.queue import WriteQueue

if TYPE_CHECKING:
    from store.notify.nats import NatsBus

log = logging.getLogger("sottovoce.worker")

BEARER_LIFE = timedelta(days=1)  # COMPAT(invites): tokens are valid for one day
IDLE_S = 75.0  # timeout of a connection without a request, and of a TLS handshake
BODY_S = 60.0  # timeout of a request body
SWEEP_S = 5.0  # the hub delivers entries of a lost notification within this time
EXPIRY_S = 30.0  # a socket closes within this time after its session expires
DRAIN_S = 10.0  # for requests in progress, and again for queued messages
CLOSE_S = 2.0  # for peers to answer the close frame


class WorkerPlan(Struct, frozen=True):
    """All parameters of a worker. The listening sockets are file descriptors, which a child process inherits."""

    settings: Settings
    database_url: str
    jwt_secret: str
    key_encryption_key: str
    tls_chain: Path
    tls_key: Path
    https_fds: list[int]
    http_fds: list[int]

    def encode(self) -> bytes:
        """Return the plan as one line of JSON."""
        return msgspec.json.encode(self, enc_hook=str)

    @classmethod
    def decode(cls, line: bytes) -> "WorkerPlan":
        """Read the result of `encode`. Raises msgspec.DecodeError."""
        return msgspec.json.decode(line, type=cls, dec_hook=lambda type_, value: type_(value))


Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Parts:
    """The tasks of a worker. A task that ends early ends the worker."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, part: Coroutine[Any, Any, Any], name: str) -> "asyncio.Task[Any]":
        """Run `part` as a task."""
        self._tasks.append(asyncio.create_task(part, name=name))
        return self._tasks[-1]

    async def first_end(self) -> "set[asyncio.Task[Any]]":
        """Return the ended tasks as soon as there is one."""
        ended, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        return ended

    async def end(self) -> None:
        """Cancel all tasks and wait for them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Engine(Struct, frozen=True):
    """The parts behind HTTP: the write queue and its task, the open sockets, and the services."""

    queue: WriteQueue
    writing: "asyncio.Task[Any]"
    connections: Connections
    services: Services


async def run_worker(
    plan: WorkerPlan, stop: asyncio.Event, on_ready: Callable[[], None], now: Clock = system_clock
) -> None:
    """Call `on_ready` and serve until `stop`; then drain.

    Raises Unavailable if the database does not answer in time, and the error of a part that failed.
    """
    async with AsyncExitStack() as stack:
        parts = Parts()
        engine = await _start_engine(plan, stack, parts, now)
        app, servers = _start_http(plan, engine, parts)
        on_ready()
        parts.start(stop.wait(), "stop")
        ended = await parts.first_end()
        log.info("stopping")
        await _drain(app, servers, engine.connections)
        engine.queue.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await asyncio.shield(engine.writing)
        for part in ended:
            part.result()  # raises the error of a part that failed; the main process replaces the worker


async def _start_engine(plan: WorkerPlan, stack: AsyncExitStack, parts: Parts, now: Clock) -> Engine:
    worker = f"sottovoce-{secrets.token_hex(4)}"
    over_nats = plan.settings.bus != "postgresql"
    database = Database(plan.database_url, worker, notifies=not over_nats)
    stack.push_async_callback(database.close)
    await database.open(DATABASE_S)
    hub = Hub(messages.Messages(database))
    stack.push_async_callback(hub.close)
    hashing = Hashing(lambda: Busy("The server is busy, try again"), plan.settings.password_memory_mib)
    stack.callback(hashing.close)
    stack.push_async_callback(parts.end)

    sweep_wanted, session_check_wanted = asyncio.Event(), asyncio.Event()
    nats_bus = _nats_bus(plan.settings.bus, worker, hub, sweep_wanted) if over_nats else None

    def publish(entry: Entry) -> None:
        hub.publish(entry)
        if nats_bus is not None:
            nats_bus.notify(entry)

    queue = WriteQueue(database, publish, lost=sweep_wanted.set)
    connections = Connections()

    def connected() -> None:
        """Read the current state: notifications before this moment may be lost."""
        sweep_wanted.set()
        session_check_wanted.set()
        connections.resync()

    bus = Bus(database, worker, hub.advance, connections.end_session, connections.notify, connected)
    writing = parts.start(queue.run(), "writer")
    parts.start(bus.run(), "notifications")
    parts.start(sweep_forever(hub, SWEEP_S, sweep_wanted), "sweep")
    parts.start(expire_forever(database, now), "expiry")
    parts.start(_end_sessions(connections, sessions.Sessions(database), now, session_check_wanted), "ended sessions")
    if nats_bus is not None:
        parts.start(nats_bus.run(), "nats")
    try:
        async with asyncio.timeout(DATABASE_S):
            await queue.opened()
    except TimeoutError as error:
        raise Unavailable("the database does not accept the writer's connection") from error
    tokens, wrapper = Tokens(plan.jwt_secret), KeyWrapper(bytes.fromhex(plan.key_encryption_key))
    services = build_services(plan.settings, tokens, wrapper, database, hub, queue, hashing, now)
    return Engine(queue, writing, connections, services)


def _nats_bus(url: str, worker: str, hub: Hub, sweep_wanted: asyncio.Event) -> "NatsBus":
    from store.notify.nats import NatsBus  # nats-py is optional

    return NatsBus(url, worker, hub.advance, sweep_wanted.set)


def _start_http(plan: WorkerPlan, engine: Engine, parts: Parts) -> tuple[App, list[HTTPServer]]:
    loop_lag = LoopLag()
    parts.start(loop_lag.measure(), "loop lag")
    app = application(engine.services, api_settings(plan.settings), engine.connections, lambda: loop_lag.worst_ms)
    admission = Admission(app, LONG_BODIES)
    # Accepting a connection takes 0.5 ms. Tornado accepts 128 in one turn of the loop, which would delay all others.
    accept_at_once(16)
    servers = [_listen(admission, plan.http_fds)]
    if plan.https_fds:
        tls = tls_context(plan.tls_chain, plan.tls_key)
        servers.append(_listen(admission, plan.https_fds, tls))
        parts.start(reload_certificate(tls, plan.tls_chain, plan.tls_key), "certificate")
    parts.start(collect_garbage(), "garbage collection")
    return app, servers


def api_settings(settings: Settings) -> ApiSettings:
    """Return the settings that the request handlers need."""
    return ApiSettings(
        version=VERSION,
        motd=settings.motd,
        registration=settings.registration,
        cookie_life=settings.cookie_life,
        bearer_life=BEARER_LIFE,
        trusted_proxies=[ip_network(network) for network in settings.trusted_proxies],
    )


def _listen(admission: Admission, fds: list[int], tls: ssl.SSLContext | None = None) -> HTTPServer:
    server = HTTPServer(
        admission,
        ssl_options=tls,
        idle_connection_timeout=IDLE_S,
        body_timeout=BODY_S,
        max_body_size=DRAIN_BYTES,
    )
    server.add_sockets([socket.socket(fileno=fd) for fd in fds])
    return server


async def _end_sessions(connections: Connections, store: sessions.Sessions, now: Clock, asked: asyncio.Event) -> None:
    """Close sockets of sessions that expired, or that ended while the bus was disconnected."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(EXPIRY_S):
                await asked.wait()
        asked.clear()
        try:
            for session_id in await store.ended(connections.sessions(), now()):
                connections.end_session(session_id)
        except Unavailable:
            log.warning("the check for ended sessions waits for the database")


async def _drain(app: App, servers: list[HTTPServer], connections: Connections) -> None:
    """Stop listening, send close frames, and wait for requests in progress and for answers to the close frames."""
    for server in servers:
        server.stop()
    connections.close_all()
    loop = asyncio.get_running_loop()
    started = loop.time()
    while app.in_flight and loop.time() < started + DRAIN_S:
        await asyncio.sleep(0.02)
    while len(connections) and loop.time() < started + CLOSE_S:
        await asyncio.sleep(0.02)
    for server in servers:
        await server.close_all_connections()

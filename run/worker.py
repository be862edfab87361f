"""One process that serves: builds the parts, hands them to each other, listens, and drains."""

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
from tornado import netutil
from tornado.httpserver import HTTPServer

from chat.accounts import Accounts
from chat.codes import Codes
from chat.conversations import Conversations
from chat.devices import Devices
from chat.errors import Busy, Unavailable
from chat.groups import Groups
from chat.house import Chat
from chat.hub import Hub, sweep_forever
from chat.invites import Invites
from chat.key_packages import KeyPackages
from chat.keys import Keys
from chat.limits import Limits
from chat.messages import Messages
from chat.model import Entry
from chat.people import People
from chat.pictures import Pictures
from crypto.conversation_keys import KeySeal
from crypto.hashing import Hashing
from crypto.tokens import Tokens
from handlers.admission import DRAIN_BYTES, Admission
from handlers.base import App, DoorSettings
from handlers.routes import LONG_BODIES, application
from handlers.sockets import Sockets
from run.garbage import collect_garbage
from run.settings import Settings
from run.stalls import Stalls
from run.tls import reload_certificate, tls_context
from run.version import VERSION
from store import (
    codes,
    conversations,
    devices,
    groups,
    invites,
    key_packages,
    keys,
    limits,
    messages,
    people,
    sessions,
    users,
)
from store.bus import Bus
from store.database import Database
from store.housekeeping import keep_house
from store.write_queue import WriteQueue

if TYPE_CHECKING:
    from store.nats_bus import NatsBus

log = logging.getLogger("sottovoce.worker")

BEARER_LIFE = timedelta(days=1)  # seed: invites API, Security Features
IDLE_S = 75.0  # a connection that sends no request, also one that never finishes its TLS handshake
BODY_S = 60.0  # for a whole body to arrive
SWEEP_S = 5.0  # a lost doorbell is made good for within this
EXPIRY_S = 30.0
DATABASE_S = 30.0  # how long the start waits for the database
DRAIN_S = 10.0
GOODBYE_S = 2.0  # for the other side of a WebSocket to answer the close


class Plan(Struct, frozen=True):
    """Everything that a worker needs; it can be sent to another process."""

    settings: Settings
    database_url: str
    jwt_secret: str
    key_encryption_key: str
    tls_chain: Path
    tls_key: Path
    https_fds: list[int]
    http_fds: list[int]

    def encode(self) -> bytes:
        """One line."""
        return msgspec.json.encode(self, enc_hook=str)

    @classmethod
    def decode(cls, line: bytes) -> "Plan":
        return msgspec.json.decode(line, type=cls, dec_hook=lambda type_, value: type_(value))


Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


async def work(plan: Plan, stop: asyncio.Event, ready: asyncio.Event, now: Clock = system_clock) -> None:
    """Set `ready`, serve until `stop` is set, then drain. Raises Unavailable if there is no database."""
    worker = f"sottovoce-{secrets.token_hex(4)}"
    settings = plan.settings
    async with AsyncExitStack() as stack:
        over_nats = settings.bus != "postgresql"
        database = Database(plan.database_url, worker, rings=not over_nats)
        stack.push_async_callback(database.close)
        await database.open(DATABASE_S)
        log_store = messages.Messages(database)
        hub = Hub(log_store)
        stack.push_async_callback(hub.close)
        catch_up, look_at_sessions = asyncio.Event(), asyncio.Event()
        nats_bus = _nats_bus(settings.bus, worker, hub, catch_up) if over_nats else None

        def publish(entry: Entry) -> None:
            hub.publish(entry)
            if nats_bus is not None:
                nats_bus.tell(entry)

        queue = WriteQueue(database, publish, lost=catch_up.set)
        hashing = Hashing(full=lambda: Busy("The server is busy, try again"))
        stack.callback(hashing.close)
        sockets = Sockets()

        def connected() -> None:
            """What rang while nobody listened was missed."""
            catch_up.set()
            look_at_sessions.set()
            sockets.look_again()

        bus = Bus(database, worker, hub.moved, sockets.end_session, sockets.tell, connected)
        chat = _chat(plan, database, hub, queue, log_store, hashing, now)

        tasks: list[asyncio.Task[Any]] = []
        stack.push_async_callback(_end, tasks)

        def start(part: Coroutine[Any, Any, Any], name: str) -> "asyncio.Task[Any]":
            tasks.append(asyncio.create_task(part, name=name))
            return tasks[-1]

        writing = start(queue.run(), "writer")
        start(bus.run(), "bus")
        start(sweep_forever(hub, SWEEP_S, catch_up), "sweep")
        start(keep_house(database, now), "housekeeping")
        start(_end_sessions(sockets, sessions.Sessions(database), now, look_at_sessions), "ended sessions")
        if nats_bus is not None:
            start(nats_bus.run(), "nats bus")
        try:
            async with asyncio.timeout(DATABASE_S):
                await queue.opened()
        except TimeoutError as error:
            raise Unavailable("the database does not take the writer's connection") from error

        stalls = Stalls()
        start(stalls.measure(), "stalls")
        app = application(chat, _door(settings), sockets, lambda: stalls.worst_ms)
        admission = Admission(app, LONG_BODIES)
        servers = [_listen(admission, plan.http_fds)]
        if plan.https_fds:
            tls = tls_context(plan.tls_chain, plan.tls_key)
            servers.append(_listen(admission, plan.https_fds, tls))
            start(reload_certificate(tls, plan.tls_chain, plan.tls_key), "certificate")
        start(collect_garbage(), "garbage")

        ready.set()
        start(stop.wait(), "stop")
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping")
        await _drain(app, servers, sockets)
        queue.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await asyncio.shield(writing)
        for part in ended:
            part.result()  # a worker that lost a part ends loudly, and whoever started it starts another


async def _end(tasks: list["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _nats_bus(url: str, worker: str, hub: Hub, catch_up: asyncio.Event) -> "NatsBus":
    from store.nats_bus import NatsBus  # an extra: most servers have no NATS

    return NatsBus(url, worker, hub.moved, catch_up.set)


def _chat(
    plan: Plan,
    database: Database,
    hub: Hub,
    queue: WriteQueue,
    log_store: messages.Messages,
    hashing: Hashing,
    now: Clock,
) -> Chat:
    settings = plan.settings
    counted = Limits(limits.Limits(database), settings.rate_limits)
    accounts = Accounts(
        users.Users(database),
        sessions.Sessions(database),
        hashing,
        Tokens(plan.jwt_secret),
        counted,
        now,
        settings.registration,
    )
    return Chat(
        accounts=accounts,
        codes=Codes(codes.Codes(database), counted, now, settings.code_life),
        conversations=Conversations(conversations.Conversations(database)),
        devices=Devices(devices.Devices(database), now),
        groups=Groups(groups.Groups(database, queue), queue),
        hub=hub,
        invites=Invites(invites.Invites(database), now, settings.invite_life),
        key_packages=KeyPackages(key_packages.KeyPackages(database), counted, now),
        keys=Keys(keys.Keys(database, KeySeal(bytes.fromhex(plan.key_encryption_key)))),
        limits=counted,
        messages=Messages(queue, log_store, now),
        people=People(people.People(database), counted, now),
        pictures=Pictures(users.Users(database), hashing, counted, now),
        now=now,
    )


def _door(settings: Settings) -> DoorSettings:
    return DoorSettings(
        version=VERSION,
        motd=settings.motd,
        registration=settings.registration,
        cookie_life=settings.cookie_life,
        bearer_life=BEARER_LIFE,
        trusted_proxies=[ip_network(network) for network in settings.trusted_proxies],
    )


# Connections that tornado accepts in one turn of the loop, each half a millisecond's work: 128 keep the others waiting.
netutil._DEFAULT_BACKLOG = 16


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


async def _end_sessions(sockets: Sockets, store: sessions.Sessions, now: Clock, asked: asyncio.Event) -> None:
    """Close the sockets of sessions that expired, or that ended while the bus could not tell us."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(EXPIRY_S):
                await asked.wait()
        asked.clear()
        try:
            for session_id in await store.ended(sockets.sessions(), now()):
                sockets.end_session(session_id)
        except Unavailable:
            log.warning("looking for ended sessions waits for the database")


async def _drain(app: App, servers: list[HTTPServer], sockets: Sockets) -> None:
    """Take no new connection, say goodbye on the sockets, let what is being answered be answered."""
    for server in servers:
        server.stop()
    sockets.close_all()
    loop = asyncio.get_running_loop()
    started = loop.time()
    while app.in_flight and loop.time() < started + DRAIN_S:
        await asyncio.sleep(0.02)
    while len(sockets) and loop.time() < started + GOODBYE_S:
        await asyncio.sleep(0.02)
    for server in servers:
        await server.close_all_connections()

"""Fixtures: one PostgreSQL for each test process, a migrated database in it, and one server for each test."""

import asyncio
import inspect
import logging
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import argon2
import hypothesis
import pytest
from tornado.ioloop import IOLoop

from crypto import passwords
from testing.databases import SHARED_POSTGRES, a_database, a_postgres
from testing.server import PATIENCE_S, Person, RunningServer, start_server

TEST_TIMEOUT_S = 5 * PATIENCE_S  # waits have their own, shorter timeouts; this ends a test without one


# Hypothesis allows 200 ms for an example and a second to generate ten; a slow machine takes longer.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs(*patterns): warnings and errors that this test causes on purpose")
    config.addinivalue_line("markers", "once: runs on one Python only, see docs/testing.md")
    config.addinivalue_line("markers", "real_hashes: passwords are hashed at their real cost")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Each Python version starts at another file, so that parallel runs do not compete for the same resource.
    files = list(dict.fromkeys(item.path for item in items))
    first = len(files) * (sys.version_info.minor % 3) // 3
    items.sort(key=lambda item: (files.index(item.path) - first) % len(files))
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.add_marker(pytest.mark.gen_test(timeout=TEST_TIMEOUT_S))


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at the lowest cost, except in tests marked `real_hashes`: the real cost is 0.1 s a login."""
    passwords._dummy_hash.cache_clear()
    if request.node.get_closest_marker("real_hashes") is None:
        cheap = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        monkeypatch.setattr(passwords, "_argon2", lambda _memory_mib: cheap)
        monkeypatch.setattr(passwords, "BCRYPT_COST", 4)


@pytest.fixture(autouse=True)
def no_unexpected_log_line(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test on a logged warning or error that its `logs` mark does not expect."""
    caplog.set_level(logging.INFO, logger="sottovoce")
    expected = [re.compile(p) for mark in request.node.iter_markers("logs") for p in mark.args]
    yield
    records = [*caplog.get_records("setup"), *caplog.get_records("call"), *caplog.get_records("teardown")]
    unexpected = [
        f"{record.levelname} {record.name}: {record.getMessage()}\n{record.exc_text or ''}"
        for record in records
        if record.levelno >= logging.WARNING and not any(p.search(record.getMessage()) for p in expected)
    ]
    assert not unexpected, "unexpected in the log:\n" + "\n".join(unexpected)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of the PostgreSQL of this process, or of the one that a run of many processes shares."""
    if shared := os.environ.get(SHARED_POSTGRES):
        yield shared
        return
    with a_postgres() as server:
        yield server.url


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> str:
    """A migrated database that all tests of this process share; each test uses unique names."""
    return a_database(postgres_url, "shared")


@pytest.fixture
def own_database_url(postgres_url: str, request: pytest.FixtureRequest) -> str:
    """A migrated database for one test, for tests that count rows."""
    return a_database(postgres_url, f"own_{abs(hash(request.node.nodeid))}")


@pytest.fixture(scope="session")
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop for all tests of this process, so that they can share a running server."""
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def io_loop(event_loop: asyncio.AbstractEventLoop) -> Iterator[IOLoop]:
    """The event loop for pytest-tornado. An unhandled exception of a task fails the test that is running."""
    failures: list[str] = []
    event_loop.set_exception_handler(lambda _, context: failures.append(str(context)))
    asyncio.set_event_loop(event_loop)
    yield IOLoop.current()
    assert not failures, "failed in the background:\n" + "\n".join(failures)


StartServer = Callable[..., Awaitable[RunningServer]]


@pytest.fixture(name="start_server")
def start_servers(
    io_loop: IOLoop, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Start a server with other settings: `await start_server(rate_limits=True)`; `url=` names its database."""
    servers: list[RunningServer] = []

    async def starting(url: str = database_url, **changes: Any) -> RunningServer:
        servers.append(await start_server(url, tmp_path_factory.getbasetemp(), **changes))
        return servers[-1]

    yield starting

    async def close() -> None:
        for server in servers:
            await server.close()

    io_loop.run_sync(close, timeout=PATIENCE_S)


@pytest.fixture(scope="session")
def shared_server(
    event_loop: asyncio.AbstractEventLoop, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """One server with the usual test settings for all tests: a start takes longer than most tests."""
    server = event_loop.run_until_complete(start_server(database_url, tmp_path_factory.getbasetemp()))
    yield server
    event_loop.run_until_complete(server.close())


@pytest.fixture
def server(io_loop: IOLoop, shared_server: RunningServer) -> Iterator[RunningServer]:
    """A running server with the usual test settings."""
    yield shared_server
    shared_server.clock.ahead = timedelta()
    io_loop.run_sync(shared_server.let_go, timeout=PATIENCE_S)


Users = Callable[..., Awaitable[list[Person]]]


@pytest.fixture
def users(server: RunningServer) -> Users:
    """`alice, bob = await users("alice", "bob")`"""

    async def create(*names: str) -> list[Person]:
        return [await server.person(name) for name in names]

    return create

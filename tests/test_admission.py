"""Admission control: size limits of bodies, the limit of requests in flight, and the memory budget for bodies."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import cast

import pytest
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from handlers.http.admission import DRAIN_BYTES, MAX_BODY_BYTES, MAX_IN_FLIGHT, MAX_LONG_BODY_BYTES, Admission
from handlers.http.base import App
from handlers.http.memory_budget import MemoryBudget
from testing.raw import Raw
from testing.server import PATIENCE_S, RunningServer, until
from tests.conftest import Users
from tests.test_errors import assert_is_error


async def test_body_of_exactly_5_mib_is_read(users: Users) -> None:
    (alice,) = await users("alice")
    body = json.dumps({"receiver_id": alice.id, "message": "x"}).encode()
    answer = await alice.api.post("/messages", content=body + b" " * (MAX_BODY_BYTES - len(body)))
    assert_is_error(answer, 400)
    assert answer.json() == {"error": "You cannot chat with yourself"}


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 65_536


@pytest.mark.parametrize("path", ["/uploadpfp", "/api/auth/login", "/nothing", "/api/nothing", "/"])
async def test_body_over_5_mib_is_413_and_connection_stays_usable(users: Users, path: str) -> None:
    (alice,) = await users("alice")
    assert_is_error(await alice.api.post(path, content=b" " * (MAX_BODY_BYTES + 1)), 413)
    assert_is_error(await alice.api.post(path, content=chunks(81)), 413)  # without Content-Length
    assert (await alice.api.get("/me")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/messages"),
        ("PATCH", "/api/chats/messages"),
        ("POST", "/v2/direct/550e8400-e29b-41d4-a716-446655440000/messages"),
        ("PATCH", "/v2/direct/550e8400-e29b-41d4-a716-446655440000/messages/1"),
    ],
)
async def test_message_body_has_a_higher_limit(users: Users, method: str, path: str) -> None:
    (alice,) = await users("alice")
    assert_is_error(await alice.api.request(method, path, content=b" " * MAX_LONG_BODY_BYTES), 400)
    assert_is_error(await alice.api.request(method, path, content=b" " * (MAX_LONG_BODY_BYTES + 1)), 413)
    assert_is_error(await alice.api.request(method, path, content=chunks(150)), 413)


async def test_memory_budget_when_used_up_refuses_long_bodies_only(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    (alice,) = await users("alice")
    monkeypatch.setattr("handlers.http.memory_budget.MAX_BYTES", 1024 * 1024)
    host, port = alice.server.http.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2000000\r\n\r\n".encode())
    writer.write(b"x" * 999_999)
    await writer.drain()

    async def refused() -> bool:
        answer = await alice.api.post("/login", content=b" " * 200_000)
        return answer.status_code == 503 and answer.headers["Retry-After"] == "1"

    await until(refused)
    assert_is_error(await alice.api.post("/login", content=b" " * 60_000), 400)
    writer.write(b"x" * 1_000_001)
    status, _ = await read_answer(reader)
    assert status == 503, "its own body exceeds the budget"
    writer.close()

    async def taken() -> bool:
        return (await alice.api.post("/login", content=b" " * 200_000)).status_code == 400

    await until(taken)


async def test_get_with_body_over_4096_bytes_is_413(users: Users) -> None:
    (alice,) = await users("alice")
    assert (await alice.api.request("GET", "/me", content=b" " * 4096)).status_code == 200
    assert_is_error(await alice.api.request("GET", "/me", content=b" " * 4097), 413)


async def test_request_over_the_in_flight_limit_is_503(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.http.admission.MAX_IN_FLIGHT", 0)
    client = server.client()
    answer = await client.post("/login", json={})
    assert_is_error(answer, 503)
    assert answer.headers["Retry-After"] == "1"
    monkeypatch.undo()
    assert_is_error(await client.post("/login", json={}), 400)


async def test_request_over_the_limit_does_not_buffer_its_body(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server refuses at the headers: the body costs no memory, and a body over the limit gets 503, not 413."""
    (alice,) = await users("alice")
    monkeypatch.setattr("handlers.http.memory_budget.MAX_BYTES", 1024 * 1024)
    host, port = alice.server.http.removeprefix("http://").split(":")
    head = f"POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: "
    with monkeypatch.context() as busy:
        busy.setattr("handlers.http.admission.MAX_IN_FLIGHT", 0)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{head}2000000\r\n\r\n".encode() + b"x" * 1_000_000)
        await writer.drain()
        other_reader, other_writer = await asyncio.open_connection(host, int(port))
        length = MAX_BODY_BYTES + 1
        other_writer.write(f"{head}{length}\r\n\r\n".encode() + b"x" * length)
        assert (await read_answer(other_reader))[0] == 503
    for _ in range(3):
        assert (await alice.api.post("/login", content=b" " * 200_000)).status_code == 400, "there is room"
    writer.write(b"x" * 1_000_000)
    assert (await read_answer(reader))[0] == 503
    for connection in (writer, other_writer):
        connection.close()


async def test_request_over_the_limit_at_end_of_body_is_503(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are admitted at their headers, and many of their bodies may be complete at once."""
    host, port = server.http.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /login HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode())
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).startswith(b"HTTP/1.1 100 ")
    monkeypatch.setattr("handlers.http.admission.MAX_IN_FLIGHT", 0)
    writer.write(b"{}")
    assert (await read_answer(reader))[0] == 503
    writer.close()


async def test_connection_after_413_answers_or_closes(server: RunningServer) -> None:
    host, port = server.http.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    length = MAX_BODY_BYTES + 1
    writer.write(f"POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n".encode() + b"x" * length)
    status, body = await read_answer(reader)
    assert status == 413
    assert list(json.loads(body)) == ["error"]
    writer.write(f"GET /motd HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    rest = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert rest == b"" or (rest.startswith(b"HTTP/1.1 200 ") and b'{"motd":"Welcome"}' in rest)
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    "head", [f"Content-Length: {DRAIN_BYTES + 1}", f"Expect: 100-continue\r\nContent-Length: {MAX_BODY_BYTES + 1}"]
)
async def test_body_that_is_not_read_is_413_at_its_headers(server: RunningServer, head: str) -> None:
    raw = await Raw.connect(server.http)
    raw.writer.write(f"POST /login HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
    assert (await read_answer(raw.reader))[0] == 413
    raw.writer.close()


@pytest.mark.parametrize("length", ["abc", "-1", "1" * 30, "1" * 5000, "٣"], ids=["abc", "-1", "30", "5000", "arabic"])
async def test_malformed_content_length_is_refused_quietly(server: RunningServer, length: str) -> None:
    raw = await Raw.connect(server.http)
    raw.writer.write(f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode())
    rest = await asyncio.wait_for(raw.rest(), PATIENCE_S)
    assert rest == b"" or re.match(rb"HTTP/1\.1 4(00|13) ", rest), rest
    raw.writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).decode()
    length = re.search(r"(?i)^content-length: (\d+)", head, re.MULTILINE)
    assert length, head
    return int(head.split(" ")[1]), await reader.readexactly(int(length[1]))


class Inner(HTTPMessageDelegate):
    """In tornado's place: keeps the body until the request is closed, and fails when it is complete."""

    def __init__(self) -> None:
        self.body: bytes | None = b""

    def data_received(self, chunk: bytes) -> None:
        assert self.body is not None, "the request is closed"
        self.body += chunk

    def finish(self) -> None:
        raise RuntimeError("an error of the handler")

    def on_connection_close(self) -> None:
        self.body = None


class Application:
    """In tornado's place behind the admission: it takes every request, and counts those in progress."""

    in_flight = 0

    def start_request(self, server_conn: object, request_conn: object) -> HTTPMessageDelegate:
        self.inner = Inner()
        return self.inner


class Connection:
    """Keeps the status of the answer."""

    status = 0

    def write_headers(self, start_line: ResponseStartLine, headers: HTTPHeaders, chunk: bytes) -> None:
        self.status = start_line.code

    def finish(self) -> None:
        pass


@pytest.fixture
def admission() -> Admission:
    return Admission(cast(App, Application()))


def begun(admission: Admission, connection: Connection, length: str) -> HTTPMessageDelegate:
    """A POST whose headers have arrived."""
    request = admission.start_request(object(), cast(HTTPConnection, connection))
    request.headers_received(RequestStartLine("POST", "/login", "HTTP/1.1"), HTTPHeaders({"Content-Length": length}))
    return request


def test_connection_that_closes_gives_its_bytes_back(admission: Admission) -> None:
    request = begun(admission, Connection(), "200")
    request.data_received(b"x" * 100)
    assert admission.incoming.bytes == 100
    request.on_connection_close()
    request.data_received(b"x" * 100)
    assert admission.incoming.bytes == 0
    assert cast(Application, admission.application).inner.body is None


def test_request_that_is_refused_gives_its_body_back(admission: Admission) -> None:
    """The rest of a chunked body may take long to arrive; meanwhile what came before must not stay in memory."""
    connection = Connection()
    request = begun(admission, connection, "0")
    for _ in range(6):
        request.data_received(b"x" * (1024 * 1024))
    assert cast(Application, admission.application).inner.body is None
    assert admission.incoming.bytes == 0
    request.finish()
    assert connection.status == 413


def test_request_whose_handler_fails_gives_its_bytes_back_once(admission: Admission) -> None:
    """After an error in `finish`, tornado calls `on_connection_close` too."""
    request = begun(admission, Connection(), "100")
    request.data_received(b"x" * 100)
    with pytest.raises(RuntimeError):
        request.finish()
    request.on_connection_close()
    assert admission.incoming.bytes == 0


def test_memory_budget_refuses_large_bodies_only_when_exceeded() -> None:
    budget = MemoryBudget()
    budget.change(256 * 1024 * 1024)
    assert not budget.is_too_much(64 * 1024 + 1), "the budget is full, and not exceeded"
    budget.change(1)
    assert budget.is_too_much(64 * 1024 + 1)
    assert not budget.is_too_much(64 * 1024), "small bodies are always accepted"


def test_body_that_is_too_large_is_413_also_while_busy(admission: Admission) -> None:
    connection = Connection()
    request = begun(admission, connection, str(MAX_BODY_BYTES + 1))
    cast(Application, admission.application).in_flight = MAX_IN_FLIGHT
    request.finish()
    assert connection.status == 413

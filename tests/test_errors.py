"""Errors of every endpoint: `{"error": "…"}` with the right status, and no details in a 500."""

import inspect
import logging
import re
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

import pytest

from handlers.endpoints import ENDPOINTS
from handlers.http.admission import MAX_LONG_BODY_BYTES
from handlers.http.endpoint import Endpoint, SocketEndpoint
from store.accounts import Accounts
from store.limits import Limits
from store.sessions import Sessions
from testing.raw import Raw
from testing.server import PASSWORD, RunningServer
from tests.conftest import StartServer, Users

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
UNKNOWN_UUID = "550e8400-e29b-41d4-a716-446655440000"
VALUES = {
    "user": UNKNOWN_UUID,
    "conversation": UNKNOWN_UUID,
    "session": UNKNOWN_UUID,
    "device": "00000000000000ff",
    "seq": "1",
}


def filled(path: str) -> str:
    """The template with values that are well formed and unknown to the server."""
    return re.sub(r"\{(\w+)\}", lambda found: VALUES.get(found[1], "1"), path)


def methods() -> dict[str, set[str]]:
    """The methods of each path."""
    found: dict[str, set[str]] = {}
    for one in ENDPOINTS:
        found.setdefault(one.path, set()).add(one.method)
    return found


UNKNOWN = [(m, path) for path, known in methods().items() for m in [*METHODS, "BREW"] if m not in known]
PUBLIC = [one for one in ENDPOINTS if one.access == "public"]
PRIVATE = [one for one in ENDPOINTS if one.access != "public"]
WITH_BODY = [one for one in ENDPOINTS if isinstance(one, Endpoint) and one.body is not None]
LIMITED = [one for one in ENDPOINTS if one.limits]


def test_endpoint_table_has_each_endpoint_once() -> None:
    assert len(ENDPOINTS) == len({(one.method, one.path) for one in ENDPOINTS})
    assert {one.path for one in PUBLIC} >= {"/api/health", "/motd", "/v2/server"}
    assert len(PUBLIC) == 14


def test_endpoint_answer_and_body_have_a_schema() -> None:
    """OpenAPI is generated from the endpoint table, so the table must be complete."""
    endpoints = [one for one in ENDPOINTS if isinstance(one, Endpoint)]
    assert all(one.answer is not inspect.Signature.empty for one in endpoints)
    assert all(one.action.__doc__ for one in endpoints)
    assert not [one.path for one in endpoints if one.body is not None and one.method == "GET"]


def test_endpoints_that_create_something_answer_201() -> None:
    """The invites API is not among them: by its contract every success is 200."""
    statuses = {(one.method, one.path): one.status for one in ENDPOINTS if isinstance(one, Endpoint)}
    assert {name: status for name, status in statuses.items() if status != 200} == {
        ("POST", "/api/auth/register"): 201,
        ("POST", "/api/chats"): 201,
        ("POST", "/api/chats/codes"): 201,
        ("POST", "/v2/accounts"): 201,
        ("POST", "/v2/codes"): 201,
        ("POST", "/v2/invites"): 201,
        ("POST", "/v2/devices"): 201,
        ("POST", "/v2/key-packages"): 201,
        ("POST", "/v2/conversations"): 201,
    }


def assert_is_error(answer: Any, *statuses: int) -> None:
    where = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:200]}"
    assert answer.status_code in statuses, where
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8", where
    if answer.request.method != "HEAD":
        keys = list(answer.json())
        assert keys == ["error"] or (answer.request.url.path.startswith("/v2/") and keys == ["error", "code"]), where
        assert answer.json()["error"], where
        assert isinstance(answer.json()["error"], str), where


async def test_answers_are_not_kept_and_name_no_server_software(users: Users) -> None:
    (alice,) = await users("alice")
    for answer in (await alice.api.get("/me"), await alice.api.get("/me", headers={"Authorization": "Bearer x"})):
        assert "Server" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_unknown_method_is_405_with_allow(users: Users) -> None:
    (alice,) = await users("alice")
    assert len(UNKNOWN) > 100
    for method, path in UNKNOWN:
        answer = await alice.api.request(method, filled(path))
        assert_is_error(answer, 405)
        if method != "BREW":  # tornado refuses an unknown method before any handler
            assert answer.headers["Allow"] == ", ".join(sorted(methods()[path])), (method, path)


async def test_private_endpoint_without_session_is_401(server: RunningServer) -> None:
    client = server.client()
    for one in PRIVATE:
        headers = UPGRADE if isinstance(one, SocketEndpoint) else {}
        assert_is_error(await client.request(one.method, filled(one.path), headers=headers), 401)


async def test_private_endpoint_from_a_foreign_page_is_403(users: Users) -> None:
    (alice,) = await users("alice")
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for one in ENDPOINTS:
        if one.access != "public":
            headers = foreign | (UPGRADE if isinstance(one, SocketEndpoint) else {})
            assert_is_error(await alice.api.request(one.method, filled(one.path), headers=headers), 403)


async def test_endpoint_that_sets_a_cookie_is_403_from_foreign_page(server: RunningServer) -> None:
    """Another site must not log its visitors in to an account of its own. It may read what is public."""
    client = server.client()
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    refused = []
    for one in PUBLIC:
        answer = await client.request(one.method, filled(one.path), headers=foreign)
        if answer.status_code == 403:
            assert_is_error(answer, 403)
            refused.append((one.method, one.path))
    assert refused == [
        ("POST", "/api/auth/register"),
        ("POST", "/api/auth/login"),
        ("POST", "/v2/accounts"),
        ("POST", "/v2/sessions"),
    ]


async def test_device_endpoint_without_a_device_is_403(users: Users) -> None:
    (alice,) = await users("alice")
    of_devices = [one for one in ENDPOINTS if one.access == "device"]
    assert of_devices
    for one in of_devices:
        headers = UPGRADE if isinstance(one, SocketEndpoint) else {}
        answer = await alice.api.request(one.method, filled(one.path), headers=headers)
        assert_is_error(answer, 403)
        assert answer.json()["code"] == "no_device"


async def test_public_endpoint_without_session_is_answered(server: RunningServer) -> None:
    client = server.client()
    for one in PUBLIC:
        answer = await client.request(one.method, filled(one.path))
        assert answer.status_code in (200, 400, 404), f"{one.method} {one.path}"


async def test_endpoint_with_too_large_a_body_is_413(server: RunningServer) -> None:
    for one in (one for one in ENDPOINTS if one.method != "GET"):
        raw = await Raw.connect(server.http)
        raw.writer.write(
            f"{one.method} {filled(one.path)} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            f"Content-Length: {MAX_LONG_BODY_BYTES + 1}\r\n\r\n".encode()
        )
        assert (await raw.rest()).startswith(b"HTTP/1.1 413 "), f"{one.method} {one.path}"
        raw.writer.close()


async def test_endpoint_over_its_rate_limit_is_429(start_server: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server = await start_server(rate_limits=True)
    alice = await server.person("alice")
    device = {"id": "00000000000000ff", "name": "Laptop", "signature_key": b64encode(bytes(32)).decode()}
    assert (await alice.api.post("/v2/devices", json=device)).status_code == 201

    async def is_used_up(_store: object, _key: str, _rate: object, now: datetime) -> datetime:
        return now + timedelta(seconds=7)

    monkeypatch.setattr(Limits, "take", is_used_up)
    monkeypatch.setattr(Limits, "hit", is_used_up)
    assert len(LIMITED) > 25
    for one in LIMITED:
        headers = UPGRADE if isinstance(one, SocketEndpoint) else {}
        body = {"json": {"username": "new", "password": PASSWORD}} if one.path == "/api/users" else {}
        answer = await alice.api.request(one.method, filled(one.path), headers=headers, **body)
        assert_is_error(answer, 429)
        assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/ME",
        "/me/",
        "/username",
        "/username/",
        "/username/1/2",
        "/messages/",
        "/messages/nothing",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/users/1",
        "/v2",
        "/v2/",
        "/v2/nothing",
        "/v2/conversations/1",
        "/web",
        "/web/nothing.js",
        "/web/%00",
        "/web/%ff",
        "/web/%2e%2e/server.py",
        "/server.py",
        "/%ff",
        "/%00",
        "/*",
    ],
)
async def test_unknown_path_is_404(server: RunningServer, path: str) -> None:
    client = server.client()
    under_web = path.startswith("/web/")
    assert_is_error(await client.get(path), *((400, 403, 404) if under_web else (404,)))
    assert_is_error(await client.post(path), *((400, 405) if under_web else (404,)))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"{", id="truncated"),
        pytest.param(b"{}{}", id="two objects"),
        pytest.param(b"{'a': 1}", id="other quotes"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(
            b'{"username": "\xff\xff", "person": "\xc0\x80", "password": "\xed\xa0\x80"}', id="bad UTF-8 inside"
        ),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"username": "\\ud800", "image": "\\ud800", "message": "\\udfff"}', id="lone surrogate"),
        pytest.param(b"[" * 200_000, id="deeply nested"),
        pytest.param(b'{"x":' * 200_000 + b"1" + b"}" * 200_000, id="deeply nested objects"),
        pytest.param(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}", id="deeply nested in an unknown field"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"[1, 2, 3, 4, 5]", id="list with elements"),
        pytest.param(b"null", id="null"),
        pytest.param(b"true", id="true"),
        pytest.param(b"5", id="number"),
        pytest.param(b'"text"', id="string"),
        pytest.param(b"1" * 100_000, id="number of 100,000 digits"),
        pytest.param(b"username=a&password=b", id="form"),
        pytest.param(b"{}", id="empty object"),
    ],
)
async def test_body_malformed_is_400(users: Users, body: bytes) -> None:
    (alice,) = await users("alice")
    for one in WITH_BODY:
        if one.access == "device":
            continue  # this session has no device
        answer = await alice.api.request(one.method, filled(one.path), content=body)
        # Every field of a claim has a default, so any object is valid; the user is unknown.
        assert_is_error(answer, one.invalid_status, 404 if one.path.endswith("/key-packages/claim") else 400)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content-Type": "multipart/form-data; boundary=x"}, id="multipart"),
        pytest.param({"Content-Type": "multipart/form-data"}, id="multipart without boundary"),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded"}, id="form"),
        pytest.param({"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}, id="gzip"),
        pytest.param({"Content-Type": "/;;="}, id="nonsense"),
    ],
)
async def test_body_of_another_content_type_is_400(users: Users, headers: dict[str, str]) -> None:
    (alice,) = await users("alice")
    for body in (b"hello", b"--x\r\nhello", b"--x\r\n\r\n--x--", b"a=%ff&" * 5000):
        assert_is_error(await alice.api.post("/messages", content=body, headers=headers), 400)


QUERIES = [
    "/messages?user_id={}",
    "/messages?user_id=1&page={}",
    "/conversation/check-key?user_id={}",
    "/getpfp?id={}",
    "/api/chats/messages?conversationId={}",
    f"/api/chats/messages?conversationId={UNKNOWN_UUID}&limit={{}}",
    f"/api/chats/messages?conversationId={UNKNOWN_UUID}&cursor={{}}",
    f"/v2/direct/{UNKNOWN_UUID}/messages?limit={{}}",
]


@pytest.mark.parametrize("value", ["%zz", "%", "%f", "%ff", "%c0%80", "%uD800", "%D9%A1", "a%00"])
async def test_query_badly_escaped_is_400(users: Users, value: str) -> None:
    (alice,) = await users("alice")
    for path in QUERIES:
        assert_is_error(await alice.api.get(path.format(value)), 400)


@pytest.mark.parametrize("value", ["%00", "1%00", "%201", "1+", "%0a1"])
async def test_query_number_not_in_canonical_form_is_400(users: Users, value: str) -> None:
    (alice,) = await users("alice")
    for path in QUERIES:
        assert_is_error(await alice.api.get(path.format(value)), 400)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/chats/messages", "conversationId"),
        ("/api/chats/ws", "chatId"),
        ("/getpfp", "id"),
        ("/messages", "user_id"),
    ],
)
async def test_query_without_a_required_value_is_400_naming_it(users: Users, path: str, name: str) -> None:
    (alice,) = await users("alice")
    answer = await alice.api.get(path, headers=UPGRADE if path.endswith("/ws") else {})
    assert_is_error(answer, 400)
    assert answer.json()["error"] == f"{name} is missing"


@pytest.mark.logs(r"^(GET|POST) /\S+ failed, request [0-9a-f]{32}$")
@pytest.mark.parametrize(
    ("owner", "method", "path"),
    [
        pytest.param(Accounts, "get", "/username/1", id="invites API"),
        pytest.param(Sessions, "get", "/me", id="session"),
        pytest.param(Sessions, "get", "/api/users", id="codes API"),
    ],
)
async def test_internal_error_500_contains_only_the_request_id(
    users: Users,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: type,
    method: str,
    path: str,
) -> None:
    (alice,) = await users("alice")

    async def fails(*_: object) -> None:
        raise RuntimeError("the secret detail")

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, fails)
        answer = await alice.api.get(path)
    assert_is_error(answer, 500)
    assert answer.json() == {"error": "Internal Server Error"}
    assert "secret detail" not in str(answer.headers)
    (logged,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert logged.exc_info
    assert str(logged.exc_info[1]) == "the secret detail"
    assert answer.headers["X-Request-Id"] == logged.getMessage().rpartition(" ")[2]
    assert (await alice.api.get("/me")).status_code == 200

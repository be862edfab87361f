"""Whatever goes wrong, the answer is `{"error": "…"}` with the right status, and a 500 tells nothing."""

import logging
from typing import Any

import pytest
from tornado.web import RequestHandler

from handlers.endpoints import DOORS
from handlers.websocket.socket import Socket
from store.accounts import Accounts
from store.sessions import Sessions
from tests.conftest import Cast
from tests.house import House

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
OPEN_TO_ALL = {
    ("GET", "/api/health"),
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("GET", "/motd"),
    ("GET", "/version"),
    ("POST", "/register"),
    ("POST", "/login"),
    ("GET", "/username/1"),
    ("GET", "/getpfp"),
    ("GET", "/v2/server"),
    ("POST", "/v2/accounts"),
    ("POST", "/v2/sessions"),
}
NOWHERE = "550e8400-e29b-41d4-a716-446655440000"
TAKE_A_BODY = [
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("PATCH", "/api/users"),
    ("POST", "/api/chats"),
    ("DELETE", "/api/chats/codes"),
    ("PATCH", "/api/chats/messages"),
    ("DELETE", "/api/chats/messages"),
    ("POST", "/register"),
    ("POST", "/login"),
    ("POST", "/messages"),
    ("POST", "/uploadpfp"),
    ("POST", "/v2/accounts"),
    ("POST", "/v2/sessions"),
    ("PATCH", "/v2/account"),
    ("DELETE", "/v2/account"),
    ("PUT", "/v2/account/password"),
    ("PUT", "/v2/account/picture"),
    ("POST", "/v2/contacts"),
    ("POST", "/v2/devices"),
    ("POST", "/v2/direct/1/messages"),
    ("PATCH", "/v2/direct/1/messages/1"),
]


def routes() -> dict[str, Any]:
    """A path of every route of the doors, and its handler."""
    return {path.replace("([^/]+)", "1"): handler for path, handler in DOORS if "(?:" not in path}


def understands(handler: Any, method: str) -> bool:
    return getattr(handler, method.lower()) is not getattr(RequestHandler, method.lower())


KNOWN = [(m, path) for path, handler in routes().items() for m in METHODS if understands(handler, m)]
UNKNOWN = [(m, path) for path, handler in routes().items() for m in [*METHODS, "BREW"] if (m, path) not in KNOWN]


def test_the_tables_here_know_every_route() -> None:
    assert len(routes()) == 64
    assert all(path.startswith("/") and "(" not in path for path in routes())
    assert set(KNOWN) >= OPEN_TO_ALL | set(TAKE_A_BODY)


def assert_is_error(answer: Any, *statuses: int) -> None:
    where = f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:200]}"
    assert answer.status_code in statuses, where
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8", where
    if answer.request.method != "HEAD":
        keys = list(answer.json())
        assert keys == ["error"] or (answer.request.url.path.startswith("/v2/") and keys == ["error", "code"]), where
        assert answer.json()["error"], where
        assert isinstance(answer.json()["error"], str), where


async def test_a_method_that_a_route_does_not_know_is_a_405(cast: Cast) -> None:
    (alice,) = await cast("alice")
    assert len(UNKNOWN) > 100
    for method, path in UNKNOWN:
        assert_is_error(await alice.api.request(method, path), 405)


async def test_where_a_session_is_needed_a_stranger_gets_401(house: House) -> None:
    needed = set(KNOWN) - OPEN_TO_ALL
    assert len(needed) == 68
    client = house.client()
    for method, path in sorted(needed):
        headers = UPGRADE if issubclass(routes()[path], Socket) else {}
        assert_is_error(await client.request(method, path, headers=headers), 401)


async def test_where_none_is_needed_a_stranger_is_answered(house: House) -> None:
    client = house.client()
    for method, path in sorted(OPEN_TO_ALL):
        answer = await client.request(method, path)
        assert answer.status_code in (200, 400, 404), f"{method} {path}"


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
async def test_nothing_is_where_nothing_is(house: House, path: str) -> None:
    client = house.client()
    under_web = path.startswith("/web/")
    assert_is_error(await client.get(path), *((400, 403, 404) if under_web else (404,)))
    assert_is_error(await client.post(path), *((400, 405) if under_web else (404,)))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"{", id="cut short"),
        pytest.param(b"{}{}", id="two"),
        pytest.param(b"{'a': 1}", id="other quotes"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param(
            b'{"username": "\xff\xff", "person": "\xc0\x80", "password": "\xed\xa0\x80"}', id="bad UTF-8 inside"
        ),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"username": "\\ud800", "image": "\\ud800", "message": "\\udfff"}', id="half a pair"),
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
        pytest.param(b"{}", id="object without a field"),
    ],
)
async def test_a_body_that_makes_no_sense_is_a_400(cast: Cast, body: bytes) -> None:
    (alice,) = await cast("alice")
    for method, path in TAKE_A_BODY:
        answer = await alice.api.request(method, path, content=body)
        # COMPAT(codes): a registration that does not pass validation is a 401 there.
        assert_is_error(answer, *((400, 401) if path == "/api/auth/register" else (400,)))


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
async def test_a_body_that_says_it_is_something_else_is_a_400_too(cast: Cast, headers: dict[str, str]) -> None:
    (alice,) = await cast("alice")
    for body in (b"hello", b"--x\r\nhello", b"--x\r\n\r\n--x--", b"a=%ff&" * 5000):
        assert_is_error(await alice.api.post("/messages", content=body, headers=headers), 400)


QUERIES = [
    "/messages?user_id={}",
    "/messages?user_id=1&page={}",
    "/conversation/check-key?user_id={}",
    "/getpfp?id={}",
    "/api/chats/messages?conversationId={}",
    f"/api/chats/messages?conversationId={NOWHERE}&limit={{}}",
    f"/api/chats/messages?conversationId={NOWHERE}&cursor={{}}",
    f"/v2/direct/{NOWHERE}/messages?limit={{}}",
]


@pytest.mark.parametrize("value", ["%zz", "%", "%f", "%ff", "%c0%80", "%uD800", "%D9%A1", "a%00"])
async def test_a_query_that_is_badly_escaped_is_a_400(cast: Cast, value: str) -> None:
    (alice,) = await cast("alice")
    for path in QUERIES:
        assert_is_error(await alice.api.get(path.format(value)), 400)


@pytest.mark.parametrize("value", ["%00", "1%00", "%201", "1+", "%0a1"])
async def test_a_number_in_a_query_has_one_spelling(cast: Cast, value: str) -> None:
    (alice,) = await cast("alice")
    for path in QUERIES:
        assert_is_error(await alice.api.get(path.format(value)), 400)


@pytest.mark.logs(r"^(GET|POST) /\S+ failed, request [0-9a-f]{32}$")
@pytest.mark.parametrize(
    ("owner", "method", "path"),
    [
        pytest.param(Accounts, "get", "/username/1", id="invites API"),
        pytest.param(Sessions, "get", "/me", id="session"),
        pytest.param(Sessions, "get", "/api/users", id="codes API"),
    ],
)
async def test_a_500_tells_nothing_but_a_number_to_ask_for(
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: type,
    method: str,
    path: str,
) -> None:
    (alice,) = await cast("alice")

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

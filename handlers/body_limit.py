"""Bodies that are too large get their 413 as JSON, and are read no further into memory.

Tornado's own limit closes the connection with a bare 400, so ours stands in front of it.
"""

from collections.abc import Awaitable, Collection
from http import HTTPStatus

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from chat.model import MAX_CONTENT_CHARS

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_LONG_BODY_BYTES = 12 * MAX_CONTENT_CHARS + 64 * 1024  # JSON may spell one character of a message as \ud83d\ude00
DRAIN_BYTES = 64 * 1024 * 1024  # read and dropped, so that the client gets to read the answer; then the line is cut
MAX_HELD_BYTES = 256 * 1024 * 1024  # of all bodies on their way in; above it only small ones are taken
SMALL_BYTES = 64 * 1024

_REFUSALS = {
    413: b'{"error":"The request body is larger than %d MiB"}' % (MAX_BODY_BYTES >> 20),
    503: b'{"error":"The server is busy, try again"}',
}


class BodyLimit(HTTPServerConnectionDelegate):
    def __init__(self, application: HTTPServerConnectionDelegate, long_bodies: Collection[str] = ()) -> None:
        """`long_bodies`: the paths that take the text of a message."""
        self._application = application
        self._long_bodies = frozenset(long_bodies)
        self.held_bytes = 0

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _Limited(self, self._application.start_request(server_conn, request_conn), request_conn)

    def on_close(self, server_conn: object) -> None:
        self._application.on_close(server_conn)

    def of(self, path: str) -> int:
        """How many bytes a body for `path` may have."""
        return MAX_LONG_BODY_BYTES if path in self._long_bodies else MAX_BODY_BYTES


class _Limited(HTTPMessageDelegate):
    def __init__(self, limit: BodyLimit, inner: HTTPMessageDelegate, connection: HTTPConnection) -> None:
        self._limit = limit
        self._inner = inner
        self._connection = connection
        self._max = MAX_BODY_BYTES
        self._bytes = 0
        self._refused: int | None = None  # the status

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        if isinstance(start_line, RequestStartLine):
            self._max = self._limit.of(start_line.path.partition("?")[0])
        declared = headers.get("Content-Length", "0")
        length = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        if length <= self._max:
            return self._inner.headers_received(start_line, headers)
        self._refused = 413  # the application has not heard of it yet
        if length > DRAIN_BYTES or "Expect" in headers:
            self.finish()  # before the body is sent; tornado then cuts the line
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._refused is not None:
            return None
        self._bytes += len(chunk)
        self._limit.held_bytes += len(chunk)
        if self._bytes > self._max:
            self._refuse(413)
        elif self._bytes > SMALL_BYTES and self._limit.held_bytes > MAX_HELD_BYTES:
            self._refuse(503)
        else:
            return self._inner.data_received(chunk)
        return None

    def finish(self) -> None:
        if self._refused is None:
            self._let_go()
            self._inner.finish()
            return
        status, body = HTTPStatus(self._refused), _REFUSALS[self._refused]
        headers = HTTPHeaders({"Content-Type": "application/json; charset=UTF-8", "Content-Length": str(len(body))})
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "1"
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", status, status.phrase), headers, body)
        self._connection.finish()

    def on_connection_close(self) -> None:
        if self._refused is None:
            self._let_go()
            self._inner.on_connection_close()

    def _refuse(self, status: int) -> None:
        self._let_go()
        self._inner.on_connection_close()
        self._refused = status

    def _let_go(self) -> None:
        self._limit.held_bytes -= self._bytes
        self._bytes = 0

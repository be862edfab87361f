"""Refuse requests before the application sees them.

503 answers a request above MAX_IN_FLIGHT or above the memory budget, 413 a body that is too large.

A refusal here costs little. Tornado's own limit closes the connection with an empty 400, so this one is lower.

Of each request tornado calls `headers_received`, `data_received` for each chunk, and then either `finish` or
`on_connection_close`. A refused request stays refused: its further chunks are dropped, and `finish` answers it. The
bytes of unfinished bodies count against a memory budget until the request is finished, refused or closed.
"""

import re
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

from chat.model.messages import MAX_CONTENT_CHARS
from handlers.http.base import App
from handlers.http.memory_budget import MemoryBudget

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_LONG_BODY_BYTES = 12 * MAX_CONTENT_CHARS + 64 * 1024  # JSON may encode one code point as \ud83d\ude00: 12 bytes
DRAIN_BYTES = 64 * 1024 * 1024  # a refused body up to this size is read and dropped: the client can read the answer
MAX_GET_BODY_BYTES = 4096  # such a body has no meaning, and tornado keeps it as long as a WebSocket is open
MAX_IN_FLIGHT = 1024  # requests being answered; a further one gets 503 before any work is done

_REFUSALS = {
    413: b'{"error":"The request body is larger than %d MiB"}' % (MAX_BODY_BYTES >> 20),
    503: b'{"error":"The server is busy, try again"}',
}


class Admission(HTTPServerConnectionDelegate):
    """The delegate of tornado's HTTP server: passes admitted requests to the application."""

    def __init__(self, application: App, long_bodies: Collection[str] = ()) -> None:
        """`long_bodies`: patterns of the paths whose body carries the text of a message."""
        self.application = application
        self._long_bodies = re.compile("|".join(long_bodies) or "(?!)")
        self.incoming = MemoryBudget()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Wrap the application's delegate, so that its request is checked. Tornado calls this once a request."""
        return _Limited(self, self.application.start_request(server_conn, request_conn), request_conn)

    def on_close(self, server_conn: object) -> None:
        """Pass the end of a connection to the application."""
        self.application.on_close(server_conn)

    def max_body_bytes(self, request: RequestStartLine) -> int:
        """Return the largest body that a request may have."""
        if request.method == "GET":
            return MAX_GET_BODY_BYTES
        path = request.path.partition("?")[0]
        return MAX_LONG_BODY_BYTES if self._long_bodies.fullmatch(path) else MAX_BODY_BYTES


class _Limited(HTTPMessageDelegate):
    """One request, on its way from tornado to the application."""

    def __init__(self, admission: Admission, inner: HTTPMessageDelegate, connection: HTTPConnection) -> None:
        self._admission = admission
        self._inner = inner
        self._connection = connection
        self._max = MAX_BODY_BYTES
        self._bytes = 0
        self._refused: int | None = None  # the status
        self._is_closed = False

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        if isinstance(start_line, RequestStartLine):
            self._max = self._admission.max_body_bytes(start_line)
        declared = headers.get("Content-Length", "0")
        length = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        if self._admission.application.in_flight >= MAX_IN_FLIGHT:
            self._refused = 503
            return None
        if length <= self._max:
            return self._inner.headers_received(start_line, headers)
        self._refused = 413  # the application has not seen this request
        if length > DRAIN_BYTES or "Expect" in headers:
            self.finish()  # before the body arrives; tornado then closes the connection
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._refused is not None or self._is_closed:
            return None
        self._bytes += len(chunk)
        self._admission.incoming.change(len(chunk))
        if self._bytes > self._max:
            self._refuse(413)
        elif self._admission.incoming.is_too_much(self._bytes):
            self._refuse(503)
        else:
            return self._inner.data_received(chunk)
        return None

    def finish(self) -> None:
        if self._refused is None and self._admission.application.in_flight >= MAX_IN_FLIGHT:
            self._refuse(503)  # many bodies were completed at the same time
        if self._refused is None:
            self._release()
            self._inner.finish()
            return
        status, body = HTTPStatus(self._refused), _REFUSALS[self._refused]
        headers = HTTPHeaders({"Content-Type": "application/json; charset=UTF-8", "Content-Length": str(len(body))})
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "1"
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", status, status.phrase), headers, body)
        self._connection.finish()

    def on_connection_close(self) -> None:
        self._is_closed = True
        if self._refused is None:
            self._release()
            self._inner.on_connection_close()

    def _refuse(self, status: int) -> None:
        self._release()
        self._inner.on_connection_close()
        self._refused = status

    def _release(self) -> None:
        self._admission.incoming.change(-self._bytes)
        self._bytes = 0

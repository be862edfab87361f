"""Bodies that are too large get their 413 as JSON, and are read no further into memory.

Tornado's own limit closes the connection with a bare 400, so ours stands in front of it.
"""

from collections.abc import Awaitable

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

MAX_BODY_BYTES = 5 * 1024 * 1024
DRAIN_BYTES = 64 * 1024 * 1024  # read and dropped, so that the client gets to read the answer; then the line is cut

_BODY = b'{"error":"The request body is larger than 5 MiB"}'


class BodyLimit(HTTPServerConnectionDelegate):
    def __init__(self, application: HTTPServerConnectionDelegate) -> None:
        self._application = application

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return _Limited(self._application.start_request(server_conn, request_conn), request_conn)

    def on_close(self, server_conn: object) -> None:
        self._application.on_close(server_conn)


class _Limited(HTTPMessageDelegate):
    def __init__(self, inner: HTTPMessageDelegate, connection: HTTPConnection) -> None:
        self._inner: HTTPMessageDelegate | None = inner
        self._connection = connection
        self._bytes = 0

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        declared = headers.get("Content-Length", "0")
        length = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        if length > MAX_BODY_BYTES:
            self._inner = None
            if length > DRAIN_BYTES or "Expect" in headers:
                self.finish()  # before the body is sent; tornado then cuts the line
            return None
        return self._inner.headers_received(start_line, headers) if self._inner is not None else None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._bytes += len(chunk)
        if self._bytes > MAX_BODY_BYTES and self._inner is not None:
            self._inner.on_connection_close()
            self._inner = None
        return self._inner.data_received(chunk) if self._inner is not None else None

    def finish(self) -> None:
        if self._inner is not None:
            self._inner.finish()
            return
        headers = HTTPHeaders({"Content-Type": "application/json; charset=UTF-8", "Content-Length": str(len(_BODY))})
        self._connection.write_headers(ResponseStartLine("HTTP/1.1", 413, "Content Too Large"), headers, _BODY)
        self._connection.finish()

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._inner.on_connection_close()

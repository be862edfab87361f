"""The base of all request handlers: client address, session, typed bodies, and rendering of errors."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, TypeVar, cast
from uuid import uuid4

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.web import Application, HTTPError, RequestHandler

from chat.accounts.accounts import Registration
from chat.errors import ChatError, ForeignOrigin, Invalid, InvalidBody, Unauthenticated
from chat.model.accounts import Session
from chat.services import Services
from handlers.http.peers import Network, client_address, is_same_origin, is_trusted, rate_key

log = logging.getLogger("sottovoce.http")

T = TypeVar("T")

COOKIE = "Authorization"
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class ApiSettings:
    """Settings that affect answers."""

    version: str
    motd: str
    registration: Registration
    cookie_life: timedelta
    bearer_life: timedelta
    trusted_proxies: Sequence[Network]


class App(Application):
    """Tornado's application; counts the requests in flight, so that a stopping server can wait for them."""

    in_flight = 0

    def log_request(self, handler: RequestHandler) -> None:
        """Count the end of a request. Requests are not logged: addresses and ids are private."""
        self.in_flight -= 1


class Handler(RequestHandler):
    """Renders every error as `{"error": …}`. `route`: the path template, by which some limits count."""

    services: Services
    api: ApiSettings
    route: str

    def initialize(self, services: Services, api: ApiSettings, route: str = "") -> None:
        """Count the request as in flight. `App.log_request` ends it, which tornado calls for every request."""
        self.services = services
        self.api = api
        self.route = route
        self.error_headers: dict[str, str] = {}  # set on errors, for which tornado clears all other headers
        assert isinstance(self.application, App)
        self.application.in_flight += 1

    def set_default_headers(self) -> None:
        """Set the headers of every answer. Tornado calls this before the method, and again for an error."""
        self.clear_header("Server")
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")

    # The request

    @property
    def client_address(self) -> str:
        """The peer's IP address, or the one that a trusted proxy sends in X-Forwarded-For."""
        peer = self.request.remote_ip or ""
        return client_address(peer, self.request.headers.get("X-Forwarded-For", ""), self.api.trusted_proxies)

    @property
    def rate_key(self) -> str:
        """The client's address or IPv6 network, by which limits count."""
        return rate_key(self.client_address)

    @property
    def is_tls(self) -> bool:
        """Whether the client uses TLS: directly, or to a trusted proxy that sends `X-Forwarded-Proto: https`."""
        if self.request.protocol == "https":
            return True
        trusted = is_trusted(self.request.remote_ip or "", self.api.trusted_proxies)
        return trusted and self.request.headers.get("X-Forwarded-Proto") == "https"

    def body(self, shape: type[T]) -> T:
        """Decode the JSON body. Raises InvalidBody if it is not JSON, Invalid if a field is missing or invalid."""
        try:
            return msgspec.json.decode(self.request.body, type=shape)
        except msgspec.ValidationError as error:
            raise Invalid(str(error)) from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidBody("The body is not valid JSON") from error

    def query(self, name: str) -> str | None:
        """Return the last value of a query parameter, or None; an empty value counts as missing. Raises Invalid."""
        try:
            return self.get_query_argument(name, "", strip=False) or None
        except HTTPError as error:
            raise Invalid(f"{name} is not valid UTF-8") from error

    async def session(self) -> Session:
        """Authenticate the request by its bearer token or cookie.

        Raises Unauthenticated; ForeignOrigin if a page of another site sends the cookie. GET requests are checked too:
        by contract, some of them change data.
        """
        header = self.request.headers.get("Authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthenticated("Invalid or missing token")
            return await self.services.accounts.authenticate(token.strip())
        cookie = self.get_cookie(COOKIE)
        if cookie is not None:
            self.refuse_foreign_origin()
        return await self.services.accounts.authenticate(cookie)

    def refuse_foreign_origin(self) -> None:
        """Raise ForeignOrigin if a page of another site sends this request."""
        headers = self.request.headers
        if not is_same_origin(headers.get("Host", ""), headers.get("Origin"), headers.get("Sec-Fetch-Site")):
            raise ForeignOrigin("Requests from pages of other sites are not allowed")

    # The answer

    def reply(self, body: Any, status: int = 200) -> None:
        """Finish with `body` as JSON."""
        self.set_status(status)
        self.finish(encode(body))

    def error_body(self, error: ChatError) -> dict[str, Any]:
        """Return the body of an error. APIs whose errors have more fields override this."""
        return {"error": str(error)}

    def error_status(self, error: ChatError) -> int:
        """Return the status of an error. APIs whose contract requires another one override this."""
        return error.status

    def set_session_cookie(self, token: str) -> None:
        """Send the session's token as a cookie that scripts cannot read. It is `Secure` if the client uses TLS."""
        life_s = int(self.api.cookie_life.total_seconds())
        self.set_cookie(COOKIE, token, max_age=life_s, httponly=True, secure=self.is_tls, samesite="Lax", path="/")

    def clear_session_cookie(self) -> None:
        """Make the browser delete the session's cookie."""
        self.clear_cookie(COOKIE, path="/")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log an unexpected exception with a new request id, which the answer carries in X-Request-Id."""
        if isinstance(value, (ChatError, HTTPError)):
            return
        request_id = uuid4().hex
        self.error_headers["X-Request-Id"] = request_id
        log.error(
            "%s %s failed, request %s", self.request.method, self.request.path, request_id, exc_info=(typ, value, tb)
        )

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error; if the headers are sent already, close the connection instead."""
        if self._headers_written:
            cast(HTTP1Connection, self.request.connection).close()  # or half an answer would look complete
            if not self._finished:
                self._finished = True
                self._log()
        else:
            super().send_error(status_code, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Render a ChatError by its class, with Retry-After where it has one, and others by their reason phrase."""
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.allowed_methods()))  # RFC 9110 section 15.5.6
        for name, value in self.error_headers.items():
            self.set_header(name, value)
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, ChatError):
            self.set_status(self.error_status(error))
            if error.retry_after_s is not None:
                self.set_header("Retry-After", str(max(1, ceil(error.retry_after_s))))
            body = self.error_body(error)
        else:
            body = {"error": self._reason}
        self.finish(encode(body))

    def allowed_methods(self) -> list[str]:
        """Return the methods that this handler defines, for the `Allow` header of a 405."""
        own = {name for parent in type(self).__mro__ if parent is not RequestHandler for name in vars(parent)}
        return [method for method in self.SUPPORTED_METHODS if method.lower() in own]


class NotFound(Handler):
    """Answers 404 to every request."""

    async def prepare(self) -> None:
        """Refuse the request before its method runs. Raises HTTPError 404."""
        raise HTTPError(404)

"""An endpoint as data, and the one handler that serves every endpoint.

Order at each request: origin, limits by address, session, parameters, limits by account, body, limits that depend on
the body, query, action. Cheap checks come first, and a refused request is counted by no later limit.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, get_args, get_origin

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from chat.errors import ChatError, Invalid, InvalidBody, Unavailable
from chat.model.accounts import Account, Session
from chat.model.groups import Device
from chat.model.limits import Bucket, Window
from chat.services import Services
from handlers.http.answers import Png, Stream, Text
from handlers.http.base import ApiSettings, Handler, encode
from handlers.http.parameters import Parameter

Access = Literal["public", "session", "device"]
Counted = Literal["address", "route", "account", "device", "user"]

# A request can be counted by these before its session is known.
ANONYMOUS: set[Counted] = {"address", "route"}


@dataclass(frozen=True)
class Limit:
    """How often an endpoint may be called. Endpoints with the same rate and the same `by` are counted together.

    by: the values that make up the counter's key. "route" is the endpoint's path, "user" the `user` of its path.
    when: decides by the body whether a request counts; default: every request does.
    is_required: refuse the request if the database, which counts, is unavailable.
    """

    rate: Bucket | Window
    by: tuple[Counted, ...]
    when: Callable[[Any], bool] | None = None
    is_required: bool = True

    @property
    def is_anonymous(self) -> bool:
        """Whether the request can be counted before its session is known."""
        return ANONYMOUS.issuperset(self.by)


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    `action` gets the call, then the arguments of its signature:

    - positional arguments are the `{name}` parts of `path`, annotated with a Parameter
    - `body` is the JSON body, annotated with a msgspec type
    - keyword arguments are query parameters, annotated with a Parameter; without a default they are required

    The return annotation is the type of the answer.
    """

    method: str
    path: str
    action: Callable[..., Awaitable[Any]]
    access: Access = "session"
    limits: tuple[Limit, ...] = ()
    status: int = 200
    is_same_origin: bool = False  # refuse pages of other sites without a session too: it sets a cookie
    clears_cookie: bool = False  # even if the session has already ended
    is_long: bool = False  # the body carries the text of a message; this holds for every method of the path
    invalid_status: int = 400  # status for a JSON body that fails validation

    @cached_property
    def signature(self) -> inspect.Signature:
        """The signature of the action, with its annotations evaluated. Raises NameError if one is unknown."""
        return inspect.signature(self.action, eval_str=True)

    @property
    def answer(self) -> Any:
        """The type of the answer."""
        return self.signature.return_annotation

    @cached_property
    def body(self) -> Any:
        """The type of the body, or None."""
        found = self.signature.parameters.get("body")
        return found.annotation if found is not None else None

    @cached_property
    def limits_by_time(self) -> tuple[list[Limit], list[Limit], list[Limit]]:
        """The limits that are taken before the session is known, before the body is read, and after it."""
        anonymous = [limit for limit in self.limits if limit.is_anonymous]
        others = [limit for limit in self.limits if not limit.is_anonymous]
        return anonymous, [one for one in others if one.when is None], [one for one in others if one.when is not None]

    @cached_property
    def path_parameters(self) -> dict[str, Parameter]:
        """The parameters of the path by name, in the order of the path. Raises TypeError for a wrong action."""
        return {name: self._parameter(name) for name in re.findall(r"\{(\w+)\}", self.path)}

    @cached_property
    def query_parameters(self) -> dict[str, tuple[Parameter, Any]]:
        """The parameter and its default by argument; `inspect.Parameter.empty` if it is required."""
        arguments = self.signature.parameters.values()
        named = [one for one in arguments if one.kind == inspect.Parameter.KEYWORD_ONLY]
        return {one.name: (self._parameter(one.name), one.default) for one in named}

    def _parameter(self, name: str) -> Parameter:
        annotation = self.signature.parameters[name].annotation
        for part in get_args(annotation) if get_origin(annotation) is Annotated else ():
            if isinstance(part, Parameter):
                return part
        raise TypeError(f"{self.action.__qualname__}: {name} is not annotated with a Parameter")


@dataclass(frozen=True)
class SocketEndpoint:
    """A WebSocket. `handler` is a subclass of handlers.websocket.socket.Socket.

    `received` and `sent`, as the server sees them: the type of each message by name.
    """

    path: str
    handler: Any
    received: Mapping[str, Any]
    sent: Mapping[str, Any]
    access: Access = "session"
    limits: tuple[Limit, ...] = ()
    method: str = "GET"


def pattern(path: str) -> str:
    """Return the regular expression of a path template."""
    return re.sub(r"\{\w+\}", "([^/]+)", path)


class Call:
    """One request, as the action of its endpoint sees it.

    `session` is set if the endpoint's access is "session" or "device", `device` only for "device".
    """

    session: Session
    device: Device

    def __init__(self, handler: "EndpointHandler") -> None:
        self._handler = handler

    @property
    def services(self) -> Services:
        """The services of the domain."""
        return self._handler.services

    @property
    def api(self) -> ApiSettings:
        """The settings that affect answers."""
        return self._handler.api

    @property
    def account(self) -> Account:
        """The session's account. Only if the endpoint's access is "session" or "device"."""
        return self.session.account

    @property
    def rate_key(self) -> str:
        """The client's address or IPv6 network, by which limits count."""
        return self._handler.rate_key

    def header(self, name: str) -> str | None:
        """Return a header of the request, or None. The case of `name` does not matter."""
        return self._handler.request.headers.get(name)

    def set_session_cookie(self, token: str) -> None:
        """Send the session's token as a cookie with the answer."""
        self._handler.set_session_cookie(token)

    def clear_session_cookie(self) -> None:
        """Make the browser delete the session's cookie."""
        self._handler.clear_session_cookie()


class EndpointHandler(Handler):
    """Serves the endpoints of one path. Each API has a subclass that renders its errors."""

    endpoints: Mapping[str, Endpoint]  # by method

    def initialize(self, endpoints: Mapping[str, Endpoint], **rest: Any) -> None:  # type: ignore[override]
        """Store the path's endpoints by method, beside what every handler has."""
        super().initialize(**rest)
        self.endpoints = endpoints

    async def prepare(self) -> None:
        """Take the limits that need no session. Limits by route count every method, known or unknown.

        A page of another site is refused first: it must not use up the allowance of its visitor's address.
        """
        endpoint = self.endpoints.get(self.request.method or "")
        if endpoint is not None and endpoint.is_same_origin:
            self.refuse_foreign_origin()
        if endpoint is not None:
            limits = endpoint.limits_by_time[0]
        else:
            limits = list({limit for one in self.endpoints.values() for limit in one.limits if "route" in limit.by})
        await take_limits(self, limits)

    async def serve(self, *path_arguments: str) -> None:
        """Check the request in the order above, call the action and send its answer."""
        endpoint = self.endpoints.get(self.request.method or "")
        if endpoint is None:
            raise HTTPError(405)
        call = Call(self)
        if endpoint.clears_cookie:
            self.clear_session_cookie()
        if endpoint.access != "public":
            call.session = await self.session()
        if endpoint.access == "device":
            call.device = await self.services.devices.of_session(call.session)
        arguments = self._path_arguments(endpoint, path_arguments)
        _, before_body, after_body = endpoint.limits_by_time
        await take_limits(self, before_body, call, arguments)
        if endpoint.body is not None:
            arguments["body"] = self.body(endpoint.body)
        if after_body:
            counted = [limit for limit in after_body if limit.when is not None and limit.when(arguments["body"])]
            await take_limits(self, counted, call, arguments)
        arguments |= self._query_arguments(endpoint)
        await self._send(await endpoint.action(call, **arguments), endpoint.status)

    get = post = put = patch = delete = serve

    def allowed_methods(self) -> list[str]:
        """Return the methods of the path's endpoints, sorted, for the `Allow` header of a 405."""
        return sorted(self.endpoints)

    def error_status(self, error: ChatError) -> int:
        """Return the endpoint's `invalid_status` for an Invalid of status 400, unless the body is not JSON."""
        endpoint = self.endpoints.get(self.request.method or "")
        if endpoint is not None and isinstance(error, Invalid) and not isinstance(error, InvalidBody):
            return endpoint.invalid_status if error.status == 400 else error.status
        return super().error_status(error)

    def _path_arguments(self, endpoint: Endpoint, values: tuple[str, ...]) -> dict[str, Any]:
        parameters = endpoint.path_parameters.items()
        return {name: parameter.parse(name, value) for (name, parameter), value in zip(parameters, values, strict=True)}

    def _query_arguments(self, endpoint: Endpoint) -> dict[str, Any]:
        found = {}
        for argument, (parameter, default) in endpoint.query_parameters.items():
            name = parameter.name or argument
            value = self.query(name)
            if value is not None:
                found[argument] = parameter.parse(name, value)
            elif default is inspect.Parameter.empty:
                raise Invalid(f"{name} is missing")
        return found

    async def _send(self, answer: Any, status: int) -> None:
        match answer:
            case Text(text):
                self.set_header("Content-Type", "text/plain; charset=UTF-8")
                self.finish(text)
            case Png(data, is_immutable):
                self.set_header("Content-Type", "image/png")
                if is_immutable:
                    self.set_header("Cache-Control", "private, max-age=31536000, immutable")
                self.finish(data)
            case Stream(parts):
                await self._stream(parts)
            case _:
                self.set_status(status)
                self.finish(encode(answer))

    async def _stream(self, parts: Any) -> None:
        """Write each part once the next one is read, so that an answer of one part has a Content-Length."""
        waiting = b"["
        async for part in parts:
            if len(waiting) > 1:
                self.write(waiting)
                try:
                    await self.flush()
                except StreamClosedError:
                    return
                waiting = b","
            waiting += encode(part)[1:-1]
        self.finish(waiting + b"]")


async def take_limits(
    handler: Handler, limits: Iterable[Limit], call: Call | None = None, arguments: Mapping[str, Any] | None = None
) -> None:
    """Count the request by each of `limits`. Raises TooMany; Unavailable if a required limit cannot be counted."""
    for limit in limits:
        who = ":".join(_counted(part, handler, call, arguments or {}) for part in limit.by)
        try:
            await handler.services.limits.take(limit.rate, who, handler.services.now())
        except Unavailable:
            if limit.is_required:
                raise


def _counted(part: Counted, handler: Handler, call: Call | None, arguments: Mapping[str, Any]) -> str:
    """Return one part of a counter's key."""
    match part:
        case "address":
            return handler.rate_key
        case "route":
            return handler.route
        case "user":
            return str(arguments["user"])
    assert call is not None
    return str(call.account.id if part == "account" else call.device.id)

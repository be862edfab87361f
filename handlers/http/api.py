"""What an API declares: its endpoints, its errors, and its name in the documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from handlers.http.base import Handler
from handlers.http.endpoint import Endpoint, EndpointHandler, SocketEndpoint


class ErrorAnswer(Struct, frozen=True):
    """The body of an error: a text for people."""

    error: str


@dataclass(frozen=True)
class Api:
    """One of the APIs of the server. `handlers.endpoints` joins them. An API without a root comes last."""

    title: str
    version: str
    handler: type[EndpointHandler]  # serves the endpoints
    error: type[Struct]  # the body of every error
    endpoints: Sequence[Endpoint | SocketEndpoint]
    root: str = ""  # where all its paths begin
    not_found: type[Handler] | None = None  # answers the other paths that begin there

    @property
    def http(self) -> list[Endpoint]:
        """The endpoints that are not WebSockets."""
        return [one for one in self.endpoints if isinstance(one, Endpoint)]

    @property
    def sockets(self) -> list[SocketEndpoint]:
        """The WebSockets."""
        return [one for one in self.endpoints if isinstance(one, SocketEndpoint)]

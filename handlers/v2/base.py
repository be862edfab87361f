"""Errors of the v2 API: each has a `code` by which clients decide what to do."""

from typing import Any

from chat.errors import ChatError
from handlers.http.api import ErrorAnswer
from handlers.http.base import Handler
from handlers.http.endpoint import EndpointHandler


class V2Error(ErrorAnswer, frozen=True):
    """`code` is missing if no rule of the domain refused the request: 404 of an unknown path, 405, 500."""

    code: str | None = None


class V2Errors(Handler):
    """Renders errors with their `code`."""

    def error_body(self, error: ChatError) -> dict[str, Any]:
        """Return the error's text, for people, and its code, by which clients decide."""
        return {"error": str(error), "code": error.code}


class V2Handler(V2Errors, EndpointHandler):
    """Serves the endpoints of the v2 API."""

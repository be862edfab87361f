"""Errors of the v2 API: each has a `code` by which clients decide what to do."""

from typing import Any

from chat.errors import ChatError
from handlers.http.base import Handler
from handlers.http.endpoint import EndpointHandler


class V2Errors(Handler):
    def error_body(self, error: ChatError) -> dict[str, Any]:
        return {"error": str(error), "code": error.code}


class V2Handler(V2Errors, EndpointHandler):
    pass

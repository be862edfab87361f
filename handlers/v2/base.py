"""How the v2 API renders errors: with a `code` that tells the client what to do."""

from typing import Any

from chat.errors import ChatError
from handlers.http.base import Handler
from handlers.http.endpoint import EndpointHandler


class V2Errors(Handler):
    def error_body(self, error: ChatError) -> dict[str, Any]:
        return {"error": str(error), "code": error.code}


class V2Handler(V2Errors, EndpointHandler):
    pass

"""What every endpoint of the sealed API does alike."""

from typing import Any

from chat.errors import ChatError
from chat.model.groups import Device
from handlers.http.base import Handler


class V2Handler(Handler):
    def error_body(self, error: ChatError) -> dict[str, Any]:
        """`code` tells the client what to do."""
        return {"error": str(error), "code": error.code}

    async def device(self) -> Device:
        """That this session speaks for. Raises Unauthenticated, NoDevice."""
        return await self.services.devices.of_session(await self.session())

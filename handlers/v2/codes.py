"""/v2/codes: chat codes of the account."""

from typing import Annotated

from chat.model.ids import MAX_ID
from handlers.http.answers import Empty
from handlers.http.endpoint import Call
from handlers.http.parameters import integer
from handlers.v2.schemas.accounts import Code, CodeShown


async def list_all(call: Call) -> list[CodeShown]:
    """List the chat codes that can still be used."""
    return [CodeShown(one.code, one.expires_at) for one in await call.services.chat_codes.open(call.account)]


async def create(call: Call) -> Code:
    """Create a chat code."""
    return Code(await call.services.chat_codes.create(call.account))


async def revoke(call: Call, code: Annotated[int, integer(0, MAX_ID)]) -> Empty:
    """Revoke a chat code."""
    await call.services.chat_codes.delete(call.account, code)
    return Empty()

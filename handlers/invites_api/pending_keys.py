"""Keys of direct conversations. By contract, these GET requests change data."""

from base64 import b64encode
from typing import Annotated

from chat.model.ids import MAX_ID, UserId
from handlers.http.endpoint import Call
from handlers.http.parameters import integer
from handlers.invites_api.schemas import KeyChecked, KeyStarted

OTHER = integer(0, MAX_ID)


async def start(call: Call, *, user_id: Annotated[UserId, OTHER]) -> KeyStarted:
    """Start a conversation, or reset it with a new key."""
    issued = await call.services.pending_keys.start(call.account, user_id)
    return KeyStarted(b64encode(issued.key).decode(), issued.reset)


async def check(call: Call, *, user_id: Annotated[UserId, OTHER]) -> KeyChecked:
    """Take the key that is pending for the account."""
    key = await call.services.pending_keys.take(call.account, user_id)
    return KeyChecked(False) if key is None else KeyChecked(True, b64encode(key).decode())

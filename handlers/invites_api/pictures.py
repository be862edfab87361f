"""Profile pictures as data URLs."""

import binascii
from base64 import b64decode, b64encode
from typing import Annotated

from chat.errors import Invalid
from chat.model.ids import MAX_ID, UserId
from handlers.http.endpoint import Call
from handlers.http.parameters import integer
from handlers.invites_api.schemas import Picture, Success, Upload

PREFIX = "data:image/png;base64,"


async def get(call: Call, *, user_id: Annotated[UserId, integer(0, MAX_ID, name="id")]) -> Picture:
    """Show the profile picture of an account."""
    png = await call.services.pictures.get(user_id)
    return Picture(PREFIX + b64encode(png).decode() if png is not None else False)


async def upload(call: Call, body: Upload) -> Success:
    """Set the profile picture of the account."""
    await call.services.pictures.set(call.account, picture_of(body.image))
    return Success()


def picture_of(data_url: str) -> bytes:
    """Decode a base64 data URL (RFC 2397) of any image type; the type is detected from the content. Raises Invalid."""
    head, _, data = data_url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise Invalid("image must be a data URL like data:image/png;base64,…")
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("image is not valid base64") from error

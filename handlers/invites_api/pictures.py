"""Profile pictures as data URLs."""

import binascii
from base64 import b64decode, b64encode

from chat.errors import Invalid
from handlers.http.base import Handler
from handlers.invites_api.wire import Picture, Success, Upload

SHOWN = "data:image/png;base64,"


class GetPictureHandler(Handler):
    async def get(self) -> None:
        png = await self.services.pictures.get(self.query_id("id"))
        self.reply(Picture(SHOWN + b64encode(png).decode() if png is not None else False))


class UploadPictureHandler(Handler):
    async def post(self) -> None:
        account = await self.account()
        await self.services.pictures.set(account, picture_of(self.body(Upload).image))
        self.reply(Success())


def picture_of(data_url: str) -> bytes:
    """The bytes of a base64 data URL (RFC 2397). Its label is not believed; the content decides. Raises Invalid."""
    head, comma, data = data_url.partition(",")
    if not (comma and head.startswith("data:image/") and head.endswith(";base64")):
        raise Invalid("image must be a data URL like data:image/png;base64,…")
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("image is not valid base64") from error

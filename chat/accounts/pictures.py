"""Profile pictures: which files are accepted, and how they are converted."""

import io
import struct
from typing import Protocol

from PIL import Image, ImageOps, UnidentifiedImageError

from chat.errors import Invalid, NoSuchUser
from chat.model.accounts import Account
from chat.model.ids import UserId
from crypto.hashing import Hashing

SIZE = (256, 256)  # docs/invites-api.md, POST /uploadpfp
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_BYTES = 1024 * 1024
# Pillow's decoders and its EXIF reader raise these for damaged files.
UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    SyntaxError,
    struct.error,
    Warning,
)


def clean_picture(data: bytes) -> bytes:
    """Return the picture as PNG without metadata, of an animation the first frame. Raises Invalid.

    The header's size is checked before any pixel is decoded, so a small file cannot expand into a large picture.
    """
    if len(data) > MAX_BYTES:
        raise Invalid("A profile picture has at most 1 MiB")
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
        if picture.size != SIZE:
            raise Invalid("A profile picture must be exactly 256x256 pixels")
        pixels = _pixels(picture)
    except UNREADABLE as error:
        raise Invalid("Not a readable PNG, JPEG, WebP or GIF picture") from error
    out = io.BytesIO()
    pixels.info = {}
    pixels.save(out, "PNG")
    return out.getvalue()


def _pixels(picture: Image.Image) -> Image.Image:
    """Apply the EXIF orientation, and convert to 8 bits a channel."""
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda shade: shade / 256, "L")  # convert() clips instead of scaling
    upright = ImageOps.exif_transpose(picture)
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


class PictureStore(Protocol):
    """The repository of profile pictures."""

    async def picture(self, user_id: UserId) -> tuple[bool, bytes | None]:
        """Return whether the account exists, and its picture."""
        ...

    async def set_picture(self, user_id: UserId, png: bytes) -> None:
        """Store the picture."""
        ...


class Pictures:
    """Profile pictures. A worker thread decodes uploads."""

    def __init__(self, store: PictureStore, workers: Hashing) -> None:
        self._store = store
        self._workers = workers

    async def get(self, user_id: UserId) -> bytes | None:
        """Return the account's picture as PNG, or None. Raises NoSuchUser."""
        exists, png = await self._store.picture(user_id)
        if not exists:
            raise NoSuchUser("User not found")
        return png

    async def set(self, account: Account, data: bytes) -> None:
        """Set the account's picture. Raises Invalid."""
        await self._store.set_picture(account.id, await self._workers.run(lambda: clean_picture(data)))

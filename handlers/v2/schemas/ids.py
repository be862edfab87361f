"""Ids as they travel."""

from typing import Annotated

from msgspec import Meta

from chat.errors import Invalid
from chat.model.ids import MAX_ID, DeviceId

Id = Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
Number = Annotated[int, Meta(ge=0, le=MAX_ID)]


def device_id(text: str) -> DeviceId:
    """Raises Invalid."""
    if len(text) != 16 or any(char not in "0123456789abcdef" for char in text) or not 0 < int(text, 16) <= MAX_ID:
        raise Invalid("A device's id has 16 hex digits in lower case, the first one of them below 8, and is not nought")
    return DeviceId(int(text, 16))


def hex_of(device: DeviceId) -> str:
    return f"{device:016x}"

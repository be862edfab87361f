"""Types and encoding of ids."""

from typing import Annotated

from msgspec import Meta

from chat.errors import Invalid
from chat.model.ids import MAX_ID, DeviceId

Id = Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
Number = Annotated[int, Meta(ge=0, le=MAX_ID)]


def device_id(text: str) -> DeviceId:
    """Decode the id of a device: 16 hex digits in lower case, from 1 to MAX_ID. Raises Invalid."""
    if len(text) != 16 or any(char not in "0123456789abcdef" for char in text) or not 0 < int(text, 16) <= MAX_ID:
        raise Invalid("The id of a device must be 16 lower-case hex digits, the first below 8, and not zero")
    return DeviceId(int(text, 16))


def hex_of(device: DeviceId) -> str:
    """Encode the id of a device as 16 lower-case hex digits. The inverse of `device_id`."""
    return f"{device:016x}"

"""Types of answers that are not one JSON value. Every other value that an endpoint returns is encoded as JSON."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

Time = Annotated[datetime, Meta(tz=True)]  # RFC 3339, in UTC


class Empty(Struct, frozen=True):
    """`{}`: the request succeeded."""


class Text(Struct, frozen=True):
    """A body of plain text in UTF-8."""

    text: str


class Png(Struct, frozen=True):
    """A picture in PNG format."""

    data: bytes
    is_immutable: bool  # may be cached: a new picture has a new address


class Stream(Struct, frozen=True):
    """A JSON array in parts, which need not fit into memory together. The server waits for a slow client."""

    parts: AsyncIterator[Sequence[Any]]

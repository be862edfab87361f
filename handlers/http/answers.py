"""Answers that are not one JSON value. Everything else that an endpoint returns is encoded as JSON."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

Time = Annotated[datetime, Meta(tz=True)]  # RFC 3339, in UTC


class Empty(Struct, frozen=True):
    """`{}`: it is done, and there is nothing to say."""


class Text(Struct, frozen=True):
    text: str


class Png(Struct, frozen=True):
    data: bytes
    is_immutable: bool  # another picture has another address


class Stream(Struct, frozen=True):
    """A JSON array in parts, which need not fit into memory together and wait for a slow reader."""

    parts: AsyncIterator[Sequence[Any]]

"""Answers that are not one JSON value. Everything else that an endpoint returns is encoded as JSON."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from msgspec import Struct


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

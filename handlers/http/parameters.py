"""Parameters of paths and queries. Decoding is strict: a value has exactly one spelling.

An endpoint's action names a `Parameter` in the annotation of its argument:
`after: Annotated[Seq, integer(0, MAX_ID)]`.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from chat.errors import Invalid


class Parameter(Struct, frozen=True):
    """`parse(name, text)` returns the value or raises Invalid; `schema` is its JSON Schema for OpenAPI."""

    parse: Callable[[str, str], Any]
    schema: dict[str, Any]
    name: str | None = None  # in the query; default: the argument's name


def text(name: str | None = None) -> Parameter:
    """A parameter that is any text; no value is invalid."""
    return Parameter(lambda _, value: value, {"type": "string"}, name)


def integer(low: int, high: int, name: str | None = None) -> Parameter:
    """A decimal number from `low` to `high`, both included."""
    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Parameter(lambda shown, value: number(shown, value, low, high), schema, name)


def uuid(name: str | None = None) -> Parameter:
    """A UUID in its form with hyphens."""
    return Parameter(parse_uuid, {"type": "string", "format": "uuid"}, name)


def number(name: str, value: str, low: int, high: int) -> int:
    """Parse a decimal number without sign or leading zeros. Raises Invalid."""
    if not (value.isascii() and value.isdigit() and len(value) <= 19 and str(int(value)) == value):
        raise Invalid(f"{name} must be a number from {low} to {high}")
    if not low <= int(value) <= high:
        raise Invalid(f"{name} must be a number from {low} to {high}")
    return int(value)


def parse_uuid(name: str, value: str) -> UUID:
    """Parse a UUID. Raises Invalid."""
    try:
        return msgspec.convert(value, UUID)
    except msgspec.ValidationError as error:
        raise Invalid(f"{name} is not a UUID") from error

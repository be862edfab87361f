"""The two kinds of rate limit."""

from datetime import timedelta

from msgspec import Struct


class Window(Struct, frozen=True):
    """At most `hits` in `per`; the last of them blocks for `block`, or until the oldest has left the window."""

    name: str
    hits: int
    per: timedelta
    block: timedelta | None = None


class Bucket(Struct, frozen=True):
    """One in each `interval`, up to `burst` at once (GCRA, the generic cell rate algorithm)."""

    name: str
    interval: timedelta
    burst: int

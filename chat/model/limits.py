"""The two kinds of rate limit."""

from datetime import timedelta

from msgspec import Struct


class Window(Struct, frozen=True):
    """At most `hits` requests in `per`.

    The last one blocks further requests for `block`, or until the oldest leaves the window.
    """

    name: str
    hits: int
    per: timedelta
    block: timedelta | None = None


class Bucket(Struct, frozen=True):
    """One request per `interval`, with bursts of up to `burst` (GCRA, the generic cell rate algorithm)."""

    name: str
    interval: timedelta
    burst: int

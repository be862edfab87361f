"""The TLS presentation language of RFC 9420 section 2, decoded strictly: each value has one encoding."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MAX_WORK = 40_000  # elements of all vectors of a frame, and what `spend` adds: parsing them takes 50 ms


class Malformed(ValueError):
    """Not an MLS frame, or one with a feature that this server does not support."""


class Reader:
    """Every read consumes at least one byte, and never reads past the end. All of them raise Malformed."""

    __slots__ = ("_at", "_bytes", "_end", "_work")

    def __init__(self, data: bytes) -> None:
        self._bytes = data
        self._at = 0
        self._end = len(data)
        self._work = 0

    @property
    def position(self) -> int:
        return self._at

    def since(self, start: int) -> bytes:
        """The bytes read since `position` was `start`."""
        return self._bytes[start : self._at]

    def take(self, count: int) -> bytes:
        start = self._skip(count)
        return self._bytes[start : self._at]

    def uint(self, size: int) -> int:
        return int.from_bytes(self.take(size))

    def opaque(self) -> bytes:
        """opaque<V>"""
        return self.take(self._length())

    def skip_opaque(self) -> None:
        self._skip(self._length())

    def vector(self, read: "Callable[[Reader], T]") -> list[T]:
        """T<V>"""
        length = self._length()
        if length > self._end - self._at:
            raise Malformed("frame is truncated")
        outer_end, self._end = self._end, self._at + length
        found = []
        while self._at < self._end:
            self.spend(1)
            found.append(read(self))
        self._end = outer_end
        return found

    def spend(self, work: int) -> None:
        """Count work. Raises Malformed where a frame costs more than the largest useful one."""
        self._work += work
        if self._work > MAX_WORK:
            raise Malformed("frame has too many elements")

    def optional(self, read: "Callable[[Reader], T]") -> T | None:
        match self.uint(1):
            case 0:
                return None
            case 1:
                return read(self)
        raise Malformed("optional must begin with 0 or 1")

    def finish(self) -> None:
        if self._at != self._end:
            raise Malformed(f"{self._end - self._at} bytes after the end of the frame")

    def _skip(self, count: int) -> int:
        start = self._at
        if count > self._end - start:
            raise Malformed("frame is truncated")
        self._at = start + count
        return start

    def _length(self) -> int:
        """Section 2.1.2: the two highest bits give the size of the length, which must be the smallest possible."""
        at = self._at
        if at >= self._end:
            raise Malformed("frame is truncated")
        first = self._bytes[at]
        if first < 0x40:  # as most are
            self._at = at + 1
            return first
        prefix = first >> 6
        if prefix == 3:
            raise Malformed("length must not be encoded in eight bytes")
        size = 1 << prefix
        length = self.uint(size) & (1 << 8 * size - 2) - 1
        if length < 1 << 8 * (size >> 1) - 2:
            raise Malformed("length is not minimally encoded")
        return length


def read_all(data: bytes, read: Callable[[Reader], T]) -> T:
    """Read the whole of `data`. Raises Malformed, also where bytes remain."""
    reader = Reader(data)
    found = read(reader)
    reader.finish()
    return found


def opaque(data: bytes) -> bytes:
    """Written as opaque<V>."""
    length = len(data)
    if length < 1 << 6:
        return bytes([length]) + data
    if length < 1 << 14:
        return (length | 1 << 14).to_bytes(2) + data
    return (length | 1 << 31).to_bytes(4) + data

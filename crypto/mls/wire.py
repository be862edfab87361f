"""The TLS presentation language of RFC 9420 section 2, decoded strictly: each value has one encoding."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MAX_WORK = 60_000  # vector elements of a frame, plus the work that `spend` adds; parsing them takes 75 ms


class Malformed(ValueError):
    """Not an MLS frame, or one with a feature that this server does not support."""


class Reader:
    """Reads values from a frame, one after the other.

    Every value has at least one byte, so the loop of a vector ends. A read beyond the end of the frame or of the
    enclosing vector raises Malformed; the reader must not be used after it.
    """

    __slots__ = ("_at", "_bytes", "_end", "_work")

    def __init__(self, data: bytes) -> None:
        self._bytes = data
        self._at = 0
        self._end = len(data)
        self._work = 0

    @property
    def position(self) -> int:
        """The number of bytes read."""
        return self._at

    def since(self, start: int) -> bytes:
        """The bytes read since `position` was `start`."""
        return self._bytes[start : self._at]

    def take(self, count: int) -> bytes:
        """Read `count` bytes."""
        start = self._skip(count)
        return self._bytes[start : self._at]

    def uint(self, size: int) -> int:
        """Read an unsigned integer of `size` bytes, big-endian."""
        return int.from_bytes(self.take(size))

    def opaque(self) -> bytes:
        """Read opaque<V>: a length, then as many bytes."""
        return self.take(self._length())

    def skip_opaque(self) -> None:
        """Read opaque<V> without copying its bytes."""
        self._skip(self._length())

    def vector(self, read: "Callable[[Reader], T]") -> list[T]:
        """Read T<V>: a length in bytes, then elements, each by `read`, until exactly that length is consumed."""
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
        """Count work. Raises Malformed if the frame costs more than the largest useful one."""
        self._work += work
        if self._work > MAX_WORK:
            raise Malformed("frame has too many elements")

    def optional(self, read: "Callable[[Reader], T]") -> T | None:
        """Read optional<T>: a byte 0, or a byte 1 and what `read` reads."""
        match self.uint(1):
            case 0:
                return None
            case 1:
                return read(self)
        raise Malformed("optional must begin with 0 or 1")

    def finish(self) -> None:
        """Raise Malformed if bytes remain."""
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
        if first < 0x40:  # nearly every length
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
    """Read the whole of `data` by `read`. Raises Malformed, also if bytes remain."""
    reader = Reader(data)
    found = read(reader)
    reader.finish()
    return found


def opaque(data: bytes) -> bytes:
    """Encode `data` as opaque<V>."""
    length = len(data)
    if length < 1 << 6:
        return bytes([length]) + data
    if length < 1 << 14:
        return (length | 1 << 14).to_bytes(2) + data
    return (length | 1 << 31).to_bytes(4) + data

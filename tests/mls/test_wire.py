"""Lengths and the bound of work of MLS frames, at their borders."""

import pytest

from crypto.mls.wire import MAX_WORK, Malformed, Reader, opaque, read_all


@pytest.mark.parametrize(("length", "head"), [(0, 1), (63, 1), (64, 2), (2**14 - 1, 2), (2**14, 4), (2**16, 4)])
def test_length_is_encoded_in_the_smallest_size(length: int, head: int) -> None:
    data = opaque(bytes(length))
    assert len(data) == head + length
    assert read_all(data, Reader.opaque) == bytes(length)


@pytest.mark.parametrize("head", ["403f", "80003fff", "8000003f", "c000000000000040"])
def test_length_in_a_larger_size_is_refused(head: str) -> None:
    with pytest.raises(Malformed, match="encoded"):
        read_all(bytes.fromhex(head) + bytes(2**14), Reader.opaque)


def test_work_of_a_frame_is_bounded() -> None:
    reader = Reader(b"")
    reader.spend(MAX_WORK)
    with pytest.raises(Malformed, match="too many elements"):
        reader.spend(1)


def test_each_element_of_a_vector_is_work() -> None:
    assert len(read_all(opaque(bytes(MAX_WORK)), lambda reader: reader.vector(lambda one: one.uint(1)))) == MAX_WORK
    with pytest.raises(Malformed, match="too many elements"):
        read_all(opaque(bytes(MAX_WORK + 1)), lambda reader: reader.vector(lambda one: one.uint(1)))

"""Bytes that peers have sent, and that we hold until the rest has come."""

MAX_BYTES = 256 * 1024 * 1024
SMALL_BYTES = 64 * 1024


class MemoryBudget:
    """Counts what all peers of one kind hold in this process. When it is too much, those who hold little go on."""

    def __init__(self) -> None:
        self.bytes = 0

    def change(self, by: int) -> None:
        self.bytes += by

    def is_too_much(self, own_bytes: int) -> bool:
        return self.bytes > MAX_BYTES and own_bytes > SMALL_BYTES

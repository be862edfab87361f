"""A budget for incomplete bodies and frames, which are kept in memory until their rest arrives."""

MAX_BYTES = 256 * 1024 * 1024  # of all peers; above it, peers that hold more than SMALL_BYTES are refused
SMALL_BYTES = 64 * 1024


class MemoryBudget:
    """Counts the incomplete bytes of all peers of one kind in this process."""

    def __init__(self) -> None:
        self.bytes = 0

    def change(self, by: int) -> None:
        """Count `by` bytes more; a negative number releases them."""
        self.bytes += by

    def is_too_much(self, own_bytes: int) -> bool:
        """Whether a peer that holds `own_bytes` must be refused. Peers that hold little are always served."""
        return self.bytes > MAX_BYTES and own_bytes > SMALL_BYTES

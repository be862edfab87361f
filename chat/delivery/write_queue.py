"""The queue through which every entry of a log is stored."""

from collections.abc import Callable
from typing import Protocol

from chat.errors import ChatError
from chat.model.messages import Draft, EncryptedDraft, Entry

Done = Callable[[Entry | ChatError], None]


class WriteQueue(Protocol):
    """Stores drafts in the order of their submission, and publishes each entry after its commit."""

    @property
    def is_open(self) -> bool:
        """Whether the queue accepts drafts: the database is available and the server is not stopping."""
        ...

    def submit(self, draft: Draft | EncryptedDraft, done: Done) -> None:
        """Queue the draft. `done` is called once: with the entry after its commit, or with the error.

        Raises Busy, Unavailable at once, and then never calls `done`.
        """
        ...

    async def write(self, draft: Draft | EncryptedDraft) -> Entry:
        """Return the entry after its commit. Raises what `done` would get.

        Cancellation ends the wait only: the draft may still be stored.
        """
        ...

"""The one write path: the bounded queue, and the statements of a batch."""

"""Files that hold secrets."""

import os
from pathlib import Path


def write_private(file: Path, content: bytes) -> None:
    """Replace `file` atomically by one with mode 0600. The content is on disk before the rename. Raises OSError."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)

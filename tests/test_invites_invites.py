"""POST /invites: who may create an invite, and when."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chat.accounts.invites import plan_invite
from chat.errors import InviteRefused
from chat.model.accounts import InviteHistory
from testing.server import Person, RunningServer
from tests.conftest import Users

NOW = datetime(2026, 1, 18, 10, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


def history(made: int = 0, partners: int = 0, **rest: Any) -> InviteHistory:
    usual: dict[str, Any] = {"role": "user", "last_made_at": LONG_AGO if made else None, "active": False}
    return InviteHistory(**(usual | rest), made=made, partners=partners)


@pytest.mark.parametrize(
    "allowed",
    [
        pytest.param(history(), id="first, no partner"),
        pytest.param(history(1, 1), id="second, 1 partner"),
        pytest.param(history(2, 2), id="third, 2 partners"),
        pytest.param(history(3, 5), id="fourth, 5 partners"),
        pytest.param(history(4, 5), id="fifth, 5 partners"),
        pytest.param(history(1000, 5), id="1001st, 5 partners"),
        pytest.param(history(1, 1, last_made_at=NOW - timedelta(hours=24)), id="after exactly 24 hours"),
        pytest.param(history(9, 0, role="admin", active=True, last_made_at=NOW), id="admin"),
        pytest.param(history(9, 0, role="tester", active=True, last_made_at=NOW), id="tester"),
    ],
)
def test_invite_plan_is_allowed(allowed: InviteHistory) -> None:
    plan_invite(allowed, NOW)


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        pytest.param(history(1, 9, active=True), "active", id="one is active"),
        pytest.param(
            history(1, 9, last_made_at=NOW - timedelta(hours=24, microseconds=-1)), "24 hours", id="just under 24 hours"
        ),
        pytest.param(history(1, 9, last_made_at=NOW), "24 hours", id="a moment ago"),
        pytest.param(history(1, 9, last_made_at=NOW + timedelta(hours=1)), "24 hours", id="clock set back"),
        pytest.param(history(1, 0), "at least 1 ", id="second, no partner"),
        pytest.param(history(2, 1), "at least 2 ", id="third, 1 partner"),
        pytest.param(history(3, 4), "at least 5 ", id="fourth, 4 partners"),
        pytest.param(history(7, 4), "at least 5 ", id="eighth, 4 partners"),
    ],
)
def test_invite_plan_is_refused_with_its_reason(refused: InviteHistory, reason: str) -> None:
    with pytest.raises(InviteRefused, match=reason):
        plan_invite(refused, NOW)


async def create_invite(person: Person) -> int:
    answer = await person.api.post("/invites")
    if answer.status_code != 200:
        assert list(answer.json()) == ["error"]
    return answer.status_code


async def use_up_invites_of(person: Person) -> None:
    """Mark the active invites of `person` as used."""
    used = await person.server.sql(
        "UPDATE invites SET used_at = %s, used_by = %s WHERE created_by = %s AND used_at IS NULL RETURNING id",
        person.server.clock(),
        person.id,
        person.id,
    )
    assert used


async def test_invite_code_is_eight_upper_case_hex_digits(server: RunningServer) -> None:
    host = await server.person("host", role="admin")
    answers = [await host.api.post("/invites") for _ in range(5)]
    assert [list(answer.json()) for answer in answers] == [["invite_code"]] * 5
    codes = {answer.json()["invite_code"] for answer in answers}
    assert len(codes) == 5
    assert all(re.fullmatch("[0-9A-F]{8}", code) for code in codes)


async def test_invite_without_token_is_401(server: RunningServer) -> None:
    assert (await server.client().post("/invites")).status_code == 401


async def test_invite_while_one_is_active_is_403(server: RunningServer, users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await alice.posts("hello", to=bob)
    assert await create_invite(alice) == 200
    server.clock.forward(hours=25)
    assert await create_invite(alice) == 403  # still active
    await use_up_invites_of(alice)
    assert await create_invite(alice) == 200


async def test_invite_within_a_day_of_a_used_one_is_403(server: RunningServer, users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await alice.posts("hello", to=bob)
    assert await create_invite(alice) == 200
    await use_up_invites_of(alice)
    server.clock.forward(hours=23, minutes=59)
    assert await create_invite(alice) == 403
    server.clock.forward(minutes=1)
    assert await create_invite(alice) == 200


async def test_invite_after_an_expired_one_is_200(server: RunningServer, users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await alice.posts("hello", to=bob)
    assert await create_invite(alice) == 200
    server.clock.forward(days=6, hours=12)  # sessions end after seven days, as invites do
    assert await create_invite(alice) == 403
    await server.sql("UPDATE invites SET expires_at = %s WHERE created_by = %s", server.clock(), alice.id)
    assert await create_invite(alice) == 200


async def test_invite_later_ones_require_more_chat_partners(server: RunningServer, users: Users) -> None:
    alice, *others = await users("alice", "bob", "carol", "dave", "erin", "frank")
    needed = [0, 1, 2, 5, 5]
    for nth, partners in enumerate(needed):
        before = needed[nth - 1] if nth else 0
        for met in range(before, partners):
            assert await create_invite(alice) == 403, f"invite {nth + 1} with {met} partners"
            await alice.posts("hello", to=others[met])
            await alice.posts("hello again", to=others[met])  # the same person counts once
        assert await create_invite(alice) == 200, f"invite {nth + 1}"
        await use_up_invites_of(alice)
        server.clock.forward(hours=24)


async def test_invite_counts_partners_who_sent_or_received(server: RunningServer, users: Users) -> None:
    alice, bob = await users("alice", "bob")
    assert await create_invite(alice) == 200
    await use_up_invites_of(alice)
    server.clock.forward(hours=24)
    await alice.meets(bob)
    assert await create_invite(alice) == 403  # a conversation without messages does not count
    await bob.posts("hello", to=alice)
    assert await create_invite(alice) == 200


@pytest.mark.parametrize("role", ["admin", "tester"])
async def test_invite_of_admins_and_testers_is_not_limited(server: RunningServer, role: str) -> None:
    host = await server.person("host", role=role)
    assert [await create_invite(host) for _ in range(8)] == [200] * 8


async def test_invite_created_concurrently_gives_one(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    assert sorted(await asyncio.gather(*(create_invite(alice) for _ in range(10)))) == [200] + [403] * 9
    assert await server.sql("SELECT count(*) FROM invites WHERE created_by = %s", alice.id) == [(1,)]


async def test_invite_is_usable_immediately(server: RunningServer, users: Users) -> None:
    (alice,) = await users("alice")
    code = (await alice.api.post("/invites")).json()["invite_code"]
    body = {"username": f"guest_{alice.id}", "password": "long enough", "invite_code": code}
    answer = await server.client().post("/register", json=body)
    assert answer.status_code == 200
    assert await server.sql("SELECT invited_by FROM users WHERE id = %s", answer.json()["user_id"]) == [(alice.id,)]


async def test_invite_counts_partners_of_encrypted_conversations(server: RunningServer, users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    await server.sql(
        "WITH made AS (INSERT INTO conversations (kind, last_seq) VALUES ('encrypted', 1) RETURNING id)"
        " INSERT INTO members (conversation_id, user_id, state)"
        " SELECT id, unnest(%s::bigint[]), unnest('{joined,requested,ignored}'::text[]) FROM made RETURNING 1",
        [alice.id, bob.id, carol.id],
    )
    assert await create_invite(alice) == 200
    await use_up_invites_of(alice)
    server.clock.forward(hours=24)
    assert await create_invite(alice) == 403  # a request that was not accepted does not count
    await server.sql("UPDATE members SET state = 'joined' WHERE user_id = %s RETURNING 1", bob.id)
    assert await create_invite(alice) == 200
    await use_up_invites_of(alice)
    server.clock.forward(hours=24)
    assert await create_invite(alice) == 403  # the third invite requires two partners

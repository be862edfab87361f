"""Renewal of the current session."""

from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from chat.model.ids import SessionId
from store.sessions import Sessions
from testing.server import PASSWORD, Person, RunningServer
from tests.conftest import Users

RENEW = "/v2/sessions/current"


async def sessions(person: Person) -> list[dict[str, str]]:
    answer = await person.api.get("/v2/sessions")
    assert answer.status_code == 200, answer.text
    return list(answer.json())


async def test_session_renewed_every_six_days_is_kept(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    (before,) = await sessions(alice)
    for _ in range(3):
        server.clock.forward(days=6)
        renewed = await alice.api.put(RENEW)
        assert renewed.status_code == 200, renewed.text
    (after,) = await sessions(alice)
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"]), "the session is the same"
    assert after["expires_at"] == renewed.json()["expires_at"]
    assert timedelta(days=7) - timedelta(minutes=1) < datetime.fromisoformat(after["expires_at"]) - server.clock()


async def test_session_not_renewed_for_a_week_expires(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    server.clock.forward(days=7, minutes=1)
    assert (await alice.api.put(RENEW)).status_code == 401


async def test_session_renewal_gives_cookie_and_token_of_the_session(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    server.clock.forward(days=1)
    renewed = await alice.api.put(RENEW)
    token = renewed.json()["token"]
    assert renewed.headers["Set-Cookie"].startswith(f"Authorization={token}; HttpOnly; Max-Age=604800; Path=/;")
    stranger = server.client(headers={"Authorization": f"Bearer {token}"})
    (only,) = (await stranger.get("/v2/sessions")).json()
    assert (only["id"], only["current"]) == (str(alice.session_id), True)


async def test_session_renewal_does_not_shorten_the_lifetime(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    await server.sql("UPDATE sessions SET expires_at = expires_at + '90 days' WHERE id = %s", alice.session_id)
    (before,) = await sessions(alice)
    assert (await alice.api.put(RENEW)).json()["expires_at"] == before["expires_at"]


@pytest.mark.parametrize("whose", ["another user's", "current by its id", "unknown", "malformed"])
async def test_session_renewal_of_another_session_is_405(users: Users, whose: str) -> None:
    alice, bob = await users("alice", "bob")
    names = {
        "another user's": bob.session_id,
        "current by its id": alice.session_id,
        "unknown": uuid4(),
        "malformed": "x",
    }
    before = await sessions(bob)
    assert (await alice.api.put(f"/v2/sessions/{names[whose]}")).status_code == 405
    assert await sessions(bob) == before


async def test_session_renewal_after_logout_is_401(users: Users) -> None:
    (alice,) = await users("alice")
    assert (await alice.api.delete(RENEW, headers=alice.bearer)).status_code == 200
    assert (await alice.api.put(RENEW, headers=alice.bearer)).status_code == 401


async def test_session_that_ends_while_it_is_renewed_is_401(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    (alice,) = await users("alice")
    renew = Sessions.renew

    async def slow(self: Sessions, session_id: SessionId, now: datetime, expires_at: datetime) -> datetime | None:
        await self.end(alice.id, session_id)
        return await renew(self, session_id, now, expires_at)

    monkeypatch.setattr(Sessions, "renew", slow)
    answer = await alice.api.put(RENEW)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "Set-Cookie" not in answer.headers


async def test_session_renewal_from_a_foreign_page_is_403(users: Users) -> None:
    (alice,) = await users("alice")
    assert (await alice.api.put(RENEW, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403


# The cookie, in which browsers keep the session


def is_set(answer: httpx.Response) -> bool:
    (cookie,) = [one for one in answer.headers.get_list("Set-Cookie") if one.startswith("Authorization=")]
    return not cookie.startswith('Authorization="";')


async def test_session_cookie_is_set_at_registration_and_log_in(server: RunningServer) -> None:
    given = {"username": "alice", "password": PASSWORD}
    for path in ("/v2/accounts", "/v2/sessions"):
        answer = await server.client().post(path, json=given)
        assert answer.is_success, answer.text
        assert is_set(answer)


async def test_session_cookie_is_deleted_with_its_session(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    ends = [
        (alice, "/v2/sessions/current", None),
        (bob, f"/v2/sessions/{bob.session_id}", None),
        (carol, "/v2/account", {"password": PASSWORD}),
    ]
    for person, path, body in ends:
        answer = await person.api.request("DELETE", path, json=body)
        assert answer.status_code == 200, answer.text
        assert not is_set(answer)
    again = await alice.api.delete("/v2/sessions/current")
    assert again.status_code == 401
    assert not is_set(again), "a browser must lose a cookie that is not valid any more, too"


async def test_session_cookie_stays_when_another_session_ends(users: Users) -> None:
    (alice,) = await users("alice")
    other = await alice.again()
    answer = await alice.api.delete(f"/v2/sessions/{other.session_id}")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/v2/accounts", "/v2/sessions"])
async def test_log_in_from_a_foreign_page_is_403(server: RunningServer, path: str) -> None:
    """Another site must not log its visitors in to an account of its own."""
    given = {"username": "alice", "password": PASSWORD}
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = await server.client().post(path, json=given, headers=headers)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers

"""Shared state of the codes API and the invites API: accounts, sessions, conversations; two workers on one database."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from testing.server import PASSWORD, PATIENCE_S, SECRET, OpenSocket, Person, RunningServer
from tests.conftest import StartServer, Users

CURRENT_USER_PATHS = ["/me", "/api/users"]  # of the invites API and of the codes API
FOREIGN_ORIGIN = "https://evil.example"


async def status(server: RunningServer, path: str, headers: dict[str, str]) -> int:
    return (await server.client().get(path, headers=headers)).status_code


async def at_worker(server: RunningServer, person: Person) -> Person:
    """The same user with the same session, at another worker."""
    return replace(person, server=server, api=server.client(cookies={"Authorization": person.token}))


# One session at two APIs


@pytest.mark.parametrize("path", CURRENT_USER_PATHS)
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"Cookie": "Authorization={token}"}, 200, id="cookie"),
        pytest.param({"Authorization": "Bearer {token}"}, 200, id="bearer"),
        pytest.param({"Authorization": "bearer {token}"}, 200, id="scheme in lower case"),
        pytest.param({"Authorization": "Bearer {token}", "Cookie": "Authorization=bad"}, 200, id="bad cookie too"),
        pytest.param({"Authorization": "Bearer bad", "Cookie": "Authorization={token}"}, 401, id="bad bearer"),
        pytest.param({"Authorization": "Bearer", "Cookie": "Authorization={token}"}, 401, id="empty bearer"),
        pytest.param({"Authorization": "Basic {token}", "Cookie": "Authorization={token}"}, 401, id="wrong scheme"),
        pytest.param({"Authorization": "{token}", "Cookie": "Authorization={token}"}, 401, id="no scheme"),
        pytest.param({"Authorization": "", "Cookie": "Authorization={token}"}, 401, id="empty header"),
        pytest.param({"Cookie": "authorization={token}"}, 401, id="cookie of another name"),
        pytest.param({"Cookie": "Authorization=Bearer {token}"}, 401, id="scheme in the cookie"),
        pytest.param({}, 401, id="nothing"),
    ],
)
async def test_session_is_read_from_bearer_or_cookie(
    users: Users, server: RunningServer, path: str, headers: dict[str, str], expected: int
) -> None:
    (alice,) = await users("alice")
    sent = {name: value.format(token=alice.token) for name, value in headers.items()}
    assert await status(server, path, sent) == expected


async def test_account_of_one_api_works_at_the_other(server: RunningServer) -> None:
    client = server.client()
    name = f"user_{uuid4().hex[:12]}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    registered = await client.post("/api/auth/register", json=body)
    assert registered.status_code == 201
    assert (await client.get("/me")).json() == {"id": registered.json()["id"], "username": name}
    token = (await server.client().post("/login", json={"username": name, "password": PASSWORD})).json()["token"]
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"Authorization={token}"}):
        assert await status(server, "/api/users", headers) == 200


async def test_unauthenticated_401_is_the_same_for_every_token(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    now = server.clock()
    claims = {"sid": str(alice.session_id), "sub": str(alice.id), "iat": now, "exp": now + timedelta(days=1)}
    head, payload, signature = alice.token.split(".")
    forged = [
        jwt.encode(claims, "another secret " * 4, "HS256"),
        jwt.encode(claims, SECRET, "HS512"),
        jwt.encode(claims, None, "none"),
        jwt.encode(claims | {"sid": 5}, SECRET, "HS256"),
        jwt.encode(claims | {"sid": None}, SECRET, "HS256"),
        jwt.encode({"sub": "1", "exp": now}, SECRET, "HS256"),
        jwt.encode(claims | {"sid": str(uuid4())}, "another secret " * 4, "HS256"),
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{head}.{payload}.",
        f"{head}.{payload}",
        "W" * 40_000 + ".e30.AAAA",
        "garbage",
        "é",
    ]
    client = server.client()
    answers = [
        await client.get(path, headers={b"Authorization": f"Bearer {token}".encode()})  # type: ignore[dict-item]
        for path in CURRENT_USER_PATHS
        for token in forged
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    await server.sql("DELETE FROM sessions WHERE id = %s", alice.session_id)
    ended = await alice.api.get("/me")
    assert ended.status_code == 401
    assert alice.name not in ended.text


async def test_conversation_of_others_looks_like_a_missing_one(users: Users) -> None:
    alice, bob, eve = await users("alice", "bob", "eve")
    theirs = await alice.meets(bob)
    answers = [
        await eve.api.get("/api/chats/messages", params={"conversationId": str(conversation)})
        for conversation in (theirs, uuid4())
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text == answers[1].text
    refused = []
    for conversation in (theirs, str(uuid4())):
        with pytest.raises(InvalidStatus) as info:
            await eve.opens(conversation)
        refused.append((info.value.response.status_code, info.value.response.body))
    assert refused[0] == refused[1]


# One conversation at two APIs


async def test_invites_message_reaches_codes_sockets(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await alice.posts("posted", to=bob)
    await at_bob.receives("posted")
    await at_alice.receives_nothing(0.1)  # the sender gets no echo at either API
    await bob.posts("posted back", to=alice)
    await at_alice.receives("posted back")
    assert await alice.history(conversation) == ["posted back", "posted"]


async def test_codes_socket_message_is_shown_by_the_invites_api(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.sends("said")
    await at_bob.receives("said")
    (shown,) = (await bob.api.get("/messages", params={"user_id": alice.id})).json()
    assert (shown["sender_id"], shown["receiver_id"], shown["message"]) == (alice.id, bob.id, "said")
    assert (await bob.api.get("/messages/updates")).json()["all_messages"] == 1


async def test_invites_conversation_exists_at_the_codes_api(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    await alice.posts("hello", to=bob)
    code = (await bob.api.post("/api/chats/codes")).json()["code"]
    answer = await alice.api.post("/api/chats", json={"code": code})
    assert answer.status_code == 409
    assert await bob.history(answer.json()["conversation_id"]) == ["hello"]


# Pages of other sites


async def effects(person: Person) -> list[tuple[Any, ...]]:
    """Everything that the requests below would store."""
    return await person.server.sql(
        "SELECT 'conversation' FROM members WHERE user_id = %s"
        " UNION ALL SELECT 'code' FROM chat_codes WHERE user_id = %s"
        " UNION ALL SELECT 'invite' FROM invites WHERE created_by = %s"
        " UNION ALL SELECT bio FROM users WHERE id = %s AND bio IS NOT NULL",
        *[person.id] * 4,
    )


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        pytest.param({}, True, id="not a browser"),
        pytest.param({"Origin": "{own}"}, True, id="own origin"),
        pytest.param({"Origin": "{own}", "Sec-Fetch-Site": "same-origin"}, True, id="same-origin"),
        pytest.param({"Sec-Fetch-Site": "none"}, True, id="address bar"),
        pytest.param({"Origin": FOREIGN_ORIGIN}, False, id="foreign origin"),
        pytest.param({"Origin": "null"}, False, id="origin null"),
        pytest.param({"Origin": ""}, False, id="origin empty"),
        pytest.param({"Origin": "{own}0"}, False, id="other port"),
        pytest.param({"Origin": "{own}.evil.example"}, False, id="own origin as prefix"),
        pytest.param({"Origin": FOREIGN_ORIGIN, "Sec-Fetch-Site": "cross-site"}, False, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, False, id="cross-site without origin"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, False, id="same-site"),
    ],
)
async def test_cookie_from_a_foreign_page_is_refused(
    users: Users, server: RunningServer, headers: dict[str, str], passes: bool
) -> None:
    alice, bob = await users("alice", "bob")
    sent = {name: value.format(own=server.http) for name, value in headers.items()}
    requests: list[tuple[str, str, Any]] = [
        ("GET", f"/conversation/start?user_id={bob.id}", None),
        ("POST", "/messages", {"receiver_id": bob.id, "message": "hello"}),
        ("POST", "/invites", None),
        ("POST", "/api/chats/codes", None),
        ("PATCH", "/api/users", {"password": PASSWORD, "bio": "changed"}),
    ]
    assert await effects(alice) == []
    for method, path, body in requests:
        answer = await alice.api.request(method, path, json=body, headers=sent)
        assert (answer.status_code < 300) is passes, f"{path}: {answer.status_code} {answer.text}"
        if not passes:
            assert answer.status_code == 403
            assert list(answer.json()) == ["error"]
    assert len(await effects(alice)) == (4 if passes else 0)


async def test_bearer_token_from_a_foreign_page_is_accepted(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    headers = {"Origin": FOREIGN_ORIGIN, "Sec-Fetch-Site": "cross-site"} | alice.bearer
    body = {"receiver_id": bob.id, "message": "hello"}
    assert (await server.client().post("/messages", json=body, headers=headers)).status_code == 200


# Two workers


async def test_workers_deliver_messages_in_order_and_once(server: RunningServer, start_server: StartServer) -> None:
    alice, bob = await server.person("alice"), await server.person("bob")
    other_server = await start_server()
    assert other_server.http != server.http
    bob_elsewhere, alice_elsewhere = await at_worker(other_server, bob), await at_worker(other_server, alice)
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob_elsewhere.opens(conversation)
    also_bob, also_alice = await bob.opens(conversation), await alice_elsewhere.opens(conversation)
    sent_by_alice, sent_by_bob = [f"a{nth}" for nth in range(200)], [f"b{nth}" for nth in range(200)]

    async def send_all(socket: OpenSocket, texts: list[str]) -> None:
        for text in texts:
            await socket.sends(text)
            await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(
            send_all(at_alice, sent_by_alice),
            send_all(at_bob, sent_by_bob),
            at_alice.receives(*sent_by_bob),
            also_alice.receives(*sent_by_bob),
            at_bob.receives(*sent_by_alice),
            also_bob.receives(*sent_by_alice),
        )
    await asyncio.gather(*(socket.receives_nothing() for socket in (at_alice, also_alice, at_bob, also_bob)))
    log = await server.sql("SELECT seq, content FROM messages WHERE conversation_id = %s ORDER BY seq", conversation)
    assert [seq for seq, _ in log] == list(range(1, 401))
    assert [text for _, text in log if text[0] == "a"] == sent_by_alice
    assert [text for _, text in log if text[0] == "b"] == sent_by_bob


async def test_workers_share_the_unread_messages(server: RunningServer, start_server: StartServer) -> None:
    alice, bob = await server.person("alice"), await server.person("bob")
    bob_elsewhere = await at_worker(await start_server(), bob)
    await alice.posts("hello", to=bob)
    assert (await bob_elsewhere.api.get("/messages/updates")).json()["all_messages"] == 1
    assert (await bob.api.get("/messages/updates")).json()["all_messages"] == 0


async def test_workers_close_sockets_of_a_session_ended_elsewhere(
    server: RunningServer, start_server: StartServer
) -> None:
    alice, bob = await server.person("alice"), await server.person("bob")
    conversation = await alice.meets(bob)
    other_server = await start_server()
    at_bob = await (await at_worker(other_server, bob)).opens(conversation)
    at_alice = await (await at_worker(other_server, alice)).opens(conversation)
    login = await server.client().post("/login", json={"username": bob.name, "password": PASSWORD})
    other_session = {"Authorization": f"Bearer {login.json()['token']}"}
    changes = {"password": PASSWORD, "new_password": "Another1pass"}
    changed = await server.client().patch("/api/users", json=changes, headers=other_session)
    assert changed.status_code == 200
    await at_bob.is_closed_with(1008)
    assert await status(other_server, "/me", bob.bearer) == 401
    assert await status(other_server, "/me", other_session) == 200
    await at_alice.receives_nothing(0.1)
    assert at_alice.socket.close_code is None  # only Bob's sockets were closed

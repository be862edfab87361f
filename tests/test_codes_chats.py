"""Chat codes: create, delete, and redeem once to start a conversation."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from chat.accounts import chat_codes
from testing.server import Person, RunningServer
from tests.conftest import StartServer, Users

FIRST, LAST = 10_000, 65_535


async def new_code(person: Person) -> int:
    answer = await person.api.post("/api/chats/codes")
    assert answer.status_code == 201, answer.text
    return int(answer.json()["code"])


async def delete(person: Person, body: Any) -> httpx.Response:
    return await person.api.request("DELETE", "/api/chats/codes", json=body)


async def redeem(person: Person, body: Any) -> httpx.Response:
    return await person.api.post("/api/chats", json=body)


async def stored_codes(server: RunningServer, person: Person) -> set[int]:
    return {code for (code,) in await server.sql("SELECT code FROM chat_codes WHERE user_id = %s", person.id)}


async def conversations_of(server: RunningServer, *people: Person) -> list[str]:
    pair = sorted(person.id for person in people)
    found = await server.sql("SELECT id FROM conversations WHERE user_id_1 = %s AND user_id_2 = %s", *pair)
    return [str(id_) for (id_,) in found]


async def unknown_code(server: RunningServer) -> int:
    taken = {code for (code,) in await server.sql("SELECT code FROM chat_codes")}
    return next(code for code in range(FIRST, LAST + 1) if code not in taken)


async def test_code_has_five_digits_and_fits_into_u16(users: Users) -> None:
    [alice] = await users("alice")
    answer = await alice.api.post("/api/chats/codes")
    assert answer.status_code == 201
    assert answer.json() == {"message": "Chat code created successfully", "code": answer.json()["code"]}
    assert FIRST <= answer.json()["code"] <= LAST


async def test_codes_are_drawn_from_the_whole_range(users: Users) -> None:
    """32 codes miss the lower or the upper half of the range once in two thousand million runs."""
    codes = [await new_code(person) for person in await users(*["alice"] * 8) for _ in range(4)]
    middle = (FIRST + LAST) // 2
    assert all(FIRST <= code <= LAST for code in codes)
    assert min(codes) < middle < max(codes)
    assert len(set(codes)) == len(codes)


async def test_codes_are_at_most_five_until_one_is_deleted(users: Users, server: RunningServer) -> None:
    [alice] = await users("alice")
    codes = [await new_code(alice) for _ in range(5)]
    refused = await alice.api.post("/api/chats/codes")
    assert (refused.status_code, list(refused.json())) == (400, ["error"])
    assert await stored_codes(server, alice) == set(codes)
    assert (await delete(alice, {"code": codes[0]})).status_code == 200
    await new_code(alice)


async def test_codes_created_concurrently_are_at_most_five(users: Users, server: RunningServer) -> None:
    [alice] = await users("alice")
    answers = await asyncio.gather(*(alice.api.post("/api/chats/codes") for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [400] * 15
    made = {answer.json()["code"] for answer in answers if answer.status_code == 201}
    assert await stored_codes(server, alice) == made
    assert len(made) == 5


async def test_codes_are_refused_while_all_are_in_use(
    start_server: StartServer, own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_codes, "LAST", chat_codes.FIRST + 1)
    server = await start_server(url=own_database_url)
    alice, bob = await server.person("alice"), await server.person("bob")
    made = {(await alice.api.post("/v2/codes")).json()["code"] for _ in range(2)}
    assert made == {chat_codes.FIRST, chat_codes.LAST}
    refused = await bob.api.post("/v2/codes")
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")


async def test_code_expires_after_a_day(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    early = await new_code(alice)
    server.clock.forward(hours=1)
    late = [await new_code(alice) for _ in range(4)]
    server.clock.forward(hours=23)
    assert (await redeem(bob, {"code": early})).status_code == 404
    assert (await delete(alice, {"code": early})).status_code == 404
    await new_code(alice)  # an expired code does not count
    assert (await alice.api.post("/api/chats/codes")).status_code == 400
    server.clock.forward(minutes=59)
    assert (await redeem(bob, {"code": late[0]})).status_code == 201


async def test_code_once_deleted_is_404(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    code = await new_code(alice)
    answer = await delete(alice, {"code": code})
    assert answer.status_code == 200
    assert answer.json() == {"message": "Chat code deleted successfully", "conversation_id": None}
    assert (await delete(alice, {"code": code})).status_code == 404
    assert (await redeem(bob, {"code": code})).status_code == 404


async def test_code_of_another_user_cannot_be_deleted(users: Users, server: RunningServer) -> None:
    alice, bob = await users("alice", "bob")
    code = await new_code(alice)
    answer = await delete(bob, {"code": code})
    assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert await stored_codes(server, alice) == {code}


async def test_code_redeemed_starts_a_conversation_and_is_used(users: Users, server: RunningServer) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    code = await new_code(alice)
    answer = await redeem(bob, {"code": code})
    assert answer.status_code == 201
    conversation = answer.json()["conversation_id"]
    assert answer.json() == {"message": "Conversation created successfully", "conversation_id": str(UUID(conversation))}
    assert await conversations_of(server, alice, bob) == [conversation]
    assert await alice.history(conversation) == await bob.history(conversation) == []
    assert (await redeem(carol, {"code": code})).status_code == 404


async def test_code_redeemed_by_its_owner_is_400_and_kept(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    code = await new_code(alice)
    answer = await redeem(alice, {"code": code})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert (await redeem(bob, {"code": code})).status_code == 201


async def test_code_redeemed_in_a_known_pair_is_409_with_the_id(users: Users) -> None:
    alice, bob, carol = await users("alice", "bob", "carol")
    conversation = await alice.meets(bob)
    for owner, other in ((alice, bob), (bob, alice)):
        code = await new_code(owner)
        answer = await redeem(other, {"code": code})
        assert (answer.status_code, set(answer.json())) == (409, {"error", "conversation_id"})
        assert answer.json()["conversation_id"] == conversation
        assert (await redeem(carol, {"code": code})).status_code == 201


BAD_BODIES = [{}, [], {"code": None}, {"code": "12345"}, {"code": 12345.5}, {"code": -1}, {"code": 65_536}]


@pytest.mark.parametrize("body", BAD_BODIES, ids=repr)
async def test_code_missing_or_malformed_is_400(users: Users, body: Any) -> None:
    [alice] = await users("alice")
    for answer in (await redeem(alice, body), await delete(alice, body)):
        assert (answer.status_code, list(answer.json())) == (400, ["error"])


async def test_code_unknown_is_404(users: Users, server: RunningServer) -> None:
    [alice] = await users("alice")
    for code in (await unknown_code(server), 0, 9_999):
        for answer in (await redeem(alice, {"code": code}), await delete(alice, {"code": code})):
            assert (answer.status_code, list(answer.json())) == (404, ["error"])


async def test_codes_without_session_are_401(users: Users, server: RunningServer) -> None:
    [alice] = await users("alice")
    code, client = await new_code(alice), server.client()
    for method, path in (("POST", "/api/chats/codes"), ("DELETE", "/api/chats/codes"), ("POST", "/api/chats")):
        answer = await client.request(method, path, json={"code": code})
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
    assert await stored_codes(server, alice) == {code}


async def test_code_redeemed_concurrently_succeeds_once(users: Users, server: RunningServer) -> None:
    alice, *others = await users("alice", *["other"] * 10)
    code = await new_code(alice)
    answers = await asyncio.gather(*(redeem(other, {"code": code}) for other in others))
    assert sorted(answer.status_code for answer in answers) == [201] + [404] * 9
    found = await server.sql("SELECT count(*) FROM conversations WHERE %s IN (user_id_1, user_id_2)", alice.id)
    assert found == [(1,)]


async def test_codes_redeemed_mutually_give_one_conversation(users: Users, server: RunningServer) -> None:
    for _ in range(5):
        alice, bob = await users("alice", "bob")
        for_bob, for_alice = await new_code(alice), await new_code(bob)
        answers = await asyncio.gather(redeem(bob, {"code": for_bob}), redeem(alice, {"code": for_alice}))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        [conversation] = await conversations_of(server, alice, bob)
        assert {answer.json()["conversation_id"] for answer in answers} == {conversation}


async def test_codes_of_one_user_redeemed_together_start_one_chat(users: Users, server: RunningServer) -> None:
    for _ in range(5):
        alice, bob = await users("alice", "bob")
        codes = [await new_code(alice), await new_code(alice)]
        answers = await asyncio.gather(*(redeem(bob, {"code": code}) for code in codes))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert len(await conversations_of(server, alice, bob)) == 1
        assert len(await stored_codes(server, alice)) == 1, "the refused code is kept"

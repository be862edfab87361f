"""The codes API's WebSocket."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.conftest import Cast
from tests.house import House


async def test_two_people_talk_live(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    await at_alice.says("hello")
    await at_bob.hears("hello")
    await at_bob.says("how are you?")
    await at_alice.hears("how are you?")
    assert await alice.history(conversation) == ["how are you?", "hello"]


async def test_none_of_the_senders_own_sockets_hears_the_message(cast: Cast) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    laptop, phone = await alice.opens(conversation), await alice.opens(conversation)
    at_bob = await bob.opens(conversation)
    await laptop.says("to bob")
    await at_bob.hears("to bob")
    await laptop.hears_nothing()
    await phone.hears_nothing()


async def test_a_stranger_is_refused_with_401(cast: Cast) -> None:
    alice, bob, eve = await cast("alice", "bob", "eve")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await eve.opens(conversation)
    assert refused.value.response.status_code == 401


async def test_a_foreign_origin_is_refused_with_403(cast: Cast, house: House) -> None:
    alice, bob = await cast("alice", "bob")
    conversation = await alice.meets(bob)
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation, Origin="https://evil.example")
    assert refused.value.response.status_code == 403
    await alice.opens(conversation, Origin=house.http)

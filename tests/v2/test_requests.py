"""Message requests and blocks: what an answer changes, and that the other devices of the account follow it."""

import pytest

from tests.conftest import Users
from tests.v2.devices import DeviceSocket, listens
from tests.v2.mls import MlsDevice, MlsGroup, device, group_of
from tests.v2.test_group_events import frame_of, says


async def state_of(one: MlsDevice, group: MlsGroup) -> str:
    shown = (await one.session.api.get("/v2/conversations")).json()
    (state,) = [each["state"] for each in shown if each["id"] == str(group.id)]
    return str(state)


async def answers(one: MlsDevice, group: MlsGroup, state: str) -> None:
    answer = await one.session.api.put(f"{group.path}/state", json={"state": state})
    assert answer.status_code == 200, answer.text


async def hears(line: DeviceSocket, *seqs: int) -> bool:
    return [(await frame_of(line, "entry"))["seq"] for _ in seqs] == list(seqs)


async def says_until_unheard(by: MlsDevice, group: MlsGroup, line: DeviceSocket) -> list[int]:
    """Talk until a socket, which follows a change late, hears nothing. Return the places of the messages."""
    said = []
    for _ in range(20):
        said.append(await says(by, group))
        try:
            await line.receives_nothing()
        except AssertionError:
            continue
        return said
    raise AssertionError("the socket still hears the conversation")


@pytest.mark.parametrize("answer", ["joined", "ignored"])
async def test_accepted_request_alone_makes_contacts(users: Users, answer: str) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(bob, alice)
    assert await state_of(alice, group) == "requested"
    await answers(alice, group, answer)
    assert await state_of(alice, group) == answer
    assert await state_of(alice, await group_of(bob, alice)) == ("joined" if answer == "joined" else "requested")


async def test_other_devices_follow_an_answer_to_a_request(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(bob, alice)
    line = await listens(alice.session)
    first = await says(bob, group)
    assert await hears(line, first), "a request is shown with its messages"
    elsewhere = MlsDevice(await alice.session.again(), alice.id, alice.signer)
    await answers(elsewhere, group, "ignored")
    ignored = await says_until_unheard(bob, group, line)
    await answers(elsewhere, group, "joined")
    assert await hears(line, first, *ignored), "none was acknowledged"


async def test_block_hides_a_conversation_until_unblocked(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(bob, alice)
    await answers(alice, group, "joined")
    line = await listens(alice.session)
    block = f"/v2/blocks/{bob.session.uuid}"
    assert (await alice.session.api.put(block)).status_code == 200
    assert await state_of(alice, group) == "blocked"
    hidden = await says_until_unheard(bob, group, line)
    assert (await alice.session.api.delete(block)).status_code == 200
    assert await state_of(alice, group) == "requested"
    assert await hears(line, *hidden)

"""The v2 socket of a device in encrypted groups: what it sends, stores and stops sending."""

import asyncio
import secrets
from base64 import b64decode, b64encode
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from chat.delivery.hub import Hub
from chat.errors import Unavailable
from handlers.websocket.connections import UNSETTLED_MAX
from store.groups import Groups
from testing.raw import Raw
from testing.server import PATIENCE_S, connect, until
from tests.conftest import Users
from tests.test_frames import frame
from tests.v2.devices import DeviceSocket, listens
from tests.v2.direct import assert_refused
from tests.v2.mls import MlsDevice, MlsGroup, device, group_of
from tests.v2.test_group_events import entries_at_connection, frame_of, says

MIB = 1024 * 1024


async def two_in_a_group(users: Users) -> tuple[MlsDevice, MlsDevice, MlsGroup]:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    group = await group_of(alice, bob)
    return alice, bob, group


def send_frame(group: MlsGroup, id_: str | None = None) -> dict[str, Any]:
    place = {"conversation": str(group.id), "epoch": group.epoch}
    return {"type": "send", "id": id_ or secrets.token_hex(16), "data": group.message()} | place


async def sends(line: DeviceSocket, group: MlsGroup, id_: str | None = None) -> dict[str, Any]:
    sent = send_frame(group, id_)
    await line.sends(msgspec.json.encode(sent).decode())
    return sent


async def accepts(one: MlsDevice, group: MlsGroup) -> None:
    answer = await one.session.api.put(f"{group.path}/state", json={"state": "joined"})
    assert answer.status_code == 200, answer.text


async def test_group_message_reaches_both_sides_in_one_frame(users: Users) -> None:
    alice, bob, group = await two_in_a_group(users)
    at_alice, at_bob = await listens(alice.session), await listens(bob.session)
    sent = await sends(at_alice, group)
    own, other = await at_alice.next(), await frame_of(at_bob, "entry")
    shared = {"type": "entry", "conversation": str(group.id), "epoch": 1, "kind": "application", "sender": alice.hex}
    shared |= {"seq": own["seq"], "at": own["at"]}
    assert own == shared | {"id": sent["id"]}, "its author cannot read it, and knows it by its id"
    assert other == shared | {"data": sent["data"]}
    await at_alice.receives_nothing()


async def test_group_message_sent_again_is_confirmed_and_stored_once(users: Users) -> None:
    alice, _, group = await two_in_a_group(users)
    line = await listens(alice.session)
    sent = await sends(line, group)
    entry = await line.next()
    await sends(line, group, sent["id"])
    assert await line.next() == {"type": "sent", "id": sent["id"], "seq": entry["seq"], "at": entry["at"]}
    assert await says(alice, group) == entry["seq"] + 1


async def test_group_message_refused_is_answered_with_its_code(users: Users) -> None:
    """The first is refused before it is queued, the second when its batch is stored."""
    alice, _, group = await two_in_a_group(users)
    line = await listens(alice.session)
    stale = {"epoch": 0, "data": group.message(epoch=0)}
    for broken, code in (({"conversation": str(uuid4())}, "wrong_group"), (stale, "stale_epoch")):
        sent = send_frame(group) | broken
        await line.sends(msgspec.json.encode(sent).decode())
        answer = await line.next()
        assert (answer["type"], answer["id"], answer["code"]) == ("refused", sent["id"], code)


@pytest.mark.parametrize(("kind", "stores"), [("ack", "acknowledge"), ("typing", "typing")])
async def test_socket_stays_open_when_a_frame_cannot_be_stored(
    users: Users, monkeypatch: pytest.MonkeyPatch, kind: str, stores: str
) -> None:
    """Neither is answered: the device gets the entries again, and the next `typing` may arrive."""
    tried = asyncio.Event()

    async def unavailable(*_: object) -> None:
        tried.set()
        raise Unavailable("The database is unavailable", 1)

    monkeypatch.setattr(Groups, stores, unavailable)
    (alice,) = await users("alice")
    line = await listens(alice)
    await line.sends(msgspec.json.encode({"type": kind, "conversation": str(uuid4()), "seq": 1}).decode())
    await asyncio.wait_for(tried.wait(), PATIENCE_S)
    await line.sends('{"type":"ping"}')
    assert await line.next() == {"type": "pong"}


async def test_group_messages_beyond_the_quota_are_stored_in_order(users: Users) -> None:
    alice, _, group = await two_in_a_group(users)
    line = await listens(alice.session)
    sent = [(await sends(line, group))["id"] for _ in range(3 * UNSETTLED_MAX)]
    assert [(await line.next())["id"] for _ in sent] == sent


async def test_new_member_gets_a_welcome_live_and_at_connection(users: Users) -> None:
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    line = await listens(bob.session)
    group = await group_of(alice, bob)
    welcome = await frame_of(line, "welcome")
    (waiting,) = (await bob.session.api.get("/v2/welcomes")).json()
    assert (welcome["conversation"], welcome["data"]) == (str(group.id), waiting["data"])
    assert b64decode(welcome["data"], validate=True)
    later = await listens_from_the_start(bob)
    assert (await later.next())["type"] == "welcome"
    await line.receives_nothing()


async def listens_from_the_start(one: MlsDevice) -> DeviceSocket:
    """Another connection, of which nothing was received yet."""
    address = f"{one.session.server.http.replace('http', 'ws')}/v2/socket"
    line = DeviceSocket(await connect(address, {"Cookie": f"Authorization={one.session.token}"}))
    one.session.server.sockets.append(line)
    return line


@pytest.mark.parametrize("way", ["removed", "leaves"])
async def test_device_hears_nothing_after_it_is_out_of_the_group(users: Users, way: str) -> None:
    alice, bob, group = await two_in_a_group(users)
    await accepts(bob, group)
    line = await listens(bob.session)
    seq = await says(alice, group)
    assert (await frame_of(line, "entry"))["seq"] == seq
    if way == "leaves":
        assert (await bob.session.api.post(f"{group.path}/leave", json={})).status_code == 200
        assert (await frame_of(line, "entry"))["kind"] == "left"
    removal = await group.commit(alice, remove=(bob,), read=seq).sent_by(alice.session)
    assert removal.status_code == 200, removal.text
    if way == "removed":
        assert (await frame_of(line, "entry"))["seq"] == removal.json()["seq"]
    await says(alice, group)
    await line.receives_nothing()


@pytest.mark.parametrize("way", ["closes", "is removed", "ignores"])
async def test_socket_unsubscribes_from_groups_at_their_end(
    users: Users, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    hubs: list[Hub] = []
    subscribe = Hub.subscribe

    async def noted(self: Hub, *given: Any) -> None:
        hubs.append(self)
        await subscribe(self, *given)

    monkeypatch.setattr(Hub, "subscribe", noted)
    alice, bob, group = await two_in_a_group(users)
    line = await listens(bob.session)
    assert any(group.id in hub._channels for hub in hubs)
    if way == "closes":
        await line.leaves()
    elif way == "is removed":
        assert (await group.commit(alice, remove=(bob,)).sent_by(alice.session)).status_code == 200
    else:
        answer = await bob.session.api.put(f"{group.path}/state", json={"state": "ignored"})
        assert answer.status_code == 200, answer.text

    async def is_forgotten() -> bool:
        return all(group.id not in hub._channels for hub in hubs)

    await until(is_forgotten)


async def test_socket_that_closes_while_it_starts_stops_reading(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def memberships(*_: object) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    monkeypatch.setattr(Groups, "memberships", memberships)
    alice = await device((await users("alice"))[0])
    line = await listens_from_the_start(alice)
    await asyncio.wait_for(started.wait(), PATIENCE_S)
    await line.leaves()
    await asyncio.wait_for(stopped.wait(), PATIENCE_S)


async def test_socket_reads_no_message_after_its_close_frame(users: Users) -> None:
    alice, bob, group = await two_in_a_group(users)
    at_alice, at_bob = await listens(alice.session), await listens(bob.session)
    in_time, late = (msgspec.json.encode(send_frame(group)) for _ in range(2))
    at_alice.socket.transport.write(frame(0x1, in_time) + frame(0x2, b"") + frame(0x1, late))
    await at_alice.is_closed_with(1003)
    await frame_of(at_bob, "entry")
    await at_bob.receives_nothing()


async def test_entries_come_once_when_memberships_change(users: Users) -> None:
    alice, bob, group = await two_in_a_group(users)
    line = await listens(bob.session)
    await says(alice, group)
    await frame_of(line, "entry")
    other = await group_of(alice, bob)
    assert (await frame_of(line, "welcome"))["conversation"] == str(other.id)
    await line.receives_nothing()


async def test_acknowledgements_over_the_limit_wait(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = asyncio.Event()

    async def acknowledge(*_: object) -> None:
        await stored.wait()

    monkeypatch.setattr("handlers.v2.socket.ACKS_MAX", 2)
    monkeypatch.setattr(Groups, "acknowledge", acknowledge)
    (alice,) = await users("alice")
    line = await listens(alice)
    for _ in range(2):
        await line.sends(msgspec.json.encode({"type": "ack", "conversation": str(uuid4()), "seq": 1}).decode())
        await line.sends('{"type":"ping"}')
    assert await line.next() == {"type": "pong"}
    await line.receives_nothing()
    stored.set()
    assert await line.next() == {"type": "pong"}


async def test_acknowledgements_before_a_close_are_stored(users: Users) -> None:
    alice, bob, group = await two_in_a_group(users)
    line = await listens(bob.session)
    first, second, third = [await says(alice, group) for _ in range(3)]
    for seq in (second, first):  # the higher one counts, whatever their order
        await line.sends(msgspec.json.encode({"type": "ack", "conversation": str(group.id), "seq": seq}).decode())
    await line.leaves()

    async def is_stored() -> bool:
        rows = await bob.session.server.sql("SELECT acked_seq FROM leaves WHERE device_id = %s", bob.id)
        return rows == [(second,)]

    await until(is_stored)
    assert await entries_at_connection(bob.session) == [third]


async def test_typing_is_passed_on_at_most_once_a_second(users: Users) -> None:
    alice, bob, group = await two_in_a_group(users)
    at_alice, at_bob = await listens(alice.session), await listens(bob.session)
    typing = msgspec.json.encode({"type": "typing", "conversation": str(group.id)}).decode()
    for _ in range(3):
        await at_alice.sends(typing)
    expected = {"type": "typing", "conversation": str(group.id), "user": str(alice.session.uuid)}
    assert await frame_of(at_bob, "typing") == expected
    await at_bob.receives_nothing()
    await asyncio.sleep(1)
    await at_alice.sends(typing)
    assert await frame_of(at_bob, "typing") == expected


async def test_sockets_of_a_device_are_bounded(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.v2.socket.DEVICE_SOCKETS_MAX", 2)
    (alice,) = await users("alice")
    first, _ = [await listens(alice) for _ in range(2)]
    with pytest.raises(InvalidStatus) as refused:
        await listens(alice)
    assert refused.value.response.status_code == 429
    await first.leaves()
    await listens(alice)


@pytest.mark.parametrize(
    ("id_", "is_valid"),
    [
        *[("0000000000000001", True), ("7fffffffffffffff", True)],
        *[("0000000000000000", False), ("8000000000000000", False), ("000000000000000A", False)],
        *[("000000000000001", False), ("00000000000000001", False), ("", False), ("000000000000000_", False)],
    ],
)
async def test_device_id_is_16_hex_digits_above_zero(users: Users, id_: str, is_valid: bool) -> None:
    (alice,) = await users("alice")
    key = b64encode(secrets.token_bytes(32)).decode()
    answer = await alice.api.post("/v2/devices", json={"id": id_, "name": "Laptop", "signature_key": key})
    if is_valid:
        assert answer.status_code == 201, answer.text
        (shown,) = (await alice.api.get("/v2/devices")).json()
        assert shown["id"] == id_
    else:
        assert_refused(answer, 400, "invalid")


async def test_device_that_reads_slowly_receives_many_welcomes(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server waits for it between two welcomes, instead of closing the connection over its send buffer."""
    monkeypatch.setattr("handlers.websocket.send_buffer.MAX_UNSENT_BYTES", 3 * MIB)
    alice, bob = [await device(one) for one in await users("alice", "bob")]
    groups = [await group_of(alice, bob) for _ in range(12)]
    server = bob.session.server
    await server.sql("UPDATE welcomes SET data = convert_to(repeat('x', %s), 'UTF8')", MIB)
    raw = await Raw.upgraded(server.http, "/v2/socket", bob.session.token, receive_bytes=1 << 16)
    await asyncio.sleep(0.5)  # it does not read
    shown = []
    while (received := msgspec.json.decode((await raw.frame())[1]))["type"] != "ready":
        shown.append(received)
    assert [one["type"] for one in shown] == ["welcome"] * len(groups)
    raw.writer.close()

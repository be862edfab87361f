"""Bounds for each account: open sockets, and messages that wait for their commit."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from websockets.exceptions import InvalidStatus

from chat.delivery.hub import Hub
from chat.direct.messages import Messages
from chat.errors import Unavailable
from chat.model.ids import SessionId
from handlers.websocket.connections import UNSETTLED_MAX, AccountQuota, Connection, Connections
from testing.raw import Raw
from testing.server import PATIENCE_S, until
from tests.conftest import Users
from tests.test_frames import frame
from tests.v2.devices import listens
from tests.v2.mls import device


async def test_sockets_over_the_limit_of_an_account_are_429(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.websocket.connections.ACCOUNT_SOCKETS_MAX", 3)
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    sockets = [await alice.opens(conversation) for _ in range(3)]
    with pytest.raises(InvalidStatus) as refused:
        await alice.opens(conversation)
    assert refused.value.response.status_code == 429
    with pytest.raises(InvalidStatus) as refused:
        await listens(alice)
    assert refused.value.response.status_code == 429, "the sockets of all APIs count together"
    at_bob = await bob.opens(conversation)
    await sockets[0].leaves()
    again = await alice.opens(conversation)
    with pytest.raises(InvalidStatus):
        await alice.opens(conversation)
    await again.sends("hello")
    await at_bob.receives("hello")


async def test_sockets_of_one_account_sending_at_once_lose_nothing(users: Users) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    sockets = [await alice.opens(conversation) for _ in range(10)]

    async def send_all(number: int) -> None:
        for n in range(3 * UNSETTLED_MAX):
            await sockets[number].sends(f"{number} {n}")

    talking = asyncio.gather(*map(send_all, range(len(sockets))))
    heard = [await asyncio.wait_for(at_bob.socket.recv(), PATIENCE_S) for _ in range(10 * 3 * UNSETTLED_MAX)]
    await talking
    for number in range(len(sockets)):
        own = [text for text in heard if str(text).startswith(f"{number} ")]
        assert own == [f"{number} {n}" for n in range(3 * UNSETTLED_MAX)]


async def test_account_quota_admits_waiters_in_order() -> None:
    quota, admitted = AccountQuota(), []
    for _ in range(UNSETTLED_MAX):
        assert quota.has_room
        quota.submitted()
    assert not quota.has_room

    async def wait(name: str) -> None:
        await quota.turn()
        quota.submitted()
        admitted.append(name)

    waiting = [asyncio.create_task(wait(name)) for name in ("first", "cancelled", "third")]
    await asyncio.sleep(0)
    waiting[1].cancel()
    quota.next()
    await asyncio.sleep(0.01)
    assert admitted == [], "there is no room"
    quota.settled()
    assert not quota.has_room, "the third one waits"
    await asyncio.sleep(0.01)
    assert admitted == ["first"]
    quota.settled()
    await asyncio.sleep(0.01)
    assert admitted == ["first", "third"]
    quota.settled()
    assert quota.has_room


class Socket:
    """An open socket of a device."""

    device_id = 7

    def __init__(self, session_id: UUID) -> None:
        self.session_ = SimpleNamespace(id=session_id, account=SimpleNamespace(id=1))
        self.quota = AccountQuota()
        self.resyncs = 0

    def resync(self) -> None:
        self.resyncs += 1


def test_closed_sockets_leave_nothing_behind() -> None:
    connections, session_id = Connections(), SessionId(uuid4())
    first, second = sockets = [Socket(session_id), Socket(session_id)]
    quotas = [connections.add(cast(Connection, socket)) for socket in sockets]
    for socket, quota in zip(sockets, quotas, strict=True):
        socket.quota = quota
    connections.resync()
    for _ in range(2):
        connections.remove(cast(Connection, first))
    assert connections.sessions() == [session_id]
    assert connections.of_device(7) == [second]
    assert [quota.sockets for quota in quotas] == [1, 1]
    connections.resync()
    connections.remove(cast(Connection, second))
    connections.resync()
    assert (connections.sessions(), connections.of_device(7), quotas[0].sockets) == ([], [], 0)
    assert [socket.resyncs for socket in sockets] == [1, 2]


@pytest.mark.parametrize(("api", "begins"), [("codes", "subscribe"), ("v2", "follow")])
async def test_socket_that_closes_unsubscribes_from_its_chat(
    users: Users, monkeypatch: pytest.MonkeyPatch, api: str, begins: str
) -> None:
    hubs: list[Hub] = []
    begin: Callable[..., Awaitable[None]] = getattr(Hub, begins)

    async def noted(self: Hub, *given: Any) -> None:
        hubs.append(self)
        await begin(self, *given)

    monkeypatch.setattr(Hub, begins, noted)
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)

    async def is_followed() -> bool:
        return any(conversation in map(str, hub._channels) for hub in hubs)

    async def is_forgotten() -> bool:
        return not await is_followed()

    line = await (listens(alice) if api == "v2" else alice.opens(conversation))
    await until(is_followed)
    await line.leaves()
    await until(is_forgotten)


async def test_incomplete_messages_share_a_memory_budget(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.http.memory_budget.MAX_BYTES", 1_000_000)
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_bob = await bob.opens(conversation)
    opened = []

    async def begins(length: int) -> Raw:
        raw = await Raw.websocket(alice.server.http, alice.token, conversation)
        opened.append(raw)
        raw.writer.write(frame(0x1, b"a" * length, fin=False))
        return raw

    async def is_held(length: int) -> Raw:
        raw = await begins(length)
        raw.writer.write(frame(0x9, b""))
        assert await raw.reader.readexactly(2) == b"\x8a\0"
        return raw

    # The server reads each before the next begins: the small ones, which may exceed the budget, come last.
    held = [await is_held(300_000) for _ in range(3)]
    small = [await is_held(60_000) for _ in range(3)]
    answer = await (await begins(300_000)).rest()
    assert (answer[0], int.from_bytes(answer[2:4])) == (0x88, 1013)
    small[0].writer.write(frame(0, b" small"))
    await at_bob.receives("a" * 60_000 + " small")
    for raw in held:
        raw.writer.close()

    async def there_is_room() -> bool:
        raw = await begins(300_000)
        raw.writer.write(frame(0, b" large"))
        raw.writer.write(frame(0x9, b""))
        return (await raw.reader.read(1))[:1] == b"\x8a"

    await until(there_is_room)
    await at_bob.receives("a" * 300_000 + " large")
    for raw in opened:
        raw.writer.close()


async def test_socket_whose_handler_fails_is_aborted_and_logged(
    users: Users, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    with monkeypatch.context() as broken:
        broken.setattr(Messages, "submit", None)
        await at_alice.sends("lost")
        await at_alice.is_closed_with(1006)
    assert "TypeError" in caplog.text
    caplog.clear()
    await (await alice.opens(conversation)).sends("after")
    await at_bob.receives("after")


async def test_socket_that_fails_to_open_frees_its_place(
    users: Users, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    monkeypatch.setattr("handlers.websocket.connections.ACCOUNT_SOCKETS_MAX", 1)
    with monkeypatch.context() as broken:
        broken.setattr(Hub, "subscribe", None)
        socket = await alice.opens(conversation)
        await socket.is_closed_with(1006)
    assert "TypeError" in caplog.text
    caplog.clear()
    at_alice = await alice.opens(conversation)
    await at_alice.sends("there is room")


async def test_socket_that_opens_without_the_database_closes_1013(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)

    async def unavailable(*_: object) -> None:
        raise Unavailable("The database is unavailable", 1)

    monkeypatch.setattr(Hub, "subscribe", unavailable)
    await (await alice.opens(conversation)).is_closed_with(1013)


async def test_socket_waits_for_the_full_queue_then_closes_1013(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    at_alice, at_bob = await alice.opens(conversation), await bob.opens(conversation)
    submit, tries = Messages.submit, 0

    def is_full_at_first(*given: Any) -> None:
        nonlocal tries
        tries += 1
        if tries <= 3:
            raise Unavailable("Too many messages wait", 1)
        submit(*given)

    monkeypatch.setattr(Messages, "submit", is_full_at_first)
    await at_alice.sends("first")
    await at_alice.sends("second")
    await at_bob.receives("first", "second")
    assert tries == 5
    tries = -1_000_000
    monkeypatch.setattr("handlers.codes_api.socket.BUSY_S", 0.2)
    await at_alice.sends("third")
    await at_alice.is_closed_with(1013)


async def test_socket_sends_no_frame_after_its_close_frame(users: Users) -> None:
    """Nothing follows a close frame, RFC 6455 section 5.5.1: not even the pong for an earlier ping."""
    (alice,) = await users("alice")
    await device(alice)
    raw = await Raw.connect(alice.server.http)
    raw.writer.write(
        f"GET /v2/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {alice.token}\r\n\r\n".encode()
    )
    assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    ready, pong = b'\x81\x10{"type":"ready"}', b'\x81\x0f{"type":"pong"}'
    assert await raw.reader.readexactly(len(ready)) == ready
    ping = b'\x81\x8f\0\0\0\0{"type":"ping"}'
    raw.writer.write(ping)
    assert await raw.reader.readexactly(len(pong)) == pong
    binary = b"\x82\x80\0\0\0\0"
    raw.writer.write(ping + binary)
    async with asyncio.timeout(PATIENCE_S):
        head = await raw.reader.readexactly(4)
        assert (head[0], int.from_bytes(head[2:])) == (0x88, 1003), head
        await raw.reader.readexactly(head[1] - 2)
        raw.writer.write(b"\x88\x80\0\0\0\0")
        assert await raw.rest() == b""
    raw.writer.close()

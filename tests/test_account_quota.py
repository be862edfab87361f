"""The quota of an account: messages that wait for their commit, from all its sockets, whichever API they use."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from chat.direct.messages import Messages
from chat.mls.groups import Groups
from chat.model.messages import Draft, EncryptedDraft
from handlers.websocket.connections import UNSETTLED_MAX, AccountQuota
from testing.server import PATIENCE_S, OpenSocket, Person, until
from tests.conftest import Users
from tests.v2.devices import listens

APIS = pytest.mark.parametrize(("one", "other"), [("codes", "v2"), ("v2", "codes")])


@dataclass
class Sender:
    """A socket that sends messages of any API."""

    line: OpenSocket
    api: str

    async def sends(self, name: str) -> None:
        frame = {"type": "send", "id": name, "conversation": str(uuid4()), "epoch": 1, "data": "AA=="}
        await self.line.sends(json.dumps(frame) if self.api == "v2" else name)


async def connects(person: Person, conversation: str, api: str) -> Sender:
    return Sender(await (listens(person) if api == "v2" else person.opens(conversation)), api)


class Queue:
    """In place of the write queue: a message waits until the test settles it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._waiting: list[Callable[[Any], None]] = []

    def submit(self, draft: Draft | EncryptedDraft, done: Callable[[Any], None]) -> None:
        self.names.append(draft.content if isinstance(draft, Draft) else draft.client_id)
        self._waiting.append(done)

    def settle(self) -> None:
        """Answer the oldest message."""
        self._waiting.pop(0)(SimpleNamespace(seq=1, sent_at=datetime.now(UTC)))

    async def has(self, count: int) -> None:
        """Wait until `count` messages were queued."""

        async def are_queued() -> bool:
            return len(self.names) >= count

        await until(are_queued)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue()
    for service in (Messages, Groups):
        monkeypatch.setattr(service, "submit", lambda _, draft, done: queue.submit(draft, done))
    monkeypatch.setattr("handlers.codes_api.socket.BUSY_S", PATIENCE_S)
    return queue


@APIS
async def test_account_over_its_quota_waits_at_all_its_sockets(
    users: Users, queue: Queue, one: str, other: str
) -> None:
    alice, bob = await users("alice", "bob")
    conversation = await alice.meets(bob)
    busy, second = [await connects(alice, conversation, api) for api in (one, other)]
    names = [uuid4().hex for _ in range(UNSETTLED_MAX + 2)]
    for name in names:
        await busy.sends(name)
    await queue.has(UNSETTLED_MAX)
    last = uuid4().hex
    await second.sends(last)
    await asyncio.sleep(0.1)
    assert queue.names == names[:UNSETTLED_MAX]
    for count in range(1, 4):
        queue.settle()
        await queue.has(UNSETTLED_MAX + count)
    assert sorted(queue.names) == sorted([*names, last])
    assert [name for name in queue.names if name != last] == names


@APIS
async def test_socket_that_ends_in_the_queue_passes_its_turn_on(
    users: Users, queue: Queue, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    turn, waiting = AccountQuota.turn, 0

    async def noted(self: AccountQuota) -> None:
        nonlocal waiting
        waiting += 1
        await turn(self)

    monkeypatch.setattr(AccountQuota, "turn", noted)
    alice, bob = await users("alice", "bob")
    conversation, elsewhere = await alice.meets(bob), await alice.again()
    leaving, staying = await connects(alice, conversation, one), await connects(elsewhere, conversation, other)
    for _ in range(UNSETTLED_MAX):
        await leaving.sends(uuid4().hex)
    await queue.has(UNSETTLED_MAX)
    lost, kept = uuid4().hex, uuid4().hex
    for place, (sender, name) in enumerate([(leaving, lost), (staying, kept)], start=1):
        await sender.sends(name)

        async def waits(place: int = place) -> bool:
            return waiting == place

        await until(waits)
    await alice.server.sql("DELETE FROM sessions WHERE id = %s", alice.session_id)

    async def is_closing() -> bool:
        return leaving.line.socket.protocol.close_rcvd is not None  # it reads no answer while its message waits

    await until(is_closing)
    queue.settle()
    await queue.has(UNSETTLED_MAX + 1)
    assert queue.names[-1] == kept

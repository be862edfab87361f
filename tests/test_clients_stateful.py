"""Stateful test of two clients that send, disconnect, reconnect and repeat, in any order, against a model.

Hypothesis searches for a sequence of actions after which a message is lost, duplicated or out of order.
"""

import asyncio
import itertools
import time
from contextlib import suppress

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from websockets.exceptions import ConnectionClosed, InvalidStatus

from testing.server import PATIENCE_S, OpenSocket, Person, RunningServer, start_server

PEOPLE = st.sampled_from([0, 1])
SERVER_SESSIONS = "application_name LIKE 'sottovoce-%%' AND datname = current_database()"
KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {SERVER_SESSIONS}"


class Client:
    """The state of one of the two clients: messages received live, or read after a reconnect."""

    def __init__(self, person: Person, conversation: str) -> None:
        self.person, self.conversation = person, conversation
        self.heard: list[str] = []
        self.connection: OpenSocket | None = None
        self.last_sent: tuple[str, int] | None = None  # the last message sent, with its id

    async def receive(self, wait_s: float = 0.0) -> None:
        """Receive what has arrived, and wait `wait_s` for more."""
        while self.connection is not None:
            try:
                async with asyncio.timeout(wait_s):
                    text = str(await self.connection.socket.recv())
            except TimeoutError:
                return
            except ConnectionClosed:
                self.connection = None
                return
            if text not in self.heard:
                self.heard.append(text)

    async def reconnect(self) -> None:
        while self.connection is None:
            try:
                self.connection = await self.person.opens(self.conversation)
            except InvalidStatus as refused:
                if refused.response.status_code != 503:
                    raise
                await asyncio.sleep(0.02)
        known = set(self.heard)
        newest = [text for text in await self._history() if not text.startswith(self.person.name)]
        self.heard += reversed([*itertools.takewhile(lambda text: text not in known, newest)])

    async def _history(self) -> list[str]:
        """The messages of the conversation, newest first."""
        query = {"conversationId": self.conversation, "limit": 100}
        while True:
            answer = await self.person.api.get("/api/chats/messages", params=query)
            if answer.status_code == 200:
                return [message["content"] for message in answer.json()["chats"]]
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.02)

    async def post(self, other: "Client", text: str) -> int:
        """Repeat with the same idempotency key until the message is acknowledged."""
        body = {"receiver_id": other.person.id, "message": text}
        while True:
            with suppress(httpx.HTTPError):
                answer = await self.person.api.post("/messages", json=body, headers={"Idempotency-Key": text})
                if answer.status_code == 200:
                    return int(answer.json()["message_id"])
                assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.02)


def machine(url: str, folder: "object") -> type[RuleBasedStateMachine]:
    class Clients(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.runner = asyncio.Runner()
            self.server: RunningServer = self.runner.run(start_server(url, folder))  # type: ignore[arg-type]
            self.clients = self.runner.run(self.meet())
            self.model: list[tuple[int, str]] = []
            self.numbers = itertools.count()

        async def meet(self) -> list[Client]:
            alice, bob = await self.server.person("alice"), await self.server.person("bob")
            conversation = await alice.meets(bob)
            return [Client(alice, conversation), Client(bob, conversation)]

        def new_text(self, who: int) -> str:
            return f"{self.clients[who].person.name} {next(self.numbers)}"

        async def send(self, who: int) -> None:
            text = self.new_text(who)
            id_ = await self.clients[who].post(self.clients[1 - who], text)
            self.clients[who].last_sent = (text, id_)
            self.model.append((id_, text))

        @rule(who=PEOPLE)
        def one_sends(self, who: int) -> None:
            self.runner.run(self.send(who))

        @rule(count=st.integers(1, 2))
        def both_send_concurrently(self, count: int) -> None:
            async def send_all() -> None:
                await asyncio.gather(*(self.send(who) for who in (0, 1) for _ in range(count)))

            self.runner.run(send_all())

        @rule(who=PEOPLE)
        def one_repeats_an_acknowledged_message(self, who: int) -> None:
            client = self.clients[who]
            if client.last_sent is not None:
                text, id_ = client.last_sent
                assert self.runner.run(client.post(self.clients[1 - who], text)) == id_

        @rule(who=PEOPLE, after_s=st.sampled_from([0.0, 0.001, 0.003, 0.01]))
        def one_loses_the_response_and_repeats(self, who: int, after_s: float) -> None:
            client, other, text = self.clients[who], self.clients[1 - who], self.new_text(who)

            async def try_twice() -> int:
                first = asyncio.create_task(client.post(other, text))
                await asyncio.sleep(after_s)
                first.cancel()
                with suppress(asyncio.CancelledError):
                    await first
                return await client.post(other, text)

            self.model.append((self.runner.run(try_twice()), text))

        @rule(who=PEOPLE)
        def one_disconnects(self, who: int) -> None:
            client = self.clients[who]
            if client.connection is not None:
                client.connection.socket.transport.abort()
                client.connection = None

        @rule(who=PEOPLE)
        def one_reconnects(self, who: int) -> None:
            self.runner.run(self.clients[who].reconnect())

        @rule(who=PEOPLE)
        def one_receives(self, who: int) -> None:
            self.runner.run(self.clients[who].receive(0.01))

        @rule()
        def database_connections_are_terminated(self) -> None:
            self.runner.run(self.server.sql(KILL))

        def teardown(self) -> None:
            async def end() -> None:
                expected = [text for _, text in sorted(self.model)]
                for client in self.clients:
                    await client.reconnect()
                    of_other = [text for text in expected if not text.startswith(client.person.name)]
                    deadline = time.monotonic() + PATIENCE_S  # after a lost notification the sweep delivers
                    while len(client.heard) < len(of_other) and time.monotonic() < deadline:
                        await client.reconnect()
                        await client.receive(0.1)
                    await client.receive(0.1)
                    assert client.heard == of_other[: len(client.heard)], "out of order, or duplicated"
                    assert client.heard == of_other, "a message is missing"
                stored = await self.server.sql(
                    "SELECT content, seq FROM messages WHERE conversation_id = %s ORDER BY seq",
                    self.clients[0].conversation,
                )
                assert stored == [(text, seq) for seq, text in enumerate(expected, 1)]
                await self.server.close()

            try:
                self.runner.run(end())
            finally:
                self.runner.close()

    return Clients


@pytest.mark.logs(
    "lost its connection",
    "database unavailable",
    "waits for the database",
    "error connecting",
    "error ignored",
    "discarding",
)
def test_clients_in_random_order_get_each_message_once(
    own_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run_state_machine_as_test(
        machine(own_database_url, tmp_path_factory.getbasetemp()),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

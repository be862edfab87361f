"""Clients who send, drop their line, come back and repeat, in any order, against a model: Hypothesis looks for a play
after which something is lost, doubled or out of order.
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

from testing.server import PATIENCE_S, Line, Person, RunningServer, start_server

PEOPLE = st.sampled_from([0, 1])
OF_THE_SERVER = "application_name LIKE 'sottovoce-%%' AND datname = current_database()"
KILL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OF_THE_SERVER}"


class Client:
    """What one of the two knows: what they heard live, and what they read after coming back."""

    def __init__(self, person: Person, conversation: str) -> None:
        self.person, self.conversation = person, conversation
        self.heard: list[str] = []
        self.line: Line | None = None
        self.said: tuple[str, int] | None = None  # the last one, with its id

    async def hear(self, wait_s: float = 0.0) -> None:
        """Take in what has arrived."""
        while self.line is not None:
            try:
                async with asyncio.timeout(wait_s):
                    text = str(await self.line.socket.recv())
            except TimeoutError:
                return
            except ConnectionClosed:
                self.line = None
                return
            if text not in self.heard:
                self.heard.append(text)

    async def come_back(self) -> None:
        while self.line is None:
            try:
                self.line = await self.person.opens(self.conversation)
            except InvalidStatus as refused:
                if refused.response.status_code != 503:
                    raise
                await asyncio.sleep(0.02)
        known = set(self.heard)
        newest = [text for text in await self._history() if not text.startswith(self.person.name)]
        self.heard += reversed([*itertools.takewhile(lambda text: text not in known, newest)])

    async def _history(self) -> list[str]:
        """The newest first."""
        query = {"conversationId": self.conversation, "limit": 100}
        while True:
            answer = await self.person.api.get("/api/chats/messages", params=query)
            if answer.status_code == 200:
                return [message["content"] for message in answer.json()["chats"]]
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.02)

    async def post(self, other: "Client", text: str) -> int:
        """Until it is acknowledged, always under the same key."""
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

        async def say(self, who: int) -> None:
            text = self.new_text(who)
            id_ = await self.clients[who].post(self.clients[1 - who], text)
            self.clients[who].said = (text, id_)
            self.model.append((id_, text))

        @rule(who=PEOPLE)
        def somebody_speaks(self, who: int) -> None:
            self.runner.run(self.say(who))

        @rule(count=st.integers(1, 2))
        def both_speak_at_once(self, count: int) -> None:
            async def speak() -> None:
                await asyncio.gather(*(self.say(who) for who in (0, 1) for _ in range(count)))

            self.runner.run(speak())

        @rule(who=PEOPLE)
        def somebody_repeats_what_was_acknowledged(self, who: int) -> None:
            client = self.clients[who]
            if client.said is not None:
                text, id_ = client.said
                assert self.runner.run(client.post(self.clients[1 - who], text)) == id_

        @rule(who=PEOPLE, after_s=st.sampled_from([0.0, 0.001, 0.003, 0.01]))
        def somebody_loses_the_answer_and_repeats(self, who: int, after_s: float) -> None:
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
        def somebody_drops_the_line(self, who: int) -> None:
            client = self.clients[who]
            if client.line is not None:
                client.line.socket.transport.abort()
                client.line = None

        @rule(who=PEOPLE)
        def somebody_comes_back(self, who: int) -> None:
            self.runner.run(self.clients[who].come_back())

        @rule(who=PEOPLE)
        def somebody_hears(self, who: int) -> None:
            self.runner.run(self.clients[who].hear(0.01))

        @rule()
        def the_connections_to_the_database_are_cut(self) -> None:
            self.runner.run(self.server.sql(KILL))

        def teardown(self) -> None:
            async def end() -> None:
                expected = [text for _, text in sorted(self.model)]
                for client in self.clients:
                    await client.come_back()
                    of_other = [text for text in expected if not text.startswith(client.person.name)]
                    deadline = time.monotonic() + PATIENCE_S  # where the bus was cut, the sweep brings it
                    while len(client.heard) < len(of_other) and time.monotonic() < deadline:
                        await client.come_back()
                        await client.hear(0.1)
                    await client.hear(0.1)
                    assert client.heard == of_other[: len(client.heard)], "out of order, or doubled"
                    assert client.heard == of_other, "something is missing"
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
def test_whatever_clients_do_nothing_is_lost_doubled_or_reordered(
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

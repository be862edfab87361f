"""Load of a faulty server: pairs of users who chat; what they sent, received and had acknowledged; the verdict."""

import asyncio
import contextlib
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from testing.people import User, pair
from testing.server import PATIENCE_S, connect

AGAIN_S = 0.05
HEARD_WITHIN_S = PATIENCE_S  # the sweep delivers at the latest
AWAY = (httpx.HTTPError, OSError, WebSocketException, TimeoutError, EOFError)


@dataclass
class Sender:
    """A user who sends one message after the other, and waits for each response.

    One that retries repeats a message with the same key until it is acknowledged; others send the next message.
    """

    user: User
    partner: User
    name: str
    retries: bool
    sent: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    repeated: int = 0
    longest_wait_s: float = 0.0

    def has_sent(self, text: str) -> bool:
        return text.startswith(f"{self.name} ")

    async def send_all(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(base_url=self.user.address, timeout=PATIENCE_S) as client:
            for number in itertools.count():
                if stop.is_set():
                    return
                text = f"{self.name} {number}"
                self.sent.append(text)
                began = time.monotonic()
                while not await self._post(client, text):
                    if not self.retries:
                        self.unsure.append(text)
                        break
                    self.repeated += 1
                    await asyncio.sleep(AGAIN_S)
                else:
                    self.acknowledged.append(text)
                    self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)

    async def _post(self, client: httpx.AsyncClient, text: str) -> bool:
        headers = self.user.headers | {"Idempotency-Key": text}
        try:
            body = {"receiver_id": self.partner.id, "message": text}
            answer = await client.post("/messages", json=body, headers=headers)
        except AWAY:
            await asyncio.sleep(AGAIN_S)
            return False
        if answer.status_code == 503:
            await asyncio.sleep(AGAIN_S)
            return False
        assert answer.status_code == 200, answer.text
        return True


@dataclass
class Receiver:
    """A user who listens, reconnects after a disconnect, and reads missed messages from the history."""

    listener: User
    conversation_id: str
    heard: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)  # the same texts
    reconnects: int = 0
    duplicated: int = 0

    async def listen(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(*AWAY):
                socket = await self._opened()
                async with socket:
                    await self.catch_up()
                    await self._hear(socket, stop)
            if not stop.is_set():
                self.reconnects += 1
                await asyncio.sleep(AGAIN_S)

    async def _opened(self) -> ClientConnection:
        url = f"{self.listener.address.replace('http', 'ws')}/api/chats/ws?chatId={self.conversation_id}"
        async with asyncio.timeout(PATIENCE_S):
            return await connect(url, self.listener.headers)

    async def _hear(self, socket: ClientConnection, stop: asyncio.Event) -> None:
        on_this_connection = set()
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                hearing = asyncio.create_task(socket.recv())
                await asyncio.wait([hearing, stopped], return_when=asyncio.FIRST_COMPLETED)
                if not hearing.done():
                    hearing.cancel()
                    return
                text = str(hearing.result())
                self.duplicated += text in on_this_connection
                on_this_connection.add(text)
                self._take([text])
        finally:
            stopped.cancel()

    async def catch_up(self) -> None:
        """Read the history back to the first known message."""
        missed: list[str] = []
        query: dict[str, Any] = {"conversationId": self.conversation_id, "limit": 100}
        async with httpx.AsyncClient(base_url=self.listener.address, timeout=PATIENCE_S) as client:
            while True:
                answer = await client.get("/api/chats/messages", params=query, headers=self.listener.headers)
                answer.raise_for_status()
                page = answer.json()
                texts = [message["content"] for message in page["chats"]]
                missed += itertools.takewhile(lambda text: text not in self.known, texts)
                if not page["hasMore"] or any(text in self.known for text in texts):
                    break
                query["cursor"] = page["nextCursor"]
        self._take(reversed(missed))

    def _take(self, texts: Any) -> None:
        for text in texts:
            if text not in self.known:
                self.known.add(text)
                self.heard.append(text)


@dataclass
class Verdict:
    """The result of a run. `lost`, `duplicated`, `disordered` and `unheard` must be 0."""

    sent: int = 0
    acknowledged: int = 0
    unsure_stored: int = 0
    unsure_absent: int = 0
    repeated: int = 0
    reconnects: int = 0
    lost: int = 0
    duplicated: int = 0
    disordered: int = 0
    unheard: int = 0  # acknowledged, but not delivered live or by the sweep
    longest_wait_s: float = 0.0

    def had_effect(self) -> bool:
        return self.repeated + self.unsure_stored + self.unsure_absent + self.reconnects > 0

    def is_clean(self) -> bool:
        return self.lost == self.duplicated == self.disordered == self.unheard == 0


class Load:
    """Pairs of users who send both ways; in each pair one user retries and the other does not."""

    def __init__(self, pairs: list[tuple[User, User, str]]) -> None:
        self.senders: list[tuple[Sender, Sender]] = []
        self.receivers: list[tuple[Receiver, Receiver]] = []
        for number, (one, other, conversation_id) in enumerate(pairs):
            self.senders.append(
                (
                    Sender(one, other, f"{number} one", retries=True),
                    Sender(other, one, f"{number} other", retries=False),
                )
            )
            self.receivers.append((Receiver(one, conversation_id), Receiver(other, conversation_id)))
        self._silence, self._stop = asyncio.Event(), asyncio.Event()
        self._talking: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def acknowledged(self) -> int:
        return sum(len(sender.acknowledged) for sender in itertools.chain(*self.senders))

    def begin(self) -> None:
        self._talking = [
            asyncio.create_task(sender.send_all(self._silence)) for sender in itertools.chain(*self.senders)
        ]
        listening = [asyncio.create_task(receiver.listen(self._stop)) for receiver in itertools.chain(*self.receivers)]
        self._tasks = [*self._talking, *listening]

    async def _unheard(self) -> int:
        """The number of acknowledged messages that the receivers do not get after the last fault."""
        deadline = time.monotonic() + HEARD_WITHIN_S
        while True:
            missing = sum(
                text not in receiver.known
                for senders, receivers in zip(self.senders, self.receivers, strict=True)
                for sender, receiver in zip(senders, reversed(receivers), strict=True)
                for text in sender.acknowledged
            )
            if not missing or time.monotonic() > deadline:
                return missing
            await asyncio.sleep(0.1)

    async def wait_for_progress(self, more: int, within_s: float = PATIENCE_S) -> None:
        """Return when `more` further messages have been acknowledged."""
        wanted = self.acknowledged + more
        async with asyncio.timeout(within_s):
            while self.acknowledged < wanted:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.01)

    async def end(self) -> Verdict:
        """Stop the load, and compare the stored messages with those that the users know."""
        self._silence.set()
        await asyncio.gather(*self._talking)
        verdict = Verdict(unheard=await self._unheard())
        self._stop.set()
        await asyncio.gather(*self._tasks)
        for senders, receivers in zip(self.senders, self.receivers, strict=True):
            ledger = Receiver(receivers[0].listener, receivers[0].conversation_id)
            await ledger.catch_up()
            for receiver, of_other in zip(receivers, reversed(senders), strict=True):
                await receiver.catch_up()
                # Users know their own messages from the history only, so some are missing.
                verdict.disordered += receiver.heard != [text for text in ledger.heard if text in receiver.known]
                verdict.lost += sum(of_other.has_sent(text) and text not in receiver.known for text in ledger.heard)
                verdict.duplicated += receiver.duplicated
                verdict.reconnects += receiver.reconnects
            for sender in senders:
                judge(sender, ledger.heard, verdict)
        return verdict


def judge(sender: Sender, ledger: list[str], verdict: Verdict) -> None:
    stored = [text for text in ledger if sender.has_sent(text)]
    there = set(stored)
    verdict.sent += len(sender.sent)
    verdict.acknowledged += len(sender.acknowledged)
    verdict.lost += len(set(sender.acknowledged) - there)
    verdict.duplicated += len(stored) - len(there)
    verdict.disordered += stored != [text for text in sender.sent if text in there]
    verdict.unsure_stored += len(there & set(sender.unsure))
    verdict.unsure_absent += len(set(sender.unsure) - there)
    verdict.repeated += sender.repeated
    verdict.longest_wait_s = max(verdict.longest_wait_s, sender.longest_wait_s)


async def new_load(address: str, pairs: int) -> Load:
    return Load(list(await asyncio.gather(*(pair(address) for _ in range(pairs)))))

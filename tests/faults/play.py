"""Contacts who chat while the server fails: what they sent, what was acknowledged, what they heard; and the verdict."""

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
HEARD_WITHIN_S = PATIENCE_S  # after the sweep at the latest
AWAY = (httpx.HTTPError, OSError, WebSocketException, TimeoutError, EOFError)


@dataclass
class Voice:
    """One who posts, one message after the other, and waits for each answer.

    A patient one repeats a message under the same key until it is acknowledged; the other says the next one.
    """

    sender: User
    receiver: User
    name: str
    patient: bool
    sent: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    repeated: int = 0
    longest_wait_s: float = 0.0

    def said(self, text: str) -> bool:
        return text.startswith(f"{self.name} ")

    async def talk(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(base_url=self.sender.address, timeout=PATIENCE_S) as client:
            for number in itertools.count():
                if stop.is_set():
                    return
                text = f"{self.name} {number}"
                self.sent.append(text)
                began = time.monotonic()
                while not await self._post(client, text):
                    if not self.patient:
                        self.unsure.append(text)
                        break
                    self.repeated += 1
                    await asyncio.sleep(AGAIN_S)
                else:
                    self.acknowledged.append(text)
                    self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)

    async def _post(self, client: httpx.AsyncClient, text: str) -> bool:
        headers = self.sender.headers | {"Idempotency-Key": text}
        try:
            body = {"receiver_id": self.receiver.id, "message": text}
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
class Ear:
    """One who listens, comes back when the line breaks, and reads in the history what was missed."""

    listener: User
    conversation_id: str
    heard: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)  # the same
    reconnects: int = 0
    doubled: int = 0

    async def listen(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(*AWAY):
                line = await self._opened()
                async with line:
                    await self.catch_up()
                    await self._hear(line, stop)
            if not stop.is_set():
                self.reconnects += 1
                await asyncio.sleep(AGAIN_S)

    async def _opened(self) -> ClientConnection:
        url = f"{self.listener.address.replace('http', 'ws')}/api/chats/ws?chatId={self.conversation_id}"
        async with asyncio.timeout(PATIENCE_S):
            return await connect(url, self.listener.headers)

    async def _hear(self, line: ClientConnection, stop: asyncio.Event) -> None:
        on_this_line = set()
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                hearing = asyncio.create_task(line.recv())
                await asyncio.wait([hearing, stopped], return_when=asyncio.FIRST_COMPLETED)
                if not hearing.done():
                    hearing.cancel()
                    return
                text = str(hearing.result())
                self.doubled += text in on_this_line
                on_this_line.add(text)
                self._take([text])
        finally:
            stopped.cancel()

    async def catch_up(self) -> None:
        """Read back until something known comes up."""
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
    """What a run came to. `lost`, `doubled` and `disordered` have to be nought."""

    sent: int = 0
    acknowledged: int = 0
    unsure_stored: int = 0
    unsure_absent: int = 0
    repeated: int = 0
    reconnects: int = 0
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    unheard: int = 0  # live, by those whose line stands, within the sweep
    longest_wait_s: float = 0.0

    def was_felt(self) -> bool:
        return self.repeated + self.unsure_stored + self.unsure_absent + self.reconnects > 0

    def is_clean(self) -> bool:
        return self.lost == self.doubled == self.disordered == self.unheard == 0


class Play:
    """Pairs who talk both ways; in each, one is patient and the other is not."""

    def __init__(self, pairs: list[tuple[User, User, str]]) -> None:
        self.voices: list[tuple[Voice, Voice]] = []
        self.ears: list[tuple[Ear, Ear]] = []
        for number, (one, other, conversation_id) in enumerate(pairs):
            self.voices.append(
                (Voice(one, other, f"{number} one", patient=True), Voice(other, one, f"{number} other", patient=False))
            )
            self.ears.append((Ear(one, conversation_id), Ear(other, conversation_id)))
        self._silence, self._stop = asyncio.Event(), asyncio.Event()
        self._talking: list[asyncio.Task[None]] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def acknowledged(self) -> int:
        return sum(len(voice.acknowledged) for voice in itertools.chain(*self.voices))

    def begin(self) -> None:
        self._talking = [asyncio.create_task(voice.talk(self._silence)) for voice in itertools.chain(*self.voices)]
        listening = [asyncio.create_task(ear.listen(self._stop)) for ear in itertools.chain(*self.ears)]
        self._tasks = [*self._talking, *listening]

    async def _unheard(self) -> int:
        """Acknowledged messages that the other side does not get to hear, though nothing is injured any more."""
        deadline = time.monotonic() + HEARD_WITHIN_S
        while True:
            missing = sum(
                text not in ear.known
                for voices, ears in zip(self.voices, self.ears, strict=True)
                for voice, ear in zip(voices, reversed(ears), strict=True)
                for text in voice.acknowledged
            )
            if not missing or time.monotonic() > deadline:
                return missing
            await asyncio.sleep(0.1)

    async def goes_on(self, more: int, within_s: float = PATIENCE_S) -> None:
        """Return when so many more messages were acknowledged."""
        wanted = self.acknowledged + more
        async with asyncio.timeout(within_s):
            while self.acknowledged < wanted:
                for task in self._tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.01)

    async def end(self) -> Verdict:
        """Let everybody finish, and compare what is stored with what they know."""
        self._silence.set()
        await asyncio.gather(*self._talking)
        verdict = Verdict(unheard=await self._unheard())
        self._stop.set()
        await asyncio.gather(*self._tasks)
        for voices, ears in zip(self.voices, self.ears, strict=True):
            ledger = Ear(ears[0].listener, ears[0].conversation_id)
            await ledger.catch_up()
            for ear, of_other in zip(ears, reversed(voices), strict=True):
                await ear.catch_up()
                # Their own words they know from the history only, so some of them are missing.
                verdict.disordered += ear.heard != [text for text in ledger.heard if text in ear.known]
                verdict.lost += sum(of_other.said(text) and text not in ear.known for text in ledger.heard)
                verdict.doubled += ear.doubled
                verdict.reconnects += ear.reconnects
            for voice in voices:
                judge(voice, ledger.heard, verdict)
        return verdict


def judge(voice: Voice, ledger: list[str], verdict: Verdict) -> None:
    stored = [text for text in ledger if voice.said(text)]
    there = set(stored)
    verdict.sent += len(voice.sent)
    verdict.acknowledged += len(voice.acknowledged)
    verdict.lost += len(set(voice.acknowledged) - there)
    verdict.doubled += len(stored) - len(there)
    verdict.disordered += stored != [text for text in voice.sent if text in there]
    verdict.unsure_stored += len(there & set(voice.unsure))
    verdict.unsure_absent += len(set(voice.unsure) - there)
    verdict.repeated += voice.repeated
    verdict.longest_wait_s = max(verdict.longest_wait_s, voice.longest_wait_s)


async def new_play(address: str, pairs: int) -> Play:
    return Play(list(await asyncio.gather(*(pair(address) for _ in range(pairs)))))

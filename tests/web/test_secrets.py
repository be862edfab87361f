"""Messages are readable only for their participants: not on the wire, on the server or in browser storage."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser

from testing.process import Server
from tests.v2.places import all_places, found
from tests.web.conftest import Two, Users
from tests.web.person import Person

pytestmark = pytest.mark.once

T = TypeVar("T")

WORDS = ["halcyon_word_one", "halcyon_word_two", "Halcyon Circle", "halcyon_draft"]

# Every value of every database of this page, as bytes in hex.
KEPT = """async () => {
    const bytes = (value) => value instanceof ArrayBuffer ? new Uint8Array(value)
        : ArrayBuffer.isView(value) ? new Uint8Array(value.buffer) : null;
    const walk = (value) => bytes(value) ? [bytes(value)]
        : typeof value === 'string' ? [new TextEncoder().encode(value)]
        : value && typeof value === 'object' && !(value instanceof CryptoKey) ? Object.values(value).flatMap(walk) : [];
    const done = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const found = [];
    for (const { name } of await indexedDB.databases()) {
        const database = await done(indexedDB.open(name));
        for (const store of database.objectStoreNames) {
            const all = await done(database.transaction(store).objectStore(store).getAll());
            found.push(...all.flatMap(walk));
        }
        database.close();
    }
    return found.map((one) => Array.from(one, (byte) => byte.toString(16).padStart(2, '0')).join(''));
}"""


def test_messages_are_in_clear_neither_on_server_nor_in_browser(users: Users, two: Two, server: Server) -> None:
    anna, (_, ben) = users("anna").registers(), two
    anna.meets(ben)
    anna.says(WORDS[0])
    ben.says(WORDS[1])
    anna.hears(WORDS[1])
    anna.leaves_it()
    anna.makes_group(WORDS[2], [ben])
    anna.field.fill(WORDS[3])
    anna.leaves_it()
    ben.sees(WORDS[2])
    places = all_places(server)
    assert anna.name.encode() in places["the database"], "names are no secret; what does not find them finds nothing"
    assert found(places, [word.encode() for word in WORDS]) == []
    kept = [bytes.fromhex(one) for one in anna.page.evaluate(KEPT)]
    assert len(kept) > 20
    assert not [word for word in WORDS for one in kept if word.encode() in one]


class Collector:
    """A proxy that adds a report address to the Content-Security-Policy and collects the reports."""

    POLICY = b"trusted-types lit-html sottovoce"

    def __init__(self, server: Server) -> None:
        self.reports: list[bytes] = []
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._writers: list[asyncio.StreamWriter] = []
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "Collector":
        self._thread.start()
        self._door = self._do(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._door.close()
        for writer in self._writers:
            writer.transport.abort()  # `close` would wait for a browser that no longer reads
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(one is None or isinstance(one, ConnectionError) for one in ended), ended  # it aborted them itself

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._door.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._server.port)
        self._writers += [writer, there[1]]
        reporting = self.POLICY + f"; report-uri {self.address}/report".encode()
        try:
            await asyncio.gather(
                self._pass(reader, there[1], b"", b""), self._pass(there[0], writer, self.POLICY, reporting)
            )
        except ConnectionError:
            pass
        finally:
            writer.close()
            there[1].close()

    async def _pass(self, from_: asyncio.StreamReader, to: asyncio.StreamWriter, old: bytes, new: bytes) -> None:
        while part := await from_.read(2**16):
            if part.startswith(b"POST /report "):
                self.reports.append(part)
            to.write(part.replace(old, new) if old else part)
            await to.drain()
        to.close()


def test_content_security_policy_blocks_nothing_of_the_client(browser: Browser, server: Server) -> None:
    with Collector(server) as collector, browser.new_context() as one, browser.new_context() as other:
        anna = Person(one, collector.address, "anna_csp").registers()
        ben = Person(other, collector.address, "ben_csp").registers()
        anna.starts_with(ben)
        anna.says("Hello 🙂 https://example.org")
        ben.accepts(anna)
        ben.does_with("Hello", "React with 👍")
        anna.page.get_by_role("button", name="Emoji").click()
        anna.page.get_by_label("Search emoji").fill("hedgehog")
        anna.page.keyboard.press("Escape")
        anna.page.get_by_role("button", name="About encryption").click()
        anna.page.get_by_role("button", name="Safety number").click()
        anna.sees("They match – mark as verified")
        anna.closes()
        anna.page.get_by_role("button", name="Settings").click()
        anna.sees_devices()
        anna.closes()
        assert collector.reports == []
        ben.page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
        ben.page.wait_for_timeout(1000)
        assert collector.reports != [], "the collector hears nothing, so its silence means nothing"


TRY = """() => new Promise((resolve) => setTimeout(() => {
    const done = [];
    const attempt = (name, work) => { try { work(); done.push(name); } catch { /* stopped */ } };
    attempt('innerHTML', () => { document.createElement('p').innerHTML = '<img onerror=alert(1)>'; });
    attempt('eval', () => (0, eval)('1'));
    attempt('worker', () => new Worker('/web/app/main.js'));
    attempt('policy', () => trustedTypes.createPolicy('another', {}));
    attempt('script', () => { document.createElement('script').text = '1'; });
    resolve(done);
}))"""


def test_injected_script_is_blocked(browser: Browser, server: Server) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(server.address)
        assert page.evaluate(TRY) == []

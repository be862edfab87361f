"""Messages arrive once and in order, whatever fails: the network, the server, a tab, a worker."""

import contextlib
from collections.abc import Iterator

import psutil
import pytest
from playwright.sync_api import Browser, Error, WebSocket, expect

from testing.process import Server
from tests.web.conftest import Two, Users, creating_users
from tests.web.person import PASSWORD, Trouble

pytestmark = pytest.mark.once

# The service worker has all files of the page and, with the last and largest one, those of its worker.
KEEPS_ITS_FILES = """async () => {
    const kept = (await (await caches.open('sottovoce')).keys()).map(({ url }) => url);
    const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
    const ours = loaded.filter((name) => name.startsWith(`${location.origin}/web/`));
    return ours.every((name) => kept.includes(name)) && kept.some((name) => name.endsWith('.wasm'));
}"""


@pytest.fixture(autouse=True)
def is_up_again(server: Server) -> Iterator[None]:
    """A test that fails while the server is down does not make the next one fail."""
    yield
    if server.process is None or server.process.poll() is not None:
        server.start()


@pytest.fixture(scope="module")
def friends(browser: Browser, server: Server, trouble: Trouble) -> Iterator[Two]:
    """As the other tests have them, but Anna's page can start without a network."""
    with creating_users(browser, server, trouble) as users:
        anna, ben = users("anna").registers(), users("ben", service_workers="block").registers()
        anna.meets(ben)
        anna.page.wait_for_function(KEEPS_ITS_FILES)
        yield anna, ben


@pytest.fixture
def two(two: Two) -> Two:
    """Both have sent a message."""
    anna, ben = two
    ben.greets("Hello Anna")
    return anna, ben


def test_message_written_while_server_is_down_is_sent_later(two: Two, server: Server) -> None:
    anna, ben = two
    server.stop()
    anna.sees("Offline. Connecting…")
    anna.says("Into the void")
    anna.sees_mark("Into the void", "Sending")
    anna.sees("Offline. Your messages will be sent later.")
    anna.page.reload()  # the page itself comes from the service worker
    anna.goes_to(ben.name)
    anna.hears("Hello Ben", "Hello Anna")
    anna.sees_mark("Into the void", "Sending")
    anna.says("And once more")
    server.start()
    both_have(two, ["Hello Ben", "Hello Anna", "Into the void", "And once more"])
    anna.sees_mark("And once more", "Read")
    expect(anna.page.get_by_text("Offline.")).to_have_count(0)


def test_page_without_network_starts_and_sends_later(two: Two) -> None:
    anna, ben = two
    anna.context.set_offline(True)
    anna.takes_another_tab()
    anna.sees("Offline. Connecting…")
    anna.goes_to(ben.name)
    anna.hears("Hello Ben", "Hello Anna")
    anna.says("From the tunnel")
    anna.sees_mark("From the tunnel", "Sending")
    ben.says("Are you there?")
    anna.context.set_offline(False)
    anna.hears("Are you there?")
    ben.hears("From the tunnel")
    anna.sees_mark("From the tunnel", "Read")


def test_crashed_tab_loses_no_message(two: Two, server: Server) -> None:
    anna, ben = two
    server.stop()  # so that it crashes before they are sent, and not after
    anna.says("just before")
    anna.says("and right before")
    anna.sees_mark("and right before", "Sending")
    with anna.page.expect_event("crash"), contextlib.suppress(Error):
        anna.page.goto("chrome://crash")
    anna.takes_another_tab()
    anna.goes_to(ben.name)
    anna.sees_mark("and right before", "Sending")
    server.start()
    both_have((anna, ben), ["Hello Ben", "Hello Anna", "just before", "and right before"])
    ben.says("after the crash")
    anna.hears("after the crash")


def test_worker_that_ends_is_replaced(two: Two) -> None:
    anna, ben = two
    (worker,) = anna.page.workers
    worker.evaluate("self.close()")
    anna.says("Sent without a worker")
    ben.says("Received without a worker")
    both_hear = ["Sent without a worker", "Received without a worker"]
    for person in (anna, ben):
        person.hears(*both_hear)
        assert len(person.texts()) == 4
    anna.sees_mark("Sent without a worker", "Read")


def test_server_restart_loses_no_message(two: Two, server: Server) -> None:
    anna, ben = two
    anna.says("before the restart")
    ben.hears("before the restart")
    server.stop()
    server.start()
    anna.says("after the restart")
    ben.hears("after the restart")
    ben.says("it was nothing")
    both_have(two, ["Hello Ben", "Hello Anna", "before the restart", "after the restart", "it was nothing"])


def test_killed_server_neither_loses_nor_repeats_messages(two: Two, server: Server) -> None:
    anna, ben = two
    said = {person.name: [f"{person.name} says {number}" for number in range(12)] for person in two}
    for number in range(12):
        for person in two:
            person.says(said[person.name][number])
        if number == 6:
            kill_all(server)
    server.start()
    for person in two:
        person.hears(said[anna.name][-1], said[ben.name][-1])
    anna.sees_mark(said[anna.name][-1], "Read")
    ben.sees_mark(said[ben.name][-1], "Read")
    assert anna.texts() == ben.texts()
    for name in said:
        assert [text for text in anna.texts() if text.startswith(name)] == said[name]


def test_two_tabs_share_one_connection(users: Users, two: Two) -> None:
    anna, (_, ben) = users("anna"), two
    lines: list[WebSocket] = []
    anna.page.on("websocket", lambda line: lines.append(line))
    anna.context.on("page", lambda page: page.on("websocket", lambda line: lines.append(line)))
    anna.registers()
    anna.meets(ben)
    other = anna.another_tab()
    other.goes_to(ben.name)
    other.hears("Hello Ben")
    other.says("From the other tab")
    ben.hears("From the other tab")
    ben.says("To both tabs")
    for tab in (anna, other):
        tab.hears("From the other tab", "To both tabs")
        tab.sees_mark("From the other tab", "Read")
    assert [line.is_closed() for line in lines] == [False]

    anna.page.close()  # the one that led
    other.says("I go on")
    ben.hears("I go on")
    ben.says("So do I")
    other.hears("So do I")
    assert len(lines) == 2
    assert not lines[-1].is_closed()


def test_messages_to_an_absent_user_arrive_in_order(two: Two) -> None:
    anna, ben = two
    ben.page.close()
    said = [f"number {number}" for number in range(20)]
    for text in said:
        anna.says(text)
    anna.sees_mark("number 19", "Sent")
    ben.takes_another_tab()
    expect(ben.page).to_have_title("(20) Sottovoce")
    expect(ben.listed(anna.name)).to_contain_text("number 19")
    ben.goes_to(anna.name)
    ben.hears("number 19")
    assert ben.texts() == ["Hello Ben", "Hello Anna", *said]
    ben.sees("New messages")
    anna.sees_mark("number 0", "Delivered")
    ben.page.get_by_role("button", name="20 new").click()
    anna.sees_mark("number 0", "Read")
    expect(ben.page).to_have_title("Sottovoce")


def test_session_that_a_new_password_ended_is_resumed(users: Users, two: Two) -> None:
    """On the same device."""
    anna, (_, ben) = users("anna").registers(), two
    anna.meets(ben)
    phone = users(of=anna).logs_in_linked(anna)
    phone.opens_settings()
    phone.page.get_by_text("Change password").click()
    phone.page.get_by_label("Current password").fill("Wrong-1234")
    phone.page.get_by_label("New password").fill("Sesame-5678")
    phone.page.get_by_role("button", name="Save new password").click()
    phone.is_told("Wrong password. Nothing was changed.")
    expect(phone.page.get_by_role("alert")).to_be_in_viewport()
    phone.page.get_by_label("Current password").fill(PASSWORD)
    phone.page.get_by_role("button", name="Save new password").click()
    phone.sees("Your password was changed. Your other sessions have ended.")
    anna.sees("You’ve been logged out. Your messages are still here.")
    expect(anna.page.locator("#logged-out")).to_contain_text("You’re logged out.")
    expect(anna.page.locator("sv-composer")).to_have_count(0)
    ben.says("While you were out")

    anna.page.reload()  # it has ended for good
    anna.sees("You’ve been logged out. Your messages are still here.")
    anna.goes_to(ben.name)
    anna.hears("Hello Ben")
    anna.page.get_by_role("button", name="Log in again").first.click()
    anna.gives_again(PASSWORD)
    anna.is_told("Wrong username or password.")
    anna.gives_again("Sesame-5678")
    expect(anna.page.locator("sv-session-expired")).to_have_count(0)
    anna.hears("While you were out")
    anna.says("Back again")
    ben.hears("Back again")
    anna.hears("Hello Ben")
    expect(anna.page.get_by_text("You’ve been logged out.")).to_have_count(0)
    anna.opens_settings()
    anna.sees_devices()
    expect(anna.page.locator("#devices li")).to_have_count(2)  # this one is not a new one


def test_silent_connection_is_detected(two: Two, server: Server) -> None:
    """A network that disappears closes no socket. The browser's event is only a hint to check the connection."""
    anna, _ = two
    assert server.process is not None
    stopped = [psutil.Process(server.process.pid), *server.workers()]
    for process in stopped:
        process.suspend()
    try:
        anna.says("Is the line silent?")
        anna.page.evaluate("dispatchEvent(new Event('offline'))")
        anna.sees("Offline. Your messages will be sent later.")
        anna.sees_mark("Is the line silent?", "Sending")
    finally:
        for process in stopped:
            process.resume()
    both_have(two, ["Hello Ben", "Hello Anna", "Is the line silent?"])
    anna.sees_mark("Is the line silent?", "Read")


def test_unreadable_storage_can_be_erased(users: Users) -> None:
    anna = users("anna").registers()
    anna.opens("/web/tokens.css")  # without a worker
    anna.page.evaluate(SPOIL)
    anna.opens()
    expect(anna.page.get_by_role("heading", name="Sottovoce can’t start in this browser")).to_be_visible()
    anna.page.get_by_text("Still not working?").click()
    anna.page.get_by_role("button", name="Erase this device").click()
    anna.is_welcomed()
    anna.logs_in_again()


# As if a newer version, or a bad disk, had been here.
SPOIL = """() => new Promise((resolve, reject) => {
    const request = indexedDB.open('core-crypto', 2 ** 40);
    request.onsuccess = () => { request.result.close(); resolve(); };
    request.onerror = () => reject(request.error);
})"""


def both_have(two: Two, texts: list[str]) -> None:
    for person in two:
        person.comes_to(person.texts, lambda seen: seen == texts)


def kill_all(server: Server) -> None:
    """Like a power failure: the server, its workers and its database."""
    for process in server.family():
        process.kill()
    server.kill()

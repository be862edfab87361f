"""A user at a browser: what they do and what they see."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Worker, expect

PASSWORD = "Sesame-1234"
T = TypeVar("T")

GREETING = "Hello Ben"
PATIENCE_MS = 30_000  # machines that test have other work too
HARMLESS = (  # a server that is down, or that says no; what a test has asked for
    "net::ERR_",
    "Failed to load resource",
    "blocked by Playwright",
)

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Trouble:
    """What must not happen: errors in the page, and requests to other servers."""

    found: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext, address: str) -> None:
        host = urlsplit(address).netloc
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.found.append(f"error: {error.error}"))
        context.on("request", lambda request: self._on_request(request, host))
        context.on("page", lambda page: page.on("worker", self._on_worker))
        context.add_init_script(
            "addEventListener('securitypolicyviolation', (event) =>"
            " console.error('violation', event.violatedDirective, event.blockedURI, event.sourceFile))"
        )

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(word in message.text for word in HARMLESS):
            self.found.append(f"{message.type}: {message.text} ({message.location})")

    def _on_worker(self, worker: Worker) -> None:
        worker.on("console", self._on_console)

    def _on_request(self, request: Request, host: str) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != host:
            self.found.append(f"a request to {request.url}")


class Person:
    def __init__(self, context: BrowserContext, address: str, name: str) -> None:
        self.context, self.address, self.name = context, address, name
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)

    # Coming and going

    def opens(self, path: str = "/") -> "Person":
        self.page.goto(self.address + path)
        return self

    def registers(self, path: str = "/") -> "Person":
        self.opens(path)
        self.gives(self.name, PASSWORD)
        self.page.get_by_role("button", name="Create account").click()
        self.is_home()
        return self

    def logs_in(self) -> "Person":
        if not self.page.get_by_role("tab", name="Log in").is_visible():  # as it is after log-out
            self.opens()
        self.page.get_by_role("tab", name="Log in").click()
        self.gives(self.name, PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        return self

    def logs_in_linked(self, by: "Person") -> "Person":
        """Log in on a new device, which another one of the same user links."""
        self.logs_in()
        code = self.page.locator("#link-code").inner_text()
        by.opens_settings()
        by.page.get_by_role("button", name="Confirm a device").click()
        by.page.get_by_label("Code of the new device").fill(code)
        by.page.get_by_role("button", name="Confirm", exact=True).click()
        by.sees("The device is confirmed.")
        by.closes()
        self.is_home()
        return self

    def logs_in_again(self) -> "Person":
        """Log in without another device and without a recovery key: the account key is a new one."""
        self.logs_in()
        self.page.get_by_text("I have no other device and no recovery key").click()
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Start over with only this device").click()
        self.is_home()
        return self

    def gives_again(self, password: str) -> None:
        """Into the dialog of a session that has ended."""
        again = self.page.locator("sv-session-expired")
        again.get_by_label("Password").fill(password)
        again.get_by_role("button", name="Log in", exact=True).click()

    def logs_out(self) -> None:
        self.opens_settings()
        self.page.locator("#log-out").click()
        self.confirms("Log out")
        self.is_welcomed()

    def takes_another_tab(self) -> None:
        """In place of the one there is, if it is not gone already."""
        self.page.close()
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.opens()

    def another_tab(self, path: str = "/") -> "Person":
        """Of the same browser."""
        return Person(self.context, self.address, self.name).opens(path)

    def gives(self, name: str, password: str) -> None:
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)

    def is_home(self) -> None:
        expect(self.page.get_by_role("button", name="Settings")).to_be_visible()

    def is_welcomed(self) -> None:
        expect(self.page.get_by_role("tab", name="Log in")).to_be_visible()

    def opens_settings(self) -> None:
        self.page.get_by_role("button", name="Settings").click()
        expect(self.page.get_by_role("heading", name="Settings")).to_be_visible()

    def sees_devices(self) -> None:
        """The list of devices in the settings has been loaded."""
        expect(self.page.locator("#devices li").filter(has_text="this device")).to_be_visible()

    # Conversations

    def begins(self, way: str) -> None:
        """One of the ways to begin a conversation."""
        self.page.get_by_role("button", name="New conversation").first.click()
        self.page.get_by_role("tab", name=way).click()

    def starts_with(self, other: "Person") -> None:
        self.page.get_by_role("button", name="New conversation").first.click()
        self.page.get_by_label("Username").fill(other.name)
        self.page.get_by_role("button", name="Start", exact=True).click()
        self.is_in(other.name)

    def meets(self, other: "Person") -> None:
        """They talk, and know each other."""
        self.starts_with(other)
        self.says(GREETING)
        other.accepts(self)

    def returns_to(self, other: "Person") -> None:
        """From wherever the last test ended."""
        self.is_without_dialog()
        self.leaves_it()
        self.goes_to(other.name)
        self.hears(GREETING)

    def is_without_dialog(self) -> None:
        """Closes what the last test has left open, in the end with the tab: to load the page takes a second."""
        opened = self.page.locator("dialog[open], :popover-open:not(.toasts)")
        if not self.page.is_closed() and opened.count():
            self.page.keyboard.press("Escape")
        if self.page.is_closed() or opened.count():
            self.takes_another_tab()

    def greets(self, text: str) -> None:
        """Says what may have been said before, and knows that it has been read."""
        before = self.message(text).count()
        self.says(text)
        expect(self.message(text)).to_have_count(before + 1)
        self.sees_mark(text, "Read")

    def makes_group(self, title: str, others: Sequence["Person"]) -> None:
        self.begins("Group")
        self.page.get_by_label("Group name").fill(title)
        for other in others:
            self.page.get_by_label("Add a member").fill(other.name)
            self.page.get_by_role("button", name="Add", exact=True).click()
            expect(self.page.get_by_role("button", name=f"Remove {other.name}")).to_be_visible()
        self.page.get_by_role("button", name="Create group").click()
        self.is_in(title)

    def listed(self, title: str) -> Locator:
        return (
            self.page.get_by_role("navigation")
            .get_by_role("link")
            .filter(has=self.page.locator(".title", has_text=title))
        )

    def leaves_it(self) -> None:
        """No conversation is open."""
        self.page.evaluate("location.hash = ''")
        expect(self.field).to_have_count(0)

    def goes_to(self, title: str) -> None:
        self.listed(title).click()
        self.is_in(title)

    def is_in(self, title: str) -> None:
        """The conversation is open. What is typed before that is typed elsewhere."""
        expect(self.page.get_by_role("main").get_by_role("heading", name=title)).to_be_visible()

    def accepts(self, other: "Person") -> None:
        self.goes_to(other.name)
        self.page.get_by_role("button", name="Accept").click()
        expect(self.field).to_be_visible()

    def opens_details(self) -> None:
        self.page.get_by_role("button", name="Conversation details").click()

    def does_with_member(self, other: "Person", choice: str) -> None:
        """A choice in the menu of another member; the details are open."""
        self.page.get_by_role("button", name=f"More about {other.name}").click()
        self.page.get_by_role("menuitem", name=choice, exact=True).click()

    def confirms(self, action: str) -> None:
        self.page.locator("sv-dialog").get_by_role("button", name=action, exact=True).click()

    def closes(self) -> None:
        self.page.get_by_role("button", name="Close").last.click()

    # Messages

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    def says(self, text: str) -> None:
        self.field.fill(text)
        self.page.keyboard.press("Enter")
        expect(self.field).to_have_value("")

    def message(self, text: str) -> Locator:
        return self.page.locator("sv-message").filter(has=self.page.locator(".text", has_text=text))

    def hears(self, *texts: str) -> None:
        for text in texts:
            expect(self.message(text).last).to_be_visible()

    def does_not_see(self, text: str) -> None:
        expect(self.message(text)).to_have_count(0)

    def texts(self) -> list[str]:
        """The messages of this test."""
        said = self.page.locator("sv-message .text").all_inner_texts()
        begun = [number for number, text in enumerate(said) if text == GREETING]
        return said[begun[-1] :] if begun else said

    def sees_mark(self, text: str, mark: str) -> None:
        expect(self.message(text).last.get_by_role("img", name=mark, exact=True)).to_be_visible()

    def does_with(self, text: str, choice: str) -> None:
        """One of the things that can be done with a message."""
        self.message(text).last.hover()
        self.message(text).last.get_by_role("button", name="Message actions").click()
        found = [self.page.get_by_role(role, name=choice, exact=True) for role in ("menuitem", "menuitemradio")]
        found[0].or_(found[1]).click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_text(text).last).to_be_visible()

    def is_told(self, problem: str) -> None:
        """What went wrong, in one sentence."""
        expect(self.page.get_by_role("alert")).to_have_text(problem)

    def comes_to(self, look: Callable[[], T], is_right: Callable[[T], bool]) -> T:
        """What `look` answers, as soon as it is right; at last what it is then."""
        until = time.monotonic() + PATIENCE_MS / 1000
        while not is_right(seen := look()) and time.monotonic() < until:
            self.page.wait_for_timeout(50)
        assert is_right(seen), seen
        return seen

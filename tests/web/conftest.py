"""One server and Debian's Chromium for all tests; each user has a browser context."""

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from testing.process import Server, running
from testing.tree import ROOT
from tests.web.person import GREETING, Person, Trouble

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

Users = Callable[..., Person]
Two = tuple[Person, Person]
_numbers = itertools.count(100)  # so that no name is a prefix of another


def chromium() -> str:
    found = [os.environ.get("CHROMIUM"), *(shutil.which(name) for name in ("chromium", "chromium-browser"))]
    path = next((one for one in found if one), None)
    assert path, "Chromium is missing: `apt-get install chromium` (or say where it is with CHROMIUM=…)"
    return path


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    assert (ROOT / "web" / "vendor").exists(), "the client is not built: `make web`"
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(Server(tmp_path_factory.mktemp("web") / "data")) as started:
        yield started


@pytest.fixture(scope="session")
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture(autouse=True)
def no_trouble(trouble: Trouble) -> Iterator[None]:
    yield
    met, trouble.found = trouble.found, []
    assert met == []


@contextlib.contextmanager
def creating_users(browser: Browser, server: Server, trouble: Trouble, **usual: Any) -> Iterator[Users]:
    contexts = []

    def create(name: str = "", *, of: Person | None = None, exactly: str = "", **settings: Any) -> Person:
        context = browser.new_context(**{"viewport": DESKTOP, "locale": "en-GB", **usual, **settings})
        contexts.append(context)
        trouble.watch(context, server.address)
        return Person(context, server.address, of.name if of else exactly or f"{name}{next(_numbers)}")

    yield create
    for context in contexts:
        context.close()


@pytest.fixture
def users(browser: Browser, server: Server, trouble: Trouble) -> Iterator[Users]:
    """
    `users("alice")` opens a browser for a new user; with `of=alice`, for another device of alice.

    Service workers are blocked: they double what it costs to load the page. A test of starting without a network
    allows them.
    """
    with creating_users(browser, server, trouble, service_workers="block") as users:
        yield users


@pytest.fixture(scope="module")
def lasting_users(browser: Browser, server: Server, trouble: Trouble) -> Iterator[Users]:
    """As `users`, for fixtures of a module: the browsers stay open until its last test."""
    with creating_users(browser, server, trouble, service_workers="block") as users:
        yield users


@pytest.fixture(scope="session")
def friends(browser: Browser, server: Server, trouble: Trouble) -> Iterator[Two]:
    """Two users in each other's contacts, shared by all tests: creating two takes longer than most tests."""
    with creating_users(browser, server, trouble, service_workers="block") as users:
        anna, ben = users("anna").registers(), users("ben").registers()
        anna.meets(ben)
        yield anna, ben


@pytest.fixture
def two(friends: Two) -> Two:
    """The two friends in their conversation. The first message of each test is "Hello Ben"."""
    anna, ben = friends
    anna.returns_to(ben)
    ben.returns_to(anna)
    anna.greets(GREETING)
    return anna, ben

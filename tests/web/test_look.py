"""Accessibility: every main screen in both themes and sizes, keyboard, enlarged text, reduced motion."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from testing.tree import ROOT
from tests.web.conftest import DESKTOP, PHONE, Two, Users
from tests.web.person import PASSWORD, Person

pytestmark = pytest.mark.once

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"phone": PHONE, "desktop": DESKTOP}
SCREENS = os.environ.get("SOTTOVOCE_SCREENS")  # a folder: the screens are drawn there, as in docs/screens/


def violations(page: Page, rules: list[str]) -> list[str]:
    """What axe-core finds. Playwright runs it, because the page's policy blocks other scripts."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", rules)
    places = [(one["id"], node) for one in found["violations"] for node in one["nodes"]]
    return [f"{rule}: {node['target']} {node['failureSummary']}" for rule, node in places]


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


class Screens:
    """The problems of the screens that have been checked."""

    def __init__(self) -> None:
        self.size = ""
        self.wrong: list[str] = []

    def resize(self, person: Person, size: str) -> None:
        """The screens that follow are those of `size`."""
        self.size = size
        person.page.set_viewport_size(SIZES[size])

    def see_in_all_sizes(self, person: Person, screen: str) -> None:
        """For screens that come only once."""
        for size in SIZES:
            self.resize(person, size)
            self.see(person, screen)

    def see(self, person: Person, screen: str) -> None:
        """One screen, as it is now; in the dark only the colours differ."""
        page = person.page
        for look, rules in (("dark", ["color-contrast"]), ("light", RULES)):
            page.emulate_media(color_scheme=look)
            page.wait_for_timeout(150)  # what moves has come to rest
            name = f"{screen}-{look}-{self.size}"
            self.wrong += [f"{name}: {problem}" for problem in violations(page, rules)]
            if SCREENS:
                picture = Image.open(io.BytesIO(page.screenshot()))
                picture.quantize(128).save(Path(SCREENS) / f"{name}.png", optimize=True)
        if is_too_wide(page):
            self.wrong.append(f"{name}: wider than the window")


def show_everything(screens: Screens, person: Person, friend: Person, group: str) -> None:
    page = person.page
    person.leaves_it()
    screens.see(person, "list")
    person.goes_to(friend.name)
    person.hears("I can bring bread.")
    screens.see(person, "conversation")
    person.message("I can bring bread.").focus()
    page.keyboard.press("Enter")
    screens.see(person, "message-menu")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Emoji").click()
    expect(page.get_by_role("button", name="grinning face", exact=True)).to_be_visible()
    screens.see(person, "emoji")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="About encryption").click()
    screens.see(person, "lock")
    page.get_by_role("button", name="Safety number").click()
    expect(page.get_by_role("img", name="The safety number as a QR code")).to_be_visible()
    screens.see(person, "safety-number")
    page.keyboard.press("Escape")
    person.leaves_it()
    person.goes_to(group)
    person.opens_details()
    screens.see(person, "group")
    person.closes()
    person.leaves_it()
    page.get_by_role("button", name="New conversation").first.click()
    for tab, make in (
        ("Person", None),
        ("Group", None),
        ("Code", "Show my code"),
        ("Invite", "Create invite link"),
    ):
        page.get_by_role("tab", name=tab).click()
        if make:
            shown, button = page.get_by_role("img", name="as a QR code"), page.get_by_role("button", name=make)
            expect(shown.or_(button)).to_be_visible()
            if button.is_visible():  # not in the second size
                button.click()
            expect(shown).to_be_visible()
        screens.see(person, f"new-{tab.lower()}")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Settings").click()
    person.sees_devices()
    screens.see(person, "settings")
    page.keyboard.press("Escape")


def test_every_screen_in_both_themes_is_accessible(users: Users) -> None:
    screens = Screens()
    anna, ben, clara = (users(exactly=name, reduced_motion="reduce") for name in ("Anna", "Ben", "Clara"))
    anna.opens()
    expect(anna.page.get_by_role("button", name="Create account")).to_be_visible()
    screens.see_in_all_sizes(anna, "welcome")
    for person in (anna, ben, clara):
        person.registers()
    screens.see_in_all_sizes(anna, "empty")
    anna.sees("No conversations yet.")
    talk(anna, ben, clara)
    clara.goes_to(anna.name)
    expect(clara.page.get_by_role("button", name="Accept")).to_be_visible()
    screens.see_in_all_sizes(clara, "request")
    for size in SIZES:
        screens.resize(anna, size)
        show_everything(screens, anna, ben, "Sunday lunch")
    compares_before_a_new_account_key(screens, anna, ben, users(of=ben, reduced_motion="reduce"))
    screens.see_in_all_sizes(anna, "keys-changed")
    assert not screens.wrong, "\n".join(screens.wrong)


def talk(anna: Person, ben: Person, clara: Person) -> None:
    """Fill the screens with conversations."""
    anna.starts_with(clara)
    anna.says("Hello, I sing in your choir.")
    anna.leaves_it()
    anna.makes_group("Sunday lunch", [ben])
    anna.says("Who is coming on Sunday?")
    anna.leaves_it()
    anna.starts_with(ben)
    anna.says("Are you coming on Sunday?")
    ben.accepts(anna)
    ben.says("Yes, gladly! 🙂")
    ben.says("I can bring bread.")
    anna.hears("I can bring bread.")
    anna.does_with("I can bring bread.", "React with ❤️")
    anna.does_with("Yes, gladly!", "Reply")
    anna.says("Good. The recipe is at https://example.org/soup, if you want to look.")
    anna.says("And tell the others, please.")
    ben.hears("And tell the others")
    ben.leaves_it()
    ben.goes_to("Sunday lunch")
    ben.page.get_by_role("button", name="Accept").click()
    ben.says("Me!")


def compares_before_a_new_account_key(screens: Screens, anna: Person, ben: Person, phone: Person) -> None:
    anna.leaves_it()
    anna.goes_to(ben.name)
    anna.page.get_by_role("button", name="About encryption").click()
    anna.page.get_by_role("button", name="Safety number").click()
    anna.page.get_by_role("button", name="They match – mark as verified").click()
    anna.sees("You’ll be told if the safety number changes.")
    anna.closes()
    phone.logs_in()
    expect(phone.page.locator("#link-code")).to_be_visible()
    screens.see_in_all_sizes(phone, "confirm-device")
    phone.page.get_by_text("I have no other device and no recovery key").click()
    phone.page.get_by_label("Password").fill(PASSWORD)
    phone.page.get_by_role("button", name="Start over with only this device").click()
    phone.is_home()
    expect(anna.page.get_by_role("alert")).to_contain_text(f"{ben.name}’s safety number has changed.")


def test_first_message_by_keyboard_alone(users: Users, friends: Two) -> None:
    _, ben = friends
    anna = users("anna").opens()
    keys = anna.page.keyboard

    def tab_to(name: str) -> None:
        """Until what has the focus is called so."""
        for _ in range(40):
            keys.press("Tab")
            if name in focused(anna.page):
                return
        raise AssertionError(f"the Tab key does not reach {name}")

    expect(anna.page.get_by_label("Username")).to_be_visible()
    tab_to("Username")
    keys.type(anna.name)
    tab_to("Password")
    keys.type(PASSWORD)
    keys.press("Enter")
    anna.is_home()
    tab_to("New conversation")
    keys.press("Enter")
    expect(anna.page.get_by_role("dialog")).to_be_visible()
    tab_to("Username")
    keys.type(ben.name)
    keys.press("Enter")
    expect(anna.field).to_be_focused()
    keys.type("By keyboard")
    keys.press("Enter")
    anna.sees_mark("By keyboard", "Sent")
    keys.press("ArrowUp")
    expect(anna.field).to_have_value("By keyboard")
    keys.type(" alone")
    keys.press("Enter")
    anna.hears("By keyboard alone")
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    assert "By keyboard alone" in focused(anna.page)
    keys.press("Enter")
    expect(anna.page.get_by_role("menuitem", name="Reply")).to_be_visible()
    assert "👍" in focused(anna.page)
    keys.press("Escape")
    expect(anna.page.get_by_role("menuitem", name="Reply")).to_be_hidden()


def focused(page: Page) -> str:
    """The accessible name of the focused element, also in shadow roots."""
    return str(
        page.evaluate(
            """() => {
                let one = document.activeElement;
                while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
                const label = one?.getRootNode().querySelector?.(`label[for="${one.id}"]`);
                return one?.getAttribute('aria-label') ?? label?.textContent ?? one?.textContent ?? '';
            }"""
        )
    )


@pytest.fixture
def resized(two: Two) -> Iterator[Two]:
    """The two friends; the test resizes Anna's window, and may take her network away."""
    yield two
    two[0].context.set_offline(False)
    two[0].page.set_viewport_size(DESKTOP)


def test_enlarged_page_loses_nothing(resized: Two) -> None:
    """WCAG 1.4.4 and 1.4.10: a window of 1280 at 400 % is one of 320."""
    anna, _ = resized
    anna.says("a_long_word_that_nobody_would_write_but_that_an_address_may_well_contain_" * 3)
    for width in (640, 320):
        anna.page.set_viewport_size({"width": width, "height": 400 if width == 640 else 256})
        assert not is_too_wide(anna.page)
        expect(anna.field).to_be_in_viewport()
        expect(anna.page.get_by_role("button", name="Send")).to_be_in_viewport()


def test_reduced_motion_is_respected(two: Two) -> None:
    page = two[0].page
    page.emulate_media(reduced_motion="reduce")
    quick = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--quick')")
    page.emulate_media(reduced_motion="null")
    assert quick.strip() == "0ms"


@pytest.fixture
def in_the_light(two: Two) -> Iterator[Person]:
    """Anna, whose system has the light theme; she chooses another one."""
    anna, _ = two
    anna.page.emulate_media(color_scheme="light")
    yield anna
    anna.is_without_dialog()
    anna.opens_settings()
    anna.page.get_by_label("Match system").check()
    expect(anna.page.locator("html")).not_to_have_attribute("data-theme", "dark")


def test_chosen_theme_stays_after_reload(in_the_light: Person) -> None:
    anna = in_the_light
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = anna.page.evaluate(paper)
    anna.page.get_by_role("button", name="Settings").click()
    anna.page.get_by_label("Dark").check()
    anna.closes()
    expect(anna.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert anna.page.evaluate(paper) != light
    anna.page.reload()
    anna.is_home()
    assert anna.page.evaluate(paper) != light


def test_new_message_is_announced_to_screen_readers(two: Two) -> None:
    anna, ben = two
    ben.says("for your ears")
    expect(anna.page.locator("[aria-live=polite]")).to_have_text(f"{ben.name}: for your ears")


def test_long_names_fit_on_a_phone(resized: Two) -> None:
    anna, ben = resized
    anna.page.set_viewport_size(PHONE)
    anna.leaves_it()
    anna.makes_group("A name of a group that is as long as any may ever become!!!", [ben])
    for name in ("About encryption", "Send"):
        box = anna.page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= PHONE["width"], name
    anna.context.set_offline(True)
    expect(anna.page.get_by_role("main").get_by_text("Offline. Your messages will be sent later.")).to_be_visible()

"""Settings: profile, privacy, password, notifications."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.web.conftest import Two, Users
from tests.web.person import PASSWORD, Person

pytestmark = pytest.mark.once


def settings(person: Person) -> Locator:
    person.page.get_by_role("button", name="Settings").click()
    expect(person.page.get_by_role("dialog")).to_be_visible()
    return person.page.locator("sv-settings")


def by_another_program(person: Person, method: str, path: str, body: object = None) -> None:
    """A request with the session of this user's browser."""
    answer = person.context.request.fetch(person.address + path, method=method, data=body)
    assert answer.ok, answer.text()


def test_picture_is_cropped_and_shown_to_others(two: Two, tmp_path: Path) -> None:
    anna, ben = two
    picture = Image.new("RGB", (600, 300), "red")
    picture.paste("blue", (300, 0, 600, 300))
    picture.save(tmp_path / "large.png")
    dialog = settings(anna)
    dialog.get_by_label("Choose a picture").set_input_files(tmp_path / "large.png")
    crop = dialog.get_by_role("img", name="Your picture")
    crop.focus()
    for _ in range(20):
        anna.page.keyboard.press("ArrowRight")  # until only the right half is shown
    dialog.get_by_role("button", name="Use this picture").click()
    shown = dialog.locator("sv-avatar img")
    expect(shown).to_be_visible()
    kept = ben.page.request.get(anna.address + (shown.get_attribute("src") or ""))
    pixels = Image.open(io.BytesIO(kept.body())).convert("RGB")
    assert pixels.size == (256, 256)
    assert {pixels.getpixel(at) for at in ((0, 0), (255, 0), (128, 255))} == {(0, 0, 255)}
    expect(ben.listed(anna.name).locator("img")).to_have_attribute("src", re.compile(r"/picture\?v="))  # while he looks


def test_file_that_is_no_picture_is_rejected(two: Two, tmp_path: Path) -> None:
    anna, _ = two
    (tmp_path / "wrong.png").write_bytes(b"this is no picture")
    dialog = settings(anna)
    dialog.get_by_label("Choose a picture").set_input_files(tmp_path / "wrong.png")
    expect(dialog.get_by_role("alert")).to_have_text("This picture can’t be read. Try a PNG or JPEG file.")


def test_receipts_and_typing_can_be_turned_off(two: Two) -> None:
    anna, ben = two
    dialog = settings(ben)
    dialog.get_by_label("Send read receipts").uncheck()
    dialog.get_by_label("Send typing indicators").uncheck()
    ben.closes()
    ben.field.press_sequentially("Hm, hm")
    anna.says("Did you read this?")
    ben.hears("Did you read this?")
    ben.says("an answer, to know that all has gone through")
    anna.hears("an answer")
    anna.sees_mark("Did you read this?", "Sent")
    assert anna.page.get_by_text("typing…").count() == 0
    dialog = settings(ben)
    expect(dialog.get_by_label("Send typing indicators")).not_to_be_checked()
    dialog.get_by_label("Send read receipts").check()
    dialog.get_by_label("Send typing indicators").check()
    ben.closes()
    anna.says("And this?")
    anna.sees_mark("And this?", "Read")
    ben.field.press_sequentially("!")
    anna.sees("typing…")
    ben.field.fill("")


def test_bio_is_stored_and_shown_to_others(two: Two) -> None:
    anna, ben = two
    dialog = settings(anna)
    dialog.get_by_label("About you").fill("I sing")
    dialog.get_by_role("button", name="Save").click()
    anna.sees("Saved.")
    anna.closes()
    expect(settings(anna).get_by_label("About you")).to_have_value("I sing")
    ben.opens_details()
    ben.does_with_member(anna, f"About {anna.name}")
    ben.sees("I sing")
    ben.closes()


def test_renamed_account_is_shown_and_can_log_in_again(users: Users, two: Two) -> None:
    anna, (_, ben) = users("anna").registers(), two
    anna.meets(ben)
    after = f"{anna.name}_now"
    by_another_program(anna, "PATCH", "/api/users", {"username": after, "password": PASSWORD})
    anna.name = after
    expect(ben.listed(after)).to_be_visible()  # while he looks
    ben.is_in(after)
    by_another_program(anna, "DELETE", "/v2/sessions/current")
    anna.sees("You’ve been logged out.")
    anna.page.get_by_role("button", name="Log in again").first.click()
    anna.sees(f"Log in again as {after}")
    anna.gives_again(PASSWORD)
    expect(anna.page.get_by_text("You’ve been logged out.")).to_have_count(0)
    anna.says("It is still me")
    ben.hears("It is still me")


def test_notification_names_the_sender_and_not_the_text(two: Two) -> None:
    anna, ben = two
    ben.context.grant_permissions(["notifications"])
    ben.page.evaluate(
        """() => {
            window.shown = [];
            window.Notification = class {
                static permission = 'granted';
                constructor(title, { body }) { shown.push([title, body]); }
            };
        }"""
    )
    settings(ben).get_by_label("Show notifications").check()
    ben.closes()
    ben.leaves_it()
    ben.page.evaluate("document.hasFocus = () => false")
    anna.says("a private word")
    expect(ben.listed(anna.name)).to_contain_text("a private word")
    assert ben.page.evaluate("shown") == [[anna.name, f"New message from {anna.name}"]]
    ben.goes_to(anna.name)
    anna.says("while the window is behind another")
    anna.sees_mark("while the window is behind another", "Delivered")
    assert len(ben.page.evaluate("shown")) == 2
    ben.page.evaluate("document.hasFocus = () => true; dispatchEvent(new Event('focus'))")
    anna.sees_mark("while the window is behind another", "Read")
    settings(ben).get_by_label("Show notifications").uncheck()
    ben.context.clear_permissions()
    ben.takes_another_tab()  # with Notification as it is

"""Two users in a conversation: requests, messages, reactions, typing, drafts."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Two, Users

pytestmark = pytest.mark.once


def test_first_message_of_a_stranger_is_a_request(users: Users, two: Two) -> None:
    anna, (_, ben) = users("anna").registers(), two
    anna.starts_with(ben)
    anna.says("Do you know me?")
    ben.sees("Message requests")
    ben.goes_to(anna.name)
    ben.hears("Do you know me?")
    expect(ben.field).to_have_count(0)
    anna.sees_mark("Do you know me?", "Sent")  # and no more than that before it is accepted
    ben.page.get_by_role("button", name="Accept").click()
    ben.says("Now I do")
    anna.hears("Now I do")
    anna.sees_mark("Do you know me?", "Read")


def test_request_can_be_ignored_and_sender_blocked(users: Users, two: Two) -> None:
    anna, (_, ben), eve = users("anna").registers(), two, users("eve").registers()
    for stranger in (anna, eve):
        stranger.starts_with(ben)
        stranger.says("Hello?")
    ben.goes_to(anna.name)
    ben.page.get_by_role("button", name="Ignore").click()
    expect(ben.listed(anna.name)).to_have_count(0)
    ben.goes_to(eve.name)
    ben.page.get_by_role("button", name="Block").click()
    expect(ben.listed(eve.name)).to_have_count(0)
    eve.says("Are you there?")
    eve.sees_mark("Are you there?", "Sent")
    ben.page.get_by_role("button", name="Settings").click()
    ben.page.get_by_role("listitem").filter(has_text=eve.name).get_by_role("button", name="Unblock").click()
    ben.sees("No blocked people")
    ben.closes()
    expect(ben.listed(eve.name)).to_be_visible()


def test_messages_arrive_in_order_with_their_marks(two: Two) -> None:
    anna, ben = two
    for number in range(5):
        anna.says(f"number {number}")
    ben.hears("number 4")
    assert ben.texts() == ["Hello Ben", *(f"number {number}" for number in range(5))]
    anna.sees_mark("number 4", "Read")
    ben.leaves_it()
    anna.says("while you look elsewhere")
    anna.sees_mark("while you look elsewhere", "Delivered")
    expect(ben.listed(anna.name)).to_contain_text("while you look elsewhere")
    expect(ben.page).to_have_title("(1) Sottovoce")
    ben.goes_to(anna.name)
    anna.sees_mark("while you look elsewhere", "Read")
    expect(ben.page).to_have_title("Sottovoce")


def test_message_can_be_edited_replied_to_and_deleted(two: Two) -> None:
    anna, ben = two
    anna.says("See you at eight?")
    ben.hears("See you at eight?")
    anna.does_with("See you at eight?", "Edit")
    anna.field.fill("See you at nine?")
    anna.page.keyboard.press("Enter")
    ben.hears("See you at nine?")
    expect(ben.message("See you at nine?")).to_contain_text("edited")
    ben.does_not_see("eight")

    ben.does_with("See you at nine?", "Reply")
    ben.says("Yes!")
    expect(anna.message("Yes!")).to_contain_text("See you at nine?")
    anna.does_with("Yes!", "React with ❤️")
    expect(ben.page.get_by_role("button", name=f"❤️ from {anna.name}")).to_be_visible()
    anna.page.get_by_role("button", name="❤️ from you").click()
    expect(ben.page.get_by_role("button", name="❤️ from")).to_have_count(0)

    anna.does_with("See you at nine?", "Delete for everyone")
    anna.confirms("Delete for everyone")
    expect(ben.page.get_by_text("This message was deleted.")).to_be_visible()
    anna.says("Not for all time")
    ben.hears("Not for all time")
    ben.does_with("Not for all time", "Delete for me")
    ben.confirms("Delete for me")
    ben.does_not_see("Not for all time")
    anna.hears("Not for all time")


def test_typing_is_shown_and_expires(two: Two) -> None:
    anna, ben = two
    ben.field.press_sequentially("Hm")
    anna.sees("typing…")
    expect(anna.page.get_by_text("typing…")).to_have_count(0)


def test_text_is_never_html_and_links_are_links(two: Two) -> None:
    anna, ben = two
    anna.says("<img src=x onerror=alert(1)> javascript:alert(1) see https://example.org/a?b=c")
    ben.hears("<img src=x onerror=alert(1)>")
    link = ben.message("javascript:").get_by_role("link", name="https://example.org/a?b=c", exact=True)
    expect(link).to_have_attribute("rel", re.compile("noopener.*noreferrer"))
    expect(ben.message("javascript:").get_by_role("link")).to_have_count(1)
    anna.field.fill("two\nlines")
    anna.page.keyboard.press("Enter")
    ben.hears("two\nlines")


def test_draft_is_kept_in_each_conversation(two: Two) -> None:
    anna, ben = two
    ben.field.fill("not yet sent")
    anna.makes_group("The draftsmen", [ben])
    anna.says("and here")
    ben.goes_to("The draftsmen")
    expect(ben.listed(anna.name)).to_contain_text("Draft: not yet sent")
    ben.page.reload()
    ben.goes_to(anna.name)
    expect(ben.field).to_have_value("not yet sent")
    ben.field.fill("")


def test_emoji_is_found_by_its_name(two: Two) -> None:
    anna, ben = two
    anna.page.get_by_role("button", name="Emoji").click()
    anna.page.get_by_label("Search emoji").fill("hedgehog")
    anna.page.get_by_role("button", name="hedgehog").click()
    anna.page.get_by_role("button", name="Send").click()
    ben.hears("🦔")

"""An account from sign-up to deletion: invites, codes, a second device, log-out."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Two, Users
from tests.web.person import PASSWORD, Person

pytestmark = pytest.mark.once

LEFT_BEHIND = """async () => ({
  databases: (await indexedDB.databases()).map(({ name }) => name),
  stored: [...Object.keys(localStorage), ...Object.keys(sessionStorage)],
  cached: (await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys())))
    .flat().map(({ url }) => new URL(url).pathname),
})"""


def test_invite_leads_to_first_message_within_a_minute(users: Users, two: Two) -> None:
    host, _ = two
    host.context.grant_permissions(["clipboard-read", "clipboard-write"])
    host.begins("Invite")
    host.page.get_by_role("button", name="Create invite link").click()
    expect(host.page.get_by_role("img", name="Your invite as a QR code")).to_be_visible()
    invite = host.page.locator("sv-share-codes code").inner_text()
    host.page.get_by_role("button", name="Copy link").click()
    host.sees("Copied")
    assert host.page.evaluate("navigator.clipboard.readText()") == f"{host.address}/#invite={invite}"
    host.closes()
    host.begins("Invite")
    expect(host.page.locator("sv-share-codes code")).to_have_text(invite)  # it is still there
    host.closes()

    guest = users("ben")
    began = time.monotonic()
    guest.opens(f"/#invite={invite}")
    guest.sees("You’ve been invited.")
    expect(guest.page.get_by_label("Invite code")).to_have_value(invite)
    guest.gives(guest.name, PASSWORD)
    guest.page.get_by_role("button", name="Create account").click()
    guest.is_in(host.name)
    guest.says("Here I am")
    guest.sees_mark("Here I am", "Delivered")  # and no request: they know each other
    took_s = time.monotonic() - began
    assert took_s < 60, took_s
    host.goes_to(guest.name)
    host.hears("Here I am")
    host.says("Welcome!")
    guest.hears("Welcome!")
    assert invite not in guest.page.url
    host.context.clear_permissions()


def test_errors_of_sign_up_and_log_in_are_sentences(users: Users, friends: Two) -> None:
    (anna, _), other = friends, users("ben")
    other.opens()
    other.gives(anna.name, PASSWORD)
    start = other.page.get_by_role("button", name="Create account")
    start.click()
    other.is_told("That username is taken. Choose another one.")
    other.gives("has space", PASSWORD)
    start.click()
    expect(other.page.get_by_role("alert")).to_have_text(re.compile(r"^[A-Z][^{}_]+\.$"))
    other.gives(other.name, "short")
    start.click()
    assert other.page.get_by_label("Password").evaluate("(field) => field.validity.tooShort")  # the browser says so
    other.is_welcomed()
    other.page.get_by_role("tab", name="Log in").click()
    expect(other.page.get_by_role("alert")).to_have_count(0)
    other.gives(anna.name, "not-her-password")
    other.page.get_by_role("button", name="Log in").click()
    other.is_told("Wrong username or password.")
    other.page.get_by_role("tab", name="Sign up").click()
    other.opens("/#invite=NOSUCH0")
    other.gives(other.name, PASSWORD)
    other.page.get_by_role("button", name="Create account").click()
    other.is_told("This invite is unknown, already used or expired. Ask for a new one.")


def test_second_device_joins_and_receives_new_messages(users: Users, two: Two) -> None:
    (anna, carol), ben = two, users("ben").registers()
    anna.meets(ben)
    anna.says("Only for the first")
    ben.hears("Only for the first")
    phone = users(of=ben).logs_in_linked(ben)
    phone.goes_to(anna.name)
    phone.sees("You added this device today. Earlier messages are on your other devices.")
    ben.sees("You added a new device.")
    anna.says("For both of you")
    for device in (ben, phone):
        device.hears("For both of you")
    phone.does_not_see("Only for the first")
    phone.says("From my phone")
    anna.hears("From my phone")
    ben.hears("From my phone")
    phone.starts_with(carol)  # and begins conversations, with the first device in them
    phone.says("Hello Carol")
    phone.sees_mark("Hello Carol", "Sent")
    expect(ben.listed(carol.name)).to_contain_text("You: Hello Carol")
    carol.accepts(ben)


def test_log_out_erases_the_browser(users: Users, friends: Two) -> None:
    anna, (_, ben) = users("anna", service_workers="allow").registers(), friends
    anna.starts_with(ben)
    anna.says("A secret")
    anna.sees_mark("A secret", "Sent")
    assert sorted(anna.page.evaluate(LEFT_BEHIND)["databases"]) != []
    anna.logs_out()
    is_empty(anna)
    anna.page.reload()
    anna.is_welcomed()
    is_empty(anna)

    anna.logs_in_again()  # the same browser is a new device
    anna.goes_to(ben.name)
    anna.sees("You added this device today. Earlier messages aren’t on this device.")
    anna.does_not_see("A secret")


def is_empty(person: Person) -> None:
    """The browser stores nothing of the account."""
    left = person.comes_to(lambda: person.page.evaluate(LEFT_BEHIND), lambda left: left["databases"] == [])
    assert set(left["stored"]) <= {"theme"}
    assert all(path == "/" or path.startswith("/web/") for path in left["cached"]), left["cached"]
    assert person.context.cookies() == []


def test_two_users_connect_by_a_code(users: Users, two: Two) -> None:
    (anna, _), ben, carol = two, users("ben").registers(), users("carol")
    anna.begins("Code")
    code = shows_a_code(anna)
    ben.begins("Code")
    ben.page.get_by_label("Their code").fill(code)
    ben.page.get_by_role("button", name="Start", exact=True).click()
    ben.says("You gave me a code")
    anna.closes()
    anna.goes_to(ben.name)  # without asking first
    anna.says("I did")
    ben.hears("I did")
    ben.begins("Code")
    ben.page.get_by_label("Their code").fill(code)
    ben.page.get_by_role("button", name="Start", exact=True).click()
    ben.is_told("This code is unknown, already used or expired. A code works once, for 24 hours.")
    ben.closes()

    ben.begins("Code")
    link = f"/#code={shows_a_code(ben)}"
    carol.registers(link)  # by the link, as a new user
    carol.page.get_by_role("button", name="Start", exact=True).click()
    carol.says("I scanned it")
    ben.closes()
    ben.goes_to(carol.name)
    ben.hears("I scanned it")

    carol.begins("Code")
    anna.opens(f"/#code={shows_a_code(carol)}")  # and as a user with an account
    expect(anna.page.get_by_label("Their code")).to_have_value(re.compile(r"^\d{5}$"))
    anna.page.get_by_role("button", name="Start", exact=True).click()
    anna.is_in(carol.name)


def shows_a_code(person: Person) -> str:
    """Returns the code, which is shown large and as a QR code."""
    person.page.get_by_role("button", name="Show my code").click()
    expect(person.page.get_by_role("img", name="Your code as a QR code")).to_be_visible()
    shown = person.page.locator("sv-share-codes .code")
    assert float(shown.evaluate("(code) => parseFloat(getComputedStyle(code).fontSize)")) >= 32
    code = shown.inner_text()
    assert re.fullmatch(r"\d{5}", code)
    return code


def test_codes_stay_listed_until_revoked(two: Two) -> None:
    anna, _ = two
    anna.begins("Code")
    first = shows_a_code(anna)
    anna.page.get_by_role("button", name="Create another").click()
    shown = anna.page.locator("sv-share-codes .code")
    expect(shown).not_to_have_text(first)
    second = shown.inner_text()
    anna.closes()
    anna.begins("Code")
    expect(shown).to_have_text(second)
    others = anna.page.get_by_role("list", name="Also active")
    expect(others).to_contain_text(first)
    anna.page.get_by_role("button", name=f"Revoke {second}").click()
    expect(shown).to_have_text(first)
    expect(others).to_have_count(0)
    anna.page.get_by_role("button", name=f"Revoke {first}").click()
    expect(anna.page.get_by_role("button", name="Show my code")).to_be_visible()
    for code in (first, second):
        anna.page.get_by_label("Their code").fill(code)
        anna.page.get_by_role("button", name="Start", exact=True).click()
        anna.is_told("This code is unknown, already used or expired. A code works once, for 24 hours.")


def test_deleted_account_is_gone_for_others(users: Users, two: Two) -> None:
    anna, (_, ben) = users("anna").registers(), two
    anna.meets(ben)
    anna.says("What you have stays with you")
    anna.opens_settings()
    anna.page.get_by_text("Delete account").click()
    form = anna.page.locator("form").filter(has=anna.page.get_by_role("button", name="Delete my account"))
    form.get_by_label("Password").fill("not-my-password")
    form.get_by_role("button").click()
    expect(anna.page.get_by_role("alert")).to_have_text(re.compile(r"^[A-Z][^{}_]+\.$"))
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button").click()
    anna.is_welcomed()
    is_empty(anna)
    ben.hears("What you have stays with you")
    ben.is_in("Just you")  # he knows that she is gone
    ben.sees(f"{anna.name} left.")
    ben.begins("Person")
    ben.page.get_by_label("Username").fill(anna.name)
    ben.page.get_by_role("button", name="Start", exact=True).click()
    ben.is_told("No one has that username. Check the spelling.")
    anna.page.get_by_role("tab", name="Log in").click()
    anna.gives(anna.name, PASSWORD)
    anna.page.get_by_role("button", name="Log in").click()
    anna.is_told("Wrong username or password.")

"""Safety numbers: verify a contact, and be warned when the keys change."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.web.conftest import Two, Users
from tests.web.person import PASSWORD, Person

pytestmark = pytest.mark.once

CHANGED = "safety number has changed."


@pytest.fixture
def misled(two: Two) -> Iterator[Two]:
    """The two friends. What the test makes Anna's tab believe ends with the tab."""
    yield two
    two[0].takes_another_tab()


def test_encryption_dialog_explains_and_leads_to_safety_number(two: Two) -> None:
    anna, ben = two
    sees_lock(anna, "End-to-end encrypted")
    lock_of(anna).click()
    dialog = anna.page.locator("sv-dialog")
    expect(dialog.get_by_role("heading", name="End-to-end encrypted")).to_be_visible()
    expect(dialog).to_contain_text("The server passes them on but can’t read them.")
    expect(dialog).to_contain_text("The server does know who talks to whom, when, and how much.")
    expect(dialog.get_by_role("listitem").filter(has_text=ben.name)).to_contain_text("not verified")
    dialog.get_by_role("button", name="Safety number").click()
    expect(anna.page.get_by_role("heading", name=f"Safety number with {ben.name}")).to_be_visible()


# The worker tells every tab of a changed conversation on this channel; after each, this tells that it is forged.
FORGE = """() => {
  const channel = new BroadcastChannel('sottovoce');
  channel.onmessage = ({ data: { event, detail } }) => {
    if (event === 'conversation' && !detail.isForged)
      channel.postMessage({ event, detail: { ...detail, isForged: true } });
  };
}"""


def test_forged_group_says_what_happened_and_what_to_do(misled: Two) -> None:
    """web/scenarios/ghosts.test.js has a real forged group; this is its screen."""
    anna, ben = misled
    anna.makes_group("The forgers", [ben])
    anna.says("Who is here?")
    ben.goes_to("The forgers")
    anna.page.evaluate(FORGE)
    ben.says("Are you there?")
    anna.hears("Are you there?")
    banner = anna.page.get_by_role("alert")
    expect(banner).to_contain_text("This conversation is not safe. The server added someone you can’t see.")
    expect(banner).to_contain_text("Nothing you write here is sent. Leave this conversation")
    expect(anna.page.get_by_role("textbox", name="Message")).to_have_attribute("placeholder", "Nothing is sent here")
    lock_explains(anna, "Not safe", "Not safe right now")
    banner.get_by_role("button", name="Leave conversation").click()
    anna.confirms("Leave")
    anna.sees("You’re no longer in this conversation.")


# The same, where no member has added the other one.
LET_IN = FORGE.replace("!detail.isForged", "!detail.strangers?.length").replace(
    "isForged: true", "strangers: detail.people.map(({ id }) => id)"
)


def test_stranger_is_named_and_the_members_can_be_seen(misled: Two) -> None:
    """web/scenarios/uninvited.test.js has a real stranger; this is the screen."""
    anna, ben = misled
    anna.page.evaluate(LET_IN)
    ben.says("Are you there?")
    banner = anna.page.get_by_role("alert").filter(has_text=f"We can’t tell who added {ben.name}.")
    expect(banner.get_by_role("button", name=f"Send my messages to {ben.name} too")).to_be_visible()
    sees_lock(anna, "Not safe")
    banner.get_by_role("button", name="See who’s here").click()
    expect(anna.page.get_by_role("list", name="Participants")).to_be_visible()


# The same, where the server calls the conversation a message request.
ASKED = LET_IN.replace("strangers:", "state: 'requested', strangers:")


def test_warning_is_shown_above_a_request(misled: Two) -> None:
    """web/scenarios/shown.test.js has a server that calls conversations requests; this is the screen."""
    anna, ben = misled
    anna.page.evaluate(ASKED)
    ben.says("Are you there?")
    expect(anna.page.get_by_role("region", name="Message request")).to_be_visible()
    expect(anna.page.get_by_role("alert").filter(has_text=f"We can’t tell who added {ben.name}.")).to_be_visible()


def test_linked_device_of_verified_contact_needs_no_second_look(users: Users, two: Two) -> None:
    (anna, _), ben = two, users("ben").registers()
    anna.meets(ben)
    numbers = [opens_safety_number(anna, ben), opens_safety_number(ben, anna)]
    assert numbers[0] == numbers[1]
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", numbers[0])
    for person in (anna, ben):
        compares(person)
        sees_lock(person, "Verified")
    anna.says("Now we know")
    ben.hears("Now we know")
    anna.makes_group("The choir", [ben])
    sees_lock(anna, "Verified")  # they are the same keys everywhere
    anna.goes_to(ben.name)
    ben.page.reload()  # it is kept
    ben.goes_to(anna.name)
    sees_lock(ben, "Verified")

    phone = users(of=ben).logs_in_linked(ben)
    expect(phone.listed("The choir")).to_be_visible()
    phone.goes_to(anna.name)
    anna.sees(f"{ben.name} has a new device.")
    expect(anna.page.get_by_role("alert")).to_have_count(0)
    sees_lock(anna, "Verified")
    phone.says("It is me, on my phone")
    anna.hears("It is me, on my phone")
    anna.says("For every device of yours")
    phone.hears("For every device of yours")
    assert opens_safety_number(phone, anna) == numbers[0]
    phone.closes()


def test_new_account_key_of_verified_contact_warns_until_verified(users: Users, two: Two) -> None:
    (anna, _), ben = two, users("ben").registers()
    anna.meets(ben)
    numbers = [opens_safety_number(anna, ben), opens_safety_number(ben, anna)]
    for person in (anna, ben):
        compares(person)
    phone = users(of=ben).logs_in_again()
    phone.goes_to(anna.name)
    banner = anna.page.get_by_role("alert").filter(has_text=CHANGED)
    expect(banner).to_contain_text(f"{ben.name}’s {CHANGED}")
    lock_explains(anna, "Safety number changed", "Safety number changed")
    ben.sees("You’ve been logged out.")
    expect(banner).to_contain_text("Until then, your messages wait here.")
    expect(anna.page.get_by_role("textbox", name="Message")).to_have_attribute("placeholder", "Message (will wait)")
    anna.says("Is it you?")
    held = anna.message("Is it you?").get_by_role("alert")
    expect(held).to_contain_text("Waiting. A safety number has changed.")
    expect(held.get_by_role("button")).to_have_text(["Delete"])
    phone.does_not_see("Is it you?")

    banner.get_by_role("button", name=f"Compare with {ben.name}").click()
    anna.sees("This number has changed since you verified it.")
    fresh = safety_number(anna)
    assert fresh != numbers[0]
    assert opens_safety_number(phone, anna) == fresh
    anna.page.get_by_role("button", name="They match – mark as verified").click()
    anna.sees("You’ll be told if the safety number changes.")
    anna.closes()
    expect(banner).to_have_count(0)


# The worker tells every tab on this channel that a message waits for its author.
HOLD = """() => {
  const id = 'f'.repeat(32);
  const content = { kind: 'text', id, text: 'For the two of us' };
  const conversation = location.hash.slice('#c/'.length);
  const failure = { code: 'new_readers', message: '' };
  const detail = { id, order: 1, at: new Date().toISOString(), conversation, isDirect: false, content, failure };
  new BroadcastChannel('sottovoce').postMessage({ event: 'waiting', detail });
}"""


def test_held_text_says_why_and_can_be_sent_again(misled: Two) -> None:
    """web/scenarios/ghosts.test.js has texts that are really held; this is their screen."""
    anna, _ = misled
    anna.page.evaluate(HOLD)
    asked = anna.page.get_by_role("alert").filter(has_text="Someone joined, or a new device was added")
    expect(asked).to_contain_text("Not sent")
    expect(asked.get_by_role("button", name="Send to everyone who’s here now")).to_be_visible()


def test_recovery_key_confirms_a_device_without_another_one(users: Users, two: Two) -> None:
    (anna, _), ben = two, users("ben").registers()
    anna.meets(ben)
    ben.page.get_by_role("button", name="Create one now").click()
    ben.page.get_by_role("button", name="Create a recovery key").click()
    key = ben.page.locator("#recovery-key").inner_text()
    with ben.page.expect_download() as download:
        ben.page.get_by_role("button", name="Save as a file").click()
    assert key in download.value.path().read_text()
    ben.page.keyboard.press("Escape")
    ben.page.mouse.click(5, 5)
    expect(ben.page.locator("#recovery-key")).to_have_text(key)  # it is shown once
    expect(ben.page.get_by_role("button", name="Close")).to_have_count(0)
    ben.page.get_by_role("button", name="I’ve saved it").click()
    expect(ben.page.get_by_role("button", name="Create one now")).to_have_count(0)
    before = opens_safety_number(anna, ben)
    anna.closes()
    ben.logs_out()
    ben.logs_in()
    ben.page.get_by_text("Or with your recovery key", exact=True).click()
    ben.page.get_by_label("Recovery key", exact=True).fill(key.replace("-", " ").lower()[:-1])
    ben.page.get_by_role("button", name="Confirm with the recovery key").click()
    ben.is_told("This code has a mistake. Check each letter.")
    ben.page.get_by_label("Recovery key", exact=True).fill(ben.page.locator("#link-code").inner_text())
    ben.page.get_by_role("button", name="Confirm with the recovery key").click()
    ben.is_told("That’s the code from this page, for your other device. Your recovery key is another one.")
    ben.page.get_by_label("Recovery key", exact=True).fill(key.replace("-", " ").lower())
    ben.page.get_by_role("button", name="Confirm with the recovery key").click()
    ben.is_home()
    anna.sees(f"{ben.name} is back on a new device.")
    expect(anna.page.get_by_role("alert")).to_have_count(0)
    anna.says("The same number")
    ben.goes_to(anna.name)
    ben.hears("The same number")
    assert opens_safety_number(anna, ben) == before
    anna.closes()


@pytest.fixture(scope="module")
def first_device(lasting_users: Users) -> Person:
    """Of a user whose other devices log in."""
    return lasting_users("ben").registers()


@pytest.fixture
def owner(first_device: Person) -> Person:
    """That user, without a dialog of the last test."""
    first_device.is_without_dialog()
    return first_device


def test_link_in_the_qr_code_opens_the_dialog_with_the_code(owner: Person, users: Users) -> None:
    ben, phone = owner, users(of=owner).logs_in()
    code = phone.page.locator("#link-code").inner_text()
    ben.sees("logged in to your account.")
    ben.opens(f"/#link={code}")
    ben.sees("If someone sent you a link or a picture of it, close this")
    expect(ben.page.locator("#link-code")).to_have_text(code)
    ben.page.get_by_role("button", name="Cancel").click()
    expect(ben.page.locator("#link-code")).to_have_count(0)
    ben.opens(f"/#link={code}")
    ben.page.get_by_role("button", name="Yes, same code – confirm").click()
    ben.sees("The device is confirmed.")
    phone.is_home()


def test_unconfirmed_device_is_a_row_with_two_answers(owner: Person, users: Users) -> None:
    ben, phone = owner, users(of=owner).logs_in()
    row = ben.page.get_by_role("alert").filter(has_text="logged in to your account.")
    expect(row).to_contain_text("It can’t read anything until you confirm it.")
    row.get_by_role("button", name="It’s mine – enter its code").click()
    ben.sees("Enter the code that the new device shows now.")
    expect(ben.page.get_by_label("Code of the new device")).to_be_visible()
    ben.closes()
    row.get_by_role("button", name=re.compile("^Remove ")).click()
    ben.confirms("Remove")
    expect(row).to_have_count(0)
    phone.sees("You’ve been logged out.")


def test_recovery_key_that_was_not_kept_is_asked_for_again(users: Users) -> None:
    ben = users("ben").registers()
    ben.opens_settings()
    ben.page.locator("#log-out").click()  # its dialog offers a key too
    ben.page.get_by_role("button", name="Create a recovery key").click()
    expect(ben.page.get_by_role("heading", name="Recovery key")).to_be_visible()
    ben.page.get_by_role("button", name="Create a recovery key").click()
    expect(ben.page.locator("#recovery-key")).to_be_visible()
    ben.page.reload()
    ben.page.get_by_role("button", name="Create one now").click()
    ben.sees("Lost all your devices?")
    ben.page.get_by_role("button", name="Create a recovery key").click()
    ben.page.get_by_role("button", name="I’ve saved it").click()
    expect(ben.page.get_by_role("button", name="Create one now")).to_have_count(0)


def test_recovery_key_of_one_device_counts_on_the_others(users: Users) -> None:
    ben = users("ben").registers()
    ben.page.get_by_role("button", name="Create one now").click()
    ben.page.get_by_role("button", name="Create a recovery key").click()
    old = ben.page.locator("#recovery-key").inner_text()
    ben.page.get_by_role("button", name="I’ve saved it").click()
    phone = users(of=ben).logs_in_linked(ben)
    expect(phone.page.get_by_role("button", name="Create one now")).to_have_count(0)
    phone.opens_settings()
    phone.page.locator("#log-out").click()
    expect(phone.page.get_by_role("button", name="Create a recovery key")).to_have_count(0)
    phone.page.get_by_role("button", name="Cancel").click()
    ben.opens_settings()
    ben.page.get_by_role("button", name="Recovery key").click()
    ben.sees("You already have a recovery key. It stops working when you create a new one.")
    ben.page.get_by_role("button", name="Create a recovery key").click()
    expect(ben.page.locator("#recovery-key")).not_to_have_text(old)
    ben.page.get_by_role("button", name="I’ve saved it").click()
    ben.logs_out()
    ben.logs_in()
    ben.page.get_by_text("Or with your recovery key", exact=True).click()
    ben.page.get_by_label("Recovery key", exact=True).fill(old)
    ben.page.get_by_role("button", name="Confirm with the recovery key").click()
    ben.is_told("This isn’t your current recovery key. If you made a newer one, use that.")


# A device of the user that their account does not list, in whatever the worker tells the tabs on this channel.
UNLIST = """(me) => {
  const channel = new BroadcastChannel('sottovoce');
  channel.onmessage = ({ data: { event, detail } }) => {
    if (event === 'conversation' && detail.listed?.[me]?.length !== 0)
      channel.postMessage({ event, detail: { ...detail, listed: { ...detail.listed, [me]: [] } } });
  };
}"""


def test_own_unlisted_device_is_looked_for_in_settings(misled: Two) -> None:
    """web/scenarios/ghosts.test.js has a real one; this is the screen."""
    anna, ben = misled
    me = anna.page.evaluate("document.querySelector('sv-app').state.me.id")
    anna.page.evaluate(UNLIST, me)
    ben.says("Are you there?")
    anna.hears("Are you there?")
    banner = anna.page.get_by_role("alert").filter(has_text="One of your devices isn’t confirmed.")
    banner.get_by_role("button", name="Open Settings").click()
    anna.sees("Your devices")


def test_contact_back_with_new_keys_is_announced(users: Users, two: Two) -> None:
    (anna, _), ben = two, users("ben").registers()
    anna.meets(ben)
    ben.logs_out()
    anna.sees(f"{ben.name} logged out.")
    ben.logs_in_again()
    anna.sees(f"{ben.name} is back on a new device. Their safety number has changed.")


def test_revoked_device_learns_that_its_session_ended(users: Users, two: Two) -> None:
    (anna, _), ben = two, users("ben").registers()
    anna.meets(ben)
    phone = users(of=ben).logs_in_linked(ben)
    phone.goes_to(anna.name)
    anna.says("To both")
    phone.hears("To both")

    ben.opens_settings()
    expect(ben.page.get_by_role("listitem").filter(has_text="this device")).to_have_count(1)
    ben.page.get_by_role("button", name=re.compile("^Remove ")).click()
    ben.confirms("Remove")
    ben.sees_devices()
    expect(ben.page.get_by_role("button", name=re.compile("^Remove "))).to_have_count(0)
    ben.closes()
    phone.sees("You’ve been logged out.")
    anna.says("Only to the first")
    ben.hears("Only to the first")
    ben.says("I am still here")
    anna.hears("I am still here")
    phone.does_not_see("Only to the first")
    phone.hears("To both")  # what it has it keeps

    expect(phone.page.locator("#logged-out")).to_contain_text("You’re logged out.")
    expect(phone.page.get_by_role("button", name="Create one now")).to_have_count(0)
    phone.page.locator("#logged-out").get_by_role("button", name="Log in again").click()
    phone.gives_again(PASSWORD)
    phone.sees("This device was removed from your account. If that wasn’t you, someone has your password")
    phone.page.get_by_role("button", name="Log out and delete my messages here").click()
    phone.confirms("Log out and delete my messages here")
    phone.is_welcomed()
    phone.logs_in_linked(ben)  # as another device
    phone.goes_to(anna.name)
    anna.says("Welcome back")
    phone.hears("Welcome back")
    phone.does_not_see("To both")


def lock_of(person: Person) -> Locator:
    return person.page.get_by_role("button", name="About encryption")


def sees_lock(person: Person, word: str) -> None:
    expect(lock_of(person)).to_contain_text(word)


def lock_explains(person: Person, word: str, heading: str) -> None:
    """An alarm is explained as one: its dialog does not say that the conversation is end-to-end encrypted."""
    sees_lock(person, word)
    lock_of(person).click()
    dialog = person.page.locator("sv-dialog")
    expect(dialog.get_by_role("heading", name=heading)).to_be_visible()
    expect(dialog).not_to_contain_text("passes them on")
    person.closes()


def opens_safety_number(person: Person, other: Person) -> str:
    lock_of(person).click()
    row = person.page.get_by_role("listitem").filter(has_text=other.name)
    row.get_by_role("button", name="Safety number").click()
    return safety_number(person)


def safety_number(person: Person) -> str:
    """Returns the number that is shown, with a QR code."""
    dialog = person.page.locator("sv-dialog")
    expect(dialog.get_by_role("img", name="The safety number as a QR code")).to_be_visible()
    return " ".join(dialog.locator(".digits span").all_inner_texts())


def compares(person: Person) -> None:
    person.page.get_by_role("button", name="They match – mark as verified").click()
    person.sees("You’ll be told if the safety number changes.")
    person.closes()

"""Groups: adding and removing members, roles, leaving."""

import itertools
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.web.conftest import Users
from tests.web.person import Person

pytestmark = pytest.mark.once

Three = tuple[Person, Person, Person]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Group:
    title: str
    members: Three


@pytest.fixture(scope="module")
def people(lasting_users: Users) -> Three:
    """Anna, who is a contact of Ben and of Carol."""
    anna, ben, carol = (lasting_users(name).registers() for name in ("anna", "ben", "carol"))
    for other in (ben, carol):
        anna.meets(other)
    return anna, ben, carol


@pytest.fixture(scope="module")
def dora(lasting_users: Users) -> Person:
    """Whom the others do not know."""
    return lasting_users("dora").registers()


@pytest.fixture
def group(people: Three) -> Group:
    """Anna has created a group; Ben and Carol are in it."""
    anna, *others = people
    for person in people:
        person.is_without_dialog()
    group = Group(f"The garden {next(_numbers)}", people)
    anna.makes_group(group.title, others)
    anna.says("Who waters?")
    for other in others:
        other.goes_to(group.title)
        other.hears("Who waters?")
    return group


def test_added_member_reads_only_later_messages(group: Group, dora: Person, users: Users) -> None:
    anna, ben, carol = group.members
    ben.sees(f"{anna.name} named this group “{group.title}”.")
    ben.says("I do")
    carol.says("And I, on Sunday")
    for person in group.members:
        person.hears("I do", "And I, on Sunday")
    expect(anna.message("I do").locator(".name")).to_have_text(ben.name)
    anna.says("Thank you")
    anna.sees_mark("Thank you", "Read")  # by both

    anna.opens_details()
    anna.sees("New members can only read messages sent after they join.")
    anna.page.get_by_label("Add a member").fill(dora.name)
    anna.page.get_by_role("button", name="Add", exact=True).click()
    for person in (anna, ben, carol):
        person.sees(re.compile(rf"^\s*{'You' if person is anna else anna.name} added {dora.name}\."))
    expect(anna.page.get_by_role("heading", name="4 members")).to_be_visible()
    ben.says("Hello Dora")
    dora.listed(group.title).click()
    dora.page.get_by_role("button", name="Accept").click()
    dora.hears("Hello Dora")
    dora.is_in(group.title)
    anna.sees_mark("Thank you", "Read")  # of those who could
    for earlier in ("Who waters?", "I do", "Thank you"):
        dora.does_not_see(earlier)
    dora.says("Hello all of you")
    for person in group.members:
        person.hears("Hello all of you")

    carol.opens_details()
    carol.page.get_by_label("Group name").fill("The green garden")
    carol.page.get_by_role("button", name="Save").click()
    for person in (anna, ben, carol, dora):  # also for her who came when it had a name already
        person.is_in("The green garden")
        expect(person.listed("The green garden")).to_be_visible()
    dora.sees(f"{carol.name} named this group “The green garden”.")
    phone = users(of=carol).logs_in_linked(carol)  # nor does a new device have to guess
    phone.goes_to("The green garden")


def test_admin_made_by_owner_adds_and_removes_members(group: Group, dora: Person) -> None:
    anna, ben, carol = group.members
    ben.opens_details()
    expect(ben.page.get_by_label("Add a member")).to_have_count(0)  # a member does not
    anna.opens_details()
    anna.does_with_member(ben, "Make admin")
    expect(anna.page.get_by_role("listitem").filter(has_text=f"{ben.name} · admin")).to_be_visible()
    ben.page.get_by_label("Add a member").fill(dora.name)
    ben.page.get_by_role("button", name="Add", exact=True).click()
    carol.sees(f"{ben.name} added {dora.name}.")
    ben.page.get_by_role("button", name=f"More about {anna.name}").click()
    expect(ben.page.get_by_role("menuitem", name="Remove", exact=True)).to_have_count(0)  # her who made it
    ben.page.keyboard.press("Escape")

    ben.opens_details()
    ben.does_with_member(carol, "Remove")
    ben.confirms("Remove")
    anna.sees(f"{ben.name} removed {carol.name}.")
    carol.sees(f"{ben.name} removed you.")
    carol.sees("You’re no longer in this conversation. Its messages stay here until you delete them.")
    expect(carol.field).to_have_count(0)
    carol.hears("Who waters?")
    anna.says("Without Carol")
    ben.hears("Without Carol")
    carol.page.reload()  # nor does she when she comes back
    carol.goes_to(group.title)
    carol.hears("Who waters?")
    carol.does_not_see("Without Carol")
    expect(carol.listed(group.title)).to_contain_text("You’re no longer in this conversation")


def test_member_who_left_keeps_messages_until_deleted(group: Group) -> None:
    anna, ben, carol = group.members
    ben.opens_details()
    ben.page.get_by_role("button", name="Leave conversation").click()
    ben.confirms("Leave")
    ben.sees("You left.")
    expect(ben.field).to_have_count(0)
    for person in (anna, carol):
        person.sees(re.compile(rf"{ben.name} left\."))
    anna.says("Now we are two")
    carol.hears("Now we are two")
    carol.says("So we are")
    anna.hears("So we are")
    ben.does_not_see("Now we are two")
    ben.hears("Who waters?")
    ben.page.get_by_role("button", name="Delete from this device").last.click()
    expect(ben.listed(group.title)).to_have_count(0)
    ben.does_not_see("Who waters?")
    ben.page.reload()
    expect(ben.listed(anna.name)).to_be_visible()  # the list has been loaded
    expect(ben.listed(group.title)).to_have_count(0)

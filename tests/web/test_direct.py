"""Conversations with users of other apps, which are not end-to-end encrypted and are marked so."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from testing.process import Server
from tests.web.conftest import Two, Users
from tests.web.person import PASSWORD, Person

pytestmark = pytest.mark.once


class Elsewhere:
    """A user of the invites API."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self.client, self.name = client, name
        body = {"username": name, "password": PASSWORD, "email": f"{name}@example.org"}
        assert self.client.post("/api/auth/register", json=body).status_code == 201

    def id_of(self, person: Person) -> int:
        """The invites API knows people by numbers, which nothing but counting tells."""
        for number in range(1, 1000):
            answer = self.client.get(f"/username/{number}")
            if answer.status_code == 200 and answer.json()["username"] == person.name:
                return number
        raise AssertionError(f"{person.name} has no number")

    def says(self, text: str, person: Person) -> None:
        answer = self.client.post("/messages", json={"receiver_id": self.id_of(person), "message": text})
        assert answer.status_code == 200, answer.text

    def heard(self, person: Person) -> list[str]:
        answer = self.client.get("/messages", params={"user_id": self.id_of(person)})
        return [one["message"] for one in answer.json()]

    def _messages(self, person: Person) -> tuple[str, list[dict[str, Any]]]:
        """Where they are changed, and what there is."""
        (found,) = [one for one in self.client.get("/v2/direct").json() if one["user"]["username"] == person.name]
        path = f"/v2/direct/{found['user']['id']}/messages"
        return path, self.client.get(path).json()

    def _path_of(self, text: str, person: Person) -> str:
        path, messages = self._messages(person)
        (seq,) = [one["seq"] for one in messages if one["text"] == text]
        return f"{path}/{seq}"

    def edits(self, text: str, to: str, person: Person) -> None:
        assert self.client.patch(self._path_of(text, person), json={"text": to}).status_code == 200

    def deletes(self, text: str, person: Person) -> None:
        assert self.client.delete(self._path_of(text, person)).status_code == 200

    def starts_key(self, person: Person) -> str:
        return str(self.client.get("/conversation/start", params={"user_id": self.id_of(person)}).json()["aes_key"])


Others = Callable[[str], Elsewhere]


@pytest.fixture
def elsewhere(server: Server) -> Iterator[Others]:
    with contextlib.ExitStack() as clients:
        yield lambda name: Elsewhere(clients.enter_context(httpx.Client(base_url=server.address)), name)


def test_plain_text_of_another_app_is_marked(two: Two, elsewhere: Others) -> None:
    (anna, _), carol = two, elsewhere("carol_plain")
    carol.says("Hello from elsewhere", anna)
    expect(anna.listed(carol.name)).to_contain_text("Not end-to-end encrypted")
    anna.goes_to(carol.name)
    expect(anna.message("Hello from elsewhere")).to_contain_text("not encrypted")
    anna.says("I hear you")
    anna.sees_mark("I hear you", "Sent")
    assert carol.heard(anna)[-1] == "I hear you"
    anna.page.get_by_role("button", name="Not end-to-end encrypted").click()
    anna.sees("Don’t share anything here that the server must not know.")
    anna.closes()
    anna.does_with("I hear you", "Edit")
    anna.field.fill("I hear you well")
    anna.page.keyboard.press("Enter")
    expect(anna.message("I hear you well")).to_contain_text("edited")
    anna.does_with("I hear you well", "Delete for everyone")
    anna.confirms("Delete for everyone")
    anna.sees("This message was deleted.")
    assert carol.heard(anna) == ["Hello from elsewhere"]


def test_edits_and_deletions_missed_offline_are_fetched(two: Two, elsewhere: Others) -> None:
    (anna, _), carol = two, elsewhere("carol_edits")
    for text in ("Said in haste", "Said by mistake", "Said well"):
        carol.says(text, anna)
    anna.goes_to(carol.name)
    anna.hears("Said well")
    anna.leaves_it()
    anna.context.set_offline(True)  # so that it misses the events
    anna.sees("Offline")
    carol.edits("Said in haste", "Said with care", anna)
    carol.deletes("Said by mistake", anna)
    anna.context.set_offline(False)
    expect(anna.page.get_by_text("Offline")).to_have_count(0)  # what it said has made room
    anna.goes_to(carol.name)
    anna.hears("Said with care")
    expect(anna.message("Said with care")).to_contain_text("edited")
    anna.sees("This message was deleted.")
    anna.does_not_see("Said by mistake")
    anna.hears("Said well")


def test_server_key_is_used_and_can_be_replaced(two: Two, elsewhere: Others) -> None:
    (anna, _), carol = two, elsewhere("carol_key")
    carol.says("before the key", anna)
    anna.goes_to(carol.name)
    anna.hears("before the key")
    carol.starts_key(anna)
    anna.does_not_see("before the key")
    anna.says("under the key")
    anna.sees_mark("under the key", "Sent")
    (stored,) = carol.heard(anna)
    assert stored.startswith("aes1.")
    anna.page.reload()
    anna.hears("under the key")
    carol.says("and this is plain", anna)
    expect(anna.message("and this is plain")).to_contain_text("not encrypted")

    anna.page.get_by_role("button", name="Not end-to-end encrypted").click()
    anna.page.get_by_role("button", name="Delete all messages and start over").click()
    anna.page.get_by_role("button", name="Delete messages and create key").click()
    anna.does_not_see("under the key")
    assert carol.heard(anna) == []
    anna.says("afresh")
    anna.sees_mark("afresh", "Sent")


def test_user_without_device_is_reached_without_encryption(two: Two, elsewhere: Others) -> None:
    (anna, _), carol = two, elsewhere("carol_first")
    anna.page.get_by_role("button", name="New conversation").first.click()
    anna.page.get_by_label("Username").fill(carol.name)
    anna.page.get_by_role("button", name="Start", exact=True).click()
    anna.page.get_by_role("button", name="Write so that the server can read it").click()
    expect(anna.page.get_by_role("button", name="Not end-to-end encrypted")).to_be_visible()
    anna.says("Hello")
    anna.sees_mark("Hello", "Sent")
    assert carol.heard(anna) == ["Hello"]  # as their program can read it


def test_two_web_clients_share_the_server_key(users: Users, two: Two, server: Server) -> None:
    """Both have encrypted devices, and a direct conversation from before that."""
    (anna, _), ben = two, users("ben").registers()
    with httpx.Client(base_url=server.address) as browser:
        browser.post("/v2/sessions", json={"username": anna.name, "password": PASSWORD})
        person = browser.get(f"/v2/users/{ben.name}").json()
        browser.post(f"/v2/direct/{person['id']}/messages", json={"id": "0" * 32, "text": "from before"})
    anna.goes_to(ben.name)
    ben.goes_to(anna.name)
    ben.hears("from before")
    anna.page.get_by_role("button", name="Not end-to-end encrypted").click()
    anna.page.get_by_role("button", name="Create a key").click()
    anna.page.get_by_role("button", name="Delete messages and create key").click()
    ben.does_not_see("from before")
    anna.says("by our key")
    ben.hears("by our key")
    ben.says("I can read it")
    anna.hears("I can read it")
    expect(anna.page.get_by_text("not encrypted")).to_have_count(0)

    phone = users(of=ben).logs_in_linked(ben)  # the key is not handed out again: it can neither read nor write
    phone.goes_to(anna.name)
    phone.sees("The key for this conversation isn’t on this device.")
    expect(phone.field).to_have_count(0)
    phone.page.get_by_role("button", name="Delete all messages and start over").click()
    phone.confirms("Delete messages and create key")
    anna.does_not_see("I can read it")
    phone.says("from my phone")
    anna.hears("from my phone")
    ben.sees("The key for this conversation isn’t on this device.")
    expect(ben.field).to_have_count(0)
    ben.does_not_see("from my phone")


def test_rejected_message_can_be_retried_or_deleted(two: Two, elsewhere: Others) -> None:
    (anna, _), carol = two, elsewhere("carol_nul")
    carol.says("Hello", anna)
    anna.goes_to(carol.name)
    for text in ("a \0 that no text may have", "another \0"):
        anna.says(text)
    failed = anna.message("that no text may have")
    expect(failed.get_by_role("alert")).to_contain_text("Not sent.")
    anna.page.reload()
    expect(failed.get_by_role("alert")).to_contain_text("Not sent.")
    anna.message("another").get_by_role("button", name="Delete").click()
    anna.does_not_see("another")
    carol.starts_key(anna)  # under a key it is no text any more
    anna.does_not_see("Hello")
    failed.get_by_role("button", name="Try again").click()
    anna.sees_mark("that no text may have", "Sent")
    assert [text[:5] for text in carol.heard(anna)] == ["aes1."]

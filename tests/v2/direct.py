"""Requests of the v2 API about direct conversations."""

from typing import Any
from uuid import uuid4

import httpx

from testing.server import Person


def at(other: Person, more: str = "messages") -> str:
    return f"/v2/direct/{other.uuid}/{more}"


async def texts(person: Person, other: Person, **query: Any) -> list[str]:
    return [message["text"] for message in await messages(person, other, **query)]


async def messages(person: Person, other: Person, **query: Any) -> list[dict[str, Any]]:
    answer = await person.api.get(at(other), params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def send(person: Person, other: Person, text: str, id_: str | None = None) -> httpx.Response:
    return await person.api.post(at(other), json={"id": id_ or uuid4().hex, "text": text})


async def send_texts(person: Person, other: Person, *contents: str) -> int:
    """Send the texts; return the seq of the last."""
    for text in contents:
        answer = await send(person, other, text)
        assert answer.status_code == 200, answer.text
    return int(answer.json()["seq"])


async def conversations(person: Person) -> list[dict[str, Any]]:
    answer = await person.api.get("/v2/direct")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def key(person: Person, other: Person, more: str = "key") -> Any:
    answer = await person.api.post(at(other, more))
    assert answer.status_code == 200, answer.text
    return answer.json()


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["error"]

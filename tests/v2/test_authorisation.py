"""Who may do what at /v2: a row for each endpoint and each frame of the socket.

A row says who gets which status and code, and whose answer shows what is private (`sees`). The people: the owner, an
admin and a member of one group; `former`, whom the owner has removed from it; a stranger; `blocked`, whom the owner has
blocked; `other`, the owner's second device, which is not in the group; `deviceless`, the owner's session without a
device; `nobody`, without a session.
"""

import asyncio
import inspect
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from handlers.http.endpoint import Endpoint
from handlers.v2.endpoints import ENDPOINTS
from testing.server import PASSWORD, PATIENCE_S, Person, RunningServer, connect
from tests.test_pictures import drawn, saved
from tests.v2.devices import DeviceSocket, listens
from tests.v2.identity import AccountKey, base64
from tests.v2.mls import Commit, MlsDevice, MlsGroup, device, group_of

pytestmark = pytest.mark.once

# Those who may least come first: what a refused one has asked must not change what the next one gets.
ACTORS = ("nobody", "deviceless", "stranger", "blocked", "former", "other", "member", "admin", "owner")
PICTURE = b64encode(saved(drawn(), "PNG")).decode()


@dataclass
class Scene:
    """The people, their group, and what they have said and made before."""

    server: RunningServer
    devices: dict[str, MlsDevice]
    sessions: dict[str, Person]
    group: MlsGroup
    secret: str  # a message of the member in the group
    names: dict[str, str] = field(default_factory=dict)  # for the paths

    def session(self, actor: str) -> Any:
        return self.server.client() if actor == "nobody" else self.sessions[actor].api

    def device(self, actor: str) -> MlsDevice:
        return self.devices.get(actor, self.devices["stranger"])

    def commit(self, actor: str) -> Commit:
        """Of the actor's own leaf, or in the owner's name with the actor's signature."""
        by = self.device(actor)
        if not self.group.has(by):
            forged = MlsGroup(self.group.made.copy())
            forged.made.leaves[0] = by.signer
            return forged.commit(by)
        return self.group.commit(by)


async def scene(server: RunningServer) -> Scene:
    people = ("owner", "admin", "member", "former", "eve", "stranger", "blocked")
    sessions = {name: await server.person(name) for name in people}
    sessions |= {"other": await sessions["owner"].again(), "deviceless": await sessions["owner"].again()}
    devices = {name: await device(one) for name, one in sessions.items() if name != "deviceless"}
    owner = devices["owner"]
    group = await group_of(owner, *(devices[name] for name in ("admin", "member", "former", "eve")))
    assert (await group.commit(owner, remove=(devices["former"],)).sent_by(owner.session)).status_code == 200
    admin = f"{group.path}/members/{sessions['admin'].uuid}"
    assert (await owner.session.api.put(admin, json={"role": "admin"})).status_code == 200
    assert (await owner.session.api.put(f"/v2/blocks/{sessions['blocked'].uuid}")).status_code == 200
    secret = group.message()
    body = {"id": uuid4().hex, "epoch": group.epoch, "data": secret}
    sent = await sessions["member"].api.post(f"{group.path}/messages", json=body)
    assert sent.status_code == 200, sent.text
    names = {
        "group": str(group.id),
        "message": body["id"],
        "owner": str(sessions["owner"].uuid),
        "member": str(sessions["member"].uuid),
        "eve": str(sessions["eve"].uuid),
        "name": sessions["owner"].name,
        "device": owner.hex,
        "session": str(sessions["owner"].session_id),
        "eves_device": devices["eve"].hex,
    }
    return Scene(server, devices, sessions, group, secret, names)


Body = Callable[[Scene, str], Any]
Prepare = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Row:
    """`answers`: "nobody 401 unauthenticated, stranger blocked 404 no_such_user, * 200", where * are all others.

    `sees`: those in whose answers `marker` is, a name of the scene's. `again`: a new scene after each who is allowed,
    because they take something away from the next.
    """

    method: str
    path: str
    answers: str
    body: Body | None = None
    sees: str | None = None
    marker: str = ""
    prepare: Prepare | None = None
    again: bool = False

    def answer(self, actor: str) -> str:
        for part in self.answers.split(", "):
            words = part.split(" ")
            first = next(nth for nth, word in enumerate(words) if word.isdecimal())
            if actor in words[:first] or words[0] == "*":
                return " ".join(words[first:])
        raise AssertionError(f"the row has no answer for {actor}")


def json_of(**body: Any) -> Body:
    return lambda _scene, _actor: body


def message(scene: Scene, _actor: str) -> dict[str, Any]:
    return {"id": uuid4().hex, "epoch": scene.group.epoch, "data": scene.group.message()}


def new_group(scene: Scene, actor: str) -> dict[str, Any]:
    return MlsGroup.of(scene.device(actor)).commit(scene.device(actor)).body


def new_device(scene: Scene, actor: str) -> dict[str, str]:
    made = scene.device(actor).registration
    return made | {"id": f"{int(made['id'], 16) ^ 2:016x}", "signature_key": b64encode(uuid4().bytes * 2).decode()}


async def has_a_code(scene: Scene) -> None:
    scene.names["code"] = str((await scene.session("owner").post("/v2/codes")).json()["code"])


async def new_code(scene: Scene, _actor: str) -> dict[str, int]:
    await has_a_code(scene)
    return {"code": int(scene.names["code"])}


async def has_an_invite(scene: Scene) -> None:
    await scene.server.sql("UPDATE users SET role = 'tester' WHERE id = %s", scene.sessions["owner"].id)
    scene.names["invite"] = (await scene.session("owner").post("/v2/invites")).json()["code"]


async def has_a_picture(scene: Scene) -> None:
    assert (await scene.session("owner").put("/v2/account/picture", json={"image": PICTURE})).status_code == 200


def device_list(scene: Scene, actor: str) -> dict[str, Any]:
    """Of a key of the actor's own; `deviceless` and `other` are sessions of the owner's account."""
    by = scene.device("owner" if actor in OWNERS.split() else actor)
    return AccountKey(by.session).lists(by)


async def has_an_account_key(scene: Scene) -> None:
    owner = scene.device("owner")
    key = AccountKey(owner.session)
    assert (await key.publishes(owner)).status_code == 200
    assert (await owner.session.api.put("/v2/account/recovery", json=key.recovery(b"the key"))).status_code == 200


async def other_asks_for_a_link(scene: Scene) -> None:
    assert (await scene.session("other").put("/v2/links", json={"request": "AAAA"})).status_code == 200
    scene.names["others_device"] = scene.device("other").hex


async def eve_leaves(scene: Scene) -> None:
    assert (await scene.session("eve").post(f"{scene.group.path}/leave")).status_code == 200


async def member_says_something(scene: Scene) -> None:
    path = f"/v2/direct/{scene.names['owner']}/messages"
    assert (await scene.session("member").post(path, json={"id": uuid4().hex, "text": "between us"})).is_success


async def member_starts_a_key(scene: Scene) -> None:
    answer = await scene.session("member").post(f"/v2/direct/{scene.names['owner']}/key")
    scene.names["key"] = answer.json()["key"]


NO_SESSION = "nobody 401 unauthenticated"
NO_DEVICE = f"{NO_SESSION}, deviceless 403 no_device"
OUTSIDE = "stranger blocked former"
OWNERS = "deviceless other owner"  # sessions of the owner's account

GROUP, DIRECT = "/v2/conversations/{group}", "/v2/direct/{other}"
ROWS = [
    Row("GET", "/v2/server", "* 200"),
    Row("POST", "/v2/accounts", "* 201", lambda *_: {"username": f"x{uuid4().hex[:12]}", "password": PASSWORD}),
    Row("POST", "/v2/sessions", "* 200", lambda scene, _: {"username": scene.names["name"], "password": PASSWORD}),
    Row("GET", "/v2/account", f"{NO_SESSION}, * 200", sees=OWNERS, marker="name"),
    Row("PATCH", "/v2/account", f"{NO_SESSION}, * 200", json_of(bio="I sing")),
    Row("DELETE", "/v2/account", f"{NO_SESSION}, * 200", json_of(password=PASSWORD), again=True),
    Row("DELETE", "/v2/account", f"{NO_SESSION}, * 400 invalid_credentials", json_of(password="Wrong1pass")),
    Row(
        "PUT",
        "/v2/account/password",
        f"{NO_SESSION}, * 400 invalid_credentials",
        json_of(password="Wrong1pass", new_password="Another1pass"),
    ),
    Row(
        "PUT",
        "/v2/account/password",
        f"{NO_SESSION}, * 200",
        json_of(password=PASSWORD, new_password="Another1pass"),
        again=True,
    ),
    Row("PUT", "/v2/account/picture", f"{NO_SESSION}, * 200", json_of(image=PICTURE)),
    Row("PUT", "/v2/account/device-list", f"{NO_SESSION}, * 200", device_list, again=True),
    Row(
        "PUT",
        "/v2/account/device-list",
        f"{NO_SESSION}, {OWNERS} 409 account_key_exists, * 200",
        device_list,
        prepare=has_an_account_key,
    ),
    Row(
        "GET",
        "/v2/account/recovery",
        f"{NO_SESSION}, {OWNERS} 200, * 404 no_device_list",
        sees=OWNERS,
        marker="recovery",
        prepare=has_an_account_key,
    ),
    Row(
        "PUT",
        "/v2/account/recovery",
        f"{NO_SESSION}, {OWNERS} 400 invalid, * 404 no_device_list",
        lambda scene, _: AccountKey(scene.sessions["owner"]).recovery(),
        prepare=has_an_account_key,
    ),
    Row(
        "GET",
        "/v2/users/{owner}/device-list",
        f"{NO_SESSION}, {OUTSIDE} 404 no_such_user, * 200",
        prepare=has_an_account_key,
    ),
    Row("GET", "/v2/links", f"{NO_SESSION}, * 200", sees=OWNERS, marker="others_device", prepare=other_asks_for_a_link),
    Row("PUT", "/v2/links", f"{NO_DEVICE}, * 200", json_of(request="AAAA")),
    Row(
        "PUT",
        "/v2/links/{others_device}",
        f"{NO_DEVICE}, owner other 200, * 404 no_such_device",
        json_of(answer="AAAA"),
        prepare=other_asks_for_a_link,
    ),
    Row("GET", "/v2/sessions", f"{NO_SESSION}, * 200", sees=OWNERS, marker="session"),
    Row("PUT", "/v2/sessions/current", f"{NO_SESSION}, * 200"),
    Row("DELETE", "/v2/sessions/current", f"{NO_SESSION}, * 200", again=True),
    Row("GET", "/v2/openapi.json", "* 200"),
    Row("GET", "/v2/asyncapi.json", "* 200"),
    Row(
        "DELETE",
        "/v2/sessions/{session}",
        f"{NO_SESSION}, {OWNERS} 200, * 404 no_such_session",
        again=True,
    ),
    Row("POST", "/v2/contacts", f"{NO_SESSION}, {OWNERS} 400 self_chat, * 200", new_code, again=True),
    Row("GET", "/v2/codes", f"{NO_SESSION}, * 200", sees=OWNERS, marker="code", prepare=has_a_code),
    Row("POST", "/v2/codes", f"{NO_SESSION}, * 201"),
    Row(
        "DELETE",
        "/v2/codes/{code}",
        f"{NO_SESSION}, {OWNERS} 200, * 404 no_such_code",
        prepare=has_a_code,
        again=True,
    ),
    Row("GET", "/v2/invites", f"{NO_SESSION}, * 200", sees=OWNERS, marker="invite", prepare=has_an_invite),
    Row("POST", "/v2/invites", f"{NO_SESSION}, * 201", again=True),  # one for each account
    Row(
        "DELETE",
        "/v2/invites/{invite}",
        f"{NO_SESSION}, {OWNERS} 200, * 404 no_such_invite",
        prepare=has_an_invite,
        again=True,
    ),
    Row("GET", "/v2/blocks", f"{NO_SESSION}, * 200", sees=OWNERS, marker="blocked"),
    Row("PUT", "/v2/blocks/{eve}", f"{NO_SESSION}, * 200"),
    Row("DELETE", "/v2/blocks/{eve}", f"{NO_SESSION}, * 200"),
    Row("GET", "/v2/users/{name}", f"{NO_SESSION}, * 200"),
    Row("GET", "/v2/users/{name}/picture", f"{NO_SESSION}, * 200", prepare=has_a_picture),
    Row("GET", "/v2/users/{name}/devices", f"{NO_SESSION}, {OUTSIDE} 404 no_such_user, * 200"),
    Row("POST", "/v2/users/{owner}/key-packages/claim", f"{NO_SESSION}, * 200", json_of()),
    Row("GET", "/v2/devices", f"{NO_SESSION}, * 200", sees=OWNERS, marker="device"),
    Row("POST", "/v2/devices", f"{NO_SESSION}, deviceless 201, * 409 taken", new_device),
    Row("DELETE", "/v2/devices/{device}", f"{NO_SESSION}, {OWNERS} 200, * 404 no_such_device", again=True),
    Row("POST", "/v2/key-packages", f"{NO_DEVICE}, * 201", json_of()),
    Row("GET", "/v2/key-packages/count", f"{NO_DEVICE}, * 200"),
    # Who was removed reads to its end what came before, and needs the welcome for it.
    Row("GET", "/v2/welcomes", f"{NO_DEVICE}, * 200", sees="former member admin", marker="group"),
    Row("GET", "/v2/conversations", f"{NO_SESSION}, * 200", sees=f"{OWNERS} member admin", marker="group"),
    Row("POST", "/v2/conversations", f"{NO_DEVICE}, * 201", new_group),
    Row(
        "POST",
        f"{GROUP}/commits",
        f"{NO_DEVICE}, {OUTSIDE} 404 no_such_conversation, other 403 not_a_leaf, * 200",
        lambda scene, actor: scene.commit(actor).body,
        again=True,
    ),
    Row("POST", f"{GROUP}/messages", f"{NO_DEVICE}, {OUTSIDE} other 403 not_a_leaf, * 200", message),
    Row("GET", f"{GROUP}/log", f"{NO_DEVICE}, * 200", sees="owner admin", marker="secret"),
    Row("DELETE", GROUP + "/messages/{message}", f"{NO_SESSION}, member 200, * 404 no_such_message", again=True),
    Row("POST", f"{GROUP}/ack", f"{NO_DEVICE}, * 200", json_of(seq=1)),
    Row("GET", f"{GROUP}/group-info", f"{NO_SESSION}, {OUTSIDE} 404 no_such_conversation, * 200"),
    Row(
        "GET",
        f"{GROUP}/removals",
        f"{NO_SESSION}, * 200",
        sees=f"{OWNERS} member admin",
        marker="eves_device",
        prepare=eve_leaves,
    ),
    Row("PUT", f"{GROUP}/state", f"{NO_SESSION}, {OUTSIDE} 404 no_such_conversation, * 200", json_of(state="joined")),
    Row("POST", f"{GROUP}/leave", f"{NO_DEVICE}, {OUTSIDE} 404 no_such_conversation, * 200", again=True),
    Row(
        "PUT",
        GROUP + "/members/{eve}",
        f"{NO_SESSION}, {OUTSIDE} 404 no_such_conversation, member admin 403 not_allowed, * 200",
        json_of(role="admin"),
    ),
    Row(
        "GET",
        "/v2/direct",
        f"{NO_SESSION}, * 200",
        sees=f"{OWNERS} member",
        marker="other_of_direct",
        prepare=member_says_something,
    ),
    Row("PUT", "/v2/direct/{owner}", f"{NO_SESSION}, {OWNERS} 400 self_chat, * 200"),
    Row("POST", f"{DIRECT}/key", f"{NO_SESSION}, * 200"),
    Row(
        "POST",
        f"{DIRECT}/key/claim",
        f"{NO_SESSION}, * 200",
        sees=OWNERS,
        marker="key",
        prepare=member_starts_a_key,
        again=True,
    ),
    Row(
        "GET",
        f"{DIRECT}/messages",
        f"{NO_SESSION}, * 200",
        sees=f"{OWNERS} member",
        marker="between us",
        prepare=member_says_something,
    ),
    Row("POST", f"{DIRECT}/messages", f"{NO_SESSION}, * 200", lambda *_: {"id": uuid4().hex, "text": "hello"}),
    Row(
        "PATCH",
        f"{DIRECT}/messages/1",
        f"{NO_SESSION}, member 200, {OWNERS} 403 not_yours, * 404 no_such_conversation",
        json_of(text="edited"),
        prepare=member_says_something,
    ),
    Row(
        "DELETE",
        f"{DIRECT}/messages/1",
        f"{NO_SESSION}, member 200, {OWNERS} 403 not_yours, * 404 no_such_conversation",
        prepare=member_says_something,
        again=True,
    ),
]


async def asks(scene: Scene, row: Row, actor: str) -> tuple[str, bool]:
    """The status with its code, and whether what is private is in the answer."""
    other = scene.names["member"] if actor in OWNERS else scene.names["owner"]
    body = row.body(scene, actor) if row.body is not None else None
    if inspect.isawaitable(body):
        body = await body
    path = row.path.format(**scene.names, other=other)
    answer = await scene.session(actor).request(row.method, path, json=body)
    code = answer.json().get("code", "") if not answer.is_success else ""
    return f"{answer.status_code} {code}".strip(), is_shown(scene, row.marker, other, answer.text)


def is_shown(scene: Scene, marker: str, other: str, text: str) -> bool:
    secrets = {
        "secret": scene.secret,
        "blocked": str(scene.sessions["blocked"].uuid),
        "other_of_direct": other,
        "between us": "between us",
        "recovery": base64(b"the key"),
    }
    return bool(marker) and (secrets | scene.names)[marker] in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
async def test_endpoint_answers_each_as_the_table_says(server: RunningServer, row: Row) -> None:
    found: dict[str, str] = {}
    shown: set[str] = set()
    at: Scene | None = None
    for actor in ACTORS:
        if at is None:
            at = await scene(server)
            if row.prepare is not None:
                await row.prepare(at)
        found[actor], is_private = await asks(at, row, actor)
        if row.again and found[actor].startswith("2"):
            at = None
        shown |= {actor} if is_private else set()
    assert found == {actor: row.answer(actor) for actor in ACTORS}
    if row.sees is not None:
        assert shown == set(row.sees.split())


def endpoints_of_the_server() -> set[tuple[str, str]]:
    """Method and path, with every parameter as {}; without the socket, which has a table of its own."""
    served = [one for one in ENDPOINTS if isinstance(one, Endpoint)]
    return {(one.method, re.sub(r"\{\w+\}", "{}", one.path)) for one in served}


def test_table_has_a_row_for_each_endpoint_of_the_server() -> None:
    listed = {(row.method, re.sub(r"\{\w+\}|(?<=messages/)1", "{}", row.path)) for row in ROWS}
    assert listed - endpoints_of_the_server() == set()
    assert endpoints_of_the_server() - listed == set()


# The socket


async def receives(line: DeviceSocket, *types: str) -> dict[str, Any]:
    """The next frame of one of these types."""
    while True:
        frame = await line.next()
        if frame["type"] in types:
            return frame


async def outcome(line: DeviceSocket, id_: str) -> str:
    """Of a message: "sent", also where its entry says so first, or the code of its refusal."""
    while True:
        frame = await receives(line, "sent", "refused", "entry")
        if frame.get("id") == id_:
            return str(frame.get("code", "sent"))


@pytest.mark.parametrize(("actor", "status"), [("nobody", 401), ("deviceless", 403)])
async def test_socket_without_session_or_device_is_refused(server: RunningServer, actor: str, status: int) -> None:
    person = await server.person("somebody")
    headers = {"Cookie": f"Authorization={person.token}"} if actor == "deviceless" else {}
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.http.replace('http', 'ws')}/v2/socket", headers)
    assert refused.value.response.status_code == status


async def test_socket_answers_each_frame_as_the_table_says(server: RunningServer) -> None:
    """send, typing, ack, ping, and what is none of them."""
    at = await scene(server)
    hearer = await listens(at.sessions["eve"])
    found = {}
    for actor in ACTORS[2:]:
        line = await listens(at.sessions[actor])
        frame = {"type": "send", "id": "mine", "conversation": str(at.group.id), "epoch": at.group.epoch}
        await line.sends(msgspec.json.encode(frame | {"data": at.group.message(actor.encode())}).decode())
        answer = await outcome(line, "mine")
        await line.sends(msgspec.json.encode({"type": "typing", "conversation": str(at.group.id)}).decode())
        await line.sends(msgspec.json.encode({"type": "ack", "conversation": str(at.group.id), "seq": 1}).decode())
        await line.sends('{"type":"ping"}')
        assert (await receives(line, "pong", "problem"))["type"] == "pong"
        await line.sends('{"type":"shout"}')
        assert (await receives(line, "problem"))["code"] == "invalid"
        found[actor] = answer
    outside = dict.fromkeys(("stranger", "blocked", "former", "other"), "not_a_leaf")
    assert found == outside | dict.fromkeys(("member", "admin", "owner"), "sent")
    typing, entries = set(), set()
    async with asyncio.timeout(PATIENCE_S):
        while len(typing) < 3 or len(entries) < 3:
            frame = await receives(hearer, "typing", "entry")
            if frame["type"] == "typing":
                typing.add(frame["user"])
            elif frame["kind"] == "application" and frame["data"] != at.secret:
                entries.add(frame["sender"])
    inside = ("member", "admin", "owner")
    assert typing == {str(at.sessions[name].uuid) for name in inside}
    assert entries == {at.devices[name].hex for name in inside}
    await hearer.receives_nothing()

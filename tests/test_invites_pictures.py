"""Profile pictures of the invites API: POST /uploadpfp and GET /getpfp."""

from base64 import b64encode
from typing import Any

import httpx
import pytest

from chat.accounts.pictures import MAX_BYTES, clean_picture
from testing.server import Person, RunningServer
from tests.conftest import Users
from tests.test_pictures import SVG, drawn, saved


def data_url(data: bytes, label: str = "image/png") -> str:
    return f"data:{label};base64,{b64encode(data).decode()}"


async def upload(person: Person, image: Any) -> httpx.Response:
    return await person.api.post("/uploadpfp", json={"image": image})


async def picture_of(server: RunningServer, person: Person) -> Any:
    answer = await server.client().get("/getpfp", params={"id": person.id})
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["profile_picture"]
    return answer.json()["profile_picture"]


@pytest.mark.parametrize("label", ["image/png", "image/jpeg", "image/svg+xml", "image/bmp"])
async def test_invites_picture_is_public_whatever_its_media_type(
    users: Users, server: RunningServer, label: str
) -> None:
    (alice,) = await users("alice")
    assert await picture_of(server, alice) is False
    data = saved(drawn(), "JPEG")
    answer = await upload(alice, data_url(data, label))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await picture_of(server, alice) == data_url(clean_picture(data))


async def test_invites_picture_refused_keeps_the_old_one(users: Users, server: RunningServer) -> None:
    (alice,) = await users("alice")
    good = data_url(saved(drawn(), "PNG"))
    assert (await upload(alice, good)).status_code == 200
    bad = [
        data_url(SVG, "image/svg+xml"),
        data_url(saved(drawn(), "BMP")),
        data_url(saved(drawn(size=(64, 64)), "PNG")),
        data_url(saved(drawn(), "PNG") + bytes(MAX_BYTES)),
        data_url(b""),
        good.replace(";base64", ""),
        good.replace("data:image/png", "data:text/html"),
        good.replace("data:", ""),
        good.replace(",", ""),
        good.replace(",", ",!"),
        "data:image/png;base64",
        good[:-1],
        good + "é",
        "data:image/png;base64,",
        "data:,",
        "",
        "hello",
        "https://example.com/picture.png",
        None,
        5,
        [good],
    ]
    answers = [await upload(alice, image) for image in bad]
    assert [answer.status_code for answer in answers] == [400] * len(bad)
    assert all(list(answer.json()) == ["error"] for answer in answers)
    assert (await alice.api.post("/uploadpfp", json={})).status_code == 400
    assert await picture_of(server, alice) == data_url(clean_picture(saved(drawn(), "PNG")))


async def test_invites_picture_of_bad_or_unknown_id_is_an_error(server: RunningServer) -> None:
    wanted = {"": 400, "?id=": 400, "?id=alice": 400, "?id=-1": 400, "?id=0": 404, f"?id={2**63 - 1}": 404}
    client = server.client()
    assert {query: (await client.get("/getpfp" + query)).status_code for query in wanted} == wanted


async def test_invites_picture_upload_without_token_is_401(server: RunningServer) -> None:
    answer = await server.client().post("/uploadpfp", json={"image": data_url(saved(drawn(), "PNG"))})
    assert answer.status_code == 401

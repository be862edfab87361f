"""Who may come, and how one learns of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.conftest import Cast, OpenHouse
from tests.house import PASSWORD, House
from tests.sealed.direct import assert_refused


@pytest.mark.parametrize("registration", ["open", "invite", "closed"])
async def test_anybody_learns_how_to_register(open: OpenHouse, registration: str) -> None:
    house = await open(registration=registration, motd="Mind the step")
    version = (await house.client().get("/version")).json()["ver"]
    told = await house.client().get("/v2/server")
    assert told.json() == {"version": version, "registration": registration, "motd": "Mind the step"}


async def test_an_invite_lets_one_person_in_and_the_next_one_has_to_wait(cast: Cast, house: House) -> None:
    (alice,) = await cast("alice")
    made = await alice.api.post("/v2/invites")
    assert made.status_code == 201
    assert list(made.json()) == ["code", "expires_at"]
    life = datetime.fromisoformat(made.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6) < life <= timedelta(days=7)
    assert_refused(await alice.api.post("/v2/invites"), 403, "invite_refused")
    body = {"username": f"bob_{uuid4().hex[:8]}", "password": PASSWORD, "invite_code": made.json()["code"]}
    assert (await house.client().post("/v2/accounts", json=body)).status_code == 201

"""OpenAPI and AsyncAPI in docs/ are what the tables and frames of today give, and what the server serves."""

import asyncio
import re
import secrets
import sys
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

from handlers.documents import documents, encoded
from handlers.endpoints import APIS, ENDPOINTS
from handlers.v2.endpoints import RECEIVED, SENT
from handlers.v2.schemas import frames
from testing.server import RunningServer
from tests.conftest import Users

DOCS = Path(__file__).parent.parent / "docs"
# These two expect that whatever the schema allows is accepted, and that a bad cookie beside a good token is not.
UNSUITABLE = "positive_data_acceptance,ignored_auth"


@pytest.mark.parametrize("name", documents())
def test_document_is_current(name: str) -> None:
    assert (DOCS / name).read_bytes() == encoded(documents()[name]), "run `make docs`"


def test_openapi_has_every_http_endpoint() -> None:
    listed = {
        (method.upper(), path)
        for name, document in documents().items()
        if name.startswith("openapi")
        for path, methods in document["paths"].items()
        for method in methods
    }
    sockets = {(one.method, one.path) for api in APIS.values() for one in api.sockets}
    assert len(sockets) == 2
    assert listed == {(one.method, one.path) for one in ENDPOINTS} - sockets


def test_asyncapi_has_every_frame() -> None:
    every = {one for one in vars(frames).values() if isinstance(one, type) and issubclass(one, msgspec.Struct)}
    own = {one for one in every if one.__module__ == frames.__name__}
    assert own
    assert own <= {*RECEIVED.values(), *SENT.values()}


async def test_served_openapi_is_the_document(server: RunningServer) -> None:
    for served, name in (("openapi.json", "openapi-v2.json"), ("asyncapi.json", "asyncapi-v2.json")):
        answer = await server.client().get(f"/v2/{served}")
        assert answer.json() == msgspec.json.decode((DOCS / name).read_bytes())


@pytest.mark.once
@pytest.mark.gen_test(timeout=300)
async def test_server_conforms_to_its_openapi(users: Users) -> None:
    """schemathesis calls every operation with values that the document allows, and with values that it does not."""
    (alice,) = await users("alice")
    key = b64encode(secrets.token_bytes(32)).decode()
    device = {"id": f"{secrets.randbits(62) | 1:016x}", "name": "Laptop", "signature_key": key}
    assert (await alice.api.post("/v2/devices", json=device)).status_code == 201
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{alice.server.http}/v2/openapi.json"),
        *("--header", f"Authorization: Bearer {alice.token}"),
        *("--exclude-operation-id", "sessions.log_out"),  # the session is needed until the end
        *("--exclude-checks", UNSUITABLE, "--phases", "coverage,fuzzing", "--max-examples", "2"),
        *("--generation-deterministic", "--no-shrink", "--continue-on-failure", "--no-color"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    found = re.search(r"(\d+) selected / (\d+) total", printed.decode())
    assert found is not None
    assert int(found[1]) == int(found[2]) - 1, "all but the one that is excluded"
    assert f"Tested: {found[1]}" in printed.decode()

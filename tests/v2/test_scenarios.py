"""The scenarios in web/scenarios: Node clients on a server of two workers. The server stores no plaintext."""

from collections.abc import Iterator

import pytest

from testing.process import Server, running
from tests.v2.node import WEB, node, random_scenario
from tests.v2.places import all_places, found, messages

SCENARIOS = sorted(file.name.removesuffix(".test.js") for file in (WEB / "scenarios").glob("*.test.js"))
CHANCE_SEEDS = [2]  # `python -m tests.v2` runs more
ACTIONS = 100

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(Server(tmp_path_factory.mktemp("v2") / "data", SOTTOVOCE_WORKERS="2")) as started:
        yield started


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "chance"])
def test_scenario_passes(server: Server, name: str) -> None:
    node(f"scenarios/{name}.test.js", server=server)


@pytest.mark.parametrize("seed", CHANCE_SEEDS)
def test_random_scenario_leaves_nothing_unread(server: Server, seed: int) -> None:
    figures = random_scenario(server, seed, ACTIONS)
    assert figures["workers_killed"] > 0, "the scenario must kill a worker"


def test_plaintext_is_not_in_database_files_or_log(server: Server) -> None:
    """The scenarios of the earlier tests have sent these texts."""
    words = [
        b"are you there?",
        b"to four devices",
        b"now we are alone",
        b"a secret too many",
        b"welcome back",
        b" says ",
    ]
    sources = "".join(file.read_text() for file in (WEB / "scenarios").glob("*.js"))
    assert all(word.decode() in sources for word in words), "the scenarios must send these texts"
    assert messages(server) > 400, "the scenarios must have run before"
    places = all_places(server)
    assert b"alice_" in places["the database"], "the search must find a user name, which is stored in plain text"
    assert b"$argon2id$v=19$m=8192," in places["the database"], "the server must use its SOTTOVOCE_PASSWORD_MEMORY_MIB"
    assert found(places, words) == []

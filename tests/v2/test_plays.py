"""The scenarios in web/scenarios: Node clients on a server of two workers. Nothing that was said stays anywhere."""

from collections.abc import Iterator

import pytest

from testing.process import Server, running
from tests.v2.node import WEB, node, play_by_chance
from tests.v2.places import all_places, found, messages

PLAYS = sorted(file.name.removesuffix(".test.js") for file in (WEB / "scenarios").glob("*.test.js"))
CHANCE_SEEDS = [2]  # `python -m tests.sealed` plays more
ACTIONS = 150

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(Server(tmp_path_factory.mktemp("sealed") / "data", SOTTOVOCE_WORKERS="2")) as started:
        yield started


@pytest.mark.parametrize("play", [play for play in PLAYS if play != "chance"])
def test_scenario_passes(server: Server, play: str) -> None:
    node(f"scenarios/{play}.test.js", server=server)


@pytest.mark.parametrize("seed", CHANCE_SEEDS)
def test_random_scenario_leaves_nothing_unread(server: Server, seed: int) -> None:
    figures = play_by_chance(server, seed, ACTIONS)
    assert figures["workers_killed"] > 0, "no worker died, this shows less than it should"


def test_plaintext_is_not_in_database_files_or_log(server: Server) -> None:
    """The plays before this one said these things; see them for the words."""
    words = [
        b"are you there?",
        b"to four devices",
        b"now we are alone",
        b"a secret too many",
        b"welcome back",
        b" says ",
    ]
    spoken = "".join(file.read_text() for file in (WEB / "scenarios").glob("*.js"))
    assert all(word.decode() in spoken for word in words), "nobody says these any more"
    assert messages(server) > 400, "the plays have not been played"
    places = all_places(server)
    assert b"alice_" in places["the database"], "names are no secret; what does not find them finds nothing"
    assert found(places, words) == []

"""A server for many tests: a start and a stop take 1.5 s of CPU time."""

from collections.abc import Iterator

import pytest

from testing.process import Server, running


@pytest.fixture(scope="session")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For tests that neither stop nor reconfigure the server."""
    with running(Server(tmp_path_factory.mktemp("lasting") / "data")) as server:
        yield server

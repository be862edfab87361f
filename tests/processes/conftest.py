"""Servers that outlast a test: to start one and end it again is a second and a half of work for the machine."""

from collections.abc import Iterator

import pytest

from testing.process import Server, running


@pytest.fixture(scope="session")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For those who use it as people do, and neither stop nor change it."""
    with running(Server(tmp_path_factory.mktemp("lasting") / "data")) as server:
        yield server

"""/v2/socket: what happens to a socket whose task fails."""

from unittest.mock import patch

import pytest
from websockets.exceptions import ConnectionClosed

from handlers.v2.socket import DeviceSocket
from testing.server import RunningServer
from tests.v2.devices import listens


async def _fails(*_: object) -> None:
    raise RuntimeError("broken")


@pytest.mark.logs("a task of a device socket failed")
async def test_socket_whose_task_fails_closes_with_1011(server: RunningServer) -> None:
    alice = await server.person("alice")
    line = await listens(alice)
    with patch.object(DeviceSocket, "_notify_typing", _fails):
        await line.sends(f'{{"type":"typing","conversation":"{alice.uuid}"}}')
        with pytest.raises(ConnectionClosed) as closed:
            await line.next()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011

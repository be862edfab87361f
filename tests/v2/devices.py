"""A device at the v2 socket, without MLS, which direct conversations do not need."""

import asyncio
import contextlib
import secrets
from base64 import b64encode
from typing import Any

import msgspec

from testing.server import PATIENCE_S, OpenSocket, Person, connect


class DeviceSocket(OpenSocket):
    """A connection to the socket of the v2 API."""

    async def next(self) -> dict[str, Any]:
        """The next frame that is not `devices_changed`."""
        while True:
            frame: dict[str, Any] = msgspec.json.decode(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
            if frame["type"] != "devices_changed":
                return frame

    async def receives_nothing(self, for_s: float = 0.3) -> None:
        """Assert that no frame but `devices_changed` arrives: that of an earlier registration may come late."""
        with contextlib.suppress(TimeoutError):
            frame = await asyncio.wait_for(self.next(), for_s)
            raise AssertionError(f"received {frame!r:.200}")

    async def hears_texts(self, *texts: str) -> list[dict[str, Any]]:
        """Check that the next frames are direct messages with these texts; return the frames."""
        frames = [await self.next() for _ in texts]
        assert [frame.get("text", frame) for frame in frames] == list(texts)
        return frames

    async def hears_of_change(self, conversation: str, seq: int | None = None) -> None:
        place = {"conversation": conversation} | ({"seq": seq} if seq is not None else {})
        assert await self.next() == {"type": "direct_changed", **place}


async def listens(person: Person) -> DeviceSocket:
    """Connect to the socket, and return after `ready`. Register a new device if the session has none."""
    key = b64encode(secrets.token_bytes(32)).decode()
    body = {"id": f"{secrets.randbits(62) | 1:016x}", "name": "Laptop", "signature_key": key}
    await person.api.post("/v2/devices", json=body)
    headers = {"Cookie": f"Authorization={person.token}"}
    address = f"{person.server.http.replace('http', 'ws')}/v2/socket"
    line = DeviceSocket(await connect(address, headers))
    person.server.sockets.append(line)
    while (await line.next())["type"] != "ready":
        pass
    return line

"""The open WebSockets of this process, by session, device and account, and the quota of each account.

All sockets of an account share one AccountQuota, whichever API they use. A socket counts each message that it queues
(`submitted`), until the message is stored or refused (`settled`). A socket that finds no room awaits `turn`, and reads
nothing meanwhile; waiting sockets get their turn in the order of arrival.
"""

import asyncio
from collections import deque
from typing import Protocol
from weakref import WeakValueDictionary

from chat.errors import TooMany
from chat.model.accounts import Session
from chat.model.groups import DeviceEvent
from chat.model.ids import SessionId, UserId
from handlers.http.memory_budget import MemoryBudget
from handlers.websocket.frames import GOING_AWAY, POLICY
from handlers.websocket.send_buffer import SendBuffers

ACCOUNT_SOCKETS_MAX = 2048  # of one account in one process; a further handshake is answered 429
TRY_AGAIN_S = 10.0  # Retry-After of that 429
UNSETTLED_MAX = 64  # queued messages of one account that are not stored yet; its sockets read no further ones


class Connection(Protocol):
    """An authenticated WebSocket. `device_id` is None if the API has no devices."""

    session_: Session
    device_id: int | None
    quota: "AccountQuota"

    def notify(self, event: DeviceEvent) -> None:
        """Handle an event for the device."""
        ...

    def resync(self) -> None:
        """Read the state of the device again, because events may have been lost."""
        ...

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Send a close frame. Never raises."""
        ...


class AccountQuota:
    """Flow control of one account in this process: its sockets, and its queued messages."""

    def __init__(self) -> None:
        self.sockets = 0
        self._unsettled = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def has_room(self) -> bool:
        """Whether another message may be queued, and no other socket of the account waits to queue one."""
        return self._unsettled < UNSETTLED_MAX and not self._waiting

    def submitted(self) -> None:
        """Count a queued message."""
        self._unsettled += 1

    def settled(self) -> None:
        """Count a message that was stored or refused."""
        self._unsettled -= 1
        self.next()

    def next(self) -> None:
        """Resume the socket that has waited longest, if there is room."""
        while self._waiting and self._unsettled < UNSETTLED_MAX:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break

    async def turn(self) -> None:
        """Wait for room. The caller then either queues a message or calls `next`."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn


class Connections:
    """All open sockets of this process, and the memory budgets that they share."""

    def __init__(self) -> None:
        self._by_session: dict[SessionId, set[Connection]] = {}
        self._by_device: dict[int, set[Connection]] = {}
        # Sockets hold the references; a closed one does until all its queued messages are settled.
        self._by_account: WeakValueDictionary[UserId, AccountQuota] = WeakValueDictionary()
        self.send_buffers = SendBuffers()
        self.incoming = MemoryBudget()

    def admit(self, user_id: UserId) -> None:
        """Raise TooMany if the account may not open another socket."""
        quota = self._by_account.get(user_id)
        if quota is not None and quota.sockets >= ACCOUNT_SOCKETS_MAX:
            raise TooMany("Too many connections of this account", TRY_AGAIN_S)

    def add(self, socket: Connection) -> AccountQuota:
        """Register an open socket; return the quota of its account."""
        self._by_session.setdefault(socket.session_.id, set()).add(socket)
        if socket.device_id is not None:
            self._by_device.setdefault(socket.device_id, set()).add(socket)
        quota = self._by_account.setdefault(socket.session_.account.id, AccountQuota())
        quota.sockets += 1
        return quota

    def remove(self, socket: Connection) -> None:
        """Remove a closed socket. Does nothing if it is not registered."""
        sockets = self._by_session.get(socket.session_.id, set())
        if socket not in sockets:
            return
        sockets.remove(socket)
        if not sockets:
            del self._by_session[socket.session_.id]
        if socket.device_id is not None:
            of_device = self._by_device[socket.device_id]
            of_device.remove(socket)
            if not of_device:
                del self._by_device[socket.device_id]
        socket.quota.sockets -= 1

    def end_session(self, session_id: SessionId) -> None:
        """Close all sockets of a session (1008)."""
        for socket in tuple(self._by_session.get(session_id, ())):
            socket.close(POLICY, "session ended")

    def sessions(self) -> list[SessionId]:
        """List the sessions that have open sockets."""
        return list(self._by_session)

    def of_device(self, device_id: int) -> list[Connection]:
        """List the open sockets of a device."""
        return list(self._by_device.get(device_id, ()))

    def notify(self, event: DeviceEvent) -> None:
        """Pass the event to every socket of its devices."""
        for device_id in event.devices:
            for socket in self.of_device(device_id):
                socket.notify(event)

    def resync(self) -> None:
        """Make every device socket read its state again, because notifications may have been lost."""
        for sockets in tuple(self._by_device.values()):
            for socket in tuple(sockets):
                socket.resync()

    def close_all(self) -> None:
        """Close every socket (1001), because the server stops."""
        for sockets in tuple(self._by_session.values()):
            for socket in tuple(sockets):
                socket.close(GOING_AWAY, "server is stopping")

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))

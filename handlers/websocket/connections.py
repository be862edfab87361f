"""The open WebSockets of this process, by session, device and account, and what one account may use of them."""

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

SOCKETS_MAX = 2048  # of one account in one process; one more gets 429 instead of its handshake
TRY_AGAIN_S = 10.0
UNSETTLED_MAX = 64  # messages of one account's sockets on their way to the disk; more are not read meanwhile


class Connection(Protocol):
    """An authenticated WebSocket. `device_id` is None where an API has no devices."""

    session_: Session
    device_id: int | None
    quota: "AccountQuota"

    def notify(self, event: DeviceEvent) -> None: ...
    def resync(self) -> None: ...
    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class AccountQuota:
    """Flow control of one account in this process: its sockets, and its messages that are not stored yet."""

    def __init__(self) -> None:
        self.sockets = 0
        self._unsettled = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def has_room(self) -> bool:
        """For another message, which none of the account's other sockets has waited for."""
        return self._unsettled < UNSETTLED_MAX and not self._waiting

    def submitted(self) -> None:
        self._unsettled += 1

    def settled(self) -> None:
        self._unsettled -= 1
        self.next()

    def next(self) -> None:
        """Let the one go on that has waited longest, if there is room."""
        while self._waiting and self._unsettled < UNSETTLED_MAX:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                break

    async def turn(self) -> None:
        """Return when it is our turn. Who then has nothing to say calls `next`."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn


class Connections:
    """All open sockets of this process, with the buffers that they share."""

    def __init__(self) -> None:
        self._by_session: dict[SessionId, set[Connection]] = {}
        self._by_device: dict[int, set[Connection]] = {}
        # Kept by the sockets, also by closed ones as long as messages of theirs are on their way.
        self._by_account: WeakValueDictionary[UserId, AccountQuota] = WeakValueDictionary()
        self.send_buffers = SendBuffers()
        self.incoming = MemoryBudget()

    def admit(self, user_id: UserId) -> None:
        """Raises TooMany."""
        quota = self._by_account.get(user_id)
        if quota is not None and quota.sockets >= SOCKETS_MAX:
            raise TooMany("Too many connections of this account", TRY_AGAIN_S)

    def add(self, socket: Connection) -> AccountQuota:
        self._by_session.setdefault(socket.session_.id, set()).add(socket)
        if socket.device_id is not None:
            self._by_device.setdefault(socket.device_id, set()).add(socket)
        quota = self._by_account.setdefault(socket.session_.account.id, AccountQuota())
        quota.sockets += 1
        return quota

    def remove(self, socket: Connection) -> None:
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
        for socket in tuple(self._by_session.get(session_id, ())):
            socket.close(POLICY, "session ended")

    def sessions(self) -> list[SessionId]:
        return list(self._by_session)

    def of_device(self, device_id: int) -> list[Connection]:
        return list(self._by_device.get(device_id, ()))

    def notify(self, event: DeviceEvent) -> None:
        """Pass the event to every socket of its devices."""
        for device_id in event.devices:
            for socket in self.of_device(device_id):
                socket.notify(event)

    def resync(self) -> None:
        """Let every device socket look for events that it may have missed."""
        for sockets in tuple(self._by_device.values()):
            for socket in tuple(sockets):
                socket.resync()

    def close_all(self) -> None:
        for sockets in tuple(self._by_session.values()):
            for socket in tuple(sockets):
                socket.close(GOING_AWAY, "server is stopping")

    def __len__(self) -> int:
        return sum(map(len, self._by_session.values()))

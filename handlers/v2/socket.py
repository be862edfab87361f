"""/v2/socket: the backlog of one device, then live entries.

After the handshake, `_follow` reads the device's memberships. For each it sends the welcome if there is one, and
subscribes to the hub after the last acknowledged entry. Direct conversations are followed from their end. Then the
socket sends `ready`. From there on three sources send frames:

- the hub calls `push` with committed entries;
- Connections calls `notify` with events of the device, and `resync` if notifications may have been lost;
- the client's frames are answered: `sent`, `refused`, `problem`, `pong`.

An event that changes memberships runs `_follow` again, which subscribes to new conversations and unsubscribes from
removed ones. At most one `_follow` runs at a time; `_resync_wanted` repeats it for events that arrive meanwhile.

Acknowledgements are collected for ACK_S and stored together, also after the socket is closed. A device whose last
acknowledgement was lost receives those entries again.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

import msgspec

from chat.errors import ChatError, TooMany, Unavailable
from chat.model.direct import DirectConversation
from chat.model.groups import DeviceEvent, DeviceMembership
from chat.model.ids import ConversationId, DeviceId, Seq
from chat.model.messages import EncryptedDraft, Entry
from handlers.http.base import encode
from handlers.v2.base import V2Errors
from handlers.v2.schemas.direct import TextFrame
from handlers.v2.schemas.frames import (
    Ack,
    EntryShown,
    EventFrame,
    Ping,
    Pong,
    Problem,
    Ready,
    Refused,
    Send,
    SentFrame,
    Typing,
    decode_frame,
)
from handlers.v2.schemas.groups import WelcomeShown
from handlers.websocket.connections import TRY_AGAIN_S
from handlers.websocket.frames import INTERNAL_ERROR, TRY_LATER, UNSUPPORTED, frame_of
from handlers.websocket.socket import Socket

log = logging.getLogger("sottovoce.sockets")

DEVICE_SOCKETS_MAX = 16  # of one device in one process; a further handshake is answered 429
ACK_S = 0.2  # acknowledgements of this period are stored together
TYPING_S = 1.0  # more frequent typing frames are ignored
ACKS_MAX = 4096  # conversations with a pending acknowledgement; above it no frame is read until they are stored
MAX_FRAME_BYTES = 512 * 1024  # the largest message in base64, and the other fields


class DeviceSocket(V2Errors, Socket):
    """A socket of one device."""

    @property
    def max_message_size(self) -> int:
        """The largest frame in bytes; a larger one closes the connection with 1009."""
        return MAX_FRAME_BYTES

    async def prepare(self) -> None:
        """Bound the sockets of the device. Raises TooMany, and as `Socket.prepare` does."""
        await super().prepare()
        self.connections.admit(self.device_.user_id)
        if len(self.connections.of_device(self.device_.id)) >= DEVICE_SOCKETS_MAX:
            raise TooMany("Too many connections of this device", TRY_AGAIN_S)
        self._live: dict[ConversationId, Seq] = {}  # entries after this seq are for this device
        self._known: set[tuple[ConversationId, Seq]] = set()  # memberships that are followed, or have ended
        self._direct: dict[ConversationId, DirectConversation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._resync_wanted = False
        self._acks: dict[ConversationId, Seq] = {}
        self._acking: asyncio.Task[None] | None = None
        self._typed_at = 0.0
        self._unconfirmed: set[str | None] = set()  # ids of queued messages whose entry was not sent yet

    def opened(self) -> None:
        """Start the backlog in a task."""
        self._following = self._start(self._follow(ready=True))

    def ended(self) -> None:
        """Cancel the tasks, except the one that stores acknowledgements, and unsubscribe from all conversations."""
        for task in tuple(self._tasks):
            if task is not self._acking:  # pending acknowledgements are stored nevertheless
                task.cancel()
        for conversation_id in (*self._live, *self._direct):
            self.services.hub.unsubscribe(self, conversation_id)
        self._live.clear()
        self._direct.clear()

    def _start(self, part: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(part, name="device socket")
        self._tasks.add(task)
        task.add_done_callback(self._part_ended)
        return task

    def _part_ended(self, task: "asyncio.Task[None]") -> None:
        """Close the socket if one of its tasks failed: without it the device would wait for entries in vain."""
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of a device socket failed", exc_info=task.exception())
            self.close(INTERNAL_ERROR, "internal error")

    # Sent frames

    def send_frame(self, frame: msgspec.Struct) -> None:
        """Send a frame, unless the socket is closed."""
        if self.send_buffer is not None:
            self.send_buffer.send(frame_of(encode(frame)))

    def push(self, entry: Entry) -> None:
        """Send a committed entry to the device, if it may read it. Called by the hub."""
        if entry.encrypted is None:
            self._push_direct(entry)
            return
        encrypted, since = entry.encrypted, self._live.get(entry.conversation_id)
        if since is None or entry.seq <= since or self.send_buffer is None:
            return
        if encrypted.device_id == self.device_.id:
            self.send_frame(EntryShown.of(entry, self.device_.id))
            self._unconfirmed.discard(entry.client_id)
        else:
            self.send_buffer.send(_entry_frame(entry))
        if self.device_.id in encrypted.removed or (
            encrypted.kind == "left" and entry.sender_id == self.device_.user_id
        ):
            del self._live[entry.conversation_id]  # the device may read no later entry
            self.services.hub.unsubscribe(self, entry.conversation_id)

    def _push_direct(self, entry: Entry) -> None:
        direct = self._direct.get(entry.conversation_id)
        if direct is None:
            return
        if entry.sender_id == self.device_.user_id:
            self.send_frame(TextFrame.of(entry, self.device_.user_uuid, own=True))
        elif not direct.is_blocked:
            self.send_frame(TextFrame.of(entry, direct.other.uuid, own=False))

    def notify(self, event: DeviceEvent) -> None:
        """Send an event to the device; follow conversations again if it changes which ones the device may read."""
        if event.what == "memberships" or (event.what == "direct_changed" and event.seq is None):
            self.resync()
        if event.what != "memberships":
            self.send_frame(EventFrame(event.what, event.conversation, event.seq, event.user))

    def resync(self) -> None:
        """Read memberships and direct conversations again: some may be new, deleted, left, accepted or blocked."""
        self._resync_wanted = True
        if self._following is None or self._following.done():
            self._following = self._start(self._follow(ready=False))

    async def _follow(self, ready: bool) -> None:
        """Subscribe to the conversations of the device until no resync is wanted. With `ready`, then send `ready`."""
        try:
            while ready or self._resync_wanted:
                self._resync_wanted = False
                memberships = await self.services.repositories.groups.memberships(self.device_)
                self._leave_all_but({membership.conversation_id for membership in memberships})
                for membership in memberships:
                    await self._follow_membership(membership)
                await self._follow_direct(is_first=ready)
                if ready:
                    self.send_frame(Ready())
                    ready = False
        except Unavailable:
            self.close(TRY_LATER, "database unavailable")

    def _leave_all_but(self, conversation_ids: set[ConversationId]) -> None:
        """Unsubscribe from conversations that the device has left, or that the account ignores or blocks."""
        for gone in self._live.keys() - conversation_ids:
            del self._live[gone]
            self.services.hub.unsubscribe(self, gone)
            self._known = {known for known in self._known if known[0] != gone}

    async def _follow_membership(self, membership: DeviceMembership) -> None:
        """Send the welcome and the unacknowledged entries of a membership, then live ones, once."""
        if (membership.conversation_id, membership.since) in self._known:
            return
        self._known.add((membership.conversation_id, membership.since))
        if membership.until is not None and membership.until <= membership.acked:
            return
        if membership.welcome:
            data = await self.services.repositories.groups.welcome(membership)
            self.send_frame(WelcomeShown(membership.conversation_id, membership.since, data))
            await self.drained()
        self._live[membership.conversation_id] = membership.since
        await self.services.hub.subscribe(self, membership.conversation_id, membership.acked)

    async def _follow_direct(self, is_first: bool) -> None:
        """Follow direct conversations: those of the connect from their end, later ones from their beginning."""
        found = {one.id: one for one in await self.services.repositories.conversations.direct(self.device_.user_id)}
        for gone in self._direct.keys() - found.keys():
            self.services.hub.unsubscribe(self, gone)
        new = {id_: one.last_seq if is_first else Seq(0) for id_, one in found.items() if id_ not in self._direct}
        self._direct = found
        await self.services.hub.follow(self, new)

    # Received frames

    def on_message(self, text: str | bytes) -> "asyncio.Future[None] | None":
        """Handle a frame. Returns a future if the socket must wait; the next frame is read once the future is done."""
        if self.ws_is_closing():
            return None
        if isinstance(text, bytes):
            self.close(UNSUPPORTED, "text frames only")
            return None
        try:
            frame = decode_frame(text)
        except msgspec.MsgspecError as error:
            self.send_frame(Problem("invalid", str(error)))
            return None
        match frame:
            case Send():
                if not self.quota.has_room:
                    return asyncio.ensure_future(self._send_in_turn(frame))
                self._send(frame)
            case Ack():
                return self._ack(ConversationId(frame.conversation), Seq(frame.seq))
            case Typing():
                self._type(ConversationId(frame.conversation))
            case Ping():
                self.send_frame(Pong())
        return None

    def _send(self, frame: Send) -> None:
        """Queue a message. `push` confirms it with its entry, or else `settled` does with `sent` or `refused`."""

        def settled(result: Entry | ChatError) -> None:
            self.quota.settled()
            unconfirmed = frame.id in self._unconfirmed
            self._unconfirmed.discard(frame.id)
            if isinstance(result, ChatError):
                self.send_frame(Refused(frame.id, result.code, str(result)))
            elif unconfirmed:  # otherwise `push` has sent its entry, which confirms it
                self.send_frame(SentFrame(frame.id, result.seq, result.sent_at))

        draft = EncryptedDraft(
            ConversationId(frame.conversation),
            self.device_.user_id,
            self.device_.id,
            frame.epoch,
            frame.data,
            client_id=frame.id,
        )
        try:
            self.services.groups.submit(draft, settled)
        except ChatError as error:
            self.send_frame(Refused(frame.id, error.code, str(error)))
        else:
            self.quota.submitted()
            self._unconfirmed.add(frame.id)

    async def _send_in_turn(self, frame: Send) -> None:
        """Wait for room in the account's quota, then queue the message."""
        await self.quota.turn()
        try:
            if not self.ws_is_closing():
                self._send(frame)
        finally:
            self.quota.next()

    def _ack(self, conversation_id: ConversationId, seq: Seq) -> "asyncio.Future[None] | None":
        """Collect an acknowledgement. Returns a future if too many wait to be stored."""
        self._acks[conversation_id] = max(seq, self._acks.get(conversation_id, Seq(0)))
        if self._acking is None or self._acking.done():
            self._acking = self._start(self._store_acks())
        return asyncio.shield(self._acking) if len(self._acks) >= ACKS_MAX else None

    async def _store_acks(self) -> None:
        while self._acks:
            await asyncio.sleep(ACK_S)
            acks, self._acks = self._acks, {}
            try:
                await self.services.repositories.groups.acknowledge(self.device_, acks)
            except Unavailable:
                return  # the device receives those entries again, and skips them

    def _type(self, conversation_id: ConversationId) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._typed_at >= TYPING_S:
            self._typed_at = now
            self._start(self._notify_typing(conversation_id))

    async def _notify_typing(self, conversation_id: ConversationId) -> None:
        try:
            await self.services.repositories.groups.typing(self.device_, conversation_id)
        except Unavailable:
            return


@lru_cache(maxsize=64)
def _entry_frame(entry: Entry) -> bytes:
    """Return the frame of an entry, which is equal for all devices but its sender's."""
    return frame_of(encode(EntryShown.of(entry, DeviceId(0))))

"""/v2/socket: everything that one device has not acknowledged yet, then live; direct conversations live only."""

import asyncio
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

import msgspec

from chat.errors import ChatError, TooMany, Unavailable
from chat.model.direct import DirectConversation
from chat.model.groups import Device, DeviceEvent, DeviceMembership
from chat.model.ids import ConversationId, DeviceId, Seq
from chat.model.messages import EncryptedDraft, Entry
from handlers.http.base import encode
from handlers.v2.base import V2Errors
from handlers.v2.schemas.direct import TextFrame
from handlers.v2.schemas.frames import (
    Ack,
    EntryShown,
    Happened,
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
from handlers.websocket.frames import TRY_LATER, UNSUPPORTED, frame_of
from handlers.websocket.socket import Socket

SOCKETS_MAX = 16  # of one device in one process
ACK_S = 0.2  # acknowledgements of this long go to the database together
TYPING_S = 1.0  # more often is not told
ACKS_MAX = 4096  # conversations with an acknowledgement under way; more are not taken until those are stored


MAX_FRAME_BYTES = 512 * 1024  # the largest message in base64, and what is around it


class DeviceSocket(V2Errors, Socket):
    device_: Device

    @property
    def max_message_size(self) -> int:
        return MAX_FRAME_BYTES

    async def prepare(self) -> None:
        await super().prepare()
        self.session_ = await self.session()
        self.device_ = await self.services.devices.of_session(self.session_)
        self.device_id = self.device_.id
        self.connections.admit(self.device_.user_id)
        if len(self.connections.of_device(self.device_id)) >= SOCKETS_MAX:
            raise TooMany("Too many connections of this device", TRY_AGAIN_S)
        self._live: dict[ConversationId, Seq] = {}  # what comes after the seq is for us
        self._known: set[tuple[ConversationId, Seq]] = set()  # memberships that we have looked at
        self._direct: dict[ConversationId, DirectConversation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._resync_wanted = False
        self._acks: dict[ConversationId, Seq] = {}
        self._acking: asyncio.Task[None] | None = None
        self._typed_at = 0.0
        self._untold: set[str | None] = set()  # own messages on their way whose entry has not been shown

    def opened(self) -> None:
        self._following = self._start(self._follow(ready=True))

    def ended(self) -> None:
        for task in tuple(self._tasks):
            if task is not self._acking:  # what was acknowledged is stored all the same
                task.cancel()
        for conversation_id in (*self._live, *self._direct):
            self.services.hub.unsubscribe(self, conversation_id)
        self._live.clear()
        self._direct.clear()

    def _start(self, part: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(part, name="device socket")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # What goes out

    def show(self, what: msgspec.Struct) -> None:
        if self.send_buffer is not None:
            self.send_buffer.send(frame_of(encode(what)))

    def push(self, entry: Entry) -> None:
        """Of the hub: a committed entry."""
        if entry.sealed is None:
            self._push_direct(entry)
            return
        sealed, since = entry.sealed, self._live.get(entry.conversation_id)
        if since is None or entry.seq <= since or self.send_buffer is None:
            return
        if sealed.device_id == self.device_.id:
            self.show(EntryShown.of(entry, self.device_.id))
            self._untold.discard(entry.client_id)
        else:
            self.send_buffer.send(_entry_frame(entry))
        if self.device_.id in sealed.removed or (sealed.kind == "left" and entry.sender_id == self.device_.user_id):
            del self._live[entry.conversation_id]  # it reads nothing that comes after
            self.services.hub.unsubscribe(self, entry.conversation_id)

    def _push_direct(self, entry: Entry) -> None:
        direct = self._direct.get(entry.conversation_id)
        if direct is None:
            return
        if entry.sender_id == self.device_.user_id:
            self.show(TextFrame.of(entry, self.device_.user_uuid, own=True))
        elif not direct.is_blocked:
            self.show(TextFrame.of(entry, direct.other.uuid, own=False))

    def notify(self, event: DeviceEvent) -> None:
        if event.what == "memberships" or (event.what == "direct_changed" and event.seq is None):
            self.resync()
        if event.what != "memberships":
            self.show(Happened(event.what, event.conversation, event.seq, event.user))

    def resync(self) -> None:
        """Conversations may have been joined, left, taken, blocked, begun or deleted."""
        self._resync_wanted = True
        if self._following is None or self._following.done():
            self._following = self._start(self._follow(ready=False))

    async def _follow(self, ready: bool) -> None:
        try:
            while ready or self._resync_wanted:
                self._resync_wanted = False
                memberships = await self.services.groups.memberships(self.device_)
                self._leave_all_but({membership.conversation_id for membership in memberships})
                for membership in memberships:
                    await self._follow_membership(membership)
                await self._follow_direct(is_first=ready)
                if ready:
                    self.show(Ready())
                    ready = False
        except Unavailable:
            self.close(TRY_LATER, "database unavailable")

    def _leave_all_but(self, conversation_ids: set[ConversationId]) -> None:
        """What is ignored or blocked now is heard no more."""
        for gone in self._live.keys() - conversation_ids:
            del self._live[gone]
            self.services.hub.unsubscribe(self, gone)
            self._known = {known for known in self._known if known[0] != gone}

    async def _follow_membership(self, membership: DeviceMembership) -> None:
        if (membership.conversation_id, membership.since) in self._known:
            return
        self._known.add((membership.conversation_id, membership.since))
        if membership.until is not None and membership.until <= membership.acked:
            return
        if membership.welcome:
            data = await self.services.groups.welcome(membership)
            self.show(WelcomeShown(membership.conversation_id, membership.since, data))
            await self.drained()
        self._live[membership.conversation_id] = membership.since
        await self.services.hub.subscribe(self, membership.conversation_id, membership.acked)

    async def _follow_direct(self, is_first: bool) -> None:
        """Live from the connect on; one that was not there then, from its beginning."""
        found = {one.id: one for one in await self.services.conversations.direct(self.session_.account)}
        for gone in self._direct.keys() - found.keys():
            self.services.hub.unsubscribe(self, gone)
        new = {id_: one.last_seq if is_first else Seq(0) for id_, one in found.items() if id_ not in self._direct}
        self._direct = found
        await self.services.hub.follow(self, new)

    # What came in

    def on_message(self, text: str | bytes) -> "asyncio.Future[None] | None":
        """Returns a future where the socket has to wait; until it is done the next frame is not read."""
        if self.ws_is_closing():
            return None
        if isinstance(text, bytes):
            self.close(UNSUPPORTED, "text frames only")
            return None
        try:
            frame = decode_frame(text)
        except msgspec.MsgspecError as error:
            self.show(Problem("invalid", str(error)))
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
                self.show(Pong())
        return None

    def _send(self, frame: Send) -> None:
        def settled(result: Entry | ChatError) -> None:
            self.quota.settled()
            untold = frame.id in self._untold
            self._untold.discard(frame.id)
            if isinstance(result, ChatError):
                self.show(Refused(frame.id, result.code, str(result)))
            elif untold:  # otherwise its entry has just said so
                self.show(SentFrame(frame.id, result.seq, result.sent_at))

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
            self.show(Refused(frame.id, error.code, str(error)))
        else:
            self.quota.submitted()
            self._untold.add(frame.id)

    async def _send_in_turn(self, frame: Send) -> None:
        await self.quota.turn()
        if not self.ws_is_closing():
            self._send(frame)
        self.quota.next()

    def _ack(self, conversation_id: ConversationId, seq: Seq) -> "asyncio.Future[None] | None":
        self._acks[conversation_id] = max(seq, self._acks.get(conversation_id, Seq(0)))
        if self._acking is None or self._acking.done():
            self._acking = self._start(self._store_acks())
        return asyncio.shield(self._acking) if len(self._acks) >= ACKS_MAX else None

    async def _store_acks(self) -> None:
        while self._acks:
            await asyncio.sleep(ACK_S)
            acks, self._acks = self._acks, {}
            try:
                await self.services.groups.acknowledge(self.device_, acks)
            except Unavailable:
                return  # the device gets those entries again, and knows them

    def _type(self, conversation_id: ConversationId) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._typed_at >= TYPING_S:
            self._typed_at = now
            self._start(self._tell_typing(conversation_id))

    async def _tell_typing(self, conversation_id: ConversationId) -> None:
        try:
            await self.services.groups.typing(self.device_, conversation_id)
        except Unavailable:
            return


@lru_cache(maxsize=64)
def _entry_frame(entry: Entry) -> bytes:
    """The same for every device but the one that sent it."""
    return frame_of(encode(EntryShown.of(entry, DeviceId(0))))

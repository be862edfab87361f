"""EncryptedPart conversations: their commits, messages and logs, as a device sees them."""

from collections.abc import Callable, Mapping
from typing import Protocol

from chat.errors import BadFrame, ChatError, NoSuchConversation, NoSuchMessage, WrongGroup
from chat.mls.commit_rules import plan_change, read_bundle
from chat.model.accounts import Account
from chat.model.groups import MAX_ENCRYPTED_BYTES, CommitBundle, CommitRequest, Device, DeviceMembership, MemberRole
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import EncryptedDraft, Entry
from crypto.mls.frames import parse_private_message
from crypto.mls.wire import Malformed

Done = Callable[[Entry | ChatError], None]


def check_message(draft: EncryptedDraft) -> None:
    """Raises BadFrame, WrongGroup."""
    if len(draft.data) > MAX_ENCRYPTED_BYTES:
        raise BadFrame(f"A message has at most {MAX_ENCRYPTED_BYTES:,} bytes")
    try:
        message = parse_private_message(draft.data)
    except Malformed as error:
        raise BadFrame(f"Not a frame of MLS: {error}") from error
    if message.group_id != draft.conversation_id.bytes:
        raise WrongGroup("This message is of another group")
    if message.content_type != "application" or message.epoch != draft.epoch:
        raise BadFrame("The frame is of another kind or epoch than it says")


class GroupStore(Protocol):
    async def create(
        self, conversation_id: ConversationId, device: Device, bundle: CommitBundle, wanted: CommitRequest
    ) -> Entry:
        """Raises what `plan` raises, Taken, Busy, Unavailable."""
        ...

    async def commit(
        self, conversation_id: ConversationId, device: Device, bundle: CommitBundle, wanted: CommitRequest
    ) -> Entry:
        """Exactly one commit ends an epoch; one that is repeated gets its first result."""
        ...

    async def leave(self, conversation_id: ConversationId, device: Device) -> Entry: ...
    async def typing(self, device: Device, conversation_id: ConversationId) -> None: ...
    async def set_role(self, conversation_id: ConversationId, by: UserId, member: UserId, role: MemberRole) -> None: ...
    async def group_info(self, conversation_id: ConversationId, member: UserId) -> tuple[int, bytes] | None: ...
    async def removals(self, conversation_id: ConversationId, member: UserId) -> list[DeviceId]: ...
    async def memberships(self, device_id: DeviceId) -> list[DeviceMembership]: ...
    async def log(self, conversation_id: ConversationId, device_id: DeviceId, after: Seq) -> list[Entry]: ...
    async def acknowledge(self, device_id: DeviceId, seqs: Mapping[ConversationId, Seq]) -> None: ...
    async def welcome(self, conversation_id: ConversationId, seq: Seq) -> bytes | None: ...
    async def delete(self, conversation_id: ConversationId, seq: Seq, author: UserId) -> bool: ...


class Queue(Protocol):
    def submit(self, draft: EncryptedDraft, done: Done) -> None:
        """`done` is called once, with the entry after its commit or with the reason. Raises Busy, Unavailable."""
        ...

    async def write(self, draft: EncryptedDraft) -> Entry: ...


class Groups:
    def __init__(self, store: GroupStore, queue: Queue) -> None:
        self._store = store
        self._queue = queue

    async def create(self, device: Device, conversation_id: ConversationId, bundle: CommitBundle) -> Entry:
        """A conversation, with the first commit of its group. Raises as `commit` does, and Taken."""
        return await self._store.create(conversation_id, device, bundle, self._wanted(device, conversation_id, bundle))

    async def commit(self, device: Device, conversation_id: ConversationId, bundle: CommitBundle) -> Entry:
        """Raises NoSuchConversation, StaleEpoch, BadFrame, and what else is wrong with it; see chat.errors."""
        return await self._store.commit(conversation_id, device, bundle, self._wanted(device, conversation_id, bundle))

    @staticmethod
    def _wanted(device: Device, conversation_id: ConversationId, bundle: CommitBundle) -> CommitRequest:
        frames = read_bundle(bundle, conversation_id)
        return CommitRequest(
            frames.commit.epoch, frames.references, lambda group, claims: plan_change(frames, device, group, claims)
        )

    def submit(self, draft: EncryptedDraft, done: Done) -> None:
        """A message. Raises BadFrame, WrongGroup, Busy, Unavailable at once, and then never calls `done`."""
        check_message(draft)
        self._queue.submit(draft, done)

    async def send(self, draft: EncryptedDraft) -> Entry:
        """Return when it is on disk. Raises NotALeaf, StaleEpoch, CommitNeeded, IdTaken, and as `submit` does."""
        check_message(draft)
        return await self._queue.write(draft)

    async def leave(self, device: Device, conversation_id: ConversationId) -> Entry:
        """The others have to remove the account's devices before they go on. Raises NoSuchConversation."""
        return await self._store.leave(conversation_id, device)

    async def typing(self, device: Device, conversation_id: ConversationId) -> None:
        """Tell the others now, or never."""
        await self._store.typing(device, conversation_id)

    async def set_role(
        self, account: Account, conversation_id: ConversationId, member: UserId, role: MemberRole
    ) -> None:
        """Owners give roles. Raises NoSuchConversation, NotAllowed, NoSuchUser."""
        await self._store.set_role(conversation_id, account.id, member, role)

    async def group_info(self, account: Account, conversation_id: ConversationId) -> tuple[int, bytes]:
        """The epoch, and what a member's new device joins by. Raises NoSuchConversation."""
        found = await self._store.group_info(conversation_id, account.id)
        if found is None:
            raise NoSuchConversation("No such conversation")
        return found

    async def removals(self, account: Account, conversation_id: ConversationId) -> list[DeviceId]:
        """Devices that somebody has to remove by a commit before anything else can be said."""
        return await self._store.removals(conversation_id, account.id)

    async def memberships(self, device: Device) -> list[DeviceMembership]:
        """What the device reads, and from where; by conversation, the earlier first."""
        return await self._store.memberships(device.id)

    async def welcome(self, membership: DeviceMembership) -> bytes | None:
        return await self._store.welcome(membership.conversation_id, membership.since)

    async def log(self, device: Device, conversation_id: ConversationId, after: Seq) -> list[Entry]:
        """The next entries that the device may read, oldest first, bounded; empty at the end."""
        return await self._store.log(conversation_id, device.id, after)

    async def acknowledge(self, device: Device, seqs: Mapping[ConversationId, Seq]) -> None:
        """The device has these and will not ask again."""
        await self._store.acknowledge(device.id, seqs)

    async def delete(self, account: Account, conversation_id: ConversationId, seq: Seq) -> None:
        """For everyone. Raises NoSuchMessage where it is not theirs, too."""
        if not await self._store.delete(conversation_id, seq, account.id):
            raise NoSuchMessage("Message not found")

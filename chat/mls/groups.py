"""Group conversations: their commits, messages and logs, as one device of a member uses them."""

from collections.abc import Callable, Mapping
from typing import Protocol

from chat.errors import BadFrame, ChatError, WrongGroup
from chat.mls.commit_rules import Frames, plan_commit, plan_creation, read_bundle
from chat.mls.member_rules import check_role_change, plan_departure
from chat.model.accounts import Account
from chat.model.groups import (
    MAX_ENCRYPTED_BYTES,
    CommitBundle,
    CommitFacts,
    CommitRequest,
    Departure,
    Device,
    DeviceMembership,
    Group,
    MemberRole,
    Outcome,
    Refused,
)
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import EncryptedDraft, Entry
from crypto.mls.frames import parse_private_message
from crypto.mls.wire import Malformed

Done = Callable[[Entry | ChatError], None]


def check_message(draft: EncryptedDraft) -> None:
    """Check the parts of an encrypted message that the server can read. Raises BadFrame, WrongGroup."""
    if len(draft.data) > MAX_ENCRYPTED_BYTES:
        raise BadFrame(f"data must have at most {MAX_ENCRYPTED_BYTES:,} bytes")
    try:
        message = parse_private_message(draft.data)
    except Malformed as error:
        raise BadFrame(f"Malformed MLS message: {error}") from error
    if message.group_id != draft.conversation_id.bytes:
        raise WrongGroup("group_id of the message is not the conversation's id")
    if message.content_type != "application":
        raise BadFrame("Content type of the message must be application")
    if message.epoch != draft.epoch:
        raise BadFrame("Epoch of the message differs from the field `epoch`")


class GroupStore(Protocol):
    """Every method raises Unavailable if the database is unavailable, and Busy if too many callers wait for it."""

    async def commit(self, conversation_id: ConversationId, device: Device, request: CommitRequest) -> Entry:
        """Load the facts with the conversation locked, ask `request.plan`, apply the outcome.

        Return the commit's entry when it is on disk. Raises the error of a refusal, after its effect is on disk too.
        Cancellation ends the wait only: the commit may still be stored.
        """
        ...

    async def leave(
        self, conversation_id: ConversationId, device: Device, plan: Callable[[Group | None], Departure | Refused]
    ) -> Entry:
        """Remove the member by the same steps: load the group, ask `plan`, apply the departure. Return the entry."""
        ...

    async def set_role(
        self, conversation_id: ConversationId, member: UserId, role: MemberRole, check: Callable[[Group | None], None]
    ) -> None:
        """Change the role of a member if `check` raises nothing. Otherwise raises its error and changes nothing."""
        ...

    async def typing(self, device: Device, conversation_id: ConversationId) -> None:
        """Notify the connected devices of the other members and of the account itself. Stores nothing."""
        ...

    async def group_info(self, account: Account, conversation_id: ConversationId) -> tuple[int, bytes]:
        """Return the epoch, and the group info by which a member's new device joins. Raises NoSuchConversation."""
        ...

    async def removals(self, account: Account, conversation_id: ConversationId) -> list[DeviceId]:
        """Return the devices that a commit must remove before the next message; none if the account is no member."""
        ...

    async def memberships(self, device: Device) -> list[DeviceMembership]:
        """Return the spans of the logs that the device reads, by conversation, the earlier first."""
        ...

    async def welcome(self, membership: DeviceMembership) -> bytes | None:
        """Return the welcome by which the membership began; None if it began without one, or was deleted."""
        ...

    async def log(self, device: Device, conversation_id: ConversationId, after: Seq) -> list[Entry]:
        """Return the next entries that the device may read, oldest first, bounded in bytes; empty at the end."""
        ...

    async def acknowledge(self, device: Device, seqs: Mapping[ConversationId, Seq]) -> None:
        """Record that the device has stored the entries up to these and will not ask for them again."""
        ...

    async def delete(self, account: Account, conversation_id: ConversationId, seq: Seq) -> None:
        """Delete a message for everyone. Raises NoSuchMessage, also if another account sent it."""
        ...


class Queue(Protocol):
    """The write queue, as far as group messages need it."""

    def submit(self, draft: EncryptedDraft, done: Done) -> None:
        """Queue a message; `done` is called once, with the committed entry or the error.

        Raises Busy, Unavailable at once, and then never calls `done`.
        """
        ...

    async def write(self, draft: EncryptedDraft) -> Entry:
        """Return the committed entry. Raises the error of a refusal; Busy, Unavailable.

        Cancellation ends the wait only: the message may still be stored.
        """
        ...


class Groups:
    """Group conversations. The methods without a rule are the store's own: `GroupStore` describes them."""

    def __init__(self, store: GroupStore, queue: Queue) -> None:
        self._store = store
        self._queue = queue
        self.typing = store.typing
        self.group_info = store.group_info
        self.removals = store.removals
        self.memberships = store.memberships
        self.welcome = store.welcome
        self.log = store.log
        self.acknowledge = store.acknowledge
        self.delete = store.delete

    async def create(self, device: Device, conversation_id: ConversationId, bundle: CommitBundle) -> Entry:
        """Create a conversation with the first commit of its group. Raises Taken, and as `commit` does."""
        return await self._commit(device, conversation_id, bundle, plan_creation)

    async def commit(self, device: Device, conversation_id: ConversationId, bundle: CommitBundle) -> Entry:
        """Commit to the current epoch, which exactly one commit ends. A repeated commit gets its first result.

        Raises BadFrame, WrongGroup, NoSuchConversation, NoDevice, NotALeaf, NotAllowed, StaleEpoch, UnknownKeyPackage,
        TreeDiffers, UnreadMessages, Busy, Unavailable.
        """
        return await self._commit(device, conversation_id, bundle, plan_commit)

    async def _commit(
        self,
        device: Device,
        conversation_id: ConversationId,
        bundle: CommitBundle,
        plan: Callable[[Frames, Device, CommitFacts], Outcome],
    ) -> Entry:
        frames = read_bundle(bundle, conversation_id)
        commit = frames.commit
        request = CommitRequest(
            bundle, commit.epoch, frames.references, list(commit.removed), lambda facts: plan(frames, device, facts)
        )
        return await self._store.commit(conversation_id, device, request)

    def submit(self, draft: EncryptedDraft, done: Done) -> None:
        """Send a message. Raises BadFrame, WrongGroup, Busy, Unavailable at once, and then never calls `done`."""
        check_message(draft)
        self._queue.submit(draft, done)

    async def send(self, draft: EncryptedDraft) -> Entry:
        """Send a message, and return its entry once it is on disk.

        Raises NotALeaf, StaleEpoch, CommitNeeded, IdTaken, and as `submit` does.
        """
        check_message(draft)
        return await self._queue.write(draft)

    async def leave(self, device: Device, conversation_id: ConversationId) -> Entry:
        """Leave a group. The other members must remove the account's devices before they send again.

        Raises NoSuchConversation, Busy, Unavailable.
        """
        return await self._store.leave(conversation_id, device, lambda group: plan_departure(group, device.user_id))

    async def set_role(
        self, account: Account, conversation_id: ConversationId, member: UserId, role: MemberRole
    ) -> None:
        """Change the role of a member. Raises NoSuchConversation, NotAllowed, NoSuchUser, Busy, Unavailable."""
        await self._store.set_role(
            conversation_id, member, role, lambda group: check_role_change(group, account.id, member)
        )

"""Group conversations: their commits, messages and logs, as one device of a member uses them."""

from collections.abc import Callable
from typing import Protocol

from chat.delivery.write_queue import Done, WriteQueue
from chat.errors import BadFrame, WrongGroup
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
    Group,
    MemberRole,
    Outcome,
    Refused,
)
from chat.model.ids import ConversationId, UserId
from chat.model.messages import EncryptedDraft, Entry
from crypto.mls.frames import parse_private_message
from crypto.mls.wire import Malformed


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


class Groups:
    """Group conversations: what a rule of the domain decides. `GroupRepository` has the rest."""

    def __init__(self, store: GroupStore, queue: WriteQueue) -> None:
        self._store = store
        self._queue = queue

    async def create(self, device: Device, conversation_id: ConversationId, bundle: CommitBundle) -> Entry:
        """Create a conversation with the first commit of its group. Raises Taken, and as `commit` does."""
        return await self._commit(device, conversation_id, bundle, plan_creation)

    async def commit(self, device: Device, conversation_id: ConversationId, bundle: CommitBundle) -> Entry:
        """Commit to the current epoch, which exactly one commit ends. A repeated commit gets its first result.

        Raises BadFrame, WrongGroup, NoSuchConversation, NoDevice, NotALeaf, NotAllowed, NotListed, StaleEpoch,
        UnknownKeyPackage, TreeDiffers, UnreadMessages, Busy, Unavailable.
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

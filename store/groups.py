"""SQL of group conversations.

A change that writes to the log of a group runs alone in the write queue, with the conversation locked. It loads the
facts, asks the rules (`chat.mls`) for a plan, and applies it. Such work returns a refusal and never raises a ChatError,
so that its transaction is committed. The queue raises the refusal to the caller afterwards.
"""

from collections.abc import Callable, Mapping, Sequence

from chat.errors import NoSuchConversation, NoSuchMessage
from chat.model.accounts import Account
from chat.model.groups import (
    Accepted,
    CommitBundle,
    CommitRequest,
    Departure,
    Device,
    DeviceMembership,
    EncryptedConversation,
    Group,
    Member,
    MemberRole,
    Refused,
    Removals,
    Repeated,
)
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import EncryptedPart, Entry
from store import commits
from store.database.batching import Lookup
from store.database.pool import Connection, Database
from store.messages import entries_after
from store.notify.postgres import notify
from store.writer.append import Result
from store.writer.queue import WriteQueue

MUTE = """
UPDATE leaves SET muted_until = now() + %s WHERE conversation_id = %s AND device_id = ANY(%s) AND until_seq IS NULL
"""
SET_REMOVAL_DUE = "UPDATE groups SET removal_due = %s WHERE conversation_id = %s"
SET_ROLE = "UPDATE members SET role = %s WHERE conversation_id = %s AND user_id = %s"
# Members of every state, with the caller's own state.
CONVERSATIONS = """
SELECT c.id, g.epoch, g.commit_hash, c.last_seq, mine.state, u.uuid, u.username, m.role, u.picture_version
FROM members mine
JOIN conversations c ON c.id = mine.conversation_id JOIN groups g ON g.conversation_id = c.id
JOIN members m ON m.conversation_id = c.id JOIN users u ON u.id = m.user_id
WHERE mine.user_id = %s
ORDER BY c.last_message_at DESC, c.id, m.joined_at, u.id
"""
GROUP_INFO = """
SELECT g.epoch, g.group_info FROM groups g JOIN members m USING (conversation_id)
WHERE g.conversation_id = %s AND m.user_id = %s
"""
REMOVALS = """
SELECT l.device_id, r.device_id IS NOT NULL
FROM leaves l JOIN members m USING (conversation_id)
LEFT JOIN removals r USING (conversation_id, device_id) LEFT JOIN unused_devices u ON u.id = l.device_id
WHERE l.conversation_id = %s AND m.user_id = %s AND l.until_seq IS NULL
AND coalesce(r.device_id, u.id) IS NOT NULL
"""
# A member who ignores or blocks a conversation gets nothing of it. A removed device gets the log up to its removal.
MEMBERSHIPS = """
SELECT l.device_id, l.conversation_id, l.since_seq, l.acked_seq, l.until_seq, l.welcome
FROM leaves l LEFT JOIN members m USING (conversation_id, user_id)
WHERE l.device_id = ANY(%b) AND (m.state IN ('joined', 'requested') OR l.until_seq > l.acked_seq)
ORDER BY l.conversation_id, l.since_seq
"""
LATEST_MEMBERSHIP = """
SELECT since_seq, until_seq FROM leaves WHERE conversation_id = %s AND device_id = %s ORDER BY since_seq DESC LIMIT 1
"""
GET_WELCOME = "SELECT data FROM welcomes WHERE conversation_id = %s AND seq = %s"
# An earlier membership is acknowledged to its end, the latest one up to the given seq.
ACKNOWLEDGE = """
UPDATE leaves l SET acked_seq = greatest(l.acked_seq, least(given.seq, l.until_seq, c.last_seq)), welcome = false
FROM unnest(%(conversations)s::uuid[], %(seqs)s::bigint[]) AS given (conversation_id, seq)
JOIN conversations c ON c.id = given.conversation_id
WHERE l.conversation_id = given.conversation_id AND l.device_id = %(device)s AND l.since_seq <= given.seq
"""
DELETE_FOR_EVERYONE = """
UPDATE messages SET data = NULL, edited_at = now()
WHERE conversation_id = %s AND sender_id = %s AND client_id = %s AND kind = 'application' AND data IS NOT NULL
RETURNING seq
"""
LISTENERS = """
SELECT l.device_id FROM leaves l JOIN members m USING (conversation_id, user_id)
WHERE l.conversation_id = %s AND l.until_seq IS NULL AND m.state IN ('joined', 'requested')
"""


class Groups:
    """The encrypted conversations, their commits and their logs."""

    def __init__(self, database: Database, queue: WriteQueue) -> None:
        self._database = database
        self._queue = queue
        self._memberships = Lookup(self._load_memberships)

    async def commit(self, conversation_id: ConversationId, device: Device, request: CommitRequest) -> Entry:
        """Load the facts, ask `request.plan`, apply the outcome. Return the commit's entry when it is on disk.

        Raises the error of a refusal, after its effect is on disk; Busy, Unavailable.
        """

        async def commit(connection: Connection) -> Result:
            while True:
                outcome = request.plan(await commits.load_facts(connection, conversation_id, device, request))
                match outcome:
                    case Refused(error, muting):
                        if muting is not None:
                            values = [muting.duration, conversation_id, muting.devices]
                            await connection.execute(MUTE, values)
                        return error, False
                    case Repeated(entry):
                        return entry, False
                    case Accepted(change, None):
                        return await commits.apply(connection, conversation_id, device, request, change), True
                    case Accepted(change, Group() as founded):
                        if await commits.create(connection, conversation_id, founded):
                            return await commits.apply(connection, conversation_id, device, request, change), True
                        # Another worker has created it meanwhile: read the log again.

        return await self._queue.run_alone(commit, _size(request.bundle))

    async def leave(
        self, conversation_id: ConversationId, device: Device, plan: Callable[[Group | None], Departure | Refused]
    ) -> Entry:
        """Remove the member, and return the entry `left`. Raises the error of a refusal; Busy, Unavailable."""

        async def leave(connection: Connection) -> Result:
            departure = plan(await commits.load_group(connection, conversation_id))
            if isinstance(departure, Refused):
                return departure.error, False
            await connection.execute(commits.REMOVE_MEMBERS, [conversation_id, [device.user_id]])
            if departure.new_owner is not None:
                await connection.execute(SET_ROLE, ["owner", conversation_id, departure.new_owner])
            await connection.execute(SET_REMOVAL_DUE, [departure.removal_due, conversation_id])
            return await commits.append(
                connection, conversation_id, device, EncryptedPart("left", device.id, 0, None)
            ), True

        return await self._queue.run_alone(leave, 0)

    async def set_role(
        self, conversation_id: ConversationId, member: UserId, role: MemberRole, check: Callable[[Group | None], None]
    ) -> None:
        """Change the role of a member, and notify the group. Raises the error of `check`; Busy, Unavailable."""
        async with self._database.transaction() as connection:
            check(await commits.load_group(connection, conversation_id))
            await connection.execute(SET_ROLE, [role, conversation_id, member])
            await notify(connection, await _listeners(connection, conversation_id), "members_changed", conversation_id)

    async def typing(self, device: Device, conversation_id: ConversationId) -> None:
        """Notify the other devices of the group.

        Does nothing if the device has no leaf in it, or its user ignores or blocks the conversation.
        """
        async with self._database.connection() as connection:
            listeners = await _listeners(connection, conversation_id)
            if device.id in listeners:
                others = [one for one in listeners if one != device.id]
                await notify(connection, others, "typing", conversation_id, user=device.user_uuid)

    async def list_of(self, user_id: UserId) -> list[EncryptedConversation]:
        """Return the encrypted conversations of the account with their members, newest message first."""
        found: dict[ConversationId, EncryptedConversation] = {}
        for id_, epoch, commit_hash, last_seq, state, *member in await self._database.rows(CONVERSATIONS, [user_id]):
            conversation = found.setdefault(id_, EncryptedConversation(id_, epoch, commit_hash, last_seq, state, []))
            conversation.members.append(Member(*member))
        return list(found.values())

    async def group_info(self, account: Account, conversation_id: ConversationId) -> tuple[int, bytes]:
        """Return the epoch and the group info. Raises NoSuchConversation."""
        rows = await self._database.rows(GROUP_INFO, [conversation_id, account.id])
        if not rows:
            raise NoSuchConversation("No such conversation")
        epoch, group_info = rows[0]
        return epoch, group_info

    async def removals(self, account: Account, conversation_id: ConversationId) -> Removals:
        """Return the devices to remove; none if the account is not a member."""
        rows = await self._database.rows(REMOVALS, [conversation_id, account.id])
        return Removals([id_ for id_, is_due in rows if is_due], [id_ for id_, is_due in rows if not is_due])

    async def memberships(self, device: Device) -> list[DeviceMembership]:
        """Return the memberships by conversation, the earlier first. One statement answers concurrent callers."""
        return await self._memberships.get(device.id) or []

    async def _load_memberships(self, asked: Sequence[DeviceId]) -> dict[DeviceId, list[DeviceMembership]]:
        found: dict[DeviceId, list[DeviceMembership]] = {}
        for device_id, *membership in await self._database.rows(MEMBERSHIPS, [asked]):
            found.setdefault(device_id, []).append(DeviceMembership(*membership))
        return found

    async def welcome(self, membership: DeviceMembership) -> bytes | None:
        """Return the welcome of the entry at which the membership began, or None."""
        rows = await self._database.rows(GET_WELCOME, [membership.conversation_id, membership.since])
        return rows[0][0] if rows else None

    async def log(self, device: Device, conversation_id: ConversationId, after: Seq, limit: int) -> list[Entry]:
        """Return the next entries of the latest membership, oldest first; at most `limit`, bounded in bytes."""
        membership = await self._database.rows(LATEST_MEMBERSHIP, [conversation_id, device.id])
        if not membership:
            return []
        since, until = membership[0]
        entries = await entries_after(self._database, conversation_id, max(after, since), limit)
        return [entry for entry in entries if until is None or entry.seq <= until]

    async def acknowledge(self, device: Device, seqs: Mapping[ConversationId, Seq]) -> None:
        """Store the positions in one statement. A position never moves back, and never beyond the last entry."""
        values = {"device": device.id, "conversations": list(seqs), "seqs": list(seqs.values())}
        async with self._database.connection() as connection:
            await connection.execute(ACKNOWLEDGE, values)

    async def delete(self, account: Account, conversation_id: ConversationId, client_id: str) -> None:
        """Delete a message for everyone. Raises NoSuchMessage, also if another account sent it."""
        async with self._database.transaction() as connection:
            found = await connection.execute(DELETE_FOR_EVERYONE, [conversation_id, account.id, client_id])
            deleted = await found.fetchone()
            if deleted is None:
                raise NoSuchMessage("Message not found")
            listeners = await _listeners(connection, conversation_id)
            await notify(connection, listeners, "deleted", conversation_id, deleted[0])


async def _listeners(connection: Connection, conversation_id: ConversationId) -> list[DeviceId]:
    return [row[0] for row in await (await connection.execute(LISTENERS, [conversation_id])).fetchall()]


def _size(bundle: CommitBundle) -> int:
    return len(bundle.commit) + len(bundle.welcome or b"") + len(bundle.group_info)

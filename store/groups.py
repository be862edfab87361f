"""SQL of group conversations.

What changes a group and writes to its log runs in the write queue, alone, with the conversation locked: load the facts,
ask the rules (`chat.mls`) for a plan, apply it. Such work returns a refusal and never raises a ChatError, so that its
transaction is committed; the queue raises the refusal to the caller afterwards.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from chat.errors import NoSuchConversation, NoSuchMessage
from chat.model.accounts import Account
from chat.model.groups import (
    Accepted,
    ClaimedKeyPackage,
    CommitBundle,
    CommitFacts,
    CommitRequest,
    Departure,
    Device,
    DeviceMembership,
    Group,
    GroupChange,
    LeafHolder,
    MemberRole,
    Refused,
    Repeated,
)
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import EncryptedPart, Entry
from store.database.batching import Lookup
from store.database.pool import Connection, Database
from store.messages import AFTER, PAGE_BYTES, entry_of
from store.notify.postgres import notify
from store.writer.append import Result
from store.writer.queue import WriteQueue

# A statement of its own, because the next ones must see what was committed while this one waited.
LOCK = "SELECT 1 FROM conversations WHERE id = %s FOR NO KEY UPDATE"
GROUP = "SELECT epoch, group_info FROM groups WHERE conversation_id = %s"
LEAVES = """
SELECT l.leaf, l.device_id, l.user_id, d.id IS NULL, l.muted_until IS NOT NULL
FROM leaves l LEFT JOIN devices d ON d.id = l.device_id AND d.user_id = l.user_id
WHERE l.conversation_id = %s AND l.until_seq IS NULL
"""
ROLES = "SELECT user_id, role FROM members WHERE conversation_id = %s ORDER BY joined_at, user_id"
# A device that is committing or about to be added is not revoked before the commit ends; see store/devices.py.
HOLD_DEVICE = "SELECT 1 FROM devices WHERE id = %s FOR KEY SHARE"
CLAIMS = """
SELECT c.reference, c.device_id, d.user_id,
       EXISTS (SELECT FROM contacts WHERE user_id = d.user_id AND contact_id = c.user_id),
       EXISTS (SELECT FROM blocks WHERE user_id = d.user_id AND blocked_id = c.user_id)
FROM claims c JOIN devices d ON d.id = c.device_id
WHERE c.user_id = %s AND c.reference = ANY(%s)
FOR KEY SHARE OF d
"""
# Devices at these leaves with a message after the seq.
UNREAD = """
SELECT device_id FROM leaves WHERE conversation_id = %(conversation)s AND leaf = ANY(%(leaves)s) AND until_seq IS NULL
AND device_id IN (
    SELECT device_id FROM messages
    WHERE conversation_id = %(conversation)s AND seq > %(read)s AND kind = 'application'
)
"""
COMMIT_OF = """
SELECT seq, id, sent_at, removed FROM messages
WHERE conversation_id = %s AND kind = 'commit' AND epoch = %s AND device_id = %s AND data = %s
"""

CREATE = """
WITH made AS (
    INSERT INTO conversations (id, kind) VALUES (%(conversation)s, 'encrypted') ON CONFLICT DO NOTHING RETURNING id
), owned AS (
    INSERT INTO members (conversation_id, user_id, role)
    SELECT made.id, founder.user_id, founder.role
    FROM made, unnest(%(users)s::bigint[], %(roles)s::text[]) AS founder (user_id, role)
)
INSERT INTO groups (conversation_id, epoch, group_info) SELECT id, %(epoch)s, %(group_info)s FROM made
"""
# The next place in the log. `sent_at` rises by at least a microsecond within a conversation, whatever the clock does.
APPEND = """
WITH place AS (
    UPDATE conversations SET
        last_seq = last_seq + 1,
        last_message_at = greatest(statement_timestamp(), last_message_at + interval '1 microsecond')
    WHERE id = %(conversation)s
    RETURNING last_seq, last_message_at
)
INSERT INTO messages (conversation_id, seq, sender_id, sent_at, kind, device_id, epoch, data, removed)
SELECT %(conversation)s, last_seq, %(sender)s, last_message_at, %(kind)s, %(device)s, %(epoch)s, %(data)s, %(removed)s
FROM place
RETURNING seq, id, sent_at
"""
REMOVE = """
UPDATE leaves SET until_seq = %s, muted_until = NULL
WHERE conversation_id = %s AND device_id = ANY(%s) AND until_seq IS NULL
"""
ADD = """
INSERT INTO leaves (conversation_id, device_id, since_seq, leaf, user_id, acked_seq, welcome)
SELECT %(conversation)s, added.device_id, %(seq)s, added.leaf, added.user_id, %(seq)s, %(welcome)s
FROM unnest(%(devices)s::bigint[], %(leaves)s::int[], %(users)s::bigint[]) AS added (device_id, leaf, user_id)
"""
MUTE = """
UPDATE leaves SET muted_until = now() + %s WHERE conversation_id = %s AND device_id = ANY(%s) AND until_seq IS NULL
"""
UNMUTE = """
UPDATE leaves SET muted_until = NULL WHERE conversation_id = %s AND device_id = ANY(%s) AND until_seq IS NULL
"""
ADD_MEMBERS = """
INSERT INTO members (conversation_id, user_id, state)
SELECT %s, added.user_id, added.state FROM unnest(%s::bigint[], %s::text[]) AS added (user_id, state)
"""
ADD_CONTACTS = "INSERT INTO contacts SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING"
REMOVE_MEMBERS = "DELETE FROM members WHERE conversation_id = %s AND user_id = ANY(%s)"
USE_CLAIMS = "DELETE FROM claims WHERE user_id = %s AND reference = ANY(%s)"
ADD_WELCOME = "INSERT INTO welcomes (conversation_id, seq, data) VALUES (%s, %s, %s)"
ADVANCE = "UPDATE groups SET epoch = %s, group_info = %s, removal_due = %s WHERE conversation_id = %s"
SET_REMOVAL_DUE = "UPDATE groups SET removal_due = %s WHERE conversation_id = %s"

SET_ROLE = "UPDATE members SET role = %s WHERE conversation_id = %s AND user_id = %s"
GROUP_INFO = """
SELECT g.epoch, g.group_info FROM groups g JOIN members m USING (conversation_id)
WHERE g.conversation_id = %s AND m.user_id = %s
"""
REMOVALS = """
SELECT r.device_id FROM removals r JOIN members m USING (conversation_id)
WHERE r.conversation_id = %s AND m.user_id = %s
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
WHERE conversation_id = %s AND seq = %s AND sender_id = %s AND kind = 'application' AND data IS NOT NULL
"""
LISTENERS = """
SELECT l.device_id FROM leaves l JOIN members m USING (conversation_id, user_id)
WHERE l.conversation_id = %s AND l.until_seq IS NULL AND m.state IN ('joined', 'requested')
"""


class Groups:
    def __init__(self, database: Database, queue: WriteQueue) -> None:
        self._database = database
        self._queue = queue
        self._memberships = Lookup(self._load_memberships)

    async def commit(self, conversation_id: ConversationId, device: Device, request: CommitRequest) -> Entry:
        """Return the commit's entry. Raises the error of a refusal, after its effect is on disk; Busy, Unavailable."""

        async def commit(connection: Connection) -> Result:
            while True:
                outcome = request.plan(await _load_facts(connection, conversation_id, device, request))
                match outcome:
                    case Refused(error, muting):
                        if muting is not None:
                            values = [muting.duration, conversation_id, muting.devices]
                            await connection.execute(MUTE, values)
                        return error, False
                    case Repeated(entry):
                        return entry, False
                    case Accepted(change, None):
                        return await _apply(connection, conversation_id, device, request, change), True
                    case Accepted(change, Group() as founded):
                        if await _create(connection, conversation_id, founded):
                            return await _apply(connection, conversation_id, device, request, change), True
                        # Another worker has created it meanwhile: look again.

        return await self._queue.run_alone(commit, _size(request.bundle))

    async def leave(
        self, conversation_id: ConversationId, device: Device, plan: Callable[[Group | None], Departure | Refused]
    ) -> Entry:
        async def leave(connection: Connection) -> Result:
            departure = plan(await _load_group(connection, conversation_id))
            if isinstance(departure, Refused):
                return departure.error, False
            await connection.execute(REMOVE_MEMBERS, [conversation_id, [device.user_id]])
            if departure.new_owner is not None:
                await connection.execute(SET_ROLE, ["owner", conversation_id, departure.new_owner])
            await connection.execute(SET_REMOVAL_DUE, [departure.removal_due, conversation_id])
            return await _append(connection, conversation_id, device, EncryptedPart("left", device.id, 0, None)), True

        return await self._queue.run_alone(leave, 0)

    async def set_role(
        self, conversation_id: ConversationId, member: UserId, role: MemberRole, check: Callable[[Group | None], None]
    ) -> None:
        """Raises what `check` raises, and then changes nothing."""
        async with self._database.transaction() as connection:
            check(await _load_group(connection, conversation_id))
            await connection.execute(SET_ROLE, [role, conversation_id, member])
            await notify(connection, await _listeners(connection, conversation_id), "members_changed", conversation_id)

    async def typing(self, device: Device, conversation_id: ConversationId) -> None:
        async with self._database.connection() as connection:
            listeners = await _listeners(connection, conversation_id)
            if device.id in listeners:
                others = [one for one in listeners if one != device.id]
                await notify(connection, others, "typing", conversation_id, user=device.user_uuid)

    async def group_info(self, account: Account, conversation_id: ConversationId) -> tuple[int, bytes]:
        """The epoch too. Raises NoSuchConversation."""
        rows = await self._database.rows(GROUP_INFO, [conversation_id, account.id])
        if not rows:
            raise NoSuchConversation("No such conversation")
        epoch, group_info = rows[0]
        return epoch, group_info

    async def removals(self, account: Account, conversation_id: ConversationId) -> list[DeviceId]:
        """Devices to remove; none where the account is not a member."""
        return [row[0] for row in await self._database.rows(REMOVALS, [conversation_id, account.id])]

    async def memberships(self, device: Device) -> list[DeviceMembership]:
        """By conversation, the earlier first."""
        return await self._memberships.get(device.id) or []

    async def _load_memberships(self, asked: Sequence[DeviceId]) -> dict[DeviceId, list[DeviceMembership]]:
        found: dict[DeviceId, list[DeviceMembership]] = {}
        for device_id, *membership in await self._database.rows(MEMBERSHIPS, [asked]):
            found.setdefault(device_id, []).append(DeviceMembership(*membership))
        return found

    async def welcome(self, membership: DeviceMembership) -> bytes | None:
        rows = await self._database.rows(GET_WELCOME, [membership.conversation_id, membership.since])
        return rows[0][0] if rows else None

    async def log(self, device: Device, conversation_id: ConversationId, after: Seq) -> list[Entry]:
        """What the device may read of its latest membership, bounded in bytes."""
        membership = await self._database.rows(LATEST_MEMBERSHIP, [conversation_id, device.id])
        if not membership:
            return []
        since, until = membership[0]
        values: dict[str, Any] = {"conversation": conversation_id, "seq": max(after, since), "bytes": PAGE_BYTES}
        entries = [entry_of(row) for row in await self._database.rows(AFTER, values)]
        return [entry for entry in entries if until is None or entry.seq <= until]

    async def acknowledge(self, device: Device, seqs: Mapping[ConversationId, Seq]) -> None:
        values = {"device": device.id, "conversations": list(seqs), "seqs": list(seqs.values())}
        async with self._database.connection() as connection:
            await connection.execute(ACKNOWLEDGE, values)

    async def delete(self, account: Account, conversation_id: ConversationId, seq: Seq) -> None:
        """For everyone. Raises NoSuchMessage where the account did not send it, too."""
        async with self._database.transaction() as connection:
            deleted = await connection.execute(DELETE_FOR_EVERYONE, [conversation_id, seq, account.id])
            if deleted.rowcount == 0:
                raise NoSuchMessage("Message not found")
            await notify(connection, await _listeners(connection, conversation_id), "deleted", conversation_id, seq)


async def _listeners(connection: Connection, conversation_id: ConversationId) -> list[DeviceId]:
    return [row[0] for row in await (await connection.execute(LISTENERS, [conversation_id])).fetchall()]


# Load


async def _load_facts(
    connection: Connection, conversation_id: ConversationId, device: Device, request: CommitRequest
) -> CommitFacts:
    """In one round trip. Locks the conversation, and the devices that the commit adds or comes from."""
    unread = {"conversation": conversation_id, "leaves": request.removed, "read": request.bundle.read}
    commit = [conversation_id, request.epoch, device.id, request.bundle.commit]
    async with connection.pipeline():
        locked = await connection.execute(LOCK, [conversation_id])
        load = await _ask_for_group(connection, conversation_id)
        held = await connection.execute(HOLD_DEVICE, [device.id])
        claims = await connection.execute(CLAIMS, [device.user_id, request.references])
        earlier = await connection.execute(COMMIT_OF, commit)
        said = await connection.execute(UNREAD, unread) if request.removed else None
    return CommitFacts(
        group=await load(),
        claims={reference: ClaimedKeyPackage(*claimed) for reference, *claimed in await claims.fetchall()},
        is_id_taken=await locked.fetchone() is not None,
        is_revoked=await held.fetchone() is None,
        unread=frozenset(row[0] for row in await said.fetchall()) if said is not None else frozenset(),
        earlier=_earlier(conversation_id, device, request, await earlier.fetchone()),
    )


async def _load_group(connection: Connection, conversation_id: ConversationId) -> Group | None:
    """In one round trip. Locks the conversation."""
    async with connection.pipeline():
        await connection.execute(LOCK, [conversation_id])
        load = await _ask_for_group(connection, conversation_id)
    return await load()


async def _ask_for_group(
    connection: Connection, conversation_id: ConversationId
) -> Callable[[], Awaitable[Group | None]]:
    """Call what it returns when the pipeline has ended."""
    group = await connection.execute(GROUP, [conversation_id])
    leaves = await connection.execute(LEAVES, [conversation_id])
    roles = await connection.execute(ROLES, [conversation_id])

    async def load() -> Group | None:
        found = await group.fetchone()
        if found is None:
            return None
        holders = {leaf: LeafHolder(*holder) for leaf, *holder in await leaves.fetchall()}
        epoch, group_info = found
        return Group(epoch, group_info, holders, dict(await roles.fetchall()))

    return load


def _earlier(
    conversation_id: ConversationId, device: Device, request: CommitRequest, row: tuple[Any, ...] | None
) -> Entry | None:
    if row is None:
        return None
    seq, id_, sent_at, removed = row
    part = EncryptedPart("commit", device.id, request.epoch, request.bundle.commit, removed=tuple(removed))
    return Entry(conversation_id, seq, id_, device.user_id, "", sent_at, part)


# Apply


async def _create(connection: Connection, conversation_id: ConversationId, founded: Group) -> bool:
    """False where the id was taken meanwhile."""
    values = {
        "conversation": conversation_id,
        "users": list(founded.roles),
        "roles": list(founded.roles.values()),
        "epoch": founded.epoch,
        "group_info": founded.group_info,
    }
    if (await connection.execute(CREATE, values)).rowcount == 0:
        return False
    await connection.execute(ADD, _places(conversation_id, Seq(0), founded.leaves, welcome=False))
    await notify(connection, [holder.device_id for holder in founded.leaves.values()], "memberships")
    return True


async def _apply(
    connection: Connection, conversation_id: ConversationId, device: Device, request: CommitRequest, change: GroupChange
) -> Entry:
    """In two round trips."""
    bundle, removed = request.bundle, [holder.device_id for holder in change.removed]
    part = EncryptedPart("commit", device.id, request.epoch, bundle.commit, removed=tuple(removed))
    entry = await _append(connection, conversation_id, device, part)
    new_members = [list(change.new_members), list(change.new_members.values())]
    async with connection.pipeline():
        if removed:
            await connection.execute(REMOVE, [entry.seq, conversation_id, removed])
        if change.unmuted:
            await connection.execute(UNMUTE, [conversation_id, change.unmuted])
        if change.lost_members:
            await connection.execute(REMOVE_MEMBERS, [conversation_id, change.lost_members])
        if change.added:
            welcomed = bundle.welcome is not None
            await connection.execute(ADD, _places(conversation_id, entry.seq, change.added, welcome=welcomed))
        if change.new_members:
            await connection.execute(ADD_MEMBERS, [conversation_id, *new_members])
        if change.contacts:
            await connection.execute(ADD_CONTACTS, [device.user_id, change.contacts])
        if bundle.welcome is not None:
            await connection.execute(ADD_WELCOME, [conversation_id, entry.seq, bundle.welcome])
        if request.references:
            await connection.execute(USE_CLAIMS, [device.user_id, request.references])
        values = [request.epoch + 1, bundle.group_info, change.removal_due, conversation_id]
        await connection.execute(ADVANCE, values)
        await notify(connection, [holder.device_id for holder in change.added.values()], "memberships")
    return entry


def _places(
    conversation_id: ConversationId, seq: Seq, added: Mapping[int, LeafHolder], *, welcome: bool
) -> dict[str, Any]:
    return {
        "conversation": conversation_id,
        "seq": seq,
        "welcome": welcome,
        "leaves": list(added),
        "devices": [holder.device_id for holder in added.values()],
        "users": [holder.user_id for holder in added.values()],
    }


async def _append(
    connection: Connection, conversation_id: ConversationId, device: Device, part: EncryptedPart
) -> Entry:
    values = {
        "conversation": conversation_id,
        "sender": device.user_id,
        "kind": part.kind,
        "device": part.device_id,
        "epoch": part.epoch,
        "data": part.data,
        "removed": list(part.removed),
    }
    row = await (await connection.execute(APPEND, values)).fetchone()
    assert row is not None, "the conversation is there while it is locked"
    seq, id_, sent_at = row
    return Entry(conversation_id, seq, id_, device.user_id, "", sent_at, part)


def _size(bundle: CommitBundle) -> int:
    return len(bundle.commit) + len(bundle.welcome or b"") + len(bundle.group_info)

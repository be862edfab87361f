"""SQL of sealed conversations. What writes to the log runs in the write queue, alone, with the conversation locked."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.errors import UniqueViolation

from chat.errors import NoDevice, NoSuchConversation, NoSuchUser, NotAllowed, StaleEpoch, Taken, UnreadMessages
from chat.model.groups import (
    ClaimedKeyPackage,
    CommitBundle,
    CommitRequest,
    Device,
    DeviceMembership,
    Group,
    GroupChange,
    LeafHolder,
    MemberRole,
)
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import EncryptedPart, Entry
from store.database.batching import Lookup
from store.database.pool import Connection, Database
from store.members import PROMOTE, UPDATE_REMOVAL_DUE
from store.messages import AFTER, PAGE_BYTES, entry_of
from store.notify.postgres import notify
from store.writer.append import Result
from store.writer.queue import WriteQueue

MAKE = """
WITH made AS (INSERT INTO conversations (id, kind) VALUES (%(conversation)s, 'encrypted')),
     owned AS (INSERT INTO members (conversation_id, user_id, role) VALUES (%(conversation)s, %(user)s, 'owner'))
INSERT INTO groups (conversation_id, epoch, group_info) VALUES (%(conversation)s, 0, '')
"""
LOCK = "SELECT 1 FROM conversations WHERE id = %s AND kind = 'encrypted' FOR NO KEY UPDATE"
GROUP = "SELECT epoch, group_info FROM groups WHERE conversation_id = %s"
LEAVES = """
SELECT l.leaf, l.device_id, l.user_id, d.id IS NULL
FROM leaves l LEFT JOIN devices d ON d.id = l.device_id AND d.user_id = l.user_id
WHERE l.conversation_id = %s AND l.until_seq IS NULL
"""
ROLES = "SELECT user_id, role FROM members WHERE conversation_id = %s"
ROLE = "SELECT role FROM members WHERE conversation_id = %s AND user_id = %s"
CLAIMS = """
SELECT c.reference, c.device_id, d.user_id FROM claims c JOIN devices d ON d.id = c.device_id
WHERE c.user_id = %s AND c.reference = ANY(%s)
FOR KEY SHARE OF d
"""
# It is not revoked before this commit is there to be looked at.
HOLD = "SELECT 1 FROM devices WHERE id = %s FOR KEY SHARE"

PLACE = """
UPDATE conversations SET
    last_seq = last_seq + 1,
    last_message_at = greatest(statement_timestamp(), last_message_at + interval '1 microsecond')
WHERE id = %s
RETURNING last_seq, last_message_at
"""
WRITE = """
INSERT INTO messages (conversation_id, seq, sender_id, sent_at, kind, device_id, epoch, data, removed)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""
COMMIT_OF = """
SELECT seq, id, sent_at, removed FROM messages
WHERE conversation_id = %s AND kind = 'commit' AND epoch = %s AND device_id = %s AND data = %s
"""

UNREAD = """
SELECT 1 FROM messages WHERE conversation_id = %s AND seq > %s AND kind = 'application' AND device_id = ANY(%s) LIMIT 1
"""
MUTE = """
UPDATE leaves SET muted_until = now() + interval '30 seconds'
WHERE conversation_id = %s AND device_id = ANY(%s) AND until_seq IS NULL
"""
UNMUTE = "UPDATE leaves SET muted_until = NULL WHERE conversation_id = %s AND muted_until IS NOT NULL"
REMOVE = """
UPDATE leaves SET until_seq = %s WHERE conversation_id = %s AND device_id = ANY(%s) AND until_seq IS NULL
"""
ADD = """
INSERT INTO leaves (conversation_id, device_id, since_seq, leaf, user_id, acked_seq, welcome)
SELECT %(conversation)s, added.device_id, %(seq)s, added.leaf, added.user_id, %(seq)s, %(welcome)s
FROM unnest(%(devices)s::bigint[], %(leaves)s::int[], %(users)s::bigint[]) AS added (device_id, leaf, user_id)
"""
# A stranger's conversation is a request; who is blocked is not told.
JOIN = """
INSERT INTO members (conversation_id, user_id, state)
SELECT %(conversation)s, id, CASE
    WHEN EXISTS (SELECT FROM blocks WHERE user_id = joining.id AND blocked_id = %(by)s) THEN 'blocked'
    WHEN EXISTS (SELECT FROM contacts WHERE user_id = joining.id AND contact_id = %(by)s) THEN 'joined'
    ELSE 'requested' END
FROM unnest(%(users)s::bigint[]) AS joining (id)
"""
KNOW = "INSERT INTO contacts SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING"
LOSE = "DELETE FROM members WHERE conversation_id = %s AND user_id = ANY(%s)"
USED = "DELETE FROM claims WHERE user_id = %s AND reference = ANY(%s)"
WELCOME = "INSERT INTO welcomes (conversation_id, seq, data) VALUES (%s, %s, %s)"
ADVANCE = "UPDATE groups SET epoch = %s, group_info = %s WHERE conversation_id = %s"

SET_ROLE = "UPDATE members SET role = %s WHERE conversation_id = %s AND user_id = %s"
GROUP_INFO = """
SELECT g.epoch, g.group_info FROM groups g JOIN members m USING (conversation_id)
WHERE g.conversation_id = %s AND m.user_id = %s
"""
REMOVALS = """
SELECT r.device_id FROM removals r JOIN members m USING (conversation_id)
WHERE r.conversation_id = %s AND m.user_id = %s
"""
# Who ignores or blocks a conversation hears nothing of it; what they left, they hear to the end.
MEMBERSHIPS = """
SELECT l.device_id, l.conversation_id, l.since_seq, l.acked_seq, l.until_seq, l.welcome
FROM leaves l LEFT JOIN members m USING (conversation_id, user_id)
WHERE l.device_id = ANY(%b) AND (m.state IN ('joined', 'requested') OR l.until_seq > l.acked_seq)
ORDER BY l.conversation_id, l.since_seq
"""
STAY = "SELECT since_seq, until_seq FROM leaves WHERE conversation_id = %s AND device_id = %s ORDER BY 1 DESC LIMIT 1"
GET_WELCOME = "SELECT data FROM welcomes WHERE conversation_id = %s AND seq = %s"
# Of an earlier membership it has acknowledged all; of the latest, what it says.
ACKNOWLEDGE = """
UPDATE leaves l SET acked_seq = greatest(l.acked_seq, least(given.seq, l.until_seq, c.last_seq)), welcome = false
FROM unnest(%(conversations)s::uuid[], %(seqs)s::bigint[]) AS given (conversation_id, seq)
JOIN conversations c ON c.id = given.conversation_id
WHERE l.conversation_id = given.conversation_id AND l.device_id = %(device)s AND l.since_seq <= given.seq
"""
UNSAY = """
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
        self._stays = Lookup(self._load_stays)

    async def create(
        self, conversation_id: ConversationId, device: Device, bundle: CommitBundle, wanted: CommitRequest
    ) -> Entry:
        """Raises what `wanted.plan` raises, Taken, Busy, Unavailable."""

        async def make(connection: Connection) -> Result:
            try:
                async with connection.transaction():
                    await connection.execute(MAKE, {"conversation": conversation_id, "user": device.user_id})
            except UniqueViolation as error:
                known = await _same_commit(connection, conversation_id, device, wanted.epoch, bundle.commit)
                if known is None:
                    raise Taken("There is a conversation of this id already") from error
                return known, False
            maker = LeafHolder(device.id, device.user_id)
            await connection.execute(ADD, _places(conversation_id, Seq(0), {0: maker}, welcome=False))
            await notify(connection, [device.id], "memberships")
            return await _end_epoch(connection, conversation_id, device, bundle, wanted)

        return await self._queue.run_alone(make, _size(bundle))

    async def commit(
        self, conversation_id: ConversationId, device: Device, bundle: CommitBundle, wanted: CommitRequest
    ) -> Entry:
        """Exactly one commit ends an epoch; one that is repeated gets its first result."""

        async def commit(connection: Connection) -> Result:
            await _lock(connection, conversation_id)
            try:
                return await _end_epoch(connection, conversation_id, device, bundle, wanted)
            except StaleEpoch:
                known = await _same_commit(connection, conversation_id, device, wanted.epoch, bundle.commit)
                if known is None:
                    raise
                return known, False

        return await self._queue.run_alone(commit, _size(bundle))

    async def leave(self, conversation_id: ConversationId, device: Device) -> Entry:
        """Raises NoSuchConversation."""

        async def leave(connection: Connection) -> Result:
            await _lock(connection, conversation_id)
            if (await connection.execute(LOSE, [conversation_id, [device.user_id]])).rowcount == 0:
                raise NoSuchConversation("No such conversation")
            await connection.execute(PROMOTE, [[conversation_id]])
            await connection.execute(UPDATE_REMOVAL_DUE, [[conversation_id]])
            return await _write(connection, conversation_id, device, EncryptedPart("left", device.id, 0, None)), True

        return await self._queue.run_alone(leave, 0)

    async def typing(self, device: Device, conversation_id: ConversationId) -> None:
        async with self._database.connection() as connection:
            listeners = await _listeners(connection, conversation_id)
            if device.id in listeners:
                others = [one for one in listeners if one != device.id]
                await notify(connection, others, "typing", conversation_id, user=device.user_uuid)

    async def set_role(self, conversation_id: ConversationId, by: UserId, member: UserId, role: MemberRole) -> None:
        async with self._database.transaction() as connection:
            await _lock(connection, conversation_id)
            row = await (await connection.execute(ROLE, [conversation_id, by])).fetchone()
            if row is None:
                raise NoSuchConversation("No such conversation")
            if row[0] != "owner":
                raise NotAllowed("Only an owner gives roles")
            if (await connection.execute(SET_ROLE, [role, conversation_id, member])).rowcount == 0:
                raise NoSuchUser("No such member")
            await notify(connection, await _listeners(connection, conversation_id), "members_changed", conversation_id)

    async def group_info(self, conversation_id: ConversationId, member: UserId) -> tuple[int, bytes] | None:
        """The epoch too."""
        rows = await self._database.rows(GROUP_INFO, [conversation_id, member])
        return (rows[0][0], rows[0][1]) if rows else None

    async def removals(self, conversation_id: ConversationId, member: UserId) -> list[DeviceId]:
        """Those that have to go, for one who is a member."""
        return [row[0] for row in await self._database.rows(REMOVALS, [conversation_id, member])]

    async def memberships(self, device_id: DeviceId) -> list[DeviceMembership]:
        """By conversation, the earlier first."""
        return await self._stays.get(device_id) or []

    async def _load_stays(self, asked: Sequence[DeviceId]) -> dict[DeviceId, list[DeviceMembership]]:
        found: dict[DeviceId, list[DeviceMembership]] = {}
        for device_id, *membership in await self._database.rows(MEMBERSHIPS, [asked]):
            found.setdefault(device_id, []).append(DeviceMembership(*membership))
        return found

    async def welcome(self, conversation_id: ConversationId, seq: Seq) -> bytes | None:
        rows = await self._database.rows(GET_WELCOME, [conversation_id, seq])
        return rows[0][0] if rows else None

    async def log(self, conversation_id: ConversationId, device_id: DeviceId, after: Seq) -> list[Entry]:
        """What the device may read of its latest membership, bounded in bytes."""
        membership = await self._database.rows(STAY, [conversation_id, device_id])
        if not membership:
            return []
        since, until = membership[0]
        values: dict[str, Any] = {"conversation": conversation_id, "seq": max(after, since), "bytes": PAGE_BYTES}
        entries = [entry_of(row) for row in await self._database.rows(AFTER, values)]
        return [entry for entry in entries if until is None or entry.seq <= until]

    async def acknowledge(self, device_id: DeviceId, seqs: Mapping[ConversationId, Seq]) -> None:
        values = {"device": device_id, "conversations": list(seqs), "seqs": list(seqs.values())}
        async with self._database.connection() as connection:
            await connection.execute(ACKNOWLEDGE, values)

    async def delete(self, conversation_id: ConversationId, seq: Seq, author: UserId) -> bool:
        async with self._database.transaction() as connection:
            if (await connection.execute(UNSAY, [conversation_id, seq, author])).rowcount == 0:
                return False
            await notify(connection, await _listeners(connection, conversation_id), "deleted", conversation_id, seq)
            return True


async def _lock(connection: Connection, conversation_id: ConversationId) -> None:
    if await (await connection.execute(LOCK, [conversation_id])).fetchone() is None:
        raise NoSuchConversation("No such conversation")


async def _listeners(connection: Connection, conversation_id: ConversationId) -> list[DeviceId]:
    return [row[0] for row in await (await connection.execute(LISTENERS, [conversation_id])).fetchall()]


async def _load(connection: Connection, conversation_id: ConversationId) -> Group:
    epoch, group_info = await _one(connection, GROUP, [conversation_id])
    leaves = await (await connection.execute(LEAVES, [conversation_id])).fetchall()
    roles = await (await connection.execute(ROLES, [conversation_id])).fetchall()
    return Group(epoch, group_info, {leaf: LeafHolder(*holder) for leaf, *holder in leaves}, dict(roles))


async def _end_epoch(
    connection: Connection, conversation_id: ConversationId, device: Device, bundle: CommitBundle, wanted: CommitRequest
) -> Result:
    group = await _load(connection, conversation_id)
    if await (await connection.execute(HOLD, [device.id])).fetchone() is None:
        raise NoDevice("This device was revoked")
    rows = await (await connection.execute(CLAIMS, [device.user_id, wanted.references])).fetchall()
    change = wanted.plan(group, {reference: ClaimedKeyPackage(*whose) for reference, *whose in rows})
    removed = [holder.device_id for holder in change.removed]
    others = [device_id for device_id in removed if device_id != device.id]
    if await (await connection.execute(UNREAD, [conversation_id, bundle.read, others])).fetchone():
        await connection.execute(MUTE, [conversation_id, others])
        return UnreadMessages("Who is removed has said something that you have not read"), False
    sealed = EncryptedPart("commit", device.id, group.epoch, bundle.commit, removed=tuple(removed))
    entry = await _write(connection, conversation_id, device, sealed)
    await connection.execute(REMOVE, [entry.seq, conversation_id, removed])
    await _admit(connection, entry, device, bundle, change)
    await connection.execute(LOSE, [conversation_id, change.lost_members])
    await connection.execute(USED, [device.user_id, wanted.references])
    await connection.execute(ADVANCE, [group.epoch + 1, bundle.group_info, conversation_id])
    await connection.execute(UPDATE_REMOVAL_DUE, [[conversation_id]])
    await connection.execute(UNMUTE, [conversation_id])
    return entry, True


async def _admit(
    connection: Connection, entry: Entry, device: Device, bundle: CommitBundle, change: GroupChange
) -> None:
    welcomed = bundle.welcome is not None
    values = _places(entry.conversation_id, entry.seq, change.added, welcome=welcomed)
    await connection.execute(ADD, values)
    if change.new_members:
        values = {"conversation": entry.conversation_id, "by": device.user_id, "users": change.new_members}
        await connection.execute(JOIN, values)
        await connection.execute(KNOW, [device.user_id, change.new_members])
    if welcomed:
        await connection.execute(WELCOME, [entry.conversation_id, entry.seq, bundle.welcome])
    await notify(connection, [holder.device_id for holder in change.added.values()], "memberships")


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


async def _write(
    connection: Connection, conversation_id: ConversationId, device: Device, sealed: EncryptedPart
) -> Entry:
    seq, sent_at = await _one(connection, PLACE, [conversation_id])
    what = [sealed.kind, sealed.device_id, sealed.epoch, sealed.data, list(sealed.removed)]
    (id_,) = await _one(connection, WRITE, [conversation_id, seq, device.user_id, sent_at, *what])
    return Entry(conversation_id, seq, id_, device.user_id, "", sent_at, sealed)


async def _same_commit(
    connection: Connection, conversation_id: ConversationId, device: Device, epoch: int, commit: bytes
) -> Entry | None:
    row = await (await connection.execute(COMMIT_OF, [conversation_id, epoch, device.id, commit])).fetchone()
    if row is None:
        return None
    seq, id_, sent_at, removed = row
    sealed = EncryptedPart("commit", device.id, epoch, commit, removed=tuple(removed))
    return Entry(conversation_id, seq, id_, device.user_id, "", sent_at, sealed)


async def _one(connection: Connection, query: str, values: list[Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await (await connection.execute(query, values)).fetchone()
    assert row is not None, "the row is there while the conversation is locked"
    return row


def _size(bundle: CommitBundle) -> int:
    return len(bundle.commit) + len(bundle.welcome or b"") + len(bundle.group_info)

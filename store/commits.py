"""SQL of a commit: load the facts for the rules, and apply the effects that they plan. The conversation is locked."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chat.model.groups import ClaimedKeyPackage, CommitFacts, CommitRequest, Device, Group, GroupChange, LeafHolder
from chat.model.ids import ConversationId, Seq
from chat.model.messages import EncryptedPart, Entry
from store.database.pool import Connection
from store.notify.postgres import notify

# A statement of its own: the next ones must see the commits for which this one waited.
LOCK = "SELECT 1 FROM conversations WHERE id = %s FOR NO KEY UPDATE"
GROUP = "SELECT epoch, group_info FROM groups WHERE conversation_id = %s"
LEAVES = """
SELECT l.leaf, l.device_id, l.user_id,
       d.id IS NULL OR EXISTS (SELECT FROM unlisted_devices u WHERE u.id = d.id),
       coalesce(l.muted_until > statement_timestamp(), false),
       EXISTS (SELECT FROM unused_devices u WHERE u.id = d.id)
FROM leaves l LEFT JOIN devices d ON d.id = l.device_id AND d.user_id = l.user_id
WHERE l.conversation_id = %s AND l.until_seq IS NULL
"""
ROLES = "SELECT user_id, role FROM members WHERE conversation_id = %s ORDER BY joined_at, user_id"
# A device that is committing or about to be added is not revoked before the commit ends; see store/devices.py.
HOLD_DEVICE = """
SELECT NOT EXISTS (SELECT FROM unlisted_devices u WHERE u.id = d.id)
FROM devices d WHERE id = %s FOR KEY SHARE
"""
CLAIMS = """
SELECT c.reference, c.device_id, d.user_id,
       EXISTS (SELECT FROM contacts WHERE user_id = d.user_id AND contact_id = c.user_id),
       EXISTS (SELECT FROM blocks WHERE user_id = d.user_id AND blocked_id = c.user_id),
       NOT EXISTS (SELECT FROM unlisted_devices u WHERE u.id = d.id)
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
ADD_MEMBERS = """
INSERT INTO members (conversation_id, user_id, state)
SELECT %s, added.user_id, added.state FROM unnest(%s::bigint[], %s::text[]) AS added (user_id, state)
"""
ADD_CONTACTS = "INSERT INTO contacts SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING"
REMOVE_MEMBERS = "DELETE FROM members WHERE conversation_id = %s AND user_id = ANY(%s)"
USE_CLAIMS = "DELETE FROM claims WHERE user_id = %s AND reference = ANY(%s)"
ADD_WELCOME = "INSERT INTO welcomes (conversation_id, seq, data) VALUES (%s, %s, %s)"
ADVANCE = """
UPDATE groups SET epoch = %s, group_info = %s, commit_hash = sha256(%s), removal_due = %s WHERE conversation_id = %s
"""


# Load


async def load_facts(
    connection: Connection, conversation_id: ConversationId, device: Device, request: CommitRequest
) -> CommitFacts:
    """Load the facts in one round trip. Locks the conversation, the committing device and the added ones."""
    unread = {"conversation": conversation_id, "leaves": request.removed, "read": request.bundle.read}
    commit = [conversation_id, request.epoch, device.id, request.bundle.commit]
    async with connection.pipeline():
        locked = await connection.execute(LOCK, [conversation_id])
        load = await _ask_for_group(connection, conversation_id)
        held = await connection.execute(HOLD_DEVICE, [device.id])
        claims = await connection.execute(CLAIMS, [device.user_id, request.references])
        earlier = await connection.execute(COMMIT_OF, commit)
        senders = await connection.execute(UNREAD, unread) if request.removed else None
    return CommitFacts(
        group=await load(),
        claims={reference: ClaimedKeyPackage(*claimed) for reference, *claimed in await claims.fetchall()},
        is_id_taken=await locked.fetchone() is not None,
        is_revoked=(is_listed := await held.fetchone()) is None,
        is_listed=is_listed is None or is_listed[0],
        unread=frozenset(row[0] for row in await senders.fetchall()) if senders is not None else frozenset(),
        earlier=_earlier(conversation_id, device, request, await earlier.fetchone()),
    )


async def load_group(connection: Connection, conversation_id: ConversationId) -> Group | None:
    """Load a group in one round trip; None if there is no group of this id. Locks the conversation."""
    async with connection.pipeline():
        await connection.execute(LOCK, [conversation_id])
        load = await _ask_for_group(connection, conversation_id)
    return await load()


async def _ask_for_group(
    connection: Connection, conversation_id: ConversationId
) -> Callable[[], Awaitable[Group | None]]:
    """Send the statements that load a group. Call the returned function once the pipeline has ended."""
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


async def create(connection: Connection, conversation_id: ConversationId, founded: Group) -> bool:
    """Create a conversation and its group. Return False if the id was taken meanwhile."""
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


async def apply(
    connection: Connection, conversation_id: ConversationId, device: Device, request: CommitRequest, change: GroupChange
) -> Entry:
    """Append the commit to the log and apply its effects, in two round trips. Return its entry."""
    bundle, removed = request.bundle, [holder.device_id for holder in change.removed]
    part = EncryptedPart("commit", device.id, request.epoch, bundle.commit, removed=tuple(removed))
    entry = await append(connection, conversation_id, device, part)
    new_members = [list(change.new_members), list(change.new_members.values())]
    async with connection.pipeline():
        if removed:
            await connection.execute(REMOVE, [entry.seq, conversation_id, removed])
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
        values = [request.epoch + 1, bundle.group_info, bundle.commit, change.removal_due, conversation_id]
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


async def append(connection: Connection, conversation_id: ConversationId, device: Device, part: EncryptedPart) -> Entry:
    """Append an entry to the log of a locked conversation, in one round trip. Publishing it is up to the caller."""
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

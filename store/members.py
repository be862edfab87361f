"""What a group needs after the account of one of its members was deleted: an owner, and the removal of its leaves."""

from collections.abc import Sequence

from chat.model.groups import MemberRole, next_owner
from chat.model.ids import ConversationId, UserId
from store.database.pool import Connection

# In the order of `Group.roles`.
ROLES = """
SELECT m.conversation_id, m.user_id, m.role FROM members m JOIN groups g USING (conversation_id)
WHERE m.conversation_id = ANY(%s) ORDER BY m.joined_at, m.user_id
"""
PROMOTE = """
UPDATE members m SET role = 'owner'
FROM unnest(%s::uuid[], %s::bigint[]) AS promoted (conversation_id, user_id)
WHERE m.conversation_id = promoted.conversation_id AND m.user_id = promoted.user_id
"""
UPDATE_REMOVAL_DUE = """
UPDATE groups g SET removal_due = EXISTS (SELECT FROM removals r WHERE r.conversation_id = g.conversation_id)
WHERE conversation_id = ANY(%s)
"""


async def settle_deleted_member(connection: Connection, conversation_ids: Sequence[ConversationId]) -> None:
    """Call it with the conversations locked, after the account's rows are deleted."""
    groups: dict[ConversationId, dict[UserId, MemberRole]] = {}
    for conversation_id, user_id, role in await (await connection.execute(ROLES, [conversation_ids])).fetchall():
        groups.setdefault(conversation_id, {})[user_id] = role
    promoted = {id_: owner for id_, roles in groups.items() if (owner := next_owner(roles)) is not None}
    await connection.execute(PROMOTE, [list(promoted), list(promoted.values())])
    await connection.execute(UPDATE_REMOVAL_DUE, [conversation_ids])

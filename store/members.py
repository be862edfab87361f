"""SQL of what has to follow when somebody leaves a group."""

UPDATE_REMOVAL_DUE = """
UPDATE groups g SET removal_due = EXISTS (SELECT FROM removals r WHERE r.conversation_id = g.conversation_id)
WHERE conversation_id = ANY(%s)
"""

# A group whose last owner has left gets another: an admin, or who has been there longest.
PROMOTE = """
UPDATE members m SET role = 'owner' FROM (
    SELECT DISTINCT ON (conversation_id) conversation_id, user_id FROM members c
    WHERE conversation_id = ANY(%s)
    AND EXISTS (SELECT FROM groups g WHERE g.conversation_id = c.conversation_id)
    AND NOT EXISTS (SELECT FROM members o WHERE o.conversation_id = c.conversation_id AND o.role = 'owner')
    ORDER BY conversation_id, role, joined_at, user_id  -- 'admin' comes before 'member'
) next
WHERE m.conversation_id = next.conversation_id AND m.user_id = next.user_id
"""

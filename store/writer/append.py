"""Append a batch of messages to the log: assign `seq`, store, and update the conversations, in one round trip.

Locking the conversations serialises writers, so `seq` has no gaps when assigned and rises in commit order.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import tuple_row

from chat.errors import ChatError, CommitNeeded, IdTaken, NoSuchConversation, NotALeaf, StaleEpoch
from chat.model.messages import Draft, EncryptedDraft, EncryptedPart, Entry
from store.database.pool import Connection

# Locks in the order of ids, so that two workers cannot deadlock. It is a separate statement because the next one needs
# a newer snapshot: it must see entries that were committed while this one waited.
LOCK = "SELECT 1 FROM conversations WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"

# `known` holds retries: they return the first result, unless their content differs. `sent_at` rises by at least 1 µs
# within a conversation, also if the clock goes back. A draft whose sender is not a member returns no row.
APPEND = """
WITH input AS (
    SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::text[])
        WITH ORDINALITY AS input (conversation_id, sender_id, client_id, content, nth)
), known AS (
    SELECT i.nth, m.seq, m.id, m.sent_at, m.content = i.content OR m.edited_at IS NOT NULL AS is_same
    FROM input i JOIN messages m USING (conversation_id, sender_id, client_id)
), fresh AS (
    SELECT i.*, c.user_id_1, c.user_id_2,
           c.last_seq + row_number() OVER place AS seq,
           greatest(statement_timestamp(), c.last_message_at + interval '1 microsecond')
               + (row_number() OVER place - 1) * interval '1 microsecond' AS sent_at
    FROM input i
    JOIN conversations c ON c.id = i.conversation_id
    JOIN members m ON m.conversation_id = i.conversation_id AND m.user_id = i.sender_id
    WHERE NOT EXISTS (SELECT FROM known k WHERE k.nth = i.nth)
    WINDOW place AS (PARTITION BY i.conversation_id ORDER BY i.nth)
), stored AS (
    INSERT INTO messages (conversation_id, seq, sender_id, client_id, content, sent_at)
    SELECT conversation_id, seq, sender_id, client_id, content, sent_at FROM fresh ORDER BY nth
    RETURNING conversation_id, seq, id
), advanced AS (
    UPDATE conversations c SET
        last_seq = f.last_seq,
        last_message_at = f.last_message_at,
        last_seq_1 = greatest(c.last_seq_1, f.last_seq_1),
        last_seq_2 = greatest(c.last_seq_2, f.last_seq_2)
    FROM (
        SELECT conversation_id, max(seq) AS last_seq, max(sent_at) AS last_message_at,
               max(seq) FILTER (WHERE sender_id = user_id_1) AS last_seq_1,
               max(seq) FILTER (WHERE sender_id = user_id_2) AS last_seq_2
        FROM fresh GROUP BY conversation_id
    ) f
    WHERE c.id = f.conversation_id
)
SELECT f.nth, f.seq, s.id, f.sent_at, true, true FROM fresh f JOIN stored s USING (conversation_id, seq)
UNION ALL
SELECT nth, seq, id, sent_at, false, is_same FROM known
ORDER BY 1
"""

# The same for MLS messages. The sender must have a current leaf that is not muted, and use the current epoch; no
# removal may be due. A retry may have another ciphertext: the other members have read the first one.
APPEND_ENCRYPTED = """
WITH input AS (
    SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::bytea[])
        WITH ORDINALITY AS input (conversation_id, sender_id, device_id, epoch, client_id, data, nth)
), checked AS (
    SELECT i.*, c.last_seq, c.last_message_at, m.seq AS known_seq, m.id AS known_id, m.sent_at AS known_at,
           CASE WHEN m.device_id = i.device_id THEN 'known'
                WHEN m.seq IS NOT NULL THEN 'id_taken'
                WHEN l.device_id IS NULL THEN 'not_a_leaf'
                WHEN g.epoch <> i.epoch THEN 'stale_epoch'
                WHEN g.removal_due OR l.muted_until > statement_timestamp() THEN 'commit_needed'
                ELSE 'new' END AS outcome
    FROM input i
    LEFT JOIN messages m USING (conversation_id, sender_id, client_id)
    LEFT JOIN conversations c ON c.id = i.conversation_id
    LEFT JOIN groups g ON g.conversation_id = i.conversation_id
    LEFT JOIN leaves l ON l.conversation_id = i.conversation_id AND l.device_id = i.device_id AND l.until_seq IS NULL
), fresh AS (
    SELECT k.*, last_seq + row_number() OVER place AS seq,
           greatest(statement_timestamp(), last_message_at + interval '1 microsecond')
               + (row_number() OVER place - 1) * interval '1 microsecond' AS sent_at
    FROM checked k WHERE outcome = 'new'
    WINDOW place AS (PARTITION BY conversation_id ORDER BY nth)
), stored AS (
    INSERT INTO messages (conversation_id, seq, sender_id, client_id, sent_at, kind, device_id, epoch, data)
    SELECT conversation_id, seq, sender_id, client_id, sent_at, 'application', device_id, epoch, data
    FROM fresh ORDER BY nth
    RETURNING conversation_id, seq, id
), advanced AS (
    UPDATE conversations c SET last_seq = f.last_seq, last_message_at = f.last_message_at
    FROM (
        SELECT conversation_id, max(seq) AS last_seq, max(sent_at) AS last_message_at
        FROM fresh GROUP BY conversation_id
    ) f
    WHERE c.id = f.conversation_id
)
SELECT f.nth, f.seq, s.id, f.sent_at, outcome FROM fresh f JOIN stored s USING (conversation_id, seq)
UNION ALL
SELECT nth, known_seq, known_id, known_at, outcome FROM checked WHERE outcome <> 'new'
ORDER BY 1
"""

REFUSALS: dict[str, tuple[type[ChatError], str]] = {
    "not_a_leaf": (NotALeaf, "This device is not in the group"),
    "stale_epoch": (StaleEpoch, "The group is in another epoch: sync and retry"),
    "commit_needed": (CommitNeeded, "Pending removals must be committed first"),
    "id_taken": (IdTaken, "This id is already used by another message"),
}

Message = Draft | EncryptedDraft
Result = tuple[Entry | ChatError, bool]  # the bool: whether the entry is new, and not a retry


async def append(connection: Connection, drafts: Sequence[Message]) -> list[Result]:
    """Append `drafts`, in order; return one result for each.

    All statements go out in one round trip, which is one transaction (PostgreSQL manual, "Pipelining", 53.2.4). An
    error at its commit leaves the connection unusable; the caller must treat it as lost.
    Raises psycopg.Error, UnicodeError.
    """
    plain = [draft for draft in drafts if isinstance(draft, Draft)]
    encrypted = [draft for draft in drafts if isinstance(draft, EncryptedDraft)]
    async with (
        connection.cursor(binary=True, row_factory=tuple_row) as append,
        connection.cursor(binary=True, row_factory=tuple_row) as append_encrypted,
    ):
        async with connection.pipeline():
            ids = sorted({draft.conversation_id for draft in drafts})
            await connection.execute(LOCK, [ids], prepare=True)
            if plain:
                await append.execute(APPEND, _columns(plain), prepare=True)
            if encrypted:
                await append_encrypted.execute(APPEND_ENCRYPTED, _encrypted_columns(encrypted), prepare=True)
        found = iter(_plain_results(plain, await append.fetchall() if plain else []))
        found_encrypted = iter(_encrypted_results(encrypted, await append_encrypted.fetchall() if encrypted else []))
    return [next(found if isinstance(draft, Draft) else found_encrypted) for draft in drafts]


def _columns(drafts: Sequence[Draft]) -> list[list[Any]]:
    return [
        [draft.conversation_id for draft in drafts],
        [draft.sender_id for draft in drafts],
        [draft.client_id for draft in drafts],
        [draft.content for draft in drafts],
    ]


def _encrypted_columns(drafts: Sequence[EncryptedDraft]) -> list[list[Any]]:
    return [
        [draft.conversation_id for draft in drafts],
        [draft.sender_id for draft in drafts],
        [draft.device_id for draft in drafts],
        [draft.epoch for draft in drafts],
        [draft.client_id for draft in drafts],
        [draft.data for draft in drafts],
    ]


def _plain_results(drafts: Sequence[Draft], rows: list[tuple[Any, ...]]) -> list[Result]:
    results: list[Result] = [(NoSuchConversation("No such conversation"), False)] * len(drafts)
    for nth, seq, id_, sent_at, is_new, is_same in rows:
        draft = drafts[nth - 1]
        entry = Entry(draft.conversation_id, seq, id_, draft.sender_id, draft.content, sent_at, None, draft.client_id)
        results[nth - 1] = (entry if is_same else IdTaken("This id is already used by another message"), is_new)
    return results


def _encrypted_results(drafts: Sequence[EncryptedDraft], rows: list[tuple[Any, ...]]) -> list[Result]:
    results: list[Result] = []
    for draft, (_, seq, id_, sent_at, outcome) in zip(drafts, rows, strict=True):
        if outcome in REFUSALS:
            refusal, text = REFUSALS[outcome]
            results.append((refusal(text), False))
        else:
            encrypted = EncryptedPart("application", draft.device_id, draft.epoch, draft.data)
            entry = Entry(draft.conversation_id, seq, id_, draft.sender_id, "", sent_at, encrypted, draft.client_id)
            results.append((entry, outcome == "new"))
    return results

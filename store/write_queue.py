"""The write queue: everything that waits becomes one transaction, and is published after its commit.

One writer per process. The commit of a batch takes as long for one message as for hundreds, so under load the batches
grow and the cost of a commit is shared (group commit).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import tuple_row

from chat.errors import (
    Busy,
    ChatError,
    CommitNeeded,
    IdTaken,
    NoSuchConversation,
    NotALeaf,
    StaleEpoch,
    Unavailable,
)
from chat.model import Draft, Entry, Sealed, SealedDraft
from store.database import Connection, Database

log = logging.getLogger("sottovoce.writer")

WAITING_MAX = 4096  # drafts; one more is Busy at once
WAITING_MAX_CHARS = 32 * 1024 * 1024  # of all waiting drafts together; likewise
BATCH_MAX = 512
BATCH_MAX_CHARS = 1024 * 1024  # a batch ends after the draft that passes this
RECONNECT_MAX_S = 2.0
PROBE_S = 1.0  # an idle connection is tried this often, also for those who ask whether we are well

# The rows are locked in the order of their ids, so that two workers cannot deadlock. A statement of its own, because
# the next one must see what was committed while this one waited.
LOCK = "SELECT 1 FROM conversations WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"

# What is left when somebody holds some of the rows for long: a forgotten psql.
FREE = "SELECT id FROM conversations WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"

# `known`: retries, which get what they were given the first time, unless they say something else. `sent_at` rises by at
# least a microsecond within a conversation, whatever the clock does. A draft whose sender is no member gives no row.
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
), moved AS (
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

# The same for messages of MLS, which only a current leaf may send, in the current epoch, and while nobody has to go. A
# retry may be encrypted anew: the first one is what the others have read.
APPEND_SEALED = """
WITH input AS (
    SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::bytea[])
        WITH ORDINALITY AS input (conversation_id, sender_id, device_id, epoch, client_id, data, nth)
), judged AS (
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
    SELECT j.*, last_seq + row_number() OVER place AS seq,
           greatest(statement_timestamp(), last_message_at + interval '1 microsecond')
               + (row_number() OVER place - 1) * interval '1 microsecond' AS sent_at
    FROM judged j WHERE outcome = 'new'
    WINDOW place AS (PARTITION BY conversation_id ORDER BY nth)
), stored AS (
    INSERT INTO messages (conversation_id, seq, sender_id, client_id, sent_at, kind, device_id, epoch, data)
    SELECT conversation_id, seq, sender_id, client_id, sent_at, 'application', device_id, epoch, data
    FROM fresh ORDER BY nth
    RETURNING conversation_id, seq, id
), moved AS (
    UPDATE conversations c SET last_seq = f.last_seq, last_message_at = f.last_message_at
    FROM (
        SELECT conversation_id, max(seq) AS last_seq, max(sent_at) AS last_message_at
        FROM fresh GROUP BY conversation_id
    ) f
    WHERE c.id = f.conversation_id
)
SELECT f.nth, f.seq, s.id, f.sent_at, outcome FROM fresh f JOIN stored s USING (conversation_id, seq)
UNION ALL
SELECT nth, known_seq, known_id, known_at, outcome FROM judged WHERE outcome <> 'new'
ORDER BY 1
"""

REFUSALS: dict[str, tuple[type[ChatError], str]] = {
    "not_a_leaf": (NotALeaf, "This device is not in the group"),
    "stale_epoch": (StaleEpoch, "The group has moved on to another epoch"),
    "commit_needed": (CommitNeeded, "Somebody has to be removed from the group first"),
    "id_taken": (IdTaken, "This id was used for another message"),
}

Done = Callable[[Entry | ChatError], None]
Result = tuple[Entry | ChatError, bool]  # and whether it is new
# Runs alone, in a transaction of its own. A ChatError that it raises undoes it, one that it answers does not.
Work = Callable[[Connection], Awaitable[Result]]
Message = Draft | SealedDraft
Waiting = tuple[Message, Done]


class _Alone(NamedTuple):
    work: Work
    size: int


class WriteQueue:
    """Start `run` once; it owns the connection. `publish` gets every new entry, in commit order, after its commit."""

    def __init__(self, database: Database, publish: Callable[[Entry], None], lost: Callable[[], None]) -> None:
        """`lost` is called after a connection broke, when a batch may have been committed without being published."""
        self._database = database
        self._publish = publish
        self._lost = lost
        self._waiting: deque[tuple[Message | _Alone, Done]] = deque()
        self._waiting_chars = 0
        self._work = asyncio.Event()
        self._stopping = False
        self._away = True
        self._connected = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return not (self._away or self._stopping)

    def submit(self, draft: Message, done: Done) -> None:
        """`done` is called once, with the entry after its commit or with the reason. Raises Busy, Unavailable."""
        self._enqueue(draft, _size(draft), done)

    async def write(self, draft: Message) -> Entry:
        """Return when it is on disk. Raises Busy, Unavailable, and why it is refused."""
        return await self._settled(draft, _size(draft))

    async def run_alone(self, work: Work, size: int) -> Entry:
        """In its turn; what it answers is published. Raises Busy, Unavailable, and what `work` raises."""
        return await self._settled(_Alone(work, size), size)

    async def _settled(self, what: "Message | _Alone", size: int) -> Entry:
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()

        def done(result: Entry | ChatError) -> None:
            if future.done():
                return  # the sender has left; what is stored stays stored
            if isinstance(result, ChatError):
                future.set_exception(result)
            else:
                future.set_result(result)

        self._enqueue(what, size, done)
        return await future

    def _enqueue(self, what: "Message | _Alone", size: int, done: Done) -> None:
        if not self.is_open:
            raise Unavailable("The database is not available, try again later")
        if len(self._waiting) >= WAITING_MAX or self._waiting_chars >= WAITING_MAX_CHARS:
            raise Busy("The server is busy, try again")
        self._waiting.append((what, done))
        self._waiting_chars += size
        self._work.set()

    async def run(self) -> None:
        """Write until `stop`, over any number of lost connections."""
        delay_s = 0.05
        while not (self._stopping and not self._waiting):
            try:
                connection = await self._database.dedicated()
            except psycopg.Error:
                self._away = True
                self._refuse_all()
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, RECONNECT_MAX_S)
                continue
            self._away = False
            self._connected.set()
            delay_s = 0.05
            try:
                await self._write(connection)
            except psycopg.Error as error:
                log.warning("the writer lost its connection: %s", type(error).__name__)
                self._lost()

    async def opened(self) -> None:
        """Return when the queue takes drafts for the first time."""
        await self._connected.wait()

    def stop(self) -> None:
        """Take nothing more; `run` returns when all that waits is written."""
        self._stopping = True
        self._work.set()

    async def _write(self, connection: Connection) -> None:
        async with connection:
            while True:
                if not self._waiting:
                    if self._stopping:
                        return
                    await self._wait_for_work(connection)
                    continue
                what, done = self._waiting[0]
                if isinstance(what, (Draft, SealedDraft)):
                    await self._commit(connection, self._take_batch())
                else:
                    self._waiting.popleft()
                    self._waiting_chars -= what.size
                    await self._run_alone(connection, what.work, done)

    async def _wait_for_work(self, connection: Connection) -> None:
        self._work.clear()
        while not self._work.is_set():
            try:
                async with asyncio.timeout(PROBE_S):
                    await self._work.wait()
            except TimeoutError:
                # A server that is gone is noticed here, where nothing is at stake yet.
                await connection.execute("SELECT 1")

    def _take_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size, ids = 0, set()
        while self._waiting and len(batch) < BATCH_MAX and size < BATCH_MAX_CHARS:
            draft, done = self._waiting[0]
            if not isinstance(draft, (Draft, SealedDraft)):
                break
            if draft.client_id is not None:
                sent = (draft.conversation_id, draft.sender_id, draft.client_id)
                if sent in ids:
                    break  # a retry beside its original: the next batch finds the original stored
                ids.add(sent)
            self._waiting.popleft()
            batch.append((draft, done))
            size += _size(draft)
        self._waiting_chars -= size
        return batch

    async def _run_alone(self, connection: Connection, work: Work, done: Done) -> None:
        try:
            async with connection.transaction():
                result, is_new = await work(connection)
        except ChatError as refusal:
            done(refusal)
        except psycopg.errors.LockNotAvailable:
            done(Unavailable("This conversation is held by another program, try again later"))
        except psycopg.Error as error:
            done(Unavailable("The change could not be stored, try again later"))
            if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) or connection.broken:
                raise
            log.exception("a change was refused")
        except Exception:
            done(Unavailable("The change could not be stored, try again later"))
            log.exception("a change failed")
        else:
            if is_new and isinstance(result, Entry):
                self._publish(result)
            done(result)

    async def _commit(self, connection: Connection, batch: list[Waiting]) -> None:
        try:
            results = await _append(connection, [draft for draft, _ in batch])
        except psycopg.errors.LockNotAvailable:
            await self._commit_free(connection, batch)
            return
        except (psycopg.Error, UnicodeError) as error:
            # While a pipeline ends, the class of the error knows before the connection does.
            gone = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
            if gone or connection.broken or connection.closed:
                # Perhaps committed, perhaps not: the senders are told that we do not know, and ask again.
                _settle(batch, Unavailable("The database went away, try again later"))
                raise
            log.exception("a batch of %d was refused", len(batch))
            if len(batch) == 1:
                _settle(batch, Unavailable("The message could not be stored, try again later"))
            else:
                for nth, alone in enumerate(batch, 1):  # only the one that is to blame shall fail
                    try:
                        await self._commit(connection, [alone])
                    except psycopg.Error:
                        _settle(batch[nth:], Unavailable("The database went away, try again later"))
                        raise
            return
        for result, is_new in results:
            if is_new and isinstance(result, Entry):
                self._publish(result)
        for (_, done), (result, _) in zip(batch, results, strict=True):
            done(result)

    async def _commit_free(self, connection: Connection, batch: list[Waiting]) -> None:
        """Refuse what has waited for a conversation in vain, and write the rest."""
        ids = list({draft.conversation_id for draft, _ in batch})
        free = {row[0] for row in await (await connection.execute(FREE, [ids])).fetchall()}
        log.warning("somebody holds %d conversations", len(ids) - len(free))
        held = [waiting for waiting in batch if waiting[0].conversation_id not in free]
        _settle(held, Unavailable("This conversation is held by another program, try again later"))
        rest = [waiting for waiting in batch if waiting[0].conversation_id in free]
        if rest:
            await self._commit(connection, rest)

    def _refuse_all(self) -> None:
        refused = list(self._waiting)
        self._waiting.clear()
        self._waiting_chars = 0
        _settle(refused, Unavailable("The database is not available, try again later"))


async def _append(connection: Connection, drafts: Sequence[Message]) -> list[Result]:
    """All statements in one round trip, which is one transaction: PostgreSQL manual, "Pipelining" (53.2.4).

    An error at its commit leaves the connection unusable, which counts as lost.
    """
    plain = [draft for draft in drafts if isinstance(draft, Draft)]
    sealed = [draft for draft in drafts if isinstance(draft, SealedDraft)]
    async with (
        connection.cursor(binary=True, row_factory=tuple_row) as append,
        connection.cursor(binary=True, row_factory=tuple_row) as append_sealed,
    ):
        async with connection.pipeline():
            ids = sorted({draft.conversation_id for draft in drafts})
            await connection.execute(LOCK, [ids], prepare=True)
            if plain:
                await append.execute(APPEND, _columns(plain), prepare=True)
            if sealed:
                await append_sealed.execute(APPEND_SEALED, _sealed_columns(sealed), prepare=True)
        found = iter(_plain_results(plain, await append.fetchall() if plain else []))
        found_sealed = iter(_sealed_results(sealed, await append_sealed.fetchall() if sealed else []))
    return [next(found if isinstance(draft, Draft) else found_sealed) for draft in drafts]


def _columns(drafts: Sequence[Draft]) -> list[list[Any]]:
    return [
        [draft.conversation_id for draft in drafts],
        [draft.sender_id for draft in drafts],
        [draft.client_id for draft in drafts],
        [draft.content for draft in drafts],
    ]


def _sealed_columns(drafts: Sequence[SealedDraft]) -> list[list[Any]]:
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
        entry = Entry(draft.conversation_id, seq, id_, draft.sender_id, draft.content, sent_at)
        results[nth - 1] = (entry if is_same else IdTaken("This id was used for another message"), is_new)
    return results


def _sealed_results(drafts: Sequence[SealedDraft], rows: list[tuple[Any, ...]]) -> list[Result]:
    results: list[Result] = []
    for draft, (_, seq, id_, sent_at, outcome) in zip(drafts, rows, strict=True):
        if outcome in REFUSALS:
            refusal, why = REFUSALS[outcome]
            results.append((refusal(why), False))
        else:
            sealed = Sealed("application", draft.device_id, draft.epoch, draft.data, draft.client_id)
            entry = Entry(draft.conversation_id, seq, id_, draft.sender_id, "", sent_at, sealed)
            results.append((entry, outcome == "new"))
    return results


def _size(draft: Message) -> int:
    return len(draft.content) if isinstance(draft, Draft) else len(draft.data)


def _settle(batch: Sequence[tuple[object, Done]], result: ChatError) -> None:
    for _, done in batch:
        done(result)

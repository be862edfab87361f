"""The write queue: it commits all waiting messages in one transaction, and publishes them after the commit.

There is one writer per process. The commit of one message takes as long as that of hundreds. So under load the batches
grow and share the cost of a commit (group commit).

States: disconnected, open, stopping. The queue accepts work only while open.

- disconnected: the last attempt to connect failed. Waiting work fails with Unavailable; `run` retries with a rising
  delay.
- open: `run` takes work in order. Consecutive messages form a batch; other work runs in a transaction of its own.
- stopping: after `stop`, `run` writes what waits and returns.

While `run` runs, every submitted item gets exactly one result. New entries are published in commit order, before their
senders receive the result. If a connection breaks during a commit, the outcome is unknown: the senders get
Unavailable, and a retry with the same client id returns the stored entry. `lost` then makes the hub read the log.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import psycopg

from chat.errors import Busy, ChatError, Unavailable
from chat.model.messages import Draft, EncryptedDraft, Entry
from store.database.pool import Connection, Database
from store.writer.append import Message, Result, append

log = logging.getLogger("sottovoce.writer")

WAITING_MAX = 4096  # items; full: Busy at once
WAITING_MAX_CHARS = 32 * 1024 * 1024  # of all waiting items together; full: Busy at once
BATCH_MAX = 512
BATCH_MAX_CHARS = 1024 * 1024  # a batch ends after the message that exceeds this
RECONNECT_MAX_S = 2.0
PROBE_S = 1.0  # interval of a query on an idle connection, so that `is_open` is current

# The conversations that no other session has locked for long, such as a forgotten psql.
FREE = "SELECT id FROM conversations WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"

Done = Callable[[Entry | ChatError], None]
# Runs in a transaction of its own. A ChatError that it raises rolls back; one that it returns does not.
Work = Callable[[Connection], Awaitable[Result]]
Waiting = tuple[Message, Done]


class _Transaction(NamedTuple):
    work: Work
    size: int


class WriteQueue:
    """The queue and its writer. `run` must run as a task, once; it owns the connection."""

    def __init__(self, database: Database, publish: Callable[[Entry], None], lost: Callable[[], None]) -> None:
        """`publish` receives every new entry after its commit, in commit order.

        `lost` is called after a connection broke: a batch may have been committed without being published.
        """
        self._database = database
        self._publish = publish
        self._lost = lost
        self._waiting: deque[tuple[Message | _Transaction, Done]] = deque()
        self._waiting_chars = 0
        self._work = asyncio.Event()
        self._stopping = False
        self._is_disconnected = True
        self._connected = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether the queue accepts work."""
        return not (self._is_disconnected or self._stopping)

    def submit(self, draft: Message, done: Done) -> None:
        """Queue a message. `done` gets the committed entry or the error, once. Raises Busy, Unavailable."""
        self._enqueue(draft, _size(draft), done)

    async def write(self, draft: Message) -> Entry:
        """Queue a message and return its committed entry. Raises Busy, Unavailable, and any ChatError of a refusal."""
        return await self._submit_and_wait(draft, _size(draft))

    async def run_alone(self, work: Work, size: int) -> Entry:
        """Queue a transaction and return its entry, which is published if new.

        `size` counts towards WAITING_MAX_CHARS. Raises Busy, Unavailable, and any ChatError of `work`.
        """
        return await self._submit_and_wait(_Transaction(work, size), size)

    async def _submit_and_wait(self, item: "Message | _Transaction", size: int) -> Entry:
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()

        def done(result: Entry | ChatError) -> None:
            if future.done():
                return  # the sender was cancelled; the entry remains stored
            if isinstance(result, ChatError):
                future.set_exception(result)
            else:
                future.set_result(result)

        self._enqueue(item, size, done)
        return await future

    def _enqueue(self, item: "Message | _Transaction", size: int, done: Done) -> None:
        if not self.is_open:
            raise Unavailable("The database is not available, try again later")
        if len(self._waiting) >= WAITING_MAX or self._waiting_chars >= WAITING_MAX_CHARS:
            raise Busy("The server is busy, try again")
        self._waiting.append((item, done))
        self._waiting_chars += size
        self._work.set()

    async def run(self) -> None:
        """Write until `stop`; reconnect after a lost connection."""
        delay_s = 0.05
        while not (self._stopping and not self._waiting):
            try:
                connection = await self._database.dedicated()
            except psycopg.Error:
                self._is_disconnected = True
                self._refuse_all()
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, RECONNECT_MAX_S)
                continue
            self._is_disconnected = False
            self._connected.set()
            delay_s = 0.05
            try:
                await self._write(connection)
            except psycopg.Error as error:
                log.warning("the writer lost its connection: %s", type(error).__name__)
                self._lost()

    async def opened(self) -> None:
        """Return when the queue is open for the first time."""
        await self._connected.wait()

    def stop(self) -> None:
        """Refuse further work; `run` returns when it has written what waits."""
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
                item, done = self._waiting[0]
                if isinstance(item, (Draft, EncryptedDraft)):
                    await self._commit(connection, self._take_batch())
                else:
                    self._waiting.popleft()
                    self._waiting_chars -= item.size
                    await self._run_alone(connection, item.work, done)

    async def _wait_for_work(self, connection: Connection) -> None:
        self._work.clear()
        while not self._work.is_set():
            try:
                async with asyncio.timeout(PROBE_S):
                    await self._work.wait()
            except TimeoutError:
                # Detects a dead connection while no batch depends on it.
                await connection.execute("SELECT 1")

    def _take_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size, ids = 0, set()
        while self._waiting and len(batch) < BATCH_MAX and size < BATCH_MAX_CHARS:
            draft, done = self._waiting[0]
            if not isinstance(draft, (Draft, EncryptedDraft)):
                break
            if draft.client_id is not None:
                sent = (draft.conversation_id, draft.sender_id, draft.client_id)
                if sent in ids:
                    break  # a retry in the same batch as its original; the next batch finds the original
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
            done(Unavailable("This conversation is locked by another program, try again later"))
        except psycopg.Error as error:
            done(Unavailable("The change could not be stored, try again later"))
            if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)) or connection.broken:
                raise
            log.exception("a change was refused")
        except Exception:  # a bug in one transaction must not end the writer
            done(Unavailable("The change could not be stored, try again later"))
            log.exception("a change failed")
        else:
            if is_new and isinstance(result, Entry):
                self._publish(result)
            done(result)

    async def _commit(self, connection: Connection, batch: list[Waiting]) -> None:
        try:
            results = await append(connection, [draft for draft, _ in batch])
        except psycopg.errors.LockNotAvailable:
            await self._commit_free(connection, batch)
            return
        except (psycopg.Error, UnicodeError) as error:
            # While a pipeline ends, `connection.broken` is not yet set, but the error's class is known.
            is_lost = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
            if is_lost or connection.broken or connection.closed:
                # The outcome is unknown. The senders get an error and retry.
                _finish_all(batch, Unavailable("The database connection was lost, try again later"))
                raise
            log.exception("a batch of %d was refused", len(batch))
            if len(batch) == 1:
                _finish_all(batch, Unavailable("The message could not be stored, try again later"))
            else:
                for nth, alone in enumerate(batch, 1):  # so that only the faulty message fails
                    try:
                        await self._commit(connection, [alone])
                    except psycopg.Error:
                        _finish_all(batch[nth:], Unavailable("The database connection was lost, try again later"))
                        raise
            return
        for result, is_new in results:
            if is_new and isinstance(result, Entry):
                self._publish(result)
        for (_, done), (result, _) in zip(batch, results, strict=True):
            done(result)

    async def _commit_free(self, connection: Connection, batch: list[Waiting]) -> None:
        """Refuse the messages of locked conversations, and write the others."""
        ids = list({draft.conversation_id for draft, _ in batch})
        free = {row[0] for row in await (await connection.execute(FREE, [ids])).fetchall()}
        log.warning("%d conversation rows are locked by another session", len(ids) - len(free))
        locked = [waiting for waiting in batch if waiting[0].conversation_id not in free]
        _finish_all(locked, Unavailable("This conversation is locked by another program, try again later"))
        rest = [waiting for waiting in batch if waiting[0].conversation_id in free]
        if rest:
            await self._commit(connection, rest)

    def _refuse_all(self) -> None:
        refused = list(self._waiting)
        self._waiting.clear()
        self._waiting_chars = 0
        _finish_all(refused, Unavailable("The database is not available, try again later"))


def _size(draft: Message) -> int:
    return len(draft.content) if isinstance(draft, Draft) else len(draft.data)


def _finish_all(batch: Sequence[tuple[object, Done]], result: ChatError) -> None:
    for _, done in batch:
        done(result)

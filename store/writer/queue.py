"""The write queue: everything that waits becomes one transaction, and is published after its commit.

One writer per process. The commit of a batch takes as long for one message as for hundreds, so under load the batches
grow and the cost of a commit is shared (group commit).
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

WAITING_MAX = 4096  # drafts; one more is Busy at once
WAITING_MAX_CHARS = 32 * 1024 * 1024  # of all waiting drafts together; likewise
BATCH_MAX = 512
BATCH_MAX_CHARS = 1024 * 1024  # a batch ends after the draft that passes this
RECONNECT_MAX_S = 2.0
PROBE_S = 1.0  # an idle connection is tried this often, also for those who ask whether we are well

# What is left when somebody holds some of the rows for long: a forgotten psql.
FREE = "SELECT id FROM conversations WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"

Done = Callable[[Entry | ChatError], None]
# Runs alone, in a transaction of its own. A ChatError that it raises undoes it, one that it answers does not.
Work = Callable[[Connection], Awaitable[Result]]
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
                return  # the sender has left; what is stored memberships stored
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
                if isinstance(what, (Draft, EncryptedDraft)):
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
            if not isinstance(draft, (Draft, EncryptedDraft)):
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
        except Exception:  # a mistake in one change must not end the writer of all others
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


def _size(draft: Message) -> int:
    return len(draft.content) if isinstance(draft, Draft) else len(draft.data)


def _settle(batch: Sequence[tuple[object, Done]], result: ChatError) -> None:
    for _, done in batch:
        done(result)

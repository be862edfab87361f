"""Commits on a real PostgreSQL: the database stores what the rules decide."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chat.errors import (
    ChatError,
    CommitNeeded,
    NoDevice,
    NoSuchConversation,
    NoSuchMessage,
    NoSuchUser,
    NotALeaf,
    NotAllowed,
    StaleEpoch,
    Taken,
    Unavailable,
    UnknownKeyPackage,
    UnreadMessages,
)
from chat.mls.groups import Groups
from chat.model.accounts import Account
from chat.model.groups import CommitBundle, Device, MemberRole
from chat.model.ids import ConversationId, DeviceId, Seq, UserId
from chat.model.messages import EncryptedDraft, Entry
from crypto.mls.checks import key_package_reference
from store import devices, groups
from store.accounts import Accounts
from store.database.pool import Database
from store.writer.queue import WriteQueue
from tests.mls.maker import MadeGroup, Signer

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@dataclass(frozen=True)
class RegisteredDevice:
    """A device of an account, registered."""

    account: Account
    device: Device
    signer: Signer


class Rig:
    """The group service with its store and the write queue, and `psql` beside them."""

    def __init__(self, database: Database, queue: WriteQueue, psql: psycopg.AsyncConnection[Any]) -> None:
        self.repository = groups.Groups(database, queue)
        self.groups = Groups(self.repository, queue)
        self.devices = devices.Devices(database)
        self.accounts = Accounts(database)
        self.published: list[Entry] = []
        self._psql = psql

    async def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = await self._psql.execute(query, values)
        return await cursor.fetchall() if cursor.description else []

    async def new_device(self, of: Account | None = None) -> RegisteredDevice:
        """A new device, of a new account unless it is given."""
        account = of or await self._account()
        ((uuid,),) = await self.sql("SELECT uuid FROM users WHERE id = %s", account.id)
        device_id = DeviceId(secrets.randbits(62) | 1)
        signer = Signer(f"{uuid}:{device_id:x}@sottovoce".encode())
        device = Device(device_id, account.id, uuid, "Laptop", signer.public_key, NOW)
        insert = "INSERT INTO devices (id, user_id, name, signature_key, created_at) VALUES (%s, %s, 'Laptop', %s, %s)"
        await self.sql(insert, device.id, account.id, signer.public_key, NOW)
        return RegisteredDevice(account, device, signer)

    async def _account(self) -> Account:
        name = secrets.token_hex(8)
        insert = "INSERT INTO users (username, username_key, password_hash) VALUES (%s, %s, '') RETURNING id, uuid"
        ((id_, uuid),) = await self.sql(insert, name, name)
        return Account(id_, name, None, "user", "", NOW, NOW, uuid)

    async def claim(self, by: RegisteredDevice, of: RegisteredDevice) -> tuple[Signer, bytes]:
        package = of.signer.key_package()
        insert = "INSERT INTO claims (reference, user_id, device_id, expires_at) VALUES (%s, %s, %s, 'infinity')"
        await self.sql(insert, key_package_reference(package), by.account.id, of.device.id)
        return of.signer, package

    async def group(self, creator: RegisteredDevice, *others: RegisteredDevice) -> MadeGroup:
        """Create a group with the others as members."""
        made = MadeGroup(uuid4(), creator.signer)
        added = [await self.claim(creator, other) for other in others]
        await self.groups.create(creator.device, ConversationId(made.group_id), made.commit(creator.signer, add=added))
        return made

    async def commit(self, made: MadeGroup, by: RegisteredDevice, bundle: CommitBundle) -> Entry:
        return await self.groups.commit(by.device, ConversationId(made.group_id), bundle)

    async def send(self, made: MadeGroup, by: RegisteredDevice) -> Entry:
        conversation_id = ConversationId(made.group_id)
        draft = EncryptedDraft(
            conversation_id, by.account.id, by.device.id, made.epoch, made.message(), secrets.token_hex(16)
        )
        return await self.groups.send(draft)

    async def roles(self, made: MadeGroup) -> dict[UserId, MemberRole]:
        return dict(await self.sql("SELECT user_id, role FROM members WHERE conversation_id = %s", made.group_id))

    async def removal_due(self, made: MadeGroup) -> bool:
        """The stored flag, after a comparison with the view of the leaves that must be removed."""
        query = "SELECT removal_due, EXISTS (SELECT FROM removals r WHERE r.conversation_id = g.conversation_id)"
        ((stored, due),) = await self.sql(f"{query} FROM groups g WHERE conversation_id = %s", made.group_id)
        assert stored == due
        return bool(stored)

    async def row(self, made: MadeGroup) -> tuple[Any, ...]:
        """Everything that a refused commit must leave as it was."""
        query = """
            SELECT g.epoch, g.group_info, g.removal_due, c.last_seq,
                   (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id),
                   (SELECT array_agg((l.device_id, l.leaf, l.until_seq) ORDER BY l) FROM leaves l
                    WHERE l.conversation_id = c.id),
                   (SELECT array_agg((m.user_id, m.role, m.state) ORDER BY m) FROM members m
                    WHERE m.conversation_id = c.id),
                   (SELECT count(*) FROM claims), (SELECT count(*) FROM welcomes)
            FROM groups g JOIN conversations c ON c.id = g.conversation_id WHERE c.id = %s
        """
        ((*row,),) = await self.sql(query, made.group_id)
        return tuple(row)


@asynccontextmanager
async def rig(url: str) -> AsyncIterator[Rig]:
    database = Database(url, f"commits-{secrets.token_hex(4)}")
    await database.open(10)
    published: list[Entry] = []
    queue = WriteQueue(database, published.append, lambda: None)
    running = asyncio.create_task(queue.run())
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as psql:
        await asyncio.wait_for(queue.opened(), 10)
        made = Rig(database, queue, psql)
        made.published = published
        try:
            yield made
        finally:
            queue.stop()
            await running
            await database.close()


async def test_accepted_commit_stores_log_leaves_members_and_welcome(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob = await at.new_device(), await at.new_device()
        made = await at.group(alice, bob)
        assert [(entry.seq, entry.encrypted and entry.encrypted.kind) for entry in at.published] == [(1, "commit")]
        assert await at.sql("SELECT epoch, removal_due FROM groups") == [(1, False)]
        leaves = await at.sql("SELECT device_id, leaf, since_seq, welcome FROM leaves ORDER BY leaf")
        assert leaves == [(alice.device.id, 0, 0, False), (bob.device.id, 1, 1, True)]
        assert await at.roles(made) == {alice.account.id: "owner", bob.account.id: "member"}
        assert await at.sql("SELECT seq FROM welcomes") == [(1,)]
        assert await at.sql("SELECT 1 FROM claims") == [], "used"
        assert await at.sql("SELECT user_id, contact_id FROM contacts") == [(alice.account.id, bob.account.id)]
        entry = await at.commit(made, alice, made.commit(alice.signer, remove=[bob.signer], read=1))
        assert entry.encrypted is not None
        assert (entry.seq, entry.encrypted.removed) == (2, (bob.device.id,))
        assert await at.sql("SELECT until_seq FROM leaves ORDER BY leaf") == [(None,), (2,)]
        assert await at.roles(made) == {alice.account.id: "owner"}
        assert not await at.removal_due(made)


@pytest.mark.parametrize(
    ("relation", "state"),
    [
        ("contacts", "joined"),
        ("blocks", "blocked"),
        ("contacts and blocks", "blocked"),
        ("", "requested"),
    ],
)
async def test_new_member_state_follows_contacts_and_blocks(own_database_url: str, relation: str, state: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob = await at.new_device(), await at.new_device()
        for table in filter(None, relation.split(" and ")):
            await at.sql(f"INSERT INTO {table} VALUES (%s, %s)", bob.account.id, alice.account.id)
        # Alice's contacts and blocks do not matter.
        await at.sql("INSERT INTO contacts VALUES (%s, %s)", alice.account.id, bob.account.id)
        await at.sql("INSERT INTO blocks VALUES (%s, %s)", alice.account.id, bob.account.id)
        await at.group(alice, bob)
        assert await at.sql("SELECT state FROM members WHERE user_id = %s", bob.account.id) == [(state,)]


async def test_removal_of_unread_sender_is_refused_and_mutes(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob, carol = await at.new_device(), await at.new_device(), await at.new_device()
        made = await at.group(alice, bob, carol)
        said = await at.send(made, bob)
        before = await at.row(made)
        with pytest.raises(UnreadMessages):
            await at.commit(made, alice, made.copy().commit(alice.signer, remove=[bob.signer], read=said.seq - 1))
        assert await at.row(made) == before
        muted = await at.sql("SELECT device_id FROM leaves WHERE muted_until > now() + interval '20 seconds'")
        assert muted == [(bob.device.id,)], "the muting is stored although the commit is refused"
        with pytest.raises(CommitNeeded):
            await at.send(made, bob)
        await at.send(made, carol)
        with pytest.raises(StaleEpoch, match="is removing this device"):
            await at.commit(made, bob, made.copy().commit(bob.signer))
        await at.commit(made, alice, made.commit(alice.signer))
        with pytest.raises(CommitNeeded):
            await at.send(made, bob)
        await at.sql("UPDATE leaves SET muted_until = now() WHERE muted_until IS NOT NULL")
        said = await at.send(made, bob)
        await at.commit(made, alice, made.commit(alice.signer, remove=[bob.signer], read=said.seq))
        with pytest.raises(NotALeaf):
            await at.send(made, bob)


async def test_removal_with_unread_messages_of_others_is_accepted(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob, carol = await at.new_device(), await at.new_device(), await at.new_device()
        made = await at.group(alice, bob, carol)
        await at.send(made, carol)
        await at.commit(made, alice, made.commit(alice.signer, remove=[bob.signer], read=1))
        await at.send(made, carol)
        await at.commit(made, carol, made.commit(carol.signer, remove=[carol.signer], external=True, read=0))
        spans = await at.sql("SELECT since_seq, until_seq FROM leaves WHERE device_id = %s ORDER BY 1", carol.device.id)
        assert spans == [(1, 5), (5, None)]


async def test_refused_commit_changes_nothing(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob, carol = await at.new_device(), await at.new_device(), await at.new_device()
        made = await at.group(alice, bob)
        claimed_by_bob = await at.claim(bob, carol)
        before = await at.row(made)
        not_claimed = (carol.signer, carol.signer.key_package())
        refused: list[tuple[RegisteredDevice, CommitBundle, type[ChatError]]] = [
            (alice, made.copy().commit(alice.signer, add=[not_claimed]), UnknownKeyPackage),
            (alice, made.copy().commit(alice.signer, add=[claimed_by_bob]), UnknownKeyPackage),
            (bob, made.copy().commit(bob.signer, remove=[alice.signer]), NotAllowed),
            (bob, made.copy().commit(alice.signer), NotALeaf),
            (carol, made.copy().commit(carol.signer, external=True), NoSuchConversation),
        ]
        for by, bundle, error in refused:
            with pytest.raises(error):
                await at.commit(made, by, bundle)
            assert await at.row(made) == before
        elsewhere = MadeGroup(uuid4(), alice.signer)
        with pytest.raises(NoSuchConversation):
            await at.commit(elsewhere, alice, elsewhere.commit(alice.signer))
        with pytest.raises(UnknownKeyPackage):
            await at.groups.create(
                alice.device,
                ConversationId(elsewhere.group_id),
                MadeGroup(elsewhere.group_id, alice.signer).commit(alice.signer, add=[not_claimed]),
            )
        assert await at.sql("SELECT id FROM conversations") == [(made.group_id,)], "nothing of it is created"
        assert len(at.published) == 1


async def test_repeated_commit_gets_its_first_result(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob = await at.new_device(), await at.new_device()
        made = MadeGroup(uuid4(), alice.signer)
        conversation_id = ConversationId(made.group_id)
        creation = made.commit(alice.signer, add=[await at.claim(alice, bob)])
        first = await at.groups.create(alice.device, conversation_id, creation)
        other = made.copy().commit(alice.signer)
        second = await at.commit(made, alice, made.commit(alice.signer))
        assert await at.groups.create(alice.device, conversation_id, creation) == first
        assert await at.groups.commit(alice.device, conversation_id, creation) == first
        with pytest.raises(StaleEpoch):
            await at.commit(made, alice, other)
        assert [entry.seq for entry in at.published] == [first.seq, second.seq] == [1, 2], "published once"


async def test_conversation_id_created_concurrently_is_taken_once(own_database_url: str) -> None:
    async with rig(own_database_url) as at, rig(own_database_url) as other:
        alice, bob = await at.new_device(), await at.new_device()
        taken = ConversationId(uuid4())
        results = await asyncio.gather(
            *(
                one.groups.create(
                    new_device.device, taken, MadeGroup(taken, new_device.signer).commit(new_device.signer)
                )
                for one, new_device in ((at, alice), (other, bob))
            ),
            return_exceptions=True,
        )
        assert sorted(type(result) for result in results if isinstance(result, Exception)) == [Taken]
        assert len(await at.sql("SELECT 1 FROM members")) == 1
        low, high = sorted([alice.account.id, bob.account.id])
        insert = "INSERT INTO conversations (kind, user_id_1, user_id_2) VALUES ('direct', %s, %s) RETURNING id"
        ((direct,),) = await at.sql(insert, low, high)
        with pytest.raises(Taken):
            await at.groups.create(
                alice.device, ConversationId(direct), MadeGroup(direct, alice.signer).commit(alice.signer)
            )
        with pytest.raises(NoSuchConversation):
            await at.groups.leave(alice.device, ConversationId(direct))


async def test_creation_with_an_id_taken_meanwhile_is_refused(own_database_url: str) -> None:
    """Another worker takes the id between the load and the insert."""
    async with rig(own_database_url) as at:
        alice, bob = await at.new_device(), await at.new_device()
        taken = ConversationId(uuid4())
        async with await psycopg.AsyncConnection.connect(own_database_url) as rival:
            await rival.execute("INSERT INTO conversations (id, kind) VALUES (%s, 'encrypted')", [taken])
            bundle = MadeGroup(taken, alice.signer).commit(alice.signer, add=[await at.claim(alice, bob)])
            creating = asyncio.create_task(at.groups.create(alice.device, taken, bundle))
            waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            async with asyncio.timeout(10):
                while not await at.sql(waiting):
                    await asyncio.sleep(0.01)
            await rival.commit()
        with pytest.raises(Taken):
            await creating
        assert await at.sql("SELECT 1 FROM members") == []


async def test_revoked_device_cannot_commit(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice = await at.new_device()
        phone = await at.new_device(alice.account)
        made = await at.group(alice, phone)
        await at.devices.revoke(alice.account, phone.device.id)
        assert await at.removal_due(made)
        with pytest.raises(NoDevice):
            await at.commit(made, phone, made.copy().commit(phone.signer))
        with pytest.raises(CommitNeeded):
            await at.send(made, alice)
        await at.commit(made, alice, made.commit(alice.signer))
        assert await at.removal_due(made), "only a commit that removes it clears the flag"
        await at.commit(made, alice, made.commit(alice.signer, remove=[phone.signer]))
        assert not await at.removal_due(made)
        await at.send(made, alice)


@pytest.mark.parametrize("how", ["leave", "delete the account"])
async def test_departure_of_the_last_owner_promotes_a_successor(own_database_url: str, how: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob, carol = await at.new_device(), await at.new_device(), await at.new_device()
        made = await at.group(alice, bob, carol)
        alone = await at.group(alice)
        conversation_id = ConversationId(made.group_id)
        await at.groups.set_role(alice.account, conversation_id, carol.account.id, "admin")
        if how == "leave":
            entry = await at.groups.leave(alice.device, conversation_id)
            assert entry.encrypted is not None
            assert (entry.seq, entry.encrypted.kind) == (2, "left")
            with pytest.raises(NoSuchConversation):
                await at.groups.leave(alice.device, conversation_id)
        else:
            await at.accounts.delete(alice.account.id)
            assert await at.sql("SELECT 1 FROM conversations WHERE id = %s", alone.group_id) == []
        assert await at.roles(made) == {bob.account.id: "member", carol.account.id: "owner"}
        assert await at.removal_due(made)
        assert (await at.repository.removals(carol.account, conversation_id)).due == [alice.device.id]
        assert (await at.repository.removals(alice.account, conversation_id)).due == []
        await at.commit(made, bob, made.commit(bob.signer, remove=[alice.signer], read=2))
        assert not await at.removal_due(made)


async def test_departure_of_one_of_two_owners_promotes_no_one(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob, carol = await at.new_device(), await at.new_device(), await at.new_device()
        made = await at.group(alice, bob, carol)
        await at.groups.set_role(alice.account, ConversationId(made.group_id), carol.account.id, "owner")
        await at.groups.leave(alice.device, ConversationId(made.group_id))
        assert await at.roles(made) == {bob.account.id: "member", carol.account.id: "owner"}


async def test_set_role_by_non_owners_or_for_strangers_is_refused(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob, stranger = await at.new_device(), await at.new_device(), await at.new_device()
        made = await at.group(alice, bob)
        before = await at.roles(made)
        refused: list[tuple[RegisteredDevice, RegisteredDevice, UUID, type[ChatError]]] = [
            (bob, alice, made.group_id, NotAllowed),
            (stranger, bob, made.group_id, NoSuchConversation),
            (alice, stranger, made.group_id, NoSuchUser),
            (alice, bob, uuid4(), NoSuchConversation),
        ]
        for by, member, conversation, error in refused:
            with pytest.raises(error):
                await at.groups.set_role(by.account, ConversationId(conversation), member.account.id, "admin")
        assert await at.roles(made) == before


async def test_delete_message_of_another_sender_is_refused(own_database_url: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob = await at.new_device(), await at.new_device()
        made = await at.group(alice, bob)
        conversation_id = ConversationId(made.group_id)
        id_ = (await at.send(made, bob)).client_id
        assert id_ is not None
        for by, message in ((alice, id_), (bob, "unknown")):
            with pytest.raises(NoSuchMessage):
                await at.repository.delete(by.account, conversation_id, message)
        await at.repository.delete(bob.account, conversation_id, id_)
        with pytest.raises(NoSuchMessage):
            await at.repository.delete(bob.account, conversation_id, id_)
        log = await at.repository.log(alice.device, conversation_id, Seq(0), 200)
        assert [entry.encrypted and entry.encrypted.data is None for entry in log] == [False, True]


async def test_commit_on_a_locked_conversation_is_unavailable(own_database_url: str) -> None:
    """The writer keeps its connection and commits in other conversations."""
    async with rig(own_database_url) as at:
        alice, bob = await at.new_device(), await at.new_device()
        made, other = await at.group(alice, bob), await at.group(alice)
        async with await psycopg.AsyncConnection.connect(own_database_url) as psql:
            await psql.execute("SELECT 1 FROM conversations WHERE id = %s FOR UPDATE", [made.group_id])
            with pytest.raises(Unavailable, match="locked by another program"):
                await at.commit(made, alice, made.copy().commit(alice.signer))
            await at.commit(other, alice, other.commit(alice.signer))
        await at.commit(made, alice, made.commit(alice.signer))


@pytest.mark.parametrize("how", ["leave", "delete the account"])
async def test_successor_without_admins_is_the_longest_standing(own_database_url: str, how: str) -> None:
    async with rig(own_database_url) as at:
        alice, bob, carol = await at.new_device(), await at.new_device(), await at.new_device()
        together, later = await at.group(alice, bob, carol), await at.group(alice, bob, carol)
        earlier = (
            "UPDATE members SET joined_at = joined_at - interval '1 day' WHERE conversation_id = %s AND user_id = %s"
        )
        await at.sql(earlier, later.group_id, carol.account.id)
        if how == "leave":
            for made in (together, later):
                await at.groups.leave(alice.device, ConversationId(made.group_id))
        else:
            await at.accounts.delete(alice.account.id)
        assert await at.roles(together) == {bob.account.id: "owner", carol.account.id: "member"}
        assert await at.roles(later) == {bob.account.id: "member", carol.account.id: "owner"}

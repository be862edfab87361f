"""SQL of device lists."""

from collections.abc import Callable

from chat.model.accounts import Account
from chat.model.identity import Publication, PublicationFacts, SignedDeviceList
from chat.model.ids import UserId
from store.database.locks import lock_user
from store.database.pool import Database
from store.devices import notify_devices_changed
from store.members import UPDATE_REMOVAL_DUE

GET = "SELECT public_key, device_list, signature FROM account_keys WHERE user_id = %s"
STORED = "SELECT public_key, counter, listed, omitted FROM account_keys WHERE user_id = %s"
DEVICES = "SELECT id, signature_key FROM devices WHERE user_id = %s"
# Groups with a leaf of the account, in the order of the writer's locks.
GROUPS = """
SELECT c.id FROM conversations c WHERE c.id IN (
    SELECT conversation_id FROM leaves WHERE user_id = %s AND until_seq IS NULL
) ORDER BY c.id FOR NO KEY UPDATE
"""
PUBLISH = """
INSERT INTO account_keys AS stored (user_id, public_key, counter, device_list, signature, listed)
VALUES (%(user)s, %(key)s, %(counter)s, %(list)s, %(signature)s, %(listed)s)
ON CONFLICT (user_id) DO UPDATE SET
    public_key = excluded.public_key, counter = excluded.counter, device_list = excluded.device_list,
    signature = excluded.signature, listed = excluded.listed,
    recovery = CASE WHEN stored.public_key = excluded.public_key THEN stored.recovery END,
    omitted = stored.omitted || ARRAY(SELECT key FROM unnest(stored.listed) key WHERE key <> ALL (excluded.listed))
"""
SET_RECOVERY = "UPDATE account_keys SET recovery = %s WHERE user_id = %s AND public_key = %s"
RECOVERY = "SELECT recovery FROM account_keys WHERE user_id = %s"


class DeviceLists:
    """The device lists in PostgreSQL. Implements `chat.identity.device_lists.DeviceListStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(
        self, account: Account, publication: Publication, check: Callable[[PublicationFacts], None]
    ) -> None:
        """Check and store a list in one transaction, and notify the devices of everyone in a group with the account.

        In their groups, leaves that the list omits must be removed before the next message. A commit that adds such a
        leaf at the same time is not seen: then the members' devices, which are notified, remove it.
        """
        values = {
            "user": account.id,
            "key": publication.signed.account_key,
            "counter": publication.counter,
            "list": publication.signed.device_list,
            "signature": publication.signed.signature,
            "listed": publication.listed,
        }
        async with self._database.transaction() as connection:
            groups = [row[0] for row in await (await connection.execute(GROUPS, [account.id])).fetchall()]
            await lock_user(connection, account.id)  # after the groups, as the deletion of an account
            stored = await (await connection.execute(STORED, [account.id])).fetchone()
            devices = dict(await (await connection.execute(DEVICES, [account.id])).fetchall())
            account_key, counter, listed, omitted = stored or (None, 0, [], [])
            check(PublicationFacts(account_key, counter, devices, listed, omitted))
            await connection.execute(PUBLISH, values)
            await connection.execute(UPDATE_REMOVAL_DUE, [groups])
            await notify_devices_changed(connection, account.id, account.uuid)

    async def get(self, user_id: UserId) -> SignedDeviceList | None:
        """Return the newest list of an account, or None."""
        rows = await self._database.rows(GET, [user_id])
        return SignedDeviceList(*rows[0]) if rows else None

    async def set_recovery(self, user_id: UserId, account_key: bytes, recovery: bytes) -> bool:
        """Store the encrypted account key. Return False if the account has another account key."""
        async with self._database.connection() as connection:
            return (await connection.execute(SET_RECOVERY, [recovery, user_id, account_key])).rowcount == 1

    async def recovery(self, user_id: UserId) -> bytes | None:
        """Return the encrypted account key, or None."""
        rows = await self._database.rows(RECOVERY, [user_id])
        return rows[0][0] if rows else None

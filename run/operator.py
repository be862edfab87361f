"""Accounts and invites that the operator creates, by a setting at the start or by a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import click

from chat.accounts import validation
from chat.accounts.invites import Invites
from chat.errors import ChatError
from chat.model.accounts import NewAccount, Role
from crypto.passwords import hash_password
from run.config.settings import Settings
from run.process.database import DATABASE_S
from store import accounts, invites
from store.database.pool import Database

ADMIN = "admin"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """Open a connection pool on `url`. A ChatError inside becomes click.ClickException."""
    database = Database(url, "sottovoce-operator")
    try:
        await database.open(DATABASE_S)
        yield database
    except ChatError as error:
        raise click.ClickException(str(error)) from error
    finally:
        await database.close()


async def prepare_accounts(settings: Settings, url: str) -> str | None:
    """Create the account `admin` if a password for it is set.

    Return an unused invite code if registration needs one and no account exists; otherwise None.
    """
    async with opened(url) as database:
        if settings.admin_password is not None:
            await ensure_admin(database, settings.admin_password)
        if settings.registration != "invite" or await accounts.Accounts(database).any():
            return None
        open_invites = await invites.Invites(database).open(datetime.now(UTC))
        unused = [invite for invite in open_invites if invite.created_by is None]
        return unused[0].code if unused else await create_invite(database, settings.invite_life)


async def ensure_admin(database: Database, password: str) -> None:
    """Create the account `admin` if it is missing. An existing account keeps its password and gets the role `admin`."""
    store = accounts.Accounts(database)
    if await store.credentials(username_key=ADMIN) is None:
        await create_user(database, ADMIN, password, "admin")
    else:
        await store.set_role(ADMIN, "admin")


async def create_user(database: Database, name: str, password: str, role: Role) -> None:
    """Create an account without an invite. Raises Invalid, Taken."""
    validation.password_of_operator(password)
    username = validation.username(name, reserved=True)
    account = NewAccount(username, hash_password(password, "argon2id"), role=role)
    await accounts.Accounts(database).create(account, None, datetime.now(UTC))


async def create_invite(database: Database, life: timedelta) -> str:
    """Create an invite of the operator and return its code. The limits for accounts do not apply."""
    created = await Invites(invites.Invites(database), lambda: datetime.now(UTC), life).create_as_operator()
    return created.code

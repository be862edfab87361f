"""Accounts and invites that the operator makes: at the start and by command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import click

from chat import names
from chat.errors import ChatError
from chat.invites import Invites
from chat.model import AccountChanges, Invite, NewAccount, Role
from crypto.passwords import hash_password
from run.settings import Settings
from store import invites, users
from store.database import Database

ADMIN = "admin"
DATABASE_S = 30.0


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, "sottovoce-operator")
    try:
        await database.open(DATABASE_S)
        yield database
    except ChatError as error:
        raise click.ClickException(str(error)) from error
    finally:
        await database.close()


async def prepare_accounts(settings: Settings, url: str) -> str | None:
    """The admin's account where a password for it is set; and an invite code while there is no account at all."""
    async with opened(url) as database:
        if settings.admin_password is not None:
            await ensure_admin(database, settings.admin_password)
        if await users.Users(database).any():
            return None
        unused = [invite for invite in await invites.Invites(database).open(now()) if invite.created_by is None]
        return unused[0].code if unused else await new_invite(database, settings)


async def ensure_admin(database: Database, password: str) -> None:
    """Make the account if it is missing. One that is there keeps its password: it may have been changed since."""
    store = users.Users(database)
    if await store.credentials(username_key=ADMIN) is None:
        await add_user(database, ADMIN, password, "admin")
    else:
        await store.set_role(ADMIN, "admin")


async def add_user(database: Database, name: str, password: str, role: Role) -> None:
    """Raises Invalid, Taken."""
    names.password_of_operator(password)
    account = NewAccount(names.username(name, reserved=True), hash_password(password, "argon2id"), role=role)
    await users.Users(database).create(account, None, now())


async def set_role(database: Database, name: str, role: Role) -> None:
    if not await users.Users(database).set_role(names.username_key(name), role):
        raise click.ClickException(f"there is no user {name}")


async def set_password(database: Database, name: str, password: str) -> None:
    """Ends every session of the account."""
    store = users.Users(database)
    found = await store.credentials(username_key=names.username_key(name))
    if found is None:
        raise click.ClickException(f"there is no user {name}")
    names.password_of_operator(password)
    await store.update(found.id, AccountChanges(password_hash=hash_password(password, "argon2id")), None, now())


async def delete_user(database: Database, name: str) -> None:
    """For ever, as if they had done it themselves."""
    store = users.Users(database)
    found = await store.credentials(username_key=names.username_key(name))
    if found is None:
        raise click.ClickException(f"there is no user {name}")
    await store.delete(found.id)


async def open_invites(database: Database) -> list[tuple[Invite, str]]:
    """Those that can still be used, oldest first, and who made them."""
    makers = {one.id: one.username for one in await users.Users(database).all()}
    found = await invites.Invites(database).open(now())
    return [(one, "operator" if one.created_by is None else makers[one.created_by]) for one in found]


async def new_invite(database: Database, settings: Settings) -> str:
    invite = await Invites(invites.Invites(database), now, settings.invite_life).create_as_operator()
    return invite.code

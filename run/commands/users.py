"""`sottovoce user`: manage accounts. Works while the server runs."""

from datetime import UTC, datetime

import click

from chat.accounts import validation
from chat.model.accounts import AccountChanges, Credentials, Role
from crypto.passwords import hash_password
from run.commands.database import DATABASE_SETTINGS, with_database
from run.config.settings import Settings, with_settings
from run.operator import create_user
from store.accounts import Accounts
from store.database.pool import Database

ROLES = click.Choice(["user", "tester", "admin"])


@click.group()
def user() -> None:
    """Manage accounts."""


@user.command("add")
@with_settings(*DATABASE_SETTINGS)
@click.argument("name")
@click.option("--role", type=ROLES, default="user", show_default=True)
@click.password_option()
def add(settings: Settings, name: str, role: Role, password: str) -> None:
    """Create an account."""
    with_database(settings, lambda database: create_user(database, name, password, role))
    click.echo(f"{name} can log in.")


@user.command("role")
@with_settings(*DATABASE_SETTINGS)
@click.argument("name")
@click.argument("role", type=ROLES)
def role(settings: Settings, name: str, role: Role) -> None:
    """Change the role of an account."""
    with_database(settings, lambda database: set_role(database, name, role))
    click.echo(f"{name} is now {role}.")


@user.command("passwd")
@with_settings(*DATABASE_SETTINGS)
@click.argument("name")
@click.password_option()
def passwd(settings: Settings, name: str, password: str) -> None:
    """Set a new password for an account, and end its sessions."""
    with_database(settings, lambda database: set_password(database, name, password))
    click.echo(f"{name} has a new password and is logged out everywhere.")


@user.command("list")
@with_settings(*DATABASE_SETTINGS)
def list_(settings: Settings) -> None:
    """List the accounts, oldest first: username, date of registration, role."""
    for one in with_database(settings, lambda database: Accounts(database).all()):
        click.echo(f"{one.username}  {one.created_at:%Y-%m-%d}  {one.role}")


@user.command("delete")
@with_settings(*DATABASE_SETTINGS)
@click.argument("name")
@click.confirmation_option(
    prompt="This permanently deletes the account, its devices, direct conversations and messages. Delete it?"
)
def delete(settings: Settings, name: str) -> None:
    """Delete an account permanently."""
    with_database(settings, lambda database: delete_user(database, name))
    click.echo(f"{name} is deleted.")


async def set_role(database: Database, name: str, role: Role) -> None:
    """Change the role of an account. Raises click.ClickException if there is no such account."""
    if not await Accounts(database).set_role(validation.username_key(name), role):
        raise _no_user(name)


async def set_password(database: Database, name: str, password: str) -> None:
    """Replace the password and end every session of the account.

    Raises Invalid if the password is not acceptable, click.ClickException if there is no such account.
    """
    found = await _credentials(database, name)
    validation.password_of_operator(password)
    changes = AccountChanges(password_hash=hash_password(password, "argon2id"))
    await Accounts(database).update(found.id, changes, None, datetime.now(UTC))


async def delete_user(database: Database, name: str) -> None:
    """Delete an account as its user would. Raises click.ClickException if there is no such account."""
    await Accounts(database).delete((await _credentials(database, name)).id)


async def _credentials(database: Database, name: str) -> Credentials:
    found = await Accounts(database).credentials(username_key=validation.username_key(name))
    if found is None:
        raise _no_user(name)
    return found


def _no_user(name: str) -> click.ClickException:
    return click.ClickException(f"there is no user {name}")

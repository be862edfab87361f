"""`sottovoce invite`: manage invite codes. Works while the server runs."""

from datetime import UTC, datetime

import click

from chat.model.accounts import Invite
from run.commands.database import DATABASE_SETTINGS, with_database
from run.config.settings import Settings, with_settings
from run.operator import create_invite
from store.accounts import Accounts
from store.database.pool import Database
from store.invites import Invites


@click.group()
def invite() -> None:
    """Manage invite codes."""


@invite.command("new")
@with_settings(*DATABASE_SETTINGS, "invite_days")
def new(settings: Settings) -> None:
    """Create an invite code and print it."""
    click.echo(with_database(settings, lambda database: create_invite(database, settings.invite_life)))


@invite.command("list")
@with_settings(*DATABASE_SETTINGS)
def list_(settings: Settings) -> None:
    """List the open invites, oldest first: code, expiry, creator."""
    for one, creator in with_database(settings, open_invites):
        click.echo(f"{one.code}  {one.expires_at:%Y-%m-%d %H:%M} UTC  {creator}")


@invite.command("revoke")
@with_settings(*DATABASE_SETTINGS)
@click.argument("code")
def revoke(settings: Settings, code: str) -> None:
    """Revoke an unused code."""
    if not with_database(settings, lambda database: Invites(database).revoke(code.upper(), datetime.now(UTC))):
        raise click.ClickException(f"there is no unused invite {code}")
    click.echo(f"Invite {code.upper()} revoked.")


async def open_invites(database: Database) -> list[tuple[Invite, str]]:
    """The open invites, oldest first, each with the username of its creator."""
    names = {one.id: one.username for one in await Accounts(database).all()}
    found = await Invites(database).open(datetime.now(UTC))
    return [(one, "operator" if one.created_by is None else names[one.created_by]) for one in found]

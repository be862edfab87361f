"""Sottovoce's entry point: `sottovoce serve`, or `python server.py` from a checkout."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from chat.errors import Unavailable
from chat.model import Role
from run import accounts, command_line, first_start, launch, verify_web
from run.logs import set_up_logs
from run.settings import Settings, with_settings
from run.version import VERSION
from store import invites, users
from store.database import Database
from store.embedded import CannotStart, EmbeddedPostgres
from store.migrate import migrate

T = TypeVar("T")

ROLES = click.Choice(["user", "tester", "admin"])
OF_DATABASE = ("data_dir", "database_url")


@click.group()
@click.version_option(VERSION, prog_name="sottovoce")
def main() -> None:
    """A chat server for families, teams and communities."""


@main.command()
@with_settings()
def serve(settings: Settings) -> None:
    """Run the server."""
    set_up_logs(settings.log_level)
    try:
        launch.serve(settings)
    except (CannotStart, first_start.InUse, Unavailable, OSError) as error:
        raise click.ClickException(str(error)) from error


@main.command("check-config")
@with_settings()
def check_config(settings: Settings) -> None:
    """Say what the settings come to, and start nothing."""
    for name in settings.__struct_fields__:
        click.echo(f"{name} = {_shown(name, getattr(settings, name))}")


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return "off" if name in ("port", "https_port") else "(none)"
        case bool():
            return "on" if value else "off"
        case list():
            return ",".join(value)
    return "(set)" if name in ("jwt_secret", "key_encryption_key", "admin_password", "database_url") else str(value)


@main.command("chat", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def chat(words: tuple[str, ...]) -> None:
    """Talk from the command line, where Node is there; `sottovoce chat --help` says how."""
    command_line.run(words)


@main.command("verify-web")
@with_settings("data_dir")
@click.argument("url")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust this certificate (PEM) and no other; default: what the system trusts, and the data folder's own.",
)
def verify_web_(settings: Settings, url: str, ca: Path | None) -> None:
    """Compare the web client that the server at URL serves with the one that is installed here.

    Every file is fetched, plain and packed, and must have the same SHA-256; so must the policy that binds the scripts.
    The versions have to be the same. Exits with 1 where anything differs.

    It sees what the server serves to this machine at this moment. A server that means harm can serve something else to
    somebody else, or later. Run it from where people are, and unannounced, and have others run it too.
    """
    set_up_logs("error")  # tornado's warnings are in what is said here
    try:
        server, trusted = verify_web.server_of(url), verify_web.trust(ca, settings.data_dir)
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error
    try:
        found = asyncio.run(verify_web.differences(server, trusted))
    except verify_web.Unreachable as error:
        raise click.ClickException(str(error)) from error
    for line in found:
        click.echo(line)
    if found:
        raise click.ClickException(f"{url} does not serve the web client of Sottovoce {VERSION} as it is here")
    click.echo(f"{url} serves the web client of Sottovoce {VERSION} as it is here.")


@main.command("migrate")
@with_settings(*OF_DATABASE)
def migrate_(settings: Settings) -> None:
    """Bring the database to this version's schema; `serve` does it too."""
    with _database(settings, make=True) as url:
        migrate(url)
    click.echo("The database is up to date.")


@main.group()
def user() -> None:
    """Accounts."""


@user.command("add")
@with_settings(*OF_DATABASE)
@click.argument("name")
@click.option("--role", type=ROLES, default="user", show_default=True)
@click.password_option()
def user_add(settings: Settings, name: str, role: Role, password: str) -> None:
    """Make an account."""
    _with_database(settings, lambda database: accounts.add_user(database, name, password, role))
    click.echo(f"{name} can log in.")


@user.command("role")
@with_settings(*OF_DATABASE)
@click.argument("name")
@click.argument("role", type=ROLES)
def user_role(settings: Settings, name: str, role: Role) -> None:
    """Change what an account may do."""
    _with_database(settings, lambda database: accounts.set_role(database, name, role))
    click.echo(f"{name} is {role} now.")


@user.command("passwd")
@with_settings(*OF_DATABASE)
@click.argument("name")
@click.password_option()
def user_passwd(settings: Settings, name: str, password: str) -> None:
    """Give an account a new password, and end its sessions."""
    _with_database(settings, lambda database: accounts.set_password(database, name, password))
    click.echo(f"{name} has a new password, and is logged out everywhere.")


@user.command("list")
@with_settings(*OF_DATABASE)
def user_list(settings: Settings) -> None:
    """Who has an account, the oldest first: name, since when, role."""
    for one in _with_database(settings, lambda database: users.Users(database).all()):
        click.echo(f"{one.username}  {one.created_at:%Y-%m-%d}  {one.role}")


@user.command("delete")
@with_settings(*OF_DATABASE)
@click.argument("name")
@click.confirmation_option(prompt="Devices, direct conversations and messages of this account go for ever. Delete it?")
def user_delete(settings: Settings, name: str) -> None:
    """Delete an account, for ever."""
    _with_database(settings, lambda database: accounts.delete_user(database, name))
    click.echo(f"{name} is deleted.")


@main.group()
def invite() -> None:
    """Invite codes."""


@invite.command("new")
@with_settings(*OF_DATABASE, "invite_days")
def invite_new(settings: Settings) -> None:
    """Make an invite code and print it."""
    click.echo(_with_database(settings, lambda database: accounts.new_invite(database, settings)))


@invite.command("list")
@with_settings(*OF_DATABASE)
def invite_list(settings: Settings) -> None:
    """The codes that can still be used, oldest first: code, end of its life, its maker."""
    for one, maker in _with_database(settings, accounts.open_invites):
        click.echo(f"{one.code}  {one.expires_at:%Y-%m-%d %H:%M} UTC  {maker}")


@invite.command("revoke")
@with_settings(*OF_DATABASE)
@click.argument("code")
def invite_revoke(settings: Settings, code: str) -> None:
    """Make a code unusable."""
    if not _with_database(settings, lambda database: invites.Invites(database).revoke(code.upper(), accounts.now())):
        raise click.ClickException(f"there is no unused invite {code}")
    click.echo(f"{code.upper()} lets nobody in any more.")


def _with_database(settings: Settings, action: Callable[[Database], Awaitable[T]]) -> T:
    async def run(url: str) -> T:
        async with accounts.opened(url) as database:
            return await action(database)

    with _database(settings) as url:
        migrate(url)
        return asyncio.run(run(url))


@contextmanager
def _database(settings: Settings, make: bool = False) -> Iterator[str]:
    """The database of the running server, or one that is started for this command only. `make`: also a new one."""
    set_up_logs("warning")
    if settings.database_url is not None:
        launch.wait_for(settings.database_url)
        yield settings.database_url
        return
    running = EmbeddedPostgres(settings.data_dir)
    if not (make or running.exists()):
        raise click.ClickException(
            f"there is no database in {settings.data_dir} yet; name the server's folder by SOTTOVOCE_DATA_DIR"
            " or --data-dir, or make one with `sottovoce migrate`"
        )
    if running.answers():
        yield running.url
        return
    try:
        with first_start.locked(settings.data_dir), launch.database(settings) as (url, _):
            yield url
    except (CannotStart, first_start.InUse, OSError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:] or ["serve"])

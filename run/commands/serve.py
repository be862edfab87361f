"""`sottovoce serve`, `sottovoce check-config` and `sottovoce migrate`."""

import click

from chat.errors import Unavailable
from run.commands.database import DATABASE_SETTINGS, database_url
from run.config import data_folder
from run.config.settings import Settings, with_settings
from run.logging import set_up_logs
from run.process import main
from run.process.database import bring_up_to_date
from store.database.errors import CannotStart

SECRETS = ("jwt_secret", "key_encryption_key", "admin_password", "database_url")


@click.command("serve")
@with_settings()
def serve(settings: Settings) -> None:
    """Run the server."""
    set_up_logs(settings.log_level)
    try:
        main.serve(settings)
    except (CannotStart, data_folder.InUse, Unavailable, OSError) as error:
        raise click.ClickException(str(error)) from error


@click.command("check-config")
@with_settings()
def check_config(settings: Settings) -> None:
    """Print the effective settings without starting the server."""
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
    return "(set)" if name in SECRETS else str(value)


@click.command("migrate")
@with_settings(*DATABASE_SETTINGS)
def migrate_database(settings: Settings) -> None:
    """Migrate the database to this version's schema. `serve` does the same at its start."""
    with database_url(settings, create=True) as url:
        bring_up_to_date(url)
    click.echo("The database is up to date.")

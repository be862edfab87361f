"""Database access for commands.

A command uses the database that DATABASE_URL names, or that of the running server. If no server runs, it starts the
embedded PostgreSQL, and stops it at its end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from run.config import data_folder
from run.config.settings import Settings
from run.logging import set_up_logs
from run.operator import opened
from run.process.database import bring_up_to_date, running_database, wait_for
from store.database.embedded import EmbeddedPostgres
from store.database.errors import CannotStart
from store.database.pool import Database

T = TypeVar("T")

DATABASE_SETTINGS = ("data_dir", "database_url")  # the settings that `--help` of these commands lists


def with_database(settings: Settings, action: Callable[[Database], Awaitable[T]]) -> T:
    """Migrate the database, run `action` on it and return its result. Raises click.ClickException."""

    async def run(url: str) -> T:
        async with opened(url) as database:
            return await action(database)

    with database_url(settings) as url:
        bring_up_to_date(url)
        return asyncio.run(run(url))


@contextmanager
def database_url(settings: Settings, create: bool = False) -> Iterator[str]:
    """Yield the URL of a database that answers. Raises click.ClickException.

    `create`: create a database if the data folder has none.
    """
    set_up_logs("warning")
    if settings.database_url is not None:
        wait_for(settings.database_url)
        yield settings.database_url
        return
    running = EmbeddedPostgres(settings.data_dir)
    if not (create or running.exists()):
        raise click.ClickException(
            f"there is no database in {settings.data_dir} yet; set SOTTOVOCE_DATA_DIR or --data-dir to the server's"
            " data folder, or create a database with `sottovoce migrate`"
        )
    if running.answers():
        yield running.url
        return
    try:
        with data_folder.locked(settings.data_dir), running_database(settings) as (url, _):
            yield url
    except (CannotStart, data_folder.InUse, OSError) as error:
        raise click.ClickException(str(error)) from error

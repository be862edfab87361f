"""The database of a server or a command: the embedded PostgreSQL, or the one that DATABASE_URL names."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg

from run.config.settings import Settings
from store.database.embedded import EmbeddedPostgres
from store.database.migrate import CannotMigrate, migrate
from store.database.pool import DEDICATED, POOL_MAX

log = logging.getLogger("sottovoce.process")

DATABASE_S = 30.0  # how long a start or a command waits for the database


@contextmanager
def running_database(settings: Settings) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    """Yield the URL of the database, and the embedded PostgreSQL, which runs until the context ends.

    Raises CannotStart.
    """
    if settings.database_url is not None:
        yield settings.database_url, None
        return
    # The workers' connections, and 40 for the operator's commands and psql.
    connections = settings.workers * (POOL_MAX + DEDICATED) + 40
    with EmbeddedPostgres(settings.data_dir, connections) as postgres:
        yield postgres.url, postgres


def bring_up_to_date(url: str) -> None:
    """Migrate the database and check its schema. Raises click.ClickException."""
    try:
        migrate(url)
    except CannotMigrate as error:
        raise click.ClickException(str(error)) from error


def wait_for(url: str) -> None:
    """Return when the database answers; an external one may still be starting. Raises click.ClickException."""
    deadline, is_logged = time.monotonic() + DATABASE_S, False
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.Error as error:
            if time.monotonic() > deadline:
                raise click.ClickException(f"the database does not answer: {error}") from error
            if not is_logged:
                log.warning("the database does not answer, waiting for it up to %.0f s", DATABASE_S)
                is_logged = True
            time.sleep(0.5)
        else:
            return

"""The database that a server or a command uses: the embedded one, started for as long as it is needed, or another."""

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

DATABASE_S = 30.0  # how long the start waits for a database that the operator runs


@contextmanager
def running_database(settings: Settings) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    """The URL of the database, which is started here if it is the embedded one, and stopped afterwards."""
    if settings.database_url is not None:
        yield settings.database_url, None
        return
    # Ours, those of the operator's commands, and a few for whoever looks in with psql.
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
    """A database of the operator's own may still be starting. Raises click.ClickException."""
    deadline, said = time.monotonic() + DATABASE_S, False
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.Error as error:
            if time.monotonic() > deadline:
                raise click.ClickException(f"the database does not answer: {error}") from error
            if not said:
                log.warning("the database does not answer, waiting for it up to %.0f s", DATABASE_S)
                said = True
            time.sleep(0.5)
        else:
            return

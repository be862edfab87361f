"""A real PostgreSQL in a temporary folder, and migrated databases in it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from store.database.embedded import EmbeddedPostgres
from store.database.migrate import migrate

SHARED_POSTGRES = "TEST_POSTGRES_URL"  # environment variable: that of a running one, see tests/mutants
MIGRATED = "template_migrated"


@contextmanager
def a_postgres() -> Iterator[EmbeddedPostgres]:
    """A real PostgreSQL in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="sv-") as folder, EmbeddedPostgres(Path(folder)) as server:
        yield server


def a_database(postgres_url: str, name: str) -> str:
    """Create a migrated database, and return its URL."""
    migrated_template(postgres_url)
    return empty_database(postgres_url, name, template=MIGRATED)


def migrated_template(postgres_url: str) -> None:
    """Create the database that the others are copied from, once."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [MIGRATED]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {MIGRATED}")
            migrate(postgres_url.replace("/postgres?", f"/{MIGRATED}?"))


def empty_database(postgres_url: str, name: str, template: str = "template1") -> str:
    """Create a database whose name no other process uses, and return its URL."""
    name = f"{name}_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return postgres_url.replace("/postgres?", f"/{name}?")

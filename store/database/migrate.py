"""Migrate the database to the newest schema, and refuse a database with a different schema.

Every start does this. If the schema is up to date, this takes one connection and does not import Alembic.
"""

from pathlib import Path
from typing import Any

import psycopg

from store.database.fingerprint import differences, expected, fingerprint

MIGRATIONS = Path(__file__).parent.parent.parent / "migrations"
LOCK_KEY = 0x50770  # of the advisory lock; the same in every version


class CannotMigrate(Exception):
    """The database has a schema that this version cannot use. The message is one line for the operator."""


def migrate(url: str) -> None:
    """Run the missing migrations, then check the schema. Raises CannotMigrate.

    If several servers start together, one migrates and the others wait for it.
    """
    with psycopg.connect(url) as connection:
        if _version(connection) == newest():
            _check(connection)
            return
    _upgrade(url)
    with psycopg.connect(url) as connection:
        _check(connection)


def newest() -> str:
    """Return the newest revision of this version."""
    return max(_known())


def _known() -> set[str]:
    """Return the revisions of this version. The name of each migration's file begins with its revision."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def _version(connection: psycopg.Connection[Any]) -> str | None:
    """Return the revision of the database; None if it is empty. Raises CannotMigrate."""
    row = None
    if _exists(connection, "alembic_version"):
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        if _exists(connection, "users"):
            raise CannotMigrate(
                "the database has a table `users` that Sottovoce did not make:"
                " give Sottovoce a database of its own (DATABASE_URL)"
            )
        return None
    if row[0] not in _known():
        raise CannotMigrate(
            f"the database has schema {row[0]}, and this version of Sottovoce knows none after {newest()}:"
            " install the version that was used last, or restore a backup from before that update"
        )
    return str(row[0])


def _exists(connection: psycopg.Connection[Any], table: str) -> bool:
    row = connection.execute("SELECT to_regclass(quote_ident(current_schema()) || '.' || %s)", [table]).fetchone()
    return row is not None and row[0] is not None


def _check(connection: psycopg.Connection[Any]) -> None:
    found = differences(fingerprint(connection), expected(MIGRATIONS / "fingerprint.txt"))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise CannotMigrate(
            f"the database's schema is not that of migration {newest()}: {found[0]}{more};"
            " undo what was changed by hand, or restore a backup"
        )


def _upgrade(url: str) -> None:
    # These imports take 0.5 s and 30 MB. A start without migrations avoids them.
    import sqlalchemy
    from alembic import command
    from alembic.config import Config

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
            connection.commit()  # a session lock: the commit keeps it, the end of the session releases it
            with psycopg.connect(url) as second:
                _version(second)  # a newer server may have migrated while this one waited
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except sqlalchemy.exc.DBAPIError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise CannotMigrate(f"the database could not be migrated: {reason}") from error
    finally:
        engine.dispose()

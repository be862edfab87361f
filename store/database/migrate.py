"""Brings the schema to the newest version."""

from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).parent.parent.parent / "migrations"
LOCK_KEY = 0x50770  # any number that all Sottovoce servers on one database agree on


def migrate(url: str) -> None:
    """Run what is missing; of several servers that start together, one does and the others wait for it."""
    if _version(url) != newest():
        _upgrade(url)


def newest() -> str:
    """The head: versions are numbered, and their files begin with the number."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _version(url: str) -> str | None:
    with psycopg.connect(url) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        return row[0] if row else None


def _upgrade(url: str) -> None:
    # Half a second and 30 MB, which a start that has nothing to migrate need not spend.
    import sqlalchemy
    from alembic import command
    from alembic.config import Config

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
            connection.commit()  # the lock is the session's, and goes with it
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()

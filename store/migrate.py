"""Brings the schema to the newest version."""

from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LOCK_KEY = 0x50770  # any number that all Sottovoce servers on one database agree on


def migrate(url: str) -> None:
    """Run what is missing; of several servers that start together, one does and the others wait for it."""
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

"""Where log lines go: to standard error, one a line."""

import logging


def set_up_logs(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Alembic tells of every plugin, tornado of every malformed request of a port scanner.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("tornado.general").setLevel(logging.WARNING)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # we say ourselves that the database is away

"""Where log lines go: to standard error, one a line."""

import logging


def set_up_logs(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Alembic tells of every plugin, tornado of every malformed request of a port scanner.
    for talkative in ("alembic", "tornado.general"):
        logging.getLogger(talkative).setLevel(max(logging.WARNING, logging.root.level))
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # we say ourselves that the database is away

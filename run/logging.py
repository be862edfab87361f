"""Where log lines go: to standard error, one a line."""

import logging


def set_up_logs(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Alembic tells of every plugin, tornado of every malformed request of a port scanner.
    for talkative in ("alembic", "tornado.general"):
        logging.getLogger(talkative).setLevel(max(logging.WARNING, logging.root.level))
    logging.getLogger("tornado.general").addFilter(_is_of_use)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # we say ourselves that the database is away


def _is_of_use(record: logging.LogRecord) -> bool:
    """Not that a client breaks the handshake off, as every browser does that does not trust the certificate yet."""
    return not (str(record.msg).startswith("SSL Error") and "ALERT" in str(record.args))

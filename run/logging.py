"""Configure logging: one line per event, to standard error."""

import logging


def set_up_logs(level: str) -> None:
    """Log from `level` (debug, info, warning or error) upwards."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Alembic logs every plugin, and tornado every malformed request of a port scanner.
    for verbose in ("alembic", "tornado.general"):
        logging.getLogger(verbose).setLevel(max(logging.WARNING, logging.root.level))
    logging.getLogger("tornado.general").addFilter(_is_no_tls_alert)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # the pool and the writer log a lost database themselves


def _is_no_tls_alert(record: logging.LogRecord) -> bool:
    """Reject TLS alerts of clients. A browser that does not trust the certificate sends one at each handshake."""
    return not (str(record.msg).startswith("SSL Error") and "ALERT" in str(record.args))

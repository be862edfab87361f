"""The server's TLS context, which reloads a changed certificate."""

import asyncio
import logging
import ssl
from pathlib import Path

log = logging.getLogger("sottovoce.worker")

CERTIFICATE_S = 30.0  # interval between checks


def tls_context(chain: Path, key: Path) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3 with OpenSSL's default ciphers. Raises ssl.SSLError, OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain, key)
    return context


async def reload_certificate(context: ssl.SSLContext, chain: Path, key: Path) -> None:
    """Reload the files into `context` when they change, until cancelled. Open connections are not affected."""
    loaded = _changed_at(chain, key)
    while True:
        await asyncio.sleep(CERTIFICATE_S)
        found = _changed_at(chain, key)
        if found != loaded:
            try:
                tls_context(chain, key)  # check the pair first: loading a mismatched pair would break `context`
                context.load_cert_chain(chain, key)
            except (ssl.SSLError, OSError):
                log.warning("the certificate changed but cannot be loaded yet")  # one file is still old; retry
            else:
                loaded = found
                log.info("the certificate was reloaded")


def _changed_at(*files: Path) -> tuple[float, ...]:
    try:
        return tuple(file.stat().st_mtime for file in files)
    except OSError:
        return ()

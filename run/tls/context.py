"""TLS as it is served, with the certificate of now."""

import asyncio
import logging
import ssl
from pathlib import Path

log = logging.getLogger("sottovoce.worker")

CERTIFICATE_S = 30.0


def tls_context(chain: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and 1.3, with the library's choice of ciphers. Raises ssl.SSLError, OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(chain, key)
    return context


async def reload_certificate(context: ssl.SSLContext, chain: Path, key: Path) -> None:
    """New connections get the new certificate; those that are open stay."""
    loaded = _changed_at(chain, key)
    while True:
        await asyncio.sleep(CERTIFICATE_S)
        found = _changed_at(chain, key)
        if found != loaded:
            try:
                tls_context(chain, key)  # a pair that does not match would leave the live one without any
                context.load_cert_chain(chain, key)
            except (ssl.SSLError, OSError):
                log.warning("the certificate changed and cannot be read yet")  # between two writes; we look again
            else:
                loaded = found
                log.info("the certificate was loaded anew")


def _changed_at(*files: Path) -> tuple[float, ...]:
    try:
        return tuple(file.stat().st_mtime for file in files)
    except OSError:
        return ()

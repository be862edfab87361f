"""`sottovoce verify-web`: check that a server serves the same web client as this installation."""

import asyncio
import os
import re
import ssl
import zlib
from hashlib import sha256
from pathlib import Path

import brotli
import click
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse

from handlers.static.files import FOLDER, POLICY
from handlers.static.manifest import hashes
from run.config.settings import Settings, with_settings
from run.logging import set_up_logs
from run.version import VERSION

MAX_FILE_BYTES = 32 * 1024 * 1024  # CoreCrypto, the largest file, has 8 MB
TIMEOUT_S = 60.0  # for one file
PARALLEL_REQUESTS = 4
CODINGS = ("identity", "gzip, deflate", "gzip, deflate, br, zstd")  # the last two: browsers over HTTP, and over HTTPS
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
# Headers that can make a browser load something else. The server never sends them.
REDIRECTING_HEADERS = ("Refresh", "Link", "Service-Worker-Allowed")
FETCH_ERRORS = (OSError, HTTPClientError, ValueError)  # unreachable; timed out or too large; invalid host name

_SERVER = re.compile(r"(?a)(https?://([\w.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?)/?")


class Unreachable(Exception):
    """The server does not answer, or its certificate is not trusted."""


@click.command("verify-web")
@with_settings("data_dir")
@click.argument("url")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust only this certificate (PEM). Default: the system's certificates and the data folder's local authority.",
)
def verify_web(settings: Settings, url: str, ca: Path | None) -> None:
    """Compare the web client that the server at URL serves with the one installed here.

    The command fetches every file, compressed and uncompressed, and compares its SHA-256. It also compares the
    Content-Security-Policy. Both sides must run the same version. The exit code is 1 if anything differs.

    The result covers only what the server sends to this machine now. A malicious server can send other files to other
    clients, or later. Run the command from the networks of your users, at random times, and ask others to run it too.
    """
    set_up_logs("error")  # the output below already reports what tornado would log as a warning
    try:
        server, trusted = server_of(url), trust(ca, settings.data_dir)
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error
    try:
        found = asyncio.run(differences(server, trusted))
    except Unreachable as error:
        raise click.ClickException(str(error)) from error
    for line in found:
        click.echo(line)
    if found:
        raise click.ClickException(f"{url} does not serve the web client of Sottovoce {VERSION} that is installed here")
    click.echo(f"{url} serves the web client of Sottovoce {VERSION} that is installed here.")


def server_of(url: str) -> str:
    """Return scheme and authority of `url`. Raises ValueError if it has other parts, or lacks one of these."""
    found = _SERVER.fullmatch(url)
    if found is None:
        raise ValueError("URL must be a server's address without a path, such as https://chat.example.org")
    return found[1]


def trust(ca: Path | None, data_folder: Path) -> ssl.SSLContext:
    """Return a TLS context that trusts only `ca`.

    Without `ca` it trusts the system's certificates, and the local authority in `data_folder` if it is readable.
    Raises OSError if `ca` is not a certificate.
    """
    if ca is not None:
        return ssl.create_default_context(cafile=ca)
    context = ssl.create_default_context()
    local = data_folder / "tls" / "ca.pem"
    if os.access(local, os.R_OK):
        context.load_verify_locations(local)
    return context


async def differences(server: str, context: ssl.SSLContext) -> list[str]:
    """Compare every file; return one line for each difference.

    `server` is scheme and authority. Raises Unreachable if it does not answer or is not trusted.
    """
    client = AsyncHTTPClient(force_instance=True, max_body_size=MAX_FILE_BYTES)
    turns = asyncio.Semaphore(PARALLEL_REQUESTS)

    async def fetch(address: str, coding: str) -> HTTPResponse:
        async with turns:
            return await client.fetch(
                server + address,
                raise_error=False,
                headers={"Accept-Encoding": coding, "User-Agent": BROWSER},
                decompress_response=False,
                follow_redirects=False,
                request_timeout=TIMEOUT_S,
                ssl_options=context,
            )

    async def compare(address: str, coding: str, wanted: str) -> str | None:
        try:
            found = difference(await fetch(address, coding), wanted)
        except FETCH_ERRORS as error:
            found = f"no complete answer within {MAX_FILE_BYTES} bytes ({error})"
        return f"{address} ({coding}): {found}" if found else None

    try:
        await fetch("/", "identity")
        wanted = hashes(FOLDER).items()
        found = await asyncio.gather(*(compare(address, c, digest) for address, digest in wanted for c in CODINGS))
    except FETCH_ERRORS as error:
        raise Unreachable(f"{server}: {error}") from error
    finally:
        client.close()
    return [line for line in found if line is not None]


def difference(answer: HTTPResponse, wanted: str) -> str | None:
    """Describe how `answer` differs from a file with the SHA-256 `wanted`; None if it does not."""
    if answer.code != 200:
        return f"status {answer.code}, not 200"
    policy = answer.headers.get("Content-Security-Policy", "")
    if policy != POLICY:
        return f"different Content-Security-Policy: {policy!r:.300}"
    unexpected = [name for name in REDIRECTING_HEADERS if name in answer.headers]
    if unexpected:
        return f"unexpected header {unexpected[0]}"
    try:
        body = decoded(answer.body, answer.headers.get("Content-Encoding", "identity"))
    except ValueError as error:
        return str(error)
    return None if sha256(body).hexdigest() == wanted else "different content"


def decoded(body: bytes, coding: str) -> bytes:
    """Decompress `body`. Raises ValueError if it is damaged, too large, or in a coding that the server never uses."""
    if coding == "identity":
        return body
    if coding not in ("gzip", "br"):
        raise ValueError(f"unexpected Content-Encoding {coding!r:.30}")
    try:
        plain, is_whole = _ungzip(body) if coding == "gzip" else _unbrotli(body)
    except (zlib.error, brotli.error) as error:
        raise ValueError(f"content is not valid {coding} ({error})") from error
    if not is_whole:
        raise ValueError("content is truncated, too long, or has trailing data")
    return plain


def _ungzip(body: bytes) -> tuple[bytes, bool]:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = unpacking.decompress(body, MAX_FILE_BYTES)
    return plain, unpacking.eof and not unpacking.unused_data


def _unbrotli(body: bytes) -> tuple[bytes, bool]:
    unpacking = brotli.Decompressor()
    plain = unpacking.process(body, output_buffer_limit=MAX_FILE_BYTES)
    return plain, unpacking.is_finished()

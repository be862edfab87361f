"""`sottovoce verify-web`: whether a server serves the web client that this installation has."""

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

MAX_FILE_BYTES = 32 * 1024 * 1024  # the largest file of ours, CoreCrypto, has 8 MB
TIMEOUT_S = 60.0  # for one file
AT_ONCE = 4
CODINGS = ("identity", "gzip, deflate", "gzip, deflate, br, zstd")  # as browsers ask, without TLS and with it
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
LEADING_ELSEWHERE = ("Refresh", "Link", "Service-Worker-Allowed")  # what a file of ours never comes with
NO_ANSWER = (OSError, HTTPClientError, ValueError)  # unreachable; too slow or too much; no possible name

_SERVER = re.compile(r"(?a)(https?://([\w.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?)/?")


class Unreachable(Exception):
    pass


@click.command("verify-web")
@with_settings("data_dir")
@click.argument("url")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Trust this certificate (PEM) and no other; default: what the system trusts, and the data folder's own.",
)
def verify_web(settings: Settings, url: str, ca: Path | None) -> None:
    """Compare the web client that the server at URL serves with the one that is installed here.

    Every file is fetched, plain and packed, and must have the same SHA-256; so must the policy that binds the scripts.
    The versions have to be the same. Exits with 1 where anything differs.

    It sees what the server serves to this machine at this moment. A server that means harm can serve something else to
    somebody else, or later. Run it from where people are, and unannounced, and have others run it too.
    """
    set_up_logs("error")  # tornado's warnings are in what is said here
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
        raise click.ClickException(f"{url} does not serve the web client of Sottovoce {VERSION} as it is here")
    click.echo(f"{url} serves the web client of Sottovoce {VERSION} as it is here.")


def server_of(url: str) -> str:
    """Scheme and authority. Raises ValueError where `url` says more, or less."""
    found = _SERVER.fullmatch(url)
    if found is None:
        raise ValueError("URL must be a server's address and nothing more, as https://chat.example.org")
    return found[1]


def trust(ca: Path | None, data_folder: Path) -> ssl.SSLContext:
    """`ca` and nobody else; without it what this system trusts, and the server's own authority where it can be read.

    Raises OSError where `ca` is no certificate.
    """
    if ca is not None:
        return ssl.create_default_context(cafile=ca)
    context = ssl.create_default_context()
    local = data_folder / "tls" / "ca.pem"
    if os.access(local, os.R_OK):
        context.load_verify_locations(local)
    return context


async def differences(server: str, context: ssl.SSLContext) -> list[str]:
    """A line for each. Raises Unreachable where `server` (scheme and authority) does not answer, or is not trusted."""
    client = AsyncHTTPClient(force_instance=True, max_body_size=MAX_FILE_BYTES)
    turns = asyncio.Semaphore(AT_ONCE)

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
        except NO_ANSWER as error:
            found = f"no whole answer of up to {MAX_FILE_BYTES} bytes ({error})"
        return f"{address} ({coding}): {found}" if found else None

    try:
        await fetch("/", "identity")
        wanted = hashes(FOLDER).items()
        found = await asyncio.gather(*(compare(address, c, digest) for address, digest in wanted for c in CODINGS))
    except NO_ANSWER as error:
        raise Unreachable(f"{server}: {error}") from error
    finally:
        client.close()
    return [line for line in found if line is not None]


def difference(answer: HTTPResponse, wanted: str) -> str | None:
    """Between one answer and what our server would send."""
    if answer.code != 200:
        return f"status {answer.code}, not 200"
    policy = answer.headers.get("Content-Security-Policy", "")
    if policy != POLICY:
        return f"another Content-Security-Policy: {policy!r:.300}"
    elsewhere = [name for name in LEADING_ELSEWHERE if name in answer.headers]
    if elsewhere:
        return f"a header {elsewhere[0]}"
    try:
        body = decoded(answer.body, answer.headers.get("Content-Encoding", "identity"))
    except ValueError as error:
        return str(error)
    return None if sha256(body).hexdigest() == wanted else "another content"


def decoded(body: bytes, coding: str) -> bytes:
    """Raises ValueError."""
    if coding == "identity":
        return body
    if coding not in ("gzip", "br"):
        raise ValueError(f"content in {coding!r:.30}, which ours never has")
    try:
        plain, is_whole = _ungzip(body) if coding == "gzip" else _unbrotli(body)
    except (zlib.error, brotli.error) as error:
        raise ValueError(f"content that is no {coding} ({error})") from error
    if not is_whole:
        raise ValueError("content that is cut short, too long, or followed by something else")
    return plain


def _ungzip(body: bytes) -> tuple[bytes, bool]:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    plain = unpacking.decompress(body, MAX_FILE_BYTES)
    return plain, unpacking.eof and not unpacking.unused_data


def _unbrotli(body: bytes) -> tuple[bytes, bool]:
    unpacking = brotli.Decompressor()
    plain = unpacking.process(body, output_buffer_limit=MAX_FILE_BYTES)
    return plain, unpacking.is_finished()

"""Serves the files of the web client, with a content security policy and compression."""

import gzip
import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from tornado.web import HTTPError

from handlers.http.base import Handler
from handlers.static.manifest import TYPES, file_at

FOLDER = Path(__file__).parent.parent.parent / "web"
CACHED_FILES = 256  # in memory, by file and coding; more than exist, and together below 30 MB

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",  # for CoreCrypto, which is WebAssembly
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html sottovoce",
    )
)
UNUSED = (
    "accelerometer camera display-capture geolocation gyroscope hid magnetometer microphone midi payment serial usb"
)
HEADERS = {  # for scripts too: the policy of a worker is the one in the answer with its script
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED.split()),
    "Referrer-Policy": "no-referrer",
}

_IMMUTABLE = re.compile(r"/web/vendor/.*-[0-9A-Z]{8}\.[a-z0-9]+")  # the name contains a hash of the content
_COMPRESSIBLE = ("text/", "image/svg", "application/json", "application/manifest+json")
_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


class WebHandler(Handler):
    """GET and HEAD of one file, by `/` or its path below `/web/`."""

    def set_default_headers(self) -> None:
        """Add the security headers to every answer, errors included."""
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)

    async def get(self, path: str | None = None) -> None:
        """Send a file, or 304 if the client has this version. Raises HTTPError 404.

        A file whose name contains a hash of its content is cached for a year. All others are revalidated at each use.
        """
        address = f"/{path or ''}"
        file = file_at(FOLDER, address)
        if file is None:
            raise HTTPError(404)
        body, etag, coding = content(file, accepted_codings(self.request.headers.get("Accept-Encoding", "")))
        immutable = _IMMUTABLE.fullmatch(address)
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if immutable else "no-cache")
        self.set_header("Content-Type", TYPES[file.suffix])
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Etag", etag)
        if self.check_etag_header():
            self.set_status(304)
            return
        if coding is not None:
            self.set_header("Content-Encoding", coding)
        self.set_header("Content-Length", str(len(body)))
        self.flush()  # headers alone: a write of headers and body copies the body for each slow consumer
        self.write(body)

    head = get  # tornado omits the body


def accepted_codings(header: str) -> set[str]:
    """Parse Accept-Encoding (RFC 9110 section 12.5.3). Codings with `q=0` are left out; `*` selects no coding."""
    parts = (part.split(";") for part in header.lower().split(","))
    return {coding.strip() for coding, *weights in parts if not any(map(_REFUSED.fullmatch, weights))}


def content(file: Path, accepted: set[str]) -> tuple[bytes, str, str | None]:
    """Return body, entity tag and coding. Prefers a compressed file beside `file`; compresses other text with gzip."""
    for coding, suffix in (("br", ".br"), ("gzip", ".gz")):
        compressed = file.with_name(file.name + suffix)
        if coding in accepted and compressed.is_file():
            return *_load(compressed), coding
    if "gzip" in accepted and TYPES[file.suffix].startswith(_COMPRESSIBLE):
        return *_load(file, compress=True), "gzip"
    return *_load(file), None


def _load(file: Path, compress: bool = False) -> tuple[bytes, str]:
    stat = file.stat()
    return _read(file, stat.st_mtime_ns, stat.st_size, compress)


@lru_cache(CACHED_FILES)
def _read(file: Path, _mtime_ns: int, _size: int, compress: bool) -> tuple[bytes, str]:
    """The entity tag is a hash of the content: files of two releases may have the same time and size."""
    body = file.read_bytes()
    if compress:
        body = gzip.compress(body, mtime=0)  # mtime=0: every worker process gets the same bytes
    return body, f'"{sha256(body).hexdigest()[:32]}"'

"""The web client's files, and the policy that binds what they may do."""

import gzip
import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from tornado.web import HTTPError

from handlers.http.base import Handler
from handlers.static.manifest import TYPES, file_at

FOLDER = Path(__file__).parent.parent.parent / "web"
KEPT = 256  # files in memory, in the codings that are asked for; more than there are, and below 30 MB

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
HEADERS = {  # of scripts too: a worker is bound by the policy that its own script came with
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED.split()),
    "Referrer-Policy": "no-referrer",
}

_IMMUTABLE = re.compile(r"/web/vendor/.*-[0-9A-Z]{8}\.[a-z0-9]+")  # a change of content changes the name
_PACKS_WELL = ("text/", "image/svg", "application/json", "application/manifest+json")
_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")


class WebHandler(Handler):
    def set_default_headers(self) -> None:
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)

    async def get(self, path: str | None = None) -> None:
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
        self.flush()  # together with the headers the body would be copied, once for each slow reader
        self.write(body)

    head = get  # tornado leaves the body out


def accepted_codings(header: str) -> set[str]:
    """Those of Accept-Encoding (RFC 9110 section 12.5.3), without what `q=0` refuses. `*` names none and gets none."""
    parts = (part.split(";") for part in header.lower().split(","))
    return {coding.strip() for coding, *weights in parts if not any(map(_REFUSED.fullmatch, weights))}


def content(file: Path, accepted: set[str]) -> tuple[bytes, str, str | None]:
    """Body, entity tag and coding: packed in advance where `file` has such a neighbour, else text by gzip."""
    for coding, suffix in (("br", ".br"), ("gzip", ".gz")):
        packed = file.with_name(file.name + suffix)
        if coding in accepted and packed.is_file():
            return *_load(packed), coding
    if "gzip" in accepted and TYPES[file.suffix].startswith(_PACKS_WELL):
        return *_load(file, packing=True), "gzip"
    return *_load(file), None


def _load(file: Path, packing: bool = False) -> tuple[bytes, str]:
    stat = file.stat()
    return _read(file, stat.st_mtime_ns, stat.st_size, packing)


@lru_cache(KEPT)
def _read(file: Path, _mtime_ns: int, _size: int, packing: bool) -> tuple[bytes, str]:
    """The tag is made of the content, for a file that another release brings may have the time and size of the old."""
    body = file.read_bytes()
    if packing:
        body = gzip.compress(body, mtime=0)  # every worker makes the same
    return body, f'"{sha256(body).hexdigest()[:32]}"'

"""The served files of `web/`: their addresses, types and hashes.

setup.py runs this module too, so it imports only the standard library.
"""

import json
import re
from hashlib import sha256
from pathlib import Path

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
HASHES = "hashes.json"  # setup.py writes it into the wheel

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"  # no `..`, no hidden file, no name longer than file systems allow
_SERVED = re.compile(
    rf"(app|icons|vendor|worker)/({_NAME}/){{0,9}}{_NAME}|client/(?!node/)({_NAME}/)?{_NAME}\.js"
    rf"|{_NAME}\.css|manifest\.webmanifest"
)


def page(folder: Path) -> str:
    """Return the file for `/`: the client, or a notice if its libraries are not built."""
    return "index.html" if (folder / "vendor").is_dir() else "without-client.html"


def file_at(folder: Path, address: str) -> Path | None:
    """Return the file of `folder` that is served at `address`, the path of a URL; None if there is none."""
    if address == "/":
        name = page(folder)
    elif address == "/sw.js":
        name = "sw.js"
    else:
        name = address.removeprefix("/web/")
        if name == address or not _SERVED.fullmatch(name) or name.endswith(".test.js"):
            return None
    file = folder / name
    if file.suffix not in TYPES or not file.is_file():
        return None
    return file if file.resolve().is_relative_to(folder.resolve()) else None


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every served file by address: from the wheel, or computed in a checkout."""
    packed = folder / HASHES
    if packed.is_file():
        return dict(json.loads(packed.read_text()))
    addresses = ["/", "/sw.js", *(f"/web/{file.relative_to(folder).as_posix()}" for file in folder.rglob("*"))]
    files = {address: file_at(folder, address) for address in sorted(addresses)}
    return {address: sha256(file.read_bytes()).hexdigest() for address, file in files.items() if file is not None}

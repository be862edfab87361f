"""Serving the web client: which files, content coding, caching, and the Content-Security-Policy."""

import gzip
import re
from pathlib import Path

import brotli
import httpx
import pytest

from handlers.static import files as web
from handlers.static.files import accepted_codings
from testing.raw import Raw
from testing.server import RunningServer

SCRIPT = "export const answer = 42;\n" * 100
BUNDLE = "lit-5XQZJ2AB.js"
WASM = b"\0asm\1\0\0\0" * 50
FILES = {
    "index.html": "<!doctype html><title>The client</title>",
    "sw.js": "self.onfetch = null;",
    "tokens.css": ":root {}",
    "manifest.webmanifest": "{}",
    "app/main.js": SCRIPT,
    "app/views/room.css": "main {}",
    "client/transport/api.js": SCRIPT,
    "worker/worker.js": SCRIPT,
    "icons/any.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "icons/192.png": b"\x89PNG",
    "vendor/lit.js": f'export * from "./{BUNDLE}";',
    f"vendor/{BUNDLE}": SCRIPT,
    f"vendor/{BUNDLE}.br": brotli.compress(SCRIPT.encode()),
    f"vendor/{BUNDLE}.gz": gzip.compress(SCRIPT.encode(), mtime=7),
    "vendor/core-crypto-ABCDEFGH.wasm": WASM,
    "vendor/core-crypto-ABCDEFGH.wasm.br": brotli.compress(WASM),
    "vendor/serif-0123ABCD.woff2": b"wOF2",
}
HIDDEN = {
    "package.json": "{}",
    "package-lock.json": "{}",
    "build-vendor.js": SCRIPT,
    "cli.js": SCRIPT,
    "cli/talk.js": SCRIPT,
    "without-client.html": "<title>No client</title>",
    "manifest.json": "{}",
    "client/transport/api.test.js": SCRIPT,
    "client/node/files.js": SCRIPT,
    "app/main.test.js": SCRIPT,
    "app/.hidden.js": SCRIPT,
    "app/.git/main.js": SCRIPT,
    "app/notes.md": "later",
    "app/page.html.bak": "<p>",
    "scenarios/two.test.js": SCRIPT,
    "scenarios/users.js": SCRIPT,
    "node_modules/lit/index.js": SCRIPT,
    "vendor/.built": "",
}


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small client, laid out as the build does. The server serves it during the test."""
    made = tmp_path / "web"
    write(made, FILES | HIDDEN)
    write(tmp_path, {"above.js": SCRIPT, "above.css": ":root {}"})
    monkeypatch.setattr(web, "FOLDER", made)
    return made


async def get(server: RunningServer, address: str, accept: str = "identity", **headers: str) -> httpx.Response:
    return await server.client(headers={"Accept-Encoding": accept} | headers).get(address)


ADDRESSES = {"index.html": "/", "sw.js": "/sw.js"} | {
    name: f"/web/{name}" for name in FILES if not name.endswith((".br", ".gz", "index.html", "sw.js"))
}


# Files


@pytest.mark.parametrize("name", ADDRESSES)
async def test_web_file_is_served_unchanged(server: RunningServer, folder: Path, name: str) -> None:
    answer = await get(server, ADDRESSES[name])
    assert answer.status_code == 200
    assert answer.content == (folder / name).read_bytes()
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("name", [*HIDDEN, "index.html", "sw.js", f"vendor/{BUNDLE}.br", f"vendor/{BUNDLE}.gz"])
async def test_web_file_not_for_browsers_is_404(server: RunningServer, folder: Path, name: str) -> None:
    assert (folder / name).is_file()
    assert (await get(server, f"/web/{name}")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "app",
        "app/",
        "vendor/",
        "app/nothing.js",
        "app//main.js",
        "/app/main.js",
        "./app/main.js",
        "../above.js",
        "../above.css",
        "app/../../above.js",
        "app/../app/main.js",
        "app/main.js/",
        "app/main.js/main.js",
        "app/main.js%00",
        "app/main.js%0a",
        "app%5cmain.js",
        "App/main.js",
        "%2e%2e/above.js",
        "app/%2e%2e/%2e%2e/above.js",
        "app/..%2f..%2fabove.js",
        "%2e%2e/above.css",
        "%2fetc/passwd",
        "app/" + "a/" * 9 + "main.js",
        "app/" + "a/" * 10 + "main.js",
        "app/" + "a" * 1000 + ".js",
        "app/" + "a" * 20_000 + ".js",
    ],
)
async def test_web_path_not_in_canonical_form_is_404(server: RunningServer, folder: Path, path: str) -> None:
    raw = await Raw.connect(server.http)  # an HTTP library would normalise the path
    raw.writer.write(f"GET /web/{path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
    answer = await raw.rest()
    raw.writer.close()
    assert answer.startswith(b"HTTP/1.1 404 "), answer
    assert answer.endswith(b'\r\n\r\n{"error":"Not Found"}'), answer


async def test_web_symlink_out_of_the_folder_is_404(server: RunningServer, folder: Path) -> None:
    (folder / "app/inside.js").symlink_to(folder / "app/main.js")
    (folder / "app/outside.js").symlink_to(folder.parent / "above.js")
    assert (await get(server, "/web/app/inside.js")).status_code == 200
    assert (await get(server, "/web/app/outside.js")).status_code == 404


async def test_web_checkout_files_outside_the_client_are_404(server: RunningServer) -> None:
    own = [
        "package.json",
        "cli.js",
        "cli/talk.js",
        "echo-bot.js",
        "scenarios/users.js",
        "client/node/files.js",
        "client/content/content.test.js",
    ]
    for name in own:
        assert (web.FOLDER / name).is_file(), name
        assert (await get(server, f"/web/{name}")).status_code == 404, name
    assert (await get(server, "/web/client/transport/api.js")).status_code == 200


# Headers


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("sw.js", "text/javascript; charset=utf-8"),
        ("app/main.js", "text/javascript; charset=utf-8"),
        ("tokens.css", "text/css; charset=utf-8"),
        ("icons/any.svg", "image/svg+xml"),
        ("icons/192.png", "image/png"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("vendor/core-crypto-ABCDEFGH.wasm", "application/wasm"),
        ("vendor/serif-0123ABCD.woff2", "font/woff2"),
    ],
)
async def test_web_content_type_is_independent_of_the_coding(
    server: RunningServer, folder: Path, name: str, kind: str
) -> None:
    for accept in ("identity", "gzip", "br, gzip"):
        assert (await get(server, ADDRESSES[name], accept)).headers["Content-Type"] == kind


@pytest.mark.parametrize(
    ("name", "accept", "coding"),
    [
        pytest.param(f"vendor/{BUNDLE}", "gzip, deflate, br, zstd", "br", id="browser default"),
        pytest.param(f"vendor/{BUNDLE}", "gzip, br;q=0", "gzip", id="brotli refused"),
        pytest.param(f"vendor/{BUNDLE}", "br;q=0.0 , gzip; q=0", None, id="both refused"),
        pytest.param(f"vendor/{BUNDLE}", "*", None, id="anything"),
        pytest.param(f"vendor/{BUNDLE}", "", None, id="empty header"),
        pytest.param("vendor/core-crypto-ABCDEFGH.wasm", "br", "br", id="wasm precompressed"),
        pytest.param("vendor/core-crypto-ABCDEFGH.wasm", "gzip", None, id="wasm without a gzip variant"),
        pytest.param("app/main.js", "br, gzip", "gzip", id="own script"),
        pytest.param("icons/192.png", "br, gzip", None, id="a picture"),
    ],
)
async def test_web_content_coding_is_the_best_accepted_one(
    server: RunningServer, folder: Path, name: str, accept: str, coding: str | None
) -> None:
    client = server.client(headers={"Accept-Encoding": accept})
    async with client.stream("GET", ADDRESSES[name]) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("Content-Encoding") == coding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Length"] == str(len(body))
    plain = (folder / name).read_bytes()
    assert {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding](body) == plain
    if name == f"vendor/{BUNDLE}" and coding == "gzip":
        assert body == (folder / f"{name}.gz").read_bytes(), "the precompressed variant is used"


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", {""}),
        ("gzip", {"gzip"}),
        ("GZip;Q=0.001,BR", {"gzip", "br"}),
        ("gzip;q=0, br;q=0.000, zstd;q=1", {"zstd"}),
        ("gzip ; q = 0", set()),
        (",;q=0,=,;", {"", "="}),
    ],
)
def test_accept_encoding_gives_the_accepted_codings(header: str, codings: set[str]) -> None:
    assert accepted_codings(header) == codings


@pytest.mark.parametrize("name", ADDRESSES)
async def test_web_cache_is_permanent_for_hashed_names_only(server: RunningServer, folder: Path, name: str) -> None:
    is_permanent = bool(re.search(r"-[0-9A-Z]{8}\.", name))
    kept = (await get(server, ADDRESSES[name])).headers["Cache-Control"]
    assert kept == ("public, max-age=31536000, immutable" if is_permanent else "no-cache")


@pytest.mark.parametrize("accept", ["identity", "gzip", "br"])
async def test_web_unchanged_file_is_304(server: RunningServer, folder: Path, accept: str) -> None:
    for address in ("/", f"/web/vendor/{BUNDLE}"):
        first = await get(server, address, accept)
        again = await get(server, address, accept, **{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "Content-Security-Policy"):
            assert again.headers[name] == first.headers[name]


async def test_web_etag_differs_by_coding(server: RunningServer, folder: Path) -> None:
    answers = [await get(server, f"/web/vendor/{BUNDLE}", accept) for accept in ("identity", "gzip", "br")]
    assert len({answer.headers["ETag"] for answer in answers}) == 3


async def test_web_changed_file_is_sent(server: RunningServer, folder: Path) -> None:
    for accept in ("identity", "gzip"):
        (folder / "app/main.js").write_text("old")
        old = await get(server, "/web/app/main.js", accept)
        (folder / "app/main.js").write_text("new")
        new = await get(server, "/web/app/main.js", accept, **{"If-None-Match": old.headers["ETag"]})
        assert (old.text, new.text) == ("old", "new")


async def test_web_head_equals_get_without_the_body(server: RunningServer, folder: Path) -> None:
    for accept in ("identity", "gzip", "br"):
        client = server.client(headers={"Accept-Encoding": accept})
        async with client.stream("GET", f"/web/vendor/{BUNDLE}") as full:
            pass
        head = await client.head(f"/web/vendor/{BUNDLE}")
        full.headers.pop("Date")
        head.headers.pop("Date")
        assert (head.status_code, head.headers, head.content) == (200, full.headers, b"")


async def test_web_put_is_405(server: RunningServer, folder: Path) -> None:
    answer = await server.client().put("/web/app/main.js", content=b"mine")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


# Policy


@pytest.mark.parametrize("address", [*ADDRESSES.values(), "/web/nothing.js"])
async def test_web_every_response_has_the_content_security_policy(
    server: RunningServer, folder: Path, address: str
) -> None:
    headers = (await get(server, address)).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert "'unsafe-eval'" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "microphone=()" in headers["Permissions-Policy"].split(", ")


# Without a client


async def test_web_without_client_explains_how_to_build_it(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("without-client.html", "without-client.css"):
        write(tmp_path, {name: (web.FOLDER / name).read_bytes()})
    monkeypatch.setattr(web, "FOLDER", tmp_path)
    answer = await get(server, "/")
    assert answer.status_code == 200
    for word in ("server runs", "/api/", "/messages", "/v2/", "Node 20", "make web", "the wheel"):
        assert word in answer.text
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)">', answer.text)
    assert [(await get(server, style)).status_code for style in styles] == [200]
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert (await get(server, "/sw.js")).status_code == 404

"""`sottovoce verify-web`: its report on a server that serves the installed client, and on others."""

import asyncio
import gzip
import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import brotli
import pytest
from click.testing import CliRunner, Result
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from handlers.static import files as web
from handlers.static import manifest as web_files
from handlers.static.files import POLICY
from run.commands import verify_web
from server import main
from testing.server import NO_TLS, RunningServer
from testing.tree import ROOT

SCRIPT = b"export const answer = 42;\n" * 100
FILES = {
    "index.html": b"<!doctype html><title>The client</title>",
    "sw.js": b"self.onfetch = null;",
    "app/main.js": SCRIPT,
    "client/transport/api.test.js": SCRIPT,
    "vendor/lit-5XQZJ2AB.js": SCRIPT,
    "vendor/lit-5XQZJ2AB.js.gz": gzip.compress(SCRIPT, mtime=7),
    "vendor/lit-5XQZJ2AB.js.br": brotli.compress(SCRIPT),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client as in a wheel. A test's changes affect the server only, because the hashes are stored."""
    made = tmp_path / "web"
    for name, content in FILES.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(content)
    (made / web_files.HASHES).write_text(json.dumps(web_files.hashes(made)))
    monkeypatch.setattr(web, "FOLDER", made)
    monkeypatch.setattr(verify_web, "FOLDER", made)
    return made


async def differences_of(server: RunningServer) -> list[str]:
    return await verify_web.differences(server.http, NO_TLS)


async def command(*words: str) -> Result:
    """Run `verify-web` in a thread, because the server runs in this event loop."""
    with patch("run.commands.verify_web.set_up_logs"):  # pytest captures the log
        return await asyncio.to_thread(CliRunner().invoke, main, ["verify-web", *words])


# Equal clients


async def test_verify_web_of_an_equal_server_succeeds(server: RunningServer, folder: Path) -> None:
    answer = await command(f"{server.http}/")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout.startswith(f"{server.http}/ serves the web client of Sottovoce ")


async def test_verify_web_in_a_checkout_compares_its_files(server: RunningServer) -> None:
    assert not (web.FOLDER / web_files.HASHES).exists(), "this is a checkout"
    assert await differences_of(server) == []


def test_verify_web_compares_every_served_file(folder: Path) -> None:
    assert set(web_files.hashes(folder)) == {"/", "/sw.js", "/web/app/main.js", "/web/vendor/lit-5XQZJ2AB.js"}


# Different clients


async def test_verify_web_names_every_different_file(server: RunningServer, folder: Path) -> None:
    (folder / "index.html").write_text("<!doctype html><script src=/web/app/other.js></script>")
    (folder / "app/main.js").write_bytes(SCRIPT + b"fetch('/steal');")
    answer = await command(server.http)
    assert answer.exit_code == 1
    assert sorted(answer.stdout.splitlines()) == [
        f"{path} ({coding}): different content"
        for path in ("/", "/web/app/main.js")
        for coding in ("gzip, deflate", "gzip, deflate, br, zstd", "identity")
    ]
    assert answer.stderr.startswith(f"Error: {server.http} does not serve the web client of Sottovoce ")


@pytest.mark.parametrize(
    ("suffix", "pack", "asked", "of_more"),
    [
        ("gz", gzip.compress, "gzip, deflate", "trailing data"),
        ("br", brotli.compress, "gzip, deflate, br, zstd", "content is not valid br"),
    ],
    ids=["gzip", "brotli"],
)
async def test_verify_web_compares_compressed_variants(
    server: RunningServer, folder: Path, suffix: str, pack: Callable[[bytes], bytes], asked: str, of_more: str
) -> None:
    for packed, said in [
        (pack(b"other"), "different content"),
        (pack(SCRIPT)[:-4], "truncated"),
        (pack(SCRIPT) + b"more", of_more),
        (SCRIPT, "content is not valid"),
    ]:
        (folder / f"vendor/lit-5XQZJ2AB.js.{suffix}").write_bytes(packed)
        (line,) = await differences_of(server)
        assert line.startswith(f"/web/vendor/lit-5XQZJ2AB.js ({asked}): ")
        assert said in line


async def test_verify_web_names_a_missing_file(server: RunningServer, folder: Path) -> None:
    (folder / "sw.js").unlink()
    assert await differences_of(server) == [f"/sw.js ({coding}): status 404, not 200" for coding in verify_web.CODINGS]


async def test_verify_web_of_a_server_without_client_differs(server: RunningServer, folder: Path) -> None:
    (folder / "vendor").rename(folder / "elsewhere")
    (folder / "without-client.html").write_text("<title>No client</title>")
    assert "/ (identity): different content" in await differences_of(server)


async def test_verify_web_stops_at_the_file_size_limit(
    server: RunningServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_web, "MAX_FILE_BYTES", 10_000)
    (folder / "app/main.js").write_bytes(b"a" * 10_001)  # short when compressed
    plain, packed, _ = await differences_of(server)
    assert plain.startswith("/web/app/main.js (identity): no complete answer within 10000 bytes (")
    assert packed.startswith("/web/app/main.js (gzip, deflate): content is truncated, too long")


# Other servers

Answer = Callable[[RequestHandler], None]


@pytest.fixture
def other_server(io_loop: object) -> Iterator[Callable[[Answer], str]]:
    """Start a server with one response to every request; return its address."""
    servers: list[HTTPServer] = []

    def open_(answer: Answer) -> str:
        class Handler(RequestHandler):
            def get(self) -> None:
                answer(self)

        socket, port = bind_unused_port()
        servers.append(HTTPServer(Application([(".*", Handler)], log_function=lambda _: None)))
        servers[-1].add_sockets([socket])
        return f"http://127.0.0.1:{port}"

    yield open_
    for server in servers:
        server.stop()


def redirects(handler: RequestHandler) -> None:
    handler.redirect("https://example.org/")


def is_lax(handler: RequestHandler) -> None:
    handler.set_header("Content-Security-Policy", POLICY.replace("script-src 'self'", "script-src *"))
    handler.finish(SCRIPT)


def has_no_policy(handler: RequestHandler) -> None:
    handler.finish(SCRIPT)


def packs_unasked(handler: RequestHandler) -> None:
    handler.set_header("Content-Security-Policy", POLICY)
    handler.set_header("Content-Encoding", "zstd")
    handler.finish(SCRIPT)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (redirects, "status 302, not 200"),
        (is_lax, "different Content-Security-Policy: \"default-src 'none'; script-src * "),
        (has_no_policy, "different Content-Security-Policy: ''"),
        (packs_unasked, "unexpected Content-Encoding 'zstd'"),
    ],
)
async def test_verify_web_names_unexpected_responses(
    folder: Path, other_server: Callable[[Answer], str], answer: Answer, said: str
) -> None:
    lines = await verify_web.differences(other_server(answer), NO_TLS)
    assert len(lines) == len(verify_web.CODINGS) * len(web_files.hashes(folder))
    assert all(f"): {said}" in line for line in lines)


# Certificates


@pytest.mark.logs("^SSL Error")
async def test_verify_web_trusts_the_given_authority(server: RunningServer, folder: Path, tmp_path: Path) -> None:
    nowhere = ("--data-dir", str(tmp_path / "nowhere"))
    refused = await command(server.https, *nowhere)
    assert refused.exit_code == 1
    assert "certificate verify failed" in refused.stderr
    assert refused.stdout == ""
    assert (await command(server.https, *nowhere, "--ca", str(server.authority))).exit_code == 0


async def test_verify_web_trusts_the_authority_of_the_data_folder(server: RunningServer, folder: Path) -> None:
    assert server.authority.parts[-2:] == ("tls", "ca.pem")
    assert (await command(server.https, "--data-dir", str(server.authority.parent.parent))).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["https://127.0.0.1:1"], "Connection refused"),
        (["ftp://127.0.0.1"], "URL must be a server's address"),
        (["127.0.0.1"], "URL must be a server's address"),
        (["https://127.0.0.1/chat"], "URL must be a server's address"),
        (["https://127.0.0.1:port"], "URL must be a server's address"),
        (["https://kim:secret@127.0.0.1"], "URL must be a server's address"),
        (["https://a..b"], "https://a..b: "),
        (["https://127.0.0.1", "--ca", __file__], "no certificate"),
    ],
)
async def test_verify_web_without_result_reports_one_line(words: list[str], said: str) -> None:
    answer = await command(*words)
    assert answer.exit_code in (1, 2)
    assert said in answer.stderr.splitlines()[-1]
    assert answer.stdout == ""


def test_verify_web_help_states_its_limits() -> None:
    help_text = " ".join(CliRunner().invoke(main, ["verify-web", "--help"]).stdout.split())
    assert "A malicious server can send other files to other clients, or later." in help_text


# The wheel


def test_wheel_has_every_web_file_and_its_hash(tmp_path: Path) -> None:
    stale = tmp_path / "lib/web/vendor/old-AAAAAAAA.js"
    stale.parent.mkdir(parents=True)
    stale.write_text("an earlier build")
    build = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(tmp_path / "lib")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    packed = tmp_path / "lib/web"
    hashes = json.loads((packed / "hashes.json").read_text())
    assert hashes == web_files.hashes(web.FOLDER)
    assert {"/", "/web/client/transport/api.js"} <= set(hashes)
    for address, digest in hashes.items():
        file = web_files.file_at(packed, address)
        assert file is not None, address
        assert web_files.sha256(file.read_bytes()).hexdigest() == digest
    assert not stale.exists()


def test_web_manifest_runs_without_libraries() -> None:
    """setup.py runs it before any library is installed."""
    imported = subprocess.run(
        [sys.executable, "-S", "-I", "handlers/static/manifest.py"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert imported.returncode == 0, imported.stderr
    assert "hashes" in runpy.run_path(str(ROOT / "handlers/static/manifest.py"))

"""The examples of the documents, run against a real server."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from testing.process import Server, running
from testing.tree import ROOT

pytestmark = pytest.mark.once

FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}\S.*\n(?:^ {4,}\S.*\n|^\n(?= {4}\S))*)", re.MULTILINE)
PASSWORD = "Secret1pass"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(Server(tmp_path_factory.mktemp("walks") / "data")) as one:
        yield one


def here(text: str, server: Server) -> str:
    """The text with this server's port and the installed command."""
    text = text.replace("127.0.0.1:2607", f"127.0.0.1:{server.port}")
    return re.sub(r"(?:\.venv/bin/)?sottovoce (?=invite)", f"{sys.executable} {ROOT / 'server.py'} ", text)


def shell_of(document: str, server: Server) -> list[str]:
    text = FENCED.sub("", (ROOT / "docs" / document).read_text())
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in INDENTED.findall(here(text, server))]


def programs_of(document: str, server: Server) -> list[str]:
    found = FENCED.findall((ROOT / "docs" / document).read_text())
    return [here(program, server) for language, program in found if language == "python"]


def run(script: str, folder: Path, server: Server) -> str:
    assert shutil.which("curl"), "curl is needed to run the examples"
    python = f'python() {{ "{sys.executable}" "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", python + script],
        cwd=folder,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def program(text: str, *words: str, folder: Path) -> Iterator[None]:
    (folder / "bot.py").write_text(text)
    with subprocess.Popen([sys.executable, "bot.py", *words], cwd=folder, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        try:
            yield
        except AssertionError as error:
            if process.poll() is not None:
                raise AssertionError(f"the program ended: {process.stderr.read().decode()}") from error
            raise
        finally:
            process.kill()


@contextmanager
def person(server: Server, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, timeout=60) as client:
        token = client.post("/v2/accounts", json={"username": name, "password": PASSWORD}).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def answer_to(text: str, client: httpx.Client, name: str, nth: int) -> str:
    """Send `text` to the user `name`, and return what comes back."""
    user = client.get(f"/v2/users/{name}").raise_for_status().json()["id"]
    path = f"/v2/direct/{user}/messages"
    client.post(path, json={"id": f"{nth:032x}", "text": text}).raise_for_status()
    messages = eventually(lambda: [one for one in client.get(path).json() if one["sender"] == user])
    return str(messages[-1]["text"])


def eventually(read: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 120
    while not (found := read()):
        assert time.monotonic() < deadline, "no response"
        time.sleep(0.1)
    return found


def ends_with_fields_of(shown: str, said: str) -> bool:
    """Whether the last answer has the fields of the one that the document shows, in their order."""
    expected, found = (re.findall(r'"(\w+)":', text) for text in (shown, said))
    return len(expected) > 3 and found[-len(expected) :] == expected


def test_first_conversation_reaches_both_users_over_both_apis(server: Server, tmp_path: Path) -> None:
    meet, _talk, history, invites, register, *_ = shell_of("first-conversation.md", server)
    (talk,) = programs_of("first-conversation.md", server)
    (tmp_path / "talk.py").write_text(talk)
    both = """
        mkfifo typed_by_alice typed_by_bob
        python -u talk.py alice $CHAT < typed_by_alice > at_alice &
        python -u talk.py bob $CHAT < typed_by_bob > at_bob &
        exec 3> typed_by_alice 4> typed_by_bob
        until grep -q knock at_alice; do echo knock >&4; sleep 0.5; done  # until both are connected
        echo 'hi from alice' >&3
        echo 'hi from bob' >&4
        until grep -q 'hi from bob' at_alice && grep -q 'hi from alice' at_bob; do sleep 0.1; done
        exec 3>&- 4>&-
        wait
    """
    said = run(meet + both + history + invites + register, tmp_path, server)
    assert "> hi from bob" in (tmp_path / "at_alice").read_text()
    assert "> hi from alice" in (tmp_path / "at_bob").read_text()
    assert said.count('"content":"hi from alice"') == 1
    assert '"message":"hello from the invites API"' in said
    assert said.rstrip().endswith("}")
    assert '{"user_id":' in said


def test_example_of_the_codes_api_answers_as_shown(server: Server, tmp_path: Path) -> None:
    meet, send, answer, *_ = shell_of("codes-api.md", server)
    (tmp_path / "send.py").write_text(programs_of("codes-api.md", server)[0])
    first, second, history = send.splitlines(keepends=True)
    stored = f'until {history.rstrip()} | grep -q \'"content":"%s"\'; do sleep 0.1; done\n'
    said = run(meet + first + stored % "Tea at five?" + second + stored % "Gladly" + history, tmp_path, server)
    assert ends_with_fields_of(answer, said)
    assert '"content":"Gladly","userSent":"lee"' in said


def test_example_of_the_invites_api_answers_as_shown(server: Server, tmp_path: Path) -> None:
    example, answer, *_ = shell_of("invites-api.md", server)
    with person(server, "receiver"):
        first = httpx.get(f"{server.address}/username/1")
    assert first.status_code == 200, "the example writes to the account with the id 1"
    said = run(example.replace("carol", "dora"), tmp_path, server)
    assert '"message":"Tea at five?"' in said
    assert ends_with_fields_of(answer, said)


def test_bot_of_the_codes_api_answers(server: Server, tmp_path: Path) -> None:
    bot, _ = programs_of("writing-a-client.md", server)
    with person(server, "asks_codes") as client:
        code = client.post("/v2/codes").json()["code"]
        with program(bot, str(code), folder=tmp_path):
            eventually(lambda: [one for one in client.get("/v2/direct").json() if one["user"]["username"] == "echobot"])
            time.sleep(1)  # until its WebSocket is open; it ignores earlier messages
            assert answer_to("hello", client, "echobot", 1) == "You wrote: hello"


def test_bot_of_the_invites_api_answers(server: Server, tmp_path: Path) -> None:
    _, bot = programs_of("writing-a-client.md", server)
    with (
        person(server, "pollbot"),
        person(server, "asks_invites") as client,
        program(bot, "pollbot", PASSWORD, folder=tmp_path),
    ):
        assert answer_to("hello", client, "pollbot", 2) == "You wrote: hello"

"""Find words and phrases that the project has retired: `python -m tests.retired_words [FILE …]`.

Markdown is read without its code. Of Python and JavaScript only prose is read: comments, docstrings and texts. A line
of docs/GLOSSARY.md that says `formerly` may use a retired word.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

# The files that are checked. A folder is added here once it is rewritten: "chat/**/*.py", "web/app/**/*.js", …
PATHS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/**/*.md",
    ".github/**/*.md",
    "deploy/**/*",
    "Makefile",
    "tox.ini",
    "pyproject.toml",
    "server.py",
    "setup.py",
    "bench/*.py",
    "crypto/**/*.py",
    "run/**/*.py",
    "store/*.py",
    "store/*/*.py",
    "testing/*.py",
    "chat/accounts/**/*.py",
    "chat/delivery/**/*.py",
    "chat/direct/**/*.py",
    "chat/mls/*.py",
    "chat/model/*.py",
    "chat/*.py",
    "handlers/**/*.py",
    "migrations/versions/0004*.sql",
    "web/*.js",
    "web/app/**/*.js",
    "web/client/**/*.js",
    "web/worker/**/*.js",
    "web/scenarios/**/*.js",
    "tests/*.py",
    "tests/v2/*.py",
    "tests/mls/*.py",
    "tests/processes/*.py",
    "tests/faults/*.py",
)

# A pattern, and the words to use instead.
RETIRED = {
    # One word, one meaning
    r"houses?": "server, TestServer",
    r"doors?": "API, endpoint",
    r"(?<!')seal(?:ed|s|ing)?(?!')": "the v2 API; an encrypted conversation; a wrapped key",
    r"plays": "scenarios",
    r"cast": "users",
    r"doorbells?|rings? (?:at|each other|the others|others)": "notification, notify",
    r"injur(?:y|ies|e|es|ed)": "fault, fault injection",
    r"the line (?:is|was) (?:cut|lost)|los(?:es|e|t|ing) (?:their|its|the|your) line|cuts? the line": "the connection",
    r"over another line": "through another channel",
    r"goodbyes?": "close frame",
    r"newcomers?": "new member, new user",
    r"doings|intents": "actions",
    r"unsay|unsaid": "delete for everyone",
    r"stays of|a stay|its stays": "membership",
    r"heed(?:s|ed)?": "obey, use, accept",
    # Oblique sentences
    r"anew": "again",
    r"somebody(?:'s)?": "someone, or the actor: a member, a user, a client",
    r"who(?:m|so)?ever": "an actor: anyone who, the operator",
    r"one's own|of one's|oneself": "your own, the account's own",
    r"by itself|by themselves": "automatically, on its own",
    r"for ever": "permanently",
    r"(?:is|was|are|were|been) told|told (?:to|at|what|of)|tells? of": "notified, sent; it contains",
    r"what (?:was|is) (?:said|told|compared|written|held|meant|served)": "the message, the content, the verified key",
    r"(?:was|is|are|were|be|been) said": "a message was sent",
    r"taken? back|take[sn]? it back": "revoke, undo",
    r"lets? (?:nobody|somebody|people) in": "registration is closed, open",
    r"look(?:s|ed)? again": "resync",
    r"word for it": "name",
    r"without manners|out of patience|patience": "slow, faulty; timeout",
    r"as the system": "match system",
    r"from device to device": "end-to-end encrypted",
    r"reads along": "an unknown participant",
    r"takes nobody": "registration is closed",
    r"i am new": "sign up",
    r"(?:do|does) not belong together": "wrong username or password",
    r"do not answer|answer to (?:you|\{)": "cancel reply, reply",
}
_SPACE = r"\s+(?:\*\s+)?"  # a phrase may go on in the next line, also of a JSDoc comment
_RETIRED = re.compile(
    "|".join(rf"(?P<w{at}>\b(?:{words.replace(' ', _SPACE)})\b)" for at, words in enumerate(RETIRED)), re.IGNORECASE
)
_INSTEAD = list(RETIRED.values())


class Found(NamedTuple):
    file: str
    line: int
    words: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.words!r}; better: {self.instead}"


def files(paths: tuple[str, ...] = PATHS) -> list[Path]:
    """The files that `paths` name, without this one and its test, which have to contain the words."""
    own = {Path(__file__), ROOT / "tests" / "test_language.py"}
    return sorted({file for path in paths for file in ROOT.glob(path) if file.is_file()} - own)


def retired_in(name: str, text: str) -> list[Found]:
    """Retired words in the prose of `text`; `name` decides by its suffix how it is read, and stands in the result."""
    found = []
    for first_line, prose in _PROSE.get(Path(name).suffix, _whole)(text):
        for hit in _RETIRED.finditer(prose):
            assert hit.lastgroup is not None
            line = first_line + prose.count("\n", 0, hit.start())
            if not ("GLOSSARY" in name and "formerly" in _line_around(prose, hit.start()).lower()):
                found.append(Found(name, line, hit[0], _INSTEAD[int(hit.lastgroup[1:])]))
    return found


def _line_around(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]


# Each reader yields the line where a piece of prose begins, and the prose with its lines kept.


def _whole(text: str) -> Iterator[tuple[int, str]]:
    yield 1, text


_CODE = re.compile(r"^ *```.*?^ *```|^(?: {4}|\t)[^\n]*|`[^`\n]+`|\]\([^)\s]*\)", re.MULTILINE | re.DOTALL)


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    yield 1, _CODE.sub(lambda code: re.sub(r"[^\n]", "\N{MIDDLE DOT}", code[0]), text)


def _python(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


_JAVASCRIPT = re.compile(
    r"""/\*.*?\*/|(?<!:)//[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`""", re.DOTALL
)


def _javascript(text: str) -> Iterator[tuple[int, str]]:
    for prose in _JAVASCRIPT.finditer(text):
        if " " in prose[0]:
            yield text.count("\n", 0, prose.start()) + 1, prose[0]


_PROSE = {".md": _markdown, ".py": _python, ".js": _javascript}


def main(names: list[str]) -> int:
    chosen = [Path(name).resolve() for name in names] or files()
    found = [one for file in chosen for one in retired_in(str(file.relative_to(ROOT)), file.read_text())]
    for one in found:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

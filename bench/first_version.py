"""The database design of the first version, measured with pgbench: one INSERT per message, and a row trigger."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from store.database.embedded import EmbeddedPostgres, binaries

SCHEMA = """
CREATE TABLE conversations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), number int UNIQUE);
INSERT INTO conversations (number) SELECT generate_series(1, 32);
CREATE TABLE messages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    conversation_id uuid NOT NULL REFERENCES conversations,
    user_sent_id bigint NOT NULL,
    content text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON messages (conversation_id, sent_at);
CREATE FUNCTION notify_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('conversation_' || NEW.conversation_id,
                      json_build_object('user_id', NEW.user_sent_id, 'content', NEW.content)::text);
    RETURN NEW;
END $$;
CREATE TRIGGER notify AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION notify_conversation();
"""

SCRIPT = """
\\set number random(1, 32)
INSERT INTO messages (conversation_id, user_sent_id, content)
SELECT id, 1, repeat('m', 70) FROM conversations WHERE number = :number;
"""


@contextmanager
def database() -> Iterator[str]:
    """Run PostgreSQL with the same settings, and this schema only; yield its URL."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-bench-") as folder, EmbeddedPostgres(Path(folder)) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(SCHEMA)
        yield server.url


def ceiling(url: str, clients: int, seconds: float) -> float:
    """Return the number of messages per second that `clients` connections insert."""
    host = parse_qs(urlsplit(url).query)["host"][0]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "insert.sql"
        script.write_text(SCRIPT)
        options = [
            "-n",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            "1",
            "-T",
            str(max(1, round(seconds))),
            "-f",
            script,
        ]
        done = subprocess.run(
            [binaries() / "pgbench", *options, "-h", host, "-U", "postgres", "postgres"],
            env={"PATH": os.defpath},
            check=True,
            capture_output=True,
            text=True,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])

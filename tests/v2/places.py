"""Everything that a server stores, to search it for plaintext."""

import psycopg

from store.database.embedded import EmbeddedPostgres
from testing.process import Server


def messages(server: Server) -> int:
    """The number of stored encrypted messages."""
    with psycopg.connect(EmbeddedPostgres(server.data).url) as connection:
        row = connection.execute("SELECT count(*) FROM messages WHERE data IS NOT NULL").fetchone()
        return int(row[0]) if row else 0


def all_places(server: Server) -> dict[str, bytes]:
    """Every table, every file of the data folder, and the log."""
    dump = b""
    with psycopg.connect(EmbeddedPostgres(server.data).url) as connection:
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            with connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)") as rows:
                dump += b"".join(bytes(row) for row in rows)
    files = {str(file): file.read_bytes() for file in server.data.rglob("*") if file.is_file()}
    return {"the database": dump, "the log": server.said().encode()} | files


def found(places: dict[str, bytes], words: list[bytes]) -> list[tuple[str, bytes]]:
    return [(place, word) for place, content in places.items() for word in words if word in content]

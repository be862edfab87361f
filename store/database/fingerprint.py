"""Describe a schema as lines of text, and compare it with the schema that this version needs.

`migrations/fingerprint.txt` holds the lines of the newest migration's schema; a test compares them. The lines are the
same on PostgreSQL 14 to 18. They do not depend on the order of columns, which differs between old and new data folders.

The first word of a line is the relation or function that it belongs to. It decides which additions are allowed:

- Other tables, views and functions are ignored in every schema, because extensions create theirs in `public`.
- A non-unique index may be added to a table of ours. It changes the speed of queries, not their results.
- Any other addition to a table of ours, or to the names of our functions, is a difference. A unique index, a
  constraint, a trigger, a column or row-level security can refuse or change what the server writes.

The operator may change storage parameters (autovacuum, fillfactor), privileges, comments and statistics.
"""

from pathlib import Path
from typing import Any

import psycopg

LINES = """
WITH ours AS (
    SELECT oid FROM pg_namespace WHERE nspname = current_schema()
), relations AS (
    SELECT c.* FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relname <> 'alembic_version'
), lines (line) AS (
    SELECT format('%s is a %s%s%s', relname,
        CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE relkind::text END,
        CASE relpersistence WHEN 'p' THEN '' ELSE ' of persistence ' || relpersistence::text END,
        CASE WHEN relrowsecurity THEN ' with row security' END)
    FROM relations

    -- PostgreSQL 16 and later omit the table name of an unambiguous column.
    UNION ALL SELECT format('%s selects %s', relname, regexp_replace(pg_get_viewdef(oid, true), '\\m\\w+\\.', '', 'g'))
    FROM relations WHERE relkind = 'v'

    UNION ALL SELECT format('%s column %s %s%s%s%s', r.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN ' not null' END,
        CASE a.attidentity WHEN 'a' THEN ' identity' WHEN 'd' THEN ' identity by default' END,
        CASE a.attgenerated WHEN 's' THEN ' generated ' WHEN 'v' THEN ' virtual ' ELSE ' default ' END
            || pg_get_expr(d.adbin, d.adrelid, true))
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind <> 'S'

    -- PostgreSQL 18 and later list NOT NULL here too.
    UNION ALL SELECT format('%s constraint %s %s', r.relname, c.conname, pg_get_constraintdef(c.oid, true))
    FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype IN ('c', 'f', 'p', 'u', 'x')

    UNION ALL SELECT format('%s index %s', r.relname, pg_get_indexdef(i.indexrelid, 0, true))
    FROM relations r JOIN pg_index i ON i.indrelid = r.oid AND i.indisvalid
    WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))

    UNION ALL SELECT format('%s trigger %s%s', r.relname, pg_get_triggerdef(t.oid, true),
        CASE t.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || t.tgenabled::text END)
    FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal

    UNION ALL SELECT format('%s function (%s) returns %s, %s, volatile %s, parallel %s%s%s%s, SHA-256 %s',
        p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, p.provolatile,
        p.proparallel,
        CASE WHEN p.proisstrict THEN ', strict' END, CASE WHEN p.prosecdef THEN ', security definer' END,
        ', set ' || array_to_string(p.proconfig, ', '),
        encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'))
    FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prokind IN ('f', 'p')
)
SELECT regexp_replace(line, '\\s+', ' ', 'g') FROM lines
"""


def fingerprint(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the lines that describe the current schema of `connection`."""
    return {row[0] for row in connection.execute(LINES)}


def expected(file: Path) -> set[str]:
    """Return the lines in `file`."""
    return set(file.read_text("utf-8").splitlines())


def differences(found: set[str], wanted: set[str]) -> list[str]:
    """Return the differences that are not allowed: missing lines first, then surplus ones. Both are sorted."""
    names = {_owner(line) for line in wanted}
    surplus = (line for line in found - wanted if _owner(line) in names and not _is_plain_index(line))
    return [f"missing: {line}" for line in sorted(wanted - found)] + [f"surplus: {line}" for line in sorted(surplus)]


def _owner(line: str) -> str:
    return line.partition(" ")[0]


def _is_plain_index(line: str) -> bool:
    return line.startswith(f"{_owner(line)} index CREATE INDEX ")

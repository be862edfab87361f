"""What a schema consists of, as lines of text, and whether a database has the one that this version needs.

`migrations/fingerprint.txt` has the lines that the newest migration makes; a test compares them. They are the same on
PostgreSQL 14 to 18, and do not depend on the order of the columns, which differs between old data folders and new ones.

The first word of a line is the relation or function that it belongs to. What the operator adds is judged by that:

- Other tables, views and functions are not looked at, whatever their schema: extensions put theirs into `public`.
- An index that is not unique may be added to our tables: it changes how fast a query is, never what it does.
- Everything else on our tables or under the names of our functions must be ours. A unique index, a constraint, a
  trigger, a column or row-level security can refuse or change what the server writes.

Storage parameters (autovacuum, fillfactor), privileges, comments and statistics are the operator's.
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

    -- PostgreSQL 16 and later omit the names of tables where a column has one origin only.
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
    """The lines of the schema that the search path of `connection` names first."""
    return {row[0] for row in connection.execute(LINES)}


def expected(file: Path) -> set[str]:
    return set(file.read_text("utf-8").splitlines())


def differences(found: set[str], wanted: set[str]) -> list[str]:
    """What keeps a schema from being the wanted one: missing lines first, then lines that may not be there."""
    names = {_owner(line) for line in wanted}
    surplus = (line for line in found - wanted if _owner(line) in names and not _is_plain_index(line))
    return [f"missing: {line}" for line in sorted(wanted - found)] + [f"surplus: {line}" for line in sorted(surplus)]


def _owner(line: str) -> str:
    return line.partition(" ")[0]


def _is_plain_index(line: str) -> bool:
    return line.startswith(f"{_owner(line)} index CREATE INDEX ")

"""Triggers by which the databases themselves refuse changes of the audit logs: are they there, and how they come back.

A trigger of the same name that refuses nothing is none. That they were gone stays in the chain, as a break that two
people vouch for: putting them back must not hide what was done meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.foundation.database import database, is_sqlite

CHANGES = "audit_event"
"""Table of the log of changes."""
READS = ("read_event", "read_person")
"""Tables of the log of reads."""
RAISES = "BEGIN RAISE EXCEPTION '{table} is append-only'; END"


def on_sqlite(table: str) -> dict[str, str]:
    """Return name -> statement of the triggers of a table of SQLite, as SQLite keeps it."""
    return {
        f"{table}_no_{action.lower()}": (
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        for action in ("UPDATE", "DELETE")
    }


def lost_on_sqlite(tables: Iterable[str], run: Callable[[str], Iterable[Any]]) -> dict[str, str]:
    """Return name -> statement of the triggers that a file of SQLite lacks, or has with another text.

    Args:
        tables: The tables that they protect.
        run: Runs a statement on the file and gives its rows.
    """
    rows = run("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    there = {name: " ".join(sql.replace('"', "").split()) for name, sql in rows}
    wanted = {name: sql for table in tables for name, sql in on_sqlite(table).items()}
    return {name: sql for name, sql in wanted.items() if there.get(name) != sql}


def put_back_on_sqlite(lost: Mapping[str, str], run: Callable[[str], Any]) -> None:
    """Make triggers anew; in the caller's transaction.

    Args:
        lost: Name -> statement, as `lost_on_sqlite` gives them.
        run: Runs a statement on the file.
    """
    for name, statement in lost.items():
        run(f"DROP TRIGGER IF EXISTS {name}")
        run(statement)


def lost() -> dict[str, str]:
    """Return name -> statement of the triggers that the log of changes lacks."""
    if is_sqlite():
        return lost_on_sqlite((CHANGES,), _rows)
    query = (
        "SELECT tgname, pg_get_triggerdef(pg_trigger.oid), prosrc FROM pg_trigger"
        " JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = 'audit_event'::regclass AND tgenabled <> 'D'"
    )
    refuses = RAISES.format(table=CHANGES)
    there = {name for name, made, body in _rows(query) if " WHEN " not in made and body.strip() == refuses}
    return {name: sql for name, sql in _on_postgresql().items() if name not in there}


def put_back(names: Mapping[str, str]) -> None:
    """Make triggers of the log of changes anew; in the caller's transaction.

    Args:
        names: Name -> statement, as `lost` gives them.
    """
    if is_sqlite():
        put_back_on_sqlite(names, database.execute_sql)
        return
    database.execute_sql(
        f"CREATE OR REPLACE FUNCTION {CHANGES}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ {RAISES.format(table=CHANGES)} $$"
    )
    for name, statement in names.items():
        database.execute_sql(f"DROP TRIGGER IF EXISTS {name} ON {CHANGES}")
        database.execute_sql(statement)


def _rows(query: str) -> list[Any]:
    found: list[Any] = database.execute_sql(query).fetchall()
    return found


def _on_postgresql() -> dict[str, str]:
    return {
        f"{CHANGES}_no_{action.lower()}": (
            f"CREATE TRIGGER {CHANGES}_no_{action.lower()} BEFORE {action} ON {CHANGES}"
            f" FOR EACH {'STATEMENT' if action == 'TRUNCATE' else 'ROW'} EXECUTE FUNCTION {CHANGES}_is_append_only()"
        )
        for action in ("UPDATE", "DELETE", "TRUNCATE")
    }

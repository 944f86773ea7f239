"""The journal's position: a row that every journaled transaction moves on, so that base and journal can be aligned.

A *line* is an unbroken sequence of records. A copy of the database holds the line and the number it had then; the
records of that line with higher numbers, applied in order, bring the copy to any later moment. A database that was
restored from base and journal goes on in a line of its own from exactly there: the old base carries that one too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from core.foundation.database import document_text
from core.foundation.identifiers import new_id
from core.foundation.journal.frames import Origin

STATE_KEY = "journal"
RECORDS = "journal_record"
"""Table of the records that are not known to be on the second place."""


@dataclass(frozen=True)
class Position:
    """The position of a database in its line."""

    line: str
    """32 hexadecimal digits of a UUIDv7: later lines sort after earlier ones."""
    number: int
    """Of the newest record; 0 when the line has none yet."""
    schema: int
    """SQLite's count of changes of the schema: no changeset holds such a change."""
    after: str = ""
    """The `Origin` of a line that goes on from another; empty: it began with a base."""


def new_line(connection: Any, before: str = "") -> Position:
    """Begin a line in the caller's transaction, and return its beginning; what waited of an earlier one is dropped.

    Args:
        connection: An open APSW connection, in a writing transaction.
        before: The latest line that is known; empty: there is none.
    """
    position = Position(later_line(before), 0, schema_of(connection))
    connection.execute("DELETE FROM journal_record")
    write(connection, position)
    return position


def later_line(before: str) -> str:
    """Return a new line's name: later lines sort after earlier ones, also where the clock was put back since.

    Args:
        before: The latest line that is known; empty: there is none.
    """
    return max(new_id().replace("-", ""), f"{int(before or '0', 16) + 1:032x}")


def go_on(connection: Any, line: str) -> Position:
    """Begin a line that goes on from where the database's line is, in the caller's transaction, which is its first record.

    Args:
        connection: An open APSW connection, in a writing transaction that is captured; the database has a line.
        line: The new line, from `later_line`.
    """
    before = read(connection)
    assert before is not None
    position = Position(line, 0, schema_of(connection), Origin(before.line, before.number).text())
    connection.execute("DELETE FROM journal_record")
    write(connection, position)
    return position


def end_line(connection: Any) -> None:
    """End the line in the caller's transaction: a base is due, and nothing is recorded until it begins a new one.

    Args:
        connection: An open APSW connection, in a writing transaction.
    """
    connection.execute("DELETE FROM journal_record")
    connection.execute("DELETE FROM state WHERE key = ?", (STATE_KEY,))


def read(connection: Any) -> Position | None:
    """Return the position, None when there is no line.

    Args:
        connection: An open APSW connection.
    """
    row = connection.execute("SELECT value FROM state WHERE key = ?", (STATE_KEY,)).fetchone()
    return Position(**json.loads(row[0])) if row else None


def write(connection: Any, position: Position) -> None:
    """Note a position in the caller's transaction.

    Args:
        connection: An open APSW connection, in a writing transaction.
        position: The new one.
    """
    connection.execute(
        "INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (STATE_KEY, document_text(asdict(position))),
    )


def schema_of(connection: Any) -> int:
    """Return SQLite's count of changes of the schema.

    Args:
        connection: An open APSW connection.
    """
    return int(connection.execute("PRAGMA schema_version").fetchone()[0])

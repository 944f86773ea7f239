"""Rebuilds a database from a base and the journal: to the last record, or to a moment before it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

from core.daily.backup.journal_reading import JournaledTransaction
from core.foundation import high_water
from core.foundation.errors import BackupError
from core.foundation.high_water import Mark
from core.foundation.journal import positions
from core.foundation.journal.positions import Position

READ_BYTES = 64 * 1024


@dataclass(frozen=True)
class Rebuilt:
    """The point to which a database was brought."""

    records: int
    """Applied to the base."""
    number: int
    """Of the last of them; the base's own when there was none."""
    at: datetime | None
    """Instant of that transaction; None when there was none."""
    read: int
    """Records that could be read, also those after that moment."""
    end: Mark
    """The point at the end of the journal, also when the database was brought to a moment before that."""


def position_of(file: Path) -> Position | None:
    """Return the position that a copy of the database holds; None when it had no journal.

    Args:
        file: A SQLite file.
    """
    with closing(APSWDatabase(str(file))) as opened:
        opened.connect()
        if not opened.table_exists(positions.RECORDS):
            return None
        return positions.read(opened.connection())


def rebuild(file: Path, records: Iterable[JournaledTransaction], until: datetime | None = None) -> Rebuilt:
    """Apply records to a copy of the database.

    Triggers do not run and foreign keys are not asked: a changeset holds all that was changed, also by them.

    Args:
        file: The base's SQLite file; it is changed.
        records: What came after it, in order.
        until: Leave out what came after this moment.

    Raises:
        BackupError: `damaged`: a record does not fit, or another one is in its place.
    """
    with closing(APSWDatabase(str(file))) as opened:
        opened.connect()
        connection = opened.connection()
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
        for pragma in (
            "foreign_keys = OFF",
            "journal_mode = DELETE",
            "synchronous = FULL",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        rebuilt = _applied(opened, records, until)
        connection.execute("COMMIT")
    return rebuilt


def _applied(
    opened: peewee.Database, records: Iterable[JournaledTransaction], until: datetime | None
) -> Rebuilt:
    connection = opened.connection()
    before = positions.read(connection)
    number = before.number if before else 0
    at, count, read, is_over = None, 0, 0, False
    for record in records:
        if not is_over and until is not None and record.at > until:
            is_over = True  # the rest only tells which numbers were given out
            connection.execute("SAVEPOINT rest")
        _apply(connection, record)
        read += 1
        if not is_over:
            number, at, count = record.number, record.at, count + 1
    end = high_water.look(opened, date.min)
    if is_over:
        connection.execute("ROLLBACK TO rest")
        connection.execute("RELEASE rest")
    return Rebuilt(count, number, at, read, end)


def _apply(connection: Any, record: JournaledTransaction) -> None:
    try:
        apsw.Changeset.apply(lambda size: record.changeset.read(size), connection, conflict=_refuse)
    except apsw.Error:
        raise BackupError("damaged", f"journal {record.number}") from None
    position = positions.read(connection)
    if position is None or (position.line, position.number) != (record.line, record.number):
        raise BackupError("damaged", f"journal {record.number}")


def _refuse(reason: int, change: Any) -> int:
    return int(apsw.SQLITE_CHANGESET_ABORT)

"""The daily proof of the journal: rebuild the database from base and journal, and compare every table with the live one.

It opens both with the secret on the first disk, so that nobody has to bring the recovery key each day.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

import apsw

from core.daily.backup.archives import Opened, storage_errors, unpack
from core.daily.backup.journal_reading import Line, Secrets
from core.daily.backup.rebuilding import position_of, rebuild
from core.daily.backup.retention import backups_in
from core.daily.backup.scratch import scratch
from core.foundation.config import Settings
from core.foundation.database import database, transaction
from core.foundation.errors import BackupError, JournalError
from core.foundation.journal import positions, proof_keys
from core.foundation.journal.attachment import attached
from core.foundation.journal.positions import RECORDS, Position
from core.foundation.journal.second_place import SecondPlace
from core.foundation.migrations import copy_sqlite


@dataclass(frozen=True)
class JournalProof:
    """The findings of the proof."""

    records: int
    """Transactions that were applied to the base."""
    tables: int
    """Tables that were compared."""


def prove(settings: Settings) -> JournalProof | None:
    """Rebuild the clinic's database and compare it with the live one; None where no line goes on from a base.

    A line that does not lead to the live database is ended, so that the next backup begins another.

    Args:
        settings: Of the clinic.

    Raises:
        JournalError: `journal_differs`: tables are not alike; `journal_behind`: not all is on the second place.
        BackupError: The base or the journal cannot be read.
    """
    journal = attached()
    if journal is None:
        return None
    with scratch(settings.home) as work, storage_errors():
        live = work / "live.sqlite3"
        copy_sqlite(Path(str(database.database)), live)
        position = position_of(live)
        if position is None:
            return None
        try:
            return _compared(journal.place, position, live, work)
        except (BackupError, JournalError) as error:
            if not isinstance(error, JournalError) or error.code == "journal_differs":
                _end(position)
            raise


def _compared(place: SecondPlace, position: Position, live: Path, work: Path) -> JournalProof | None:
    opened = _base(place, position, work)
    if opened is None:
        return None
    line = Line(place.folder, place.facility, position.line, opened.content.number)
    records = takewhile(
        lambda record: record.number <= position.number, line.records(Secrets(proof_keys.kept(place.home)))
    )
    rebuilt = rebuild(opened.data, records)
    if rebuilt.number < position.number:
        raise JournalError("journal_behind", str(position.number - rebuilt.number))
    tables = _tables(live)
    if unlike := [table for table in tables if not _is_alike(table, live, opened.data)]:
        raise JournalError("journal_differs", ", ".join(unlike))
    return JournalProof(rebuilt.records, len(tables))


def _base(place: SecondPlace, position: Position, work: Path) -> Opened | None:
    """Return the newest base of a line that one of the known secrets opens."""
    for info in backups_in(place.folder, place.facility):
        if info.line != position.line or info.number > position.number:
            continue
        for number, key in enumerate(proof_keys.kept(place.home)):
            folder = work / f"base-{number}"
            folder.mkdir()
            try:
                return unpack(Path(info.path), key.identity, folder)
            except BackupError as error:
                if error.reason != "wrong_key":
                    raise
        return None
    return None


def _end(position: Position) -> None:
    with transaction():
        connection = database.connection()
        found = positions.read(connection)
        if found is not None and found.line == position.line:
            positions.end_line(connection)


def _tables(file: Path) -> list[str]:
    with closing(_opened(file)) as connection:
        rows = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).fetchall()
    return [name for (name,) in rows if name != RECORDS and not name.startswith("sqlite_")]


def _is_alike(table: str, one: Path, other: Path) -> bool:
    """Return whether two databases hold the same rows in a table."""
    with closing(_opened(one)) as first, closing(_opened(other)) as second:
        pairs = zip_longest(_rows(first, table), _rows(second, table))
        return all(left == right for left, right in pairs)


def _rows(connection: Any, table: str) -> Iterator[tuple[Any, ...]]:
    """Yield a table's rows in the order of its key."""
    columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    key = ", ".join(f'"{name}"' for _, name, _, _, _, part in columns if part)
    yield from connection.execute(f'SELECT * FROM "{table}" ORDER BY {key}')  # noqa: S608


def _opened(file: Path) -> Any:
    return apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)

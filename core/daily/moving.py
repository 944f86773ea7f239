"""Moves a clinic from one database to another: SQLite to PostgreSQL and back.

The source is only read. Rows go over in batches, each a transaction of the target that also notes how far the move is, so
that one that was cut off goes on where it stopped. At the end every table is compared by its rows; one that changed
meanwhile is copied again. Only a target that is equal in every table is given its relations and taken for a clinic.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import peewee

from core.foundation import audit, high_water
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database_apart, unusable
from core.foundation.errors import DatabaseError
from core.foundation.journal import attachment
from core.foundation.journal.positions import RECORDS
from core.foundation.migrations import migrate, require_current

NOTES = high_water.MOVE_NOTES
"""The table of a target in which a move notes how far it is; gone when it is done."""
LEFT = frozenset({NOTES, "schema_migration", RECORDS})
"""Tables that the target has of its own, or that are of no use there: the journal begins anew."""
BATCH = 1000  # rows copied by one transaction
ROUNDS = 3
"""Times that a table that changed meanwhile is copied again."""
LEAVING_LOOKS, LEAVING_SECONDS = 20, 0.1
"""Looks, and seconds between them, at whether those who left a PostgreSQL are gone."""
PARAMETERS = 30_000  # of one statement; SQLite takes 32,766, PostgreSQL 65,535

Progress = Callable[[str, str, int, int], None]
"""Called with what is done (`copy` or `compare`), the table, rows done and rows in all."""


@dataclass(frozen=True)
class Column:
    """A column as the database has it."""

    name: str
    is_flag: bool
    """True if PostgreSQL wants a boolean, where SQLite has 0 and 1."""


@dataclass(frozen=True)
class MovedTable:
    """A table of the clinic."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """Columns of its primary key."""

    @property
    def names(self) -> str:
        """Its columns, quoted, as they stand in a statement."""
        return ", ".join(f'"{column.name}"' for column in self.columns)

    @property
    def keys(self) -> str:
        """The columns of its primary key, quoted."""
        return ", ".join(f'"{name}"' for name in self.key)


@dataclass
class Moved:
    """The outcome of a move."""

    rows: dict[str, int] = field(default_factory=dict)
    """Table -> rows, equal on both sides."""
    resumed: bool = False
    """True if an earlier run had begun it."""
    copied_again: list[str] = field(default_factory=list)
    """Tables that changed while they were copied."""


def move(source_url: str, target_url: str, progress: Progress | None = None) -> Moved:
    """Copy a clinic's database into an empty one, or go on with a copy that was cut off.

    Args:
        source_url: The clinic's; no server uses it.
        target_url: An empty database, or one that an earlier run has begun to fill from the same clinic.
        progress: Told how far it is.

    Raises:
        DatabaseError: `move_same`, `move_no_clinic`, `move_holds_clinic`, `move_other_clinic`, `move_in_use`,
            `move_row_refused`, `move_differs`, or why one of the two cannot be used.
        SettingsError: The source is an older or a newer Loket's.
    """
    if source_url == target_url:
        raise DatabaseError("move_same")
    try:
        with _opened(source_url) as source, _opened(target_url) as target:
            return _Move(source, target, progress or (lambda *_: None)).run()
    except peewee.DatabaseError as error:
        if (known := unusable(error)) is None:
            raise
        raise known from None


@contextmanager
def _opened(url: str) -> Iterator[peewee.Database]:
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with database_apart(url) as opened:
        yield opened


class _Move:
    """One run of a move."""

    def __init__(self, source: peewee.Database, target: peewee.Database, progress: Progress) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._moved = Moved()

    def run(self) -> Moved:
        self._require_source()
        self._prepare_target()
        tables = _tables(self._source)
        for table in tables:
            self._copy(table)
        for table in tables:
            self._make_equal(table)
        _number_on(self._target)
        self._finish()
        return self._moved

    def _require_source(self) -> None:
        """Refuse a source without a clinic, of another version, or in use.

        Raises:
            DatabaseError: `move_no_clinic`, `move_in_use`, `database_half_moved`.
        """
        high_water.require_whole(self._source)
        if not high_water.has_clinic(self._source):
            raise DatabaseError("move_no_clinic", _place(self._source))
        require_current(self._source)
        if _is_in_use(self._source):
            raise DatabaseError("move_in_use", _place(self._source))

    def _prepare_target(self) -> None:
        """Give an empty target its tables; take up one that an earlier run has begun.

        Raises:
            DatabaseError: `move_holds_clinic`, `move_other_clinic`.
        """
        clinic = high_water.clinic_id(self._source)
        if NOTES in self._target.get_tables():
            if self._note("clinic") != clinic:
                raise DatabaseError("move_other_clinic", _place(self._target))
            self._moved.resumed = True
        elif self._target.get_tables():
            raise DatabaseError("move_holds_clinic", _place(self._target))
        else:
            self._target.execute_sql(f"CREATE TABLE {NOTES} (name VARCHAR(80) PRIMARY KEY, value TEXT)")
            self._keep_note("clinic", clinic)
        if self._note("prepared") is None:
            migrate(self._target)
            with self._target.atomic():
                self._keep_note("relations", _take_relations(self._target))
                for table in _tables(self._target):
                    self._empty(table)
                self._keep_note("prepared", True)
        if not _is_postgres(self._target):
            self._target.execute_sql("PRAGMA foreign_keys = OFF")

    def _copy(self, table: MovedTable) -> None:
        """Copy the rows of a table that are not there yet, in the order of its key."""
        total = _count(self._source, table)
        noted = self._note(f"table {table.name}") or {"done": 0, "last": None}
        flags = _flags(self._target, table)
        self._progress("copy", table.name, noted["done"], total)
        while rows := _batch(self._source, table, noted["last"]):
            with self._target.atomic():
                self._insert(table, [_for_target(row, flags) for row in rows])
                noted = {"done": noted["done"] + len(rows), "last": _key_of(table, rows[-1])}
                self._keep_note(f"table {table.name}", noted)
            self._progress("copy", table.name, noted["done"], total)

    def _insert(self, table: MovedTable, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows by few statements; where the database refuses, find the row.

        Raises:
            DatabaseError: `move_row_refused`: with its table and key, and no other value.
        """
        size = max(1, PARAMETERS // len(table.columns))
        for at in range(0, len(rows), size):
            part = rows[at : at + size]
            try:
                with self._target.atomic():
                    self._insert_part(table, part)
            except (peewee.DataError, peewee.IntegrityError, ValueError):
                self._insert_each(table, part)

    def _insert_part(self, table: MovedTable, rows: Sequence[Sequence[Any]]) -> None:
        marks = f"({', '.join([self._target.param] * len(table.columns))})"
        sql = f'INSERT INTO "{table.name}" ({table.names}) VALUES {", ".join([marks] * len(rows))}'  # noqa: S608
        self._target.execute_sql(sql, tuple(value for row in rows for value in row))

    def _insert_each(self, table: MovedTable, rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            try:
                with self._target.atomic():
                    self._insert_part(table, [row])
            except (peewee.DataError, peewee.IntegrityError, ValueError) as error:
                key = " ".join(str(value) for value in _key_of(table, row))
                why = str(error).strip().splitlines()[0][:80]
                raise DatabaseError("move_row_refused", f"{table.name} {key}: {why}") from None

    def _make_equal(self, table: MovedTable) -> None:
        """Compare a table's rows on both sides; copy it again where it changed meanwhile.

        Raises:
            DatabaseError: `move_differs`.
        """
        for _ in range(ROUNDS):
            ours, theirs = (self._digest(opened, table) for opened in (self._source, self._target))
            if ours == theirs:
                self._moved.rows[table.name] = ours[0]
                return
            self._moved.copied_again.append(table.name)
            with self._target.atomic():
                self._empty(table)
                self._keep_note(f"table {table.name}", {"done": 0, "last": None})
            self._copy(table)
        raise DatabaseError("move_differs", table.name)

    def _digest(self, opened: peewee.Database, table: MovedTable) -> tuple[int, int]:
        """Return how many rows a table has, and a sum over them that does not go by their order.

        The databases sort text differently, so the rows' hashes are added.
        """
        total, rows, last = 0, 0, None
        of = _count(opened, table)
        while batch := _batch(opened, table, last):
            for row in batch:
                text = json.dumps([_plain(value) for value in row], ensure_ascii=False).encode()
                total += int.from_bytes(hashlib.sha256(text).digest(), "big")
            rows, last = rows + len(batch), _key_of(table, batch[-1])
            self._progress("compare", table.name, rows, of)
        return rows, total % 2**256

    def _finish(self) -> None:
        """Give the target its relations back, which checks them all, and forget that it was a move.

        Raises:
            DatabaseError: `move_differs`: a row points to one that is not there.
        """
        if not _is_postgres(self._target):
            broken = self._target.execute_sql("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise DatabaseError("move_differs", str(broken[0]))
        with self._target.atomic():
            for statement in self._note("relations"):
                self._target.execute_sql(statement)
            self._target.execute_sql(f"DROP TABLE {NOTES}")
        self._target.execute_sql("ANALYZE")

    def _empty(self, table: MovedTable) -> None:
        self._target.execute_sql(f'DELETE FROM "{table.name}"')  # noqa: S608

    def _note(self, name: str) -> Any:
        sql = f"SELECT value FROM {NOTES} WHERE name = {self._target.param}"  # noqa: S608
        row = self._target.execute_sql(sql, (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def _keep_note(self, name: str, value: Any) -> None:
        mark = self._target.param
        sql = (
            f"INSERT INTO {NOTES} (name, value) VALUES ({mark}, {mark}) "  # noqa: S608
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        )
        self._target.execute_sql(sql, (name, json.dumps(value)))


def _is_postgres(opened: peewee.Database) -> bool:
    return not isinstance(opened, peewee.SqliteDatabase)


def _place(opened: peewee.Database) -> str:
    return str(opened.database)


def _tables(opened: peewee.Database) -> list[MovedTable]:
    """Return the clinic's tables as they are in a database, by name."""
    found = []
    for name in sorted(opened.get_tables()):
        if name in LEFT or name.startswith("sqlite_"):
            continue
        columns = sorted(opened.get_columns(name), key=lambda column: column.name)
        shown = tuple(Column(column.name, column.data_type == "boolean") for column in columns)
        found.append(MovedTable(name, shown, tuple(opened.get_primary_keys(name))))
    return found


def _flags(opened: peewee.Database, table: MovedTable) -> list[bool]:
    """Return for each column of a table whether this database wants a boolean in it."""
    kinds = {column.name: column.data_type for column in opened.get_columns(table.name)}
    return [kinds[column.name] == "boolean" for column in table.columns]


def _count(opened: peewee.Database, table: MovedTable) -> int:
    return int(opened.execute_sql(f'SELECT COUNT(*) FROM "{table.name}"').fetchone()[0])  # noqa: S608


def _batch(opened: peewee.Database, table: MovedTable, last: Sequence[Any] | None) -> list[tuple[Any, ...]]:
    """Return the next rows after a key, in the order of this database."""
    after, values = "", ()
    if last is not None:
        after = f" WHERE ({table.keys}) > ({', '.join([opened.param] * len(table.key))})"
        values = tuple(last)
    sql = f'SELECT {table.names} FROM "{table.name}"{after} ORDER BY {table.keys} LIMIT {BATCH}'  # noqa: S608
    return list(opened.execute_sql(sql, values).fetchall())


def _key_of(table: MovedTable, row: Sequence[Any]) -> list[Any]:
    values = {column.name: value for column, value in zip(table.columns, row, strict=True)}
    return [values[name] for name in table.key]


def _for_target(row: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
    """Return a row with the types that the target wants; PostgreSQL has booleans, SQLite has 0 and 1."""
    return [
        bool(value) if flag and value is not None else int(value) if isinstance(value, bool) else value
        for value, flag in zip(row, flags, strict=True)
    ]


def _plain(value: Any) -> Any:
    """Return a value as it is compared: alike on both databases."""
    if isinstance(value, bool):
        return int(value)
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _take_relations(opened: peewee.Database) -> list[str]:
    """Drop the foreign keys of PostgreSQL, so that rows may come in any order; return what makes them again."""
    if not _is_postgres(opened):
        return []
    found = opened.execute_sql(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY 1, 2"
    ).fetchall()
    for table, name, _definition in found:
        opened.execute_sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    return [f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}' for table, name, definition in found]


def _number_on(opened: peewee.Database) -> None:
    """Let PostgreSQL's sequences go on above the rows that came; SQLite goes by the rows themselves."""
    if not _is_postgres(opened):
        return
    found = opened.execute_sql(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND column_default LIKE 'nextval(%%'"
    ).fetchall()
    for table, column in found:
        opened.execute_sql(
            f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), "  # noqa: S608
            f'GREATEST((SELECT COALESCE(MAX("{column}"), 0) FROM "{table}"), 1), '
            f'(SELECT COUNT(*) > 0 FROM "{table}"))'
        )


def _is_in_use(opened: peewee.Database) -> bool:
    """Return whether somebody else has a database open: a copy of one in use would be of many moments."""
    if _is_postgres(opened):
        sql = (
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        for _ in range(LEAVING_LOOKS):
            if not opened.execute_sql(sql).fetchone()[0]:
                return False
            time.sleep(LEAVING_SECONDS)
        return True
    try:
        with closing(apsw.Connection(str(opened.database))) as other:
            other.set_busy_timeout(0)
            opened.close()
            other.execute(
                "PRAGMA journal_mode = DELETE"
            ).fetchall()  # leaving WAL mode needs to be its only user
            other.execute("PRAGMA journal_mode = WAL").fetchall()
    except (apsw.BusyError, apsw.LockedError):
        return True
    finally:
        opened.connect(reuse_if_open=True)
    return False


def move_clinic(settings: Settings, target_url: str, progress: Progress | None = None) -> Moved:
    """Move the clinic's database in use to another, and note that in the audit trail there; the settings stay as they are.

    Args:
        settings: Of the clinic; no server runs.
        target_url: Where its database goes.
        progress: Told how far it is.

    Raises:
        DatabaseError: As `move`; `superseded`: this machine is not the core.
        SettingsError: As `move`.
    """
    high_water.require_database_file(settings.home, settings.resolved_database_url)
    with _opened(settings.resolved_database_url) as source:
        if high_water.has_clinic(source):
            attachment.require_core(settings, source)
    moved = move(settings.resolved_database_url, target_url, progress)
    clinic = Clinic.open(settings.model_copy(update={"database_url": target_url}), migrates=False)
    with connection():
        audit.record(None, "database_moved", "clinic", settings.facility_code, rows=sum(moved.rows.values()))
    clinic.note_mark()
    return moved

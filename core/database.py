"""Connections, transactions and the column types that behave alike on SQLite and PostgreSQL.

SQLite runs in WAL with `synchronous=FULL`: what was acknowledged survives `kill -9` and
power loss. It lets one writer in at a time and its own waiting is unfair (a waiter was
measured 6 s behind), so writers of this process queue on a lock before they reach it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import peewee
from playhouse.apsw_ext import APSWDatabase
from playhouse.db_url import parse as parse_url

from core.errors import DatabaseError, SettingsError

database = peewee.DatabaseProxy()
"""The clinic's database; `open_database` points it somewhere."""

SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 10_000,  # milliseconds; another process (a backup, the loket command) may hold the file
    "cache_size": -16_000,  # KiB; enough for the working set of a clinic
    "temp_store": "memory",
}

ADVISORY_WRITER = 0x10CE7
"""PostgreSQL advisory lock held by each writing transaction, so that change sequences and
the audit chain become visible in the order of their numbers."""

_writer = threading.RLock()
_after_commit = threading.local()


class Sqlite(APSWDatabase):  # type: ignore[misc]
    """Peewee on APSW, with dates bound as the ISO text that the standard driver would write."""

    def _connect(self) -> Any:
        opened = super()._connect()
        opened.convert_binding = _bind
        return opened


def _bind(cursor: Any, number: int, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot bind {type(value).__name__}")


def connect(url: str) -> peewee.Database:
    """A database object for `sqlite:///path` or `postgresql://...`, not yet opened.

    Raises:
        SettingsError: PostgreSQL asked for without its driver installed.
    """
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                "LOKET_DATABASE_URL: {path} cannot be made ({why})", path=path, why=error.strerror
            ) from None
        return Sqlite(path, pragmas=SQLITE_PRAGMAS, lock_type="IMMEDIATE")
    try:
        import psycopg  # noqa: F401
        from playhouse.pool import PooledPostgresqlDatabase
    except ImportError as error:
        raise SettingsError(
            "LOKET_DATABASE_URL: install the extra for PostgreSQL: loket[postgres]"
        ) from error
    parts = parse_url(url)
    pooled: peewee.Database = PooledPostgresqlDatabase(
        parts.pop("database"), max_connections=48, stale_timeout=300, timeout=20, **parts
    )
    return pooled


def open_database(url: str) -> peewee.Database:
    """Point `database` at `url`. Tables are the business of `core.migrations`."""
    opened = connect(url)
    database.initialize(opened)
    return opened


def is_sqlite() -> bool:
    """Whether the clinic runs on the embedded database."""
    return isinstance(database.obj, peewee.SqliteDatabase)


UNUSABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("database_damaged", ("malformed", "not a database", "corrupt")),
    ("disk_full", ("is full", "no space left")),
    ("database_denied", ("readonly", "read-only", "unable to open", "permission denied")),
    ("database_unreachable", (
        "connection failed", "connection refused", "could not connect", "no password supplied",
        "authentication failed", "could not translate", "server closed the connection", "terminating connection",
        "connection is closed",
    )),
    ("database_busy", ("is locked", "lock timeout", "deadlock detected")),
)  # fmt: skip
"""Reason of a `DatabaseError`, and how SQLite and PostgreSQL say it."""


def unusable(error: peewee.DatabaseError) -> DatabaseError | None:
    """Why the database cannot be used, None when the failure is a defect of ours."""
    words = str(error).strip()
    for reason, marks in UNUSABLE:
        if any(mark in words.lower() for mark in marks):
            return DatabaseError(reason, words.splitlines()[0][:200])
    return None


@contextmanager
def connection() -> Iterator[None]:
    """Give this thread a connection for the block.

    SQLite connections stay with their thread (opening one costs more than a query);
    PostgreSQL ones go back to the pool when the outermost block ends.
    """
    if is_sqlite():
        database.connect(reuse_if_open=True)
        yield
        return
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()


@contextmanager
def transaction() -> Iterator[None]:
    """One writing transaction: all of the block, or nothing.

    Nested blocks join the outermost one. Functions given to `after_commit` run when the
    outermost block has committed, and not at all when it failed.
    """
    with connection(), _writer:
        pending: list[Callable[[], None]] | None = getattr(_after_commit, "pending", None)
        if pending is not None:
            yield
            return
        _after_commit.pending = pending = []
        try:
            with database.atomic():
                if not is_sqlite():
                    database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_WRITER,))
                yield
        finally:
            _after_commit.pending = None
    for call in pending:
        call()


def after_commit(call: Callable[[], None]) -> None:
    """Run `call` once the surrounding transaction has committed; at once when there is none."""
    pending: list[Callable[[], None]] | None = getattr(_after_commit, "pending", None)
    if pending is None:
        call()
    else:
        pending.append(call)


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as plain tuples, which Peewee's stubs do not know."""
    return list(query.tuples())


class InstantField(peewee.Field):
    """An aware UTC instant, stored as text of fixed width that sorts by time.

    Shape: `2026-11-23T01:02:03.000456Z` (27 characters) on both databases.
    """

    field_type = "TEXT"

    def db_value(self, value: datetime | str | None) -> str | None:
        """To text; refuses naive datetimes."""
        if value is None:
            return None
        if isinstance(value, str):
            return value
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return instant_text(value)

    def python_value(self, value: str | None) -> datetime | None:
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


class DayField(peewee.Field):
    """A calendar day, stored as `YYYY-MM-DD` text on both databases."""

    field_type = "TEXT"

    def db_value(self, value: date | str | None) -> str | None:
        """To text."""
        return value.isoformat() if isinstance(value, date) else value

    def python_value(self, value: str | None) -> date | None:
        """From text."""
        return None if value is None else date.fromisoformat(value)


class DocumentField(peewee.TextField):
    """A JSON document as text, keys sorted, so that equal documents are equal bytes."""

    def db_value(self, value: Any) -> str | None:
        """To compact JSON."""
        return None if value is None else document_text(value)

    def python_value(self, value: str | None) -> Any:
        """From JSON."""
        return None if value is None else json.loads(value)


class FlagField(peewee.BooleanField):
    """A boolean that comes back as one from either database."""

    def python_value(self, value: Any) -> bool | None:
        """From 0/1 or a boolean."""
        return None if value is None else bool(value)


def instant_text(value: datetime) -> str:
    """The stored and sent form of an aware instant."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def document_text(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, UTF-8 kept."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)

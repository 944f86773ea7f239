"""Connections, transactions and the column types that behave alike on SQLite and PostgreSQL.

SQLite runs in WAL with `synchronous=FULL`: what was acknowledged survives `kill -9` and
power loss. It lets one writer in at a time and its own waiting is unfair (a waiter was
measured 6 s behind), so writers of this process queue on a lock before they reach it.
"""

from __future__ import annotations

import json
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeVar, overload
from urllib.parse import parse_qs, urlsplit, urlunsplit

import apsw
import peewee
from peewee import __exception_wrapper__ as in_peewees_words  # type: ignore[attr-defined]
from playhouse.apsw_ext import APSWDatabase
from playhouse.db_url import parse as parse_url

from core.foundation.errors import DatabaseError, SettingsError

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

PREPARED_STATEMENTS = 400
"""Statements that a connection keeps prepared: all that a counter runs. APSW's own number, 100, would lose some."""

ADVISORY_WRITER = 0x10CE7
"""PostgreSQL advisory lock held by each writing transaction, so that change sequences and
the audit chain become visible in the order of their numbers."""

TAKE_TURN = "SELECT pg_advisory_xact_lock(%s), set_config('idle_in_transaction_session_timeout', %s, true)"
"""Waits for the writers' lock, and bounds the pauses of the transaction that holds it then."""

LINE_LIMITS: dict[str, Any] = {
    "connect_timeout": 5,  # seconds
    "keepalives": 1,
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 5,  # seconds
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
"""libpq's parameters of each connection to PostgreSQL."""
SESSION_LIMITS = {
    "idle_in_transaction_session_timeout": "15s",  # a server that fell silent inside a transaction frees its locks
    "lock_timeout": "15s",
    "tcp_keepalives_idle": 10,  # seconds; the other end's view of the same line
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}
"""PostgreSQL's own limits, set for each session of ours."""

WRITER_GAP = "1500ms"
"""Longest pause between two statements of a saving transaction on PostgreSQL: a server that fell silent then, or
stands still, is ended, and the others save. What it had begun is not committed, and its terminals send it again."""
UNHURRIED_GAP = "15s"
"""The same where much is computed between two statements: a list that is imported, keys that are made anew."""

_serves = threading.Event()
"""Set while this process serves counters; a first start, a command or a job may compute longer in a transaction."""
_writer = threading.RLock()
_after_commit = threading.local()
_reading = threading.local()


class TransactionWatcher(Protocol):
    """Sees each writing transaction of a SQLite database (`core.foundation.journal`)."""

    def begun(self, connection: Any) -> None:
        """Learn that a transaction has begun."""

    def committing(self, connection: Any) -> None:
        """Learn that it is about to commit; what this writes is part of it."""

    def writing(self) -> None:
        """Learn that something is being committed: within a transaction that was seen, or by a statement alone."""

    def committed(self) -> None:
        """Learn that it has committed."""

    def undone(self) -> None:
        """Learn that it was rolled back."""

    def settle(self) -> None:
        """Wait, with no lock held, until what this thread has committed may be acknowledged."""


class Sqlite(APSWDatabase):  # type: ignore[misc]
    """Peewee on APSW, with dates bound as the ISO text that the standard driver would write."""

    watcher: TransactionWatcher | None = None

    def _connect(self) -> Any:
        opened = super()._connect()
        opened.convert_binding = _bind
        opened.set_commit_hook(self._tell_watcher)
        return opened

    def _tell_watcher(self) -> bool:
        """Tell the watcher of a commit; no commit is refused here."""
        if self.watcher is not None:
            self.watcher.writing()
        return False

    def begin(self, lock_type: str | None = None) -> None:
        """Begin a transaction."""
        super().begin(lock_type)
        if self.watcher is not None:
            with in_peewees_words:
                self.watcher.begun(self.connection())

    def commit(self) -> Any:
        """Commit the transaction, after its watcher has had its say."""
        if self.watcher is not None:
            with in_peewees_words:
                self.watcher.committing(self.connection())
        done = super().commit()
        if self.watcher is not None:
            self.watcher.committed()
            if getattr(_after_commit, "pending", None) is None:
                self.watcher.settle()
        return done

    def rollback(self) -> Any:
        """Roll the transaction back."""
        if self.watcher is not None:
            self.watcher.undone()
        return super().rollback()


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
        return Sqlite(
            path, pragmas=SQLITE_PRAGMAS, lock_type="IMMEDIATE", statementcachesize=PREPARED_STATEMENTS
        )
    try:
        import psycopg  # noqa: F401
        from playhouse.pool import PooledDatabase, PooledPostgresqlDatabase
    except ImportError as error:
        raise SettingsError(
            "LOKET_DATABASE_URL: install the extra for PostgreSQL: loket[postgres]"
        ) from error

    class Pooled(PooledPostgresqlDatabase):  # type: ignore[misc]
        """A pool that hands out no connection whose other end has gone."""

        def connect_apart(self) -> Any:
            """Return a connection that is none of the pool's: whoever asked for it closes it."""
            return super(PooledDatabase, self)._connect()

        def _is_closed(self, conn: Any) -> bool:
            return bool(super()._is_closed(conn)) or not _is_left_alone(conn)

    parts = parse_url(url)
    pooled: peewee.Database = Pooled(
        parts.pop("database"),
        max_connections=48,
        stale_timeout=300,
        timeout=20,
        **{**line_limits(url), **parts},
    )
    return pooled


def line_limits(url: str) -> dict[str, Any]:
    """Return what ends a connection to PostgreSQL whose line fell silent, unless the URL says otherwise.

    Without them a server whose line is cut holds the writers' lock for hours, and every other server waits.
    """
    named = parse_qs(urlsplit(url).query)
    limits: dict[str, Any] = {name: value for name, value in LINE_LIMITS.items() if name not in named}
    if "options" not in named:
        limits["options"] = " ".join(f"-c {name}={value}" for name, value in SESSION_LIMITS.items())
    return limits


def watched(url: str) -> str:
    """Return the URL for PostgreSQL's own tools, by which they too end a connection whose line fell silent."""
    parts = urlsplit(url)
    named = parse_qs(parts.query)
    more = "&".join(f"{name}={value}" for name, value in LINE_LIMITS.items() if name not in named)
    return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, more) if part)))


def _is_left_alone(conn: Any) -> bool:
    """Return whether an idle connection has nothing to say: it speaks unasked only when it was ended.

    Looks and does not ask: a question on a silent line would keep everybody waiting for the pool.
    """
    try:
        watcher = select.poll()
        watcher.register(conn.pgconn.socket, select.POLLIN | select.POLLERR | select.POLLHUP)
        return not watcher.poll(0)
    except Exception:  # whatever the driver raises: the connection is of no use
        return False


@contextmanager
def database_apart(url: str) -> Iterator[peewee.Database]:
    """Yield another database than the clinic's, open; afterwards no connection to it is left."""
    opened = connect(url)
    try:
        opened.connect()
        yield opened
    finally:
        opened.close()
        if not isinstance(opened, peewee.SqliteDatabase):
            opened.close_all()  # type: ignore[attr-defined]  # a pool keeps what is given back to it


def open_database(url: str) -> peewee.Database:
    """Point `database` at `url`. Tables are the business of `core.foundation.migrations`."""
    opened = connect(url)
    database.initialize(opened)
    _damage.clear()
    _superseded.clear()
    return opened


def is_sqlite() -> bool:
    """Return whether the clinic runs on the embedded database."""
    return isinstance(database.obj, peewee.SqliteDatabase)


UNUSABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("disk_full", ("is full", "no space left", "disk quota")),
    ("disk_error", (
        "disk i/o error", "input/output error", "ioerr", "could not read block", "could not write", "could not fsync",
        "could not open file", "could not extend file", "could not flush",
    )),
    ("database_unread", ("malformed", "not a database", "corrupt", "invalid page")),
    ("database_denied", ("readonly", "read-only", "unable to open", "permission denied")),
    ("database_pooler", ("unsupported startup parameter",)),
    ("database_unreachable", (
        "connection failed", "connection refused", "could not connect", "no password supplied",
        "authentication failed", "could not translate", "server closed the connection", "terminating connection",
        "connection is closed", "connection timeout", "timeout expired", "connection is lost", "idle-in-transaction",
        "server unexpectedly closed", "consuming input failed",
    )),
    ("database_busy", ("is locked", "lock timeout", "deadlock detected")),
)  # fmt: skip
"""Reason of a `DatabaseError`, and how SQLite and PostgreSQL say it."""


def unusable(error: peewee.DatabaseError) -> DatabaseError | None:
    """Return why the database cannot be used, None when the failure is a defect of ours."""
    words = str(error).strip()
    for reason, marks in UNUSABLE:
        if any(mark in words.lower() for mark in marks):
            if reason == "disk_error":
                return DatabaseError(reason, _disk_step(error) or words.splitlines()[0][:200])
            return DatabaseError(reason, words.splitlines()[0][:200])
    return None


DISK_STEPS = {
    apsw.SQLITE_IOERR_READ: "read",
    apsw.SQLITE_IOERR_SHORT_READ: "read",
    apsw.SQLITE_IOERR_CORRUPTFS: "read",
    apsw.SQLITE_IOERR_WRITE: "write",
    apsw.SQLITE_IOERR_TRUNCATE: "write",
    apsw.SQLITE_IOERR_FSYNC: "sync",
    apsw.SQLITE_IOERR_DIR_FSYNC: "sync",
}
"""SQLite's extended result -> what the disk was asked to do."""


def _disk_step(error: BaseException) -> str:
    """Return what failed: `read`, `write` or `sync`; empty when the database does not say it."""
    link: BaseException | None = error
    while link is not None:
        if (code := getattr(link, "extendedresult", None)) in DISK_STEPS:
            return DISK_STEPS[code]
        link = link.__cause__ or link.__context__
    return ""


_damage: list[str] = []
"""Result of SQLite's own check of the database of this process; empty while nothing is known to be wrong."""


def damage() -> str | None:
    """Return what the last check found, None when the database is whole or was not checked."""
    return _damage[0] if _damage else None


_superseded: list[str] = []
"""Instant at which another machine took over from the core of this process; empty while none is known to have."""


def note_superseded(at: str) -> None:
    """Refuse whatever is saved from here on, and what was committed and is not acknowledged yet.

    Args:
        at: ISO instant at which another machine took over.
    """
    _superseded[:] = [at]


def is_superseded() -> bool:
    """Return whether another machine is known to have taken over from this core."""
    return bool(_superseded)


def _require_core() -> None:
    if _superseded:
        raise DatabaseError("superseded", _superseded[0])


def check() -> str | None:
    """Have SQLite check its file: only this may call the database damaged. While it is, nothing is saved.

    Returns:
        The fault in SQLite's words; None when it is whole. PostgreSQL has no such check.

    Raises:
        peewee.DatabaseError: The check could not be done, which says nothing of the data.
    """
    if not is_sqlite():
        return None
    try:
        with connection():  # inside: a damaged first page spoils even the opening
            found = str(database.execute_sql("PRAGMA quick_check(1)").fetchone()[0])
    except peewee.DatabaseError as error:
        known = unusable(error)
        if known is None or known.reason != "database_unread":
            raise
        found = known.detail
    _damage[:] = [] if found == "ok" else [found.splitlines()[0][:200]]
    return damage()


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


def require_sessions(url: str) -> None:
    """Refuse a pooler that hands one session to many: it loses our limits, our prepared statements and the feed.

    Args:
        url: The clinic's database, open. One that sets `options` of its own is trusted to know why.

    Raises:
        DatabaseError: `database_pooler`.
    """
    if is_sqlite() or "options" in parse_qs(urlsplit(url).query):
        return
    for name, wanted in SESSION_LIMITS.items():
        found = database.execute_sql(f"SHOW {name}").fetchone()[0]
        if found != str(wanted):
            raise DatabaseError("database_pooler", f"{name} = {found}")


@contextmanager
def snapshot() -> Iterator[None]:
    """Read in the block what was committed before its first read, and nothing of later; no writer is waited for.

    Within a transaction it is that transaction's own view.
    """
    with connection():
        if database.in_transaction() or getattr(_reading, "is_open", False):
            yield
            return
        _reading.is_open = True
        try:
            database.execute_sql(
                "BEGIN" if is_sqlite() else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            )
            try:
                yield
            finally:
                database.execute_sql("ROLLBACK")
        finally:
            _reading.is_open = False


def hurry_saves(is_serving: bool) -> None:
    """Bound the pauses of this process's saves by `WRITER_GAP` while it serves counters."""
    (_serves.set if is_serving else _serves.clear)()


@contextmanager
def session_apart() -> Iterator[Any]:
    """Yield a connection to PostgreSQL beside the pool's, closed at the end however the block ends: no lock outlives it."""
    session = database.obj.connect_apart()
    try:
        yield session
    finally:
        session.close()


@contextmanager
def transaction(*, unhurried: bool = False) -> Iterator[None]:
    """One writing transaction: all of the block, or nothing.

    Nested blocks join the outermost one. Functions given to `after_commit` run when the
    outermost block has committed, and not at all when it failed.

    Args:
        unhurried: Whether much is computed between two statements; the other servers then wait longer for one that
            fell silent.

    Raises:
        DatabaseError: `database_damaged`: a check found a fault, so nothing more is saved; `superseded`: another
            machine is the core.
    """
    if _damage:
        raise DatabaseError("database_damaged", _damage[0])
    _require_core()
    with connection(), _writer:
        pending: list[Callable[[], None]] | None = getattr(_after_commit, "pending", None)
        if pending is not None:
            yield
            return
        _after_commit.pending = pending = []
        _after_commit.memo = {}
        try:
            with database.atomic():
                if not is_sqlite():
                    gap = WRITER_GAP if _serves.is_set() and not unhurried else UNHURRIED_GAP
                    database.execute_sql(TAKE_TURN, (ADVISORY_WRITER, gap))
                yield
        finally:
            _after_commit.pending = _after_commit.memo = None
    _settle()
    _require_core()
    for call in pending:
        call()


@contextmanager
def alone() -> Iterator[None]:
    """Keep the other writers of this process out of the block, which writes past the database's watcher.

    No transaction is open in it: SQLite hands out a copy of itself only then.
    """
    with connection(), _writer:
        yield


def _settle() -> None:
    """Let the database's watcher wait; others may write meanwhile."""
    watcher = getattr(database.obj, "watcher", None)
    if watcher is not None:
        watcher.settle()


def after_commit(call: Callable[[], None]) -> None:
    """Run `call` once the surrounding transaction has committed; at once when there is none."""
    pending: list[Callable[[], None]] | None = getattr(_after_commit, "pending", None)
    if pending is None:
        call()
    else:
        pending.append(call)


def transaction_memo() -> dict[str, Any]:
    """Return what is kept until the surrounding transaction ends; nobody else writes meanwhile.

    Raises:
        RuntimeError: There is no transaction: a defect of the caller.
    """
    memo: dict[str, Any] | None = getattr(_after_commit, "memo", None)
    if memo is None:
        raise RuntimeError("no transaction is open")
    return memo


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as plain tuples, which Peewee's stubs do not know."""
    return list(query.tuples())


ValueT = TypeVar("ValueT")


class TypedColumn(Generic[ValueT]):
    """Tells the type checker the type that a row has in a column of ours.

    Peewee's own types do this for its own fields: `None` is part of the type where `null=True`.
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> ValueT: ...
        def __get__(self, instance: object, owner: Any) -> Any: ...
        def __set__(self, instance: object, value: ValueT) -> None: ...


class InstantField(TypedColumn[ValueT], peewee.Field):
    """An aware UTC instant, stored as text of fixed width that sorts by time.

    Schema: `2026-11-23T01:02:03.000456Z` (27 characters) on both databases.
    """

    field_type = "TEXT"

    if TYPE_CHECKING:

        @overload
        def __new__(cls, *, null: Literal[True], **options: Any) -> InstantField[datetime | None]: ...
        @overload
        def __new__(cls, *, null: Literal[False] = ..., **options: Any) -> InstantField[datetime]: ...
        def __new__(cls, **options: Any) -> Any:
            """Return the column; the types above say what its rows hold."""

    def db_value(self, value: datetime | str | None) -> str | None:
        """Return the instant as text.

        Raises:
            ValueError: The instant is naive.
        """
        if value is None:
            return None
        if isinstance(value, str):
            return value
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return instant_text(value)

    def python_value(self, value: str | None) -> datetime | None:
        """Return the instant of a stored text."""
        return None if value is None else datetime.fromisoformat(value)


class DayField(TypedColumn[ValueT], peewee.Field):
    """A calendar day, stored as `YYYY-MM-DD` text on both databases."""

    field_type = "TEXT"

    if TYPE_CHECKING:

        @overload
        def __new__(cls, *, null: Literal[True], **options: Any) -> DayField[date | None]: ...
        @overload
        def __new__(cls, *, null: Literal[False] = ..., **options: Any) -> DayField[date]: ...
        def __new__(cls, **options: Any) -> Any:
            """Return the column; the types above say what its rows hold."""

    def db_value(self, value: date | str | None) -> str | None:
        """Return the day as text."""
        return value.isoformat() if isinstance(value, date) else value

    def python_value(self, value: str | None) -> date | None:
        """Return the day of a stored text."""
        return None if value is None else date.fromisoformat(value)


class DocumentField(TypedColumn[ValueT], peewee.TextField):
    """A JSON document as text, keys sorted, so that equal documents are equal bytes."""

    if TYPE_CHECKING:

        @overload
        def __new__(cls, *, default: type[list[Any]], **options: Any) -> DocumentField[list[Any]]: ...
        @overload
        def __new__(
            cls, *, default: type[dict[str, Any]] = ..., **options: Any
        ) -> DocumentField[dict[str, Any]]: ...
        def __new__(cls, **options: Any) -> Any:
            """Return the column; the types above say what its rows hold."""

    def db_value(self, value: Any) -> str | None:
        """Return the document as compact JSON."""
        return None if value is None else document_text(value)

    def python_value(self, value: str | None) -> Any:
        """Return the document of a stored text."""
        return None if value is None else json.loads(value)


class FlagField(TypedColumn[ValueT], peewee.BooleanField):
    """A boolean that comes back as one from either database."""

    if TYPE_CHECKING:

        def __new__(cls, **options: Any) -> FlagField[bool]:
            """Return the column; the type says what its rows hold."""

    def python_value(self, value: Any) -> bool | None:
        """Return the boolean of a stored 0 or 1."""
        return None if value is None else bool(value)


def instant_text(value: datetime) -> str:
    """The stored and sent form of an aware instant."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def document_text(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, UTF-8 kept."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)

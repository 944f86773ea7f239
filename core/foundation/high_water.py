"""The high-water mark: what the clinic's database held, noted outside it.

A database that is gone, empty or shorter than it was looks whole by itself. The mark is a small file of
the data folder, flushed to the disk, that names the clinic, its newest change and audit event, and the
numbers given out. Every process that opens the clinic compares the database with it first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

import peewee

from core.foundation import clock
from core.foundation.database import instant_text
from core.foundation.errors import DatabaseError
from core.foundation.identifiers import new_id
from core.foundation.private_files import locked, sync_folder, write_private

FILE = "clinic.mark"
SIGNS = ("recovery.pub", "door.token", "backups")
"""Files that only a data folder with a clinic has, besides `FILE`."""
MOVE_NOTES = "loket_move"
"""The table of a database that is being filled (`core.daily.moving`): it holds half a clinic, and is none yet."""
SKIPPED_NUMBERS = 20
"""Numbers of each counter that are left out after a loss: more than are given out between two marks."""
SKIPPED_CHANGES = 1000
"""Sequences of the feed left out after a loss, so that a pane that had seen a lost one misses none that follow."""
FOREVER = date(1970, 1, 1)
"""The day of counters that are not of a day: the medical record numbers."""
OLD_FILES = (FILE, *SIGNS)


@dataclass(frozen=True)
class Mark:
    """Progress of a clinic's database."""

    clinic: str = ""
    """The clinic's id, made with its database; empty for one that never had any."""
    newest_change: int = 0
    newest_audit: int = 0
    audit_hash: str = ""
    """Of the newest audit event: another one under the same number is another past."""
    counters: dict[str, int] = field(default_factory=dict)
    """`CLUSTER DAY` -> last number given out; recent and later days, and the record numbers."""

    def missing_from(self, other: Mark) -> int:
        """Return how many noted changes, events and numbers another look at the database does not find."""
        numbers = sum(max(0, last - other.counters.get(name, 0)) for name, last in self.counters.items())
        return max(
            self.newest_change - other.newest_change, self.newest_audit - other.newest_audit, numbers, 0
        )

    def joined(self, other: Mark) -> Mark:
        """Return all that either knows to have been given out.

        Args:
            other: Another look at the same clinic.
        """
        further = self if self.newest_audit >= other.newest_audit else other
        names = {*self.counters, *other.counters}
        counters = {name: max(self.counters.get(name, 0), other.counters.get(name, 0)) for name in names}
        newest_change = max(self.newest_change, other.newest_change)
        return replace(
            further,
            clinic=self.clinic or other.clinic,
            newest_change=newest_change,
            counters=counters,
        )


def file_of(home: Path) -> Path:
    """Return where the mark stands."""
    return home / FILE


def read(home: Path) -> Mark | None:
    """Return the mark of a data folder, None when there is none.

    Raises:
        DatabaseError: `mark_unreadable`.
    """
    try:
        values = json.loads(file_of(home).read_text("utf-8"))
        values.pop("noted_at", None)
        return Mark(**values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DatabaseError("mark_unreadable", f"{file_of(home)}: {type(error).__name__}") from None


def look(opened: peewee.Database, since: date) -> Mark:
    """Return how far an open database is.

    Args:
        opened: Any of Loket's databases; one without tables is at nothing.
        since: Counters of earlier days are left out.
    """
    if not has_clinic(opened):
        return Mark()
    change = opened.execute_sql("SELECT COALESCE(MAX(sequence), 0) FROM change").fetchone()[0]
    audit = opened.execute_sql(
        "SELECT sequence, hash FROM audit_event ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    counters = opened.execute_sql(
        _placed(
            opened,
            "SELECT cluster, service_on, last_number FROM ticket_counter WHERE service_on >= ? OR service_on = ?",
        ),
        (since.isoformat(), FOREVER.isoformat()),
    ).fetchall()
    return Mark(
        clinic=clinic_id(opened),
        newest_change=int(change),
        newest_audit=int(audit[0]) if audit else 0,
        audit_hash=str(audit[1]) if audit else "",
        counters={f"{cluster} {day}": int(last) for cluster, day, last in counters},
    )


def has_clinic(opened: peewee.Database) -> bool:
    """Return whether a database holds a clinic's tables."""
    return "patient" in opened.get_tables()


def require_clinic(home: Path, url: str) -> None:
    """Refuse a data folder without a clinic, and leave it as it is: whoever only looks makes none.

    Args:
        home: The data folder.
        url: Of the database; only a file can be looked for without being made.

    Raises:
        DatabaseError: `no_clinic`; `database_missing` where there was one.
    """
    require_database_file(home, url)
    file = _file_of_database(url)
    if file is not None and not file.exists():
        raise DatabaseError("no_clinic", str(home))


def clinic_id(opened: peewee.Database) -> str:
    """Return the id of the clinic in a database; empty for one that never had any."""
    row = opened.execute_sql("SELECT value FROM state WHERE key = 'clinic'").fetchone()
    return str(json.loads(row[0])["id"]) if row else ""


def give_identity(opened: peewee.Database, home: Path) -> None:
    """Give a database its clinic's id, if it has none: the one of the data folder's mark, or a new one."""
    if clinic_id(opened):
        return
    mark = read(home)
    value = json.dumps({"id": (mark.clinic if mark else "") or new_id()})
    with opened.atomic():
        opened.execute_sql(_placed(opened, "INSERT INTO state (key, value) VALUES (?, ?)"), ("clinic", value))


def require_database_file(home: Path, url: str) -> None:
    """Refuse to make a database file where a clinic had one.

    Raises:
        DatabaseError: `database_missing`.
    """
    file = _file_of_database(url)
    if file is None or not had_clinic(home):
        return
    if not file.exists() or file.stat().st_size == 0:
        raise DatabaseError("database_missing", str(file))


def _file_of_database(url: str) -> Path | None:
    """Return the file of an SQLite database, None for a server's."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def require_nothing_lost(opened: peewee.Database, home: Path, today: date) -> None:
    """Refuse a database that is empty, another clinic's, or holds less than the mark says.

    Args:
        opened: The database, not migrated yet.
        home: The data folder.
        today: The clinic's day.

    Raises:
        DatabaseError: `database_missing`, `database_other`, `database_less`, `mark_unreadable`, `database_half_moved`.
    """
    require_whole(opened)
    if not has_clinic(opened):
        if had_clinic(home):
            raise DatabaseError("database_missing", str(opened.database))
        return
    mark = read(home)
    if mark is None:
        return
    found = look(opened, min((*_days(mark.counters), today)))
    if mark.clinic and found.clinic and mark.clinic != found.clinic:
        raise DatabaseError("database_other", str(opened.database))
    if missing := mark.missing_from(found):
        raise DatabaseError("database_less", str(missing))
    if not _has_event(opened, mark):
        raise DatabaseError("database_less", "?")


def require_whole(opened: peewee.Database) -> None:
    """Refuse a database into which a clinic was being moved.

    Raises:
        DatabaseError: `database_half_moved`.
    """
    if MOVE_NOTES in opened.get_tables():
        raise DatabaseError("database_half_moved", str(opened.database))


def _has_event(opened: peewee.Database, mark: Mark) -> bool:
    """Return whether the audit event that was the newest is still the same."""
    if not mark.newest_audit:
        return True
    sql = _placed(opened, "SELECT hash FROM audit_event WHERE sequence = ?")
    row = opened.execute_sql(sql, (mark.newest_audit,)).fetchone()
    return row is not None and row[0] == mark.audit_hash


def _days(counters: Mapping[str, int]) -> Iterator[date]:
    days = (date.fromisoformat(name.rpartition(" ")[2]) for name in counters)
    return (day for day in days if day != FOREVER)


def had_clinic(home: Path) -> bool:
    """Return whether a data folder is one in which there was a clinic."""
    return file_of(home).exists() or any(_is_sign(home / name) for name in SIGNS)


def _is_sign(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.exists()


def note(opened: peewee.Database, home: Path, today: date) -> Mark:
    """Write how far the database is, if that is another mark than the one that stands there.

    Processes take turns, so that none puts an older look over a newer one.

    Args:
        opened: The database.
        home: The data folder.
        today: The clinic's day; counters of earlier days are left out.

    Raises:
        OSError: The data folder cannot be written.
    """
    with locked(home / f"{FILE}.lock"):
        found = look(opened, today)
        try:
            standing = read(home)
        except DatabaseError:
            standing = None
        if found != standing:
            _write(home, found)
    return found


def _write(home: Path, mark: Mark) -> None:
    """Replace the mark at once and for good: file and name are flushed to the disk."""
    noted = {**asdict(mark), "noted_at": instant_text(clock.now())}
    write_private(file_of(home), json.dumps(noted).encode())
    sync_folder(home)


def skip_ahead(opened: peewee.Database, mark: Mark, today: date) -> None:
    """Leave numbers out in a database that lost some, so that none is given out twice.

    Args:
        opened: The database that goes on.
        mark: How far it was before the loss.
        today: The clinic's day. Each cluster may have given numbers since the mark was written.
    """
    wanted = {f"{cluster} {today}": 0 for cluster in _clusters(opened)} | _ahead(mark, today)
    newest = max(mark.newest_change, look(opened, today).newest_change)
    with opened.atomic():
        _set_counters(opened, wanted, today, SKIPPED_NUMBERS)
        _skip_changes(opened, newest + SKIPPED_CHANGES)


def go_on_after(opened: peewee.Database, mark: Mark, today: date) -> None:
    """Go on exactly after a mark that is known to hold every number that was given out: none is left out, none twice.

    Args:
        opened: The database that goes on.
        mark: How far it was.
        today: The clinic's day.
    """
    with opened.atomic():
        _set_counters(opened, _ahead(mark, today), today, 0)
        _skip_changes(opened, mark.newest_change + 1)


def _ahead(mark: Mark, today: date) -> dict[str, int]:
    return {name: last for name, last in mark.counters.items() if _is_ahead(name, today)}


def _set_counters(opened: peewee.Database, wanted: Mapping[str, int], today: date, skipped: int) -> None:
    """Let each counter go on after what was given out, and leave some numbers out."""
    found = look(opened, today).counters
    for name, last in wanted.items():
        number = max(last, found.get(name, 0)) + skipped
        _set_counter(opened, name, number, is_there=name in found)


def _clusters(opened: peewee.Database) -> list[str]:
    """Return the codes of the clusters that ever gave a number."""
    sql = "SELECT DISTINCT cluster FROM ticket_counter WHERE service_on <> ?"
    return [row[0] for row in opened.execute_sql(_placed(opened, sql), (FOREVER.isoformat(),)).fetchall()]


def _is_ahead(name: str, today: date) -> bool:
    day = date.fromisoformat(name.rpartition(" ")[2])
    return day >= today or day == FOREVER


def _set_counter(opened: peewee.Database, name: str, number: int, *, is_there: bool) -> None:
    cluster, _, day = name.rpartition(" ")
    if is_there:
        sql = "UPDATE ticket_counter SET last_number = ? WHERE cluster = ? AND service_on = ?"
    else:
        sql = "INSERT INTO ticket_counter (last_number, cluster, service_on) VALUES (?, ?, ?)"
    opened.execute_sql(_placed(opened, sql), (number, cluster, day))


def _skip_changes(opened: peewee.Database, sequence: int) -> None:
    """Go on with the feed above a sequence: panes take the event as a reason to read everything again."""
    sql = "INSERT INTO change (sequence, kind, data, at) VALUES (?, ?, ?, ?)"
    values = (sequence, "day_closed", "{}", instant_text(clock.now()))
    opened.execute_sql(_placed(opened, sql), values)
    if opened.param != "?":  # PostgreSQL counts apart from the rows
        opened.execute_sql(f"SELECT setval(pg_get_serial_sequence('change', 'sequence'), {sequence})")


def _placed(opened: peewee.Database, sql: str) -> str:
    """Return a statement with the database's own place holders."""
    return sql.replace("?", opened.param)


def put_aside(home: Path, stamp: str, others: Iterable[Path] = ()) -> Path:
    """Move what belonged to the earlier clinic into a folder of its own, and return that: nothing is deleted.

    Args:
        home: The data folder.
        stamp: Tells this folder from others of its kind.
        others: Further files to move, if they are there.
    """
    folder = home / f"before-{stamp}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in (*(home / name for name in OLD_FILES), *others):
        if path.exists():
            path.rename(folder / path.name)
    return folder

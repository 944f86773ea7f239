"""Log of reads, of who was shown whom and of what was asked: a log of its own, so that no read waits for the records' writer.

Rows of all threads go through one writer, which commits many at once into `audit_reads.sqlite3` beside
the database; an answer waits for its batch. The chain is keyed and its head kept outside like that of
changes (`core.foundation.audit`). Without a row there is no answer, but for a patient in one's own queue:
when the disk is full such rows go into a reserve set aside beforehand, and are carried in later.
"""

from __future__ import annotations

import contextvars
import json
import logging
import os
import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import apsw

from core.foundation import audit_protection, clock
from core.foundation.audit_chain import (
    BROKEN,
    EMPTY,
    GENESIS,
    KEYED,
    UNPROTECTED,
    Seal,
    chained,
    contradiction,
)
from core.foundation.audit_files import AuditKey, Head, HeadFile
from core.foundation.database import document_text, instant_text
from core.foundation.errors import DatabaseError
from core.foundation.permissions import Actor

log = logging.getLogger(__name__)

READS_FILE = "audit_reads.sqlite3"
HEAD_FILE = "audit_reads.head"
RESERVE_FILE = "audit_reads.reserve"
RESERVE_BYTES = 2 * 2**20  # some 5,000 rows: a day's care
RESERVE_PAGE = 4096  # bytes of it that are read at once: an empty one is seen by the first
BATCH = 256  # rows committed at once
WAIT_SECONDS = 30.0  # an answer waits no longer for its row
BUSY_MILLISECONDS = 10_000  # another process may be writing its rows
PANES_REMEMBERED = 50_000  # accounts, panes and persons of a day, far beyond any clinic's

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS read_event (sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, account_id TEXT,"
    " origin TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, patient_id TEXT,"
    " detail TEXT NOT NULL, record_version INTEGER, record_hash TEXT, previous_hash TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS read_person (patient_id TEXT NOT NULL, sequence INTEGER NOT NULL,"
    " PRIMARY KEY (patient_id, sequence)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS read_event_account ON read_event (account_id, sequence)",
)
COLUMNS = (
    "sequence", "at", "account_id", "origin", "action", "kind", "target", "patient_id", "detail", "record_version",
    "record_hash", "previous_hash", "hash",
)  # fmt: skip


@dataclass
class _Read:
    """One row to write, and who waits for it."""

    row: dict[str, Any]
    people: list[str]
    is_care: bool
    written: Future[None] = field(default_factory=Future)


class ReadLog:
    """The log of reads of one clinic."""

    def __init__(self, home: Path, key: AuditKey) -> None:
        self.path = home / READS_FILE
        self.head = HeadFile(home / HEAD_FILE, key)
        self.reserve = Reserve(home / RESERVE_FILE)
        self.key = key
        self._waiting: queue.SimpleQueue[_Read | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._writer: threading.Thread | None = None
        self._file: apsw.Connection | None = None
        self._known_key: str | None = None
        """Fingerprint of the key that the newest rows of the open file were made with, once it was looked for."""
        self._is_protected = False
        """True once the triggers of the open file were looked at."""
        self._panes: set[tuple[str, str, str, str]] = set()
        self.is_restored = False
        """Whether a backup was restored just before: the log it brought has no head yet."""

    def write(self, row: dict[str, Any], people: Sequence[str], *, is_care: bool = False) -> None:
        """Write one row and wait until it is on the disk.

        Args:
            row: The row's columns but number and hashes.
            people: Ids of the patients who are shown.
            is_care: Whether the reserve takes the row when the disk is full.

        Raises:
            DatabaseError: `disk_full` or what else kept the row from being written: there is no answer then.
        """
        read = _Read(row, list(dict.fromkeys(people)), is_care)
        with self._guard:
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._run, name="audit-reads", daemon=True)
                self._writer.start()
        self._waiting.put(read)
        try:
            read.written.result(WAIT_SECONDS)
        except TimeoutError:
            raise DatabaseError("database_busy", READS_FILE) from None

    def newly_shown(self, account_id: str, cluster: str, day: str, people: Iterable[str]) -> list[str]:
        """Return those of a pane's patients whom the account has not been shown in it on this day.

        Args:
            account_id: Who sees the pane.
            cluster: Whose pane.
            day: The day that it shows.
            people: Everybody on it.
        """
        with self._guard:
            if len(self._panes) > PANES_REMEMBERED:
                self._panes.clear()
            return [
                id_ for id_ in dict.fromkeys(people) if (account_id, cluster, day, id_) not in self._panes
            ]

    def remember_shown(self, account_id: str, cluster: str, day: str, people: Iterable[str]) -> None:
        """Remember that their row is written.

        Args:
            account_id: Who sees the pane.
            cluster: Whose pane.
            day: The day that it shows.
            people: Whom the row names.
        """
        with self._guard:
            self._panes.update((account_id, cluster, day, id_) for id_ in people)

    def look_at_protection(self) -> None:
        """Look once more, with the next row, whether the file refuses changes of what is there."""
        self._is_protected = False

    def close(self) -> None:
        """End the writer."""
        if self._writer is not None and self._writer.is_alive():
            self._waiting.put(None)
            self._writer.join(WAIT_SECONDS)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch = [first]
            while len(batch) < BATCH and not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    self._waiting.put(None)
                    break
                batch.append(more)
            self._commit_or_tell(batch)
        if self._file is not None:
            self._file.close()
            self._file = self._known_key = None
            self._is_protected = False

    def _commit_or_tell(self, batch: list[_Read]) -> None:
        try:
            self._commit([(read.row, read.people) for read in batch])
        except Exception as error:  # whatever it is: those who wait must be told
            log.error("the log of reads cannot be written: %s", type(error).__name__)
            self._forget_file()
            for read in batch:
                self._spare(read, _told(error))
            return
        for read in batch:
            read.written.set_result(None)

    def _spare(self, read: _Read, error: DatabaseError) -> None:
        """Take a row of care into the reserve; otherwise its answer is refused."""
        try:
            if read.is_care and self.reserve.add(
                {**read.row, "at": instant_text(read.row["at"])}, read.people
            ):
                read.written.set_result(None)
                return
        except OSError:
            log.error("the reserve of the log of reads cannot be written")
        read.written.set_exception(error)

    def _forget_file(self) -> None:
        """Open the file anew at the next batch; a transaction that is open ends with it."""
        if self._file is not None:
            self._file.close(True)
            self._file = self._known_key = None
            self._is_protected = False

    def _opened(self) -> apsw.Connection:
        if self._file is None:
            is_new = not self.path.exists() and not self.head.exists()
            self._file = file = apsw.Connection(str(self.path))
            file.set_busy_timeout(BUSY_MILLISECONDS)
            file.execute("PRAGMA journal_mode=WAL").fetchall()
            file.execute("PRAGMA synchronous=FULL")
            for statement in SCHEMA:
                file.execute(statement)
            if is_new or (self.is_restored and not self.head.exists()):
                self.head.replace(Head(*last_row(file)))
            self.reserve.make()
        return self._file

    def _commit(self, reads: list[tuple[dict[str, Any], list[str]]]) -> None:
        file = self._opened()
        spared = self.reserve.rows()
        with file:  # a transaction
            file.execute(
                "UPDATE read_event SET sequence = 0 WHERE 0"
            )  # takes the writer's place before it reads
            sequence, previous = last_row(file)
            rows = [(row, people) for row, people in (*spared, *reads)]
            broken = contradiction(self.head, sequence, previous, lambda number: hash_at(file, number))
            about = {"at": clock.now(), "account": None, "origin": "", **EMPTY}
            if gone := self._protect(file, is_new=sequence == 0):
                rows.insert(0, ({**about, "action": UNPROTECTED, "detail": {"triggers": gone}}, []))
            if broken is not None:
                rows.insert(0, ({**about, "action": BROKEN, "detail": broken}, []))
            if (
                self._known_key != self.key.fingerprint
                and (known := _known_key(file)) != self.key.fingerprint
            ):
                lost = {"key_lost": True} if known else {}
                begin = {"key": self.key.fingerprint, **_seal(file).document(), **lost}
                rows.insert(0, ({**about, "action": KEYED, "detail": begin}, []))
            events = chained(
                self.key, [_with_people(row, people) for row, people in rows], sequence, previous
            )
            for event, (_row, people) in zip(events, rows, strict=True):
                file.execute(_INSERT, [_stored(event, name) for name in COLUMNS])
                file.executemany(
                    "INSERT INTO read_person VALUES (?, ?)", [(id_, event["sequence"]) for id_ in people]
                )
        self._known_key = self.key.fingerprint
        self._is_protected = True
        newest = Head(events[-1]["sequence"], events[-1]["hash"])
        (self.head.advance if broken is None else self.head.replace)(newest)
        if spared:
            self.reserve.clear()

    def _protect(self, file: apsw.Connection, *, is_new: bool) -> list[str]:
        """Have the file refuse changes of what is there; return the triggers that were gone from one that had them."""
        if self._is_protected:
            return []
        lost = audit_protection.lost_on_sqlite(audit_protection.READS, file.execute)
        audit_protection.put_back_on_sqlite(lost, file.execute)
        return [] if is_new else sorted(lost)


_INSERT = f"INSERT INTO read_event ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608


def _with_people(row: Mapping[str, Any], people: list[str]) -> dict[str, Any]:
    """Return a row whose hash covers who was shown."""
    return {**row, "detail": {**row["detail"], **({"patients": people} if people else {})}}


def _stored(event: Mapping[str, Any], name: str) -> Any:
    if name == "at":
        return instant_text(event["at"])
    if name == "detail":
        return document_text(event["detail"])
    return event["account" if name == "account_id" else name]


def last_row(file: apsw.Connection) -> tuple[int, str]:
    """Return number and hash of the newest row."""
    found = file.execute("SELECT sequence, hash FROM read_event ORDER BY sequence DESC LIMIT 1").fetchall()
    return (int(str(found[0][0])), str(found[0][1])) if found else (0, GENESIS)


def hash_at(file: apsw.Connection, sequence: int) -> str:
    """Return the hash of one row; empty when it is not there."""
    found = file.execute("SELECT hash FROM read_event WHERE sequence = ?", (sequence,)).fetchall()
    return str(found[0][0]) if found else ""


def _known_key(file: apsw.Connection) -> str | None:
    query = "SELECT detail FROM read_event WHERE action = ? ORDER BY sequence DESC LIMIT 1"
    found = file.execute(query, (KEYED,)).fetchall()
    return str(json.loads(str(found[0][0])).get("key")) if found else None


def _seal(file: apsw.Connection) -> Seal:
    seal = Seal()
    for sequence, hash_ in file.execute("SELECT sequence, hash FROM read_event ORDER BY sequence"):
        seal.add(sequence, hash_)
    return seal


def _told(error: Exception) -> DatabaseError:
    if isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno == 28):
        return DatabaseError("disk_full", READS_FILE)
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        return DatabaseError("database_damaged", READS_FILE)
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return DatabaseError("database_busy", READS_FILE)
    return DatabaseError("disk_full" if isinstance(error, apsw.IOError) else "database_denied", READS_FILE)


class Reserve:
    """Room on the disk set aside beforehand, for the rows of care while the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()

    def is_whole(self) -> bool:
        """Return whether all of the room is set aside."""
        return self._path.exists() and self._path.stat().st_size >= RESERVE_BYTES

    def make(self) -> None:
        """Set the room aside, where it is not yet."""
        if self.is_whole():
            return
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(handle, 0, RESERVE_BYTES)
            os.fsync(handle)
        finally:
            os.close(handle)

    def add(self, row: Mapping[str, Any], people: Sequence[str]) -> bool:
        """Write one row into the room; return whether it had place."""
        line = json.dumps([row, list(people)], separators=(",", ":")).encode() + b"\n"
        with self._guard:
            used = len(self._content())
            if not self._path.exists() or used + len(line) > RESERVE_BYTES:
                return False
            handle = os.open(self._path, os.O_WRONLY)
            try:
                os.pwrite(handle, line, used)
                os.fsync(handle)
            finally:
                os.close(handle)
        return True

    def rows(self) -> list[tuple[dict[str, Any], list[str]]]:
        """Return the rows that wait to be carried into the log."""
        with self._guard:
            lines = self._content().decode("utf-8", "replace").splitlines()
        found = []
        for line in lines:
            row, people = json.loads(line)
            row["at"] = datetime.fromisoformat(row["at"])
            found.append(({**row, "detail": {**row["detail"], "carried_in": True}}, people))
        return found

    def clear(self) -> None:
        """Make the room free again."""
        with self._guard:
            used = len(self._content())
            handle = os.open(self._path, os.O_WRONLY)
            try:
                os.pwrite(handle, bytes(used), 0)
                os.fsync(handle)
            finally:
                os.close(handle)

    def _content(self) -> bytes:
        """Return what is written into the room; each batch asks, so that no more of it is read than that."""
        parts = []
        try:
            with self._path.open("rb", buffering=0) as file:
                while part := file.read(RESERVE_PAGE):
                    written, zero, _room = part.partition(b"\0")
                    parts.append(written)
                    if zero:
                        break
        except FileNotFoundError:
            return b""
        return b"".join(parts)


_open: list[ReadLog] = []
_written: contextvars.ContextVar[set[str] | None] = contextvars.ContextVar(
    "audit_reads_written", default=None
)
"""Patients of whom the running request has written a row."""


def open_log(home: Path, key: AuditKey) -> None:
    """Take the clinic's log of reads; what another clinic had open in this process is closed."""
    while _open:
        _open.pop().close()
    _open.append(ReadLog(home, key))


def reads() -> ReadLog:
    """Return the open clinic's log.

    Raises:
        RuntimeError: No clinic is open: a defect of the caller.
    """
    if not _open:
        raise RuntimeError("no log of reads is open")
    return _open[0]


def begin_request() -> set[str]:
    """Begin to remember whose reads are written; return the ids, which fill while the request runs."""
    ids: set[str] = set()
    _written.set(ids)
    return ids


def note_written(people: Iterable[str | None]) -> None:
    """Note that rows of either log name these patients: the running request owes none for them."""
    if (known := _written.get()) is not None:
        known.update(id_ for id_ in people if id_)


def shown(
    actor: Actor | None,
    action: str,
    people: Sequence[str],
    *,
    kind: str = "patient",
    target: str = "",
    is_care: bool = False,
    asked: Mapping[str, Any] | None = None,
) -> None:
    """Write that somebody was shown patients; return when the row is on the disk.

    Args:
        actor: Who.
        action: Past tense: `patients_searched`, `pane_read`.
        people: Ids of the patients shown; none for a search that found nobody.
        kind: What `target` is.
        target: Its id; the patient's own where one alone was asked for.
        is_care: The patients are in the actor's own queue: a full disk does not stop the answer.
        asked: What was asked, JSON-safe: the search words as typed, a date, a reason.

    Raises:
        DatabaseError: The row cannot be written: there is no answer.
    """
    row = {
        "at": clock.now(),
        "account": actor.account_id if actor else None,
        "origin": (actor.origin if actor else "")[:80],
        **EMPTY,
        "action": action,
        "kind": kind,
        "target": target,
        "patient_id": people[0] if len(people) == 1 else None,
        "detail": dict(asked or {}),
    }
    reads().write(row, people, is_care=is_care)
    note_written(people)


def pane_shown(actor: Actor, account_id: str, cluster: str, day: str, people: Sequence[str]) -> None:
    """Write whom a pane shows an account for the first time that day; a repaint writes nothing.

    Args:
        actor: Who asked: the person, or the door in whose process the pane is.
        account_id: Who sees the pane.
        cluster: Whose pane.
        day: The clinic's day that it shows.
        people: Everybody on it.

    Raises:
        DatabaseError: The row cannot be written, in the reserve neither.
    """
    known = reads()
    new = known.newly_shown(account_id, cluster, day, people)
    if not new:
        return
    row = {
        "at": clock.now(),
        "account": account_id,
        "origin": actor.origin[:80],
        **EMPTY,
        "action": "pane_read",
        "kind": "pane",
        "target": cluster,
        "patient_id": new[0] if len(new) == 1 else None,
        "detail": {"day": day},
    }
    known.write(row, new, is_care=True)
    known.remember_shown(account_id, cluster, day, new)

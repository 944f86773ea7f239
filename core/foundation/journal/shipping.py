"""Carries records from the database to the second place, in the order of their numbers, whichever process made them.

A thread of its own writes and syncs all records that wait, so that a place that hangs holds up nobody but that
thread: whoever has committed waits for it half a second at most. Then the place is set aside; the thread goes on
trying, and the counters go on without waiting until everything that was recorded meanwhile is there.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import apsw

from core.foundation import logs
from core.foundation.database import note_superseded
from core.foundation.errors import BackupError, JournalError
from core.foundation.journal import epochs, positions, proof_keys, standbys
from core.foundation.journal.frames import Segment, encoded, frames_of, segment_name, segments_in
from core.foundation.journal.positions import Position
from core.foundation.journal.recovery_recipient import recipient_of
from core.foundation.journal.second_place import SecondPlace
from core.foundation.private_files import locked, sync_folder

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
"""Longest wait of whoever has committed for the second place, before that is set aside."""
PROBE_SECONDS = 2.0
"""Between two looks at a place that is set aside, and at one where nothing has to be written."""
BUSY_MILLISECONDS = 10_000
SEGMENT_BYTES = 16 * 1024 * 1024
"""Size from which on a file is not appended to any more."""
BATCH_BYTES = 8 * 1024 * 1024
"""Written with one sync."""
TURN_FILE = "journal.turn"
"""Lock between processes; it holds how far the newest file is."""


@dataclass(frozen=True)
class Tail:
    """The end of a line on the second place."""

    line: str = ""
    number: int = 0
    """Of the newest whole record; 0 when there is none."""
    file: str = ""
    """Name of the newest file; empty when the next record begins one."""
    size: int = 0
    """Of that file, in bytes."""
    keys: tuple[str, ...] = ()
    """Names of the secrets that the file holds."""


class Shipper:
    """Brings one database's records to the second place, for all threads of this process."""

    def __init__(self, place: SecondPlace, database: Path) -> None:
        self.place = place
        self._database = database
        self._news = threading.Condition()
        self._shipped = Position("", 0, 0)
        self._aside = ""
        self._is_asked = False
        self._ending = False
        self._thread: threading.Thread | None = None

    @property
    def set_aside(self) -> str:
        """The reason for not waiting for the place, as a code; empty while it is in step."""
        return self._aside

    def on_place(self, line: str) -> int:
        """Return the number up to which a line's records are known to be on the place.

        Args:
            line: The line.
        """
        shipped = self._shipped
        return shipped.number if shipped.line == line else 0

    def start(self) -> None:
        """Begin to ship what waits, and to look at the place from time to time."""
        with self._news:
            self._ending = False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="loket-journal", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread, unless the place holds it up."""
        with self._news:
            thread, self._thread, self._ending = self._thread, None, True
            self._news.notify_all()
        if thread is not None:
            thread.join(timeout=WAIT_SECONDS)

    def wait(self, wanted: Position) -> None:
        """Wait until a record is on the place; not at all while that is set aside.

        Args:
            wanted: The record's position.
        """
        self.start()
        with self._news:
            self._is_asked = True
            self._news.notify_all()
            if self._aside:
                return
            if not self._news.wait_for(lambda: bool(self._aside) or self._has(wanted), WAIT_SECONDS):
                self._put_aside("place_slow")

    def _has(self, wanted: Position) -> bool:
        """Return whether a record is there, or belongs to a line that has ended since: its base holds it."""
        return self._shipped.line > wanted.line or self.on_place(wanted.line) >= wanted.number

    def _put_aside(self, why: str) -> None:
        if not self._aside:
            log.error("the journal's second place is set aside: %s", why)
        self._aside = why
        self._news.notify_all()

    def _run(self) -> None:
        carrier = Carrier(self.place, self._database)
        while not self._ending:
            with self._news:
                self._news.wait_for(
                    lambda: self._ending or (self._is_asked and not self._aside), PROBE_SECONDS
                )
                self._is_asked = False
            try:
                self._note(carrier.ship())
            except Exception as error:
                # The thread's edge: whatever the place does, the counters go on and the admin is told.
                carrier.close()
                log.debug("journal: %s", logs.describe_failure(error))
                if code_of(error) == "superseded":
                    note_superseded(getattr(error, "detail", ""))  # first: whoever waits looks after waking
                with self._news:
                    self._put_aside(code_of(error))
        carrier.close()

    def _note(self, shipped: Position | None) -> None:
        with self._news:
            if shipped is not None:
                self._shipped = shipped
            if self._aside:
                log.warning("the journal's second place is in step again")
            self._aside = ""
            self._news.notify_all()


def code_of(error: Exception) -> str:
    """Return why the place could not be used, as a code."""
    if isinstance(error, JournalError):
        return error.code
    if isinstance(error, BackupError):
        return error.reason
    return "place_failed"


class Carrier:
    """Ships for one thread, which keeps its connection and its lock file open."""

    def __init__(self, place: SecondPlace, database: Path) -> None:
        self._place = place
        self._database = database
        self._connection: Any = None

    def close(self) -> None:
        """Give the connection back; the next shipping opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ship(self) -> Position | None:
        """Write every record that waits to the place, with one sync for all of a batch.

        Returns:
            The position up to which all is there now; None when the database has no line.

        Raises:
            JournalError: The place is not there, or is another; `journal_gap`: records are missing between the place
                and the database, and the line was ended; `journal_ahead`: the place holds more than the database;
                `superseded`: another machine took over.
            OSError: The place cannot be read or written.
        """
        if self._connection is None:
            self._connection = _opened(self._database)
        with taking_turn(self._place.home) as turn:
            while True:
                shipped, is_all = self._ship_batch(turn)
                if is_all:
                    self._require_newest(is_there=shipped is not None)
                    return shipped

    def _require_newest(self, *, is_there: bool) -> None:
        """Refuse what was written where another machine took over meanwhile.

        Looked at after the records are on the place: whoever takes over writes its epoch first and reads the journal
        after, so that of a record that it has not seen the epoch is seen here.
        """
        if not is_there:
            try:
                self._place.require()
            except JournalError:
                return  # told where something has to be written
        epochs.require_newest(self._place.folder, self._connection, self._place.home)

    def _ship_batch(self, turn: Turn) -> tuple[Position | None, bool]:
        """Ship some records; return how far that is, and whether none wait."""
        position = positions.read(self._connection)
        if position is None:
            return None, True
        self._place.require()
        tail = _tail(self._place, position.line, turn)
        with self._connection:  # one look: position and records belong together
            position = positions.read(self._connection)
            batch = _waiting(self._connection, tail.number)
        if position is None or position.line != tail.line:
            return position, False
        if tail.number > position.number:
            raise JournalError("journal_ahead", str(tail.number - position.number))
        if tail.number < position.number and not (batch and batch[0].number == tail.number + 1):
            self._end_line(position)
            raise JournalError("journal_gap", f"{tail.number} {position.number}")
        if batch:
            tail = _appended(self._place, tail, batch)
            turn.note(tail)
        return replace(position, number=tail.number), tail.number >= position.number

    def _end_line(self, position: Position) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            found = positions.read(self._connection)
            if found is not None and found.line == position.line:
                positions.end_line(self._connection)
        self._connection.execute("COMMIT")


@dataclass(frozen=True)
class WaitingFrame:
    """One row of the database that is not on the place."""

    number: int
    frame: bytes

    @property
    def key(self) -> str:
        """The name of the secret that sealed it."""
        return str(json.loads(self.frame[: self.frame.index(b"\n")])["key"])


def _waiting(connection: Any, after: int) -> list[WaitingFrame]:
    """Return the oldest records that wait, about `BATCH_BYTES` of them, whole records only."""
    found: list[WaitingFrame] = []
    size = 0
    rows = connection.execute(
        "SELECT number, frame FROM journal_record WHERE number > ? ORDER BY number, part",
        (after,),
    )
    for number, frame in rows:
        if size > BATCH_BYTES and number != found[-1].number:
            break
        found.append(WaitingFrame(number, frame))
        size += len(frame)
    rows.close()
    return found


def _appended(place: SecondPlace, tail: Tail, batch: list[WaitingFrame]) -> Tail:
    """Append records to the newest file, or to a new one, and have the disk keep them."""
    is_new = not tail.file or tail.size >= SEGMENT_BYTES
    name = _free_name(place, tail.line, batch[0].number) if is_new else tail.file
    keys = () if is_new else tail.keys
    needed = sorted({row.key for row in batch} - set(keys))
    content = _key_frames(place, needed) + b"".join(row.frame for row in batch)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if is_new else 0)
    handle = os.open(place.folder / name, flags, 0o600)
    try:
        _write_all(handle, content)
        os.fsync(handle)
        size = os.fstat(handle).st_size
    finally:
        os.close(handle)
    if is_new:
        sync_folder(place.folder)
    return Tail(tail.line, batch[-1].number, name, size, (*keys, *needed))


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def _key_frames(place: SecondPlace, names: Sequence[str]) -> bytes:
    """Return secrets as key frames for the recovery key and the paired standbys: each file opens by itself.

    Raises:
        JournalError: `journal_key`: a record was sealed with a secret that is not there any more.
    """
    if not names:
        return b""
    home = place.home
    recipients = [recipient_of(home), *standbys.recipients(place.folder, home)]
    known = {key.name: key for key in proof_keys.kept(home)}
    if missing := [name for name in names if name not in known]:
        raise JournalError("journal_key", missing[0])
    return b"".join(encoded(None, name, proof_keys.wrapped(known[name], home, recipients)) for name in names)


def _free_name(place: SecondPlace, line: str, first: int) -> str:
    attempt = 0
    while (place.folder / (name := segment_name(place.facility, line, first, attempt))).exists():
        attempt += 1
    return name


def _tail(place: SecondPlace, line: str, turn: Turn) -> Tail:
    """Return the end of a line on the place: as noted, if its file is still as it was, otherwise looked for."""
    noted = turn.noted()
    if noted.line == line and noted.file:
        try:
            if (place.folder / noted.file).stat().st_size == noted.size:
                return noted
        except FileNotFoundError:
            pass
    return tail_of(place, line)


def tail_of(place: SecondPlace, line: str) -> Tail:
    """Look for the end of a line on the place.

    Args:
        place: The second place.
        line: The line.

    Raises:
        OSError: The place cannot be read.
    """
    for segment in reversed(segments_in(place.folder, place.facility, line)):
        found = _end_of(segment)
        if found.number:
            return found
    return Tail(line)


def _end_of(segment: Segment) -> Tail:
    """Return the end of one file; without its name when something was cut off there."""
    number = end = 0
    keys: list[str] = []
    with segment.path.open("rb") as reader:
        for frame in frames_of(reader):
            if frame.header is None:
                keys.append(frame.key)
            elif frame.header.is_last:
                number, end = frame.header.number, frame.end
        is_whole = os.fstat(reader.fileno()).st_size == end
    return Tail(segment.line, number, segment.path.name if is_whole else "", end, tuple(keys))


def _opened(database: Path) -> Any:
    """Return a connection that makes no database."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    return connection


class Turn:
    """The lock between processes, and the note in it of how far the newest file is."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def noted(self) -> Tail:
        """Return the tail as the last process left it; an empty one when that is not known."""
        try:
            values = json.loads(os.pread(self._handle, 4096, 0))
            return Tail(**{**values, "keys": tuple(values["keys"])})
        except (ValueError, TypeError, KeyError):
            return Tail()

    def note(self, tail: Tail) -> None:
        """Leave the tail for the next one."""
        os.pwrite(self._handle, json.dumps(asdict(tail)).ljust(1000).encode(), 0)


@contextmanager
def taking_turn(home: Path) -> Iterator[Turn]:
    """Let no other process ship meanwhile.

    Args:
        home: The data folder.
    """
    with locked(home / TURN_FILE) as handle:
        yield Turn(handle)

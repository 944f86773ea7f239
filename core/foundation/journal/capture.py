"""Takes the changeset of each transaction before its COMMIT, and keeps it in the same transaction.

SQLite's session extension says what a transaction changed. The counter moves on and the sealed changeset becomes a row
of `journal_record` inside that transaction, so that neither is ever without the other, whichever process writes and
wherever it is killed. `core.foundation.journal.shipping` carries the rows to the second place.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, Protocol

import apsw

from core.foundation import clock
from core.foundation.database import instant_text
from core.foundation.journal import positions, proof_keys
from core.foundation.journal.frames import RecordHeader, encoded
from core.foundation.journal.positions import RECORDS, Position
from core.foundation.journal.proof_keys import ProofKey

log = logging.getLogger(__name__)

SPILL_BYTES = 1024 * 1024
"""Changesets above this size go through a file, not through memory."""
PART_BYTES = 256 * 1024
SPOOL_BYTES = 64 * 1024 * 1024
"""Records that may wait for the second place. Beyond it the line ends, and the place gets a new base when it is back."""
LOOKED_EVERY = 32
"""Records between two looks at the size of what waits."""


class Ships(Protocol):
    """Takes what is captured to the second place."""

    def on_place(self, line: str) -> int:
        """Return the number up to which a line's records are known to be there."""

    def wait(self, wanted: Position) -> None:
        """Wait until a record is there, or will be later."""


class ShipsLater:
    """Leaves what is captured in the database, for the next start to ship: nobody is served yet."""

    def on_place(self, line: str) -> int:
        """Return 0: nothing is known to be there."""
        return 0

    def wait(self, wanted: Position) -> None:
        """Go on at once."""


class Capture:
    """Watches the transactions of one database, for all threads of this process."""

    def __init__(self, home: Path, shipper: Ships) -> None:
        self._home = home
        self._shipper = shipper
        self._local = threading.local()
        self._is_passed_by = False
        self._key: tuple[int, ProofKey] | None = None

    def begun(self, connection: Any) -> None:
        """Begin to record what a transaction changes."""
        session = apsw.Session(connection, "main")
        session.table_filter(_is_journaled)
        session.attach()
        self._local.session = session

    def committing(self, connection: Any) -> None:
        """Move the counter on and keep the changeset, in the transaction that is about to commit.

        Raises:
            apsw.Error: The database cannot be written; the transaction fails as a whole.
        """
        session, self._local.session = getattr(self._local, "session", None), None
        self._local.kept = None
        if session is None:
            return
        try:
            if not session.is_empty:
                self._local.kept = self._keep(connection, session)
        finally:
            session.close()
        self._local.is_watched = True

    def writing(self) -> None:
        """Notice a statement that commits by itself: no changeset holds it, so the next transaction ends the line."""
        if not getattr(self._local, "is_watched", False):
            log.error("something was written past the journal")
            self._is_passed_by = True

    def committed(self) -> None:
        """Go on to the next transaction."""
        self._local.is_watched = False

    def undone(self) -> None:
        """Forget a transaction that was rolled back."""
        session, self._local.session = getattr(self._local, "session", None), None
        self._local.kept, self._local.is_watched = None, False
        if session is not None:
            session.close()

    def settle(self) -> None:
        """Wait until what this thread has committed is on the second place, or that place is set aside."""
        kept: Position | None = getattr(self._local, "kept", None)
        self._local.kept = None
        if kept is not None:
            self._shipper.wait(kept)

    def _keep(self, connection: Any, session: Any) -> Position | None:
        position = positions.read(connection)
        if position is None:
            return None  # a base is due, which begins a line
        if why := self._why_ended(connection, position):
            log.warning("the journal needs a new base: %s", why)
            positions.end_line(connection)
            return None
        position = replace(position, number=position.number + 1)
        positions.write(connection, position)
        self._store(connection, position, session)
        connection.execute(
            "DELETE FROM journal_record WHERE number <= ?", (self._shipper.on_place(position.line),)
        )
        return position

    def _why_ended(self, connection: Any, position: Position) -> str:
        """Return why the line cannot go on, empty when it can."""
        if self._is_passed_by:
            self._is_passed_by = False
            return "something was written past it"
        if positions.schema_of(connection) != position.schema:
            return "the schema has changed"
        if self._current_key() is None:
            return "its key is not there"
        if position.number % LOOKED_EVERY == 0 and _waiting_bytes(connection) > SPOOL_BYTES:
            return "the second place was away for too long"
        return ""

    def _current_key(self) -> ProofKey | None:
        """Return the current secret, read again when another process has made a new one."""
        try:
            changed_at = (self._home / proof_keys.FILE).stat().st_mtime_ns
        except OSError:
            return None
        if self._key is None or self._key[0] != changed_at:
            kept = proof_keys.kept(self._home)
            self._key = (changed_at, kept[0]) if kept else None
        return self._key[1] if self._key is not None else None

    def _store(self, connection: Any, position: Position, session: Any) -> None:
        """Seal the changeset in parts, and put them where the shipper finds them."""
        key = self._current_key()
        assert key is not None
        at = instant_text(clock.now())
        with SpooledTemporaryFile(max_size=SPILL_BYTES, dir=str(self._home)) as spool:
            session.changeset_stream(_writing(spool.write))
            parts = max(1, -(-spool.tell() // PART_BYTES))
            spool.seek(0)
            for part in range(1, parts + 1):
                after = position.after if position.number == 1 else ""
                header = RecordHeader(position.line, position.number, part, parts, at, key.name, after)
                sealed = key.sealed(spool.read(PART_BYTES), header.text())
                connection.execute(
                    "INSERT INTO journal_record (number, part, frame) VALUES (?, ?, ?)",
                    (position.number, part, encoded(header, key.name, sealed)),
                )


def _is_journaled(table: str) -> bool:
    return table != RECORDS


def _writing(write: Callable[[bytes], Any]) -> Callable[[Any], None]:
    """Return what the session extension calls with each piece."""

    def take(piece: Any) -> None:
        write(bytes(piece))

    return take


def _waiting_bytes(connection: Any) -> int:
    return int(connection.execute("SELECT COALESCE(SUM(LENGTH(frame)), 0) FROM journal_record").fetchone()[0])

"""The open store of a counter's machine: the clinic's own database in memory, each transaction sealed on the disk first."""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path
from typing import Any

import apsw

from core.counters.sealed_store import SealedStore
from core.foundation.audit_files import KEY_FILE, RESTORED_FILE
from core.foundation.database import Sqlite, alone, database, document_text
from core.foundation.errors import DatabaseError
from core.foundation.private_files import write_private

log = logging.getLogger(__name__)

DATABASE_FILE = "loket.sqlite3"
KEY_TABLE = "counter_file"
"""Table of the store with the small files that the core keeps beside its database: they must not lie on the disk."""
KEPT_FILES = (KEY_FILE,)
_FILES = f"SELECT name, content FROM {KEY_TABLE}"  # noqa: S608  # a constant


class StoreWatcher:
    """Seals what each transaction changes before it commits, for all threads of this process."""

    def __init__(self, store: SealedStore) -> None:
        self._store = store
        self._local = threading.local()
        self._one_at_a_time = threading.Lock()
        self._is_passed_by = False

    def begun(self, connection: Any) -> None:
        """Begin to record what a transaction changes."""
        session = apsw.Session(connection, "main")
        session.attach()
        self._local.session = session

    def committing(self, connection: Any) -> None:
        """Put the changeset on the disk, sealed.

        Raises:
            DatabaseError: The disk cannot be written; the transaction fails as a whole.
        """
        session, self._local.session = getattr(self._local, "session", None), None
        if session is None:
            return
        try:
            if not session.is_empty:
                self._keep(session.changeset())
        finally:
            session.close()
        self._local.is_watched = True

    def _keep(self, change: bytes) -> None:
        try:
            with self._one_at_a_time:
                self._store.append(change)
        except OSError as error:
            reason = "disk_full" if error.errno == 28 else "disk_error"  # ENOSPC
            raise DatabaseError(reason, error.strerror or "") from None

    def writing(self) -> None:
        """Notice a statement that commits by itself: no changeset holds it, so the store is copied anew."""
        if not getattr(self._local, "is_watched", False):
            self._is_passed_by = True

    def committed(self) -> None:
        """Go on to the next transaction."""
        self._local.is_watched = False

    def undone(self) -> None:
        """Forget a transaction that was rolled back."""
        session, self._local.session = getattr(self._local, "session", None), None
        self._local.is_watched = False
        if session is not None:
            session.close()

    def settle(self) -> None:
        """Wait for nothing: what was committed is on the disk already."""

    def is_due(self) -> bool:
        """Return whether the store is to be copied anew; asking forgets that something was written past it."""
        due, self._is_passed_by = self._is_passed_by or self._store.is_long(), False
        return due


class OpenStore:
    """The store while it is open."""

    def __init__(self, sealed: SealedStore, memory: Path) -> None:
        """Args: `sealed` on the disk; `memory` the folder in memory where the database is open."""
        self._sealed = sealed
        self.memory = memory
        self._watcher = StoreWatcher(sealed)

    @staticmethod
    def prepare(memory: Path) -> None:
        """Make the folder in memory empty: what an earlier process left there is not used.

        Raises:
            OSError: It cannot be made.
        """
        shutil.rmtree(memory, ignore_errors=True)
        memory.mkdir(parents=True, mode=0o700)

    def load(self) -> None:
        """Open what is on the disk in the folder in memory.

        Raises:
            DatabaseError: `store_key`, `store_damaged`.
            OSError: It cannot be read, or memory is full.
        """
        image, changes = self._sealed.read()
        file = self.memory / DATABASE_FILE
        write_private(file, image)
        connection = apsw.Connection(str(file))
        try:
            for change in changes:
                apsw.Changeset.apply(change, connection, conflict=_stop)
            _write_files(connection, self.memory)
        except apsw.AbortError:
            raise DatabaseError("store_damaged", "a change does not fit") from None
        finally:
            connection.close()
        noted = document_text({"backup": "counter store", "reason": "opened again"})
        write_private(self.memory / RESTORED_FILE, noted.encode())

    def watch(self) -> None:
        """Seal whatever is written to the clinic's database from here on; it is open in this process."""
        assert isinstance(database.obj, Sqlite)
        self.fold()
        database.obj.watcher = self._watcher

    def fold(self) -> None:
        """Copy the database anew; the log before is not needed any more.

        Nobody may write meanwhile: to be called with the writers' lock, or before anybody does.

        Raises:
            OSError: The disk cannot be written.
        """
        connection = database.connection()
        _keep_files(connection, self.memory)
        self._sealed.begin(connection.serialize("main"))

    def fold_if_due(self) -> bool:
        """Copy the database anew where the log is long, or something was written past it; return whether it was done."""
        if not self._watcher.is_due():
            return False
        with alone():
            self.fold()
        return True

    def close(self) -> None:
        """Close the store; nothing of it stays in memory."""
        if database.obj is not None and isinstance(database.obj, Sqlite):
            database.obj.watcher = None
            database.close()
        self._sealed.close()
        shutil.rmtree(self.memory, ignore_errors=True)


def _stop(_reason: int, _change: Any) -> int:
    return apsw.SQLITE_CHANGESET_ABORT


def _keep_files(connection: Any, folder: Path) -> None:
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {KEY_TABLE} (name TEXT PRIMARY KEY NOT NULL, content BLOB)"
    )
    for name in KEPT_FILES:
        file = folder / name
        if file.exists():
            connection.execute(
                f"INSERT OR REPLACE INTO {KEY_TABLE} (name, content) VALUES (?, ?)",  # noqa: S608  # a constant
                (name, file.read_bytes()),
            )


def _write_files(connection: Any, folder: Path) -> None:
    for name, content in connection.execute(_FILES).fetchall():
        write_private(folder / name, bytes(content))

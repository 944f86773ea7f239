"""Watches the database while the server runs: keeps its high-water mark, checks it, knows whether it can be saved to."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import peewee

from core.foundation import database as storage
from core.foundation import logs
from core.foundation.clinic import Clinic
from core.foundation.database import connection, database, is_sqlite, unusable
from core.foundation.errors import CoreError, DatabaseError
from core.foundation.journal import attachment, epochs
from core.foundation.migrations import pending

log = logging.getLogger(__name__)

SECONDS = 2.0
"""How far the mark may be behind the database."""
CHECK_SECONDS = 3600.0
SMALL_BYTES = 256 * 1024**2
"""Databases up to this size are checked before the first request; larger ones in the background."""
PROBE_BYTES = 64 * 1024
"""Room that a save may need at once."""
SILENT_SECONDS = 15.0
"""A database that has not answered for so long does not answer."""


class MarkKeeper:
    """A thread of its own: the mark is written when something changed, and once more at the end."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loket-mark", daemon=True)
        self._checker = threading.Thread(target=self._check_hourly, name="loket-check", daemon=True)
        self._problem = ""
        self._looked_at = time.monotonic()

    @property
    def problem(self) -> str:
        """Return why nothing can be saved now, as a code; empty when all is well. Never waits for the database."""
        if storage.is_superseded():
            return "superseded"
        if storage.damage() is not None:
            return "database_damaged"
        if time.monotonic() - self._looked_at > SILENT_SECONDS:
            return "database_unreachable"
        return self._problem

    def start(self) -> None:
        """Begin, after a check of a small database."""
        if self._is_small():
            self._check()
        self._look()
        self._thread.start()
        self._checker.start()

    def stop(self) -> None:
        """Write the mark a last time and end."""
        self._ending.set()
        self._thread.join(timeout=SILENT_SECONDS)

    def _run(self) -> None:
        while not self._ending.wait(SECONDS):
            self._look()
        self._look()
        database.close()

    def _look(self) -> None:
        """Write the mark, and remember whether that and a save would be possible."""
        try:
            self._learn_of_promotion()
            with connection():
                waiting = pending(database.obj)
            self._clinic.note_mark()
            self._probe()
        except (OSError, CoreError, peewee.DatabaseError) as error:
            self._note(_code(error), error)
        else:
            self._note("migrating" if waiting else "")
        self._looked_at = time.monotonic()

    def _learn_of_promotion(self) -> None:
        """Refuse from here on, if another process has noted that another machine took over."""
        found = epochs.superseded_by(self._clinic.settings.home)
        if found is not None and not storage.is_superseded():
            storage.note_superseded(found.at)

    def _probe(self) -> None:
        """Write to the data folder as a save would, into a new file: one that is there already has its room on a full disk.

        Raises:
            OSError: It cannot be written.
        """
        file = self._clinic.settings.home / "clinic.probe"
        file.unlink(missing_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if os.write(handle, bytes(PROBE_BYTES)) < PROBE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(handle)
            file.unlink(missing_ok=True)

    def _note(self, problem: str, error: Exception | None = None) -> None:
        if problem != self._problem and error is not None:
            log.error("nothing can be saved (%s): %s", problem, logs.describe_failure(error))
        self._problem = problem

    def _check_hourly(self) -> None:
        """Check again and again; a large database that was not checked at the start at once."""
        wait = CHECK_SECONDS if self._is_small() else 0.0
        while not self._ending.wait(wait):
            self._check()
            self._ask_places()
            wait = CHECK_SECONDS
        database.close()

    def _ask_places(self) -> None:
        """Ask every place who is the core: a disk may have been plugged in that knows of a promotion."""
        with suppress(CoreError, OSError, peewee.DatabaseError), connection():
            attachment.require_core(self._clinic.settings, database.obj)

    def _check(self) -> None:
        try:
            if (found := storage.check()) is not None:
                log.error("the database is damaged: %s", found)
        except (CoreError, peewee.DatabaseError) as error:
            log.error("the database could not be checked: %s", logs.describe_failure(error))

    def _is_small(self) -> bool:
        if not is_sqlite():
            return True  # nothing to check
        try:
            return Path(str(database.database)).stat().st_size <= SMALL_BYTES
        except OSError:
            return False


def _code(error: Exception) -> str:
    """Return the code of what keeps the database or the data folder from being written."""
    if isinstance(error, DatabaseError):
        return error.reason
    if isinstance(error, OSError):
        found = unusable(peewee.DatabaseError(error.strerror or ""))
    else:
        found = unusable(error) if isinstance(error, peewee.DatabaseError) else None
    return found.reason if found is not None else "internal"

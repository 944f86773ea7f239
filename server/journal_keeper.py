"""Makes a base at once when the journal needs one: after a start, a gap, a change of the schema, or a new disk."""

from __future__ import annotations

import logging
import threading
import time

import peewee

from core.daily.backup import journal_status
from core.foundation import logs
from core.foundation.clinic import Clinic
from core.foundation.database import database
from core.foundation.errors import CoreError
from core.foundation.journal import attachment
from server import worker_process

log = logging.getLogger(__name__)

SECONDS = 2.0
"""Between two looks."""
AGAIN_SECONDS = 60.0
"""After a base that could not be made."""


class JournalKeeper:
    """A thread of its own, where the clinic has a journal; the base is made in a process of its own."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loket-base", daemon=True)
        self._not_before = 0.0

    def start(self) -> None:
        """Begin, and ship what waits."""
        journal = attachment.attached()
        if journal is not None:
            journal.shipper.start()
            self._thread.start()

    def stop(self) -> None:
        """End; a base that is being made is cut off with the other jobs."""
        self._ending.set()

    def _run(self) -> None:
        while not self._ending.wait(SECONDS):
            try:
                if time.monotonic() >= self._not_before and journal_status.base_is_due():
                    self._make()
            except (CoreError, OSError, peewee.DatabaseError) as error:
                log.error("the journal could not be looked at: %s", logs.describe_failure(error))
        database.close()

    def _make(self) -> None:
        answer = worker_process.run(self._clinic, "base")
        if "error" in answer:
            self._not_before = time.monotonic() + AGAIN_SECONDS
            log.error("the journal's base could not be made: %s", answer["error"])

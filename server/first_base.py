"""Makes the base that the journal lacks before anybody is served: what is saved without one is lost with the disk.

A base is missing after a first start, a change of the schema, a backup that came from elsewhere, or a second place that was
away for too long. A place that does not take it is like one that is away: the counters go on, and the admin is told.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

from core.daily.backup import journal_status
from core.foundation.clinic import Clinic
from core.foundation.database import database
from core.foundation.errors import JournalError
from core.foundation.journal import attachment
from core.foundation.journal.patience import patiently
from server import worker_process
from server.text import backup_sentences

log = logging.getLogger(__name__)

TOLD_EVERY_SECONDS = 10.0


def make(clinic: Clinic) -> None:
    """Make the base if it is missing, and say so meanwhile; returns when it is there or cannot be had now.

    Args:
        clinic: The clinic, open, with nobody served yet.
    """
    if not _is_missing():
        return
    _say(backup_sentences.base_first())
    answers: list[dict[str, Any]] = []
    making = threading.Thread(
        target=lambda: answers.append(worker_process.run(clinic, "base")),
        name="loket-first-base",
        daemon=True,
    )
    making.start()
    waited = 0.0
    while making.is_alive() and _is_there():
        making.join(TOLD_EVERY_SECONDS)
        waited += TOLD_EVERY_SECONDS
        if making.is_alive():
            _say(backup_sentences.base_takes(waited))
    if _is_missing():
        log.error(
            "the journal's base is not there: %s", answers[0].get("error", "") if answers else "place_slow"
        )
        _say(backup_sentences.base_not_made())


def _is_missing() -> bool:
    try:
        return patiently(_looked)
    except JournalError:
        return False


def _looked() -> bool:
    try:
        return journal_status.is_unprotected()
    finally:
        database.close()  # this thread's own connection


def _is_there() -> bool:
    """Return whether the place answers: one that hangs would hold up the start for ever."""
    journal = attachment.attached()
    if journal is None:
        return False
    try:
        patiently(lambda: None if journal.place.is_new() else journal.place.require())
    except (JournalError, OSError):
        return False
    return True


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()

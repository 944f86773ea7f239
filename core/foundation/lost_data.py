"""Goes on after a loss: with less than was there, with a restored backup, or as a new clinic.

Each is a decision of the admin; `core.foundation.high_water` refuses the start until it is taken.
"""

from __future__ import annotations

import logging
from contextlib import closing, suppress
from pathlib import Path

import peewee

from core.foundation import audit, clock, high_water, known_clinic
from core.foundation.config import Settings
from core.foundation.database import connect, connection, open_database, unusable
from core.foundation.errors import DatabaseError, JournalError
from core.foundation.high_water import Mark
from core.foundation.journal import attachment, epochs

log = logging.getLogger(__name__)

STAMP = "%Y%m%dT%H%M%SZ"


def what_is_missing(settings: Settings) -> DatabaseError | None:
    """Return why the clinic's database is refused, None when it holds all that was noted."""
    today = clock.day_of(clock.now(), settings.timezone)
    try:
        high_water.require_database_file(settings.home, settings.resolved_database_url)
        with closing(connect(settings.resolved_database_url)) as opened:
            opened.connect()
            high_water.require_nothing_lost(opened, settings.home, today)
    except DatabaseError as error:
        return error
    except peewee.DatabaseError as error:
        if (known := unusable(error)) is None:
            raise
        return known
    return None


def accept_loss(settings: Settings, missing: DatabaseError) -> None:
    """Go on with a database that holds less than was there; numbers are left out, none is given out twice.

    Args:
        settings: The clinic's.
        missing: From `what_is_missing`; it stands in the audit trail.

    Raises:
        DatabaseError: `database_missing`: there is nothing to go on with.
    """
    if missing.reason == "database_missing":
        raise missing
    mark = _standing(settings.home)
    opened = open_database(settings.resolved_database_url)
    with connection():
        attachment.end_line(opened)
        high_water.skip_ahead(opened, mark, clock.day_of(clock.now(), settings.timezone))
        audit.open_chain(settings.home)
        audit.record(None, "loss_accepted", "clinic", settings.facility_code, reason=missing.reason)
        high_water.note(opened, settings.home, clock.day_of(clock.now(), settings.timezone))


def _standing(home: Path) -> Mark:
    """Return the mark that stands, an empty one where it cannot be read."""
    with suppress(DatabaseError):
        return high_water.read(home) or Mark()
    return Mark()


def note_restored(settings: Settings, end: Mark | None = None, *, goes_on: bool = False) -> None:
    """Write the mark of a database that was just restored; its journal goes on in a line of its own, or waits for a base.

    Numbers that were given out and that it does not hold are not given again: exactly, where the journal tells them;
    where the mark that stood knows of others, some are left out.

    Args:
        settings: The clinic's.
        end: How far the journal goes; None: it was restored without one.
        goes_on: Whether the second place holds all that the database was made from.

    Raises:
        OSError: The data folder cannot be written.
    """
    mark = _standing(settings.home)
    today = clock.day_of(clock.now(), settings.timezone)
    epochs.forget(settings.home)
    with closing(connect(settings.resolved_database_url)) as opened:
        opened.connect()
        goes_on = goes_on and _journal_goes_on(
            settings, opened
        )  # before anything else: the base does not hold it
        found = high_water.look(opened, today)
        is_same = mark.clinic in {"", found.clinic} or not found.clinic
        if is_same and mark.missing_from(end or found):
            high_water.skip_ahead(opened, mark, today)
        elif end is not None and end.missing_from(found):
            high_water.go_on_after(opened, end, today)
        if not goes_on:
            attachment.end_line(opened)
        attachment.keep_epoch(settings.home, opened)
        high_water.note(opened, settings.home, today)


def _journal_goes_on(settings: Settings, opened: peewee.Database) -> bool:
    """Let the journal go on; return whether it does: a place that takes nothing now gets a base when it does."""
    try:
        attachment.go_on(settings, opened)
    except (JournalError, OSError) as error:
        log.warning("the journal does not go on: %s", error)
        return False
    return True


def keep_epoch(settings: Settings) -> None:
    """Let the database in place be that of the core which this data folder is.

    Args:
        settings: The clinic's.
    """
    with closing(connect(settings.resolved_database_url)) as opened:
        opened.connect()
        if high_water.has_clinic(opened):
            attachment.end_line(opened)  # written past the journal
            attachment.keep_epoch(settings.home, opened)


def begin_anew(settings: Settings) -> Path | None:
    """Let the next start make a new, empty clinic; what belonged to the lost one is put aside.

    Returns:
        The folder that holds it now; None when there was no clinic here.

    Raises:
        DatabaseError: `clinic_exists`: there is a database with a clinic in it.
    """
    if not high_water.had_clinic(settings.home):
        known_clinic.decide(settings.home)
        return None
    url, files = settings.resolved_database_url, []
    if url.startswith("sqlite:///"):
        base = Path(url.removeprefix("sqlite:///"))
        files = [Path(f"{base}{suffix}") for suffix in ("", "-wal", "-shm")]
    if (not files or files[0].exists()) and _holds_clinic(url):
        raise DatabaseError("clinic_exists", str(files[0]) if files else "PostgreSQL")
    folder = high_water.put_aside(settings.home, clock.now().strftime(STAMP), files)
    known_clinic.decide(settings.home)
    return folder


def _holds_clinic(url: str) -> bool:
    with closing(connect(url)) as opened:
        opened.connect()
        return high_water.has_clinic(opened)

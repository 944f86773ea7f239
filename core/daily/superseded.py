"""The saves of a core after another machine had taken over: listed for re-entry, never merged by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.daily import upgrading
from core.daily.upgrading import LeftOut
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import BackupError, JournalError
from core.foundation.journal import epochs
from core.foundation.journal.epoch_places import EpochPlaces
from core.foundation.journal.epochs import Promotion


@dataclass(frozen=True)
class LeftBehind:
    """The saves that the new core does not hold."""

    promotion: Promotion
    rows: list[LeftOut]
    file: Path | None
    """The list, 0600 in the data folder; None where nothing was left behind."""


def left_behind(settings: Settings) -> LeftBehind:
    """List the visits of which this core saved something that the one that took over does not hold.

    Args:
        settings: Of the clinic, on the machine that was the core.

    Raises:
        BackupError: `not_superseded`: this is the core; `not_settled`: the other machine has not caught up yet.
        DatabaseError: The database cannot be used.
        OSError: The data folder cannot be written.
    """
    Clinic.unmigrated(settings)
    try:
        found = _promotion(settings)
        if found is None:
            raise BackupError("not_superseded")
        if not found.is_settled:
            raise BackupError("not_settled", found.at)
        rows = upgrading.left_out(found.newest_change)
    finally:
        database.close()
    return LeftBehind(found, rows, upgrading.write_list(settings, rows) if rows else None)


def _promotion(settings: Settings) -> Promotion | None:
    """Return the promotion as the places tell it, since the other machine may have caught up meanwhile."""
    known = epochs.superseded_by(settings.home)
    try:
        with connection():
            own, clinic = epochs.own(database.obj), epochs.clinic_of(database.obj)
        return EpochPlaces(settings).newer(own, clinic) or known
    except JournalError:
        return known  # a place does not tell

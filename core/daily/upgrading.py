"""An upgrade with a backup before it, and the way back with a list of what that leaves out.

Only the database is changed here; the programs of the version before are put back by whoever installed them.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.daily import backup
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import BackupError
from core.foundation.journal import attachment
from core.foundation.migrations import pending
from core.models import Change, Patient, Ticket, Visit

LIST_NAME = "left-out-{at}.csv"
STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class LeftOut:
    """One visit of which something was recorded after a backup: what has to be entered again."""

    day: date
    numbers: str
    """Ticket numbers of the visit, in order."""
    medical_record_number: str
    name: str
    birth_date: date
    chief_complaint: str
    is_new: bool
    """True if the whole visit is left out, and not only what was recorded later."""
    kinds: str
    """Kinds of what was recorded, as in the change feed."""


def upgrade(settings: Settings) -> tuple[backup.BackupInfo | None, list[str]]:
    """Bring the data to this version, after a backup of them as they are.

    Args:
        settings: Of the clinic; its server does not run.

    Returns:
        The backup and the names of the steps; None and none when the data are this version's already.

    Raises:
        BackupError: The backup could not be made; nothing was changed.
        SettingsError: The data are a newer version's.
        DatabaseError: The database cannot be used; `superseded`: this machine is not the core.
    """
    clinic = Clinic.unmigrated(settings)
    with connection():
        attachment.require_core(settings, database.obj)
        steps = pending(database.obj)
        if not steps:
            return None, []
        made = backup.make(clinic, "upgrade")
    database.close()
    Clinic.open(settings)
    return made, steps


def way_back(settings: Settings) -> tuple[backup.BackupInfo, list[LeftOut]]:
    """Return the newest backup that was made before an upgrade, and what going back to it leaves out.

    The database is closed again, so that it can be replaced.

    Args:
        settings: Of the clinic; its server does not run.

    Raises:
        BackupError: `missing`: there is no such backup.
        SettingsError: The data are another version's.
    """
    info = _newest_before_upgrade(Clinic.open(settings, migrates=False))
    rows = left_out(info.newest_change)
    database.close()
    return info, rows


def _newest_before_upgrade(clinic: Clinic) -> backup.BackupInfo:
    for info in backup.list_backups(clinic):
        if info.made_for == "upgrade" and info.verified:
            return info
    raise BackupError("missing", str(clinic.settings.daily_folder / "backups"))


def left_out(newest_change: int) -> list[LeftOut]:
    """Return the visits of which something was recorded after a change, by its number, not by a clock.

    Args:
        newest_change: The last one that is held elsewhere: by a backup, or by the core that took over.
    """
    with connection():
        kinds: defaultdict[str, set[str]] = defaultdict(set)
        for change in Change.select().where(Change.sequence > newest_change, Change.visit.is_null(False)):
            kinds[str(change.visit_id)].add(change.kind)
        earlier = {
            row.visit_id
            for row in Change.select(Change.visit)
            .distinct()
            .where(Change.sequence <= newest_change, Change.visit.in_(list(kinds) or [""]))
        }
        visits = Visit.select(Visit, Patient).join(Patient).where(Visit.id.in_(list(kinds) or [""]))
        return [
            LeftOut(
                visit.service_on,
                " ".join(row.number for row in _tickets(visit)),
                visit.patient.medical_record_number,
                visit.patient.name,
                visit.patient.birth_date,
                visit.chief_complaint,
                visit.id not in earlier,
                " ".join(sorted(kinds[visit.id])),
            )
            for visit in visits.order_by(Visit.started_at, Visit.id)
        ]


def _tickets(visit: Visit) -> list[Ticket]:
    return list(Ticket.select().where(Ticket.visit == visit).order_by(Ticket.issued_at, Ticket.id))


def write_list(settings: Settings, rows: Sequence[LeftOut]) -> Path:
    """Write what a way back leaves out into the data folder, for whoever enters it again.

    Args:
        settings: Of the clinic.
        rows: From `left_out`.

    Raises:
        OSError: The data folder cannot be written.
    """
    file = settings.home / LIST_NAME.format(at=clock.now().strftime(STAMP))
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("day", "numbers", "record", "name", "born", "complaint", "new", "recorded"))
        for row in rows:
            values = (row.name, row.chief_complaint)
            name, complaint = (
                f"'{text}" if text.startswith(("=", "+", "-", "@")) else text for text in values
            )
            is_new = "yes" if row.is_new else "no"
            writer.writerow(
                (
                    row.day,
                    row.numbers,
                    row.medical_record_number,
                    name,
                    row.birth_date,
                    complaint,
                    is_new,
                    row.kinds,
                )
            )
    return file

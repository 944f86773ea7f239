"""The parts all reports are made of: the table, its periods, and the rows they count.

Cancelled and voided visits and struck-out diagnoses are left out everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pkgutil import resolve_name
from typing import Any

from peewee import JOIN

from core.daily.reports.registry import REPORTS
from core.foundation.clinic import Clinic
from core.foundation.codes import Payer, Sex, VisitStatus
from core.foundation.database import connection
from core.models import Diagnosis, DiagnosisCode, LateEntry, LentNumber, Patient, QueueEntry, Ticket, Visit

Cell = str | int | float


@dataclass(frozen=True)
class ReportTable:
    """A table with its meaning."""

    title: str
    definition: str
    """Definition: the things counted, the period and the records."""
    source: str
    """Whose form or rule it follows."""
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    """Each as long as `columns`; totals last."""


TOTAL = "Jumlah"
PAYERS = {
    Payer.GENERAL: "Umum",
    Payer.JKN_PBI: "JKN PBI",
    Payer.JKN_NON_PBI: "JKN non-PBI",
    Payer.JAMKESDA: "Jamkesda",
    Payer.OTHER: "Lain-lain",
}
SEXES = {Sex.MALE: "L", Sex.FEMALE: "P"}


def build(clinic: Clinic, name: str, day: date) -> ReportTable:
    """Build one report.

    Args:
        clinic: The clinic whose records are counted.
        name: A name in `REPORTS`.
        day: Any day of the period: the report is of this day, or of the week or month that holds it.

    Raises:
        KeyError: `name` is not in `REPORTS`.
    """
    builder: Callable[[Clinic, date], ReportTable] = resolve_name(REPORTS[name].builder)
    with connection():
        return builder(clinic, day)


def month_of(day: date) -> tuple[date, date]:
    """Return the first and last day of the calendar month."""
    first = day.replace(day=1)
    # 32 days after the first of a month is always in the next month.
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def epidemiological_week(day: date) -> tuple[date, date]:
    """Return the first and last day of the week, Sunday to Saturday as SKDR counts."""
    sunday = day - timedelta(days=(day.weekday() + 1) % 7)
    return sunday, sunday + timedelta(days=6)


def catchment_of(clinic: Clinic, village_code: str) -> str:
    """Return `dalam` or `luar`: whether a village is in the clinic's catchment; empty where either is not known."""
    areas = tuple(clinic.settings.catchment.split(",")) if clinic.settings.catchment else ()
    if not areas or not village_code:
        return ""
    return "dalam" if village_code.startswith(areas) else "luar"


def visits_of(first: date, last: date) -> list[Visit]:
    """Return the visits of a period with their patients, in order of arrival."""
    return list(
        Visit.select(Visit, Patient)
        .join(Patient)
        .where(*_took_place(first, last))
        .order_by(Visit.service_on, Visit.started_at, Visit.id)
    )


def _took_place(first: date, last: date) -> tuple[Any, ...]:
    """Return the conditions of a visit that counts in a report of a period."""
    return (
        Visit.service_on >= first,
        Visit.service_on <= last,
        Visit.status != VisitStatus.CANCELLED,
        Visit.voided_at.is_null(),
    )


def cases_of(first: date, last: date) -> list[Diagnosis]:
    """Return the diagnoses of a period with visit and patient: each diagnosis of a visit is a case."""
    return list(
        Diagnosis.select(Diagnosis, Visit, Patient)
        .join(Visit)
        .join(Patient)
        .where(*_took_place(first, last), Diagnosis.voided_at.is_null())
        .order_by(Visit.service_on, Diagnosis.code)
    )


def entries_of(first: date, last: date) -> list[QueueEntry]:
    """Return the queue entries of a period with their tickets, in order."""
    return list(
        QueueEntry.select(QueueEntry, Ticket, Visit)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .where(
            QueueEntry.service_on >= first,
            QueueEntry.service_on <= last,
            QueueEntry.voided_at.is_null(),
            Visit.voided_at.is_null(),
        )
        .order_by(QueueEntry.started_at, QueueEntry.id)
    )


def late_entries_of(first: date, last: date) -> dict[str, LateEntry]:
    """Return visit -> what is known of its late entry, with the form, for the visits of a period that had one."""
    found = (
        LateEntry.select(LateEntry, LentNumber)
        .join_from(LateEntry, LentNumber, JOIN.LEFT_OUTER)
        .join_from(LateEntry, Visit)
        .where(Visit.service_on >= first, Visit.service_on <= last)
    )
    return {entry.visit_id: entry for entry in found}


def titles_of(codes: Iterable[str]) -> dict[str, str]:
    """Return the names of codes: from the code list, or as written down with the diagnosis."""
    wanted = set(codes)
    found = {
        row.code: row.title_id for row in DiagnosisCode.select().where(DiagnosisCode.code.in_(wanted or [""]))
    }
    missing = wanted - found.keys()
    for row in Diagnosis.select(Diagnosis.code, Diagnosis.title).where(Diagnosis.code.in_(missing or [""])):
        found.setdefault(row.code, row.title)
    return found


def period_text(first: date, last: date) -> str:
    """Return a period as definitions name it: one ISO date, or two joined by `s.d.`."""
    return f"{first.isoformat()} s.d. {last.isoformat()}" if first != last else first.isoformat()


def sums_of(rows: Iterable[Sequence[int]], width: int) -> list[int]:
    """Return column totals; zeros when there is no row."""
    totals = [0] * width
    for row in rows:
        totals = [total + value for total, value in zip(totals, row, strict=True)]
    return totals

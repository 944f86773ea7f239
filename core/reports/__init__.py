"""The reports a Puskesmas owes, drawn from visits, diagnoses and queue entries as they are stored.

Each report says its own definition and source. A period without data is a report with zeros.
Titles and columns are in Indonesian, since the readers are the health office.

Source: indonesia.md 6 (registers, LB1 layout, SKDR codes).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from core.clinic import Clinic
from core.database import connection
from core.reports.diseases import AGE_BANDS, age_band, lb1, skdr, skdr_matches, top_diagnoses
from core.reports.files import to_csv, to_xlsx, write
from core.reports.register import daily_register
from core.reports.services import misrouting, payers, waits
from core.reports.tables import Report, epidemiological_week, month_of

__all__ = [
    "AGE_BANDS", "REPORTS", "Report", "age_band", "build", "epidemiological_week", "month_of",
    "skdr_matches", "to_csv", "to_xlsx", "write",
]  # fmt: skip

REPORTS: dict[str, Callable[[Clinic, date], Report]] = {
    "daily-register": daily_register,
    "lb1": lb1,
    "top-diagnoses": top_diagnoses,
    "skdr": skdr,
    "payers": payers,
    "waits": waits,
    "misrouting": misrouting,
}
"""Name -> how it is made for the day, week or month that holds a day."""


def build(clinic: Clinic, name: str, day: date) -> Report:
    """One report.

    Raises:
        KeyError: Not one of `REPORTS`.
    """
    with connection():
        return REPORTS[name](clinic, day)

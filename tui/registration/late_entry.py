"""Late entries as they are typed: when somebody came, who wrote it down, on which form. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.schemas.clinic import ClinicOut
from tui.text.formatting import NotADateError, instant_text, parse_date
from tui.text.translation import _

ARRIVED, WRITTEN_BY, PAPER = "late_arrived_at", "late_written_by", "late_paper_number"
LATE_FIELDS = (ARRIVED, WRITTEN_BY, PAPER)
"""Values of a form that stand for its late entry; the arrival as an ISO instant."""
_TIME = re.compile(r"(?:(?P<day>\S+)\s+)?(?P<hour>\d{1,2})[:.]?(?P<minute>\d{2})")
_DAY_AND_MONTH = re.compile(r"(\d{1,2})[-/.](\d{1,2})")


class NotATimeError(ValueError):
    """The text is no time of a day."""


def read_arrival(text: str, clinic: ClinicOut) -> datetime:
    """Return the instant of an arrival as clerks type it: `8:05`, `0805`, with a day before it for another day.

    Args:
        text: As typed: `805`, `01-12 16:20`, `01-12-2026 16.20`.
        clinic: For its day and time zone.

    Raises:
        NotATimeError: It is no time.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise NotATimeError(text)
    try:
        day = _day(found["day"], clinic.today) if found["day"] else clinic.today
        hour, minute = int(found["hour"]), int(found["minute"])
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(clinic.timezone))
    except ValueError as error:
        raise NotATimeError(text) from error


def _day(text: str, today: date) -> date:
    """Return a day; one without its year is the last one of that name."""
    short = _DAY_AND_MONTH.fullmatch(text)
    if short is None:
        try:
            return parse_date(text)
        except NotADateError as error:
            raise NotATimeError(text) from error
    day = date(today.year, int(short[2]), int(short[1]))
    return day if day <= today else day.replace(year=today.year - 1)


def typed_arrival(values: Mapping[str, str], clinic: ClinicOut) -> str:
    """Return the arrival of a form as it is typed; empty where there is none."""
    if not values.get(ARRIVED):
        return ""
    text = instant_text(datetime.fromisoformat(values[ARRIVED]), clinic.timezone)
    return text.removeprefix(f"{clinic.today:%d-%m-%Y} ")


def request_part(values: Mapping[str, str]) -> dict[str, Any]:
    """Return what `POST registrations` is told of a late entry; nothing of any other form."""
    if not values.get(ARRIVED):
        return {}
    late = {"arrived_at": values[ARRIVED], "written_by": values.get(WRITTEN_BY, "")}
    return {"late": late | ({"paper_number": values[PAPER]} if values.get(PAPER) else {})}


def summary(values: Mapping[str, str], clinic: ClinicOut) -> str:
    """Return a late entry in one line: `LATE ENTRY 08:05 B-K07`; empty for any other form."""
    if not values.get(ARRIVED):
        return ""
    return " ".join([_("LATE ENTRY"), typed_arrival(values, clinic), values.get(PAPER, "")]).rstrip()


def told(values: Mapping[str, str], clinic: ClinicOut) -> str:
    """Return when whoever is entered late came, on which form, and who wrote it; empty for any other form."""
    arrived = typed_arrival(values, clinic)
    if not arrived:
        return ""
    return _("arrived {time}  {form}  written by {name}").format(
        time=arrived, form=values.get(PAPER) or "-", name=values.get(WRITTEN_BY, "")
    )

"""Figures of the city's page, counted from the stored resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from peewee import fn

from core.foundation import clock
from core.foundation.languages import in_language
from core.terminology import code_search, icd10
from server.office.models import Manifest, OfficeClinic, Resource, connection, tuples

TOP = 10
DUPLICATES_SHOWN = 50
CHART_DAYS = 14
VISITED = ("finished", "in-progress", "arrived")
"""Encounter statuses that count as a visit."""


@dataclass(frozen=True)
class ClinicLine:
    """One clinic on the page."""

    code: str
    name: str
    last_heard: str
    """`YYYY-MM-DDTHH:MM:SSZ`, or empty when it was never heard."""
    hours_silent: float | None
    visits: int
    newest_day: str
    agrees: bool | None
    """True when its newest manifest agreed."""
    refused: int
    barred: bool = False
    """Its token was taken back."""
    audit_refused: bool = False
    """Its audit log does not extend the one it told of before."""


@dataclass
class CityFigures:
    """The whole page."""

    clinics: list[ClinicLine] = field(default_factory=list)
    days: list[tuple[date, int]] = field(default_factory=list)
    """Visits a day in the city, oldest first, without gaps."""
    diseases: list[tuple[str, int]] = field(default_factory=list)
    """ICD-10 code and cases within those days, most frequent first."""
    waits: list[tuple[str, float]] = field(default_factory=list)
    """Clinic and mean minutes from arrival to service within those days."""
    duplicates: list[tuple[str, list[str]]] = field(default_factory=list)
    """A masked NIK and the clinics (or records) that hold it."""

    def name_of(self, code: str) -> str:
        """Return a clinic's name."""
        return next((line.name for line in self.clinics if line.code == code), code)


def collect(until: date | None = None) -> CityFigures:
    """Count everything; `until` is the newest day with visits unless given, but no day to come."""
    with connection():
        if until is None:
            until = Resource.select(fn.MAX(Resource.day)).scalar(as_tuple=False)
        until = date.fromisoformat(until) if isinstance(until, str) else until
        tomorrow = clock.now().date() + timedelta(days=1)  # at the other end of the world it has begun
        last = min(until or clock.now().date(), tomorrow)
        first = last - timedelta(days=CHART_DAYS - 1)
        return CityFigures(
            clinics=_clinics(),
            days=_days(first, last),
            diseases=_diseases(first, last),
            waits=_waits(first, last),
            duplicates=_duplicates(),
        )


def _clinics() -> list[ClinicLine]:
    counts = {
        code: (count, newest)
        for code, count, newest in tuples(
            Resource.select(Resource.clinic, fn.COUNT(Resource.id), fn.MAX(Resource.day))
            .where(Resource.type == "Encounter", Resource.code.in_(VISITED))
            .group_by(Resource.clinic)
        )
    }
    agreed = dict(tuples(Manifest.select(Manifest.clinic, Manifest.agrees).order_by(Manifest.day)))
    lines = []
    for clinic in OfficeClinic.select().order_by(OfficeClinic.code):
        count, newest = counts.get(clinic.code, (0, ""))
        heard = clinic.last_heard_at
        hours = None if heard is None else (clock.now() - heard).total_seconds() / 3600
        lines.append(
            ClinicLine(
                code=clinic.code,
                name=clinic.name,
                last_heard="" if heard is None else heard.strftime("%Y-%m-%dT%H:%M:%SZ"),
                hours_silent=hours,
                visits=count,
                newest_day=str(newest or ""),
                agrees=agreed.get(clinic.code),
                refused=clinic.refused,
                barred=clinic.disabled_at is not None,
                audit_refused=clinic.audit_refused_at is not None,
            )
        )
    return lines


def _days(first: date, last: date) -> list[tuple[date, int]]:
    counts = {
        str(day): count
        for day, count in tuples(
            Resource.select(Resource.day, fn.COUNT(Resource.id))
            .where(
                Resource.type == "Encounter",
                Resource.code.in_(VISITED),
                Resource.day >= first,
                Resource.day <= last,
            )
            .group_by(Resource.day)
        )
    }
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return [(day, counts.get(day.isoformat(), 0)) for day in days]


def _diseases(first: date, last: date) -> list[tuple[str, int]]:
    cases = fn.COUNT(Resource.id)
    query = (
        Resource.select(Resource.code, cases)
        .where(
            Resource.type == "Condition",
            Resource.code.is_null(False),
            Resource.day >= first,
            Resource.day <= last,
        )
        .group_by(Resource.code)
        .order_by(cases.desc(), Resource.code)
        .limit(TOP)
    )
    return [(code, count) for code, count in tuples(query)]


@cache
def disease_titles(language: str) -> dict[str, str]:
    """Return ICD-10 code -> title in a language, for the codes of Loket's own short list."""
    listed = code_search.shipped(icd10.SOURCE)
    return {row["code"]: in_language(code_search.titles_of(row), language) for row in listed}


def _waits(first: date, last: date) -> list[tuple[str, float]]:
    query = (
        Resource.select(Resource.clinic, fn.AVG(Resource.wait_minutes))
        .where(
            Resource.type == "Encounter",
            Resource.wait_minutes.is_null(False),
            Resource.day >= first,
            Resource.day <= last,
        )
        .group_by(Resource.clinic)
        .order_by(Resource.clinic)
    )
    return [(code, float(mean)) for code, mean in tuples(query)]


def _duplicates() -> list[tuple[str, list[str]]]:
    repeated = (
        Resource.select(Resource.nik)
        .where(Resource.nik.is_null(False))
        .group_by(Resource.nik)
        .having(fn.COUNT(Resource.id) > 1)
        .order_by(Resource.nik)
        .limit(DUPLICATES_SHOWN)
    )
    holders: dict[str, list[str]] = {nik: [] for (nik,) in tuples(repeated)}
    rows = Resource.select(Resource.nik, Resource.clinic, Resource.value).where(
        Resource.nik.in_(list(holders) or [""])
    )
    for nik, clinic, value in tuples(rows):
        holders[nik].append(f"{clinic} {value}")
    return [(mask(nik), sorted(held)) for nik, held in holders.items()]


def mask(nik: str) -> str:
    """Mask a NIK for a page: enough is left to tell two apart, not enough to use it."""
    return f"{nik[:6]}••••••{nik[-4:]}"

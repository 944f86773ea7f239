"""The sex and birth date in a NIK, held against the person beside whom it was typed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.foundation.ages import age_in_years
from core.foundation.codes import Sex
from core.linkage.birth_dates import GENERATION
from core.linkage.names import is_newborn_name
from core.patients.national_ids import NikCheck, Outcome, check_nik

YOUNGEST_MOTHER = 10
"""Years by which a mother is older than her child at least."""
DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Described:
    """The person beside whom a NIK was typed."""

    nik: str
    sex: str = ""
    """`male`, `female`, or empty."""
    birth_date: date | None = None
    is_estimated: bool = False
    """The birth date was counted back from an age that was said."""
    name: str = ""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Described:
        """Return the person in the columns of a patient, or in the fields of a form."""
        return cls(
            nik=values.get("nik") or "",
            sex=str(values.get("sex") or ""),
            birth_date=values.get("birth_date"),
            is_estimated=bool(values.get("birth_date_estimated")),
            name=values.get("name") or "",
        )


def contradictions(described: Described, today: date) -> tuple[str, ...]:
    """Return what sex and birth date say against a NIK: `nik_sex_differs`, `nik_birth_date_differs`, `nik_of_adult`."""
    check = read(described, today)
    return speak_against(described, check, today) if check is not None else ()


def read(described: Described, today: date) -> NikCheck | None:
    """Return the check of the number; None where there is none that can be read."""
    if not described.nik:
        return None
    check = check_nik(described.nik, birth_date=described.birth_date, sex=described.sex or None, today=today)
    return None if check.outcome is Outcome.REJECT else check


def speak_against(described: Described, check: NikCheck, today: date) -> tuple[str, ...]:
    """Return what sex and birth date say against a number that was read, as `contradictions`.

    Args:
        described: The person as typed.
        check: The number's own sex and birth date.
        today: The day of the question.
    """
    found = []
    if described.sex and described.sex != check.sex:
        found.append("nik_sex_differs")
    if _is_another_day(described, check):
        found.append("nik_birth_date_differs")
    if _is_newborn_with_adults(described, check, today):
        found.append("nik_of_adult")
    return tuple(found)


def _is_newborn_with_adults(described: Described, check: NikCheck, today: date) -> bool:
    """Return whether a newborn's name (`By. Ny. Siti`) stands beside the birth date of an adult's number."""
    if described.birth_date != check.birth_date or check.birth_date is None:
        return False
    return age_in_years(check.birth_date, today) >= YOUNGEST_MOTHER and is_newborn_name(described.name)


def _is_another_day(described: Described, check: NikCheck) -> bool:
    """Return whether the birth dates contradict each other; an estimated one only by a generation."""
    if described.birth_date in (None, check.birth_date):
        return False
    return not described.is_estimated or years_apart(described, check) >= GENERATION


def years_apart(described: Described, check: NikCheck) -> float:
    """Return the years that lie between the two birth dates; 0 where one is missing."""
    if described.birth_date is None or check.birth_date is None:
        return 0
    return abs((described.birth_date - check.birth_date).days) / DAYS_A_YEAR


def may_be_mother(born: date | None, check: NikCheck) -> bool:
    """Return whether a number is a woman's who is old enough to be the mother of a child born on a day, if known."""
    if check.birth_date is None or check.sex is not Sex.FEMALE:
        return False
    if born is None:
        return True
    return check.birth_date <= born and age_in_years(check.birth_date, born) >= YOUNGEST_MOTHER


def mother_problem(nik: str, born: date, today: date) -> str:
    """Return the code of why a NIK cannot be the mother's; empty when it can.

    Args:
        nik: The number.
        born: Birth date of the child.
        today: The day of the question.
    """
    check = check_nik(nik, today=today)
    if check.outcome is Outcome.REJECT:
        return check.rejected_for
    return "" if may_be_mother(born, check) else "not_the_mothers"

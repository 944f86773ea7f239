"""Numbers that identify a person: NIK, BPJS card, family card, passport. Pure: today's date is passed in.

Each check ends in one of three outcomes. A number is rejected only when it cannot exist; facts that a real
card may contradict (a corrected birth date, a district that was divided since) only warn, because a NIK is
not issued again when the facts behind it change.

Source: docs/reference/indonesia.md 1.1-1.6; UU 23/2006 art. 13 and UU 24/2013 for the NIK.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

from core.foundation.ages import OLDEST_AGE_YEARS, age_in_years
from core.foundation.codes import Sex

NIK_LENGTH = 16
BPJS_LENGTH = 13
FAMILY_CARD_LENGTH = 16

FEMALE_DAY_OFFSET = 40
"""A woman's NIK carries the day of birth plus 40."""

UNUSUAL_AGE_YEARS = 110
"""Years above which a birth date is asked about."""

_PLACEHOLDERS = frozenset({"1234567890123456", "0123456789012345"})
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
_SEPARATORS = re.compile(r"[\s.\-_'`/\u00ad\u200b-\u200f\u2010-\u2015\u2212\u2060\ufeff]+")


class Outcome(StrEnum):
    """Outcome of the check of a number."""

    OK = "ok"
    WARN = "warn"
    """May be right; a person confirms it once."""
    REJECT = "reject"
    """Cannot be such a number and is not stored."""


@dataclass(frozen=True)
class NumberFinding:
    """One finding about a number."""

    outcome: Outcome
    """`warn` or `reject`."""
    code: str
    """Stable code that the screens translate: `nik_length`, `nik_sex_differs`, ..."""


@dataclass(frozen=True)
class NumberCheck:
    """Result of the check of a number."""

    value: str
    """The number without separators."""
    outcome: Outcome
    findings: tuple[NumberFinding, ...] = ()

    @property
    def rejected_for(self) -> str:
        """Return the code of the first finding that rejects the number; empty when none does."""
        return next((finding.code for finding in self.findings if finding.outcome is Outcome.REJECT), "")


@dataclass(frozen=True)
class NikCheck(NumberCheck):
    """Result of the check of a NIK, with the facts that the number contains."""

    birth_date: date | None = None
    """Read from the number; the younger of two candidates when the century is open."""
    sex: Sex | None = None
    region_code: str | None = None
    """Six digits: where the person was first registered, which need not be home."""
    century_ambiguous: bool = False
    """True when the same digits fit a child and someone over a hundred; ask."""


def normalise_number(text: str) -> str:
    """Return a number without separators, with digits of any script turned into ASCII.

    Spaces, dots, dashes, slashes, apostrophes and invisible characters are removed; letters are kept, so
    that the check can report them.
    """
    digits = (_ascii_digit(character) for character in unicodedata.normalize("NFKC", text))
    # Once more: letter and mark that a separator kept apart are one character without it.
    return unicodedata.normalize("NFKC", _SEPARATORS.sub("", "".join(digits)))


def normalise_phone(text: str) -> str:
    """Return a phone number without separators, the country code +62 as the 0 that people write."""
    digits = normalise_number(text)
    if digits.startswith(("+62", "628")):
        return "0" + digits.removeprefix("+").removeprefix("62").lstrip("0")
    return digits


def _ascii_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def check_nik(
    text: str,
    *,
    birth_date: date | None = None,
    sex: Sex | str | None = None,
    today: date,
) -> NikCheck:
    """Check a NIK by itself and against what was typed beside it.

    Args:
        text: As typed, scanned or read; separators allowed.
        birth_date: Birth date of the form, or None; it also settles the century.
        sex: `male`, `female` or None when not known.
        today: The clinic's calendar day.

    Returns:
        The outcome with every finding, and the birth date, sex and region that the number
        carries. These three are None when the number is rejected.

    Source:
        docs/reference/indonesia.md 1.1.
    """
    value = normalise_number(text)
    problems, read_sex, candidates = _read_nik(value, today)
    if problems:
        return NikCheck(value, Outcome.REJECT, _findings(Outcome.REJECT, problems))
    assert read_sex is not None
    read_birth_date = birth_date if birth_date in candidates else candidates[0]
    assert read_birth_date is not None
    warnings = []
    if birth_date not in (None, read_birth_date):
        warnings.append("nik_birth_date_differs")
    if sex is not None and sex != read_sex:
        warnings.append("nik_sex_differs")
    if age_in_years(read_birth_date, today) > UNUSUAL_AGE_YEARS:
        warnings.append("nik_age")
    return NikCheck(
        value,
        *_warned(warnings + _region_warnings(value)),
        birth_date=read_birth_date,
        sex=read_sex,
        region_code=value[:6],
        century_ambiguous=birth_date is None and len(candidates) > 1,
    )


def _findings(outcome: Outcome, codes: Iterable[str]) -> tuple[NumberFinding, ...]:
    return tuple(NumberFinding(outcome, code) for code in codes)


def _warned(codes: Sequence[str]) -> tuple[Outcome, tuple[NumberFinding, ...]]:
    """Return outcome and findings of a number that is not rejected."""
    return Outcome.WARN if codes else Outcome.OK, _findings(Outcome.WARN, codes)


def _read_nik(value: str, today: date) -> tuple[list[str], Sex | None, list[date]]:
    """Return the problems that reject a NIK, and the sex and possible birth dates (youngest first) it contains."""
    problem = _digits_problem(value, NIK_LENGTH, "nik")
    if problem is None and value in _PLACEHOLDERS:
        problem = "nik_placeholder"
    if problem is not None:
        return [problem], None, []
    problems, sex, candidates = _read_birth(value, today)
    if value[12:] == "0000":
        problems.append("nik_serial")
    return problems, sex, candidates


def _region_warnings(nik: str) -> list[str]:
    if region_name(nik[:4]) is None:
        return ["nik_region_unknown"]
    return ["nik_district_unknown"] if region_name(nik[:6]) is None else []


def compose_nik(region_code: str, birth_date: date, sex: Sex | str, serial: int) -> str:
    """Return the NIK that these facts give; the inverse of `check_nik`.

    Args:
        region_code: Six digits.
        birth_date: Only the last two digits of its year survive.
        sex: `male` or `female`.
        serial: 1 to 9999.

    Raises:
        ValueError: A region code that is not six digits, or a serial out of range.
    """
    if not re.fullmatch(r"[0-9]{6}", region_code):
        raise ValueError("region_code is six digits")
    if not 1 <= serial <= 9999:
        raise ValueError("serial is 1 to 9999")
    day = birth_date.day + (FEMALE_DAY_OFFSET if sex == Sex.FEMALE else 0)
    return f"{region_code}{day:02}{birth_date.month:02}{birth_date.year % 100:02}{serial:04}"


def check_bpjs_number(text: str) -> NumberCheck:
    """Check a BPJS Kesehatan card number: 13 digits, normally beginning with 000.

    No check digit is published, so a typing error inside the digits cannot be seen here.

    Source:
        docs/reference/indonesia.md 1.4.
    """
    value = normalise_number(text)
    problem = _digits_problem(value, BPJS_LENGTH, "bpjs")
    if problem is not None:
        return NumberCheck(value, Outcome.REJECT, _findings(Outcome.REJECT, [problem]))
    if not value.startswith("000"):
        return NumberCheck(value, Outcome.WARN, _findings(Outcome.WARN, ["bpjs_prefix"]))
    return NumberCheck(value, Outcome.OK)


def check_family_card_number(text: str, nik: str | None = None) -> NumberCheck:
    """Check a family card (KK) number: 16 digits, region, day of issue, serial.

    Only the length is certain in the sources, so the date part warns and never rejects.

    Args:
        text: As typed.
        nik: The NIK typed beside it; the same digits in both fields are a slip.

    Source:
        docs/reference/indonesia.md 1.3.
    """
    value = normalise_number(text)
    problem = _digits_problem(value, FAMILY_CARD_LENGTH, "family_card")
    if problem is not None:
        return NumberCheck(value, Outcome.REJECT, _findings(Outcome.REJECT, [problem]))
    warnings = []
    if nik is not None and normalise_number(nik) == value:
        warnings.append("family_card_equals_nik")
    if not (1 <= int(value[6:8]) <= 31 and 1 <= int(value[8:10]) <= 12):
        warnings.append("family_card_date")
    if region_name(value[:4]) is None:
        warnings.append("family_card_region_unknown")
    return NumberCheck(value, *_warned(warnings))


def check_passport_number(text: str) -> NumberCheck:
    """Check a passport number: 5 to 20 letters and digits; each country has its own form.

    Source:
        ICAO Doc 9303-3: document numbers are made of the letters A to Z and digits.
    """
    value = normalise_number(text).upper()
    if not _PASSPORT.fullmatch(value):
        return NumberCheck(value, Outcome.REJECT, _findings(Outcome.REJECT, ["passport_format"]))
    return NumberCheck(value, Outcome.OK)


def region_name(code: str) -> str | None:
    """Return the name of a region by its Kemendagri code, or None when it is not in the list.

    Args:
        code: 2 (province), 4 (regency, city), 6 (district) or 10 digits (village; only those of
            Banjarmasin are listed), with or without dots.
    """
    return _regions().get(code.replace(".", ""))


def region_path(code: str) -> tuple[str, ...]:
    """Return the names from the code's own level up to the province, unknown levels left out."""
    digits = code.replace(".", "")
    names = (region_name(digits[:length]) for length in (10, 6, 4, 2) if len(digits) >= length)
    return tuple(name for name in names if name is not None)


@cache
def _regions() -> dict[str, str]:
    lines = resources.files("core").joinpath("data/regions.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {code: name for code, name in rows}


def _digits_problem(value: str, length: int, prefix: str) -> str | None:
    """Return the code of the first problem with a number's digits; None when there is none."""
    if not value:
        return f"{prefix}_empty"
    if not re.fullmatch(r"[0-9]+", value):
        return f"{prefix}_not_digits"
    if len(value) != length:
        return f"{prefix}_length"
    if len(set(value)) == 1:
        return f"{prefix}_repeated"
    return None


def _read_birth(nik: str, today: date) -> tuple[list[str], Sex, list[date]]:
    """Return problems, sex and possible birth dates (youngest first) of sixteen digits."""
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    sex = Sex.FEMALE if day > FEMALE_DAY_OFFSET else Sex.MALE
    if sex is Sex.FEMALE:
        day -= FEMALE_DAY_OFFSET
    problems = []
    if not 1 <= day <= 31:
        problems.append("nik_birth_day")
    if not 1 <= month <= 12:
        problems.append("nik_birth_month")
    if problems:
        return problems, sex, []
    possible = _in_either_century(year, month, day, today)
    if not possible:
        return ["nik_birth_date"], sex, []
    # Digits such as 05 fit a child and a person older than anyone becomes: not a real choice.
    believable = [born for born in possible if age_in_years(born, today) <= OLDEST_AGE_YEARS]
    return [], sex, believable or possible[:1]


def _in_either_century(year: int, month: int, day: int, today: date) -> list[date]:
    """Return the dates in this and the last century that exist and are not in the future, youngest first."""
    century = today.year - today.year % 100
    dates = (_date_or_none(first + year, month, day) for first in (century, century - 100))
    return [born for born in dates if born is not None and born <= today]


def _date_or_none(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None

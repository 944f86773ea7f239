"""Reads from the plan of a record when the patient is to come back: `kontrol 3 hari lagi`, `kontrol tgl 5-3-2026`.

The plan is free text and stays at the clinic; only the words that say the return go. Where they are read two ways, name
two days or a day that is past, no day is made up: the words go without one. Pure.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

RETURN = r"(?:kontrol(?:\s+(?:ulang|kembali|lagi|ke\s+puskesmas))*|kembali\s+kontrol|datang\s+kembali|periksa\s+ulang)"
NUMBERS = {
    "satu": 1, "dua": 2, "tiga": 3, "empat": 4, "lima": 5, "enam": 6, "tujuh": 7, "sepuluh": 10, "empat belas": 14,
}  # fmt: skip
"""Numbers as clinicians write them out."""
LONGEST_DAYS = 366
"""A return that lies further ahead is not believed: a year is the longest that a control is set for."""
_UNITS = r"hari|hr|minggu|mgg|mg|bulan|bln"
_NUMBER = r"\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True))
_IN = re.compile(
    rf"\b{RETURN}\s*:?\s*(?:(?:dalam|setelah)\s+)?(?:(?P<number>{_NUMBER})\s*(?P<unit>{_UNITS})|h\s*\+\s*(?P<after>\d{{1,3}})|"
    rf"(?P<single>seminggu|sebulan|sehari|besok|lusa))\b(?P<range>\s*(?:-|/|sampai|s/d)\s*\d+)?(?:\s+lagi|\s+kemudian)?"
)
_ON = re.compile(
    rf"\b{RETURN}\s*:?\s*(?:pada\s+)?(?:tanggal|tgl\.?)?\s*(?P<day>\d{{1,2}})\s*[-/. ]\s*(?P<month>\d{{1,2}}|[a-z]{{3,9}})"
    r"\s*[-/. ]\s*(?P<year>\d{4}|\d{2})\b"
)
_SPAN = re.compile(
    rf"\b{RETURN}\s*:?\s*(?:dalam\s+)?\d{{1,3}}\s*(?:-|s/d|sampai)\s*\d{{1,3}}\s*(?:{_UNITS})\b(?:\s+lagi)?"
)
_OPEN = re.compile(
    r"\b(?:kontrol\s+(?:ulang|kembali|lagi|rutin|bila|jika|kalau|apabila|sewaktu|minggu|bulan|tiap|setiap)|kembali\s+kontrol|"
    r"datang\s+kembali|periksa\s+ulang)\b[^.;]*"
)
"""A return without a day; `kontrol makan` is none."""
_NOT = re.compile(rf"\b(?:tidak|tdk|tak|belum)\s+(?:perlu\s+|usah\s+)?{RETURN}")
_MONTHS = ("jan", "feb", "mar", "apr", "mei", "jun", "jul", "agu", "sep", "okt", "nov", "des")
_SINGLE = {"sehari": 1, "besok": 1, "lusa": 2, "seminggu": 7}
LONGEST_WORDS = 120
"""Characters of the plan that are sent at most."""


@dataclass(frozen=True)
class FollowUp:
    """The return that a plan names."""

    words: str
    """The plan's own, at most `LONGEST_WORDS` characters."""
    on: date | None
    """The day; None where the words do not say exactly one."""


def read_follow_up(plan: str, day: date) -> FollowUp | None:
    """Return what a plan says of the return; None where it says nothing of one.

    Args:
        plan: The plan of a record, as typed.
        day: The day of the visit.
    """
    folded = " ".join(plan.casefold().split())
    if _NOT.search(folded):
        return None
    found = list(_days(folded, day))
    said = [words for words, _ in found] or [
        match.group() for match in (_SPAN.search(folded), _OPEN.search(folded)) if match
    ]
    if not said:
        return None
    named = {on for _, on in found}
    only = next(iter(named)) if len(named) == 1 and not _SPAN.search(folded) else None
    return FollowUp(said[0].strip(" :")[:LONGEST_WORDS], only)


def _days(folded: str, day: date) -> Iterator[tuple[str, date | None]]:
    """Yield the words and the day of each return that is named; None for one that cannot be."""
    for found in _ON.finditer(folded):
        yield found.group(), _believed(_calendar_day(found), day)
    if _ON.search(folded):
        return
    for found in _IN.finditer(folded):
        on = None if found["range"] else _later(found, day)
        yield found.group(), _believed(on, day)


def _believed(on: date | None, day: date) -> date | None:
    """Return a day that lies ahead, and not too far; else none."""
    return on if on is not None and day < on <= day + timedelta(days=LONGEST_DAYS) else None


def _calendar_day(found: re.Match[str]) -> date | None:
    text = found["month"]
    month = int(text) if text.isdigit() else _month_named(text)
    year = int(found["year"])
    try:
        return date(year if year > 99 else 2000 + year, month, int(found["day"]))
    except ValueError:
        return None


def _month_named(text: str) -> int:
    """Return 1 to 12; 0 for what is no month."""
    return _MONTHS.index(text[:3]) + 1 if text[:3] in _MONTHS else 0


def _later(found: re.Match[str], day: date) -> date | None:
    single = found["single"]
    if single == "sebulan":
        return _months_later(day, 1)
    if single:
        return day + timedelta(days=_SINGLE[single])
    if found["after"]:
        return day + timedelta(days=int(found["after"]))
    number = NUMBERS.get(found["number"]) or int(found["number"])
    unit = found["unit"]
    if unit in {"bulan", "bln"}:
        return _months_later(day, number)
    return day + timedelta(days=number * (1 if unit in {"hari", "hr"} else 7))


def _months_later(day: date, months: int) -> date | None:
    """Return the same day some months later, or the last of that month."""
    place = day.year * 12 + day.month - 1 + months
    year, month = divmod(place, 12)
    if year > day.year + 10:
        return None
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))

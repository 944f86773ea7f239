"""Dates as they are found in patient lists: cells, and what a whole column tells about them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from core.foundation.spreadsheets import EPOCH

MONTHS = {
    **dict.fromkeys(("januari", "jan", "january"), 1),
    **dict.fromkeys(("februari", "feb", "pebruari", "peb", "february"), 2),
    **dict.fromkeys(("maret", "mar", "mrt", "march"), 3),
    **dict.fromkeys(("april", "apr"), 4),
    **dict.fromkeys(("mei", "may"), 5),
    **dict.fromkeys(("juni", "jun", "june"), 6),
    **dict.fromkeys(("juli", "jul", "july"), 7),
    **dict.fromkeys(("agustus", "agt", "agu", "ags", "aug", "august", "agust"), 8),
    **dict.fromkeys(("september", "sep", "sept"), 9),
    **dict.fromkeys(("oktober", "okt", "oct", "october"), 10),
    **dict.fromkeys(("november", "nov", "nopember", "nop"), 11),
    **dict.fromkeys(("desember", "des", "dec", "december"), 12),
}
FIRST_DAY_NUMBER, LAST_DAY_NUMBER = 1001, 59_999
"""Numbers read as a spreadsheet's days: from 1902 to 2064. What is lower may be a year or a house."""

_DAY_NUMBER = re.compile(r"\d{4,5}")
_YEAR_ALONE = re.compile(r"(19|20)\d\d")
_TIME_OF_DAY = re.compile(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?.*$")
_ALONE, _WHOLE = r"(?<!\w)(?<!\w[-/.])(?<!\d\s)", r"(?!\w)(?!\s*[-/.]\s*\w)"
"""Before and after a date: nothing that could belong to it. Of `l7/08/1990` and `1 7/08/1990` no part is a date."""
_YEAR_FIRST = re.compile(
    rf"{_ALONE}(?P<year>\d{{4}})[-/. ](?P<month>\d{{1,2}})[-/. ](?P<day>\d{{1,2}}){_WHOLE}"
)
_TWO_NUMBERS_FIRST = re.compile(
    rf"{_ALONE}(?P<first>\d{{1,2}})[-/. ]+(?P<second>\d{{1,2}})[-/. ]+(?P<year>\d{{4}}|\d{{2}}){_WHOLE}"
)
_MONTH_NAMED = re.compile(
    rf"{_ALONE}(?P<day>\d{{1,2}})[-/. ]*(?P<month>[a-z]{{3,}})\.?[-/., ]*(?P<year>\d{{4}}|\d{{2}}){_WHOLE}"
)
_UNSURE = re.compile(r"[?±~≈]|\b(?:kira|sekitar|perkiraan|kurang lebih|kurleb|lupa|ragu|approx|about)")
"""Signs and words by which whoever wrote it says that it is a guess."""
_MONTH_NAMED_FIRST = re.compile(
    r"\b(?P<month>[a-z]{3,})\.? +(?P<day>\d{1,2})(?:st|nd|rd|th)?,? +(?P<year>\d{4})(?!\d)"
)
_TWO_NUMBERS_JOINED = re.compile(r"\A(?P<first>\d{1,2})(?P<second>\d{2})(?P<year>(?:19|20)\d{2})\Z")
"""`31011990`; `1011990` where a spreadsheet dropped the zero."""
_YEAR_FIRST_JOINED = re.compile(r"\A(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>\d{2})\Z")
_NO_DIGIT_BUT_ZERO = re.compile(r"[0\s\-/.:T]*0[0\s\-/.:T]*\Z")
LAST_MONTH = 12
SLIPS_SHARE = 0.02  # of the values that prove an order: so few that prove the other one are slips of the hand

PLACEHOLDERS = frozenset(
    {
        date(1, 1, 1),  # .NET
        date(1753, 1, 1),  # SQL Server
        date(1800, 1, 1),
        date(1899, 12, 30),  # day 0 of spreadsheets
        date(1899, 12, 31),
        date(1900, 1, 1),  # day 1 of spreadsheets
        date(1901, 12, 13),  # the earliest 32-bit Unix time
    }
)
"""Dates that programs write where nobody entered one."""
_NO_BIRTH_YEAR = 9999  # `9999-12-31`: for ever
UNIX_DEFAULT = date(1970, 1, 1)
"""Day 0 of Unix time: a placeholder where the column shows it, and somebody's birthday elsewhere."""
DEFAULTS_SHARE = 0.01  # of a column's dates: one day in forty years of births is 0.007 %
FEWEST_DEFAULTS = 2  # in a column; one alone may be a person


class DateOrder(StrEnum):
    """Order of day and month in dates such as `03/04/1990`."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    MIXED = "mixed"
    """Both orders are proved by values of the column: a value that may be either is not read."""
    ASSUMED = "assumed"
    """No value proves an order: read with the day first, as Indonesia writes."""


@dataclass(frozen=True)
class DateColumn:
    """Evidence of a whole column of dates."""

    order: DateOrder = DateOrder.ASSUMED
    has_unix_default: bool = False
    """True if 1 January 1970 is what the other program wrote for an empty date."""
    are_cells_swapped: bool = False
    """True if the spreadsheet's own dates may be texts that an English spreadsheet read with the month first."""


@dataclass(frozen=True)
class DateReading:
    """A cell read as a date."""

    day: date | None = None
    other: date | None = None
    """The same numbers with day and month swapped, where that is another day."""
    is_doubtful: bool = False
    """True if `day` and `other` are equally likely."""
    is_placeholder: bool = False
    """True if the cell holds a program's word for "no date"."""


def read_column(cells: Iterable[Any], order: DateOrder | None = None) -> DateColumn:
    """Return what the cells of a column prove together.

    One value whose first number cannot be a month proves that the day comes first in the whole list, and the
    reverse.

    Args:
        cells: The cells of the column.
        order: The order as the admin said it; None: as the values prove it.
    """
    filled = [cell for cell in cells if cell_text(cell)]
    numbered = [pair for cell in filled if (pair := _numbers_of(cell)) is not None]
    return DateColumn(
        order or _proved_order(numbered),
        _has_unix_default(filled),
        order is None and _are_cells_swapped(filled, numbered),
    )


def _proved_order(numbered: Sequence[tuple[int, int]]) -> DateOrder:
    day_first = sum(first > LAST_MONTH >= second for first, second in numbered)
    month_first = sum(second > LAST_MONTH >= first for first, second in numbered)
    if not day_first and not month_first:
        return DateOrder.ASSUMED
    if min(day_first, month_first) > SLIPS_SHARE * (day_first + month_first):
        return DateOrder.MIXED
    return DateOrder.DAY_FIRST if day_first > month_first else DateOrder.MONTH_FIRST


def _numbers_of(cell: Any) -> tuple[int, int] | None:
    """Return the two numbers before the year of a date written as text; None for every other cell."""
    if isinstance(cell, date):
        return None
    text = _TIME_OF_DAY.sub("", cell_text(cell)).lower()
    if _is_day_number(text) or _YEAR_FIRST.search(text) or _YEAR_FIRST_JOINED.match(text):
        return None
    match = _TWO_NUMBERS_FIRST.search(text) or _TWO_NUMBERS_JOINED.match(text)
    return (int(match["first"]), int(match["second"])) if match else None


def _has_unix_default(cells: Sequence[Any]) -> bool:
    found = sum(read_date(cell, UNIX_DEFAULT) == UNIX_DEFAULT for cell in cells)
    return found >= FEWEST_DEFAULTS and found >= DEFAULTS_SHARE * len(cells)


def _are_cells_swapped(cells: Sequence[Any], numbered: Sequence[tuple[int, int]]) -> bool:
    """Return whether an English spreadsheet has read day/month texts: it made dates of those it could.

    Then every text left over has a first number that is no month, and no date that it made has a day above 12.
    """
    dates = [cell for cell in cells if isinstance(cell, date)]
    if not dates or not numbered:
        return False
    return all(first > LAST_MONTH for first, _second in numbered) and all(
        cell.day <= LAST_MONTH for cell in dates
    )


def read_cell(cell: Any, today: date, column: DateColumn = DateColumn()) -> DateReading:
    """Return a date as found in lists, read as its column is read.

    Read are real dates, a spreadsheet's day numbers, `17-08-1990`, `17 Agustus 90`,
    `Banjarmasin, 17/8/1990`, `1990-08-17`, `17081990` and `19900817`.

    Args:
        cell: The cell.
        today: The clinic's calendar day; two digits of a year mean the last one that is not to come.
        column: Evidence of the column.
    """
    reading = _read(cell, today, column)
    is_default = reading.day == UNIX_DEFAULT and column.has_unix_default
    if is_default or _is_placeholder(cell, reading.day):
        return DateReading(is_placeholder=True)
    return reading


def read_date(cell: Any, today: date) -> date | None:
    """Return a date as found in lists, by itself: the day before the month; None when there is none."""
    return read_cell(cell, today).day


def _is_placeholder(cell: Any, day: date | None) -> bool:
    if day is not None:
        return day in PLACEHOLDERS or day.year == _NO_BIRTH_YEAR
    text = cell_text(cell)
    return bool(_NO_DIGIT_BUT_ZERO.match(text)) or text.startswith("1900-01-00")


def _read(cell: Any, today: date, column: DateColumn) -> DateReading:
    if isinstance(cell, date):
        day = cell.date() if isinstance(cell, datetime) else cell
        swapped = _date(day.year, day.day, day.month)
        return _either(day, swapped, is_doubtful=column.are_cells_swapped)
    text = cell_text(cell)
    if _is_day_number(text):
        return DateReading(EPOCH + timedelta(days=int(text)))
    text = _TIME_OF_DAY.sub("", text).lower()
    if _UNSURE.search(text) or _holds_two(text):
        return DateReading()
    match = _YEAR_FIRST.search(text) or _YEAR_FIRST_JOINED.match(text)
    if match is None:
        match = _two_numbers(text)
        if match is not None:
            return _of_two_numbers(match, today, column.order)
        match = _MONTH_NAMED.search(text) or _MONTH_NAMED_FIRST.search(text)
    if match is None:
        return DateReading()
    return DateReading(_date(_century(match["year"], today), _month(match["month"]), int(match["day"])))


def _holds_two(text: str) -> bool:
    """Return whether a cell holds different dates: which one is meant nobody can tell."""
    return any(
        len({found.group() for found in pattern.finditer(text)}) > 1
        for pattern in (_YEAR_FIRST, _TWO_NUMBERS_FIRST, _MONTH_NAMED)
    )


def _two_numbers(text: str) -> re.Match[str] | None:
    return _TWO_NUMBERS_FIRST.search(text) or _TWO_NUMBERS_JOINED.match(text)


def _of_two_numbers(match: re.Match[str], today: date, order: DateOrder) -> DateReading:
    year, first, second = _century(match["year"], today), int(match["first"]), int(match["second"])
    day_first, month_first = _date(year, second, first), _date(year, first, second)
    if order is DateOrder.MONTH_FIRST:
        return _either(month_first, day_first, is_doubtful=False)
    if order is DateOrder.MIXED and day_first is None:
        return DateReading(month_first)
    return _either(day_first, month_first, is_doubtful=order is DateOrder.MIXED)


def _either(day: date | None, other: date | None, *, is_doubtful: bool) -> DateReading:
    if day is None or other is None or day == other:
        return DateReading(day)
    return DateReading(day, other, is_doubtful)


def _is_day_number(text: str) -> bool:
    if not _DAY_NUMBER.fullmatch(text) or _YEAR_ALONE.fullmatch(text):
        return False
    return FIRST_DAY_NUMBER <= int(text) <= LAST_DAY_NUMBER


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTHS.get(text, 0)


def _century(year: str, today: date) -> int:
    """Return a year in full: two digits are of this century when that is not in the future."""
    if len(year) == 4:
        return int(year)
    century = today.year // 100 * 100
    return century + int(year) - (100 if int(year) > today.year % 100 else 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def cell_text(cell: Any) -> str:
    """Return a cell as text: whole numbers without a point, the apostrophe of forced texts removed."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().lstrip("'")

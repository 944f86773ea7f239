"""Parse and format values as staff at a counter write them: dates, ages, numbers, block letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size

from core.foundation import ages
from core.foundation.codes import Sex
from tui.text.translation import _, language

_DIGITS = re.compile(r"^(\d{2})(\d{2})(\d{4})$")
_PARTS = re.compile(r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})$")
_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")


MONTHS_SHOWN = 24  # from this age on years are shown, as a clerk says them


class NotADateError(ValueError):
    """The text is no date."""


def parse_date(text: str) -> date:
    """Parse a date as clerks type it: `ddmmyyyy`, `dd-mm-yyyy`, `d/m/yyyy`, `yyyy-mm-dd`.

    Raises:
        NotADateError: The text has none of these forms, or no such day exists.
    """
    text = text.strip()
    found = _DIGITS.match(text) or _PARTS.match(text)
    iso = _ISO.match(text)
    if found is None and iso is None:
        raise NotADateError(text)
    try:
        if iso is not None:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        assert found is not None
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError as error:
        raise NotADateError(text) from error


def date_text(day: date | None) -> str:
    """Return a date as `31-12-1990`; empty for None."""
    return f"{day:%d-%m-%Y}" if day is not None else ""


def time_text(instant: datetime | None, zone: str) -> str:
    """Return a time as `08:15` in the clinic's time zone; empty for None."""
    return f"{instant.astimezone(ZoneInfo(zone)):%H:%M}" if instant is not None else ""


def instant_text(instant: datetime | None, zone: str) -> str:
    """Return a moment as `31-12-2026 08:15` in the clinic's time zone; empty for None."""
    return f"{instant.astimezone(ZoneInfo(zone)):%d-%m-%Y %H:%M}" if instant is not None else ""


def age_text(born: date, today: date) -> str:
    """Return an age in days, in months up to two years, then in years; `?` for a date to come."""
    if born > today:
        return "?"
    months = ages.age_in_months(born, today)
    if months < 1:
        return _("{number} days").format(number=ages.age_in_days(born, today))
    if months < MONTHS_SHOWN:
        return _("{number} mo").format(number=months)
    return _("{number} yr").format(number=ages.age_in_years(born, today))


def sex_letter(sex: Sex | str) -> str:
    """Return one letter: L and P in Indonesian, M and F in English."""
    return _("M") if sex == Sex.MALE else _("F")


def parse_number(text: str) -> float:
    """Parse a measured number with comma or dot.

    Raises:
        ValueError: The text is no number of at most four digits and two decimals.
    """
    cleaned = text.strip().replace(",", ".")
    if not re.fullmatch(r"\d{1,4}(\.\d{0,2})?", cleaned):
        raise ValueError(text)
    return float(cleaned)


def number_text(value: float) -> str:
    """Return a measured number without trailing zeros: `36.5` (in Indonesian `36,5`), `120`."""
    text = f"{value:.10g}"
    return text.replace(".", ",") if language() == "id" else text


def fit(text: str, width: int) -> str:
    """Cut or fill a text to exactly `width` cells; an ellipsis marks a cut."""
    text = one_line(text)
    if cell_len(text) > width > 1:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)


def one_line(text: str) -> str:
    """Return the text on one line: line ends become spaces, control characters are dropped."""
    return "".join(
        " " if character in "\n\t" else character
        for character in text
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf"}
    )


# Three cells by five; each string is one glyph, its rows separated by "/".
_GLYPHS = {
    "0": "###/# #/# #/# #/###", "1": " # /## / # / # /###", "2": "###/  #/###/#  /###",
    "3": "###/  #/ ##/  #/###", "4": "# #/# #/###/  #/  #", "5": "###/#  /###/  #/###",
    "6": "###/#  /###/# #/###", "7": "###/  #/ # / # / # ", "8": "###/# #/###/# #/###",
    "9": "###/# #/###/  #/###", "-": "   /   /###/   /   ",
    "A": " # /# #/###/# #/# #", "B": "## /# #/## /# #/## ", "C": "###/#  /#  /#  /###",
    "D": "## /# #/# #/# #/## ", "E": "###/#  /## /#  /###", "F": "###/#  /## /#  /#  ",
    "G": "###/#  /# #/# #/###", "H": "# #/# #/###/# #/# #", "I": "###/ # / # / # /###",
    "J": "  #/  #/  #/# #/###", "K": "# #/# #/## /# #/# #", "L": "#  /#  /#  /#  /###",
    "M": "# #/###/###/# #/# #", "N": "###/# #/# #/# #/# #", "O": "###/# #/# #/# #/###",
    "P": "###/# #/###/#  /#  ", "Q": "###/# #/# #/###/  #", "R": "## /# #/## /# #/# #",
    "S": " ##/#  /###/  #/## ", "T": "###/ # / # / # / # ", "U": "# #/# #/# #/# #/###",
    "V": "# #/# #/# #/# #/ # ", "W": "# #/# #/###/###/# #", "X": "# #/# #/ # /# #/# #",
    "Y": "# #/# #/ # / # / # ", "Z": "###/  #/ # /#  /###",
}  # fmt: skip

BIG_ROWS = 5  # rows of a glyph


def big_text(text: str, dot: str = "██") -> list[str]:
    """Return block letters that can be read across a room: five rows, seven cells a letter.

    Args:
        text: Letters, digits and dashes; anything else becomes a gap.
        dot: Two cells that draw one dot.
    """
    glyphs = [_GLYPHS.get(character, "   /   /   /   /   ").split("/") for character in text.upper()]
    return [
        " ".join("".join(dot if cell == "#" else "  " for cell in glyph[row]) for glyph in glyphs)
        for row in range(BIG_ROWS)
    ]


def wrapped(line: str, cells: int) -> list[str]:
    """Break a line between words; the lines after the first are indented by two cells more."""
    lines: list[str] = []
    indent = " " * (len(line) - len(line.lstrip()))
    for paragraph in line.splitlines() or [""]:
        current = indent + "  " if lines else indent
        for number, word in enumerate(paragraph.split()):
            if number and cell_len(f"{current} {word}") > cells:
                lines.append(current)
                current = f"{indent}  {word}"
            else:
                current = f"{current} {word}" if number else current + word
        lines.append(current)
    return lines


def in_rows(items: Sequence[str], cells: int) -> list[str]:
    """Join items with commas, as many to a row as fit; no item is broken."""
    rows: list[str] = []
    for item in items:
        if rows and cell_len(f"{rows[-1]}, {item},") <= cells:
            rows[-1] += f", {item}"
        else:
            rows.append(item)
    return [f"{row}," for row in rows[:-1]] + rows[-1:]

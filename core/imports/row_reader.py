"""Reads patient lists of other systems: headings and rows as they are found in the field.

Pure, apart from reading the file: nothing here knows the database.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from core.foundation.ages import age_in_years, birth_date_of_age
from core.foundation.codes import NoIdentifierReason, Sex
from core.foundation.errors import ValidationError
from core.foundation.spreadsheets import Cells, read_content, read_sheets
from core.imports.dates import (
    UNIX_DEFAULT,
    DateColumn,
    DateOrder,
    DateReading,
    cell_text,
    read_cell,
    read_column,
)
from core.linkage.birth_dates import USUAL_DAYS
from core.linkage.names import fold
from core.patients.fields import BY_NAME, CODED, IMPORTABLE, FieldKind
from core.patients.identity_values import lists
from core.patients.national_ids import BPJS_LENGTH, check_nik, normalise_number

_LIST_ONLY: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "name": (
        ("first_name", ("first name", "given name", "given", "first", "nama depan", "firstname")),
        ("middle_name", ("middle name", "middle", "nama tengah")),
        ("last_name", ("last name", "family name", "family", "surname", "last", "nama belakang", "lastname")),
    ),
    "birth_date": (
        ("age", ("umur", "usia", "age", "umur th", "umur tahun", "age in years", "umur pasien")),
        ("estimated", ("birthdate estimated", "birth date estimated", "date of birth is estimated")),
        ("deceased", (
            "deathdate", "death date", "date of death", "tgl meninggal", "tanggal meninggal", "tgl wafat", "deceased",
        )),
    ),
    "passport_number": (
        ("record_number", (
            "rm", "no rm", "norm", "nomor rm", "no rekam medis", "nomor rekam medis", "rekam medis", "no rm pasien",
            "no rekmed", "mrn", "no rkm medis", "kd pasien", "no erm", "patient identifier", "openmrs id",
        )),
    ),
}  # fmt: skip
"""Columns of lists that are no patient fields, after the field that they follow: name and headings each."""
NAME_PARTS = ("first_name", "middle_name", "last_name")
"""Columns that are joined to a name where the list has none, in this order."""


def _known_headings() -> dict[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {}
    for column in IMPORTABLE:
        known[column.name] = column.headings
        known |= dict(_LIST_ONLY.get(column.name, ()))
    return known


HEADINGS = _known_headings()
"""Field -> headings it is known by, folded, usual ones first."""
HEADING_LINES = 20  # lines in which the headings are looked for; titles may be above them
FEWEST_HEADINGS = 2  # known headings in a line of headings
SHORTEST_BEGINNING = 4  # letters of a heading that may begin a longer one
OTHERS = frozenset(
    "ayah bapak ibu suami istri isteri anak kk kepala keluarga penanggung pj wali dokter petugas faskes provider"
    " kontak darurat mother father guardian parent spouse partner relative kin caregiver caretaker head"
    " village school facility organisation organization user doctor provider".split()
)
"""Words of a heading whose column is about somebody or something else: `nama ayah`, `no ktp suami`."""

SEXES = {
    **dict.fromkeys(
        ("l", "lk", "laki", "laki laki", "lakilaki", "pria", "m", "male", "cowok", "1"), Sex.MALE
    ),
    **dict.fromkeys(("p", "pr", "perempuan", "wanita", "f", "female", "w", "cewek", "2"), Sex.FEMALE),
}
EMPTY = frozenset({"", "-", "--", "null", "none", "n/a", "na", "0", "tidak ada", "nihil", "x", "."})
"""Texts of cells that hold no value."""

MUST_HAVE = ("name", "birth_date", "sex")
"""Fields without which a row is no patient."""
TELLS_OF_SOMEBODY = frozenset(
    {
        "name",
        *NAME_PARTS,
        "birth_date",
        "age",
        "sex",
        "nik",
        "bpjs_number",
        "record_number",
        "phone",
        "mother_name",
    }
)
"""Columns of which one must be filled in a row about a person."""
TELLING_APART = ("nik", "bpjs_number", "mother_name", "phone", "address")
"""Fields by which namesakes and twins are told apart."""
LONGEST_SAID = 200  # characters of a cell that are kept for whoever mends the row
YES = frozenset({"1", "true", "t", "yes", "y", "ya"})
NO = frozenset({"0", "false", "f", "no", "n", "tidak", "hidup", "alive", "0000 00 00"})
OLDER_BY_YEARS = 1  # by so much more than the birth date allows an age is no slip of rounding
YOUNGER_BY_YEARS = 25  # ages in lists are of the day on which they were written; none so long ago
AREA_DIGITS = 3  # of RT and RW; zeros and words before them are dropped
_BPJS_WITHOUT_ZEROS = re.compile(r"[1-9]\d{8,11}")
_APART = re.compile(r"[()\[\]/,;:]")
"""Marks between two ways to say the same in one cell."""
_PHONE_WITHOUT_ZERO = re.compile(r"8\d{8,11}")


@dataclass(frozen=True)
class ImportTable:
    """A list as it was read."""

    columns: dict[str, str]
    """Field -> heading."""
    places: dict[str, int]
    """Field -> column, counted from 0."""
    ignored: list[str]
    """Headings of columns that are not read."""
    rows: list[Cells]
    digest: bytes
    """SHA-256 of the file."""
    lines: Sequence[int] = ()
    """Line of the file, counted from 1, of each row."""
    dates: DateColumn = field(default_factory=DateColumn)
    """Evidence of the column of birth dates."""

    def line(self, number: int) -> int:
        """Return the file's line of a row; rows are counted from 1."""
        return self.lines[number - 1] if self.lines else number

    @property
    def absent(self) -> list[str]:
        """Fields that tell people apart and that no column brings."""
        return [name for name in TELLING_APART if name not in self.places]


@dataclass
class ImportRow:
    """One row, in the words of `PatientFields`."""

    fields: dict[str, Any]
    record_number: str = ""
    problems: list[str] = field(default_factory=list)
    """Values that were left out or guessed: `nik: nik_length`, `birth_date: estimated`."""
    fatal: dict[str, str] = field(default_factory=dict)
    """Fields of `MUST_HAVE` that are missing -> `required`, `unreadable`, `placeholder` or `order_unclear`; what
    else keeps the row from being a patient."""
    typed: dict[str, str] = field(default_factory=dict)
    """Field -> what the list says, as text; dates and numbers as they were read."""
    deceased_on: date | None = None
    """The day of death, where the list says one."""
    contradictions: dict[str, str] = field(default_factory=dict)
    """Fields that another field of the row contradicts -> `nik_differs`, `age_differs`."""


def read_table(file: Path, columns: Mapping[str, str], order: DateOrder | None = None) -> ImportTable:
    """Read a list and find out which column holds which field.

    Args:
        file: CSV, or XLSX whose first sheet that has headings is read.
        columns: Field -> heading, over the guess; an empty heading leaves the field out. The headings of two or
            three columns that hold parts of the name stand with plus signs between them.
        order: Order of day and month, where the admin says it.

    Raises:
        ValidationError: `file`: `unreadable`, `too_large`, `no_headings`; a field that has no column but needs one,
            or a heading that is not there (`unknown_column`).
    """
    content = read_content(file)
    filled, start = _lines_with_headings(content)
    headings = ["" if cell is None else str(cell).strip() for cell in filled[start][1]]
    places = _chosen(_guess(headings), _apart(columns, headings), headings)
    _require_columns(places)
    read = set(places.values())
    below = [(line, cells) for line, cells in filled[start + 1 :] if _is_of_a_person(cells, headings, places)]
    rows = [cells for _line, cells in below]
    return ImportTable(
        columns={name: headings[place] for name, place in places.items()},
        places=places,
        ignored=[heading for place, heading in enumerate(headings) if heading and place not in read],
        rows=rows,
        digest=hashlib.sha256(content).digest(),
        lines=[line for line, _cells in below],
        dates=read_column(_column(rows, places.get("birth_date")), order),
    )


def _lines_with_headings(content: bytes) -> tuple[list[tuple[int, Cells]], int]:
    """Return the filled lines of the first sheet that has headings, with their numbers, and the place of the headings."""
    for sheet in read_sheets(content):
        lines = [
            (number, line)
            for number, line in enumerate(sheet, 1)
            if any(cell not in (None, "") for cell in line)
        ]
        guesses = [_guess(line) for _number, line in lines[:HEADING_LINES]]
        found = [place for place, guess in enumerate(guesses) if len(guess) >= FEWEST_HEADINGS]
        if found:
            # Above the headings may stand a line of what they are about: `Pasien`, `Alamat`.
            return lines, next((place for place in found if not _missing_columns(guesses[place])), found[0])
    raise ValidationError({"file": "no_headings"})


def _is_of_a_person(cells: Cells, headings: Sequence[str], places: Mapping[str, int]) -> bool:
    """Return whether a line may be about somebody: not the headings again, their numbers, or a rest without a name."""
    texts = [cell_text(cell) for cell in cells]
    filled = [text for text in texts if text]
    if texts == list(headings)[: len(texts)] or _are_numbers_of_columns(filled):
        return False
    said = {name: texts[place] for name, place in places.items() if place < len(texts)}
    names_somebody = {name for name, text in said.items() if text.lower() not in EMPTY} & TELLS_OF_SOMEBODY
    return bool(names_somebody)


def _are_numbers_of_columns(filled: Sequence[str]) -> bool:
    """Return whether a line counts the columns below their headings: `(1)`, `(2)`, `(3)`."""
    numbers = [text.strip("()[].") for text in filled]
    return len(numbers) >= FEWEST_HEADINGS and numbers == [str(at) for at in range(1, len(numbers) + 1)]


def _column(rows: Iterable[Cells], place: int | None) -> list[Any]:
    return [] if place is None else [cells[place] for cells in rows if place < len(cells)]


def _apart(columns: Mapping[str, str], headings: Sequence[str]) -> dict[str, str]:
    """Return the columns chosen, with `name=First+Last` taken apart into the columns of the name's parts."""
    chosen = dict(columns)
    parts = [part.strip() for part in chosen.get("name", "").split("+")]
    if chosen.get("name") in headings or not 1 < len(parts) <= len(NAME_PARTS):
        return chosen
    chosen |= {"name": "", **dict.fromkeys(NAME_PARTS, "")}
    return chosen | dict(zip((*NAME_PARTS[: len(parts) - 1], NAME_PARTS[-1]), parts, strict=True))


def _chosen(
    guessed: Mapping[str, int], columns: Mapping[str, str], headings: Sequence[str]
) -> dict[str, int]:
    """Return field -> column, with the columns that were chosen by name instead of the guess."""
    places = dict(guessed)
    for name, heading in columns.items():
        places.pop(name, None)
        if heading and name in HEADINGS and heading in headings:
            places[name] = headings.index(heading)
        elif heading:
            raise ValidationError({name: "unknown_column"})
    return places


def _require_columns(places: Mapping[str, int]) -> None:
    missing = _missing_columns(places)
    if missing:
        raise ValidationError(missing)


def _missing_columns(places: Mapping[str, int]) -> dict[str, str]:
    """Return the fields without which no row is a patient and that have no column: field -> code."""
    known = set(places)
    needed = {
        "name": {"name", *NAME_PARTS},
        "birth_date": {"birth_date", "age", "nik"},
        "sex": {"sex", "nik"},
    }
    return {name: "required" for name, columns in needed.items() if not columns & known}


def _guess(line: Iterable[Any]) -> dict[str, int]:
    """Return field -> column for a line of headings: exact headings first, then those that begin with a known one."""
    folded = [fold(str(cell)) if cell is not None else "" for cell in line]
    places: dict[str, int] = {}
    for matches in (_is_heading, _begins_with_heading):
        for name, texts in HEADINGS.items():
            place = None if name in places else _first(folded, texts, matches, taken=set(places.values()))
            if place is not None:
                places[name] = place
    if "name" in places and not _is_heading(folded[places["name"]], HEADINGS["name"]):
        _prefer_parts(places)
    return places


def _first(
    headings: Sequence[str],
    texts: Sequence[str],
    matches: Callable[[str, Sequence[str]], bool],
    *,
    taken: Container[int],
) -> int | None:
    """Return the first column that is not taken and whose heading matches; None when there is none."""
    free = (place for place, heading in enumerate(headings) if place not in taken and matches(heading, texts))
    return next(free, None)


def _prefer_parts(places: dict[str, int]) -> None:
    """Leave out a name that was guessed by its heading's beginning where the parts of the name have columns."""
    if any(part in places for part in NAME_PARTS):
        del places["name"]


def _is_heading(heading: str, texts: Sequence[str]) -> bool:
    """Return whether a heading is one of the texts; blanks are put in and left out at will: `N I K`, `NoHP`."""
    return heading.replace(" ", "") in {text.replace(" ", "") for text in texts}


def _begins_with_heading(heading: str, texts: Sequence[str]) -> bool:
    """Return whether a heading goes on after one of the texts, about the patient: not `nama ayah`, `no ktp suami`."""
    return any(
        heading.startswith(text + " ") and OTHERS.isdisjoint(heading[len(text) :].split())
        for text in texts
        if len(text) >= SHORTEST_BEGINNING
    )


def record_numbers_in(table: ImportTable) -> Iterator[str]:
    """Yield the numbers of the paper files, as they are written."""
    place = table.places.get("record_number")
    if place is None:
        return
    for cells in table.rows:
        if place < len(cells):
            yield normalise_number(cell_text(cells[place]))


def read_row(table: ImportTable, cells: Cells, today: date) -> ImportRow:
    """Read one row in the words of `PatientFields`; a value that cannot be read is noted in `problems`.

    Args:
        table: The list.
        cells: The row.
        today: The clinic's calendar day.
    """
    given = _given(table, cells)
    row = ImportRow({})
    for column in IMPORTABLE:
        reads = _READERS.get(column.kind)
        if reads is not None:
            row.fields[column.name] = reads(cell_text(given.get(column.name)))
    _read_coded(row, given)
    row.fields["name"] = row.fields["name"] or _joined_name(given)
    _mend_numbers(row, given)
    row.record_number = normalise_number(cell_text(given.get("record_number")))
    _read_sex(row, given, today)
    _read_birth_date(row, given, today, table.dates)
    if not row.fields["nik"]:
        row.fields["no_identifier_reason"] = NoIdentifierReason.FORGOTTEN
    row.fields = {name: value for name, value in row.fields.items() if value != ""}
    row.deceased_on = _day_of_death(row, given, today, table.dates)
    row.typed = _typed(row, given)
    row.fatal = _fatal(row, given)
    return row


def _given(table: ImportTable, cells: Cells) -> dict[str, Any]:
    """Return the cells of a row that hold something, by field."""
    places = {name: place for name, place in table.places.items() if place < len(cells)}
    return {
        name: cells[place] for name, place in places.items() if cell_text(cells[place]).lower() not in EMPTY
    }


def _fatal(row: ImportRow, given: Mapping[str, Any]) -> dict[str, str]:
    """Return what keeps a row that was read from being a patient: field -> code."""
    fatal = {
        name: row.fatal.get(name) or _missing(name, given) for name in MUST_HAVE if name not in row.fields
    }
    if _says_deceased(given) and row.deceased_on is None:
        fatal["deceased"] = "said"
    return fatal


def _says_deceased(given: Mapping[str, Any]) -> bool:
    return "deceased" in given and fold(cell_text(given["deceased"])) not in NO


def _day_of_death(row: ImportRow, given: Mapping[str, Any], today: date, column: DateColumn) -> date | None:
    """Return the day of death that the list says; None where it says none, or one that cannot be.

    Args:
        row: The row; its birth date is read already.
        given: The cells of the row.
        today: The clinic's calendar day.
        column: Evidence of the order of day and month in the list.
    """
    if not _says_deceased(given):
        return None
    reading = read_cell(given["deceased"], today, column)
    born = row.fields.get("birth_date")
    if reading.day is None or reading.is_doubtful or reading.is_placeholder or born is None:
        return None
    return reading.day if born <= reading.day <= today else None


def _typed(row: ImportRow, given: Mapping[str, Any]) -> dict[str, str]:
    """Return what the list says: the cells, with what was read of them in its place."""
    said = {name: _words(cell_text(cell))[:LONGEST_SAID] for name, cell in given.items()}
    read = {
        name: str(value)
        for name, value in row.fields.items()
        if name in BY_NAME and name != "birth_date_estimated"
    }
    day = {"deceased_on": row.deceased_on.isoformat()} if row.deceased_on else {}
    return {**said, **read, **day}


def _joined_name(given: Mapping[str, Any]) -> str:
    return _words(" ".join(cell_text(given.get(part)) for part in NAME_PARTS))


def _words(text: str) -> str:
    return " ".join(text.split())


def _number(text: str) -> str:
    return normalise_number(text).lstrip("'")


def _area_number(text: str) -> str:
    return normalise_number(text)[-AREA_DIGITS:]


_READERS = {FieldKind.TEXT: _words, FieldKind.NUMBER: _number, FieldKind.AREA_NUMBER: _area_number}


def _missing(name: str, given: Mapping[str, Any]) -> str:
    is_given = name in given or (name == "birth_date" and "age" in given)
    return "unreadable" if is_given else "required"


def _mend_numbers(row: ImportRow, given: Mapping[str, Any]) -> None:
    """Mend what spreadsheets do to numbers: digits lost at the end, zeros lost at the beginning."""
    fields = row.fields
    if isinstance(given.get("nik"), (int, float)) and fields["nik"].endswith("0"):
        # A spreadsheet keeps fifteen digits of a number: the sixteenth of a NIK reads 0.
        fields["nik"] = ""
        row.problems.append("nik: digits_lost")
    if _BPJS_WITHOUT_ZEROS.fullmatch(fields["bpjs_number"]):
        fields["bpjs_number"] = fields["bpjs_number"].zfill(BPJS_LENGTH)
        row.problems.append("bpjs_number: zeros_added")
    if _PHONE_WITHOUT_ZERO.fullmatch(fields["phone"]):
        fields["phone"] = "0" + fields["phone"]


def _read_coded(row: ImportRow, given: Mapping[str, Any]) -> None:
    """Read religion, education, occupation and marital status by their words; what cannot be read is left out and noted."""
    for name in CODED:
        row.fields[name] = lists()[name].read(cell_text(given.get(name)))
        if name in given and not row.fields[name]:
            row.problems.append(f"{name}: unreadable")


def _read_sex(row: ImportRow, given: Mapping[str, Any], today: date) -> None:
    """Read the sex as given, else from the NIK."""
    row.fields["sex"] = _sex(cell_text(given.get("sex")))
    read = check_nik(row.fields["nik"], today=today).sex if row.fields["nik"] else None
    if read is None:
        return
    if not row.fields["sex"]:
        row.fields["sex"] = read
        row.problems.append("sex: from_nik")
    elif row.fields["sex"] != read:
        row.contradictions["sex"] = "nik_differs"


def _sex(text: str) -> str:
    """Return the sex that a cell says, also twice: `Perempuan (P)`; empty for none, or for both."""
    whole = SEXES.get(fold(text))
    if whole is not None:
        return whole
    said = {SEXES.get(fold(part), "") for part in _APART.split(text) if part.strip()}
    return said.pop() if len(said) == 1 else ""


def _read_birth_date(row: ImportRow, given: Mapping[str, Any], today: date, column: DateColumn) -> None:
    """Read the birth date as given, else from the NIK, else from an age, also one in the date's column."""
    reading = read_cell(given.get("birth_date"), today, column)
    born = _agreed_date(row, reading, given, today)
    if born is None:
        born = _date_from_nik(row, today)
    if born is None:
        born = birth_date_of_age(cell_text(given.get("age")), today, unit="th")
        born = born or birth_date_of_age(cell_text(given.get("birth_date")), today)
        if born is not None:
            row.fields["birth_date_estimated"] = True
            row.problems.append("birth_date: estimated")
    if born is None:
        return
    row.fields["birth_date"] = born
    if fold(cell_text(given.get("estimated"))) in YES:
        row.fields["birth_date_estimated"] = True


def _agreed_date(row: ImportRow, reading: DateReading, given: Mapping[str, Any], today: date) -> date | None:
    """Return the date that was read where nothing in the row speaks against it; what does is noted in the row.

    Args:
        row: The row; its NIK is read already.
        reading: The cell of the birth date.
        given: The cells of the row.
        today: The clinic's calendar day.
    """
    if reading.is_placeholder:
        row.fatal["birth_date"] = "placeholder"
    if reading.day is None:
        return None
    if _says_nik(row, reading.day, today):
        return reading.day
    if reading.other is not None and _says_nik(row, reading.other, today):
        row.problems.append("birth_date: order_from_nik")
        return reading.other
    if reading.is_doubtful:
        row.fatal["birth_date"] = "order_unclear"
        return None
    in_nik = _nik_date(row, reading.day, today)
    if in_nik is not None:
        if _stands_for_a_year(reading.day, in_nik):
            return None  # the NIK has the day itself
        row.contradictions["birth_date"] = "nik_differs"
    elif _speaks_against(cell_text(given.get("age")), reading.day, today):
        row.contradictions["birth_date"] = "age_differs"
    return reading.day


def _stands_for_a_year(day: date, in_nik: date) -> bool:
    """Return whether a date is what a program, or a clerk who knew the year only, writes for the one in the NIK."""
    return day == UNIX_DEFAULT or (day.year == in_nik.year and f"{day:%m-%d}" in USUAL_DAYS)


def _nik_date(row: ImportRow, beside: date | None, today: date) -> date | None:
    """Return the birth date in the row's NIK, its century as the date beside it says; None without a valid NIK."""
    nik = row.fields["nik"]
    return check_nik(nik, birth_date=beside, today=today).birth_date if nik else None


def _says_nik(row: ImportRow, day: date, today: date) -> bool:
    return _nik_date(row, day, today) == day


def _date_from_nik(row: ImportRow, today: date) -> date | None:
    born = _nik_date(row, None, today)
    if born is not None:
        row.problems.append("birth_date: from_nik")
    return born


def _speaks_against(age: str, born: date, today: date) -> bool:
    """Return whether an age beside a birth date cannot be this person's, even on an earlier day."""
    said = birth_date_of_age(age, today, unit="th")
    if said is None or born > today:
        return False
    years, counted = age_in_years(said, today), age_in_years(born, today)
    return years > counted + OLDER_BY_YEARS or years < counted - YOUNGER_BY_YEARS

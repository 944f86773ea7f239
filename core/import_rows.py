"""Reading other people's patient lists: files, headings, dates and words as they are found in the field.

Pure, apart from reading the file: nothing here knows the database.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from core.errors import ValidationError
from core.identity import check_nik, normalise_number
from core.names import fold
from core.vocabulary import NoIdentifierReason, Sex

HEADINGS = {
    "name": "nama;nama pasien;nama lengkap;nama px;nm pasien;nm;name;pasien;full name",
    "sex": "jk;jenis kelamin;kelamin;l p;lp;sex;gender;jns kelamin;jenkel;j k",
    "birth_date": "tanggal lahir;tgl lahir;tgl lhr;tgllahir;tanggallahir;lahir;dob;birth date;date of birth"
    ";birthdate;ttl;tempat tanggal lahir;tempat tgl lahir;tempat dan tanggal lahir",
    "age": "umur;usia;age;umur th;umur tahun",
    "nik": "nik;no ktp;nomor ktp;ktp;no nik;nomor induk kependudukan;no identitas;no ktp nik;nik ktp",
    "bpjs_number": "bpjs;no bpjs;nomor bpjs;no kartu;nokartu;no kartu bpjs;noka;no jkn;jkn;kis;no kis;no bpjs kis",
    "family_card_number": "kk;no kk;nomor kk;kartu keluarga;no kartu keluarga;nokk",
    "passport_number": "paspor;no paspor;passport",
    "record_number": "rm;no rm;norm;nomor rm;no rekam medis;nomor rekam medis;rekam medis;no rm pasien;no rekmed;mrn",
    "mother_name": "nama ibu;ibu kandung;nama ibu kandung;ibu;nm ibu;mother;mother name",
    "phone": "hp;no hp;nohp;telepon;telp;no telp;no telepon;no telpon;nomor hp;wa;no wa;kontak;phone;handphone",
    "address": "alamat;alamat rumah;alamat lengkap;address;alamat domisili;alamat ktp;jalan",
    "rt": "rt",
    "rw": "rw",
    "village_code": "kode kelurahan;kode desa;kode wilayah",
}
"""Field -> headings it is known by, folded, usual ones first."""

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
SEXES = {
    **dict.fromkeys(
        ("l", "lk", "laki", "laki laki", "lakilaki", "pria", "m", "male", "cowok", "1"), Sex.MALE
    ),
    **dict.fromkeys(("p", "pr", "perempuan", "wanita", "f", "female", "w", "cewek", "2"), Sex.FEMALE),
}
EMPTY = frozenset({"", "-", "--", "null", "none", "n/a", "na", "0", "tidak ada", "nihil", "x", "."})

OLDEST_YEARS = 120
_AGE = re.compile(r"(?P<number>\d{1,3})\s*(?P<unit>th|tahun|bl|bulan|hr|hari|mg|minggu)?")
BPJS_DIGITS = 13
EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of spreadsheet dates (with the leap year of 1900 that never was)."""


@dataclass(frozen=True)
class Table:
    """A list as it was read."""

    columns: dict[str, str]
    """Field -> heading."""
    places: dict[str, int]
    """Field -> column, counted from 0."""
    ignored: list[str]
    rows: list[Sequence[Any]]
    """Cells as the file has them: texts, numbers, dates or None."""
    digest: bytes
    """SHA-256 of the file."""


@dataclass
class Row:
    """One row, in the words of `PatientFields`."""

    fields: dict[str, Any]
    record_number: str = ""
    problems: list[str] = field(default_factory=list)
    """What was left out or guessed: `nik: nik_length`, `birth_date: estimated`."""
    fatal: dict[str, str] = field(default_factory=dict)
    """Fields without which there is no patient (`name`, `birth_date`, `sex`) -> `required` or `unreadable`."""


def read_table(file: Path, columns: Mapping[str, str]) -> Table:
    """Read a list and say which column is which.

    Args:
        file: CSV, or XLSX whose first sheet that has headings is read.
        columns: Field -> heading, over the guess; an empty heading leaves the field out.

    Raises:
        ValidationError: `file`: `unreadable`, `no_headings`; a field that has no column but needs one, or a
            heading that is not there (`unknown_column`).
    """
    content = file.read_bytes()
    sheets = [
        [line for line in lines if any(cell not in (None, "") for cell in line)]
        for lines in read_sheets(content)
    ]
    found = next(((lines, at) for lines in sheets if (at := _headings_at(lines)) is not None), None)
    if found is None:
        raise ValidationError({"file": "no_headings"})
    lines, start = found
    headings = ["" if cell is None else str(cell).strip() for cell in lines[start]]
    places = _guess(headings)
    for name, heading in columns.items():
        places.pop(name, None)
        if heading and name in HEADINGS and heading in headings:
            places[name] = headings.index(heading)
        elif heading:
            raise ValidationError({name: "unknown_column"})
    missing = {"name": "required"} if "name" not in places else {}
    if not {"birth_date", "age", "nik"} & set(places):
        missing["birth_date"] = "required"
    if missing:
        raise ValidationError(missing)
    return Table(
        columns={name: headings[place] for name, place in places.items()},
        places=places,
        ignored=[heading for i, heading in enumerate(headings) if heading and i not in places.values()],
        rows=lines[start + 1 :],
        digest=hashlib.sha256(content).digest(),
    )


def read_sheets(content: bytes) -> list[list[Sequence[Any]]]:
    """The cells of a CSV (any usual delimiter) or XLSX file, line by line, for each sheet.

    Raises:
        ValidationError: `file`: `unreadable`.
    """
    return _xlsx(content) if content[:2] == b"PK" else [_csv(content)]


def _csv(content: bytes) -> list[Sequence[Any]]:
    text = _decoded(content)
    first = text[:4096]
    delimiter = max(",;\t|", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        raise ValidationError({"file": "unreadable"}) from None


def _decoded(content: bytes) -> str:
    """UTF-8, the UTF-16 that spreadsheets call Unicode text, or else Windows-1252."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _xlsx(content: bytes) -> list[list[Sequence[Any]]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        return [[list(line) for line in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]
    except (InvalidFileException, BadZipFile, KeyError, ValueError, IndexError, OSError):
        raise ValidationError({"file": "unreadable"}) from None


def _headings_at(lines: Sequence[Sequence[Any]]) -> int | None:
    """Which of the first lines names the columns; titles may stand above it."""
    return next((i for i, line in enumerate(lines[:20]) if len(_guess(line)) >= 2), None)


def _guess(line: Iterable[Any]) -> dict[str, int]:
    """Field -> column for a line of headings; a heading that is known exactly goes before one that begins so."""
    folded = [fold(str(cell)) if cell is not None else "" for cell in line]
    known = {name: texts.split(";") for name, texts in HEADINGS.items()}
    places: dict[str, int] = {}
    for exactly in (True, False):
        for name, texts in known.items():
            together = {text.replace(" ", "") for text in texts}
            for place, heading in enumerate(folded):
                if name in places or place in places.values() or not heading:
                    continue
                begins = any(len(text) > 3 and heading.startswith(text + " ") for text in texts)
                # `N I K` and `NoHP`: blanks are put in and left out at will.
                if heading.replace(" ", "") in together if exactly else begins:
                    places[name] = place
    return places


def record_numbers_in(table: Table) -> Iterator[str]:
    """The numbers of the paper files, as they are written."""
    place = table.places.get("record_number")
    for cells in table.rows if place is not None else ():
        if place is not None and place < len(cells):
            yield normalise_number(_text(cells[place]))


def read_row(table: Table, cells: Sequence[Any], today: date) -> Row:
    """One row in the words of `PatientFields`; whatever cannot be read is noted, not guessed away."""
    given = {
        name: cells[place]
        for name, place in table.places.items()
        if place < len(cells) and _text(cells[place]).lower() not in EMPTY
    }
    row = Row({})
    for name in ("name", "mother_name", "address"):
        row.fields[name] = " ".join(_text(given.get(name)).split())
    for name in ("nik", "bpjs_number", "family_card_number", "passport_number", "phone", "village_code"):
        row.fields[name] = normalise_number(_text(given.get(name))).lstrip("'") or ""
    nik = given.get("nik")
    if isinstance(nik, (int, float)) and row.fields["nik"].endswith("0"):
        # A spreadsheet keeps fifteen digits of a number: the sixteenth of a NIK reads 0.
        row.fields["nik"] = ""
        row.problems.append("nik: digits_lost")
    if re.fullmatch(r"[1-9]\d{8,11}", row.fields["bpjs_number"]):
        # They begin with zeros, which a spreadsheet drops.
        row.fields["bpjs_number"] = row.fields["bpjs_number"].zfill(BPJS_DIGITS)
        row.problems.append("bpjs_number: zeros_added")
    if re.fullmatch(r"8\d{8,11}", row.fields["phone"]):
        row.fields["phone"] = "0" + row.fields["phone"]
    for name in ("rt", "rw"):
        row.fields[name] = normalise_number(_text(given.get(name)))[-3:]
    row.record_number = normalise_number(_text(given.get("record_number")))
    _read_sex_and_birth(row, given, today)
    if not row.fields["nik"]:
        row.fields["no_identifier_reason"] = NoIdentifierReason.FORGOTTEN
    row.fields = {name: value for name, value in row.fields.items() if value != ""}
    row.fatal = {
        name: "unreadable" if name in given or (name == "birth_date" and "age" in given) else "required"
        for name in ("name", "birth_date", "sex")
        if name not in row.fields
    }
    return row


def _read_sex_and_birth(row: Row, given: Mapping[str, Any], today: date) -> None:
    """Sex and birth date as given, else from the NIK, else from the age, also one that stands in the date's column."""
    nik = check_nik(row.fields["nik"], today=today) if row.fields["nik"] else None
    row.fields["sex"] = SEXES.get(fold(_text(given.get("sex"))), "")
    if row.fields["sex"] == "" and nik is not None and nik.sex is not None:
        row.fields["sex"] = nik.sex
        row.problems.append("sex: from_nik")
    born = read_date(given.get("birth_date"), today)
    if born is None and nik is not None and nik.birth_date is not None:
        born = nik.birth_date
        row.problems.append("birth_date: from_nik")
    if born is None:
        born = _born_about(_text(given.get("age")), today, unit="th") or _born_about(
            _text(given.get("birth_date")), today
        )
        if born is not None:
            row.fields["birth_date_estimated"] = True
            row.problems.append("birth_date: estimated")
    if born is not None:
        row.fields["birth_date"] = born


def _born_about(age: str, today: date, unit: str = "") -> date | None:
    """The middle of the year, for an infant of the month, that an age points to; None when it is no age.

    `unit` is what a number without one counts: `45`, `45 th`, `8 bln`, `2 tahun 3 bulan`, `10 hari`.
    """
    match = _AGE.match(age.lower())
    if match is None:
        return None
    number, counted = int(match["number"]), match["unit"] or unit
    if counted.startswith("t") and number <= OLDEST_YEARS:
        # As civil registration writes an age without a date.
        return min(date(today.year - number, 7, 1), today)
    if counted.startswith("b") and number < 60:
        months = today.year * 12 + today.month - 1 - number
        return date(months // 12, months % 12 + 1, 1)
    days = {"h": 1, "m": 7}.get(counted[:1])
    return today - timedelta(days=number * days) if days and number < 370 else None


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().lstrip("'")


def read_date(cell: Any, today: date) -> date | None:
    """A date as found in lists, the day always before the month; None when there is none.

    Read are real dates, a spreadsheet's day numbers, `17-08-1990`, `17 Agustus 90`,
    `Banjarmasin, 17/8/1990` and `1990-08-17`.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = _text(cell)
    if (
        re.fullmatch(r"\d{4,5}", text)
        and 1000 < int(text) < 60_000
        and not re.fullmatch(r"(19|20)\d\d", text)
    ):
        return EXCEL_EPOCH + timedelta(days=int(text))
    text = re.sub(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?.*$", "", text)
    if match := re.search(r"\b(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})\b", text):
        return _date(*(int(part) for part in match.groups()))
    if match := re.search(r"\b(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4}|\d{2})\b", text):
        day, month, year = match.groups()
        return _date(_century(year, today), int(month), int(day))
    if match := re.search(r"\b(\d{1,2})[-/. ]*([a-z]{3,})\.?[-/., ]*(\d{4}|\d{2})\b", text.lower()):
        day, month, year = match.groups()
        return _date(_century(year, today), MONTHS.get(month, 0), int(day))
    if match := re.fullmatch(r"(\d{2})(\d{2})((?:19|20)\d{2})", text):
        day, month, year = match.groups()
        return _date(int(year), int(month), int(day))
    return None


def _century(year: str, today: date) -> int:
    """Two digits are of this century when that is not in the future."""
    if len(year) == 4:
        return int(year)
    century = today.year // 100 * 100
    return century + int(year) - (100 if int(year) > today.year % 100 else 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None

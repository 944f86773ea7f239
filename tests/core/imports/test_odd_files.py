"""Shapes of lists that no neighbouring system prescribes but every office writes: none loses or makes up a person."""

from __future__ import annotations

import codecs
import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from core.foundation.ages import birth_date_of_age
from core.foundation.errors import ValidationError
from core.imports.row_reader import ImportTable, read_row, read_table

TODAY = date(2026, 11, 2)
HEADINGS = "Nama;NIK;Tgl Lahir;JK;Alamat"
BUDI = "Budi Uji;;17/8/1990;L;Jl A"
ANI = "Ani Coba;;18/8/1990;P;Jl B"


def table(folder: Path, content: bytes, name: str = "daftar.csv") -> ImportTable:
    file = folder / name
    file.write_bytes(content)
    return read_table(file, {})


def people(read: ImportTable) -> list[tuple[object, ...]]:
    rows = [read_row(read, cells, TODAY).fields for cells in read.rows]
    return [(row.get("name"), row.get("birth_date"), row.get("sex")) for row in rows]


def workbook(*rows: list[object], merged: tuple[str, ...] = ()) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADINGS}\n{BUDI}\n".encode(),
        f"{HEADINGS}\n{BUDI}\n".replace(";", "\t").encode(),
        f"{HEADINGS}\n{BUDI}\n".replace(";", "|").encode(),
        f"{HEADINGS}\r{BUDI}\r".encode(),
        codecs.BOM_UTF8 + f"{HEADINGS}\n{BUDI}\n".encode(),
        f"{HEADINGS}\n{BUDI}\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + f"{HEADINGS}\n{BUDI}\n".encode("utf-16-be"),
        f"{HEADINGS}\n{BUDI}\n".encode("utf-16-le"),
        f"{HEADINGS}\n{BUDI}\n".encode("utf-16-be"),
        f"sep=;\n{HEADINGS}\n{BUDI}\n".encode(),
        f"DATA PASIEN;;;;\n;Identitas;;;Tempat\n{HEADINGS}\n(1);(2);(3);(4);(5)\n{BUDI}\n".encode(),
        f"{HEADINGS}\n{BUDI}\n{HEADINGS}\n".encode(),
        f"{HEADINGS}\n{BUDI}\n-;-;-;-;-\n;;;;lanjutan\n;;;;\n".encode(),
    ],
)
def test_one_person_is_read_however_the_file_is_written(tmp_path: Path, content: bytes) -> None:
    assert people(table(tmp_path, content)) == [("Budi Uji", date(1990, 8, 17), "male")]


def test_a_line_about_the_headings_is_not_taken_for_them(tmp_path: Path) -> None:
    content = workbook(
        ["No", "Pasien", None, None, "Alamat", None],
        [None, "Nama", "Tgl Lahir", "JK", "Jalan", "RT"],
        [1, "Budi Uji", date(1990, 8, 17), "L", "Jl A", "003"],
        [2, "Ani Coba", 33103, "P", "Jl B", 4],
        merged=("B1:D1", "E1:F1"),
    )
    assert people(table(tmp_path, content, "daftar.xlsx")) == [
        ("Budi Uji", date(1990, 8, 17), "male"),
        ("Ani Coba", date(1990, 8, 18), "female"),
    ]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Jumlah;;;2;", 1),
        ("Ani Coba;;;;", 1),
        (";;18/8/1990;P;", 1),
        ("1;2;3;4;5", 0),
        (";;;;Jl B", 0),
        (HEADINGS, 0),
    ],
)
def test_only_what_cannot_be_about_anybody_is_left_out(tmp_path: Path, line: str, kept: int) -> None:
    assert len(table(tmp_path, f"{HEADINGS}\n{line}\n{ANI}\n".encode()).rows) == 1 + kept


def test_lines_keep_their_numbers_in_the_file(tmp_path: Path) -> None:
    read = table(tmp_path, f"Judul\n{HEADINGS}\n(1);(2);(3);(4);(5)\n{BUDI}\n\n{HEADINGS}\n{ANI}\n".encode())
    assert [read.line(number) for number in (1, 2)] == [4, 7]


@pytest.mark.parametrize(
    ("cell", "sex"),
    [
        ("Perempuan (P)", "female"),
        ("L (Laki-laki)", "male"),
        ("Lk.", "male"),
        ("L/P", None),
        ("P/L", None),
        ("3", None),
    ],
)
def test_a_sex_said_twice_is_that_sex_and_both_are_none(tmp_path: Path, cell: str, sex: str | None) -> None:
    read = table(tmp_path, f"Nama;Tgl Lahir;Jenis Kelamin\nBudi Uji;17/8/1990;{cell}\n".encode())
    assert people(read)[0][2] == sex


@pytest.mark.parametrize(
    "content",
    [
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
        b"<table><tr><td>Nama</td><td>Tgl Lahir</td></tr></table>",
        b"\n<html><body><table>",
    ],
)
def test_an_old_workbook_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValidationError) as refused:
        table(tmp_path, content, "daftar.xls")
    assert refused.value.fields == {"file": "old_workbook"}


def test_a_list_without_rows_has_none(tmp_path: Path) -> None:
    assert table(tmp_path, f"{HEADINGS}\n".encode()).rows == []


@pytest.mark.parametrize(
    "said", ["-3", "- 3", "−3", "3-4 th", "2 th -3 bln", "> 60", "60+", "34,5", "0 jam", "0 hr"]
)
def test_what_is_no_age_gives_no_birth_date(said: str) -> None:
    """The family "a sign before a number is dropped": less than nothing is not read as the number."""
    assert birth_date_of_age(said, TODAY, unit="th") is None


@pytest.mark.parametrize(
    ("said", "days"), [("5 jam", 0), ("30 menit", 0), ("23 jam", 0), ("30 jam", 1), ("2 hari 5 jam", 2)]
)
def test_an_age_in_hours_is_one_of_days(said: str, days: int) -> None:
    born = birth_date_of_age(said, TODAY)
    assert born is not None
    assert (TODAY - born).days == days

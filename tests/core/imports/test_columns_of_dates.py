"""Dates and ages of lists: what a column proves, what a NIK proves, what is no date, and what must be asked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation.ages import age_in_days, age_in_months, age_in_years, birth_date_of_age
from core.imports.dates import DateColumn, DateOrder, read_cell, read_column, read_date
from core.imports.row_reader import ImportRow, read_row, read_table

TODAY = date(2026, 11, 2)
EACH_DAY = [date(2028, 1, 1) + timedelta(days=number) for number in range(366)]


def rows_of(tmp_path: Path, *lines: str, order: DateOrder | None = None) -> list[ImportRow]:
    file = tmp_path / "list.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    table = read_table(file, {}, order)
    return [read_row(table, cells, TODAY) for cells in table.rows]


@pytest.mark.parametrize("years", [1, 2, 5, 17, 18, 44, 59, 60, 99, 120])
def test_an_age_in_years_is_the_age_shown_on_every_day_of_the_year(years: int) -> None:
    for today in EACH_DAY:
        born = birth_date_of_age(str(years), today, unit="th")
        assert born is not None
        assert age_in_years(born, today) == years, today


@given(st.sampled_from(EACH_DAY), st.integers(1, 59), st.integers(1, 369))
def test_months_and_days_are_the_age_shown(today: date, months: int, days: int) -> None:
    of_months, of_days = birth_date_of_age(f"{months} bln", today), birth_date_of_age(f"{days} hari", today)
    assert of_months is not None
    assert of_days is not None
    assert (age_in_months(of_months, today), age_in_days(of_days, today)) == (months, days)


@pytest.mark.parametrize(
    ("text", "years", "months"),
    [
        ("45 Th 3 Bl 2 Hr", 45, 543), ("2 tahun 3 bulan", 2, 27), ("1 th", 1, 12), ("0 Th 5 Bl 3 Hr", 0, 5),
        ("3 yr", 3, 36), ("8 mo", 0, 8), ("6 mg", 0, 1), ("45 thn.", 45, 540),
    ],
)  # fmt: skip
def test_ages_as_neighbours_write_them(text: str, years: int, months: int) -> None:
    for today in EACH_DAY:
        born = birth_date_of_age(text, today)
        assert born is not None
        assert age_in_years(born, today) == years
        if "45 thn" not in text and "3 yr" not in text:
            assert age_in_months(born, today) == months


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0 Th 0 Bl 0 Hr",
        "00 th",
        "",
        "-",
        "45 orang",
        "tua",
        "121",
        "200 th",
        "61 bln",
        "17-08-1990",
        "4 th 5 th",
    ],
)
def test_what_is_no_age(text: str) -> None:
    assert birth_date_of_age(text, TODAY, unit="th") is None


@pytest.mark.parametrize(
    "cell",
    [
        "0000-00-00", "00/00/0000", "0000-00-00 00:00:00", "00000000", "01-01-1900", "1900-01-01", "1/1/1900 00:00",
        "1900-01-00", "31-12-1899", "1899-12-30", "9999-12-31", "31/12/9999", "0001-01-01", "1753-01-01",
        date(1900, 1, 1), datetime(1899, 12, 31), datetime(9999, 12, 31),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_placeholders_are_no_dates(cell: object) -> None:
    reading = read_cell(cell, TODAY)
    assert (reading.day, reading.is_placeholder) == (None, True)


@pytest.mark.parametrize(
    ("cell", "born"),
    [
        ("31011990", date(1990, 1, 31)), ("1011990", date(1990, 1, 1)), (31011990, date(1990, 1, 31)),
        ("19900131", date(1990, 1, 31)), ("20011201", date(2001, 12, 1)), ("20121920", date(1920, 12, 20)),
        ("Aug 17, 1990", date(1990, 8, 17)), ("17-Aug-1990", date(1990, 8, 17)), ("17-AGU-90", date(1990, 8, 17)),
        ("1990-08-17T00:00:00.000+0000", date(1990, 8, 17)), ("99991990", None), ("310190", None), ("45", None),
    ],
)  # fmt: skip
def test_dates_as_neighbours_write_them(cell: object, born: date | None) -> None:
    assert read_date(cell, TODAY) == born


@given(st.dates(date(1907, 1, 1), TODAY))
def test_a_date_without_separators_is_read_in_either_order(born: date) -> None:
    assert read_date(f"{born:%d%m%Y}", TODAY) == born
    assert read_date(f"{born:%Y%m%d}", TODAY) == born


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["01/02/1990", "08/17/1990", "03/04/1991"], DateOrder.MONTH_FIRST),
        (["01/02/1990", "17/08/1990", "03/04/1991"], DateOrder.DAY_FIRST),
        (["01/02/1990", "3/4/91"], DateOrder.ASSUMED),
        (["17/08/1990", "08/17/1990"], DateOrder.MIXED),
        (["1990-08-17", "33102", "17 Agustus 1990", None, ""], DateOrder.ASSUMED),
        (["17/08/1990"] * 60 + ["08/17/1990"], DateOrder.DAY_FIRST),
        (["08171990", "01021990"], DateOrder.MONTH_FIRST),
    ],
)
def test_one_impossible_value_proves_the_order_of_the_column(cells: list[object], order: DateOrder) -> None:
    assert read_column(cells).order is order


def test_a_list_in_month_order_is_read_so(tmp_path: Path) -> None:
    lines = ("name,sex,dob", "Ana,P,08/17/1990", "Budi,L,03/04/1985", "Cici,P,12/01/2000")
    rows = rows_of(tmp_path, *lines)
    assert [row.fields["birth_date"] for row in rows] == [
        date(1990, 8, 17),
        date(1985, 3, 4),
        date(2000, 12, 1),
    ]


@given(st.lists(st.dates(date(1930, 1, 1), TODAY), min_size=1, max_size=30))
def test_no_date_is_swapped_where_one_of_the_list_is_impossible_the_other_way(dates: list[date]) -> None:
    dates = [*dates, date(1990, 8, 17)]
    for form, order in (("%m/%d/%Y", DateOrder.MONTH_FIRST), ("%d/%m/%Y", DateOrder.DAY_FIRST)):
        cells = [f"{day:{form}}" for day in dates]
        column = read_column(cells)
        assert column.order is order
        assert [read_cell(cell, TODAY, column).day for cell in cells] == dates


def test_a_list_in_both_orders_is_asked_about_row_by_row_unless_the_admin_knows(tmp_path: Path) -> None:
    lines = (
        "nama,jk,tgl lahir",
        "Ana,P,17/08/1990",
        "Budi,L,08/17/1990",
        "Cici,P,03/04/1985",
        "Dodi,L,05/05/1985",
    )
    ana, budi, cici, dodi = rows_of(tmp_path, *lines)
    assert ana.fields["birth_date"] == budi.fields["birth_date"] == date(1990, 8, 17)
    assert cici.fatal == {"birth_date": "order_unclear"}
    assert dodi.fields["birth_date"] == date(1985, 5, 5)
    told = rows_of(tmp_path, *lines, order=DateOrder.MONTH_FIRST)
    assert told[2].fields["birth_date"] == date(1985, 3, 4)
    assert told[0].fatal == {"birth_date": "unreadable"}


@pytest.mark.parametrize(
    ("cell", "born", "said"),
    [
        ("09/06/1988", date(1988, 9, 6), "birth_date: order_from_nik"),
        ("06/09/1988", date(1988, 9, 6), None),
        ("01/01/1988", date(1988, 9, 6), "birth_date: from_nik"),
        ("31/12/1988", date(1988, 9, 6), "birth_date: from_nik"),
        ("01/01/1970", date(1988, 9, 6), "birth_date: from_nik"),
        ("0000-00-00", date(1988, 9, 6), "birth_date: from_nik"),
    ],
)
def test_a_valid_nik_proves_its_row(cell: str, born: date, said: str | None, tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, "nama;jk;tgl lahir;nik", f"Ana;P;{cell};6371014609883004")
    assert (row.fields["birth_date"], row.problems) == (born, [said] if said else [])
    assert row.contradictions == {}


def test_a_nik_settles_a_row_of_a_list_in_both_orders(tmp_path: Path) -> None:
    lines = (
        "nama;jk;tgl lahir;nik",
        "A;P;17/08/1990;",
        "B;P;08/17/1990;",
        "Ana;P;09/06/1988;6371014609883004",
    )
    assert rows_of(tmp_path, *lines)[2].fields["birth_date"] == date(1988, 9, 6)


@pytest.mark.parametrize(
    ("line", "contradiction"),
    [
        ("Ana;P;06-10-1988;6371014609883004;", {"birth_date": "nik_differs"}),
        ("Ana;P;06-09-1978;6371014609883004;", {"birth_date": "nik_differs"}),
        ("Ana;L;06-09-1988;6371014609883004;", {"sex": "nik_differs"}),
        ("Ana;P;06-09-2020;;45", {"birth_date": "age_differs"}),
        ("Ana;P;06-09-1940;;5", {"birth_date": "age_differs"}),
        ("Ana;P;06-09-1988;;31", {}),  # an age of the day on which the list was written
        ("Ana;P;06-09-1988;;38 Th 1 Bl 27 Hr", {}),
        ("Ana;P;06-09-1988;1234;", {}),  # no NIK, so it proves nothing
    ],
)
def test_contradictions_are_seen(line: str, contradiction: dict[str, str], tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, "nama;jk;tgl lahir;nik;umur", line)
    assert row.contradictions == contradiction


def test_day_0_of_unix_time_is_a_birthday_of_one_and_a_default_of_many(tmp_path: Path) -> None:
    others = [f"Budi {number};L;{number % 28 + 1}-5-19{number}" for number in range(60, 90)]
    heading = "nama;jk;tgl lahir"
    assert rows_of(tmp_path, heading, "Ana;P;01-01-1970", *others)[0].fields["birth_date"] == date(1970, 1, 1)
    two = rows_of(tmp_path, heading, "Ana;P;01-01-1970", "Cici;P;1970-01-01 07:00:00", *others)
    assert [row.fatal for row in two[:2]] == [{"birth_date": "placeholder"}] * 2


def test_cells_that_an_english_spreadsheet_made_of_day_month_texts_are_asked_about(tmp_path: Path) -> None:
    cells = [datetime(1988, 6, 9), "17/08/1990", datetime(1991, 3, 3), "25/12/1990"]  # noqa: DTZ001
    column = read_column(cells)
    assert column.are_cells_swapped
    assert read_cell(cells[0], TODAY, column).is_doubtful
    assert read_cell(cells[2], TODAY, column).day == date(1991, 3, 3)
    genuine = read_column([datetime(1988, 6, 19), "17/08/1990"])  # noqa: DTZ001
    assert not genuine.are_cells_swapped


@given(st.one_of(st.none(), st.text(max_size=30), st.integers(), st.dates()), st.sampled_from(DateOrder))
def test_no_cell_and_no_column_is_too_odd(cell: object, order: DateOrder) -> None:
    reading = read_cell(cell, TODAY, DateColumn(order, has_unix_default=True, are_cells_swapped=True))
    assert reading.day is None or isinstance(reading.day, date)
    assert isinstance(read_column([cell]), DateColumn)

"""Lists of neighbouring systems come in: each row as it should, and none taken wrongly."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.accounts.service import system_actor
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, database
from core.foundation.errors import ValidationError
from core.imports import service as importing
from core.imports.row_reader import read_table
from core.models import Patient
from tests.core.imports.neighbour_lists import LISTS, NeighbourList

NOW = datetime(2026, 11, 2, 2, tzinfo=UTC)


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = Clinic.open(Settings(home=tmp_path / "home"))
    with connection(), clock.frozen(lambda: NOW):
        yield opened
    database.close()


@pytest.mark.parametrize("neighbour", LISTS, ids=lambda neighbour: neighbour.file)
def test_each_row_of_a_neighbours_list_ends_as_it_should(
    clinic: Clinic, tmp_path: Path, neighbour: NeighbourList
) -> None:
    report = importing.run(clinic, system_actor("import"), neighbour.write(tmp_path), dry_run=False)
    with Path(report.file).open(newline="", encoding="utf-8") as lines:
        done = list(csv.DictReader(lines))
    assert [row["outcome"] for row in done] == [right.outcome for right in neighbour.right]
    for row, right in zip(done, neighbour.right, strict=True):
        assert not right.why or right.why in row["reasons"].split("; "), row
        if right.stored:
            patient = Patient.get(Patient.medical_record_number == row["medical_record_number"])
            assert {name: getattr(patient, name) for name in right.stored} == right.stored
    stored = sum(right.outcome in {"taken", "paired"} for right in neighbour.right)
    assert Patient.select().count() == stored


def test_there_are_twelve() -> None:
    assert len({neighbour.system for neighbour in LISTS}) == 12


@pytest.mark.parametrize(
    "headings",
    [
        "nama ayah,jk,tgl lahir", "nama kk,jk,tgl lahir", "namakeluarga,jk,tgl_lahir", "nama suami,jk,tgl lahir",
        "name of village,jk,tgl lahir", "nama faskes,jk,tgl lahir", "nama penanggung jawab,jk,tgl lahir",
    ],
)  # fmt: skip
def test_a_column_about_somebody_else_is_not_the_patients(headings: str, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"{headings}\nRusmini,P,1-2-1980\n", encoding="utf-8")
    with pytest.raises(ValidationError, match="required"):
        read_table(file, {})


def test_numbers_of_other_people_are_not_read(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "nama,jk,tgl lahir,no ktp suami,no hp keluarga,alamat penanggung\nAna,P,1-2-1980,6371,0811,X\n",
        encoding="utf-8",
    )
    assert set(read_table(file, {}).places) == {"name", "sex", "birth_date"}


def test_a_list_without_sex_and_nik_is_refused_once(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("nama,tgl lahir\n" + "Ana,1-2-1980\n" * 51, encoding="utf-8")
    with pytest.raises(ValidationError) as refused:
        read_table(file, {})
    assert refused.value.fields == {"sex": "required"}


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"name": "Depan+Akhir"}, "Ana Lestari"),
        ({"name": "Depan + Tengah + Akhir"}, "Ana Maria Lestari"),
        ({"name": "Depan"}, "Ana"),
    ],
)
def test_the_admin_joins_columns_to_a_name(
    clinic: Clinic, tmp_path: Path, columns: dict[str, str], name: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("Depan,Tengah,Akhir,jk,tgl lahir\nAna,Maria,Lestari,P,1-2-1980\n", encoding="utf-8")
    importing.run(clinic, system_actor("import"), file, dry_run=False, columns=columns)
    assert Patient.get().name == name
    with pytest.raises(ValidationError, match="unknown_column"):
        read_table(file, {"name": "Depan+Nirgendwo"})


def test_the_preview_knows_what_the_list_lacks(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("nama,jk,tgl lahir,alamat\nAna,P,1-2-1980,Jl. Mawar\n", encoding="utf-8")
    assert read_table(file, {}).absent == ["nik", "bpjs_number", "mother_name", "phone"]

"""Religion, education, occupation, marital status: read from lists by words, merged, reported, and never guessed."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.service import system_actor
from core.daily.reports import report_tables
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import NoIdentifierReason, Sex
from core.foundation.config import IDENTITY_FIELDS, Settings
from core.foundation.database import connection, database
from core.foundation.errors import SettingsError, ValidationError
from core.imports.row_reader import read_row, read_table
from core.models import Patient
from core.patients import merging
from core.patients import service as patients
from core.patients.fields import CODED
from core.patients.identity_values import REFUSED, lists, still_to_ask
from core.schemas.patients import PatientFields

TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    opened = Clinic.open(Settings(home=tmp_path_factory.mktemp("identity"), catchment="637101"))
    with connection():
        yield opened
    database.close()


def store(clinic: Clinic, name: str, **changes: Any) -> Patient:
    fields = PatientFields(
        name=name,
        sex=Sex.FEMALE,
        birth_date=date(1990, 8, 17),
        no_identifier_reason=NoIdentifierReason.FORGOTTEN,
        **changes,
    )
    return patients.create(clinic, system_actor("test"), fields, clock.now())


def test_the_setting_names_the_fields_that_the_data_has() -> None:
    assert tuple(lists()) == IDENTITY_FIELDS == CODED


@pytest.mark.parametrize(
    ("text", "kept"), [("marital_status, religion", "religion,marital_status"), ("", "")]
)
def test_the_setting_says_which_are_asked(tmp_path: Path, text: str, kept: str) -> None:
    assert Settings(home=tmp_path, identity_asked=text).identity_asked == kept


def test_an_unknown_field_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises((SettingsError, ValueError), match="religion,education"):
        Settings(home=tmp_path, identity_asked="religion,tribe")


@pytest.mark.parametrize("name", CODED)
@given(text=st.text(max_size=20))
def test_whatever_a_list_says_is_a_code_or_nothing_and_a_number_is_never_read(name: str, text: str) -> None:
    listed = lists()[name]
    code = listed.read(text)
    assert listed.takes(code)
    assert code != REFUSED
    if text.strip().isdigit():
        assert code == ""


def test_no_word_of_a_list_means_two_answers() -> None:
    for listed in lists().values():
        words = [word for value in listed.values for word in value.words]
        assert len(words) == len(set(words)), listed.name
        assert all(listed.read(word) == value.code for value in listed.values for word in value.words)


def test_whom_nobody_asked_is_asked_by_age_and_who_refused_is_not_asked_again() -> None:
    assert still_to_ask(CODED, {}, 40) == list(CODED)
    assert still_to_ask(CODED, {}, 7) == ["religion", "education"]
    assert still_to_ask(CODED, {}, 0) == ["religion"]
    assert still_to_ask(CODED, {"religion": REFUSED, "education": "0"}, 40) == [
        "occupation",
        "marital_status",
    ]
    assert still_to_ask(("religion",), {}, None) == ["religion"]


def test_a_list_brings_them_by_its_words_and_names_what_it_could_not_read(tmp_path: Path) -> None:
    file = tmp_path / "pasien.csv"
    head = ["Nama", "JK", "Tgl Lahir", "Agama", "Pendidikan Terakhir", "Pekerjaan", "Status Perkawinan"]
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(
            [head, ["Ana", "P", "1990-08-17", "ISLAM", "SMA/Sederajat", "Ibu Rumah Tangga", "Cerai  Hidup"],
             ["Budi", "L", "1990-08-17", "1", "-", "astronot", "Kawin"]]
        )  # fmt: skip
    table = read_table(file, {})
    first, second = (read_row(table, cells, TODAY) for cells in table.rows)
    assert {name: first.fields.get(name) for name in CODED} == dict(
        zip(CODED, ("1", "3", "0", "3"), strict=True)
    )
    assert first.problems == []
    assert [second.fields.get(name) for name in CODED] == [None, None, None, "2"]
    assert second.problems == ["religion: unreadable", "occupation: unreadable"]


def test_a_code_that_is_none_is_refused_at_the_registration_too(clinic: Clinic) -> None:
    with pytest.raises(ValidationError) as refused:
        store(clinic, "Ana Salah", marital_status="7")
    assert refused.value.fields == {"patient.marital_status": "not_a_choice"}


def test_a_merge_fills_what_nobody_asked_and_keeps_a_refusal_and_its_undo_gives_back(clinic: Clinic) -> None:
    survivor = store(clinic, "Ana Satu", religion=REFUSED, education="3")
    other = store(clinic, "Ana Dua", religion="1", education="6", occupation="4")
    made = merging.merge(clinic, system_actor("test"), other.id, survivor.id)
    kept = Patient.get_by_id(survivor.id)
    assert [getattr(kept, name) for name in CODED] == [REFUSED, "3", "4", ""]
    merging.undo(clinic, system_actor("test"), made.id)
    assert [getattr(Patient.get_by_id(survivor.id), name) for name in CODED] == [REFUSED, "3", "", ""]
    assert [getattr(Patient.get_by_id(other.id), name) for name in CODED] == ["1", "6", "4", ""]


def test_the_reports_tell_refused_from_not_asked_and_inside_from_outside(clinic: Clinic) -> None:
    from tests.core.days import Days

    days = Days(clinic)
    people = [
        days.patient(religion="1", village_code="6371011001"),
        days.patient(religion=REFUSED, village_code="6371021001"),
        days.patient(village_code=""),
    ]
    for patient in people:
        days.visit(TODAY, patient, codes=["I10"])
    days.visit(TODAY, people[0], codes=["J00"])
    answers = {
        row[1:3]: row[3] for row in report_tables.build(clinic, "identity", TODAY).rows if row[0] == "Agama"
    }
    assert (answers["1", "Islam"], answers[REFUSED, "Tidak menjawab"], answers["", "Belum ditanyakan"]) == (
        1,
        1,
        1,
    )
    rows = report_tables.build(clinic, "regions", TODAY).rows
    visits = {(row[0], row[1]): (row[3], row[6]) for row in rows if row[2] != "Jumlah"}
    assert visits["Dalam wilayah", "6371011001"] == (2, 2)
    assert visits["Luar wilayah", "6371021001"] == (1, 1)
    assert visits["Wilayah tidak diketahui", ""] == (1, 1)
    assert rows[-1][3] == 4

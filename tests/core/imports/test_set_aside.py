"""Rows that an import cannot read are a work list: mended, recognised, left out and taken back; nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.accounts.service import system_actor
from core.foundation.clinic import Clinic
from core.foundation.codes import Permission, Sex
from core.foundation.errors import ConflictError, NotAllowedError, RuleError, ValidationError
from core.foundation.permissions import Actor
from core.imports import service as importing
from core.imports import set_aside
from core.models import AuditEvent, Patient, SetAsideRow
from core.schemas.imports import MendedRow, SetAsideRowOut
from core.schemas.patients import PatientFields

LIST = (
    "DATA PASIEN;;;;;;",
    "No RM;Nama;JK;Tgl Lahir;NIK;Ibu;No HP",
    "501;Siti Aminah;P;0000-00-00;;Rusmini;0811223344",
    "502;Budi Santoso;L;1-2-1980;;;",
    "503;Ana Lestari;P;06-10-1988;6371014609883004;;",
    "504;Rahmi;;1-2-1980;;;",
    ";;L;1-2-1980;;;",
)


@pytest.fixture
def actor(clinic: Clinic, tmp_path: Path) -> Actor:
    importer = system_actor("import")
    file = tmp_path / "list.csv"
    file.write_text("\n".join(LIST), encoding="utf-8")
    importing.run(clinic, importer, file, dry_run=True)
    assert set_aside.waiting(importer).waiting == 0  # a dry run stores nothing
    importing.run(clinic, importer, file, dry_run=False)
    return importer


def row_at(actor: Actor, line: int) -> SetAsideRowOut:
    return next(row for row in set_aside.waiting(actor).rows if row.line == line)


def fields(**given: Any) -> PatientFields:
    known: dict[str, Any] = {
        "name": "Siti Aminah",
        "sex": Sex.FEMALE,
        "birth_date": date(1990, 8, 17),
        "mother_name": "Rusmini",
    }
    return PatientFields(**(known | given))


def test_the_list_has_names_lines_and_what_was_said(actor: Actor) -> None:
    found = set_aside.waiting(actor)
    assert [(row.line, row.values.get("name"), row.reasons) for row in found.rows] == [
        (3, "Siti Aminah", ["birth_date: placeholder"]),
        (5, "Ana Lestari", ["birth_date: nik_differs"]),
        (6, "Rahmi", ["sex: required"]),
        (7, None, ["name: required"]),
    ]
    assert (found.waiting, {row.list_name for row in found.rows}) == (4, {"list.csv"})
    assert found.rows[0].values | {"phone": "0811223344", "record_number": "501"} == found.rows[0].values
    assert found.rows[1].values["birth_date"] == "1988-10-06"


def test_a_mended_row_is_a_patient_with_the_paper_number(clinic: Clinic, actor: Actor) -> None:
    row = row_at(actor, 3)
    made = set_aside.mend(clinic, actor, row.id, MendedRow(patient=fields(phone="0811223344")))
    assert (made.medical_record_number, made.birth_date, made.phone) == (
        "00000501",
        date(1990, 8, 17),
        "0811223344",
    )
    kept = SetAsideRow.get_by_id(row.id)
    assert (kept.outcome, kept.patient_id) == ("stored", made.id)
    assert row.id not in {left.id for left in set_aside.waiting(actor).rows}
    assert AuditEvent.select().where(AuditEvent.action == "import_row_stored").count() == 1
    with pytest.raises(ConflictError):
        set_aside.mend(clinic, actor, row.id, MendedRow(patient=fields(), duplicate_decision="new"))
    assert Patient.select().count() == 3  # Budi and Ana, whose NIK is in doubt, came with the list


def test_a_row_that_contradicts_itself_waits_beside_its_patient(clinic: Clinic, actor: Actor) -> None:
    row, ana = row_at(actor, 5), Patient.get(Patient.name == "Ana Lestari")
    assert (row.alike, ana.nik) == (ana.medical_record_number, None)
    values = fields(name="Ana Lestari", birth_date=date(1988, 10, 6), mother_name="", nik="6371014610883004")
    with pytest.raises(RuleError, match="duplicate_decision_required"):
        set_aside.mend(clinic, actor, row.id, MendedRow(patient=values))
    assert set_aside.mend(clinic, actor, row.id, MendedRow(patient=values, patient_id=ana.id)).id == ana.id
    assert Patient.get_by_id(ana.id).nik == "6371014610883004"


def test_the_checks_of_the_counter_hold(clinic: Clinic, actor: Actor) -> None:
    row = row_at(actor, 3)
    budi = fields(name="Budi Santoso", sex=Sex.MALE, birth_date=date(1980, 2, 1), mother_name="")
    with pytest.raises(RuleError, match="duplicate_decision_required"):
        set_aside.mend(clinic, actor, row.id, MendedRow(patient=budi))
    with pytest.raises(ValidationError, match="nik_length"):
        set_aside.mend(clinic, actor, row.id, MendedRow(patient=fields(nik="123")))
    with pytest.raises(ValidationError, match="in_future"):
        set_aside.mend(clinic, actor, row.id, MendedRow(patient=fields(birth_date=date(2999, 1, 1))))
    assert SetAsideRow.get_by_id(row.id).settled_at is None
    decided = MendedRow(patient=budi, duplicate_decision="new")
    assert set_aside.mend(clinic, actor, row.id, decided).medical_record_number == "00000501"


def test_a_row_recognised_as_a_known_patient_fills_what_is_empty(clinic: Clinic, actor: Actor) -> None:
    budi, row = Patient.get(Patient.name == "Budi Santoso"), row_at(actor, 3)
    mended = MendedRow(patient=fields(phone="0811223344"), patient_id=budi.id)
    assert set_aside.mend(clinic, actor, row.id, mended).id == budi.id
    stored = Patient.get_by_id(budi.id)
    assert (stored.name, stored.phone, stored.mother_name) == ("Budi Santoso", "0811223344", "Rusmini")
    assert SetAsideRow.get_by_id(row.id).outcome == "known"
    assert Patient.select().count() == 2


def test_a_row_left_out_can_be_taken_back(clinic: Clinic, actor: Actor) -> None:
    row = row_at(actor, 7)
    set_aside.leave_out(actor, row.id, "JUMLAH")
    assert (SetAsideRow.get_by_id(row.id).reason, set_aside.waiting(actor).waiting) == ("JUMLAH", 3)
    set_aside.take_back(actor, row.id)
    assert row_at(actor, 7) == row
    stored = row_at(actor, 3)
    set_aside.mend(clinic, actor, stored.id, MendedRow(patient=fields()))
    with pytest.raises(ConflictError):
        set_aside.take_back(actor, stored.id)


def test_who_may_not_decide_who_is_who_sees_nothing(clinic: Clinic, actor: Actor) -> None:
    row = row_at(actor, 3)
    clerk = replace(actor, rights=frozenset(Permission) - {Permission.MERGE_PATIENTS})
    with pytest.raises(NotAllowedError):
        set_aside.waiting(clerk)
    with pytest.raises(NotAllowedError):
        set_aside.mend(clinic, clerk, row.id, MendedRow(patient=fields()))
    with pytest.raises(NotAllowedError):
        set_aside.leave_out(clerk, row.id, "x")
    with pytest.raises(NotAllowedError):
        set_aside.take_back(clerk, row.id)

"""A date of death in a list marks the person as deceased, with the same consequences as a visit that ended so."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import NoIdentifierReason, Sex
from core.foundation.errors import RuleError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.imports import service as importing
from core.imports import set_aside
from core.models import AuditEvent, Outbox, Patient, Visit
from core.patients import deaths, merging
from core.patients import service as patients
from core.schemas.imports import MendedRow
from core.schemas.patients import PatientFields, PatientPatch
from core.schemas.registration import RegistrationRequest
from core.visits import registration


def bring_in(clinic: Clinic, actor: Actor, folder: Path, *rows: str) -> importing.ImportReport:
    file = folder / "list.csv"
    heads = "Nama;JK;Tgl Lahir;NIK;No BPJS;Tgl Meninggal"
    file.write_text("\n".join([heads, *rows]), encoding="utf-8")
    return importing.run(clinic, actor, file, dry_run=False)


def by_name(name: str) -> Patient:
    return Patient.get(Patient.name == name, Patient.voided_at.is_null())


def register(clinic: Clinic, actor: Actor, patient: Patient, *, confirmed: bool = False) -> str:
    cluster = next(c.code for c in clinic.clusters.first_destinations if c.code in {"UMUM", "K3"})
    request = RegistrationRequest(
        id=new_id(), patient_id=patient.id, chief_complaint="demam", cluster=cluster, override_reason="tes",
        deceased_confirmed=confirmed,
    )  # fmt: skip
    return registration.register(clinic, actor, request)[0].visit_id


def test_who_died_by_the_list_is_marked_and_asked_about(clinic: Clinic, actor: Actor, tmp_path: Path):
    report = bring_in(
        clinic,
        actor,
        tmp_path,
        "Haji Umar;L;01-02-1940;;;17-03-2020",
        "Siti Hidup;P;01-02-1950;;;",
        "Ana;P;1-1-1990;;;0000-00-00",
    )
    assert report.outcomes["taken"] == 3
    assert report.reasons["deceased: marked"] == 1
    dead = by_name("Haji Umar")
    assert (dead.deceased_on, dead.death_reported_on) == (date(2020, 3, 17), date(2020, 3, 17))
    assert by_name("Siti Hidup").deceased_on is by_name("Ana").deceased_on is None
    with pytest.raises(RuleError, match="patient_deceased"):
        register(clinic, actor, dead)
    assert (
        AuditEvent.select()
        .where(AuditEvent.action == "death_recorded", AuditEvent.target == dead.id)
        .exists()
    )
    assert Outbox.select().where(Outbox.kind == "patient", Outbox.target == dead.id).exists()


@pytest.mark.parametrize("said", ["ya", "17-03-2999", "17-03-1930", "kapan-kapan", "1"])
def test_a_death_without_a_day_that_can_be_stays_on_the_work_list(
    clinic: Clinic, actor: Actor, tmp_path: Path, said: str
):
    report = bring_in(clinic, actor, tmp_path, f"Haji Umar;L;01-02-1940;;;{said}")
    assert report.reasons["deceased: said"] == 1
    assert Patient.select().count() == 0


def test_a_known_patient_is_marked_unless_seen_later(clinic: Clinic, actor: Actor, tmp_path: Path):
    def known(name: str, card: str) -> Patient:
        fields = PatientFields(
            name=name,
            sex=Sex.MALE,
            birth_date=date(1940, 2, 1),
            bpjs_number=card,
            no_identifier_reason=NoIdentifierReason.FORGOTTEN,
        )
        return patients.create(clinic, actor, fields, clock.now())

    gone, here = known("Haji Umar", "0001234567890"), known("Wahid Basri", "0009876543210")
    visit = register(clinic, actor, here)
    bring_in(
        clinic, actor, tmp_path,
        "Haji Umar;L;01-02-1940;;'0001234567890;17-03-2020", "Wahid Basri;L;01-02-1940;;'0009876543210;17-03-2020",
    )  # fmt: skip
    assert Patient.get_by_id(gone.id).deceased_on == date(2020, 3, 17)
    assert Patient.get_by_id(here.id).deceased_on is None
    assert Visit.get_by_id(visit).patient_id == here.id
    assert not deaths.report_death(actor, gone.id, date(2021, 1, 1))  # nobody dies twice


def test_the_mark_survives_a_look_at_the_visits_and_a_merge_and_is_taken_back(
    clinic: Clinic, actor: Actor, tmp_path: Path
):
    bring_in(clinic, actor, tmp_path, "Haji Umar;L;01-02-1940;;;17-03-2020")
    dead = by_name("Haji Umar")
    deaths.refresh_death(actor, dead.id)
    assert Patient.get_by_id(dead.id).deceased_on == date(2020, 3, 17)
    other = patients.create(
        clinic, actor, PatientFields(name="H. Umar", sex=Sex.MALE, birth_date=date(1940, 2, 1)), clock.now()
    )
    made = merging.merge(clinic, actor, dead.id, other.id)
    assert Patient.get_by_id(other.id).deceased_on == date(2020, 3, 17)
    merging.undo(clinic, actor, made.id)
    assert Patient.get_by_id(other.id).deceased_on is None
    assert Patient.get_by_id(dead.id).deceased_on == date(2020, 3, 17)
    patients.edit(clinic, actor, dead.id, PatientPatch(death_reported_on=None))
    assert Patient.get_by_id(dead.id).deceased_on is None
    register(clinic, actor, by_name("Haji Umar"))


def test_a_mended_row_is_no_less_dead(clinic: Clinic, actor: Actor, tmp_path: Path):
    bring_in(clinic, actor, tmp_path, "Haji Umar;?;01-02-1940;;;17-03-2020")
    (row,) = set_aside.waiting(actor).rows
    fields = PatientFields(name="Haji Umar", sex=Sex.MALE, birth_date=clinic.today() - timedelta(days=30_000))
    stored = set_aside.mend(clinic, actor, row.id, MendedRow(patient=fields))
    assert Patient.get_by_id(stored.id).deceased_on == date(2020, 3, 17)

"""A passport is one person's, held by the database on both engines; numbers that several had before are marked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from peewee import IntegrityError

from core.accounts.service import system_actor
from core.exchange.fhir import people
from core.exchange.fhir.systems import Names
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Sex
from core.foundation.config import Settings
from core.foundation.database import connection, database, transaction
from core.foundation.errors import ValidationError
from core.models import Patient
from core.patients import merging
from core.patients import service as patients
from core.schemas.patients import PatientFields, PatientPatch
from server import doctor
from tests.postgres import new_database

STEP = "0041_one_passport"


def store(clinic: Clinic, name: str, **values: Any) -> Patient:
    values = {"name": name, "sex": Sex.MALE, "birth_date": date(1971, 3, 4), **values}
    with transaction():
        return patients.create(clinic, system_actor("test"), PatientFields(**values), clock.now())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def clinic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A clinic that an earlier version left with one passport on two cards, and again on one that was voided."""
    home = tmp_path_factory.mktemp("passports")
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""
    settings = Settings(home=home, database_url=url)
    opened = Clinic.open(settings)
    with connection():
        for name in ("Anna Schmidt", "Peter Miller", "Old Card", "Jean Dupont"):
            store(opened, name)
        database.execute_sql("DROP INDEX patient_passport_active")
        database.execute_sql("UPDATE patient SET passport_number = 'C1234567' WHERE name <> 'Jean Dupont'")
        database.execute_sql("UPDATE patient SET passport_number = 'F7654321' WHERE name = 'Jean Dupont'")
        Patient.update(voided_at=clock.now()).where(Patient.name == "Old Card").execute()
        database.execute_sql("ALTER TABLE patient DROP COLUMN passport_doubtful")
        database.execute_sql(f"DELETE FROM schema_migration WHERE name = '{STEP}'")
    database.close()
    now = Clinic.open(settings)
    with connection():
        yield now
    database.close()


def named(name: str) -> Patient:
    found: Patient = Patient.get(Patient.name == name)
    return found


def test_a_number_of_two_cards_is_kept_marked_told_and_sent_nowhere(clinic: Clinic) -> None:
    both = [named("Anna Schmidt"), named("Peter Miller")]
    assert [(row.passport_number, row.passport_doubtful) for row in both] == [("C1234567", True)] * 2
    assert not named("Jean Dupont").passport_doubtful
    assert not named("Old Card").passport_doubtful
    told = [each.words for each in doctor.examine_open(clinic) if each.subject == "patients"]
    assert len(told) == 1
    assert all(row.medical_record_number in told[0] for row in both)
    sent = [people.patient(Names("P1"), row, mother_nik=None, survivor_number=None) for row in both]
    assert "C1234567" not in str(sent)
    known = people.patient(Names("P1"), named("Jean Dupont"), mother_nik=None, survivor_number=None)
    assert "F7654321" in str(known)


def test_the_database_itself_refuses_a_second_holder_and_says_which_number(clinic: Clinic) -> None:
    new = patients.NewPatient(
        "later",
        patients.checked(
            clinic, PatientFields(name="Late Server", sex=Sex.MALE, birth_date=date(1990, 1, 1))
        ),
    )
    for column, number in (
        ("passport_number", "F7654321"),
        ("nik", "6371010101900001"),
        ("bpjs_number", "0001234567895"),
    ):
        if column != "passport_number":
            store(clinic, f"Holder {column}", **{column: number})
        new.values[column] = number
        # The check has passed: the other server's row came after it.
        with pytest.raises(ValidationError) as refused, transaction():
            patients.store(system_actor("test"), [new], clock.now())
        assert refused.value.fields == {f"patient.{column}": "taken"}
        rival = store(clinic, f"Rival {column}")
        with pytest.raises(IntegrityError), transaction():
            Patient.update({column: number}).where(Patient.id == rival.id).execute()
        new.values[column] = None


def test_whoever_has_a_doubtful_number_is_still_asked_about_and_edited(clinic: Clinic) -> None:
    with pytest.raises(ValidationError) as refused:
        store(clinic, "Third Man", passport_number="c 1234567")
    assert refused.value.fields == {"patient.passport_number": "taken"}
    moved = patients.edit(
        clinic, system_actor("test"), named("Anna Schmidt").id, PatientPatch(address="Jl. Baru 3")
    )
    assert (moved.address, moved.passport_doubtful) == ("Jl. Baru 3", True)


@pytest.mark.parametrize("way", ["corrected", "merged"])
def test_the_doubt_ends_when_one_holder_is_left(clinic: Clinic, way: str) -> None:
    number = {"corrected": "A1111111", "merged": "A2222222"}[way]
    one, other = store(clinic, f"One {way.title()}"), store(clinic, f"Other {way.title()}")
    marked = {"passport_number": number, "passport_doubtful": True}
    Patient.update(marked).where(Patient.id.in_([one.id, other.id])).execute()
    if way == "corrected":
        patients.edit(clinic, system_actor("test"), other.id, PatientPatch(passport_number="B3333333"))
    else:
        made = merging.merge(clinic, system_actor("test"), other.id, one.id)
    assert not Patient.get_by_id(one.id).passport_doubtful
    with pytest.raises(ValidationError):
        store(clinic, "Somebody Else", passport_number=number)
    if way == "merged":
        merging.undo(clinic, system_actor("test"), made.id)
        assert Patient.get_by_id(one.id).passport_doubtful
        assert Patient.get_by_id(other.id).passport_doubtful

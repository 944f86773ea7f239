"""A NIK that is plainly another person's is never stored as the patient's own: one rule, told at each door."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.codes import NikHolder, NoIdentifierReason, Sex
from core.foundation.errors import RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.imports import service as importing
from core.imports import set_aside
from core.models import Patient, Visit
from core.patients import edit_review, nik_holders
from core.patients import service as patients
from core.patients.national_ids import compose_nik
from core.patients.nik_evidence import Described, contradictions, mother_problem
from core.schemas.imports import MendedRow
from core.schemas.patients import PatientFields, PatientPatch
from core.schemas.registration import RegistrationRequest
from core.visits import registration

TODAY = date(2026, 3, 2)
MOTHER = compose_nik("637101", date(1994, 3, 12), Sex.FEMALE, 77)
FATHER = compose_nik("637101", date(1990, 5, 20), Sex.MALE, 78)
OWN_BOY = compose_nik("637101", date(2026, 3, 1), Sex.MALE, 79)
GRANDCHILD = compose_nik("637101", date(2015, 6, 7), Sex.FEMALE, 80)


def described(nik: str, sex: str, born: date | None, name: str = "X", **more: Any) -> Described:
    return Described(nik=nik, sex=sex, birth_date=born, name=name, **more)


@pytest.mark.parametrize(
    ("person", "found"),
    [
        pytest.param(described(MOTHER, "male", date(2026, 3, 1)), {"nik_sex_differs", "nik_birth_date_differs"}, id="mother's on a boy"),
        pytest.param(described(MOTHER, "female", date(2026, 3, 1)), {"nik_birth_date_differs"}, id="mother's on a girl"),
        pytest.param(described(FATHER, "female", date(1992, 1, 2)), {"nik_sex_differs", "nik_birth_date_differs"}, id="husband's on a wife"),
        pytest.param(described(FATHER, "female", date(1990, 5, 20)), {"nik_sex_differs"}, id="sex alone"),
        pytest.param(described(GRANDCHILD, "female", date(1950, 1, 1)), {"nik_birth_date_differs"}, id="child's for a grandmother"),
        pytest.param(described(MOTHER, "female", date(1994, 3, 13)), {"nik_birth_date_differs"}, id="one day apart"),
        pytest.param(described(MOTHER, "female", date(1994, 3, 12)), set(), id="her own"),
        pytest.param(described(MOTHER, "", None), set(), id="nothing beside it"),
        pytest.param(described(MOTHER, "female", date(1986, 1, 1), is_estimated=True), set(), id="an age that was said"),
        pytest.param(described(MOTHER, "female", date(1970, 1, 1), is_estimated=True), {"nik_birth_date_differs"}, id="an age of another generation"),
        pytest.param(described(MOTHER, "female", date(1994, 3, 12), "By. Ny. Mariam"), {"nik_of_adult"}, id="newborn's name, dates filled by the number"),
        pytest.param(described(OWN_BOY, "male", date(2026, 3, 1), "By. Ny. Mariam"), set(), id="newborn's own"),
        pytest.param(described("637101", "male", date(2026, 3, 1)), set(), id="no NIK at all"),
        pytest.param(described("", "male", date(2026, 3, 1)), set(), id="none"),
    ],
)  # fmt: skip
def test_what_a_number_says_against_the_person(person: Described, found: set[str]):
    assert set(contradictions(person, TODAY)) == found


@given(
    born=st.dates(date(1930, 1, 1), TODAY),
    sex=st.sampled_from([Sex.MALE, Sex.FEMALE]),
    other=st.dates(date(1930, 1, 1), TODAY),
    serial=st.integers(1, 9999),
)
def test_a_number_agrees_with_nobody_but_its_holder(born: date, sex: Sex, other: date, serial: int):
    nik = compose_nik("637101", born, sex, serial)
    assert contradictions(described(nik, sex, born), TODAY) == ()
    another = Sex.MALE if sex is Sex.FEMALE else Sex.FEMALE
    assert "nik_sex_differs" in contradictions(described(nik, another, born), TODAY)
    if (other.day, other.month, other.year % 100) != (born.day, born.month, born.year % 100):
        assert "nik_birth_date_differs" in contradictions(described(nik, sex, other), TODAY)


def test_a_mothers_number_is_a_womans_old_enough():
    assert mother_problem(MOTHER, date(2026, 3, 1), TODAY) == ""
    assert mother_problem(FATHER, date(2026, 3, 1), TODAY) == "not_the_mothers"
    assert mother_problem(MOTHER, date(1999, 3, 1), TODAY) == "not_the_mothers"
    assert mother_problem("1", date(2026, 3, 1), TODAY) == "nik_length"


def person(clinic: Clinic, **given: Any) -> PatientFields:
    fields: dict[str, Any] = {
        "name": "By. Ny. Mariam",
        "sex": "male",
        "birth_date": clinic.today() - timedelta(days=90),
        "nik": MOTHER,
    }
    return PatientFields(**fields | given)


def register(clinic: Clinic, actor: Actor, fields: PatientFields, **given: Any) -> Patient:
    request = RegistrationRequest(
        id=new_id(), patient=fields, chief_complaint="demam", cluster=_cluster(clinic),
        override_reason="tes", duplicate_decision="new", **given,
    )  # fmt: skip
    receipt, _made = registration.register(clinic, actor, request)
    visit = Visit.get_by_id(receipt.visit_id)
    return Patient.get_by_id(visit.patient_id)


def _cluster(clinic: Clinic) -> str:
    return next(c.code for c in clinic.clusters.first_destinations if c.code in {"UMUM", "K3"})


def question(error: RuleError) -> dict[str, Any]:
    assert error.code == "nik_of_another", error.details
    return error.details


def test_registration_asks_and_keeps_the_mothers_number_as_hers(clinic: Clinic, actor: Actor):
    with pytest.raises(RuleError) as refused:
        register(clinic, actor, person(clinic))
    asked = question(refused.value)
    assert asked["likely"] == "mother"
    assert set(asked["answers"]) == {"mother", "guardian", "self"}
    assert (asked["sex"], asked["birth_date"]) == ("female", "1994-03-12")
    assert Patient.select().count() == 0
    stored = register(clinic, actor, person(clinic), nik_holder=NikHolder.MOTHER)
    assert (stored.nik, stored.mother_nik, stored.guardian_nik) == (None, MOTHER, None)
    assert stored.no_identifier_reason == NoIdentifierReason.NEWBORN
    # Twins come with the same mother's number.
    twin = register(clinic, actor, person(clinic, birth_order=2), nik_holder=NikHolder.MOTHER)
    assert twin.mother_nik == MOTHER


def test_the_mothers_own_record_is_linked_and_answers_offer_no_lie(clinic: Clinic, actor: Actor):
    mother = patients.create(
        clinic, actor, person(clinic, name="Mariam", sex="female", birth_date=date(1994, 3, 12)), clock.now()
    )
    with pytest.raises(RuleError) as refused:
        register(clinic, actor, person(clinic))
    asked = question(refused.value)
    assert "self" not in asked["answers"]  # it is hers beyond doubt
    assert asked["holder"]["id"] == mother.id
    with pytest.raises(RuleError):
        register(clinic, actor, person(clinic), nik_holder=NikHolder.SELF)
    child = register(clinic, actor, person(clinic), nik_holder=NikHolder.MOTHER)
    assert (child.mother_id, child.mother_name) == (mother.id, "Mariam")


def test_a_husbands_number_on_a_wife_is_kept_as_the_guardians(clinic: Clinic, actor: Actor):
    wife = person(clinic, name="Nurul Huda", sex="female", birth_date=date(1992, 1, 2), nik=FATHER)
    with pytest.raises(RuleError) as refused:
        register(clinic, actor, wife)
    assert question(refused.value)["likely"] == "guardian"
    assert "mother" not in question(refused.value)["answers"]
    stored = register(clinic, actor, wife, nik_holder=NikHolder.GUARDIAN)
    assert (stored.nik, stored.guardian_nik) == (None, FATHER)
    with pytest.raises(ValidationError) as wrong:
        register(clinic, actor, wife, nik_holder=NikHolder.MOTHER)
    assert wrong.value.fields == {"patient.mother_nik": "not_the_mothers"}


def test_a_card_that_differs_from_the_person_is_kept_when_it_was_read_again(clinic: Clinic, actor: Actor):
    """A birth date corrected by a court: the number is not issued again."""
    corrected = person(clinic, name="Mariam", sex="female", birth_date=date(1994, 3, 15))
    found = nik_holders.doubt(clinic, Described.of(corrected.model_dump()))
    assert found is not None
    assert found.likely is NikHolder.SELF
    assert register(clinic, actor, corrected).nik == MOTHER
    again = corrected.model_copy(update={"birth_date": date(1994, 3, 16)})
    assert nik_holders.settled(clinic, again.model_dump(), NikHolder.SELF) == {}


def test_a_number_of_another_on_a_card_is_asked_about_however_near_it_is(clinic: Clinic, actor: Actor):
    stored = register(
        clinic, actor, person(clinic, nik=None, name="Mariam Lain", birth_date=date(1994, 3, 15))
    )
    with pytest.raises(RuleError, match="nik_of_another"):
        edit_review.correct(clinic, actor, stored.id, PatientPatch(nik=MOTHER, duplicate_decision="new"))


def test_the_same_person_again_is_the_duplicate_checks_question(clinic: Clinic, actor: Actor):
    same = person(clinic, name="Siti Mariam", sex="female", birth_date=date(1994, 3, 12))
    patients.create(clinic, actor, same, clock.now())
    assert nik_holders.doubt(clinic, Described.of(same.model_dump())) is None


def test_a_correction_asks_too_and_leaves_what_was_answered_before(clinic: Clinic, actor: Actor):
    child = patients.create(clinic, actor, person(clinic, nik=None), clock.now())
    patch = PatientPatch(nik=MOTHER, duplicate_decision="new")
    with pytest.raises(RuleError) as refused:
        edit_review.correct(clinic, actor, child.id, patch)
    assert question(refused.value)["likely"] == "mother"
    answered = patch.model_copy(update={"nik_holder": NikHolder.MOTHER})
    stored = edit_review.correct(
        clinic, actor, child.id, PatientPatch(**answered.model_dump(exclude_unset=True))
    )
    assert (stored.nik, stored.mother_nik) == (None, MOTHER)
    woman = patients.create(
        clinic, actor, person(clinic, name="Rina", sex="female", birth_date=date(1994, 3, 15)), clock.now()
    )  # as answered "self" before
    assert edit_review.correct(clinic, actor, woman.id, PatientPatch(phone="0811")).phone == "0811"


def test_a_list_never_gives_a_known_patient_another_persons_number(
    clinic: Clinic, actor: Actor, tmp_path: Path
):
    known = patients.create(
        clinic,
        actor,
        person(
            clinic, name="Budi Santoso", birth_date=date(1985, 4, 4), nik=None, bpjs_number="0001234567890"
        ),
        clock.now(),
    )
    file = tmp_path / "list.csv"
    file.write_text(
        "Nama;JK;Tgl Lahir;NIK;No BPJS\n"
        f"Budi Santoso;L;04-04-1985;'{MOTHER};'0001234567890\n"
        f"Rahmat Hidayat;L;01-02-2020;'{FATHER};\n",
        encoding="utf-8",
    )
    report = importing.run(clinic, actor, file, dry_run=False)
    assert report.reasons["nik: of_another"] == 1
    assert Patient.get_by_id(known.id).nik is None
    (row,) = set_aside.waiting(actor).rows  # stored without the number, until somebody says whose it is
    rahmat = Patient.get(Patient.name == "Rahmat Hidayat")
    assert (rahmat.nik, rahmat.guardian_nik, row.alike) == (None, None, rahmat.medical_record_number)
    mended = MendedRow(
        patient=person(clinic, name="Rahmat Hidayat", birth_date=date(2020, 2, 1), nik=FATHER),
        patient_id=rahmat.id,
    )
    with pytest.raises(RuleError) as refused:
        set_aside.mend(clinic, actor, row.id, mended)
    assert question(refused.value)["likely"] == "guardian"
    stored = set_aside.mend(
        clinic, actor, row.id, mended.model_copy(update={"nik_holder": NikHolder.GUARDIAN})
    )
    stored = Patient.get_by_id(stored.id)
    assert (stored.id, stored.nik, stored.guardian_nik) == (rahmat.id, None, FATHER)


def test_a_list_may_bring_the_mothers_number_in_a_column_of_its_own(
    clinic: Clinic, actor: Actor, tmp_path: Path
):
    file = tmp_path / "list.csv"
    file.write_text(
        f"Nama;JK;Tgl Lahir;NIK Ibu\nBy Ny Mariam;L;01-02-2026;'{MOTHER}\nAna;P;01-02-2026;'{FATHER}\n",
        encoding="utf-8",
    )
    report = importing.run(clinic, actor, file, dry_run=False)
    assert {p.name: p.mother_nik for p in Patient.select()} == {"By Ny Mariam": MOTHER, "Ana": None}
    assert report.reasons["mother_nik: not_the_mothers"] == 1

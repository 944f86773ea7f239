"""Patients at SATUSEHAT: whose number finds them, allergies with their category, the whole address."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.exchange import outbox
from core.exchange.fhir import Mapper
from core.exchange.satusehat.patient_resources import categories_of, new_patient
from core.foundation import clock
from core.foundation.clinic import Clinic
from core.foundation.database import transaction
from core.foundation.identifiers import new_id
from core.models import Allergy, Patient
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, known, send
from tests.server.satusehat import Satusehat


def allergy(days: Days, patient: Patient, substance: str, **changes: Any) -> Allergy:
    return Allergy.create(
        id=new_id(),
        patient=patient,
        substance=substance,
        recorded_at=clock.now(),
        recorded_by=days.account,
        **changes,
    )


def again(kind: str, row: Any) -> None:
    with transaction():
        outbox.enqueue(kind, row.id)


@pytest.fixture
def patient(days: Days, ministry: Satusehat, monkeypatch: pytest.MonkeyPatch) -> Patient:
    made = days.patient(nik="6371019000000701", birth_date=date(1980, 5, 1), name="Siti Aminah")
    known(ministry, made)
    ministry.now = clock.now() + timedelta(
        hours=1
    )  # what is recorded now is not in the future, on a slow machine too
    return made


def test_allergies_are_read_back_and_a_strike_is_entered_in_error(
    clinic: Clinic, days: Days, ministry: Satusehat, patient: Patient
) -> None:
    allergy(days, patient, "Amoksisilin", reaction="gatal", severity="severe")
    allergy(days, patient, "udang", severity="mild")
    allergy(days, patient, "debu rumah")
    allergy(days, patient, "obat putih dulu")  # nobody can say what that is
    allergy(days, patient, "telur", voided_at=clock.now())  # never was there
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    found = {item["code"]["text"]: item for item in ministry.of("AllergyIntolerance")}
    assert {text: item["category"] for text, item in found.items()} == {
        "Amoksisilin": ["medication"],
        "udang": ["food"],
        "debu rumah": ["environment"],
    }
    first = found["Amoksisilin"]
    assert first["clinicalStatus"]["coding"][0]["display"] == "Active"
    assert (first["criticality"], found["udang"]["criticality"]) == ("high", "low")
    assert first["reaction"] == [{"manifestation": [{"text": "gatal"}], "severity": "severe"}]
    assert first["recorder"]["display"] == "dr. Contoh"
    assert first["patient"] == {"reference": "Patient/P00000000001", "display": "Siti Aminah"}
    with transaction():
        Allergy.update(voided_at=clock.now()).where(Allergy.substance == "udang").execute()
    again("patient", patient)
    assert send(clinic).refused == 0
    struck = next(item for item in ministry.of("AllergyIntolerance") if item["code"]["text"] == "udang")
    assert struck["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in struck


@pytest.mark.parametrize(
    ("substance", "categories"),
    [
        ("penisilin", ["medication"]),
        ("kacang tanah", ["food"]),
        ("bulu kucing", ["environment"]),
        ("tidak ada", []),
        ("obat entah apa", []),
    ],
)
def test_an_allergy_has_the_category_that_its_words_say(substance: str, categories: list[str]) -> None:
    assert categories_of(substance) == categories


def test_a_foreigner_goes_by_the_passport(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    foreigner = days.patient(
        nik=None, passport_number="X1234567", no_identifier_reason="foreigner", rt="001", rw="002"
    )
    days.visit(DAY, foreigner, cluster="UMUM", codes=["I10"])
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    (person,) = ministry.population.values()
    assert person["passport"] == "X1234567"
    assert person["extension"][0]["valueCode"] == "WNA"
    assert len(ministry.of("Encounter")) == 1


def test_a_new_patient_says_citizenship_and_whether_alive(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    days.patient(nik="6371019000000702")
    days.patient(nik="6371019000000703", deceased_on=DAY)
    assert send(clinic).refused == 0
    people = ministry.population.values()
    assert [person["deceased"] for person in people] == [False, True]
    assert {person["extension"][0]["valueCode"] for person in people} == {"WNI"}


def test_a_new_patient_without_a_village_waits_with_what_to_do(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    lost = days.patient(nik="6371019000000704", village_code="")
    assert send(clinic).refused == 1
    refusal = outbox.status(clinic).refusals[0]
    assert (refusal["error"].partition(":")[0], refusal["remedy"]) == (
        "region-missing",
        "complete_the_address",
    )
    assert ministry.asked["POST Patient"] == 0
    with transaction():
        Patient.update(village_code="6371011001").where(Patient.id == lost.id).execute()
    again("patient", lost)
    assert send(clinic).refused == 0


@pytest.mark.parametrize("address", ["", "Jl. Mawar 5"])
def test_a_new_patient_has_city_and_line_even_where_only_the_village_is_known(
    clinic: Clinic, days: Days, ministry: Satusehat, address: str
) -> None:
    made = days.patient(nik="6371019000000705", address=address, rt="001", rw="002")
    (record,) = Mapper(clinic).patients([made.id])
    (sent,) = new_patient(record.entries[0].resource)["address"]
    assert (sent["use"], sent["city"], sent["country"]) == ("home", "Kota Banjarmasin", "ID")
    assert sent["line"] == [address or "Kel. Mantuil, Banjarmasin Selatan"]
    assert send(clinic).refused == 0

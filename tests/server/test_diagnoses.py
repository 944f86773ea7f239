"""Diagnoses over HTTP: what cannot be the patient's is asked about, a known illness is an old case."""

from __future__ import annotations

import pytest

from core.models import Diagnosis, Patient, Visit
from tests.people import Caller


@pytest.fixture
def visit(clerk: Caller, dentist: Caller) -> str:
    clerk.registered()
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    return str(entry["visit_id"])


def of_sex(visit: str, sex: str) -> None:
    Patient.update(sex=sex).where(Patient.id == Visit.get_by_id(visit).patient_id).execute()


@pytest.mark.parametrize(("sex", "code"), [("male", "O21.9"), ("female", "N40"), ("male", "N94.6")])
def test_a_code_of_the_other_sex_is_asked_about(dentist: Caller, visit: str, sex: str, code: str) -> None:
    of_sex(visit, sex)
    refused = dentist.post(f"visits/{visit}/diagnoses", json={"code": code})
    assert (refused.status_code, refused.json()["code"]) == (422, "diagnosis_sex")
    kept = dentist.post(f"visits/{visit}/diagnoses", json={"code": code, "confirm": True})
    assert kept.status_code == 201


def test_an_impossible_age_is_asked_about(dentist: Caller, visit: str) -> None:
    refused = dentist.post(f"visits/{visit}/diagnoses", json={"code": "P59.9"})
    assert (refused.status_code, refused.json()["code"]) == (422, "diagnosis_age")


def test_the_search_knows_the_patient(dentist: Caller) -> None:
    params = {"q": "muntah", "sex": "male", "age_days": "14000"}
    found = dentist.get("diagnoses", params=params).json()
    assert found[0]["code"] == "R11"
    assert not any(item["code"].startswith("O") for item in found)
    assert dentist.get("diagnoses", params=params | {"q": "O21.9"}).json()[0]["unfit"] == "sex"
    assert dentist.get("diagnoses", params={"q": "hipertenis"}).json()[0]["doubtful"] is True


def test_a_control_of_a_known_illness_is_an_old_case(clerk: Caller, dentist: Caller, visit: str) -> None:
    first = dentist.post(f"visits/{visit}/diagnoses", json={"code": "I10"}).json()
    assert first["case_kind"] == "new"
    earlier = Visit.get_by_id(visit)
    patient = earlier.patient_id
    for row in dentist.get("queues/GIGI").json()["entries"]:
        dentist.act(row["id"], "finish", disposition="home")
    again = clerk.registered(patient=None, patient_id=patient)
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    path = f"visits/{again['visit_id']}/diagnoses"
    assert dentist.post(path, json={"code": "I10"}).json()["case_kind"] == "old"
    assert dentist.post(path, json={"code": "J06.9"}).json()["case_kind"] == "new"
    said = dentist.post(path, json={"code": "K02.9", "case_kind": "old"}).json()
    assert said["case_kind"] == "old"
    assert Diagnosis.select().where(Diagnosis.case_kind == "old").count() == 2

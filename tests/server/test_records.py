"""The clinical record: who may open it, what it refuses, what it keeps."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from core.foundation import audit_query, clock
from core.foundation.audit_query import AuditQuery
from core.models import EncounterVersion
from server.run import Background
from tests.people import Caller


@pytest.fixture
def visit(clerk: Caller, dentist: Caller) -> str:
    clerk.registered()
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    return str(entry["visit_id"])


def test_a_note_is_kept_with_its_earlier_versions(dentist: Caller, visit: str) -> None:
    first = dentist.put(
        f"visits/{visit}/encounter", json={"subjective": "sakit sejak kemarin", "vitals": {"pulse": 80}}
    )
    assert first.status_code == 200
    second = dentist.put(
        f"visits/{visit}/encounter", json={"subjective": "sakit 3 hari", "expected_version": 1}
    )
    assert second.json()["version"] == 2
    assert EncounterVersion.get().data["subjective"] == "sakit sejak kemarin"
    late = dentist.put(f"visits/{visit}/encounter", json={"subjective": "x", "expected_version": 1})
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("vitals", "field", "problem"),
    [
        ({"systolic": 301}, "vitals.systolic", "out_of_range"),
        ({"temperature": 29.9}, "vitals.temperature", "out_of_range"),
        ({"systolic": 80, "diastolic": 80}, "vitals.systolic", "not_above_diastolic"),
        ({"mood": 3}, "vitals.mood", "unknown"),
    ],
)
def test_impossible_vitals_are_refused_by_name(
    dentist: Caller, visit: str, vitals: dict[str, float], field: str, problem: str
) -> None:
    refused = dentist.put(f"visits/{visit}/encounter", json={"vitals": vitals})
    assert refused.status_code == 422
    assert refused.json()["fields"][field] == problem


def test_unusual_vitals_are_kept_and_pointed_at(dentist: Caller, visit: str) -> None:
    kept = dentist.put(
        f"visits/{visit}/encounter", json={"vitals": {"systolic": 190, "diastolic": 100, "pulse": 70}}
    )
    assert kept.json()["vitals_warnings"] == {"systolic": "danger", "diastolic": "high"}


def test_after_48_hours_only_an_addendum(dentist: Caller, visit: str) -> None:
    dentist.put(f"visits/{visit}/encounter", json={"subjective": "a"})
    later = clock.now() + timedelta(hours=48)
    token = dentist.headers["Authorization"]
    with clock.frozen(lambda: later):
        fresh = dentist.post("tokens", json={"username": "dentist", "password": "demo"}).json()["token"]
        dentist.headers["Authorization"] = f"Bearer {fresh}"
        refused = dentist.put(f"visits/{visit}/encounter", json={"subjective": "b"})
        assert (refused.status_code, refused.json()["code"]) == (422, "record_locked")
        added = dentist.post(f"visits/{visit}/addenda", json={"text": "hasil foto menyusul"})
        assert added.json()["addenda"] == ["drg. Maya Lestari: hasil foto menyusul"]
        assert added.json()["subjective"] == "a"
    dentist.headers["Authorization"] = token


def test_a_record_outside_ones_queue_asks_for_a_reason_and_keeps_it(
    dentist: Caller, doctor: Caller, visit: str
) -> None:
    refused = doctor.get(f"visits/{visit}")
    assert (refused.status_code, refused.json()["code"]) == (403, "reason_required")
    opened = doctor.get(f"visits/{visit}", params={"reason": "pasien pingsan di lorong"})
    assert opened.status_code == 200
    event = audit_query.newest(AuditQuery(action="visit_read"))[0]
    assert event.detail == {"reason": "pasien pingsan di lorong"}


def test_clerk_and_admin_do_not_read_records(clerk: Caller, admin: Caller, visit: str) -> None:
    for person in (clerk, admin):
        assert person.get(f"visits/{visit}", params={"reason": "ingin tahu"}).status_code == 403


def test_a_diagnosis_is_found_by_words_and_struck_out_with_a_reason(dentist: Caller, visit: str) -> None:
    found = dentist.get("diagnoses", params={"q": "gigi berlubang"}).json()
    assert found[0]["code"] == "K02.9"
    assert dentist.get("diagnoses", params={"q": "dental caries"}).json()[0]["code"] == "K02.9"
    assert dentist.get("diagnoses", params={"q": "K02"}).json()[0]["code"] == "K02.9"
    added = dentist.post(f"visits/{visit}/diagnoses", json={"code": "K02.9"}).json()
    assert added["rank"] == 1
    assert dentist.post(f"visits/{visit}/diagnoses", json={"code": "K02.9"}).json()["fields"] == {
        "code": "taken"
    }
    assert dentist.post(f"visits/{visit}/diagnoses", json={"code": "A97.0"}).json()["fields"] == {
        "code": "unknown"
    }
    assert dentist.delete(f"visits/{visit}/diagnoses/{added['id']}").status_code == 422
    assert (
        dentist.delete(f"visits/{visit}/diagnoses/{added['id']}", params={"reason": "salah"}).status_code
        == 204
    )
    assert dentist.get(f"visits/{visit}").json()["diagnoses"] == []


def test_a_medicine_against_an_allergy_is_stopped_once(dentist: Caller, visit: str) -> None:
    patient = dentist.get(f"visits/{visit}").json()["patient"]["id"]
    dentist.post(f"patients/{patient}/allergies", json={"substance": "Amoksisilin"})
    medicine = {
        "medicine": "Amoksisilin 500 mg",
        "dose": "1 tablet",
        "frequency": "3x sehari",
        "amount": "15",
    }
    refused = dentist.post(f"visits/{visit}/prescriptions", json=medicine)
    assert (refused.status_code, refused.json()["code"]) == (422, "allergy")
    assert (
        dentist.post(
            f"visits/{visit}/prescriptions",
            json={**medicine, "allergy_override": True, "override_reason": "sudah diuji"},
        ).status_code
        == 201
    )
    assert dentist.get(f"visits/{visit}").json()["patient"]["allergies"] == ["Amoksisilin"]


def test_a_draft_is_ones_own_and_forgotten_when_done(clerk: Caller, dentist: Caller) -> None:
    assert clerk.put("drafts/registration", json={"data": {"name": "Si"}}).status_code == 204
    assert clerk.get("drafts/registration").json()["data"] == {"name": "Si"}
    assert dentist.get("drafts/registration").status_code == 404
    assert clerk.delete("drafts/registration").status_code == 204
    assert clerk.get("drafts/registration").status_code == 404


def test_a_procedure_is_found_by_words_recorded_and_struck_out(dentist: Caller, visit: str) -> None:
    found = dentist.get("procedures", params={"q": "cabut gigi"}).json()
    assert "23.09" in [item["code"] for item in found]
    added = dentist.post(f"visits/{visit}/procedures", json={"code": "23.09", "note": "gigi 46"}).json()
    assert (added["title"], added["note"]) == ("Cabut gigi tetap", "gigi 46")
    assert dentist.post(f"visits/{visit}/procedures", json={"code": "00.00"}).json()["fields"] == {
        "code": "unknown"
    }
    assert [item["code"] for item in dentist.get(f"visits/{visit}").json()["procedures"]] == ["23.09"]
    path = f"visits/{visit}/procedures/{added['id']}"
    assert dentist.delete(path).status_code == 422
    assert dentist.delete(path, params={"reason": "salah gigi"}).status_code == 204
    assert dentist.get(f"visits/{visit}").json()["procedures"] == []


def test_penicillin_speaks_against_amoxicillin(dentist: Caller, visit: str) -> None:
    patient = dentist.get(f"visits/{visit}").json()["patient"]["id"]
    dentist.post(f"patients/{patient}/allergies", json={"substance": "penisilin"})
    refused = dentist.post(f"visits/{visit}/prescriptions", json={"medicine": "Amoxicillin 500 mg"})
    assert refused.json()["details"]["substances"] == ["penisilin"]
    assert dentist.post(f"visits/{visit}/prescriptions", json={"medicine": "Parasetamol"}).status_code == 201


def test_a_medicine_once_prescribed_is_offered_as_it_was(dentist: Caller, visit: str) -> None:
    own = {"medicine": "Amoksisilin 500 mg tablet", "dose": "2 tablet", "frequency": "2x sehari"}
    assert dentist.get("medicines", params={"q": "amoksi 500"}).json()[0]["dose"] == "1 tablet"
    dentist.post(f"visits/{visit}/prescriptions", json=own)
    assert dentist.get("medicines", params={"q": "amoksi 500"}).json()[0]["dose"] == "2 tablet"


def test_an_order_may_be_taken_back_until_it_has_a_result(dentist: Caller, visit: str) -> None:
    order = dentist.post(f"visits/{visit}/orders", json={"test": "Hemoglobin"}).json()
    assert order["unit"] == "g/dL"
    twice = dentist.post(f"visits/{visit}/orders", json={"test": "Hemoglobin"})
    assert twice.json()["fields"] == {"test": "taken"}
    revoked = dentist.delete(f"orders/{order['id']}", params={"reason": "salah pasien"})
    assert revoked.json()["status"] == "revoked"
    assert dentist.delete(f"orders/{order['id']}", params={"reason": "lagi"}).status_code == 409


def test_a_result_is_judged_by_the_patients_own_range(
    server: Background, dentist: Caller, visit: str
) -> None:
    order = dentist.post(f"visits/{visit}/orders", json={"test": "Hemoglobin"}).json()
    sex = dentist.get(f"visits/{visit}").json()["patient"]["sex"]
    assert order["reference_range"] == ("13-18" if sex == "male" else "12-16")
    with Caller(server.url, "lab") as lab:
        item = lab.get("worklists/orders").json()[0]
        assert (item["visit_id"], item["ordered_by"]) == (visit, "drg. Maya Lestari")
        assert [each["test"] for each in item["orders"]] == ["Hemoglobin"]
        resulted = lab.post(f"orders/{order['id']}/result", json={"result": "9,4"}).json()
        assert (resulted["interpretation"], resulted["unit"]) == ("low", "g/dL")
        assert lab.get("worklists/orders").json() == []


def test_what_was_handed_out_is_kept_where_it_differs(
    server: Background, dentist: Caller, visit: str
) -> None:
    medicine = {"medicine": "Parasetamol 500 mg tablet", "amount": "10 tablet"}
    item = dentist.post(f"visits/{visit}/prescriptions", json=medicine).json()
    with Caller(server.url, "pharmacist") as pharmacist:
        given = pharmacist.post(
            f"prescriptions/{item['id']}/dispense", json={"amount": "6 tablet", "note": "stok habis"}
        ).json()
        assert (given["status"], given["dispensed_amount"], given["dispense_note"]) == (
            "completed",
            "6 tablet",
            "stok habis",
        )
        assert pharmacist.post(f"prescriptions/{item['id']}/dispense").status_code == 409


def test_nothing_is_added_to_a_locked_record(dentist: Caller, visit: str) -> None:
    dentist.put(f"visits/{visit}/encounter", json={"subjective": "a"})
    later = clock.now() + timedelta(hours=48)
    token = dentist.headers["Authorization"]
    with clock.frozen(lambda: later):
        fresh = dentist.post("tokens", json={"username": "dentist", "password": "demo"}).json()["token"]
        dentist.headers["Authorization"] = f"Bearer {fresh}"
        for path, body in (
            ("diagnoses", {"code": "K02.9"}),
            ("procedures", {"code": "23.09"}),
            ("prescriptions", {"medicine": "Parasetamol"}),
            ("orders", {"test": "Hemoglobin"}),
        ):
            refused = dentist.post(f"visits/{visit}/{path}", json=body)
            assert (refused.status_code, refused.json()["code"]) == (422, "record_locked")
    dentist.headers["Authorization"] = token


def test_answers_of_a_form_are_checked_kept_and_taken_back(dentist: Caller, visit: str) -> None:
    path = f"visits/{visit}/encounter"
    refused = dentist.put(path, json={"form": {"pregnancy": {"gravida": 99}}})
    assert refused.json()["fields"] == {"form.pregnancy.gravida": "out_of_range"}
    kept = dentist.put(path, json={"form": {"pregnancy": {"gravida": 2, "hiv": ""}}})
    assert kept.json()["form"] == {"pregnancy": {"gravida": 2}}
    # It stays as an empty one, so that what was sent of it can be taken back.
    assert dentist.put(path, json={}).json()["form"] == {"pregnancy": {}}
    assert {form["code"] for form in dentist.get("forms").json()} == {"bpjs", "pregnancy", "sick_child"}


def test_earlier_values_and_lasting_illnesses_stand_beside_the_next_visit(
    clerk: Caller, doctor: Caller
) -> None:
    first = clerk.registered(cluster="UMUM", chief_complaint="batuk pilek")
    _seen(doctor, first, vitals={"weight": 61.5, "systolic": 150})
    added = doctor.post(f"visits/{first['visit_id']}/diagnoses", json={"code": "I10"})
    assert added.status_code == 201, added.text
    doctor.act(first["ticket"]["id"], "finish", disposition="home")
    again = clerk.registered(cluster="UMUM", chief_complaint="batuk pilek", patient_id=first["patient_id"])
    shown = doctor.get(f"visits/{again['visit_id']}").json()
    assert {name: shown["previous"][name]["value"] for name in ("weight", "systolic")} == {
        "weight": 61.5,
        "systolic": 150,
    }
    assert [alert.split()[0] for alert in shown["alerts"]] == ["I10"]
    assert doctor.get(f"visits/{first['visit_id']}").json()["previous"] == {}, "nothing of a later visit"


def _seen(doctor: Caller, receipt: dict[str, Any], **note: Any) -> None:
    entry = receipt["ticket"]["id"]
    doctor.act(entry, "call")
    doctor.act(entry, "start")
    written = doctor.put(f"visits/{receipt['visit_id']}/encounter", json=note)
    assert written.status_code == 200, written.text


@pytest.mark.parametrize("form", [{"anc": {"note": "x" * 70_000}}, {"anc": {"note": "\ud800"}}])
def test_a_form_that_cannot_be_stored_is_refused_as_a_field(
    dentist: Caller, visit: str, form: dict[str, Any]
) -> None:
    body = json.dumps({"form": form})
    refused = dentist.put(
        f"visits/{visit}/encounter", content=body, headers={"Content-Type": "application/json"}
    )
    assert (refused.status_code, list(refused.json()["fields"])) == (422, ["form"])

"""One gate for medicines, over HTTP: whoever relied on what was not known is told, at every door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.foundation import clock
from server.run import Background
from tests.people import Caller
from tests.people import patient as a_patient

AMOXICILLIN = {
    "medicine": "Amoksisilin 500 mg tablet", "dose": "1 tablet", "frequency": "3x sehari", "amount": "15 tablet",
}  # fmt: skip
REFERRAL = {"hospital": "RSUD Ulin", "department": "Bedah mulut", "reason": "abses"}
WHY = "sudah diuji kulit"


@pytest.fixture
def visit(clerk: Caller, dentist: Caller) -> dict[str, str]:
    return begun(clerk, dentist)


def begun(clerk: Caller, dentist: Caller, **fields: Any) -> dict[str, str]:
    return in_treatment(dentist, "GIGI", clerk.registered(patient=a_patient(**fields)))


def in_treatment(doctor: Caller, cluster: str, receipt: dict[str, Any]) -> dict[str, str]:
    entry = doctor.post(f"queues/{cluster}/call-next", json={}).json()
    doctor.act(entry["id"], "start")
    return {"visit": entry["visit_id"], "patient": receipt["patient_id"], "entry": entry["id"]}


def allergic(dentist: Caller, visit: dict[str, str], substance: str) -> dict[str, Any]:
    answer = dentist.post(f"patients/{visit['patient']}/allergies", json={"substance": substance})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def prescribed(dentist: Caller, visit: dict[str, str], **fields: Any) -> str:
    answer = dentist.post(f"visits/{visit['visit']}/prescriptions", json={**AMOXICILLIN, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def seen(dentist: Caller, visit: dict[str, str]) -> list[dict[str, Any]]:
    return list(dentist.get(f"visits/{visit['visit']}").json()["prescriptions"])


def row(dentist: Caller, visit: dict[str, str]) -> dict[str, Any]:
    return dict(dentist.get(f"queue-entries/{visit['entry']}").json())


def refer(dentist: Caller, visit: dict[str, str], **fields: Any) -> httpx.Response:
    body = {"kind": "referral", "answers": REFERRAL, **fields}
    return dentist.post(f"visits/{visit['visit']}/letters", json=body)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


# An allergy that becomes known later


@pytest.mark.parametrize(
    ("substance", "medicine"),
    [("Penicilin", "Amoksisilin 500 mg tablet"), ("gol. penisilin", "Amoxan 500"),
     ("sulfa", "Kotrimoksazol 480 mg tablet"), ("antalgin", "Antalgin 500 mg tablet"),
     ("ponstan", "Asam mefenamat 500 mg tablet"), ("NSAID", "Ibuprofen 400 mg tablet"),
     ("sefalosporin", "Cefadroxil 500"), ("pct", "Parasetamol 500 mg tablet"), ("ctm", "CTM 4 mg tablet"),
     ("tetrasiklin", "Doksisiklin 100 mg kapsul"), ("amoxilin", "Amoksisilin 500 mg tablet"),
     ("aspirin", "Aspilet 80 mg tablet")],
)  # fmt: skip
def test_whoever_prescribed_is_told_of_an_allergy_that_comes_later(
    dentist: Caller, visit: dict[str, str], substance: str, medicine: str
) -> None:
    item = prescribed(dentist, visit, medicine=medicine, dose="", frequency="", amount="")
    assert row(dentist, visit)["clashes"] == []
    added = allergic(dentist, visit, substance)
    assert [each["prescription_id"] for each in added["clashes"]] == [item]
    assert row(dentist, visit)["clashes"] == [f"{substance}: {medicine}"]
    [shown] = seen(dentist, visit)
    assert (shown["clash"], shown["clash_known_at"]) == (substance, None)
    assert [(each["code"], each["things"]) for each in shown["checks"]] == [("allergy", [substance])]
    known = dentist.post(f"prescriptions/{item}/acknowledge", json={}).json()
    assert known["clash_known_by"] == dentist.get("accounts/me").json()["name"]
    assert row(dentist, visit)["clashes"] == []
    assert seen(dentist, visit)[0]["clash"] == substance, "still said in the record"


@pytest.mark.parametrize("substance", ["udang", "debu", "eritromisin", "kodein"])
def test_an_allergy_to_something_else_concerns_nobody(
    dentist: Caller, visit: dict[str, str], substance: str
) -> None:
    item = prescribed(dentist, visit)
    assert allergic(dentist, visit, substance)["clashes"] == []
    assert row(dentist, visit)["clashes"] == []
    assert code_of(dentist.post(f"prescriptions/{item}/acknowledge", json={})) == (422, "no_clash")


def test_what_was_handed_out_today_is_told_too(
    dentist: Caller, pharmacist: Caller, visit: dict[str, str]
) -> None:
    item = prescribed(dentist, visit)
    assert pharmacist.post(f"prescriptions/{item}/dispense", json={}).status_code == 200
    [clash] = allergic(dentist, visit, "penisilin")["clashes"]
    assert (clash["status"], clash["prescribed_by"]) == ("completed", "drg. Maya Lestari")
    assert row(dentist, visit)["clashes"]


def test_an_allergy_entered_in_error_takes_its_mark_away(dentist: Caller, visit: dict[str, str]) -> None:
    prescribed(dentist, visit)
    wrong = allergic(dentist, visit, "penisilin")
    assert row(dentist, visit)["clashes"]
    dentist.post(f"allergies/{wrong['id']}/void", json={"reason": "pasien lain"})
    assert row(dentist, visit)["clashes"] == []
    assert seen(dentist, visit)[0]["clash"] == ""


def test_what_was_answered_for_knowingly_is_not_told_again(dentist: Caller, visit: dict[str, str]) -> None:
    allergic(dentist, visit, "penisilin")
    prescribed(dentist, visit, allergy_override=True, override_reason=WHY)
    assert row(dentist, visit)["clashes"] == []
    allergic(dentist, visit, "amoksisilin")
    assert row(dentist, visit)["clashes"] == ["amoksisilin: Amoksisilin 500 mg tablet"]


def test_a_merge_brings_an_allergy_to_what_was_prescribed(
    clerk: Caller, dentist: Caller, doctor: Caller, admin: Caller, visit: dict[str, str]
) -> None:
    prescribed(dentist, visit)
    receipt = clerk.registered(chief_complaint="batuk pilek", cluster="UMUM")
    other = in_treatment(doctor, "UMUM", receipt)
    allergic(doctor, other, "penisilin")
    merged = admin.post(f"patients/{other['patient']}/merge", json={"into": visit["patient"]}).json()
    assert row(dentist, visit)["clashes"] == ["penisilin: Amoksisilin 500 mg tablet"]
    assert admin.post(f"merges/{merged['id']}/undo").status_code == 200
    assert row(dentist, visit)["clashes"] == []


# Changing, dispensing, letters


def test_a_changed_prescription_is_checked_like_a_new_one(dentist: Caller, visit: dict[str, str]) -> None:
    allergic(dentist, visit, "penisilin")
    item = prescribed(dentist, visit, medicine="Parasetamol 500 mg tablet")
    refused = dentist.put(f"prescriptions/{item}", json=AMOXICILLIN)
    assert code_of(refused) == (422, "allergy")
    assert [each["status"] for each in seen(dentist, visit)] == ["active"], "refused: the earlier one stands"
    body = {**AMOXICILLIN, "allergy_override": True, "override_reason": WHY}
    changed = dentist.put(f"prescriptions/{item}", json=body).json()
    assert changed["replaces"] == item
    assert [(each["medicine"], each["status"]) for each in seen(dentist, visit)] == [
        ("Parasetamol 500 mg tablet", "revoked"), ("Amoksisilin 500 mg tablet", "active"),
    ]  # fmt: skip
    assert dentist.put(f"prescriptions/{item}", json=AMOXICILLIN).status_code == 409


def test_a_medicine_is_not_the_same_again_as_the_one_it_replaces(
    dentist: Caller, visit: dict[str, str]
) -> None:
    item = prescribed(dentist, visit)
    changed = dentist.put(f"prescriptions/{item}", json={**AMOXICILLIN, "frequency": "2x sehari"})
    assert (changed.status_code, changed.json()["checks"]) == (200, [])


def test_what_was_handed_out_is_not_changed(
    dentist: Caller, pharmacist: Caller, visit: dict[str, str]
) -> None:
    item = prescribed(dentist, visit)
    pharmacist.post(f"prescriptions/{item}/dispense", json={})
    assert dentist.put(f"prescriptions/{item}", json=AMOXICILLIN).status_code == 409
    assert len(seen(dentist, visit)) == 1


def test_what_the_prescriber_answered_is_not_asked_at_the_pharmacy(
    clerk: Caller, dentist: Caller, pharmacist: Caller
) -> None:
    clerk.registered(patient=a_patient(sex="female", birth_date="1999-02-03"), pregnant=True)
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    body = {"medicine": "Ibuprofen 400 mg tablet", "confirmed": ["contraindication"]}
    item = dentist.post(f"visits/{entry['visit_id']}/prescriptions", json=body).json()
    handed = pharmacist.post(f"prescriptions/{item['id']}/dispense", json={})
    assert handed.status_code == 200
    assert [(each["code"], each["answered"]) for each in handed.json()["checks"]] == [
        ("contraindication", True)
    ]


def test_a_weight_that_became_known_later_is_asked_about_at_the_pharmacy(
    clerk: Caller, dentist: Caller, pharmacist: Caller, server: Background
) -> None:
    born = (server.clinic.today() - timedelta(days=4 * 365)).isoformat()
    visit = begun(clerk, dentist, birth_date=born)
    dentist.put(f"visits/{visit['visit']}/encounter", json={"vitals": {"weight": 20}})
    syrup = {
        "medicine": "Parasetamol sirup 120 mg/5 ml",
        "dose": "12 ml",
        "frequency": "3x sehari",
        "amount": "1",
    }
    item = prescribed(dentist, visit, **syrup)
    dentist.put(f"visits/{visit['visit']}/encounter", json={"vitals": {"weight": 10}})
    refused = pharmacist.post(f"prescriptions/{item}/dispense", json={})
    assert code_of(refused) == (422, "dose_too_much")
    assert pharmacist.post(f"prescriptions/{item}/dispense", json={"dose_override": True}).status_code == 200


def test_a_referral_names_no_medicine_against_an_allergy_unasked(
    dentist: Caller, visit: dict[str, str]
) -> None:
    prescribed(dentist, visit)
    assert "Alergi: belum ditanyakan" in refer(dentist, visit).json()["text"]
    allergic(dentist, visit, "penisilin")
    assert code_of(refer(dentist, visit)) == (422, "allergy")
    assert code_of(refer(dentist, visit, allergy_override=True)) == (422, "allergy")
    issued = refer(dentist, visit, allergy_override=True, override_reason=WHY)
    assert issued.status_code == 201
    assert "Alergi: penisilin" in issued.json()["text"]
    assert [(each["code"], each["given"]) for each in issued.json()["checks"]] == [
        ("allergy", "Amoksisilin 500 mg tablet")
    ]


def test_a_referral_says_that_none_are_known_and_what_could_not_be_read(
    dentist: Caller, visit: dict[str, str]
) -> None:
    dentist.post(f"patients/{visit['patient']}/allergies/none", json={})
    assert "Alergi: tidak ada yang diketahui" in refer(dentist, visit).json()["text"]
    allergic(dentist, visit, "obat merah")
    prescribed(dentist, visit)
    issued = refer(dentist, visit).json()
    assert [each["code"] for each in issued["checks"]] == ["allergy_unchecked"]


def test_a_sick_certificate_names_no_medicine_and_asks_nothing(
    server: Background, dentist: Caller, visit: dict[str, str]
) -> None:
    prescribed(dentist, visit)
    allergic(dentist, visit, "penisilin")
    answers = {"days": 2, "rest_from": server.clinic.today().isoformat()}
    issued = dentist.post(f"visits/{visit['visit']}/letters", json={"kind": "sick", "answers": answers})
    assert (issued.status_code, issued.json()["checks"]) == (201, [])


# The gate of access: every call that takes somebody's id


def test_a_stranger_learns_no_dose_and_acknowledges_nothing(
    server: Background,
    clerk: Caller,
    dentist: Caller,
    doctor: Caller,
    pharmacist: Caller,
    visit: dict[str, str],
) -> None:
    item = prescribed(dentist, visit)
    allergic(dentist, visit, "penisilin")
    order = dentist.post(f"visits/{visit['visit']}/orders", json={"test": "Trombosit"}).json()["id"]
    with Caller(server.url, "lab") as lab:
        lab.post(f"orders/{order}/result", json={"result": "45"})
    asked = doctor.get("medicines", params={"q": "parasetamol", "visit_id": visit["visit"]})
    assert (asked.status_code, asked.json()["fields"]) == (422, {"cluster": "not_yours"})
    for path in (f"orders/{order}/acknowledge", f"prescriptions/{item}/acknowledge"):
        assert code_of(doctor.post(path, json={})) == (403, "reason_required")
        assert doctor.post(path, json={"reason": "rekan sedang keluar"}).status_code == 200
    assert (
        dentist.get("medicines", params={"q": "parasetamol", "visit_id": visit["visit"]}).status_code == 200
    )
    assert code_of(pharmacist.get("medicines", params={"visit_id": visit["visit"]})) == (403, "not_allowed")


def test_the_pharmacy_needs_a_reason_for_what_was_handed_out_long_ago(
    server: Background, dentist: Caller, pharmacist: Caller, visit: dict[str, str]
) -> None:
    item = prescribed(dentist, visit)
    pharmacist.post(f"prescriptions/{item}/dispense", json={})
    path = f"worklists/prescriptions/{visit['visit']}"
    assert pharmacist.get(path).status_code == 200
    start = clock.now()
    with clock.frozen(lambda: start + timedelta(days=9)), Caller(server.url, "pharmacist") as later:
        assert code_of(later.get(path)) == (403, "reason_required")
        assert later.get(path, params={"reason": "pasien menelepon"}).status_code == 200


NOT_CLINICAL = {
    "GET /patients/{patient_id}", "PATCH /patients/{patient_id}", "POST /patients/{patient_id}/not-same",
    "DELETE /patients/{patient_id}/not-same/{other_id}", "POST /patients/{patient_id}/merge",
    "GET /visits/{visit_id}/releases", "POST /visits/{visit_id}/release", "GET /queue-entries/{entry_id}",
    "POST /visits/{visit_id}/release-requests",
    "GET /patients/{patient_id}/sharing", "PUT /patients/{patient_id}/sharing",
}  # fmt: skip
"""Calls with somebody's id that carry nothing of the clinical record: the card, whether it may be shared, the queue, who
released a record, the supervisor's leave asked for."""
VACCINE = {"vaccine": "Vaksin BCG", "dose_number": 1, "lot_number": "L1", "expires_on": "2099-01-01"}
BODIES: dict[str, Any] = {
    "PUT /visits/{visit_id}/encounter": {"subjective": "x"}, "PUT /visits/{visit_id}/payer": {"payer": "general"},
    "PUT /visits/{visit_id}/return-date": {"on": None},
    "PUT /visits/{visit_id}/breastfeeding": {"breastfeeding": False}, "POST /visits/{visit_id}/addenda": {"text": "catatan"},
    "POST /visits/{visit_id}/letters": {"kind": "referral", "answers": REFERRAL},
    "POST /visits/{visit_id}/diagnoses": {"code": "J06.9"}, "POST /visits/{visit_id}/procedures": {"code": "23.09"},
    "POST /visits/{visit_id}/immunisations": VACCINE,
    "POST /visits/{visit_id}/prescriptions": AMOXICILLIN, "PUT /prescriptions/{prescription_id}": AMOXICILLIN,
    "POST /visits/{visit_id}/orders": {"test": "Hemoglobin"}, "POST /orders/{order_id}/result": {"result": "12"},
    "POST /patients/{patient_id}/allergies": {"substance": "debu"},
    "POST /patients/{patient_id}/copies": {"form": "text"},
    "POST /allergies/{allergy_id}/void": {"reason": "x"},
}  # fmt: skip


def test_no_call_with_an_id_of_the_record_serves_a_stranger(
    server: Background, dentist: Caller, doctor: Caller, visit: dict[str, str]
) -> None:
    """Every operation of the API that takes the id of a visit, a patient or a part of a record, by a clinician of
    another cluster who gives no reason: refused, whatever the operation is."""
    base = f"visits/{visit['visit']}"
    ids = {
        "visit_id": visit["visit"], "patient_id": visit["patient"],
        "prescription_id": prescribed(dentist, visit),
        "order_id": dentist.post(f"{base}/orders", json={"test": "Trombosit"}).json()["id"],
        "diagnosis_id": dentist.post(f"{base}/diagnoses", json={"code": "K02.9"}).json()["id"],
        "procedure_id": dentist.post(f"{base}/procedures", json={"code": "23.09"}).json()["id"],
        "immunisation_id": dentist.post(f"{base}/immunisations", json=VACCINE).json()["id"],
        "allergy_id": allergic(dentist, visit, "debu")["id"],
        "kind": "prescriptions",
    }  # fmt: skip
    operations = httpx.get(f"{server.url}/openapi.json", timeout=60).json()["paths"]
    tried: list[str] = []
    served: dict[str, str] = {}
    for path, methods in operations.items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path.removeprefix('/api/v1')}"
            names = {item["name"] for item in operation.get("parameters", [])}
            if not names & (ids.keys() - {"kind"}) or name in NOT_CLINICAL:
                continue
            url = path.removeprefix("/api/v1/").format_map({**ids, "letter_id": "x"})
            query = {"visit_id": ids["visit_id"]} if "{visit_id}" not in path and "visit_id" in names else {}
            if method == "delete":
                query["reason"] = "x"
            answer = doctor.request(method, url, json=BODIES.get(name), params=query)
            tried.append(name)
            refused = answer.json() if answer.status_code in {403, 422} else {}
            code, fields = refused.get("code"), refused.get("fields", {})
            if code not in {"not_allowed", "reason_required"} and "cluster" not in fields:
                served[name] = answer.text
    assert served == {}
    assert {"GET /medicines", "POST /prescriptions/{prescription_id}/acknowledge"} <= set(tried)
    assert len(tried) > 20

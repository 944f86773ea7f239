"""Nothing is begun for somebody who is recorded as dead before a yes, at whatever door; ending and telling goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.accounts.service import system_actor
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import RuleError
from core.models import Patient
from core.visits import appointments
from core.visits.appointments import Booking
from server.run import Background
from tests.people import Caller

EXPIRY = "2099-12-31"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    home: Path = tmp_path_factory.mktemp("dead")
    with Background(Settings(home=home)) as running:
        yield running


@pytest.fixture(scope="module")
def people(clinic: Background) -> dict[str, Caller]:
    names = ("clerk", "dentist", "doctor", "pharmacist", "lab", "records", "admin")
    return {name: Caller(clinic.url, name) for name in names}


@pytest.fixture
def served(people: dict[str, Caller]) -> dict[str, Any]:
    """Somebody whom the dentist serves."""
    receipt = people["clerk"].registered()
    entry = people["dentist"].act(receipt["ticket"]["id"], "start").json()
    return {"patient": receipt["patient_id"], "visit": receipt["visit_id"], "entry": entry["id"]}


def dies(people: dict[str, Caller], patient_id: str, days_ago: int = 0) -> str:
    """Mark a patient as dead, as a card or a list reports it."""
    today = date.fromisoformat(people["clerk"].get("clinic").json()["today"])
    on = (today - timedelta(days=days_ago)).isoformat()
    marked = people["clerk"].patch(f"patients/{patient_id}", json={"death_reported_on": on})
    assert marked.status_code == 200, marked.text
    assert marked.json()["deceased_on"] == on
    return on


ADDED: dict[str, dict[str, Any]] = {
    "prescriptions": {"medicine": "Parasetamol 500 mg tablet", "dose": "1 tablet", "frequency": "3x sehari",
                      "amount": "10 tablet"},
    "orders": {"test": "Hemoglobin"},
    "procedures": {"code": "89.52"},
    "immunisations": {"vaccine": "Vaksin Td", "dose_number": 1, "lot_number": "AB1", "expires_on": EXPIRY},
    "letters": {"kind": "referral", "answers": {"hospital": "RSUD", "department": "Forensik", "reason": "otopsi"}},
}  # fmt: skip


@pytest.mark.parametrize("kind", ADDED)
def test_what_is_added_to_a_record_of_the_dead_is_asked_about(
    people: dict[str, Caller], served: dict[str, Any], kind: str
) -> None:
    path, dentist = f"visits/{served['visit']}/{kind}", people["dentist"]
    day = dies(people, served["patient"])
    refused = dentist.post(path, json=ADDED[kind])
    assert (refused.status_code, refused.json()["code"]) == (422, "patient_deceased"), refused.text
    assert refused.json()["details"]["deceased_on"] == day
    late = dentist.post(path, json={**ADDED[kind], "deceased_confirmed": True})
    assert late.status_code == 201, late.text
    events = people["admin"].get("audit", params={"patient_id": served["patient"]}).json()
    assert "deceased_confirmed" in [event["action"] for event in events]


@pytest.mark.parametrize("kind", ADDED)
def test_nothing_is_asked_of_the_living(people: dict[str, Caller], served: dict[str, Any], kind: str) -> None:
    added = people["dentist"].post(f"visits/{served['visit']}/{kind}", json=ADDED[kind])
    assert added.status_code == 201, added.text


def test_changing_and_handing_out_a_medicine_are_asked_about(
    people: dict[str, Caller], served: dict[str, Any]
) -> None:
    dentist, pharmacist = people["dentist"], people["pharmacist"]
    written = dentist.post(f"visits/{served['visit']}/prescriptions", json=ADDED["prescriptions"]).json()
    dies(people, served["patient"])
    changed = {**ADDED["prescriptions"], "amount": "12 tablet"}
    for answer in (
        dentist.put(f"prescriptions/{written['id']}", json=changed),
        pharmacist.post(f"prescriptions/{written['id']}/dispense", json={}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "patient_deceased"), answer.text
    confirmed = {"deceased_confirmed": True}
    given = pharmacist.post(f"prescriptions/{written['id']}/dispense", json=confirmed)
    assert given.status_code == 200, given.text


def test_the_cause_of_a_death_is_no_question_and_a_later_diagnosis_is_one(
    people: dict[str, Caller], served: dict[str, Any]
) -> None:
    path = f"visits/{served['visit']}/diagnoses"
    dies(people, served["patient"])
    assert people["dentist"].post(path, json={"code": "K04.7"}).status_code == 201
    dies(people, served["patient"], days_ago=9)
    refused = people["dentist"].post(path, json={"code": "K02.9"})
    assert (refused.status_code, refused.json()["code"]) == (422, "patient_deceased")
    confirmed = {"code": "K02.9", "deceased_confirmed": True}
    assert people["dentist"].post(path, json=confirmed).status_code == 201


def test_what_ends_or_tells_is_never_in_the_way(people: dict[str, Caller], served: dict[str, Any]) -> None:
    dentist, lab, visit = people["dentist"], people["lab"], served["visit"]
    ordered = dentist.post(f"visits/{visit}/orders", json=ADDED["orders"]).json()
    written = dentist.post(f"visits/{visit}/prescriptions", json=ADDED["prescriptions"]).json()
    dies(people, served["patient"])
    note = {"subjective": "henti napas", "disposition": "died", "sign": True}
    assert dentist.put(f"visits/{visit}/encounter", json=note).status_code == 200
    assert lab.post(f"orders/{ordered['id']}/result", json={"result": "9,8"}).status_code == 200
    gone = dentist.delete(f"prescriptions/{written['id']}", params={"reason": "meninggal"})
    assert gone.status_code == 200
    assert dentist.post(f"visits/{visit}/addenda", json={"text": "keluarga hadir"}).status_code == 201
    assert dentist.act(served["entry"], "finish", disposition="died").status_code == 200


@pytest.mark.parametrize("step", ["call", "start", "transfer", "call-next"])
def test_no_queue_goes_on_with_the_dead_unasked(people: dict[str, Caller], step: str) -> None:
    dentist = people["dentist"]
    while dentist.post("queues/GIGI/call-next", json={"deceased_confirmed": True}).status_code == 200:
        pass  # whoever waits from other tests
    receipt = people["clerk"].registered()
    number, entry = receipt["ticket"]["number"], receipt["ticket"]["id"]
    dies(people, receipt["patient_id"])

    def send(**more: Any) -> httpx.Response:
        if step == "call-next":
            return dentist.post("queues/GIGI/call-next", json=more)
        return dentist.act(entry, step, **({"cluster": "UMUM"} if step == "transfer" else {}), **more)

    refused = send()
    assert (refused.status_code, refused.json()["code"]) == (422, "patient_deceased"), refused.text
    assert refused.json()["details"]["number"] == number
    assert send(deceased_confirmed=True).status_code == 200


def test_who_is_marked_dead_while_waiting_can_be_ended_without_a_question(people: dict[str, Caller]) -> None:
    receipt = people["clerk"].registered()
    dies(people, receipt["patient_id"])
    assert people["dentist"].act(receipt["ticket"]["id"], "leave").status_code == 200


def test_no_number_is_booked_for_the_dead(clinic: Background, people: dict[str, Caller]) -> None:
    receipt = people["clerk"].registered()
    dies(people, receipt["patient_id"])
    wanted = Booking("GIGI", clinic.clinic.today() + timedelta(days=1), "ngilu")
    with connection():
        patient = Patient.get_by_id(receipt["patient_id"])
        with pytest.raises(RuleError, match="patient_deceased"):
            appointments.book(clinic.clinic, system_actor(), patient, wanted)


def test_a_merge_of_who_died_with_who_came_later_is_asked_about(people: dict[str, Caller]) -> None:
    dead = people["clerk"].registered()
    alive = people["clerk"].registered(cluster="UMUM", chief_complaint="batuk")
    dies(people, dead["patient_id"], days_ago=30)
    path, body = f"patients/{dead['patient_id']}/merge", {"into": alive["patient_id"]}
    refused = people["admin"].post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "patient_deceased"), refused.text
    assert people["clerk"].get(f"patients/{dead['patient_id']}").json()["merged_into"] is None
    merged = people["admin"].post(path, json={**body, "deceased_confirmed": True})
    assert merged.status_code == 201, merged.text

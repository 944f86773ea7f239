"""Compounded medicines and shorthand over HTTP: checked at every door, shown whole on every paper."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import Caller
from tests.people import patient as a_patient

POWDER: dict[str, Any] = {
    "ingredients": [
        {"medicine": "Parasetamol", "amount": "500 mg"},
        {"medicine": "CTM", "amount": "4 mg"},
        {"medicine": "GG", "amount": "100 mg"},
    ],
    "papers": 10,
    "signa": "s.3.d.d. pulv I pc",
}


@pytest.fixture
def visit(clerk: Caller, dentist: Caller) -> dict[str, str]:
    receipt = clerk.registered(patient=a_patient())
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    return {"visit": entry["visit_id"], "patient": receipt["patient_id"], "entry": entry["id"]}


def prescribe(dentist: Caller, visit: dict[str, str], **fields: Any) -> Any:
    return dentist.post(f"visits/{visit['visit']}/prescriptions", json={**POWDER, **fields})


def allergic(dentist: Caller, visit: dict[str, str], substance: str) -> dict[str, Any]:
    path = f"patients/{visit['patient']}/allergies"
    return dict(dentist.post(path, json={"substance": substance}).json())


def test_it_is_stored_whole_with_the_shorthand_read(dentist: Caller, visit: dict[str, str]) -> None:
    made = prescribe(dentist, visit)
    assert made.status_code == 201, made.text
    item = made.json()
    assert item["medicine"] == "Racikan puyer: Parasetamol, CTM, GG"
    assert item["lines"] == ["Parasetamol 500 mg", "CTM 4 mg", "GG 100 mg", "m.f. pulv. d.t.d. No. X"]
    assert (item["dose"], item["frequency"], item["amount"]) == ("1 bungkus", "3x sehari", "10 bungkus")
    assert (item["instructions"], item["signa"], item["checks"]) == ("sesudah makan", POWDER["signa"], [])


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"ingredients": []}, {"medicine": "required"}), ({"papers": None}, {"papers": "required"}),
     ({"papers": 0}, {"papers"}), ({"papers": 201}, {"papers"}), ({"papers": -3}, {"papers"}), ({"make": "jus"}, {"make"}),
     ({"ingredients": [{"medicine": "", "amount": "1 mg"}]}, {"ingredients.0.medicine"}),
     ({"ingredients": [{"medicine": "x"}] * 13}, {"ingredients"}), ({"signa": "x" * 81}, {"signa"})],
)  # fmt: skip
def test_what_is_incomplete_is_refused_by_its_field(
    dentist: Caller, visit: dict[str, str], fields: dict[str, Any], wrong: Any
) -> None:
    refused = prescribe(dentist, visit, **fields)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation")
    assert set(refused.json()["fields"]) == set(wrong)


def test_one_ingredient_against_an_allergy_stops_it_at_every_door(
    dentist: Caller, pharmacist: Caller, visit: dict[str, str]
) -> None:
    item = prescribe(dentist, visit).json()["id"]
    [clash] = allergic(dentist, visit, "klorfeniramin")["clashes"]
    assert clash["prescription_id"] == item
    assert dentist.get(f"queue-entries/{visit['entry']}").json()["clashes"] == [
        "klorfeniramin: Racikan puyer: Parasetamol, CTM, GG"
    ]
    refused = pharmacist.post(f"prescriptions/{item}/dispense", json={})
    assert (refused.status_code, refused.json()["code"]) == (422, "allergy")
    assert [each["medicine"] for each in refused.json()["details"]["checks"]] == ["CTM"]
    assert dentist.put(f"prescriptions/{item}", json=POWDER).json()["code"] == "allergy"
    assert prescribe(dentist, visit).json()["code"] == "allergy"
    answers = {"hospital": "RSUD", "department": "Anak", "reason": "x"}
    letter = {"kind": "referral", "answers": answers}
    assert dentist.post(f"visits/{visit['visit']}/letters", json=letter).json()["code"] == "allergy"


def test_an_unread_ingredient_and_unread_directions_are_said(dentist: Caller, visit: dict[str, str]) -> None:
    parts = [{"medicine": "serbuk ajaib", "amount": "5 mg"}, {"medicine": "CTM", "amount": "secukupnya"}]
    checks = prescribe(dentist, visit, ingredients=parts, signa="3 dd 1 xyz").json()["checks"]
    assert {(each["code"], tuple(each["things"])) for each in checks} == {
        ("ingredient_unread", ("serbuk ajaib",)), ("dose_unchecked", ("CTM secukupnya",)), ("signa_unread", ("xyz",)),
    }  # fmt: skip


def test_a_ready_medicine_reads_shorthand_too(dentist: Caller, visit: dict[str, str]) -> None:
    body = {"medicine": "Amoksisilin 500 mg tablet", "signa": "3 dd 1 pc", "amount": "15 tablet"}
    item = dentist.post(f"visits/{visit['visit']}/prescriptions", json=body).json()
    assert (item["dose"], item["frequency"], item["instructions"]) == (
        "1 tablet",
        "3x sehari",
        "sesudah makan",
    )
    too_much = {"medicine": "Parasetamol 500 mg tablet", "signa": "6 dd 3"}
    refused = dentist.post(f"visits/{visit['visit']}/prescriptions", json=too_much)
    assert refused.json()["code"] == "dose_too_much", "what the shorthand says is checked like typed numbers"


def test_the_pharmacy_the_record_and_the_referral_show_every_ingredient(
    dentist: Caller, pharmacist: Caller, visit: dict[str, str]
) -> None:
    prescribe(dentist, visit)
    [seen] = pharmacist.get(f"worklists/prescriptions/{visit['visit']}").json()["prescriptions"]
    [read] = dentist.get(f"visits/{visit['visit']}").json()["prescriptions"]
    assert seen["lines"] == read["lines"] != []
    answers = {"hospital": "RSUD", "department": "Anak", "reason": "x"}
    letter = dentist.post(f"visits/{visit['visit']}/letters", json={"kind": "referral", "answers": answers})
    text = " ".join(letter.json()["text"].split())
    for line in read["lines"]:
        assert line in text
    assert pharmacist.post(f"prescriptions/{seen['id']}/dispense", json={}).status_code == 200


def test_the_same_ingredient_in_a_tablet_and_in_a_paper_is_asked_about(
    dentist: Caller, visit: dict[str, str]
) -> None:
    prescribe(dentist, visit)
    tablet = {"medicine": "Parasetamol 500 mg tablet", "dose": "1 tablet", "frequency": "3x sehari"}
    refused = dentist.post(f"visits/{visit['visit']}/prescriptions", json=tablet)
    assert refused.json()["code"] == "medicine_twice"

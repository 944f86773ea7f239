"""Contraindications by breast-feeding and by kidney function; what is not known is said to be unknown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.foundation import clock
from core.orders.medicines import catalogue
from core.orders.medicines.checks import Check, Prescribed, check, depends_on_breastfeeding
from core.orders.medicines.doses import Recipient
from core.orders.medicines.kidney import UNKNOWN, KidneyFunction, from_creatinine
from server.run import Background
from tests.people import Caller
from tests.people import patient as a_patient

ADULT, OLD = 40 * 12, 70 * 12


def found(medicine: str, **facts: Any) -> list[Check]:
    return check(Prescribed(medicine), [], [], Recipient(facts.pop("age_months", ADULT), **facts))


def codes(medicine: str, **facts: Any) -> list[str]:
    return [each.code for each in found(medicine, **facts)]


# Pure


@pytest.mark.parametrize(
    ("creatinine", "sex", "age", "expected"),
    # Source: the National Kidney Foundation's calculator, CKD-EPI 2021.
    [(1.0, "male", 50, 92), (1.0, "female", 50, 69), (2.0, "male", 60, 37), (2.0, "female", 60, 28),
     (0.7, "female", 30, 119), (5.0, "male", 70, 12), (0.9, "male", 20, 125), (1.5, "female", 75, 36),
     (3.0, "male", 45, 25), (1.2, "male", 80, 61)],
)  # fmt: skip
def test_the_estimate_is_that_of_ckd_epi(creatinine: float, sex: str, age: int, expected: int) -> None:
    estimate = from_creatinine(creatinine, creatinine, sex, age, None)
    assert estimate.least == estimate.most == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("creatinine", "height", "expected"), [(0.5, 100, 83), (1.0, 120, 50), (2.0, 140, 29), (0.4, 90, 93)]
)
def test_a_childs_estimate_goes_by_height(creatinine: float, height: float, expected: int) -> None:
    assert from_creatinine(creatinine, creatinine, "male", 8, height).most == pytest.approx(expected, abs=1)


def test_a_child_without_a_height_is_unknown() -> None:
    assert from_creatinine(1.0, 1.0, "female", 8, None) == UNKNOWN


@pytest.mark.parametrize(
    ("medicine", "below"),
    [("Metformin 500 mg tablet", 30), ("Ibuprofen 400 mg tablet", 30), ("Gentamisin injeksi 40 mg/ml", 60),
     ("Digoksin 0,25 mg tablet", 60), ("Spironolakton 25 mg tablet", 30), ("glibenklamid 5 mg", 60),
     ("alopurinol 100 mg", 30), ("nitrofurantoin", 45), ("etambutol 500 mg", 30), ("kotrimoksazol 480 mg", 30),
     ("asiklovir 400 mg", 25), ("tramadol 50 mg", 30), ("kolkisin 0,5 mg", 30), ("tenofovir", 60)],
)  # fmt: skip
def test_the_kidneys_speak_against_a_medicine_below_its_limit(medicine: str, below: float) -> None:
    ill, well = KidneyFunction(below - 5, below - 5, "kreatinin"), KidneyFunction(below + 5, below + 5)
    [asked] = [each for each in found(medicine, kidney=ill) if each.given.endswith("_kidney")]
    assert (asked.code, asked.expected) == ("contraindication", "kreatinin")
    assert asked.source
    assert not any(each.given.endswith("_kidney") for each in found(medicine, kidney=well))
    across = KidneyFunction(below - 5, below + 5)
    assert "kidney_unknown" in codes(medicine, kidney=across)
    assert "kidney_unknown" in codes(medicine, age_months=OLD), "nobody measured it"


@pytest.mark.parametrize("medicine", ["Ibuprofen 400 mg tablet", "tramadol 50 mg", "kotrimoksazol 480 mg"])
def test_unknown_kidneys_of_the_young_are_not_asked_about_for_everyday_medicines(medicine: str) -> None:
    assert codes(medicine) == []


@pytest.mark.parametrize(
    "medicine", ["Parasetamol 500 mg tablet", "Amoksisilin 500 mg tablet", "CTM 4 mg tablet"]
)
def test_other_medicines_ask_nothing_of_the_kidneys(medicine: str) -> None:
    assert codes(medicine, age_months=OLD, kidney=KidneyFunction(5, 5)) == []


@pytest.mark.parametrize(
    "medicine",
    ["ergotamin", "kloramfenikol 250 mg", "siprofloksasin 500 mg", "doksisiklin 100 mg", "kodein 10 mg", "tramadol 50 mg",
     "antalgin 500 mg", "pil kb etinilestradiol", "simvastatin 10 mg", "diazepam 2 mg", "fenobarbital 30 mg", "primakuin 15 mg",
     "pseudoefedrin", "atenolol 50 mg", "klozapin 25 mg"],
)  # fmt: skip
def test_breastfeeding_speaks_against_and_unasked_is_said(medicine: str) -> None:
    by_answer = {
        answer: [each.code for each in found(medicine, breastfeeding=answer) if "breastfeeding" in each.given]
        for answer in (True, None, False)
    }
    assert by_answer == {True: ["contraindication"], None: ["breastfeeding_unknown"], False: []}
    assert depends_on_breastfeeding(medicine)


@pytest.mark.parametrize(
    "medicine", ["Parasetamol 500 mg tablet", "Amoksisilin 500 mg tablet", "propranolol 40 mg", "x"]
)
def test_breastfeeding_is_not_asked_for_what_does_no_harm(medicine: str) -> None:
    assert not depends_on_breastfeeding(medicine)
    unread = ["ingredient_unread"] if medicine == "x" else []
    assert codes(medicine, breastfeeding=True) == unread


def test_every_rule_names_known_ingredients_one_condition_and_its_source() -> None:
    known = catalogue.ingredients()
    for rule in catalogue.document("contraindications.toml")["rule"]:
        assert set(rule.get("ingredients", [])) <= set(known), rule["code"]
        begun = tuple(rule.get("atc", []))
        held = [each for each in known.values() if begun and each.atc.startswith(begun)]
        assert held or rule.get("ingredients"), rule["code"]
        conditions = {"below_months", "pregnant", "breastfeeding", "kidney_below"} & set(rule)
        assert len(conditions) == 1, rule["code"]
        assert rule["source"], rule["code"]
        assert set(rule["text"]) >= {"id", "en"}


# Over HTTP, from the record


def begun(clerk: Caller, dentist: Caller, **fields: Any) -> str:
    clerk.registered(patient=a_patient(**fields))
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    return str(entry["visit_id"])


def resulted(
    dentist: Caller, lab: Caller, visit: str, result: str, test: str = "Kreatinin", unit: str = ""
) -> None:
    order = dentist.post(f"visits/{visit}/orders", json={"test": test}).json()["id"]
    answer = lab.post(f"orders/{order}/result", json={"result": result, "unit": unit})
    assert answer.status_code == 200, answer.text


def prescribe(caller: Caller, visit: str, medicine: str, **fields: Any) -> Any:
    return caller.post(f"visits/{visit}/prescriptions", json={"medicine": medicine, **fields})


@pytest.mark.parametrize(
    ("test", "result", "unit", "code"),
    [("Kreatinin", "4,2", "", "contraindication"), ("Kreatinin", "0,9", "", None),
     ("Kreatinin", "372 umol/L", "", "contraindication"), ("Kreatinin", "80", "umol/L", None),
     ("Kreatinin", ">5", "", "contraindication"), ("Kreatinin", "hemolisis", "", "kidney_unknown"),
     ("Kreatinin", "HI", "", "kidney_unknown"), ("Kreatinin", "4,2", "mmol/l", "kidney_unknown"),
     ("eGFR", "22", "", "contraindication"), ("eGFR", "88", "", None), ("eGFR", "<15", "", "contraindication"),
     ("eGFR", ">60", "", None), ("creatinin darah", "4,2", "mg/dL", "contraindication"),
     ("creatinin darah", "4,2", "", "kidney_unknown"), ("Kreatinin urin", "4,2", "mg/dL", "kidney_unknown")],
)  # fmt: skip
def test_the_newest_result_of_the_record_is_read(
    clerk: Caller, dentist: Caller, lab: Caller, test: str, result: str, unit: str, code: str | None
) -> None:
    visit = begun(clerk, dentist, sex="male", birth_date="1960-05-05")
    resulted(dentist, lab, visit, result, test, unit)
    answer = prescribe(dentist, visit, "Metformin 500 mg tablet")
    if code == "contraindication":
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        [asked] = answer.json()["details"]["checks"]
        assert test in asked["expected"]
        again = prescribe(dentist, visit, "Metformin 500 mg tablet", confirmed=["contraindication"])
        assert again.status_code == 201
    else:
        assert answer.status_code == 201
        assert [each["code"] for each in answer.json()["checks"]] == ([code] if code else [])


def test_a_result_of_long_ago_says_nothing_about_today(
    server: Background, clerk: Caller, dentist: Caller, lab: Caller
) -> None:
    visit = begun(clerk, dentist, sex="male", birth_date="1960-05-05")
    resulted(dentist, lab, visit, "0,9")
    patient = dentist.get(f"visits/{visit}").json()["patient"]["id"]
    (waiting,) = dentist.get("queues/GIGI").json()["entries"]
    assert dentist.act(waiting["id"], "finish", disposition="home").status_code == 200
    start = clock.now()
    year_later = clock.frozen(lambda: start + timedelta(days=400))
    with year_later, Caller(server.url, "clerk") as later, Caller(server.url, "dentist") as then:
        later.registered(patient_id=patient)
        entry = then.post("queues/GIGI/call-next", json={}).json()
        then.act(entry["id"], "start")
        checks = prescribe(then, entry["visit_id"], "Metformin 500 mg tablet").json()["checks"]
    assert [each["code"] for each in checks] == ["kidney_unknown"]
    assert "Kreatinin 0,9" in checks[0]["expected"]


def test_breastfeeding_is_recorded_and_asked_about(
    clerk: Caller, dentist: Caller, server: Background
) -> None:
    visit = begun(clerk, dentist, sex="female", birth_date="1996-05-05")
    assert dentist.get(f"visits/{visit}").json()["breastfeeding"] is None
    unasked = prescribe(dentist, visit, "Tramadol 50 mg kapsul").json()["checks"]
    assert [each["code"] for each in unasked] == ["breastfeeding_unknown"]
    assert (
        dentist.put(f"visits/{visit}/breastfeeding", json={"breastfeeding": True}).json()["breastfeeding"]
        is True
    )
    refused = prescribe(dentist, visit, "Kodein 10 mg tablet")
    assert (refused.status_code, refused.json()["code"]) == (422, "contraindication")
    dentist.put(f"visits/{visit}/breastfeeding", json={"breastfeeding": None})
    assert dentist.get(f"visits/{visit}").json()["breastfeeding"] is None
    with Caller(server.url, "pharmacist") as pharmacist:
        pharmacist.get(f"worklists/prescriptions/{visit}")


def test_what_she_says_after_the_prescription_stops_the_dispensing(
    clerk: Caller, dentist: Caller, server: Background
) -> None:
    visit = begun(clerk, dentist, sex="female", birth_date="1996-05-05")
    item = prescribe(dentist, visit, "Kodein 10 mg tablet").json()["id"]
    dentist.put(f"visits/{visit}/breastfeeding", json={"breastfeeding": True})
    with Caller(server.url, "pharmacist") as pharmacist:
        refused = pharmacist.post(f"prescriptions/{item}/dispense", json={})
        assert (refused.status_code, refused.json()["code"]) == (422, "contraindication")
        body = {"confirmed": ["contraindication"]}
        assert pharmacist.post(f"prescriptions/{item}/dispense", json=body).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"sex": "male", "birth_date": "1996-05-05"}, {"sex": "female", "birth_date": "1950-05-05"}]
)
def test_who_cannot_breastfeed_is_not_asked(clerk: Caller, dentist: Caller, fields: dict[str, str]) -> None:
    visit = begun(clerk, dentist, **fields)
    checks = prescribe(dentist, visit, "Atenolol 50 mg tablet").json()["checks"]
    assert [each["code"] for each in checks] == []
    if fields["sex"] == "male":
        refused = dentist.put(f"visits/{visit}/breastfeeding", json={"breastfeeding": True})
        assert refused.json()["fields"] == {"breastfeeding": "for_women_only"}

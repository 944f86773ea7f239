"""What is asked before a medicine is prescribed or handed out, over HTTP: allergy, dose, age, the same again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.foundation import clock
from server.run import Background
from tests.people import Caller
from tests.people import patient as a_patient

AMOXICILLIN = {"medicine": "amoksisilin", "dose": "500 mg", "frequency": "3x sehari", "amount": "15"}


@pytest.fixture
def visit(clerk: Caller, dentist: Caller) -> str:
    return begun(clerk, dentist)


def begun(clerk: Caller, dentist: Caller, *, pregnant: bool = False, **fields: Any) -> str:
    clerk.registered(patient=a_patient(**fields), pregnant=pregnant)
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    return str(entry["visit_id"])


def patient_of(caller: Caller, visit: str) -> str:
    return str(caller.get(f"visits/{visit}").json()["patient"]["id"])


def allergic(caller: Caller, visit: str, substance: str) -> dict[str, Any]:
    answer = caller.post(f"patients/{patient_of(caller, visit)}/allergies", json={"substance": substance})
    assert answer.status_code == 201
    return dict(answer.json())


def prescribe(caller: Caller, visit: str, **fields: Any) -> Any:
    return caller.post(f"visits/{visit}/prescriptions", json={**AMOXICILLIN, **fields})


def test_a_clash_is_refused_until_it_is_overridden_with_a_reason(dentist: Caller, visit: str) -> None:
    allergic(dentist, visit, "Penicilin")
    refused = prescribe(dentist, visit)
    assert (refused.status_code, refused.json()["code"]) == (422, "allergy")
    assert refused.json()["details"]["substances"] == ["Penicilin"]
    without = prescribe(dentist, visit, allergy_override=True)
    assert (without.status_code, without.json()["code"]) == (422, "allergy")
    assert without.json()["details"]["reason_required"] is True
    kept = prescribe(dentist, visit, allergy_override=True, override_reason="pernah tahan, sudah diuji")
    assert kept.status_code == 201
    assert [each["code"] for each in kept.json()["checks"]] == ["allergy"]
    assert kept.json()["override_reason"] == "pernah tahan, sudah diuji"


def test_what_cannot_be_read_is_said_on_either_side(dentist: Caller, visit: str) -> None:
    allergic(dentist, visit, "obat merah")
    taken = prescribe(dentist, visit)
    assert taken.status_code == 201
    assert taken.json()["checks"] == [
        {
            "code": "allergy_unchecked",
            "things": ["obat merah"],
            "given": "",
            "expected": "",
            "medicine": "",
            "text": {},
            "source": "",
            "answered": False,
        }
    ]
    puyer = dentist.post(f"visits/{visit}/prescriptions", json={"medicine": "puyer racikan"}).json()
    assert puyer["checks"][0]["things"] == ["puyer racikan", "obat merah"]


def test_a_food_leaves_nothing_unchecked(dentist: Caller, visit: str) -> None:
    allergic(dentist, visit, "udang, debu")
    assert prescribe(dentist, visit).json()["checks"] == []


def test_an_allergy_added_later_stops_the_dispensing(server: Background, dentist: Caller, visit: str) -> None:
    item = prescribe(dentist, visit).json()
    added = allergic(dentist, visit, "golongan penisilin")
    facts = {"prescription_id": item["id"], "medicine": "amoksisilin", "status": "active"}
    assert added["clashes"] == [facts | {"prescribed_by": "drg. Maya Lestari"}]
    with Caller(server.url, "pharmacist") as pharmacist:
        shown = pharmacist.get(f"worklists/prescriptions/{visit}").json()
        assert [each["code"] for each in shown["prescriptions"][0]["checks"]] == ["allergy"]
        refused = pharmacist.post(f"prescriptions/{item['id']}/dispense", json={})
        assert (refused.status_code, refused.json()["code"]) == (422, "allergy")
        assert (
            pharmacist.post(
                f"prescriptions/{item['id']}/dispense", json={"allergy_override": True}
            ).status_code
            == 422
        )
        given = pharmacist.post(
            f"prescriptions/{item['id']}/dispense",
            json={"allergy_override": True, "override_reason": "dokter ditelepon"},
        )
        assert given.json()["status"] == "completed"
        assert [each["code"] for each in given.json()["checks"]] == ["allergy"]


def test_dispensing_says_what_could_not_be_checked(server: Background, dentist: Caller, visit: str) -> None:
    item = prescribe(dentist, visit).json()
    allergic(dentist, visit, "lupa nama obatnya")
    with Caller(server.url, "pharmacist") as pharmacist:
        given = pharmacist.post(f"prescriptions/{item['id']}/dispense", json={}).json()
        assert [each["code"] for each in given["checks"]] == ["allergy_unchecked"]


def test_an_allergy_is_recorded_once_with_severity_and_source(dentist: Caller, visit: str) -> None:
    patient = patient_of(dentist, visit)
    fields = {"substance": "Penisilin", "reaction": "sesak", "severity": "severe", "source": "patient"}
    assert dentist.post(f"patients/{patient}/allergies", json=fields).json()["read"] is True
    again = dentist.post(f"patients/{patient}/allergies", json={"substance": "golongan penicillin"})
    assert (again.status_code, again.json()["code"]) == (422, "allergy_known")
    [listed] = dentist.get(f"patients/{patient}/allergies").json()["allergies"]
    assert (listed["severity"], listed["source"], listed["reaction"]) == ("severe", "patient", "sesak")


def test_an_allergy_entered_in_error_is_struck_out_with_a_reason(dentist: Caller, visit: str) -> None:
    added = allergic(dentist, visit, "Penisilin")
    path = f"allergies/{added['id']}/void"
    assert dentist.post(path, json={}).json()["fields"] == {"reason": "required"}
    assert dentist.post(path, json={"reason": "pasien lain"}).json() == {"allergies": [], "asked": False}
    assert dentist.post(path, json={"reason": "pasien lain"}).status_code == 404
    assert prescribe(dentist, visit).status_code == 201


@pytest.mark.parametrize("words", ["tidak ada", "Alergi disangkal", "NKDA"])
def test_none_known_is_not_the_same_as_not_asked(dentist: Caller, visit: str, words: str) -> None:
    patient = patient_of(dentist, visit)
    assert dentist.get(f"patients/{patient}/allergies").json() == {"allergies": [], "asked": False}
    assert allergic(dentist, visit, words)["none_known"] is True
    seen = dentist.get(f"visits/{visit}").json()["patient"]
    assert (seen["allergies"], seen["allergies_asked"]) == ([], True)


def test_none_is_stated_by_a_call_and_contradicted_by_an_allergy(dentist: Caller, visit: str) -> None:
    patient = patient_of(dentist, visit)
    assert dentist.post(f"patients/{patient}/allergies/none", json={}).json()["asked"] is True
    allergic(dentist, visit, "sulfa")
    refused = dentist.post(f"patients/{patient}/allergies/none", json={})
    assert refused.json()["code"] == "allergies_recorded"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"dose": "-1 tablet"}, "dose_not_positive"),
        ({"dose": "0 tablet"}, "dose_not_positive"),
        ({"amount": "-5"}, "dose_not_positive"),
        ({"amount": "0"}, "dose_not_positive"),
        ({"frequency": "0x sehari"}, "dose_not_positive"),
        ({"frequency": "99x sehari"}, "dose_impossible"),
        ({"frequency": "40 dd 1"}, "dose_impossible"),
        ({"frequency": "tiap 1 jam"}, "dose_impossible"),
        ({"amount": "5000 tablet"}, "dose_impossible"),
        ({"dose": "20 tablet"}, "dose_too_much"),
        ({"dose": "3000 mg"}, "dose_too_much"),
        (
            {"medicine": "Parasetamol 500 mg tablet", "dose": "3 tablet", "frequency": "4x sehari"},
            "dose_too_much",
        ),
        ({"medicine": "Metformin 500 mg tablet", "dose": "5 tablet", "frequency": "3x1"}, "dose_too_much"),
    ],
)
def test_a_dose_that_cannot_be_is_asked_about(
    dentist: Caller, visit: str, fields: dict[str, str], code: str
) -> None:
    refused = prescribe(dentist, visit, **fields)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert prescribe(dentist, visit, **fields, dose_override=True).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [
        {"dose": "1/2 tablet", "frequency": "3x sehari"},
        {"dose": "1-2 tablet", "frequency": "3 dd 1"},
        {"dose": "1 tablet", "frequency": "tiap 8 jam"},
        {"dose": "oles tipis", "frequency": "2x sehari", "amount": "1 tube"},
        {"dose": "sesuai berat badan", "frequency": "bila perlu"},
        {"dose": "", "frequency": "", "amount": ""},
    ],
)
def test_a_usual_dose_is_not_asked_about(dentist: Caller, visit: str, fields: dict[str, str]) -> None:
    assert prescribe(dentist, visit, medicine="Kaptopril 12.5 mg tablet", **fields).status_code == 201


def test_the_same_ingredient_twice_is_asked_about(dentist: Caller, visit: str) -> None:
    assert dentist.post(f"visits/{visit}/prescriptions", json={"medicine": "Sanmol"}).status_code == 201
    again = dentist.post(f"visits/{visit}/prescriptions", json={"medicine": "pct 500"})
    assert (again.status_code, again.json()["code"]) == (422, "medicine_twice")
    confirmed = {"medicine": "pct 500", "confirmed": ["medicine_twice"]}
    assert dentist.post(f"visits/{visit}/prescriptions", json=confirmed).status_code == 201


def test_two_medicines_that_change_each_other_are_asked_about(dentist: Caller, visit: str) -> None:
    assert (
        dentist.post(f"visits/{visit}/prescriptions", json={"medicine": "warfarin 2 mg"}).status_code == 201
    )
    refused = dentist.post(f"visits/{visit}/prescriptions", json={"medicine": "asmef"})
    assert refused.json()["code"] == "interaction"
    assert refused.json()["details"]["checks"][0]["source"] == "BNF"


def test_a_confirmed_code_never_answers_for_an_allergy(dentist: Caller, visit: str) -> None:
    allergic(dentist, visit, "sulfa")
    refused = prescribe(dentist, visit, medicine="kotrimoksazol", confirmed=["allergy"], dose_override=True)
    assert refused.json()["code"] == "allergy"


def child(clerk: Caller, dentist: Caller, born: str, weight: float | None = None) -> str:
    visit = begun(clerk, dentist, birth_date=born, sex="female")
    if weight is not None:
        dentist.put(f"visits/{visit}/encounter", json={"vitals": {"weight": weight}})
    return visit


def days_ago(days: int) -> str:
    return (clock.now().date() - timedelta(days=days)).isoformat()


def offered(caller: Caller, visit: str, words: str) -> list[dict[str, Any]]:
    return list(caller.get("medicines", params={"q": words, "visit_id": visit, "limit": 100}).json())


def test_a_newborn_is_offered_no_adult_dose(clerk: Caller, dentist: Caller, server: Background) -> None:
    visit = child(clerk, dentist, days_ago(0))
    for item in offered(dentist, visit, ""):
        assert item["dose"] == "" or item["medicine"].startswith(("Vaksin", "Zink")), item
    first = offered(dentist, visit, "parasetamol")[0]
    assert first["medicine"].startswith(("Parasetamol sirup", "Parasetamol tetes"))
    assert (first["dose"], first["basis"]) == ("", "weight_needed")


def test_what_another_patient_got_is_no_dose_for_a_child(clerk: Caller, dentist: Caller) -> None:
    adult = begun(clerk, dentist)
    tablets = {"medicine": "Parasetamol 500 mg tablet", "dose": "2 tablet", "frequency": "4x sehari"}
    assert dentist.post(f"visits/{adult}/prescriptions", json=tablets).status_code == 201
    visit = child(clerk, dentist, days_ago(3 * 365), 14)
    [shown] = [
        each for each in offered(dentist, visit, "parasetamol") if each["medicine"] == tablets["medicine"]
    ]
    assert (shown["dose"], shown["frequency"]) == ("", "")


def test_a_childs_dose_goes_by_the_days_weight_and_too_much_is_asked(clerk: Caller, dentist: Caller) -> None:
    visit = child(clerk, dentist, days_ago(4 * 365))
    syrup = {
        "medicine": "Parasetamol sirup 120 mg/5 ml",
        "dose": "15 ml",
        "frequency": "4x sehari",
        "amount": "1 botol",
    }
    assert dentist.post(f"visits/{visit}/prescriptions", json=syrup).json()["code"] == "weight_needed"
    dentist.put(f"visits/{visit}/encounter", json={"vitals": {"weight": 12}})
    [shown] = [
        each for each in offered(dentist, visit, "parasetamol") if each["medicine"] == syrup["medicine"]
    ]
    assert (shown["dose"], shown["frequency"], shown["basis"]) == ("6.5 ml", "4x sehari", "by_weight")
    much = dentist.post(f"visits/{visit}/prescriptions", json=syrup)
    assert (much.json()["code"], much.json()["details"]["checks"][0]["expected"]) == (
        "dose_too_much",
        "120-180 mg, 4x",
    )
    little = dentist.post(f"visits/{visit}/prescriptions", json={**syrup, "dose": "0.5 ml"})
    assert little.json()["code"] == "dose_too_little"
    assert (
        dentist.post(f"visits/{visit}/prescriptions", json={**syrup, "dose": shown["dose"]}).status_code
        == 201
    )


@pytest.mark.parametrize(
    ("medicine", "years"),
    [
        ("aspilet 80", 15),
        ("doksisiklin 100 mg", 7),
        ("kodein 10 mg", 11),
        ("imodium", 5),
        ("cipro 500", 17),
        ("dmp", 1),
    ],
)
def test_what_a_child_must_not_have_is_asked_about(
    clerk: Caller, dentist: Caller, medicine: str, years: int
) -> None:
    visit = child(clerk, dentist, days_ago(years * 365 + 30), 30)
    refused = dentist.post(f"visits/{visit}/prescriptions", json={"medicine": medicine})
    assert refused.json()["code"] == "contraindication"
    found, *told = refused.json()["details"]["checks"]
    assert found["source"]
    assert set(found["text"]) >= {"id", "en"}
    assert {each["code"] for each in told} <= {"breastfeeding_unknown"}, "said of a girl who may breast-feed"
    again = {"medicine": medicine, "confirmed": ["contraindication"], "dose_override": True}
    assert dentist.post(f"visits/{visit}/prescriptions", json=again).status_code == 201


@pytest.mark.parametrize(
    "medicine", ["asmef 500", "captopril 25", "doksisiklin", "simvastatin 20", "warfarin"]
)
def test_what_a_pregnant_woman_must_not_have_is_asked_about(
    clerk: Caller, dentist: Caller, medicine: str
) -> None:
    visit = begun(clerk, dentist, sex="female", birth_date="1998-03-04", pregnant=True)
    refused = dentist.post(f"visits/{visit}/prescriptions", json={"medicine": medicine})
    assert refused.json()["code"] == "contraindication"


def test_a_cream_for_the_skin_is_not_asked_about(clerk: Caller, dentist: Caller) -> None:
    visit = child(clerk, dentist, days_ago(30), 4)
    assert (
        dentist.post(
            f"visits/{visit}/prescriptions", json={"medicine": "Kloramfenikol 1% salep mata"}
        ).status_code
        == 201
    )


@pytest.mark.parametrize("substance", ["-", "?", "...", "0", "--- "])
def test_a_dash_is_neither_an_allergy_nor_that_there_is_none(
    dentist: Caller, visit: str, substance: str
) -> None:
    path = f"patients/{patient_of(dentist, visit)}/allergies"
    refused = dentist.post(path, json={"substance": substance})
    assert refused.json()["fields"] == {"substance": "required"}
    assert dentist.get(path).json()["asked"] is False


def test_what_no_list_knows_is_said_to_be_unchecked_where_nobody_is_allergic(
    dentist: Caller, visit: str
) -> None:
    given = prescribe(dentist, visit, medicine="obat xyz").json()
    assert [each["code"] for each in given["checks"]] == ["ingredient_unread"]

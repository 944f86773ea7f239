"""Results over HTTP: read, told, corrected, taken back."""

from __future__ import annotations

import pytest

from tests.people import Caller


@pytest.fixture
def visit(clerk: Caller, dentist: Caller) -> str:
    clerk.registered()
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    dentist.act(entry["id"], "start")
    return str(entry["visit_id"])


def ordered(dentist: Caller, visit: str, test: str) -> str:
    return str(dentist.post(f"visits/{visit}/orders", json={"test": test}).json()["id"])


def seen(dentist: Caller, visit: str) -> dict:
    return dentist.get(f"visits/{visit}").json()["orders"][0]


def row(dentist: Caller) -> dict:
    return dentist.get("queues/GIGI").json()["entries"][0]


def test_a_critical_result_stands_in_the_row_until_it_is_told(
    dentist: Caller, lab: Caller, visit: str
) -> None:
    order = ordered(dentist, visit, "Trombosit")
    refused = lab.post(f"orders/{order}/acknowledge", json={"told": "dr. Wulan"})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_critical")
    assert row(dentist)["critical"] == []
    resulted = lab.post(f"orders/{order}/result", json={"result": "45"}).json()
    assert (resulted["critical"], resulted["interpretation"]) == (True, "low")
    assert row(dentist)["critical"] == ["Trombosit 45"]
    told = lab.post(f"orders/{order}/acknowledge", json={"told": "drg. Maya"}).json()
    assert (told["told"], told["acknowledged_by"]) == ("drg. Maya", lab.get("accounts/me").json()["name"])
    # The first to be told stays.
    assert dentist.post(f"orders/{order}/acknowledge").json()["told"] == "drg. Maya"
    assert seen(dentist, visit)["acknowledged_at"] == told["acknowledged_at"]


def test_a_correction_says_what_it_was_by_whom_and_asks_to_be_read_again(
    dentist: Caller, lab: Caller, visit: str
) -> None:
    order = ordered(dentist, visit, "Hemoglobin")
    first = lab.post(f"orders/{order}/result", json={"result": "5,2", "expected_version": 1}).json()
    lab.post(f"orders/{order}/acknowledge", json={"told": "drg. Maya"})
    same = lab.post(f"orders/{order}/result", json={"result": "5,2"}).json()
    assert (same["version"], same["corrected_from"]) == (first["version"], None)
    corrected = lab.post(
        f"orders/{order}/result", json={"result": "6,2", "expected_version": first["version"]}
    ).json()
    assert corrected["corrected_from"] == "5,2 g/dL"
    assert corrected["corrected_by"] == corrected["resulted_by"] != ""
    assert (corrected["critical"], corrected["acknowledged_at"]) == (True, None)
    assert seen(dentist, visit)["corrected_from"] == "5,2 g/dL"


def test_the_last_writer_does_not_win_unseen(dentist: Caller, lab: Caller, visit: str) -> None:
    order = ordered(dentist, visit, "Hemoglobin")
    assert lab.post(f"orders/{order}/result", json={"result": "9", "expected_version": 1}).status_code == 200
    late = lab.post(f"orders/{order}/result", json={"result": "13", "expected_version": 1})
    assert (late.status_code, late.json()["code"]) == (409, "changed_meanwhile")
    assert seen(dentist, visit)["result"] == "9"


def test_a_result_on_the_wrong_patient_is_taken_back_with_a_reason(
    dentist: Caller, lab: Caller, clerk: Caller, visit: str
) -> None:
    order = ordered(dentist, visit, "Trombosit")
    lab.post(f"orders/{order}/result", json={"result": "45"})
    assert lab.delete(f"orders/{order}/result").json()["fields"] == {"reason": "required"}
    assert clerk.delete(f"orders/{order}/result", params={"reason": "salah"}).status_code == 403
    voided = lab.delete(f"orders/{order}/result", params={"reason": "salah pasien"}).json()
    assert (voided["status"], voided["result"], voided["critical"]) == ("active", None, False)
    kept = seen(dentist, visit)["voided"]
    assert [(item["result"], item["reason"]) for item in kept] == [("45", "salah pasien")]
    assert row(dentist)["critical"] == []
    assert lab.delete(f"orders/{order}/result", params={"reason": "lagi"}).status_code == 409
    assert [each["test"] for each in lab.get("worklists/orders").json()[0]["orders"]] == ["Trombosit"]
    again = lab.post(f"orders/{order}/result", json={"result": "210"}).json()
    assert (again["interpretation"], again["corrected_from"]) == ("normal", None)


def test_a_clinician_takes_a_result_back_too(dentist: Caller, lab: Caller, visit: str) -> None:
    order = ordered(dentist, visit, "Gula darah sewaktu")
    lab.post(f"orders/{order}/result", json={"result": "HI"})
    assert dentist.delete(f"orders/{order}/result", params={"reason": "tertukar"}).status_code == 200


@pytest.mark.parametrize(
    ("test", "typed", "read"),
    [("Gula darah sewaktu", "HI", "high"), ("Hemoglobin", "7 g/dL", "low"), ("Leukosit", "<4", "low"),
     ("Gula darah sewaktu", ">199", "high"), ("Trombosit", "menggumpal", "unread")],
)  # fmt: skip
def test_what_the_laboratory_types_is_read(
    dentist: Caller, lab: Caller, visit: str, test: str, typed: str, read: str
) -> None:
    order = ordered(dentist, visit, test)
    resulted = lab.post(f"orders/{order}/result", json={"result": typed}).json()
    assert resulted["interpretation"] == read


def test_a_unit_that_could_not_be_read_does_not_stay_for_the_correction(
    dentist: Caller, lab: Caller, visit: str
) -> None:
    order = ordered(dentist, visit, "Hemoglobin")
    assert lab.post(f"orders/{order}/result", json={"result": "12 mg"}).json()["interpretation"] == "unread"
    mended = lab.post(f"orders/{order}/result", json={"result": "6,5", "expected_version": 2}).json()
    assert (mended["unit"], mended["interpretation"], mended["critical"]) == ("g/dL", "low", True)

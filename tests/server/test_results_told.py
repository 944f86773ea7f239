"""Who was told of a critical result stands in the row; whoever relied on an earlier value is told that it changed."""

from __future__ import annotations

from typing import Any

import pytest

from server.run import Background
from tests.people import Caller


@pytest.fixture
def visit(clerk: Caller, dentist: Caller) -> str:
    clerk.registered()
    entry = dentist.post("queues/GIGI/call-next", json={}).json()
    return str(dentist.act(entry["id"], "start").json()["visit_id"])


def ordered(dentist: Caller, visit: str, test: str) -> str:
    return str(dentist.post(f"visits/{visit}/orders", json={"test": test}).json()["id"])


def resulted(lab: Caller, order: str, result: str) -> dict[str, Any]:
    answer = lab.post(f"orders/{order}/result", json={"result": result})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def row(caller: Caller) -> dict[str, Any]:
    return dict(caller.get("queues/GIGI").json()["entries"][0])


def seen(dentist: Caller, visit: str) -> dict[str, Any]:
    return dict(dentist.get(f"visits/{visit}").json()["orders"][0])


@pytest.mark.parametrize(
    ("test", "result"),
    [("Trombosit", "45"), ("Hemoglobin", "5,2"), ("Gula darah sewaktu", "HI"), ("Gula darah sewaktu", "35"),
     ("Kalium", "6,9"), ("Kalium", "2,1"), ("Trombosit", "<20"), ("Hemoglobin", "4 g/dL"), ("Kreatinin", "9"),
     ("eGFR", "8"), ("Gula darah sewaktu", "620")],
)  # fmt: skip
def test_who_was_told_and_when_stands_in_the_row(
    dentist: Caller, lab: Caller, visit: str, test: str, result: str
) -> None:
    order = ordered(dentist, visit, test)
    stored = resulted(lab, order, result)
    assert stored["critical"], stored
    assert (len(row(dentist)["critical"]), row(dentist)["told"]) == (1, [])
    told = lab.post(f"orders/{order}/acknowledge", json={"told": "drg. Maya"}).json()
    [kept] = row(dentist)["told"]
    assert (kept["told"], kept["at"]) == ("drg. Maya", told["acknowledged_at"])
    assert kept["result"] in row(dentist)["critical"]


@pytest.mark.parametrize(
    ("test", "first", "second", "shown"),
    [("Hemoglobin", "12", "6,2", "Hemoglobin 6,2 (12)"), ("Trombosit", "45", "245", "Trombosit 245 (45)"),
     ("Gula darah sewaktu", "HI", "140", "Gula darah sewaktu 140 (HI)"), ("HIV (rapid)", "reaktif", "nonreaktif", None),
     ("Leukosit", "<4", "8", "Leukosit 8 (<4)"), ("Kreatinin", "0,9", "4,2", "Kreatinin 4,2 (0,9)")],
)  # fmt: skip
def test_a_corrected_result_is_told_until_a_clinician_has_read_it(
    dentist: Caller, lab: Caller, visit: str, test: str, first: str, second: str, shown: str | None
) -> None:
    order = ordered(dentist, visit, test)
    resulted(lab, order, first)
    assert row(dentist)["corrected"] == []
    resulted(lab, order, second)
    assert shown is None or row(dentist)["corrected"] == [shown]
    assert seen(dentist, visit)["changed_unread"] is True
    lab.post(f"orders/{order}/acknowledge", json={"told": "drg. Maya"})
    assert seen(dentist, visit)["changed_unread"] is True, "the laboratory does not read for the clinician"
    known = dentist.post(f"orders/{order}/acknowledge", json={}).json()
    assert (known["changed_unread"], known["change_known_by"]) == (False, "drg. Maya Lestari")
    assert known["corrected_from"].startswith(first)
    assert row(dentist)["corrected"] == []


def test_a_result_that_was_taken_back_is_told_too(dentist: Caller, lab: Caller, visit: str) -> None:
    order = ordered(dentist, visit, "Hemoglobin")
    resulted(lab, order, "7,2")
    lab.delete(f"orders/{order}/result", params={"reason": "pasien lain"})
    assert row(dentist)["corrected"] == ["Hemoglobin - (7,2)"]
    assert dentist.post(f"orders/{order}/acknowledge", json={}).status_code == 200
    assert row(dentist)["corrected"] == []


def test_a_second_correction_is_told_again(dentist: Caller, lab: Caller, visit: str) -> None:
    order = ordered(dentist, visit, "Hemoglobin")
    for result in ("12", "11"):
        resulted(lab, order, result)
    dentist.post(f"orders/{order}/acknowledge", json={})
    resulted(lab, order, "10")
    assert row(dentist)["corrected"] == ["Hemoglobin 10 (11)"]


def test_nothing_to_read_is_nothing_to_acknowledge(dentist: Caller, lab: Caller, visit: str) -> None:
    order = ordered(dentist, visit, "Hemoglobin")
    resulted(lab, order, "13")
    assert dentist.post(f"orders/{order}/acknowledge", json={}).json()["code"] == "not_critical"


def test_findings_are_shown_only_to_who_sees_the_complaint(
    server: Background, dentist: Caller, lab: Caller, visit: str
) -> None:
    order = ordered(dentist, visit, "Trombosit")
    resulted(lab, order, "45")
    resulted(lab, order, "40")
    with Caller(server.url, "doctor") as doctor:
        other = row(doctor)
    findings = [other[name] for name in ("critical", "told", "corrected", "clashes", "chief_complaint")]
    assert findings == [[], [], [], [], ""]
    assert row(dentist)["critical"]

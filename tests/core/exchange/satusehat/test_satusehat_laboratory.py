"""An order at SATUSEHAT with its specimen, result and report: read back field by field, corrected, taken back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core.exchange import outbox
from core.exchange.satusehat import laboratory_chain
from core.exchange.satusehat.laboratory_chain import SPECIMENS, UNITS, result_value
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus
from core.foundation.database import transaction
from core.foundation.identifiers import new_id
from core.models import Encounter, Order, OrderVersion, Visit
from core.orders import laboratory_tests
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, held, known, send
from tests.server.satusehat import Satusehat, official_displays

KINDS = ("ServiceRequest", "Specimen", "Observation", "DiagnosticReport")


def visit_with(days: Days, ministry: Satusehat, test: str, **changes: Any) -> tuple[Visit, Order]:
    patient = days.patient(nik="6371019000000501", birth_date=date(1980, 5, 1), name="Siti Aminah")
    known(ministry, patient)
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"])
    Order.delete().where(Order.visit == visit.id).execute()
    ordered = visit.started_at
    values: dict[str, Any] = {
        "id": new_id(), "visit": visit, "encounter": Encounter.get(Encounter.visit == visit.id), "test": test,
        "code": laboratory_tests.tests()[test].loinc, "status": OrderStatus.COMPLETED, "ordered_at": ordered,
        "ordered_by": days.account, "resulted_at": ordered + timedelta(minutes=5), "resulted_by": days.account,
        "unit": laboratory_tests.tests()[test].unit, **changes,
    }  # fmt: skip
    return visit, Order.create(**values)


def change(order: Order, **values: Any) -> None:
    with transaction():
        Order.update(**values).where(Order.id == order.id).execute()
        outbox.enqueue("visit", order.visit_id)


def chain(ministry: Satusehat, visit: Visit) -> list[dict[str, Any]]:
    there = held(ministry)
    return [there[f"{kind}/{visit.id}-L1"] for kind in KINDS]


def test_order_specimen_result_and_report_name_each_other(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit, _ = visit_with(
        days, ministry, "Hemoglobin", result="6,5", interpretation="low", is_critical=True,
        reference_range="12-16", note="puasa",
    )  # fmt: skip
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    request, specimen, result, report = chain(ministry, visit)
    assert request["code"]["coding"][0]["display"] == "Hemoglobin [Mass/volume] in Blood"
    assert (request["status"], request["note"][0]["text"]) == ("completed", "puasa")
    assert request["requester"]["display"] == "dr. Contoh"
    assert specimen["type"]["coding"][0]["display"] == "Blood specimen"
    assert specimen["request"] == [{"reference": f"ServiceRequest/{request['id']}"}]
    assert specimen["collection"]["collectedPeriod"]["start"] == request["authoredOn"]
    assert result["valueQuantity"] == {
        "value": 6.5, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL",
    }  # fmt: skip
    assert result["interpretation"][0]["coding"][0]["display"] == "Critical low"
    assert result["referenceRange"] == [{"text": "12-16"}]
    assert result["specimen"] == {"reference": f"Specimen/{specimen['id']}"}
    assert report["result"] == [{"reference": f"Observation/{result['id']}"}]
    assert report["identifier"][0]["system"].endswith("/lab")
    summary = held(ministry)[f"Composition/{visit.id}-RESUME"]
    (section,) = [item for item in summary["section"] if item["title"] == "Hasil Pemeriksaan Penunjang"]
    assert section["entry"] == [{"reference": f"DiagnosticReport/{report['id']}"}]


@pytest.mark.parametrize(
    ("test", "result", "value"),
    [
        ("Leukosit", "9,5", {"value": 9.5, "unit": "10^3/uL", "code": "10*3/uL"}),
        ("Gula darah sewaktu", "> 600", {"value": 600, "comparator": ">", "unit": "mg/dL", "code": "mg/dL"}),
        ("Protein urin", "+1", "+1"),
        ("Tes kehamilan", "positif", "positif"),
    ],
)
def test_a_number_goes_in_ucum_and_the_rest_in_words(
    clinic: Clinic, days: Days, ministry: Satusehat, test: str, result: str, value: Any
) -> None:
    visit, _ = visit_with(days, ministry, test, result=result)
    assert send(clinic).refused == 0
    found = chain(ministry, visit)[2]
    if isinstance(value, str):
        assert found["valueString"] == value
    else:
        assert found["valueQuantity"] == value | {"system": "http://unitsofmeasure.org"}


def test_every_listed_test_has_a_unit_of_ucum_and_a_specimen_that_its_name_says() -> None:
    names = {
        code: text for (system, code), text in official_displays().items() if system == "http://loinc.org"
    }
    for test in laboratory_tests.tests().values():
        if test.unit:
            assert test.unit in UNITS
            assert "valueQuantity" in result_value("5", test.unit)
        if test.loinc in names and " in Urine" in names[test.loinc]:
            assert SPECIMENS[test.loinc] == "122575003"
        if test.loinc in names and names[test.loinc].find("in Serum or Plasma") >= 0:
            assert SPECIMENS[test.loinc] == "119364003"
    assert result_value("5", "butir") == {"valueString": "5 butir"}


def test_an_open_order_goes_alone_and_one_without_a_code_stays(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit, order = visit_with(days, ministry, "Hemoglobin", status=OrderStatus.ACTIVE)
    Order.create(
        id=new_id(), visit=visit, encounter=order.encounter_id, test="Widal", status=OrderStatus.ACTIVE,
        ordered_at=order.ordered_at, ordered_by=days.account,
    )  # fmt: skip
    assert send(clinic).refused == 0
    assert [len(ministry.of(kind)) for kind in ("ServiceRequest", "Specimen", "DiagnosticReport")] == [
        1,
        0,
        0,
    ]
    assert ministry.of("ServiceRequest")[0]["status"] == "active"


def test_a_correction_and_a_result_of_another_patient_travel(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit, order = visit_with(days, ministry, "Hemoglobin", result="12,5")
    assert send(clinic).refused == 0
    kept = {
        "order": order,
        "version": 1,
        "data": {},
        "changed_at": visit.ended_at,
        "changed_by": days.account,
    }
    OrderVersion.create(**kept)
    change(order, result="13,5", version=2)
    assert send(clinic).refused == 0
    _, specimen, result, report = chain(ministry, visit)
    assert (result["valueQuantity"]["value"], result["status"], report["status"]) == (
        13.5,
        "corrected",
        "corrected",
    )
    change(order, result=None, resulted_at=None, status=OrderStatus.ACTIVE)
    assert send(clinic).refused == 0
    request, specimen, result, report = chain(ministry, visit)
    assert [item["status"] for item in (specimen, result, report)] == ["entered-in-error"] * 3
    assert request["status"] == "active"
    assert "valueQuantity" not in result


def test_the_order_of_a_voided_visit_is_taken_back_whole(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit, _ = visit_with(days, ministry, "Hemoglobin", result="12,5")
    assert send(clinic).refused == 0
    with transaction():
        Visit.update(voided_at=visit.ended_at).where(Visit.id == visit.id).execute()
        outbox.enqueue("visit", visit.id)
    assert send(clinic).refused == 0
    assert {item["status"] for item in chain(ministry, visit)} == {"entered-in-error"}
    assert held(ministry)[f"Composition/{visit.id}-RESUME"]["status"] == "entered-in-error"


def test_urea_that_was_ordered_by_the_code_for_moles_goes_by_the_one_for_grams() -> None:
    assert {"22664-7": laboratory_tests.tests()["Ureum"].loinc} == laboratory_chain.RENAMED

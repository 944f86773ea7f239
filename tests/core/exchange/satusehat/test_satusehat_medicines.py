"""Medicines at SATUSEHAT: product, prescription and handing out, with KFA's codes, and only where they are certain."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.exchange import outbox
from core.exchange.satusehat import official_displays
from core.exchange.satusehat.kfa_products import KfaProducts, form_of, strengths
from core.foundation.clinic import Clinic
from core.foundation.codes import CompoundMake, OrderStatus
from core.foundation.database import transaction
from core.foundation.identifiers import new_id
from core.models import Encounter, MedicineCode, Outbox, Prescription, Visit
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, held, known, send
from tests.server.satusehat import Satusehat

# The shape of KFA's own rows; codes and brands are made up.
PRODUCTS = (
    ("92900001", "Paracetamol 500 mg Tablet", "", ["parasetamol"], "Tablet", "BS066"),
    ("93900001", "Paracetamol 500 mg Tablet", "PANASTOP", ["parasetamol"], "Tablet", "BS066"),
    ("93900002", "Paracetamol 500 mg Tablet", "DEMAMIN", ["parasetamol"], "Tablet", "BS066"),
    ("93900003", "Paracetamol 120 mg/5 mL Sirup", "SIRUPANAS", ["parasetamol"], "Sirup", "BS055"),
    ("93900004", "Amlodipine Besylate 5 mg Tablet", "TENSILOWA", ["amlodipin"], "Tablet", "BS066"),
)


@pytest.fixture(autouse=True)
def kfa(days: Days, ministry: Satusehat) -> None:
    for code, name, brand, ingredients, form, form_code in PRODUCTS:
        MedicineCode.create(
            code=code, name=name, brand=brand, ingredients=ingredients, form=form, form_code=form_code
        )
        ministry.products[code] = f"{name} ({brand})" if brand else name


def visit_with(days: Days, ministry: Satusehat, *medicines: str, **changes: Any) -> Visit:
    patient = days.patient(nik="6371019000000601", birth_date=date(1980, 5, 1), name="Siti Aminah")
    known(ministry, patient)
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"])
    Prescription.delete().where(Prescription.visit == visit.id).execute()
    for medicine in medicines:
        values: dict[str, Any] = {
            "id": new_id(), "visit": visit, "encounter": Encounter.get(Encounter.visit == visit.id),
            "medicine": medicine, "dose": "1 tablet", "frequency": "3x sehari", "amount": "10 tablet",
            "instructions": "sesudah makan", "status": OrderStatus.COMPLETED, "prescribed_at": visit.started_at,
            "prescribed_by": days.account, "dispensed_at": visit.ended_at, "dispensed_by": days.account, **changes,
        }  # fmt: skip
        Prescription.create(**values)
    return visit


def kinds(ministry: Satusehat) -> list[int]:
    return [len(ministry.of(kind)) for kind in ("Medication", "MedicationRequest", "MedicationDispense")]


def test_product_prescription_and_handing_out_are_read_back(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit = visit_with(
        days, ministry, "Amlodipin 5 mg tablet", dispensed_amount="8 tablet", dispense_note="habis"
    )
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    there = held(ministry)
    medication = there[f"Medication/{visit.id}-R1"]
    assert medication["code"]["coding"] == [
        {
            "system": "http://sys-ids.kemkes.go.id/kfa",
            "code": "93900004",
            "display": "Amlodipine Besylate 5 mg Tablet (TENSILOWA)",
        }
    ]
    assert medication["form"]["coding"][0]["display"] == "Tablet"
    assert medication["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "NC"
    request = there[f"MedicationRequest/{visit.id}-R1"]
    assert [item["value"] for item in request["identifier"]] == [f"{visit.id}-R1", f"{visit.id}-R1-1"]
    assert request["status"] == "completed"
    assert request["medicationReference"]["reference"] == f"Medication/{medication['id']}"
    (dosage,) = request["dosageInstruction"]
    assert dosage["text"] == "1 tablet 3x sehari sesudah makan"
    assert dosage["timing"]["repeat"] == {"frequency": 3, "period": 1, "periodUnit": "d"}
    assert dosage["route"]["coding"][0]["display"] == "Oral"
    tablets = {
        "unit": "tablet", "system": "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm", "code": "TAB",
    }  # fmt: skip
    assert dosage["doseAndRate"] == [{"doseQuantity": {"value": 1, **tablets}}]
    assert request["dispenseRequest"]["quantity"] == {"value": 10, **tablets}
    dispense = there[f"MedicationDispense/{visit.id}-R1"]
    assert dispense["quantity"] == {"value": 8, **tablets}
    assert dispense["authorizingPrescription"] == [{"reference": f"MedicationRequest/{request['id']}"}]
    assert dispense["note"] == [{"text": "habis"}]
    assert dispense["performer"][0]["actor"]["display"] == "dr. Contoh"


@pytest.mark.parametrize(
    ("medicine", "prescribed", "dispensed"),
    [
        ("Parasetamol 500 mg tablet", "92900001", None),  # which of the two brands, nobody wrote down
        ("Paracetamol 500 mg tablet (Panastop)", "93900001", "93900001"),
        ("Parasetamol sirup 120 mg/5 ml", "93900003", "93900003"),
        ("Amlodipin 10 mg tablet", None, None),
        ("Parasetamol 500 mg", None, None),
        ("Parasetamol tablet", None, None),
        ("Obat batuk hitam", None, None),
        ("Parasetmol 500 mg tablet", None, None),  # one slip away is a guess
    ],
)
def test_a_product_is_meant_only_where_it_can_be_no_other(
    clinic: Clinic, days: Days, medicine: str, prescribed: str | None, dispensed: str | None
) -> None:
    found = KfaProducts().match(medicine)
    assert (found.prescribed and found.prescribed.code, found.dispensed and found.dispensed.code) == (
        prescribed,
        dispensed,
    )


def test_strengths_and_forms_are_read_alike_on_both_sides() -> None:
    assert strengths("120 mg/5 ml") == strengths("Paracetamol 0,12 g/5 mL") == ((5.0, "ml"), (120.0, "mg"))
    assert form_of("Tablet Salut Selaput") == form_of("kaplet") == "tablet"
    assert form_of("tablet atau kapsul") is None


def test_what_was_handed_out_without_a_brand_goes_as_prescribed_alone(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit_with(days, ministry, "Parasetamol 500 mg tablet")
    assert send(clinic).refused == 0
    assert kinds(ministry) == [1, 1, 0]


def test_a_medicine_without_a_product_stays_is_named_and_goes_after_an_import(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit_with(days, ministry, "Captopril 25 mg tablet", "Amlodipin 5 mg tablet")
    assert send(clinic).refused == 0
    assert kinds(ministry) == [1, 1, 1]
    assert official_displays.codes_without_display() == {"kfa Captopril 25 mg tablet": 1}
    MedicineCode.create(
        code="93900009",
        name="Captopril 25 mg Tablet",
        brand="TENSIKAP",
        ingredients=["kaptopril"],
        form="Tablet",
    )
    ministry.products["93900009"] = "Captopril 25 mg Tablet (TENSIKAP)"
    assert official_displays.send_medicines_again() == 1
    assert send(clinic).refused == 0
    assert kinds(ministry) == [2, 2, 2]
    assert official_displays.codes_without_display() == {}


def test_a_compounded_medicine_stays(clinic: Clinic, days: Days, ministry: Satusehat) -> None:
    visit_with(days, ministry, "Amlodipin 5 mg tablet", papers=10, make=CompoundMake.PAPERS)
    assert send(clinic).refused == 0
    assert kinds(ministry) == [0, 0, 0]


def test_a_revoked_prescription_and_a_voided_visit_travel(
    clinic: Clinic, days: Days, ministry: Satusehat
) -> None:
    visit = visit_with(
        days,
        ministry,
        "Amlodipin 5 mg tablet",
        status=OrderStatus.ACTIVE,
        dispensed_at=None,
        dispensed_by=None,
    )
    assert send(clinic).refused == 0
    assert ministry.of("MedicationRequest")[0]["status"] == "active"
    with transaction():
        Prescription.update(status=OrderStatus.REVOKED).execute()
        outbox.enqueue("visit", visit.id)
    assert send(clinic).refused == 0
    assert ministry.of("MedicationRequest")[0]["status"] == "cancelled"
    with transaction():
        Visit.update(voided_at=visit.ended_at).where(Visit.id == visit.id).execute()
        outbox.enqueue("visit", visit.id)
    assert send(clinic).refused == 0
    assert ministry.of("MedicationRequest")[0]["status"] == "entered-in-error"
    assert Outbox.select().where(Outbox.error.is_null(False)).count() == 0

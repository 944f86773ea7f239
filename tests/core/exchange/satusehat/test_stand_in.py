"""The stand-in itself: it takes what a full visit makes, and refuses each way in which that can be wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus
from core.foundation.identifiers import new_id
from core.models import Encounter, MedicineCode, Order, Prescription, Procedure
from tests.core.days import Days
from tests.core.exchange.satusehat.sending import DAY, held, known, send
from tests.server.satusehat import Refusal, Satusehat

Resource = dict[str, Any]
WRONG: dict[str, tuple[str, str, Callable[[Resource], object]]] = {
    "a display of our own": ("Observation/UMUM-8310-5", "10001", lambda it: it["code"]["coding"][0].update(display="Temperature")),
    "no display": ("Condition/I10", "10001", lambda it: it["code"]["coding"][0].pop("display")),
    "another list's code": ("Procedure/T1", "10001", lambda it: it["code"]["coding"][0].update(code="99.999")),
    "an unknown list": ("Procedure/T1", "10002", lambda it: it["code"]["coding"][0].update(system="urn:own")),
    "no body site": ("Observation/UMUM-8480-6", "10105", lambda it: it.pop("bodySite")),
    "no interpretation of a pressure": ("Observation/UMUM-8480-6", "10105", lambda it: it.pop("interpretation")),
    "another unit": ("Observation/UMUM-8310-5", "10001", lambda it: it["valueQuantity"].update(code="kg")),
    "a unit that is none": ("Observation/L1", "10349", lambda it: it["valueQuantity"].update(code="butir")),
    "a quantity without its system": ("Observation/L1", "10050", lambda it: it["valueQuantity"].pop("system")),
    "a number as text": ("Observation/L1", "10254", lambda it: it["valueQuantity"].update(value="12")),
    "a result without its specimen": ("Observation/L1", "10105", lambda it: it.pop("specimen")),
    "two values": ("Observation/L1", "10105", lambda it: it.update(valueString="x")),
    "a report without results": ("DiagnosticReport/L1", "10105", lambda it: it.update(result=[])),
    "a specimen without its order": ("Specimen/L1", "10105", lambda it: it.pop("request")),
    "a reference to nothing": ("DiagnosticReport/L1", "10124", lambda it: it["result"][0].update(reference="Observation/none")),
    "a substance for a product": ("Medication/R1", "10001", lambda it: it["code"]["coding"][0].update(code="91000001")),
    "a medicine in words": ("Medication/R1", "10105", lambda it: it.pop("code")),
    "no medicine type": ("Medication/R1", "10105", lambda it: it.pop("extension")),
    "one number of a prescription": ("MedicationRequest/R1", "10389", lambda it: it["identifier"].pop()),
    "a handing out without a prescription": ("MedicationDispense/R1", "10105", lambda it: it.pop("authorizingPrescription")),
    "a handed out medicine in words": ("MedicationDispense/R1", "10138", lambda it: it.update(medicationReference={"display": "x"})),
    "a prognosis of no list": ("ClinicalImpression/UMUM-P", "10001",
        lambda it: it["prognosisCodeableConcept"][0]["coding"][0].update(code="38266002", display="Entire body as a whole")),
    "a consciousness of no list": ("Observation/UMUM-67775-7", "10001",
        lambda it: it["valueCodeableConcept"]["coding"][0].update(code="38266002", display="Entire body as a whole")),
    "an empty section": ("Composition/RESUME", "10105", lambda it: it["section"].append({"title": "x"})),
    "no custodian": ("Composition/RESUME", "10105", lambda it: it.pop("custodian")),
    "a complaint as ICD-10": ("Condition/I10", "10002",
        lambda it: it["category"][0]["coding"][0].update(code="problem-list-item", display="Problem List Item")),
    "a place without its class": ("Encounter/", "10263", lambda it: it["location"][0].pop("extension")),
    "no end": ("Encounter/", "10263", lambda it: it["period"].pop("end")),
    "no diagnosis": ("Encounter/", "10457", lambda it: it.pop("diagnosis")),
    "statuses with a gap": ("Encounter/", "10457", lambda it: it["statusHistory"].pop(1)),
    "another facility's number": ("Condition/I10", "10117",
        lambda it: it["identifier"][0].update(system="http://sys-ids.kemkes.go.id/condition/999")),
    "an empty text": ("Composition/RESUME", "10134", lambda it: it.update(title="")),
    "a time without offset": ("Observation/L1", "10132", lambda it: it.update(effectiveDateTime="2026-03-02T08:00:00")),
    "a time to come": ("Observation/L1", "10132", lambda it: it.update(effectiveDateTime="2030-03-02T08:00:00+00:00")),
}  # fmt: skip
"""Mistake -> the resource (type, end of its identifier), the rule's number, and the change."""


@pytest.fixture
def there(clinic: Clinic, days: Days, ministry: Satusehat) -> dict[str, Resource]:
    """A visit with one of everything, as it was taken; by type and the end of the identifier."""
    MedicineCode.create(
        code="93900004", name="Amlodipine Besylate 5 mg Tablet", brand="TENSILOWA", ingredients=["amlodipin"],
        form="Tablet", form_code="BS066",
    )  # fmt: skip
    ministry.products["93900004"] = "Amlodipine Besylate 5 mg Tablet (TENSILOWA)"
    ministry.products["91000001"] = "Amlodipine"
    patient = days.patient(nik="6371019000000901", birth_date=date(1980, 5, 1))
    known(ministry, patient)
    visit = days.visit(DAY, patient, cluster="UMUM", codes=["I10"])
    for table in (Prescription, Order):
        table.delete().execute()
    contact, at, by = Encounter.get(Encounter.visit == visit.id), visit.started_at, days.account
    Encounter.update(form={"bpjs": {"consciousness": "01", "prognosis": "02"}}).execute()
    shared = {"visit": visit, "encounter": contact}
    Prescription.create(
        id=new_id(), medicine="Amlodipin 5 mg tablet", dose="1 tablet", frequency="1x sehari", amount="10 tablet",
        status=OrderStatus.COMPLETED, prescribed_at=at, prescribed_by=by, dispensed_at=at, dispensed_by=by, **shared,
    )  # fmt: skip
    Order.create(
        id=new_id(), test="Hemoglobin", code="718-7", status=OrderStatus.COMPLETED, ordered_at=at, ordered_by=by,
        result="12,5", unit="g/dL", resulted_at=at + timedelta(minutes=1), resulted_by=by, **shared,
    )  # fmt: skip
    Procedure.create(id=new_id(), code="23.09", title="x", performed_at=at, performed_by=by, **shared)
    outcome = send(clinic)
    assert (outcome.error, outcome.refused) == (None, 0)
    return {
        key.replace(f"{visit.id}-", "").replace(visit.id, ""): item for key, item in held(ministry).items()
    }


def test_what_was_taken_is_taken_again_unchanged(there: dict[str, Resource], ministry: Satusehat) -> None:
    for resource in there.values():
        ministry._check(resource["resourceType"], resource, set())
    assert {place for place, _, _ in WRONG.values()} <= set(there)


def test_each_mistake_is_refused_with_its_rule(there: dict[str, Resource], ministry: Satusehat) -> None:
    told = {}
    for mistake, (place, rule, change) in WRONG.items():
        wrong = copy.deepcopy(there[place])
        change(wrong)
        with pytest.raises(Refusal) as refused:
            ministry._check(wrong["resourceType"], wrong, set())
        told[mistake] = (rule, f"RuleNumber: {rule}" in str(refused.value.body))
    assert [mistake for mistake, (_, is_said) in told.items() if not is_said] == []

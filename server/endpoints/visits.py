"""Visits and what clinicians, laboratory and pharmacy write into them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from core import encounters
from core.schemas import (
    AddendumFields,
    DiagnosisCodeShape,
    DiagnosisFields,
    DiagnosisShape,
    DraftFields,
    DraftShape,
    EncounterFields,
    EncounterShape,
    Line,
    OrderFields,
    OrderResult,
    OrderShape,
    PrescriptionFields,
    PrescriptionShape,
    VisitShape,
)
from core.vitals import VITALS
from server.security import ActorNow, ClinicNow

router = APIRouter(tags=["records"])
Reason = Annotated[Line, Query(max_length=200)]


@router.get("/visits/{visit_id}")
def read(visit_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = "") -> VisitShape:
    """A visit with its record; outside one's own queue a reason is asked for."""
    return encounters.read_visit(clinic, actor, visit_id, reason)


@router.put("/visits/{visit_id}/encounter")
def write_encounter(
    visit_id: str, body: EncounterFields, actor: ActorNow, clinic: ClinicNow
) -> EncounterShape:
    """Write or correct the SOAP note of one's own cluster."""
    return encounters.write_encounter(clinic, actor, visit_id, body)


@router.post("/visits/{visit_id}/addenda", status_code=201)
def add_addendum(visit_id: str, body: AddendumFields, actor: ActorNow, clinic: ClinicNow) -> EncounterShape:
    """Add a note to a record, locked or not."""
    return encounters.add_addendum(clinic, actor, visit_id, body.text)


@router.post("/visits/{visit_id}/diagnoses", status_code=201)
def add_diagnosis(visit_id: str, body: DiagnosisFields, actor: ActorNow, clinic: ClinicNow) -> DiagnosisShape:
    """Record one ICD-10 diagnosis."""
    return encounters.add_diagnosis(clinic, actor, visit_id, body)


@router.delete("/visits/{visit_id}/diagnoses/{diagnosis_id}", status_code=204)
def void_diagnosis(visit_id: str, diagnosis_id: str, actor: ActorNow, reason: Reason = "") -> Response:
    """Strike a diagnosis out, with a reason."""
    encounters.void_diagnosis(actor, visit_id, diagnosis_id, reason)
    return Response(status_code=204)


@router.post("/visits/{visit_id}/prescriptions", status_code=201)
def prescribe(
    visit_id: str, body: PrescriptionFields, actor: ActorNow, clinic: ClinicNow
) -> PrescriptionShape:
    """Prescribe one medicine."""
    return encounters.prescribe(clinic, actor, visit_id, body)


@router.post("/visits/{visit_id}/orders", status_code=201)
def order(visit_id: str, body: OrderFields, actor: ActorNow, clinic: ClinicNow) -> OrderShape:
    """Order one laboratory test."""
    return encounters.order(clinic, actor, visit_id, body)


@router.post("/orders/{order_id}/result")
def enter_result(order_id: str, body: OrderResult, actor: ActorNow, clinic: ClinicNow) -> OrderShape:
    """Enter a laboratory result."""
    return encounters.enter_result(clinic, actor, order_id, body)


@router.post("/prescriptions/{prescription_id}/dispense")
def dispense(prescription_id: str, actor: ActorNow, clinic: ClinicNow) -> PrescriptionShape:
    """Hand a prescribed medicine out."""
    return encounters.dispense(clinic, actor, prescription_id)


@router.get("/worklists/{kind}")
def worklist(
    kind: Literal["orders", "prescriptions"], actor: ActorNow, clinic: ClinicNow
) -> list[dict[str, Any]]:
    """What the laboratory or the pharmacy has to do, oldest first."""
    return encounters.worklist(clinic, actor, kind)


@router.get("/diagnoses")
def find_diagnoses(
    actor: ActorNow,
    q: Annotated[Line, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[DiagnosisCodeShape]:
    """ICD-10 by code or words."""
    return encounters.find_diagnoses(q, limit)


@router.get("/vitals")
def vitals_table(actor: ActorNow) -> list[dict[str, Any]]:
    """The vital signs of the form, with units and limits."""
    return [
        {
            "name": vital.name,
            "label": vital.label,
            "unit": vital.unit,
            "hard_low": vital.hard_low,
            "hard_high": vital.hard_high,
            "soft": [
                {"under_days": limits.under_days, "low": limits.low, "high": limits.high}
                for limits in vital.soft
            ],
        }
        for vital in VITALS.values()
    ]


@router.get("/drafts/{key}")
def read_draft(key: str, actor: ActorNow) -> DraftShape:
    """One's own half-typed form."""
    return encounters.read_draft(actor, key[:80])


@router.put("/drafts/{key}", status_code=204)
def save_draft(key: str, body: DraftFields, actor: ActorNow) -> Response:
    """Keep a half-typed form."""
    encounters.save_draft(actor, key[:80], body.data)
    return Response(status_code=204)


@router.delete("/drafts/{key}", status_code=204)
def drop_draft(key: str, actor: ActorNow) -> Response:
    """Forget a half-typed form."""
    encounters.drop_draft(actor, key[:80])
    return Response(status_code=204)

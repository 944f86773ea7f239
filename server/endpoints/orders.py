"""Diagnoses, procedures, prescriptions and laboratory tests of a visit, and the worklists."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from core.orders import diagnoses, immunisations, laboratory, prescribing, procedures, worklists
from core.schemas.base import Line
from core.schemas.record import (
    Acknowledgement,
    DiagnosisFields,
    DiagnosisOut,
    DispenseFields,
    ImmunisationFields,
    ImmunisationOut,
    OrderFields,
    OrderOut,
    OrderResult,
    PrescriptionFields,
    PrescriptionOut,
    ProcedureFields,
    ProcedureOut,
    ReasonFields,
    WorkItem,
)
from server.resources import resource
from server.security import ActorNow, ClinicNow, ReasonNow

router = resource("orders")
Reason = Annotated[Line, Query(max_length=200)]


@router.post("/visits/{visit_id}/diagnoses", status_code=201)
def add_diagnosis(visit_id: str, body: DiagnosisFields, actor: ActorNow, clinic: ClinicNow) -> DiagnosisOut:
    """Record one ICD-10 diagnosis."""
    return diagnoses.add(clinic, actor, visit_id, body)


@router.delete("/visits/{visit_id}/diagnoses/{diagnosis_id}", status_code=204)
def void_diagnosis(
    visit_id: str, diagnosis_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = ""
) -> Response:
    """Strike a diagnosis out, with a reason."""
    diagnoses.void(clinic, actor, visit_id, diagnosis_id, reason)
    return Response(status_code=204)


@router.post("/visits/{visit_id}/procedures", status_code=201)
def add_procedure(visit_id: str, body: ProcedureFields, actor: ActorNow, clinic: ClinicNow) -> ProcedureOut:
    """Record one procedure that was done."""
    return procedures.add(clinic, actor, visit_id, body)


@router.delete("/visits/{visit_id}/procedures/{procedure_id}", status_code=204)
def void_procedure(
    visit_id: str, procedure_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = ""
) -> Response:
    """Strike a procedure out, with a reason."""
    procedures.void(clinic, actor, visit_id, procedure_id, reason)
    return Response(status_code=204)


@router.post("/visits/{visit_id}/immunisations", status_code=201)
def add_immunisation(
    visit_id: str, body: ImmunisationFields, actor: ActorNow, clinic: ClinicNow
) -> ImmunisationOut:
    """Record one vaccine that was given."""
    return immunisations.add(clinic, actor, visit_id, body)


@router.delete("/visits/{visit_id}/immunisations/{immunisation_id}", status_code=204)
def void_immunisation(
    visit_id: str, immunisation_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = ""
) -> Response:
    """Strike a vaccine out, with a reason."""
    immunisations.void(clinic, actor, visit_id, immunisation_id, reason)
    return Response(status_code=204)


@router.post("/visits/{visit_id}/prescriptions", status_code=201)
def prescribe(visit_id: str, body: PrescriptionFields, actor: ActorNow, clinic: ClinicNow) -> PrescriptionOut:
    """Prescribe one medicine."""
    return prescribing.prescribe(clinic, actor, visit_id, body)


@router.put("/prescriptions/{prescription_id}")
def change_prescription(
    prescription_id: str, body: PrescriptionFields, actor: ActorNow, clinic: ClinicNow
) -> PrescriptionOut:
    """Replace a prescription that was not dispensed yet; the answer is the new one.

    Args:
        prescription_id: The prescription that is replaced; it stays in the record, revoked.
        body: The whole new prescription.
        actor: The clinician.
        clinic: The clinic.
    """
    return prescribing.change(clinic, actor, prescription_id, body)


@router.post("/prescriptions/{prescription_id}/acknowledge")
def know_of_clash(
    prescription_id: str, actor: ActorNow, clinic: ClinicNow, body: ReasonFields | None = None
) -> PrescriptionOut:
    """Record that the actor has read of an allergy that became known after it was prescribed.

    Args:
        prescription_id: The prescription.
        actor: The clinician, or the pharmacy.
        clinic: The clinic.
        body: Why, outside one's own queue.
    """
    return prescribing.know_of_clash(clinic, actor, prescription_id, body or ReasonFields())


@router.delete("/prescriptions/{prescription_id}")
def revoke_prescription(
    prescription_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = ""
) -> PrescriptionOut:
    """Revoke a prescription that was not dispensed yet."""
    return prescribing.revoke(clinic, actor, prescription_id, reason)


@router.post("/prescriptions/{prescription_id}/dispense")
def dispense(
    prescription_id: str, actor: ActorNow, clinic: ClinicNow, body: DispenseFields | None = None
) -> PrescriptionOut:
    """Dispense a prescribed medicine."""
    return prescribing.dispense(clinic, actor, prescription_id, body or DispenseFields())


@router.post("/visits/{visit_id}/orders", status_code=201)
def order(visit_id: str, body: OrderFields, actor: ActorNow, clinic: ClinicNow) -> OrderOut:
    """Order one laboratory test."""
    return laboratory.order(clinic, actor, visit_id, body)


@router.delete("/orders/{order_id}")
def revoke_order(order_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = "") -> OrderOut:
    """Revoke an order that has no result yet."""
    return laboratory.revoke(clinic, actor, order_id, reason)


@router.post("/orders/{order_id}/result")
def enter_result(order_id: str, body: OrderResult, actor: ActorNow, clinic: ClinicNow) -> OrderOut:
    """Enter a laboratory result."""
    return laboratory.enter_result(clinic, actor, order_id, body)


@router.delete("/orders/{order_id}/result")
def void_result(
    order_id: str,
    actor: ActorNow,
    clinic: ClinicNow,
    reason: Reason = "",
    expected_version: int | None = None,
) -> OrderOut:
    """Take a result back that is not this patient's, with a reason.

    Args:
        order_id: The order.
        actor: The laboratory, or a clinician.
        clinic: The clinic.
        reason: In words.
        expected_version: Version of the order as it was seen.
    """
    return laboratory.void_result(clinic, actor, order_id, reason, expected_version)


@router.post("/orders/{order_id}/acknowledge")
def acknowledge(
    order_id: str, actor: ActorNow, clinic: ClinicNow, body: Acknowledgement | None = None
) -> OrderOut:
    """Record who was told of a critical result.

    Args:
        order_id: The order.
        actor: The laboratory, or a clinician.
        clinic: The clinic.
        body: Who was told; without it the actor.
    """
    return laboratory.acknowledge(clinic, actor, order_id, body or Acknowledgement())


@router.get("/worklists/{kind}")
def worklist(kind: worklists.Kind, actor: ActorNow, clinic: ClinicNow) -> list[WorkItem]:
    """Return the open work of the laboratory or the pharmacy, oldest first."""
    return worklists.worklist(clinic, actor, kind)


@router.get("/worklists/{kind}/{visit_id}")
def work_of(
    kind: worklists.Kind, visit_id: str, actor: ActorNow, clinic: ClinicNow, reason: ReasonNow
) -> WorkItem:
    """Return the work of one visit in the laboratory or the pharmacy; long after it was done, for a reason."""
    return worklists.work_of(clinic, actor, kind, visit_id, reason)

"""Visits and what clinicians, laboratory and pharmacy write into them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from core import (
    diagnoses,
    drafts,
    encounters,
    lab_tests,
    laboratory,
    letters,
    prescribing,
    procedures,
    worklists,
)
from core.forms import Form, LetterKind
from core.schemas.base import Line
from core.schemas.record import (
    AddendumFields,
    CodeShape,
    DiagnosisFields,
    DiagnosisShape,
    DispenseFields,
    EncounterFields,
    EncounterShape,
    LabTestShape,
    LetterFields,
    LetterShape,
    MedicineShape,
    OrderFields,
    OrderResult,
    OrderShape,
    PrescriptionFields,
    PrescriptionShape,
    ProcedureFields,
    ProcedureShape,
    VisitShape,
    WorkItem,
)
from core.schemas.registration import DraftFields, DraftShape
from core.vitals import VITALS
from core.vocabulary import Permission
from server.security import ActorNow, ClinicNow, LanguageNow

router = APIRouter(tags=["records"])
Reason = Annotated[Line, Query(max_length=200)]
Words = Annotated[Line, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=100)]
DraftKey = Annotated[str, Path(max_length=80)]


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
    return diagnoses.add(clinic, actor, visit_id, body)


@router.delete("/visits/{visit_id}/diagnoses/{diagnosis_id}", status_code=204)
def void_diagnosis(
    visit_id: str, diagnosis_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = ""
) -> Response:
    """Strike a diagnosis out, with a reason."""
    diagnoses.void(clinic, actor, visit_id, diagnosis_id, reason)
    return Response(status_code=204)


@router.post("/visits/{visit_id}/procedures", status_code=201)
def add_procedure(visit_id: str, body: ProcedureFields, actor: ActorNow, clinic: ClinicNow) -> ProcedureShape:
    """Record something that was done."""
    return procedures.add(clinic, actor, visit_id, body)


@router.delete("/visits/{visit_id}/procedures/{procedure_id}", status_code=204)
def void_procedure(
    visit_id: str, procedure_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = ""
) -> Response:
    """Strike a procedure out, with a reason."""
    procedures.void(clinic, actor, visit_id, procedure_id, reason)
    return Response(status_code=204)


@router.post("/visits/{visit_id}/prescriptions", status_code=201)
def prescribe(
    visit_id: str, body: PrescriptionFields, actor: ActorNow, clinic: ClinicNow
) -> PrescriptionShape:
    """Prescribe one medicine."""
    return prescribing.prescribe(clinic, actor, visit_id, body)


@router.delete("/prescriptions/{prescription_id}")
def revoke_prescription(
    prescription_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = ""
) -> PrescriptionShape:
    """Take a prescription back that was not handed out yet."""
    return prescribing.revoke(clinic, actor, prescription_id, reason)


@router.post("/prescriptions/{prescription_id}/dispense")
def dispense(
    prescription_id: str, actor: ActorNow, clinic: ClinicNow, body: DispenseFields | None = None
) -> PrescriptionShape:
    """Hand a prescribed medicine out."""
    return prescribing.dispense(clinic, actor, prescription_id, body or DispenseFields())


@router.post("/visits/{visit_id}/orders", status_code=201)
def order(visit_id: str, body: OrderFields, actor: ActorNow, clinic: ClinicNow) -> OrderShape:
    """Order one laboratory test."""
    return laboratory.order(clinic, actor, visit_id, body)


@router.delete("/orders/{order_id}")
def revoke_order(order_id: str, actor: ActorNow, clinic: ClinicNow, reason: Reason = "") -> OrderShape:
    """Take an order back that has no result yet."""
    return laboratory.revoke(clinic, actor, order_id, reason)


@router.post("/orders/{order_id}/result")
def enter_result(order_id: str, body: OrderResult, actor: ActorNow, clinic: ClinicNow) -> OrderShape:
    """Enter a laboratory result."""
    return laboratory.enter_result(clinic, actor, order_id, body)


@router.get("/letters")
def letter_kinds(actor: ActorNow) -> list[LetterKind]:
    """The certificates and letters that can be issued, and what each asks for."""
    actor.require(Permission.READ_RECORDS)
    return list(letters.kinds().values())


@router.post("/visits/{visit_id}/letters", status_code=201)
def issue_letter(visit_id: str, body: LetterFields, actor: ActorNow, clinic: ClinicNow) -> LetterShape:
    """Issue a certificate or a referral."""
    return letters.issue(clinic, actor, visit_id, body)


@router.get("/worklists/{kind}")
def worklist(kind: worklists.Kind, actor: ActorNow, clinic: ClinicNow) -> list[WorkItem]:
    """What the laboratory or the pharmacy has to do, oldest first."""
    return worklists.worklist(clinic, actor, kind)


@router.get("/worklists/{kind}/{visit_id}")
def work_of(kind: worklists.Kind, visit_id: str, actor: ActorNow, clinic: ClinicNow) -> WorkItem:
    """What one visit has in the laboratory or the pharmacy."""
    return worklists.work_of(clinic, actor, kind, visit_id)


@router.get("/diagnoses")
def find_diagnoses(
    actor: ActorNow, language: LanguageNow, q: Words = "", limit: Limit = 20
) -> list[CodeShape]:
    """ICD-10 by code or words."""
    return diagnoses.find(q, limit, language, actor.clusters)


@router.get("/procedures")
def find_procedures(
    actor: ActorNow, language: LanguageNow, q: Words = "", limit: Limit = 20
) -> list[CodeShape]:
    """Procedures by code or words."""
    return procedures.find(q, limit, language)


@router.get("/medicines")
def find_medicines(actor: ActorNow, q: Words = "", limit: Limit = 12) -> list[MedicineShape]:
    """Medicines by words, as usually prescribed."""
    return prescribing.find_medicines(actor, q, limit)


@router.get("/tests")
def find_tests(actor: ActorNow, q: Words = "", limit: Limit = 20) -> list[LabTestShape]:
    """Laboratory tests by words."""
    actor.require(Permission.READ_RECORDS)
    return lab_tests.find_tests(q, limit)


@router.get("/forms")
def read_forms(actor: ActorNow, clinic: ClinicNow) -> list[Form]:
    """The specialised forms, as the terminal draws and judges them."""
    actor.require(Permission.READ_RECORDS)
    return list(clinic.forms.values())


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
def read_draft(key: DraftKey, actor: ActorNow) -> DraftShape:
    """One's own half-typed form."""
    return drafts.read(actor, key)


@router.put("/drafts/{key}", status_code=204)
def save_draft(key: DraftKey, body: DraftFields, actor: ActorNow) -> Response:
    """Keep a half-typed form."""
    drafts.save(actor, key, body.data)
    return Response(status_code=204)


@router.delete("/drafts/{key}", status_code=204)
def drop_draft(key: DraftKey, actor: ActorNow) -> Response:
    """Forget a half-typed form."""
    drafts.drop(actor, key)
    return Response(status_code=204)

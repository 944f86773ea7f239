"""Diagnoses of a visit: found by words, recorded by ICD-10 code, struck out with a reason."""

from __future__ import annotations

from datetime import timedelta

from peewee import fn

from core import audit, clock, code_lists, feed, outbox
from core.actors import Actor
from core.clinic import Clinic
from core.contacts import contact_to_write, find_visit
from core.database import connection, transaction
from core.errors import NotFoundError, ValidationError
from core.icd10 import SOURCE
from core.identifiers import new_id
from core.models import Diagnosis, Encounter
from core.schemas.record import CodeShape, DiagnosisFields, DiagnosisShape
from core.vocabulary import CaseKind, Permission

USUAL_DAYS = 60
"""So far back a cluster's own diagnoses say what is usual there."""


def find(text: str, limit: int = 20, language: str = "id", clusters: tuple[str, ...] = ()) -> list[CodeShape]:
    """ICD-10 by code or words, Indonesian or English, misspellings forgiven; usual ones first.

    With nothing typed come what these clusters diagnosed most in the last two months, then what
    is usual in any clinic.
    """
    listed = code_lists.load(SOURCE)
    found = listed.find(text, limit)
    if not text.strip():
        own = [listed.by_code[code] for code in _usual_here(clusters) if code in listed.by_code]
        found = list({item.code: item for item in [*own, *found]}.values())[:limit]
    return [CodeShape(code=item.code, title=item.title(language)) for item in found]


def _usual_here(clusters: tuple[str, ...]) -> list[str]:
    if not clusters:
        return []
    count = fn.COUNT(Diagnosis.id)
    with connection():
        rows = (
            Diagnosis.select(Diagnosis.code)
            .join(Encounter)
            .where(
                Encounter.cluster.in_(clusters),
                Diagnosis.recorded_at > clock.now() - timedelta(days=USUAL_DAYS),
                Diagnosis.voided_at.is_null(),
            )
            .group_by(Diagnosis.code)
            .order_by(count.desc(), Diagnosis.code)
            .limit(12)
        )
        return [row.code for row in rows]


def add(clinic: Clinic, actor: Actor, visit_id: str, fields: DiagnosisFields) -> DiagnosisShape:
    """Record one diagnosis; the first is the main one.

    Raises:
        ValidationError: `code` is not in the list, or is on the visit already.
        RuleError: `record_locked`.
    """
    actor.require(Permission.WRITE_RECORDS)
    listed = code_lists.load(SOURCE).by_code.get(fields.code)
    if listed is None:
        raise ValidationError({"code": "unknown"})
    with transaction():
        visit = find_visit(visit_id)
        present = list(Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null()))
        if any(row.code == fields.code for row in present):
            raise ValidationError({"code": "taken"})
        row = Diagnosis.create(
            id=new_id(),
            visit=visit,
            encounter=contact_to_write(clinic, actor, visit),
            code=listed.code,
            title=listed.title_id,
            rank=max((row.rank for row in present), default=0) + 1,
            case_kind=fields.case_kind,
            recorded_at=clock.now(),
            recorded_by=actor.account_id,
        )
        outbox.put("visit", visit.id)
        audit.record(actor, "diagnosis_added", "diagnosis", row.id, visit.patient_id)
        feed.append("encounter", cluster=row.encounter.cluster, visit_id=visit.id)
        return shape(row)


def void(clinic: Clinic, actor: Actor, visit_id: str, diagnosis_id: str, reason: str) -> None:
    """Strike a diagnosis out; it stays in the history, and the next one becomes the main one.

    Raises:
        ValidationError: `reason` is missing.
        NotFoundError: Not a diagnosis of this visit.
        RuleError: `record_locked`.
    """
    actor.require(Permission.WRITE_RECORDS)
    if not reason.strip():
        raise ValidationError({"reason": "required"})
    with transaction():
        visit = find_visit(visit_id)
        contact_to_write(clinic, actor, visit)
        standing = (Diagnosis.visit == visit) & Diagnosis.voided_at.is_null()
        changed = (
            Diagnosis.update(
                voided_at=clock.now(), voided_by=actor.account_id, void_reason=reason.strip()[:200]
            )
            .where(Diagnosis.id == diagnosis_id, standing)
            .execute()
        )
        if not changed:
            raise NotFoundError("diagnosis", diagnosis_id)
        for rank, row in enumerate(Diagnosis.select().where(standing).order_by(Diagnosis.rank), start=1):
            if row.rank != rank:
                Diagnosis.update(rank=rank).where(Diagnosis.id == row.id).execute()
        outbox.put("visit", visit.id)
        audit.record(actor, "diagnosis_voided", "diagnosis", diagnosis_id, visit.patient_id, reason=reason)
        feed.append("encounter", visit_id=visit.id)


def shape(row: Diagnosis) -> DiagnosisShape:
    """As sent to terminals."""
    return DiagnosisShape(
        id=row.id,
        code=row.code,
        title=row.title,
        rank=row.rank,
        case_kind=CaseKind(row.case_kind),
        recorded_at=row.recorded_at,
    )

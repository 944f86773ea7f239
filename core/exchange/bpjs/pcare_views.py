"""Reads of what BPJS holds, for screens and commands; and the one step that sends a visit again."""

from __future__ import annotations

from datetime import datetime

from core.exchange.bpjs import day_comparison, pcare_run
from core.exchange.bpjs.bpjs_link import is_set_up
from core.foundation import audit, clock, state
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus, Permission
from core.foundation.database import transaction
from core.foundation.errors import NotFoundError
from core.foundation.job_problems import JobProblem
from core.foundation.permissions import Actor
from core.models import BpjsVisit, Patient, Visit
from core.schemas.bpjs import BpjsStatusOut, BpjsVisitOut

SHOWN = 200
"""Most visits listed at once."""


def status(clinic: Clinic, actor: Actor) -> BpjsStatusOut:
    """Return how far the visits are.

    Raises:
        NotAllowedError: The actor may not correct patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    made = BpjsStatusOut(is_set_up=is_set_up(clinic.settings))
    made.waiting = len(pcare_run.waiting_visits(clinic)) if made.is_set_up else 0
    made.set_aside = BpjsVisit.select().where(BpjsVisit.status == OutboxStatus.REFUSED).count()
    sent = BpjsVisit.select().where(
        BpjsVisit.status == OutboxStatus.SENT, BpjsVisit.service_on == clinic.today()
    )
    made.settled_today = sent.count()
    if last := state.fact(pcare_run.LAST_RUN):
        made.last_run_at = datetime.fromisoformat(last["at"])
        made.last_error = str(JobProblem(**last["problem"])) if last["problem"] else None
    days = day_comparison.proven()
    made.comparison = days[max(days)] if days else None
    return made


def set_aside(clinic: Clinic, actor: Actor) -> list[BpjsVisitOut]:
    """Return the visits that wait for somebody who mends them, the oldest first.

    Raises:
        NotAllowedError: The actor may not correct patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    rows = (
        BpjsVisit.select(BpjsVisit, Visit, Patient)
        .join(Visit)
        .join(Patient)
        .where(BpjsVisit.status == OutboxStatus.REFUSED)
        .order_by(Visit.service_on, Visit.started_at)
        .limit(SHOWN)
    )
    return [_out(row) for row in rows]


def _out(row: BpjsVisit) -> BpjsVisitOut:
    visit: Visit = row.visit
    return BpjsVisitOut(
        visit_id=visit.id,
        patient_id=visit.patient_id,
        patient_name=visit.patient.name,
        service_on=visit.service_on,
        status=row.status,
        registration_number=row.registration_number,
        visit_number=row.visit_number,
        gaps=row.gaps,
        error=row.error,
        updated_at=row.updated_at,
    )


def send_again(clinic: Clinic, actor: Actor, visit_id: str) -> None:
    """Let a visit that was set aside be sent again with the next run.

    Args:
        clinic: The clinic.
        actor: Who mended it.
        visit_id: The visit.

    Raises:
        NotFoundError: It was not set aside.
        NotAllowedError: The actor may not correct patients.
    """
    actor.require(Permission.EDIT_PATIENTS)
    with transaction():
        changed = (
            BpjsVisit.update(status=OutboxStatus.PENDING, updated_at=clock.now())
            .where(BpjsVisit.visit == visit_id, BpjsVisit.status == OutboxStatus.REFUSED)
            .execute()
        )
        if not changed:
            raise NotFoundError("bpjs_visit", visit_id)
        patient = Visit.select(Visit.patient).where(Visit.id == visit_id).scalar()
        audit.record(actor, "bpjs_sent_again", "visit", visit_id, patient)

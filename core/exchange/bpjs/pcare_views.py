"""Reads of what BPJS holds, for screens and commands; and the one step that sends a visit again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from core.exchange.bpjs import day_comparison, pcare_run
from core.exchange.bpjs.bpjs_link import is_set_up
from core.foundation import audit, clock, feed, state
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus, Permission
from core.foundation.database import transaction
from core.foundation.errors import NotFoundError
from core.foundation.job_problems import JobProblem
from core.foundation.permissions import Actor
from core.models import BpjsQueue, BpjsVisit, Patient, Visit
from core.schemas.bpjs import CHANGED, BpjsStatusOut, BpjsVisitOut

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
    made.set_aside = sum(
        table.select().where(table.status == OutboxStatus.REFUSED).count() for table in (BpjsVisit, BpjsQueue)
    )
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
    found = [*_refused(BpjsVisit), *_refused(BpjsQueue)]
    found.sort(key=lambda row: (row.visit.service_on, row.visit.started_at))
    return [_out(row) for row in found[:SHOWN]]


def _refused(table: type[BpjsVisit] | type[BpjsQueue]) -> Iterable[BpjsVisit | BpjsQueue]:
    return (
        table.select(table, Visit, Patient)
        .join(Visit)
        .join(Patient)
        .where(table.status == OutboxStatus.REFUSED)
        .order_by(Visit.service_on, Visit.started_at)
        .limit(SHOWN)
    )


def _out(row: BpjsVisit | BpjsQueue) -> BpjsVisitOut:
    visit: Visit = row.visit
    return BpjsVisitOut(
        visit_id=visit.id,
        what="visit" if isinstance(row, BpjsVisit) else "queue",
        patient_id=visit.patient_id,
        patient_name=visit.patient.name,
        service_on=visit.service_on,
        status=row.status,
        registration_number=row.registration_number if isinstance(row, BpjsVisit) else None,
        visit_number=row.visit_number if isinstance(row, BpjsVisit) else None,
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
        changed = [
            table.update(status=OutboxStatus.PENDING, updated_at=clock.now())
            .where(table.visit == visit_id, table.status == OutboxStatus.REFUSED)
            .execute()
            for table in (BpjsVisit, BpjsQueue)
        ]
        if not any(changed):
            raise NotFoundError("bpjs_visit", visit_id)
        feed.append(CHANGED, visit_id=visit_id)
        patient = Visit.select(Visit.patient).where(Visit.id == visit_id).scalar()
        audit.record(actor, "bpjs_sent_again", "visit", visit_id, patient)

"""Referrals of late, and how far BPJS's number of each is: for whoever referred."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from peewee import JOIN

from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, OutboxStatus, Permission
from core.foundation.permissions import Actor
from core.models import BpjsVisit, Letter, Patient, QueueEntry, Ticket, Visit
from core.records import pcare_needs
from core.records.letters import BPJS_NUMBER
from core.records.pcare_form import INSURED, LETTER
from core.schemas.bpjs import ReferralOut

LOOK_BACK = timedelta(days=14)
"""Age up to which a referral is listed."""
SHOWN = 100
"""Most referrals listed at once."""


def referrals(clinic: Clinic, actor: Actor) -> list[ReferralOut]:
    """Return the insured patients whom the actor's clusters referred, the newest first.

    Raises:
        NotAllowedError: The actor writes no records.
    """
    actor.require(Permission.WRITE_RECORDS)
    had = QueueEntry.select(QueueEntry.visit).where(
        QueueEntry.cluster.in_(actor.clusters or [""]), QueueEntry.voided_at.is_null()
    )
    rows = list(
        Visit.select(Visit, Patient, BpjsVisit)
        .join(Patient)
        .switch(Visit)
        .join(BpjsVisit, JOIN.LEFT_OUTER, on=(BpjsVisit.visit == Visit.id), attr="at_bpjs")
        .where(
            Visit.service_on >= clinic.today() - LOOK_BACK,
            Visit.disposition == Disposition.REFERRED,
            Visit.payer.in_(list(INSURED)),
            Visit.voided_at.is_null(),
            Visit.id.in_(had),
        )
        .order_by(Visit.service_on.desc(), Visit.started_at.desc())
        .limit(SHOWN)
    )
    ids = [row.id for row in rows]
    letters, tickets = _letters(ids), _tickets(ids)
    return [_out(row, letters.get(row.id), tickets.get(row.id, "")) for row in rows]


def _letters(ids: Sequence[str]) -> dict[str, Letter]:
    """Return the newest letter of BPJS of each visit."""
    found = Letter.select().where(Letter.visit.in_(ids), Letter.kind == LETTER)
    return {row.visit_id: row for row in found.order_by(Letter.issued_at, Letter.sequence)}


def _tickets(ids: Sequence[str]) -> dict[str, str]:
    entries: Iterable[QueueEntry] = (
        QueueEntry.select(QueueEntry, Ticket)
        .join(Ticket)
        .where(QueueEntry.visit.in_(ids), QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.started_at, QueueEntry.id)
    )
    return {entry.visit_id: entry.ticket.number for entry in entries}


def _out(visit: Visit, letter: Letter | None, ticket: str) -> ReferralOut:
    answers: dict[str, Any] = pcare_needs.answers(visit)
    held: BpjsVisit | None = getattr(visit, "at_bpjs", None)
    referral: dict[str, Any] = held.referral if held is not None else {}
    number, day = str(referral.get("number") or ""), answers.get("refer_on")
    error, gaps = _troubles(held)
    return ReferralOut(
        visit_id=visit.id,
        patient_id=visit.patient_id,
        patient_name=visit.patient.name,
        medical_record_number=visit.patient.medical_record_number,
        service_on=visit.service_on,
        ticket=ticket,
        facility=_first(answers, "refer_provider_name", "refer_provider"),
        department=_first(answers, "refer_subspecialist_name", "refer_subspecialist"),
        refer_on=date.fromisoformat(str(day)) if day else None,
        urgent=bool(answers.get("refer_urgent")),
        number=number,
        until=str(referral.get("until") or ""),
        letter=letter.number if letter is not None else "",
        letter_has_number=letter is not None and bool(number) and letter.data.get(BPJS_NUMBER) == number,
        error=error,
        gaps=gaps,
    )


def _first(answers: dict[str, Any], *names: str) -> str:
    """Return the first of some answers that was given."""
    return next((str(answers[name]) for name in names if answers.get(name)), "")


def _troubles(held: BpjsVisit | None) -> tuple[str | None, list[str]]:
    """Return BPJS's own words and the gaps of a visit that it did not take."""
    if held is None or held.status != OutboxStatus.REFUSED:
        return None, []
    return held.error, list(held.gaps)

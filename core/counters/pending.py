"""On a counter's machine: the registrations that it made without the core, in the order in which they are delivered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.foundation import clock, state
from core.foundation.clinic import Clinic
from core.foundation.codes import MachineRole, NumberStatus, PendingStatus
from core.foundation.database import connection, transaction
from core.foundation.errors import NotFoundError, RuleError
from core.foundation.permissions import Actor
from core.foundation.statements import create
from core.models import LentNumber, PendingRegistration, QueueEntry, Visit
from core.queues import lent_blocks
from core.schemas.counters import DeliveryFields, DeliveryOut, MadeHere, QuestionOut
from core.schemas.registration import RegistrationRequest

CLOCK_FACT = "counter_clock"
"""Fact of the store: `uncertain`, where the machine cannot know what time it is."""


def keep(
    clinic: Clinic, actor: Actor, request: RegistrationRequest, visit: Visit, entry_id: str, *, is_new: bool
) -> None:
    """Keep a registration for the core, in its own transaction; nothing anywhere but on a counter's machine.

    Args:
        clinic: The clinic.
        actor: Who registers.
        request: As the terminal sent it.
        visit: The visit that was made.
        entry_id: Its place in the queue.
        is_new: Whether the patient was made with it.
    """
    if clinic.settings.role != MachineRole.COUNTER:
        return
    entry = QueueEntry.get_by_id(entry_id)
    lent = LentNumber.get_or_none(LentNumber.visit == visit.id)
    made = MadeHere(
        patient_id=visit.patient_id,
        visit_id=visit.id,
        entry_id=entry_id,
        ticket_id=entry.ticket_id,
        number=entry.ticket.number,
        is_lent=lent is not None,
        medical_record_number=visit.patient.medical_record_number if is_new else "",
    )
    fact = state.fact(CLOCK_FACT)
    create(
        PendingRegistration,
        id=request.id,
        number=_next_number(),
        account=actor.account_id,
        request=request.model_dump(mode="json", exclude_unset=True),
        made=made.model_dump(mode="json"),
        arrived_at=visit.started_at,
        is_uncertain=bool(fact and fact.get("uncertain")),
        status=PendingStatus.WAITING,
        problem={},
        kept_at=clock.now(),
        ended_at=None,
    )


def _next_number() -> int:
    last = PendingRegistration.select().order_by(PendingRegistration.number.desc()).first()
    return last.number + 1 if last is not None else 1


def waiting() -> list[PendingRegistration]:
    """Return what the core has not heard of, in order."""
    with connection():
        return _in_state(PendingStatus.WAITING)


def asked() -> list[PendingRegistration]:
    """Return what the core has a question about, in order."""
    with connection():
        return _in_state(PendingStatus.ASKED)


def _in_state(status: PendingStatus) -> list[PendingRegistration]:
    rows = PendingRegistration.select().where(PendingRegistration.status == status)
    return list(rows.order_by(PendingRegistration.number))


def counts() -> tuple[int, int]:
    """Return how many wait for delivery, and how many for an answer."""
    with connection():
        return len(_in_state(PendingStatus.WAITING)), len(_in_state(PendingStatus.ASKED))


def open_ids() -> set[str]:
    """Return the ids of the registrations that are not settled."""
    return {row.id for row in (*_in_state(PendingStatus.WAITING), *_in_state(PendingStatus.ASKED))}


def since() -> datetime | None:
    """Return when the oldest that waits was made; None where none does."""
    with connection():
        rows = _in_state(PendingStatus.WAITING)
    return rows[0].kept_at if rows else None


def delivery(row: PendingRegistration) -> DeliveryFields:
    """Return a registration as it is delivered."""
    return DeliveryFields(
        request=RegistrationRequest.model_validate(row.request),
        made=MadeHere.model_validate(row.made),
        account_id=row.account_id,
        arrived_at=row.arrived_at,
        is_uncertain=row.is_uncertain,
    )


def answered(row: PendingRegistration, answer: DeliveryOut) -> None:
    """Note the core's answer to a delivery."""
    is_delivered = answer.outcome == PendingStatus.DELIVERED
    problem = {} if is_delivered else answer.model_dump(mode="json", include={"code", "fields", "details"})
    with transaction():
        _set(row, PendingStatus.DELIVERED if is_delivered else PendingStatus.ASKED, problem)


def _set(row: PendingRegistration, status: PendingStatus, problem: dict[str, Any]) -> None:
    row.status, row.problem = status, problem
    row.ended_at = None if status is PendingStatus.ASKED else clock.now()
    row.save()


def questions() -> list[QuestionOut]:
    """Return the core's questions, the oldest first."""
    with connection():
        return [
            QuestionOut(
                id=row.id,
                account=row.account.name,
                number=row.made["number"],
                arrived_at=row.arrived_at,
                is_uncertain=row.is_uncertain,
                code=row.problem.get("code", ""),
                fields=row.problem.get("fields", {}),
                details=row.problem.get("details", {}),
                request=row.request,
                medical_record_number=row.made.get("medical_record_number", ""),
            )
            for row in _in_state(PendingStatus.ASKED)
        ]


def settle(registration_id: str) -> PendingRegistration:
    """Note that a question was answered: the core has the registration, or it was given up there.

    Raises:
        NotFoundError: There is no such question.
    """
    with transaction():
        row = PendingRegistration.get_or_none(
            PendingRegistration.id == registration_id, PendingRegistration.status == PendingStatus.ASKED
        )
        if row is None:
            raise NotFoundError("question", registration_id)
        _set(row, PendingStatus.DELIVERED, row.problem)
    found: PendingRegistration = row
    return found


def undo(actor: Actor, registration_id: str, visit_id: str) -> None:
    """Take back a registration that the core has not heard of; in the transaction that ends its visit.

    Args:
        actor: Who takes it back.
        registration_id: The registration.
        visit_id: Its visit.

    Raises:
        RuleError: `too_late`: the core has it already.
    """
    row = PendingRegistration.get_or_none(PendingRegistration.id == registration_id)
    if row is None or row.status != PendingStatus.WAITING:
        raise RuleError("too_late")
    _set(row, PendingStatus.UNDONE, {})
    lent = list(LentNumber.select().where(LentNumber.visit == visit_id))
    lent_blocks.end(actor, lent, NumberStatus.VOIDED, "undone")


def undone_numbers() -> list[str]:
    """Return the numbers of registrations that were taken back here, which the core still counts as lent."""
    with connection():
        rows = PendingRegistration.select().where(
            PendingRegistration.status == PendingStatus.UNDONE, PendingRegistration.problem == {}
        )
        return [row.made["number"] for row in rows if row.made["is_lent"]]


def undone_told(numbers: list[str]) -> None:
    """Note that the core knows of numbers that were taken back."""
    with transaction():
        for row in PendingRegistration.select().where(PendingRegistration.status == PendingStatus.UNDONE):
            if row.made["number"] in numbers:
                _set(row, PendingStatus.UNDONE, {"code": "told"})

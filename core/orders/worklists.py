"""Worklists of laboratory and pharmacy: one item a patient, oldest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus, Permission
from core.foundation.database import connection
from core.foundation.errors import NotFoundError
from core.foundation.permissions import Actor
from core.models import Diagnosis, Order, Patient, Prescription, Visit
from core.orders import laboratory, prescribing
from core.orders.medicine_gate import substances_of
from core.queues.entries import shown_open_of
from core.queues.views import entry_patient_out, entry_row_out, minutes_between
from core.records.access import Purpose, find_visit, open_work
from core.schemas.queues import EntryOut
from core.schemas.record import NO_REASON, StatedReason, WorkItem

Kind = Literal["orders", "prescriptions"]
LONGEST = 200
"""Most open orders or prescriptions that are read."""


def worklist(clinic: Clinic, actor: Actor, kind: Kind) -> list[WorkItem]:
    """Return the open orders or prescriptions, grouped by visit.

    Args:
        clinic: The clinic.
        actor: The laboratory (`orders`) or the pharmacy (`prescriptions`).
        kind: One of the two.

    Raises:
        NotAllowedError: The role neither enters results nor dispenses.
    """
    with connection():
        rows = list(_rows(actor, kind, _Kind(kind).table.status == OrderStatus.ACTIVE).limit(LONGEST))
        grouped: dict[str, list[Any]] = {}
        for row in rows:
            grouped.setdefault(row.visit_id, []).append(row)
        items = [_item(actor, found[0].visit, found, kind) for found in grouped.values()]
        audit.record(actor, "worklist_read", "worklist", kind)
    return items


def work_of(
    clinic: Clinic, actor: Actor, kind: Kind, visit_id: str, reason: StatedReason = NO_REASON
) -> WorkItem:
    """Return the orders or prescriptions of one visit, done or not.

    Args:
        clinic: The clinic.
        actor: The laboratory (`orders`) or the pharmacy (`prescriptions`).
        kind: One of the two.
        visit_id: The visit.
        reason: Why, once all of it was carried out long ago.

    Raises:
        NotAllowedError: The role neither enters results nor dispenses; `reason_required`.
        NotFoundError: Nothing was ordered, and the patient is not in one of the actor's queues.
    """
    with connection():
        visit = find_visit(visit_id)
        rows = list(_rows(actor, kind, _Kind(kind).table.visit == visit))
        item = _item(actor, visit, rows, kind)
        if not rows and item.entry is None:
            raise NotFoundError("work", visit_id)
        facts = _Kind(kind)
        open_work(clinic, actor, visit, facts.purpose, [facts.done_at(row) for row in rows], reason)
        audit.record(actor, "work_read", "visit", visit.id, visit.patient_id)
    return item


class _Kind:
    """The differences of the two lists."""

    def __init__(self, kind: Kind) -> None:
        self._is_lab = kind == "orders"
        self.table: Any = Order if self._is_lab else Prescription
        self.since = Order.ordered_at if self._is_lab else Prescription.prescribed_at
        self.permission = Permission.ENTER_RESULTS if self._is_lab else Permission.DISPENSE

    @property
    def purpose(self) -> Purpose:
        """Purpose for which the record is opened."""
        return Purpose.RESULT if self._is_lab else Purpose.DISPENSE

    def done_at(self, row: Any) -> datetime | None:
        """Return the instant at which it was carried out; None while it waits."""
        at: datetime | None = row.resulted_at if self._is_lab else row.dispensed_at
        return at

    def author_of(self, row: Any) -> str:
        """Return the name of the clinician who ordered or prescribed."""
        return str(row.ordered_by.name if self._is_lab else row.prescribed_by.name)

    def time_of(self, row: Any) -> datetime:
        """Return the instant of the order or prescription."""
        at: datetime = row.ordered_at if self._is_lab else row.prescribed_at
        return at


def _rows(actor: Actor, kind: Kind, condition: Any) -> Any:
    facts = _Kind(kind)
    actor.require(facts.permission)
    table = facts.table
    return (
        table.select(table, Visit, Patient)
        .join(Visit)
        .join(Patient)
        .where(condition, Visit.voided_at.is_null(), table.status != OrderStatus.REVOKED)
        .order_by(facts.since)
    )


def _item(actor: Actor, visit: Visit, rows: list[Any], kind: Kind) -> WorkItem:
    patient: Patient = visit.patient
    facts = _Kind(kind)
    authors = dict.fromkeys(facts.author_of(row) for row in rows)
    since = min((facts.time_of(row) for row in rows), default=clock.now())
    open_entry = shown_open_of(visit.id)
    entry = entry_row_out(open_entry) if open_entry is not None else None
    return WorkItem(
        visit_id=visit.id,
        service_on=visit.service_on,
        patient=entry_patient_out(patient, visit.service_on),
        pregnant=visit.pregnant,
        chief_complaint=visit.chief_complaint if _is_own(actor, entry) else "",
        allergies=substances_of(patient.id),
        allergies_asked=bool(substances_of(patient.id)) or patient.no_known_allergies_at is not None,
        ordered_by=", ".join(authors),
        since=since,
        waited_minutes=minutes_between(since, clock.now()),
        place=_place(entry),
        entry=entry if _is_own(actor, entry) else None,
        diagnoses=_diagnoses(visit),
        orders=laboratory.orders_out([row for row in rows if isinstance(row, Order)]),
        prescriptions=[prescribing.checked_out(row) for row in rows if isinstance(row, Prescription)],
    )


def _place(entry: EntryOut | None) -> str:
    """Return number and cluster of the patient's open entry: `A-001 UMUM`."""
    return f"{entry.number} {entry.cluster}" if entry is not None else ""


def _is_own(actor: Actor, entry: EntryOut | None) -> bool:
    return entry is not None and entry.cluster in actor.clusters


def _diagnoses(visit: Visit) -> list[str]:
    rows = Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
    return [f"{row.code} {row.title}" for row in rows.order_by(Diagnosis.rank)]

"""What the laboratory and the pharmacy have to do, one item a patient, oldest first."""

from __future__ import annotations

from typing import Any, Literal

from core import audit, clock, laboratory, prescribing
from core.actors import Actor
from core.clinic import Clinic, age_on
from core.contacts import find_visit
from core.database import connection
from core.errors import NotFoundError
from core.models import Allergy, Diagnosis, Order, Patient, Prescription, QueueEntry, Visit
from core.queue_views import load_entry, shape_of
from core.schemas.queues import EntryPatient
from core.schemas.record import WorkItem
from core.vocabulary import OrderStatus, Permission, Sex

Kind = Literal["orders", "prescriptions"]
LONGEST = 200
"""So many open orders or prescriptions are read at most."""


def worklist(clinic: Clinic, actor: Actor, kind: Kind) -> list[WorkItem]:
    """Everything ordered or prescribed that waits, grouped by visit.

    Args:
        clinic: Where.
        actor: Somebody of the laboratory (`orders`) or the pharmacy (`prescriptions`).
        kind: Which of the two.

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


def work_of(clinic: Clinic, actor: Actor, kind: Kind, visit_id: str) -> WorkItem:
    """What one visit has in the laboratory or the pharmacy, done or not.

    Raises:
        NotFoundError: Nothing was ordered, and the patient is not in one of the actor's queues.
    """
    with connection():
        visit = find_visit(visit_id)
        rows = list(_rows(actor, kind, _Kind(kind).table.visit == visit))
        item = _item(actor, visit, rows, kind)
        if not rows and item.entry is None:
            raise NotFoundError("work", visit_id)
        audit.record(actor, "work_read", "visit", visit.id, visit.patient_id)
    return item


class _Kind:
    """The two lists' differences."""

    def __init__(self, kind: Kind) -> None:
        is_lab = kind == "orders"
        self.table: Any = Order if is_lab else Prescription
        self.since = Order.ordered_at if is_lab else Prescription.prescribed_at
        self.permission = Permission.ENTER_RESULTS if is_lab else Permission.DISPENSE


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
    orders = [laboratory.shape(row) for row in rows] if kind == "orders" else []
    prescriptions = [prescribing.shape(row) for row in rows] if kind == "prescriptions" else []
    since = min(
        [item.ordered_at for item in orders] + [item.prescribed_at for item in prescriptions],
        default=clock.now(),
    )
    row = (
        QueueEntry.select(QueueEntry.id)
        .where(QueueEntry.visit == visit, QueueEntry.ended_at.is_null(), QueueEntry.voided_at.is_null())
        .first()
    )
    entry = shape_of(load_entry(row.id)) if row is not None else None
    authors = [item.ordered_by for item in orders] + [item.prescribed_by for item in prescriptions]
    return WorkItem(
        visit_id=visit.id,
        service_on=visit.service_on,
        patient=EntryPatient(
            id=patient.id,
            name=patient.name,
            age=age_on(patient.birth_date, visit.service_on),
            sex=Sex(patient.sex),
            medical_record_number=patient.medical_record_number,
            birth_date=patient.birth_date,
        ),
        pregnant=visit.pregnant,
        chief_complaint=visit.chief_complaint,
        allergies=[
            allergy.substance
            for allergy in Allergy.select().where(Allergy.patient == patient, Allergy.voided_at.is_null())
        ],
        ordered_by=", ".join(dict.fromkeys(authors)),
        since=since,
        waited_minutes=max(0, int((clock.now() - since).total_seconds() // 60)),
        place=f"{entry.number} {entry.cluster}" if entry is not None else "",
        entry=entry if entry is not None and entry.cluster in actor.clusters else None,
        diagnoses=[
            f"{diagnosis.code} {diagnosis.title}"
            for diagnosis in Diagnosis.select()
            .where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
            .order_by(Diagnosis.rank)
        ],
        orders=orders,
        prescriptions=prescriptions,
    )

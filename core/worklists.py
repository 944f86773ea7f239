"""What the laboratory and the pharmacy have to do, one item a patient, oldest first."""

from __future__ import annotations

from typing import Any, Literal

from core import audit, clock, laboratory, prescribing
from core.accounts import Actor
from core.clinic import Clinic, age_on
from core.database import connection
from core.models import Allergy, Diagnosis, Order, Patient, Prescription, QueueEntry, Visit
from core.queue_views import load_entry, shape_of
from core.schemas import EntryPatient, WorkItem
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
    is_lab = kind == "orders"
    actor.require(Permission.ENTER_RESULTS if is_lab else Permission.DISPENSE)
    table: Any = Order if is_lab else Prescription
    since = Order.ordered_at if is_lab else Prescription.prescribed_at
    author = "ordered_by" if is_lab else "prescribed_by"
    with connection():
        rows = list(
            table.select(table, Visit, Patient)
            .join(Visit)
            .join(Patient)
            .where(table.status == OrderStatus.ACTIVE, Visit.voided_at.is_null())
            .order_by(since)
            .limit(LONGEST)
        )
        grouped: dict[str, list[Any]] = {}
        for row in rows:
            grouped.setdefault(row.visit_id, []).append(row)
        items = [_item(actor, found, since.name, author, is_lab=is_lab) for found in grouped.values()]
        audit.record(actor, "worklist_read", "worklist", kind)
    return items


def _item(actor: Actor, rows: list[Any], since: str, author: str, *, is_lab: bool) -> WorkItem:
    visit: Visit = rows[0].visit
    patient: Patient = visit.patient
    started = getattr(rows[0], since)
    row = (
        QueueEntry.select(QueueEntry.id)
        .where(QueueEntry.visit == visit, QueueEntry.ended_at.is_null(), QueueEntry.voided_at.is_null())
        .first()
    )
    entry = shape_of(load_entry(row.id), None, None) if row is not None else None
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
        allergies=[
            allergy.substance
            for allergy in Allergy.select().where(Allergy.patient == patient, Allergy.voided_at.is_null())
        ],
        ordered_by=getattr(rows[0], author).name,
        since=started,
        waited_minutes=max(0, int((clock.now() - started).total_seconds() // 60)),
        place=f"{entry.number} {entry.cluster}" if entry is not None else "",
        entry=entry if entry is not None and entry.cluster in actor.clusters else None,
        diagnoses=[
            f"{diagnosis.code} {diagnosis.title}"
            for diagnosis in Diagnosis.select()
            .where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
            .order_by(Diagnosis.rank)
        ],
        orders=[laboratory.shape(row) for row in rows] if is_lab else [],
        prescriptions=[] if is_lab else [prescribing.shape(row) for row in rows],
    )

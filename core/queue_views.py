"""Queues as panes, counters and the waiting room see them. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from peewee import JOIN

from core import clock, feed
from core.accounts import Actor
from core.clinic import Clinic, age_on
from core.database import connection
from core.errors import NotFoundError
from core.models import Account, Patient, QueueEntry, Ticket, Visit
from core.ordering import Policy, Waiting, calling_order
from core.schemas import ClusterShape, EntryPatient, EntryShape, QueueShape
from core.vocabulary import EntryStatus, Permission, Priority, Sex

CALLABLE = (EntryStatus.WAITING, EntryStatus.SKIPPED)
SAMPLE = 5
"""Finished services needed before a wait is estimated."""


def load_entry(entry_id: str) -> QueueEntry:
    """An entry with ticket, visit and patient joined.

    Raises:
        NotFoundError: No such entry.
    """
    entry: QueueEntry | None = _joined().where(QueueEntry.id == entry_id).first()
    if entry is None:
        raise NotFoundError("queue_entry", entry_id)
    return entry


def _joined() -> Any:
    practitioner = Account.alias("practitioner")
    return (
        QueueEntry.select(QueueEntry, Ticket, Visit, Patient, practitioner)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .join_from(Visit, Patient)
        .join_from(
            QueueEntry,
            practitioner,
            JOIN.LEFT_OUTER,
            on=(QueueEntry.practitioner == practitioner.id),
            attr="practitioner",
        )
    )


def day_entries(cluster: str, day: date) -> list[QueueEntry]:
    """A cluster's entries of one day with everything a pane shows, in order of issue."""
    return list(
        _joined()
        .where(QueueEntry.cluster == cluster, QueueEntry.service_on == day, QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.queued_at, QueueEntry.id)
    )


def calling_ids(clinic: Clinic, cluster: str, day: date, for_account: str | None = None) -> list[str]:
    """Ids of who would be called, in order; another clinician's returning patients left out."""
    columns = (
        QueueEntry.id,
        QueueEntry.status,
        QueueEntry.priority,
        QueueEntry.queued_at,
        QueueEntry.called_at,
        QueueEntry.skipped_at,
        QueueEntry.reserved_for,
    )
    rows = list(
        QueueEntry.select(*columns).where(
            QueueEntry.cluster == cluster, QueueEntry.service_on == day, QueueEntry.voided_at.is_null()
        )
    )
    if for_account is not None:
        rows = [
            row for row in rows if row.reserved_for_id in {None, for_account} or row.called_at is not None
        ]
    return _order(clinic, rows)


def _order(clinic: Clinic, rows: Sequence[QueueEntry]) -> list[str]:
    called = sorted((row for row in rows if row.called_at), key=lambda row: row.called_at, reverse=True)
    settings = clinic.settings

    def calls_until_back(row: QueueEntry) -> int:
        if row.skipped_at is None:
            return 0
        since = sum(1 for other in called if other.called_at > row.skipped_at)
        return max(0, settings.skip_returns_after - since)

    waiting = [
        Waiting(row.id, Priority(row.priority).rank, row.queued_at, calls_until_back(row))
        for row in rows
        if row.status in CALLABLE
    ]
    policy = Policy(settings.priority_ratio, timedelta(minutes=settings.regular_wait_limit_minutes))
    return calling_order(waiting, [Priority(row.priority).rank for row in called], policy, clock.now())


def expected_waits(rows: Iterable[QueueEntry], order: Sequence[str]) -> dict[str, int]:
    """Minutes each waiting entry will probably still wait.

    The median rather than the mean of today's services: one long dressing change must not
    frighten the whole waiting room. Several rooms share the queue; their number is the
    number of service points seen at work today.

    Returns:
        Entry id -> whole minutes; empty until `SAMPLE` services are finished.
    """
    rows = list(rows)
    done = [row for row in rows if row.served_at and row.ended_at]
    if len(done) < SAMPLE:
        return {}
    minutes = median((row.ended_at - row.served_at).total_seconds() / 60 for row in done)
    rooms = max(1, len({row.practitioner_id for row in done[-20:]}))
    return {entry_id: round(index * minutes / rooms) for index, entry_id in enumerate(order)}


def queue(clinic: Clinic, actor: Actor, cluster: str, day: date | None = None) -> QueueShape:
    """One cluster's pane: in calling order, then those being served, then those ended.

    Raises:
        NotAllowedError: The role may not see queues.
        NotFoundError: No such cluster.
    """
    actor.require(Permission.READ_QUEUES)
    code = clinic.clusters[cluster].code
    with connection():
        sequence = feed.newest_sequence()
        rows = day_entries(code, day or clinic.today())
        order = _order(clinic, rows)
        waits = expected_waits(rows, order)
        place = {entry_id: index for index, entry_id in enumerate(order, start=1)}
        rows.sort(key=lambda row: (row.ended_at is not None, row.id not in place, place.get(row.id, 0)))
        entries = [shape_of(row, place.get(row.id), waits.get(row.id)) for row in rows]
    return QueueShape(cluster=code, date=day or clinic.today(), sequence=sequence, entries=entries)


def entry_shape(clinic: Clinic, entry_id: str) -> EntryShape:
    """One entry as a pane shows it, with its place now."""
    with connection():
        entry = load_entry(entry_id)
        position = wait = None
        if entry.status in CALLABLE:
            rows = list(
                QueueEntry.select().where(
                    QueueEntry.cluster == entry.cluster,
                    QueueEntry.service_on == entry.service_on,
                    QueueEntry.voided_at.is_null(),
                )
            )
            order = _order(clinic, rows)
            position = order.index(entry.id) + 1 if entry.id in order else None
            wait = expected_waits(rows, order).get(entry.id)
        return shape_of(entry, position, wait)


def shape_of(row: QueueEntry, position: int | None, wait: int | None) -> EntryShape:
    """An entry loaded by `load_entry` or `day_entries`, as sent to terminals."""
    patient = row.visit.patient
    end = row.called_at or row.ended_at or clock.now()
    return EntryShape(
        id=row.id,
        visit_id=row.visit_id,
        number=row.ticket.number,
        cluster=row.cluster,
        status=EntryStatus(row.status),
        priority=Priority(row.priority),
        priority_reason=row.priority_reason,
        version=row.version,
        patient=EntryPatient(
            id=patient.id,
            name=patient.name,
            age=age_on(patient.birth_date, row.service_on),
            sex=Sex(patient.sex),
            medical_record_number=patient.medical_record_number,
            birth_date=patient.birth_date,
        ),
        chief_complaint=row.visit.chief_complaint,
        waited_minutes=_minutes(row.started_at, end),
        expected_wait_minutes=wait,
        position=position,
        service_point=row.service_point,
        practitioner=row.practitioner.name if row.practitioner else None,
        reserved_for=row.reserved_for_id,
        call_count=row.call_count,
        came_from=_came_from(row),
        returns_to=row.returns_to.cluster if row.returns_to_id else None,
        issued_at=row.ticket.issued_at,
        started_at=row.started_at,
        called_at=row.called_at,
        served_at=row.served_at,
        ended_at=row.ended_at,
    )


def _came_from(row: QueueEntry) -> str | None:
    if not row.came_from_id:
        return None
    return f"{row.came_from.ticket.number} {row.came_from.cluster}"


def _minutes(start: datetime, end: datetime) -> int:
    return max(0, int((end - start).total_seconds() // 60))


def for_display(entry: EntryShape) -> EntryShape:
    """The same entry without anything of the patient (UU 27/2022: numbers only)."""
    return entry.model_copy(
        update={
            "patient": None,
            "chief_complaint": "",
            "priority_reason": "",
            "practitioner": None,
            "reserved_for": None,
            "visit_id": "",
            "priority": Priority.REGULAR,
        }
    )


def clusters(clinic: Clinic, actor: Actor) -> list[ClusterShape]:
    """All clusters with how many wait and the number last called."""
    actor.require(Permission.READ_DISPLAY)
    day = clinic.today()
    with connection():
        rows = list(
            QueueEntry.select(QueueEntry.cluster, QueueEntry.status, QueueEntry.called_at, Ticket.number)
            .join(Ticket)
            .where(QueueEntry.service_on == day, QueueEntry.voided_at.is_null())
        )
    shapes = []
    for cluster in clinic.clusters.values():
        own = [row for row in rows if row.cluster == cluster.code]
        called = [row for row in own if row.status == EntryStatus.CALLED]
        last = max(called, key=lambda row: row.called_at, default=None)
        shapes.append(
            ClusterShape(
                code=cluster.code,
                name=cluster.name,
                prefix=cluster.prefix,
                waiting=sum(1 for row in own if row.status in CALLABLE),
                called_number=last.ticket.number if last else None,
                first_destination=cluster.stage == "first",
                emergency=cluster.code == clinic.clusters.emergency.code,
            )
        )
    return shapes

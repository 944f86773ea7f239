"""Queues as panes, counters and the waiting room see them. Reads only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from peewee import JOIN

from core import clock, feed
from core.actors import Actor
from core.clinic import Clinic, age_on
from core.database import connection
from core.errors import NotFoundError
from core.models import Account, Patient, QueueEntry, Ticket, Visit
from core.ordering import Policy, Waiting, calling_order
from core.schemas.queues import ClusterShape, EntryPatient, EntryShape, QueueShape
from core.vocabulary import EntryStatus, Permission, Priority, Sex

CALLABLE = (EntryStatus.WAITING, EntryStatus.SKIPPED)
SAMPLE = 5
"""Finished services needed before a wait is estimated."""
ROOMS_SEEN_IN = 20
"""Newest finished services from which the number of rooms at work is taken."""


_practitioner, _reserved = Account.alias("practitioner"), Account.alias("reserved")
_before, _before_ticket = QueueEntry.alias("before"), Ticket.alias("before_ticket")
_origin = QueueEntry.alias("origin")
_WHOLE = (QueueEntry, Ticket, Visit, Patient, _practitioner, _reserved, _before, _before_ticket, _origin)
_SHOWN = (
    QueueEntry,
    *(Ticket.number, Ticket.issued_at, Visit.id, Visit.chief_complaint),
    *(Patient.id, Patient.name, Patient.birth_date, Patient.sex, Patient.medical_record_number),
    *(_practitioner.id, _practitioner.name, _reserved.id, _reserved.name),
    *(_before.id, _before.cluster, _before_ticket.number, _origin.id, _origin.cluster),
)
"""What `shape_of` reads and no more: a pane of two hundred whole rows takes five times as long."""


def load_entry(entry_id: str) -> QueueEntry:
    """An entry with ticket, visit and patient joined, to be acted on.

    Raises:
        NotFoundError: No such entry.
    """
    return _one(entry_id, _WHOLE)


def _one(entry_id: str, columns: tuple[Any, ...]) -> QueueEntry:
    entry: QueueEntry | None = _joined(columns).where(QueueEntry.id == entry_id).first()
    if entry is None:
        raise NotFoundError("queue_entry", entry_id)
    return entry


def _joined(columns: tuple[Any, ...]) -> Any:
    left = JOIN.LEFT_OUTER
    return (
        QueueEntry.select(*columns)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .join_from(Visit, Patient)
        .join_from(
            QueueEntry,
            _practitioner,
            left,
            on=(QueueEntry.practitioner == _practitioner.id),
            attr="practitioner",
        )
        .join_from(
            QueueEntry, _reserved, left, on=(QueueEntry.reserved_for == _reserved.id), attr="reserved_for"
        )
        .join_from(QueueEntry, _before, left, on=(QueueEntry.came_from == _before.id), attr="came_from")
        .join_from(_before, _before_ticket, left, on=(_before.ticket == _before_ticket.id), attr="ticket")
        .join_from(QueueEntry, _origin, left, on=(QueueEntry.returns_to == _origin.id), attr="returns_to")
    )


def _of_day(query: Any, cluster: str, day: date) -> Any:
    return query.where(
        QueueEntry.cluster == cluster, QueueEntry.service_on == day, QueueEntry.voided_at.is_null()
    )


def _turns(cluster: str, day: date) -> list[QueueEntry]:
    """A cluster's entries of one day with what decides whose turn it is, nothing joined."""
    columns = (
        QueueEntry.id,
        QueueEntry.status,
        QueueEntry.priority,
        QueueEntry.queued_at,
        QueueEntry.started_at,
        QueueEntry.called_at,
        QueueEntry.skipped_at,
        QueueEntry.served_at,
        QueueEntry.ended_at,
        QueueEntry.practitioner,
        QueueEntry.reserved_for,
    )
    return list(_of_day(QueueEntry.select(*columns), cluster, day))


def calling_ids(clinic: Clinic, cluster: str, day: date, for_account: str | None = None) -> list[str]:
    """Ids of who would be called, in order.

    Args:
        clinic: For its ratio and limits.
        cluster: Code.
        day: The clinic's day.
        for_account: Who calls: patients who come back to another clinician are left out, unless
            they have waited for that one beyond the limit.
    """
    rows = _turns(cluster, day)
    if for_account is not None:
        latest = clock.now() - wait_limit(clinic)
        rows = [
            row
            for row in rows
            if row.reserved_for_id in {None, for_account}
            or row.called_at is not None
            or row.started_at <= latest
        ]
    return _order(clinic, rows, _calls_until_back(clinic, rows))


def wait_limit(clinic: Clinic) -> timedelta:
    """After this wait a patient no longer yields to protected groups, nor waits for one clinician."""
    return timedelta(minutes=clinic.settings.regular_wait_limit_minutes)


def _calls_until_back(clinic: Clinic, rows: Iterable[QueueEntry]) -> dict[str, int]:
    """Skipped entry's id -> how many others are to be called first, 0 when it is time."""
    rows = list(rows)
    calls = sorted(row.called_at for row in rows if row.called_at is not None)
    after = clinic.settings.skip_returns_after
    return {
        row.id: max(0, after - (len(calls) - bisect_right(calls, row.skipped_at)))
        for row in rows
        if row.status == EntryStatus.SKIPPED
    }


def _order(clinic: Clinic, rows: Sequence[QueueEntry], back: Mapping[str, int]) -> list[str]:
    called = sorted((row for row in rows if row.called_at), key=lambda row: row.called_at, reverse=True)
    waiting = [
        Waiting(row.id, Priority(row.priority).rank, row.queued_at, back.get(row.id, 0))
        for row in rows
        if row.status in CALLABLE
    ]
    policy = Policy(clinic.settings.priority_ratio, wait_limit(clinic))
    return calling_order(waiting, [Priority(row.priority).rank for row in called], policy, clock.now())


def minutes_per_call(rows: Iterable[QueueEntry]) -> float | None:
    """Minutes between two calls of a cluster, by today's services; None until `SAMPLE` are finished.

    The median rather than the mean: one long dressing change must not frighten the whole
    waiting room. Several rooms share the queue; their number is that of the people who
    finished the last services.
    """
    done = sorted((row for row in rows if row.served_at and row.ended_at), key=lambda row: row.ended_at)
    if len(done) < SAMPLE:
        return None
    minutes: float = median((row.ended_at - row.served_at).total_seconds() / 60 for row in done)
    return minutes / max(1, len({row.practitioner_id for row in done[-ROOMS_SEEN_IN:]}))


def _wait_after(others: int, minutes: float | None) -> int | None:
    """Whole minutes until so many others have been called."""
    return None if minutes is None else round(others * minutes)


def queue(
    clinic: Clinic, actor: Actor, cluster: str, day: date | None = None, *, open_only: bool = False
) -> QueueShape:
    """One cluster's pane: in calling order, then those being served, then those ended.

    Args:
        clinic: For its clusters and order.
        actor: Who looks.
        cluster: Code.
        day: The clinic's day; today without.
        open_only: Leave out those ended, who are most of them by noon.

    Raises:
        NotAllowedError: The role may not see queues.
        NotFoundError: No such cluster.
    """
    actor.require(Permission.READ_QUEUES)
    code = clinic.clusters[cluster].code
    day = day or clinic.today()
    with connection():
        sequence = feed.newest_sequence()
        turns = _turns(code, day)
        shown = _of_day(_joined(_SHOWN), code, day)
        if open_only:
            shown = shown.where(QueueEntry.ended_at.is_null())
        rows = list(shown.order_by(QueueEntry.queued_at, QueueEntry.id))
    back = _calls_until_back(clinic, turns)
    order = _order(clinic, turns, back)
    minutes = minutes_per_call(turns)
    place = {entry_id: index for index, entry_id in enumerate(order, start=1)}
    rows.sort(key=lambda row: (row.ended_at is not None, row.id not in place, place.get(row.id, 0)))
    return QueueShape(
        cluster=code,
        date=day,
        sequence=sequence,
        entries=[shape_of(row, place.get(row.id), minutes, back.get(row.id, 0)) for row in rows],
        expected_wait_minutes=_wait_after(len(order), minutes),
    )


def entry(clinic: Clinic, actor: Actor, entry_id: str) -> EntryShape:
    """One entry, ended or not, for those who see queues.

    Raises:
        NotAllowedError: The role may not see queues.
        NotFoundError: No such entry.
    """
    actor.require(Permission.READ_QUEUES)
    return entry_shape(clinic, entry_id)


def entry_shape(clinic: Clinic, entry_id: str) -> EntryShape:
    """One entry as a pane shows it, with its place now."""
    with connection():
        entry = _one(entry_id, _SHOWN)
        position = minutes = None
        back: dict[str, int] = {}
        if entry.status in CALLABLE:
            turns = _turns(entry.cluster, entry.service_on)
            back = _calls_until_back(clinic, turns)
            order = _order(clinic, turns, back)
            position = order.index(entry.id) + 1 if entry.id in order else None
            minutes = minutes_per_call(turns)
        return shape_of(entry, position, minutes, back.get(entry.id, 0))


def shape_of(
    row: QueueEntry, position: int | None = None, minutes: float | None = None, calls_until_back: int = 0
) -> EntryShape:
    """An entry as sent to terminals.

    Args:
        row: With what `_SHOWN` names.
        position: 1 is next; None when not waiting.
        minutes: Between two calls of its cluster, from `minutes_per_call`.
        calls_until_back: For a skipped entry.
    """
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
        expected_wait_minutes=_wait_after(position - 1, minutes) if position else None,
        position=position,
        service_point=row.service_point,
        practitioner=row.practitioner.name if row.practitioner else None,
        reserved_for=row.reserved_for_id,
        reserved_name=row.reserved_for.name if row.reserved_for else None,
        call_count=row.call_count,
        calls_until_back=calls_until_back,
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
            "reserved_name": None,
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
                services=list(dict.fromkeys(taking.service for taking in cluster.takes)),
                emergency=cluster.code == clinic.clusters.emergency.code,
            )
        )
    return shapes

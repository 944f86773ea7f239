"""Queue entries as rows: one with all that belongs to it, and the open entries of a visit or a patient."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from peewee import JOIN

from core.foundation.errors import ConflictError, NotFoundError
from core.models import Account, Patient, QueueEntry, Ticket, Visit

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
"""The columns that a pane needs and no more: a pane of two hundred whole rows takes five times as long."""


def load_entry(entry_id: str) -> QueueEntry:
    """Return an entry with ticket, visit and patient joined, to be acted on.

    Raises:
        NotFoundError: There is no such entry.
    """
    return _one(entry_id, _WHOLE)


def load_shown_entry(entry_id: str) -> QueueEntry:
    """Return an entry with the columns that a pane shows.

    Raises:
        NotFoundError: There is no such entry.
    """
    return _one(entry_id, _SHOWN)


def shown_entries() -> Any:
    """Return the query of entries with the columns that a pane shows; the caller says which."""
    return _joined(_SHOWN)


def of_day(query: Any, cluster: str, day: date) -> Any:
    """Return a query of entries limited to a cluster and a day, without voided ones.

    Args:
        query: A query of queue entries.
        cluster: The cluster's code.
        day: The service day.
    """
    return query.where(
        QueueEntry.cluster == cluster, QueueEntry.service_on == day, QueueEntry.voided_at.is_null()
    )


def present(query: Any, days: Mapping[date, Collection[str]]) -> Any:
    """Return a query limited to the entries of present service days, and to those of other days that are still open.

    Nobody who waits is forgotten because the day has changed, or because the clock was wrong.

    Args:
        query: A query of queue entries.
        days: Service day -> codes of the clusters for which it is the present one.
    """
    chosen = [
        (QueueEntry.cluster.in_(list(clusters))) & _of_day_or_open(day, clusters)
        for day, clusters in days.items()
    ]
    return query.where(reduce(or_, chosen), QueueEntry.voided_at.is_null())


def _of_day_or_open(day: date, clusters: Collection[str]) -> Any:
    """Return the condition; the days are named, so that the index of clusters and days serves."""
    others = open_days(clusters) - {day}
    if not others:
        return QueueEntry.service_on == day
    is_left_over = QueueEntry.service_on.in_(sorted(others)) & QueueEntry.ended_at.is_null()
    return (QueueEntry.service_on == day) | is_left_over


def open_days(clusters: Collection[str]) -> set[date]:
    """Return the service days of which entries in some clusters are open."""
    query = QueueEntry.select(QueueEntry.service_on).distinct()
    return {row.service_on for row in open_entries(query).where(QueueEntry.cluster.in_(list(clusters)))}


def open_entries(query: Any) -> Any:
    """Return a query limited to entries that have not ended: few, and in an index of their own."""
    return query.where(QueueEntry.ended_at.is_null(), QueueEntry.voided_at.is_null())


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


def open_entry_of(visit_id: str, *, besides: str | None = None) -> QueueEntry | None:
    """Return the entry of a visit that has not ended, with ticket, visit and patient joined.

    Args:
        visit_id: The visit.
        besides: Id of an entry that does not count.
    """
    open_entries = QueueEntry.select(QueueEntry.id).where(
        QueueEntry.visit == visit_id, QueueEntry.ended_at.is_null(), QueueEntry.voided_at.is_null()
    )
    if besides is not None:
        open_entries = open_entries.where(QueueEntry.id != besides)
    found = open_entries.first()
    return load_entry(found.id) if found is not None else None


def place_held(patient_id: str, cluster: str, *, besides: str | None = None) -> QueueEntry | None:
    """Return the open entry by which a patient stands in a cluster's queue, or will come back to it.

    Args:
        patient_id: The patient.
        cluster: Code of the cluster.
        besides: Id of an entry that does not count: the one that is being moved.
    """
    held = (entry for entry in _open_entries(patient_id) if entry.id != besides)
    return next((entry for entry in held if cluster in _clusters_of(entry)), None)


def refuse_second_place(patient_id: str, cluster: str, *, besides: str | None = None) -> None:
    """Refuse a second place for one patient in one queue: the one gate for every way into a queue.

    Args:
        patient_id: The patient.
        cluster: Code of the cluster.
        besides: Id of an entry that does not count.

    Raises:
        ConflictError: `already_in_queue`, with the number held there.
    """
    held = place_held(patient_id, cluster, besides=besides)
    if held is not None:
        raise ConflictError(
            "already_in_queue",
            number=held.ticket.number,
            cluster=cluster,
            status=held.status,
            entry_id=held.id,
        )


def refuse_shared_queue(left_id: str, right_id: str) -> None:
    """Refuse to make two patients one while both stand in one queue: one of the places has to end first.

    Raises:
        ConflictError: `both_in_queue`, with both numbers.
    """
    for entry in _open_entries(left_id):
        for cluster in _clusters_of(entry):
            other = place_held(right_id, cluster)
            if other is not None:
                numbers = sorted([entry.ticket.number, other.ticket.number])
                raise ConflictError("both_in_queue", number=numbers[0], other=numbers[1], cluster=cluster)


def _open_entries(patient_id: str) -> list[QueueEntry]:
    """Return a patient's entries that have not ended, of whatever day, with their tickets."""
    found = (
        QueueEntry.select(QueueEntry, Ticket)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .where(
            Visit.patient == patient_id,
            QueueEntry.ended_at.is_null(),
            QueueEntry.voided_at.is_null(),
        )
        .order_by(QueueEntry.started_at)
    )
    return list(found)


def _clusters_of(entry: QueueEntry) -> list[str]:
    """Return the cluster of an entry, then those to which the patient comes back from there."""
    clusters = [entry.cluster]
    while entry.returns_to is not None:
        entry = entry.returns_to
        clusters.append(entry.cluster)
    return clusters

"""Queue entries as rows: one with all that belongs to it, and the open entries of a visit or a patient."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from peewee import JOIN

from core.foundation.codes import EntryStatus
from core.foundation.errors import ConflictError, NotFoundError
from core.foundation.statements import Statement, among, as_row, given
from core.models import Account, Patient, QueueEntry, Table, Ticket, Visit

_practitioner, _reserved = Account.alias("practitioner"), Account.alias("reserved")
_before, _before_ticket = QueueEntry.alias("before"), Ticket.alias("before_ticket")
_origin = QueueEntry.alias("origin")
Parts = tuple[tuple[type[Table], str, tuple[str, ...]], ...]
"""Table, path from the entry and columns of each part of an entry."""
_ACTED_ON: Parts = tuple(
    (table, path, tuple(table._meta.sorted_field_names))
    for table, path in ((QueueEntry, ""), (Ticket, "ticket"), (Visit, "visit"), (Patient, "visit.patient"))
)
"""An entry that is acted on: all of it, its ticket, visit and patient."""


class ShownEntry(NamedTuple):
    """An entry as a pane shows it: what that needs and no more, so that a long pane costs little."""

    id: str
    visit_id: str
    cluster: str
    service_on: date
    status: str
    priority: str
    priority_reason: str
    version: int
    queued_at: datetime
    service_point: str | None
    reserved_for: str | None
    """Account id of the clinician to whom the patient comes back."""
    call_count: int
    skipped_at: datetime | None
    started_at: datetime
    called_at: datetime | None
    served_at: datetime | None
    ended_at: datetime | None
    turn: int
    number: str
    issued_at: datetime
    chief_complaint: str
    patient_id: str
    patient_name: str
    birth_date: date
    sex: str
    medical_record_number: str
    practitioner: str | None
    """Name of the practitioner who called or serves."""
    reserved_name: str | None
    before_cluster: str | None
    """Cluster of the entry that ended for this one, with its number."""
    before_number: str | None
    returns_to: str | None
    """Cluster to which the patient goes back."""


def load_entry(entry_id: str) -> QueueEntry:
    """Return an entry with ticket, visit and patient joined, to be acted on.

    Raises:
        NotFoundError: There is no such entry.
    """
    cells = _TO_BE_ACTED_ON.first(id=entry_id)
    if cells is None:
        raise NotFoundError("queue_entry", entry_id)
    return _entry_of(cells)


def load_shown_entry(entry_id: str) -> ShownEntry:
    """Return an entry as a pane shows it, whichever pane it is or was in.

    Raises:
        NotFoundError: There is no such entry.
    """
    cells = _SHOWN_BY_ID.first(id=entry_id)
    if cells is None:
        raise NotFoundError("queue_entry", entry_id)
    return ShownEntry._make(cells)


def load_pane_entry(entry_id: str, cluster: str, day: date) -> ShownEntry:
    """Return an entry out of a cluster's pane.

    Args:
        entry_id: The entry.
        cluster: Code of the cluster.
        day: Its present service day.

    Raises:
        NotFoundError: The pane does not show it.
    """
    cells = _IN_PANE_BY_ID.first(id=entry_id, cluster=cluster, day=day)
    if cells is None:
        raise NotFoundError("queue_entry", entry_id)
    return ShownEntry._make(cells)


def pane_entries(cluster: str, day: date, *, is_present: bool, open_only: bool = False) -> list[ShownEntry]:
    """Return the entries of a cluster's pane, by the time of their beginning.

    Args:
        cluster: Code of the cluster.
        day: The service day.
        is_present: Whether it is the present one: those of other days who are still there are shown too.
        open_only: Leave out those who have ended.
    """
    rows: list[tuple[Any, ...]] = []
    if is_present:
        rows += _SHOWN_OPEN.rows(cluster=cluster)
        rows += [] if open_only else _SHOWN_ENDED_OF_DAY.rows(cluster=cluster, day=day)
    else:
        rows += _SHOWN_OF_DAY.rows(cluster=cluster, day=day)
    found = [ShownEntry._make(cells) for cells in rows]
    if open_only:
        found = [entry for entry in found if entry.ended_at is None]
    return sorted(found, key=lambda entry: (entry.queued_at, entry.id))


def shown_open_of(visit_id: str) -> ShownEntry | None:
    """Return the entry of a visit that has not ended, as a pane shows it."""
    cells = _SHOWN_OPEN_OF_VISIT.first(visit=visit_id)
    return None if cells is None else ShownEntry._make(cells)


def shown_by_ids(ids: Sequence[str]) -> list[ShownEntry]:
    """Return entries as a pane shows them, those that ended last first."""
    return [ShownEntry._make(cells) for cells in _SHOWN_BY_IDS.rows(ids=ids)] if ids else []


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


def _entry_of(cells: Sequence[Any]) -> QueueEntry:
    """Return an entry that is acted on, with the rows that belong to it, from the cells of one row."""
    found: dict[str, Any] = {}
    start = 0
    for table, path, names in _ACTED_ON:
        part, start = cells[start : start + len(names)], start + len(names)
        row = as_row(table, names, part)
        found[path] = row
        if path:
            holder, _, name = path.rpartition(".")
            setattr(found[holder], name, row)
            found[holder]._dirty.discard(name)
    entry: QueueEntry = found[""]
    return entry


def _whole() -> Any:
    """Return the query of entries to be acted on."""
    return (
        QueueEntry.select(QueueEntry, Ticket, Visit, Patient)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .join_from(Visit, Patient)
    )


def _shown() -> Any:
    """Return the query of entries as a pane shows them, with the columns of `ShownEntry`."""
    left, own = JOIN.LEFT_OUTER, QueueEntry
    columns = (
        own.id, own.visit, own.cluster, own.service_on, own.status, own.priority, own.priority_reason, own.version,
        own.queued_at, own.service_point, own.reserved_for, own.call_count, own.skipped_at, own.started_at,
        own.called_at, own.served_at, own.ended_at, Ticket.turn, Ticket.number, Ticket.issued_at,
        Visit.chief_complaint, Patient.id, Patient.name, Patient.birth_date, Patient.sex,
        Patient.medical_record_number, _practitioner.name, _reserved.name, _before.cluster, _before_ticket.number,
        _origin.cluster,
    )  # fmt: skip
    return (
        QueueEntry.select(*columns)
        .join_from(QueueEntry, Ticket)
        .join_from(QueueEntry, Visit)
        .join_from(Visit, Patient)
        .join_from(QueueEntry, _practitioner, left, on=(QueueEntry.practitioner == _practitioner.id))
        .join_from(QueueEntry, _reserved, left, on=(QueueEntry.reserved_for == _reserved.id))
        .join_from(QueueEntry, _before, left, on=(QueueEntry.came_from == _before.id))
        .join_from(_before, _before_ticket, left, on=(_before.ticket == _before_ticket.id))
        .join_from(QueueEntry, _origin, left, on=(QueueEntry.returns_to == _origin.id))
    )


def _is_open() -> Any:
    """Return the condition of those who are there: of whatever day, nobody who waits is forgotten."""
    return QueueEntry.ended_at.is_null() & QueueEntry.voided_at.is_null()


def is_there() -> Any:
    """Return the condition of those who are there by their status: so the index of a cluster's open entries serves.

    By the cluster alone another would, and lead over all entries of all years.
    """
    return QueueEntry.status.in_([status for status in EntryStatus if not status.is_ended])


def _is_of_day() -> Any:
    return (QueueEntry.service_on == given("day")) & QueueEntry.voided_at.is_null()


def _in_cluster() -> Any:
    return QueueEntry.cluster == given("cluster")


_TO_BE_ACTED_ON = Statement(lambda: _whole().where(QueueEntry.id == given("id")))
_SHOWN_BY_ID = Statement(lambda: _shown().where(QueueEntry.id == given("id")))
_SHOWN_BY_IDS = Statement(
    lambda: _shown().where(among(QueueEntry.id, "ids")).order_by(QueueEntry.ended_at.desc())
)
_SHOWN_OPEN_OF_VISIT = Statement(lambda: _shown().where(QueueEntry.visit == given("visit"), _is_open()))
_SHOWN_OPEN = Statement(lambda: _shown().where(_in_cluster(), is_there(), _is_open()))
_SHOWN_OF_DAY = Statement(lambda: _shown().where(_in_cluster(), _is_of_day()))
_SHOWN_ENDED_OF_DAY = Statement(
    lambda: _shown().where(_in_cluster(), _is_of_day(), QueueEntry.ended_at.is_null(False))
)
_IN_PANE_BY_ID = Statement(
    lambda: _shown().where(QueueEntry.id == given("id"), _in_cluster(), _is_open() | _is_of_day())
)


def open_entry_of(visit_id: str, *, besides: str | None = None) -> QueueEntry | None:
    """Return the entry of a visit that has not ended, with ticket, visit and patient joined.

    Args:
        visit_id: The visit.
        besides: Id of an entry that does not count.
    """
    cells = _OPEN_OF_VISIT.first(visit=visit_id, besides=besides or "")
    return None if cells is None else _entry_of(cells)


_OPEN_OF_VISIT = Statement(
    lambda: _whole().where(QueueEntry.visit == given("visit"), _is_open(), QueueEntry.id != given("besides"))
)


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
    """Return a patient's entries that have not ended, of whatever day, with ticket and visit."""
    return [_entry_of(cells) for cells in _OPEN_OF_PATIENT.rows(patient=patient_id)]


_OPEN_OF_PATIENT = Statement(
    lambda: _whole().where(Visit.patient == given("patient"), _is_open()).order_by(QueueEntry.started_at)
)


def _clusters_of(entry: QueueEntry) -> list[str]:
    """Return the cluster of an entry, then those to which the patient comes back from there."""
    clusters = [entry.cluster]
    while entry.returns_to is not None:
        entry = entry.returns_to
        clusters.append(entry.cluster)
    return clusters

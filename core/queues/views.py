"""Queues as panes and counters see them, and entries as the API sends them. Reads only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from core.foundation import clock, feed
from core.foundation.ages import age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus, Permission, Priority, Sex
from core.foundation.database import connection
from core.foundation.permissions import Actor
from core.models import Patient, QueueEntry, Ticket
from core.queues import people_left, service_days
from core.queues.clusters import Cluster
from core.queues.entries import load_shown_entry, of_day, present, shown_entries
from core.queues.ordering import Policy, Waiting, calling_order
from core.queues.row_alerts import RowAlerts, alerts_of
from core.schemas.queues import ClusterOut, EntryOut, EntryPatient, QueueOut

Limit = Callable[[Any], Any]
"""Limits a query of queue entries to those of a cluster and day."""
CALLABLE = (EntryStatus.WAITING, EntryStatus.SKIPPED)
SAMPLE = 5
"""Finished services needed before a wait is estimated; fewer say nothing of the median."""
ROOMS_SEEN_IN = 20
"""Newest finished services whose practitioners are counted as the rooms at work."""


def _turns(limited: Limit) -> list[QueueEntry]:
    """Return entries with the columns that decide the calling order."""
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
        QueueEntry.service_on,
        Ticket.sequence,
    )
    return list(limited(QueueEntry.select(*columns).join(Ticket)))


def _present(clinic: Clinic, cluster: str) -> Limit:
    """Return what limits a query to those who are in a cluster's queue, or were on its present service day."""
    day = service_days.present_day(clinic, cluster)
    return lambda query: present(query, {day: [cluster]})


def calling_ids(clinic: Clinic, cluster: str, for_account: str | None = None) -> list[str]:
    """Return the ids of the entries that can be called, in calling order.

    Args:
        clinic: For its ratio and limits.
        cluster: Code of the cluster.
        for_account: Id of the account that calls: patients who come back to another clinician are
            left out, unless they have waited for that one beyond the limit.
    """
    rows = _turns(_present(clinic, cluster))
    if for_account is not None:
        latest = clock.now() - wait_limit(clinic)
        rows = [row for row in rows if _may_call(row, for_account, latest)]
    return _order(clinic, cluster, rows, _calls_until_back(clinic, rows))


def _may_call(row: QueueEntry, account_id: str, latest: datetime) -> bool:
    """Return whether an account may call the entry: it is reserved for no other, or has waited since `latest`."""
    if row.reserved_for_id in {None, account_id}:
        return True
    return row.called_at is not None or row.started_at <= latest


def wait_limit(clinic: Clinic) -> timedelta:
    """Return the wait after which a patient no longer yields to protected groups, nor waits for one clinician."""
    return timedelta(minutes=clinic.settings.regular_wait_limit_minutes)


def _calls_until_back(clinic: Clinic, rows: Iterable[QueueEntry]) -> dict[str, int]:
    """Return skipped entry's id -> number of others to be called first; 0 when its turn is back."""
    rows = list(rows)
    calls = sorted(row.called_at for row in rows if row.called_at is not None)
    after = clinic.settings.skip_returns_after
    return {
        row.id: max(0, after - (len(calls) - bisect_right(calls, row.skipped_at)))
        for row in rows
        if row.status == EntryStatus.SKIPPED and row.skipped_at
    }


def _order(clinic: Clinic, cluster: str, rows: Sequence[QueueEntry], back: Mapping[str, int]) -> list[str]:
    day = service_days.present_day(clinic, cluster)
    called = sorted(
        (row for row in rows if row.called_at), key=lambda row: clock.known(row.called_at), reverse=True
    )
    waiting = [
        Waiting(
            row.id,
            Priority(row.priority).rank,
            row.queued_at,
            back.get(row.id, 0),
            # A day that is not there yet was noted by a clock that ran ahead: they came before now.
            (min(row.service_on, day), row.ticket.sequence),
        )
        for row in rows
        if row.status in CALLABLE
    ]
    policy = Policy(clinic.settings.priority_ratio, wait_limit(clinic))
    return calling_order(waiting, [Priority(row.priority).rank for row in called], policy, clock.now())


def minutes_per_call(rows: Iterable[QueueEntry]) -> float | None:
    """Return the minutes between two calls of a cluster; None until `SAMPLE` services are finished.

    The median rather than the mean: one long dressing change must not frighten the whole
    waiting room. Several rooms share the queue; their number is that of the people who
    finished the last services.

    Args:
        rows: The cluster's entries of one day.
    """
    done = sorted(
        (row for row in rows if row.served_at and row.ended_at), key=lambda row: clock.known(row.ended_at)
    )
    if len(done) < SAMPLE:
        return None
    minutes: float = median(_service_time(row).total_seconds() / 60 for row in done)
    return minutes / max(1, len({row.practitioner_id for row in done[-ROOMS_SEEN_IN:]}))


def _service_time(row: QueueEntry) -> timedelta:
    return clock.known(row.ended_at) - clock.known(row.served_at)


def _wait_after(others: int, minutes: float | None) -> int | None:
    """Return whole minutes until so many others have been called."""
    return None if minutes is None else round(others * minutes)


def queue(
    clinic: Clinic, actor: Actor, cluster: str, day: date | None = None, *, open_only: bool = False
) -> QueueOut:
    """Return one cluster's pane: entries in calling order, then those in service, then those ended.

    Args:
        clinic: For its clusters and order.
        actor: Actor who reads.
        cluster: Code of the cluster.
        day: A service day; unless given, the present one, with those of other days who are still there.
        open_only: Leave out ended entries, which are most of them by noon.

    Raises:
        NotAllowedError: The role may not see queues.
        NotFoundError: There is no such cluster.
    """
    actor.require(Permission.READ_QUEUES)
    code = clinic.clusters[cluster].code
    today = service_days.present_day(clinic, code)
    day = day or today
    limited = _present(clinic, code) if day == today else partial(of_day, cluster=code, day=day)
    with connection():
        sequence = feed.newest_sequence()
        turns = _turns(limited)
        shown = limited(shown_entries())
        if open_only:
            shown = shown.where(QueueEntry.ended_at.is_null())
        rows = list(shown.order_by(QueueEntry.queued_at, QueueEntry.id))
        day_end = people_left.present_state(clinic, code) if day == today else None
    back = _calls_until_back(clinic, turns)
    order = _order(clinic, code, turns, back)
    minutes = minutes_per_call(turns)
    place = {entry_id: index for index, entry_id in enumerate(order, start=1)}
    alerts = alerts_of([row.visit_id for row in rows])
    rows.sort(key=lambda row: (row.ended_at is not None, row.id not in place, place.get(row.id, 0)))
    return QueueOut(
        cluster=code,
        date=day,
        sequence=sequence,
        entries=[
            for_actor(
                actor,
                entry_row_out(
                    row,
                    place.get(row.id),
                    minutes,
                    back.get(row.id, 0),
                    alerts.get(row.visit_id),
                ),
            )
            for row in rows
        ],
        expected_wait_minutes=_wait_after(len(order), minutes),
        day_end=day_end,
    )


def entry(clinic: Clinic, actor: Actor, entry_id: str) -> EntryOut:
    """Return one entry, ended or not, for a role that sees queues.

    Args:
        clinic: For the calling order.
        actor: Actor who reads.
        entry_id: The entry.

    Raises:
        NotAllowedError: The role may not see queues.
        NotFoundError: There is no such entry.
    """
    actor.require(Permission.READ_QUEUES)
    return for_actor(actor, entry_out(clinic, entry_id))


def entry_out(clinic: Clinic, entry_id: str) -> EntryOut:
    """Return one entry as a pane shows it, with its present place.

    Raises:
        NotFoundError: There is no such entry.
    """
    with connection():
        entry = load_shown_entry(entry_id)
        position = minutes = None
        back: dict[str, int] = {}
        if entry.status in CALLABLE:
            turns = _turns(_present(clinic, entry.cluster))
            back = _calls_until_back(clinic, turns)
            order = _order(clinic, entry.cluster, turns, back)
            position = order.index(entry.id) + 1 if entry.id in order else None
            minutes = minutes_per_call(turns)
        alerts = alerts_of([entry.visit_id]).get(entry.visit_id)
        return entry_row_out(entry, position, minutes, back.get(entry.id, 0), alerts)


def entry_row_out(
    row: QueueEntry,
    position: int | None = None,
    minutes: float | None = None,
    calls_until_back: int = 0,
    alerts: RowAlerts | None = None,
) -> EntryOut:
    """Return an entry as sent to terminals.

    Args:
        row: From `core.queues.entries`, with its ticket, visit and patient.
        position: 1 is next; None when not waiting.
        minutes: Minutes between two calls of its cluster, from `minutes_per_call`.
        calls_until_back: For a skipped entry.
        alerts: What the row must say before anything else; None for nothing.
    """
    alerts = alerts or RowAlerts()
    end = row.called_at or row.ended_at or clock.now()
    return EntryOut(
        id=row.id,
        visit_id=row.visit_id,
        number=row.ticket.number,
        cluster=row.cluster,
        status=EntryStatus(row.status),
        priority=Priority(row.priority),
        priority_reason=row.priority_reason,
        version=row.version,
        patient=entry_patient_out(row.visit.patient, row.service_on),
        chief_complaint=row.visit.chief_complaint,
        waited_minutes=minutes_between(row.started_at, end),
        expected_wait_minutes=_wait_after(position - 1, minutes) if position else None,
        position=position,
        service_point=row.service_point,
        practitioner=row.practitioner.name if row.practitioner else None,
        reserved_for=row.reserved_for_id,
        reserved_name=row.reserved_for.name if row.reserved_for else None,
        call_count=row.call_count,
        calls_until_back=calls_until_back,
        came_from=_came_from(row),
        returns_to=row.returns_to.cluster if row.returns_to else None,
        issued_at=row.ticket.issued_at,
        started_at=row.started_at,
        called_at=row.called_at,
        served_at=row.served_at,
        ended_at=row.ended_at,
        critical=alerts.critical,
        told=alerts.told,
        corrected=alerts.corrected,
        clashes=alerts.clashes,
    )


def entry_patient_out(patient: Patient, day: date) -> EntryPatient:
    """Return the little that a pane shows of a patient; the age is that of `day`."""
    return EntryPatient(
        id=patient.id,
        name=patient.name,
        age=age_in_years(patient.birth_date, day),
        sex=Sex(patient.sex),
        medical_record_number=patient.medical_record_number,
        birth_date=patient.birth_date,
    )


def _came_from(row: QueueEntry) -> str | None:
    origin = row.came_from
    return f"{origin.ticket.number} {origin.cluster}" if origin else None


def minutes_between(start: datetime, end: datetime) -> int:
    """Return whole minutes, 0 where `end` lies before `start`."""
    return max(0, int((end - start).total_seconds() // 60))


def for_actor(actor: Actor, entry: EntryOut) -> EntryOut:
    """Return an entry as an account may see it: the complaint in its own clusters, or by right."""
    return entry if actor.sees_complaints(entry.cluster) else entry.without_findings()


def for_display(entry: EntryOut) -> EntryOut:
    """Return the same entry without anything of the patient (UU 27/2022: numbers only)."""
    return entry.without_findings().model_copy(
        update={
            "patient": None,
            "priority_reason": "",
            "practitioner": None,
            "reserved_for": None,
            "reserved_name": None,
            "visit_id": "",
            "priority": Priority.REGULAR,
        }
    )


def clusters(clinic: Clinic, actor: Actor) -> list[ClusterOut]:
    """Return all clusters with the number of waiting patients and the number last called.

    Raises:
        NotAllowedError: The role may not see the display.
    """
    actor.require(Permission.READ_DISPLAY)
    columns = (QueueEntry.cluster, QueueEntry.status, QueueEntry.called_at, Ticket.number)
    with connection():
        rows = list(present(QueueEntry.select(*columns).join(Ticket), service_days.present_days(clinic)))
    return [
        _cluster_out(clinic, cluster, [row for row in rows if row.cluster == cluster.code])
        for cluster in clinic.clusters.values()
    ]


def _cluster_out(clinic: Clinic, cluster: Cluster, rows: Sequence[QueueEntry]) -> ClusterOut:
    called = [row for row in rows if row.status == EntryStatus.CALLED]
    last = max(called, key=lambda row: clock.known(row.called_at), default=None)
    return ClusterOut(
        code=cluster.code,
        name=cluster.name,
        prefix=cluster.prefix,
        waiting=sum(row.status in CALLABLE for row in rows),
        called_number=last.ticket.number if last else None,
        first_destination=cluster.stage == "first",
        services=list(dict.fromkeys(taking.service for taking in cluster.takes)),
        emergency=cluster.code == clinic.clusters.emergency.code,
    )

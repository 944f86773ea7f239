"""Queues as panes and counters see them, and entries as the API sends them. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from core.foundation import clock, feed
from core.foundation.ages import age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import EntryStatus, Permission, Priority, Sex
from core.foundation.database import connection, snapshot
from core.foundation.permissions import Actor
from core.models import Patient, QueueEntry, Ticket
from core.queues import people_left, places, service_days
from core.queues.clusters import Cluster
from core.queues.entries import ShownEntry, load_pane_entry, load_shown_entry, pane_entries, present
from core.queues.place_queries import CALLABLE
from core.queues.row_alerts import NO_ALERTS, RowAlerts, alerts_of
from core.schemas.queues import ClusterOut, EntryOut, EntryPatient, QueueOut


def calling_ids(clinic: Clinic, cluster: str) -> list[str]:
    """Return the ids of the entries that can be called, in calling order.

    Args:
        clinic: For its ratio and limits.
        cluster: Code of the cluster.
    """
    day = service_days.present_day(clinic, cluster)
    with snapshot():
        calls = places.newest_calls(clinic, cluster, day)
        rows = pane_entries(cluster, day, is_present=True, open_only=True)
    return places.order_of(clinic, rows, day, calls)


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
    with snapshot():
        sequence = feed.newest_sequence()
        rows = pane_entries(code, day, is_present=day == today, open_only=open_only)
        calls = places.newest_calls(clinic, code, day, is_present=day == today)
        minutes = places.minutes_per_call(code, day)
        day_end = people_left.present_state(clinic, code) if day == today else None
        alerts = alerts_of([row.visit_id for row in rows])
    order = places.order_of(clinic, rows, today, calls)
    place = {entry_id: index for index, entry_id in enumerate(order, start=1)}
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
                    places.until_back(clinic, row, calls),
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
    row = load_shown_entry(entry_id)
    if row.status in CALLABLE:
        with snapshot():
            return _placed(clinic, load_shown_entry(entry_id), alerts_of([row.visit_id]).get(row.visit_id))
    return entry_row_out(row, alerts=alerts_of([row.visit_id]).get(row.visit_id))


def pane_entry_out(clinic: Clinic, entry_id: str, cluster: str) -> EntryOut:
    """Return one entry out of the pane of a cluster, as that shows it but for findings: the proof of a save.

    Args:
        clinic: For the calling order.
        entry_id: The entry.
        cluster: Code of the cluster.

    Raises:
        NotFoundError: The pane does not show it.
    """
    with snapshot():
        day = service_days.present_day(clinic, cluster)
        return _placed(clinic, load_pane_entry(entry_id, cluster, day), None)


def _placed(clinic: Clinic, row: ShownEntry, alerts: RowAlerts | None) -> EntryOut:
    """Return an entry with its place."""
    place = places.placed(clinic, row)
    return entry_row_out(row, place.position, place.minutes, place.calls_until_back, alerts)


def entry_row_out(
    row: ShownEntry,
    position: int | None = None,
    minutes: float | None = None,
    calls_until_back: int = 0,
    alerts: RowAlerts | None = None,
) -> EntryOut:
    """Return an entry as sent to terminals.

    Args:
        row: From `core.queues.entries`.
        position: 1 is next; None when not waiting.
        minutes: Minutes between two calls of its cluster, from `minutes_per_call`.
        calls_until_back: For a skipped entry.
        alerts: What the row must say before anything else; None for nothing.
    """
    alerts = alerts or NO_ALERTS
    end = row.called_at or row.ended_at or clock.now()
    return EntryOut(
        id=row.id,
        visit_id=row.visit_id,
        number=row.number,
        cluster=row.cluster,
        status=_STATUSES[row.status],
        priority=_PRIORITIES[row.priority],
        priority_reason=row.priority_reason,
        version=row.version,
        patient=_patient_out(row),
        chief_complaint=row.chief_complaint,
        waited_minutes=minutes_between(row.started_at, end),
        expected_wait_minutes=_wait_after(position - 1, minutes) if position else None,
        position=position,
        service_point=row.service_point,
        practitioner=row.practitioner,
        reserved_for=row.reserved_for,
        reserved_name=row.reserved_name,
        call_count=row.call_count,
        calls_until_back=calls_until_back,
        came_from=f"{row.before_number} {row.before_cluster}" if row.before_number else None,
        returns_to=row.returns_to,
        issued_at=row.issued_at,
        started_at=row.started_at,
        called_at=row.called_at,
        served_at=row.served_at,
        ended_at=row.ended_at,
        warnings=[],
        critical=alerts.critical,
        told=alerts.told,
        corrected=alerts.corrected,
        clashes=alerts.clashes,
    )


def _patient_out(row: ShownEntry) -> EntryPatient:
    return EntryPatient(
        id=row.patient_id,
        name=row.patient_name,
        age=age_in_years(row.birth_date, row.service_on),
        sex=_SEXES[row.sex],
        medical_record_number=row.medical_record_number,
        birth_date=row.birth_date,
    )


_STATUSES = {status.value: status for status in EntryStatus}
_PRIORITIES = {priority.value: priority for priority in Priority}
_SEXES = {sex.value: sex for sex in Sex}


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

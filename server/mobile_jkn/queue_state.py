"""Tells Mobile JKN of a cluster's queue and of one number in it."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentStatus, EntryStatus
from core.models import Appointment, QueueEntry, Ticket, TicketCounter
from core.queues import turns
from core.queues.clusters import Cluster
from core.visits import roster_versions

COME = "Datang sebelum giliran Anda dan tunjukkan nomor ini di loket."
AT_THE_CLINIC = {
    EntryStatus.WAITING: "Anda sudah terdaftar di loket; tunggu panggilan.",
    EntryStatus.CALLED: "Nomor Anda sedang dipanggil.",
    EntryStatus.IN_SERVICE: "Anda sedang dilayani.",
    EntryStatus.SKIPPED: "Nomor Anda sudah dipanggil dan terlewat; segera lapor ke loket.",
    EntryStatus.DONE: "Pelayanan sudah selesai.",
    EntryStatus.LEFT: "Anda tercatat sudah pulang.",
    EntryStatus.TRANSFERRED: "Anda sudah dipindahkan ke poli lain; tanyakan di loket.",
}
"""Where the patient of a number is -> what is said of it."""


def status_of(clinic: Clinic, cluster: Cluster, on: date) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the state of a cluster's queue: one for each session of the roster, or one where it knows of none.

    A cluster has one line for all who work in it, so its figures are the same for each of them.

    Args:
        clinic: The clinic.
        cluster: The cluster.
        on: Day.
    """
    counter = TicketCounter.get_or_none(TicketCounter.cluster == cluster.code, TicketCounter.service_on == on)
    state: dict[str, Any] = {
        "namapoli": cluster.name,
        "totalantrean": counter.last_number if counter else 0,
        "sisaantrean": remaining(cluster.code, on),
        "antreanpanggil": called(cluster.code, on),
        "keterangan": f"Pendaftaran hari ini dibuka sampai pukul {clinic.settings.close_at:%H:%M}."
        if on == clinic.today()
        else "",
    }
    roster = roster_versions.current(clinic)
    if not roster.of_cluster(cluster.code):
        return state
    return [
        state | {"kodedokter": session.doctor, "namadokter": session.name, "jampraktek": str(session.hours)}
        for session in roster.of_day(cluster.code, on)
    ]


def told(appointment: Appointment) -> str:
    """Return what the holder of a number should know: to come, or what became of it at the clinic."""
    if appointment.status == AppointmentStatus.BOOKED:
        return COME
    newest = (
        QueueEntry.select()
        .join(Ticket)
        .where(QueueEntry.visit == appointment.visit_id, QueueEntry.voided_at.is_null())
        .order_by(QueueEntry.started_at.desc())
        .first()
    )
    if newest is None:
        return COME
    if newest.cluster != appointment.cluster:
        return AT_THE_CLINIC[EntryStatus.TRANSFERRED]
    return AT_THE_CLINIC.get(EntryStatus(newest.status), "")


def remaining(cluster: str, on: date, before: int | None = None) -> int:
    """Count a cluster's numbers that have yet to be called, including those kept for people at home.

    Args:
        cluster: Code of the cluster.
        on: Day.
        before: Number before which they are counted; None: all.
    """
    waiting = (
        QueueEntry.select()
        .join(Ticket)
        .where(
            QueueEntry.cluster == cluster,
            QueueEntry.service_on == on,
            QueueEntry.status.in_([EntryStatus.WAITING, EntryStatus.SKIPPED]),
            QueueEntry.voided_at.is_null(),
        )
    )
    kept = Appointment.select().where(
        Appointment.cluster == cluster,
        Appointment.service_on == on,
        Appointment.status == AppointmentStatus.BOOKED,
    )
    if before is not None:
        waiting, kept = (
            waiting.where(Ticket.turn < turns.of_number(before)),
            kept.where(Appointment.sequence < before),
        )
    return int(waiting.count()) + int(kept.count())


def called(cluster: str, on: date) -> str:
    """Return the number of a cluster that was called last; `-` before the first."""
    newest = (
        QueueEntry.select(QueueEntry, Ticket)
        .join(Ticket)
        .where(
            QueueEntry.cluster == cluster,
            QueueEntry.service_on == on,
            QueueEntry.called_at.is_null(False),
            QueueEntry.voided_at.is_null(),
        )
        .order_by(QueueEntry.called_at.desc())
        .first()
    )
    return str(newest.ticket.number) if newest is not None else "-"

"""The bodies of the calls to the queue of Mobile JKN, and the doctor's session that a number is for: pure.

Source: docs/reference/bpjs.md 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from core.exchange.bpjs.queue_calls import QueueCall
from core.models import Patient, Ticket, Visit
from core.visits.roster import Hours

REMARK = "Silakan menunggu panggilan di ruang tunggu."
"""Text of a number's `keterangan`, which Mobile JKN shows the patient."""
CANCELLED = "Dibatalkan di loket pendaftaran"
"""Reason that is told: the clinic's own may name a patient."""


class QueueGapError(Exception):
    """Something lacks, here or in BPJS's lists, that a call needs.

    Attributes:
        code: Of the gap, as in `BpjsQueue.gaps`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class DoctorHours:
    """A doctor's hours on one day: a row of `ref/dokter`."""

    doctor: int
    name: str
    hours: str
    """As BPJS writes them: they are sent back as they came."""

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> DoctorHours | None:
        """Return a row of BPJS's list; None for one without a doctor's number or hours."""
        doctor, hours = str(item.get("kodedokter") or ""), str(item.get("jampraktek") or "")
        if not doctor.isdigit() or not hours:
            return None
        return cls(int(doctor), str(item.get("namadokter") or ""), hours)


def chosen_session(
    sessions: Sequence[DoctorHours], at: time, wished: Sequence[tuple[str, str]]
) -> DoctorHours:
    """Return the session that a number given at an hour is for.

    Args:
        sessions: BPJS's of the poli and day.
        at: The clinic's hour.
        wished: Doctor and hours as the clinic's own roster has them, the earliest first.

    Raises:
        QueueGapError: BPJS's list has none.
    """
    if not sessions:
        raise QueueGapError("queue_doctor")
    own = [one for one in sessions if any(_is_the_same(one, *wish) for wish in wished)]
    by_hour = sorted(own or sessions, key=lambda one: (_rank(one, at), one.hours, one.doctor))
    return by_hour[0]


def _is_the_same(session: DoctorHours, doctor: str, hours: str) -> bool:
    return doctor.isdigit() and int(doctor) == session.doctor and str(Hours.read(session.hours)) == hours


def _rank(session: DoctorHours, at: time) -> int:
    """Return how near a session is: it goes on, it is to come, it is over, its hours cannot be read."""
    hours = Hours.read(session.hours)
    if hours is None:
        return 3
    if hours.begins <= at < hours.ends:
        return 0
    return 1 if at < hours.begins else 2


def add_body(
    visit: Visit, ticket: Ticket, facts: Mapping[str, str], session: DoctorHours, poli_name: str
) -> dict[str, Any]:
    """Return the body of `antrean/add`.

    Args:
        visit: With its patient.
        ticket: The number.
        facts: `poli` and `card`; the card is empty for whom BPJS does not pay.
        session: A row of `ref/dokter`.
        poli_name: As BPJS names it.
    """
    patient: Patient = visit.patient
    return {
        "nomorkartu": facts["card"], "nik": patient.nik or "", "nohp": patient.phone or "", "kodepoli": facts["poli"],
        "namapoli": poli_name, "norm": patient.medical_record_number, "tanggalperiksa": visit.service_on.isoformat(),
        "kodedokter": session.doctor, "namadokter": session.name, "jampraktek": session.hours,
        "nomorantrean": ticket.number, "angkaantrean": ticket.sequence, "keterangan": REMARK,
    }  # fmt: skip


def call_body(day: date, facts: Mapping[str, str], call: QueueCall) -> dict[str, Any]:
    """Return the body of `antrean/panggil`.

    Args:
        day: Of the visit.
        facts: `poli` and `card`.
        call: With its status and instant.
    """
    milliseconds = int(call.at.timestamp() * 1000)
    return {**_key(day, facts), "status": call.status, "waktu": milliseconds}


def cancel_body(day: date, facts: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of `antrean/batal`.

    Args:
        day: Of the visit.
        facts: `poli` and `card`.
    """
    return {**_key(day, facts), "alasan": CANCELLED}


def _key(day: date, facts: Mapping[str, str]) -> dict[str, str]:
    return {"tanggalperiksa": day.isoformat(), "kodepoli": facts["poli"], "nomorkartu": facts["card"]}

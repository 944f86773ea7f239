"""The calls of indonesia.md 3A, one function each."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated

import pydantic
from fastapi import APIRouter, Depends, Header, HTTPException, Request

from core import accounts, appointments, clock, patients, registration
from core.clinic import Clinic
from core.clusters import Cluster
from core.database import connection, transaction
from core.errors import NotSignedInError
from core.identity import Outcome, check_bpjs_number, check_nik
from core.models import Appointment, Patient, QueueEntry, Ticket, TicketCounter
from core.schemas.patients import PatientFields
from core.schemas.registration import RoutingQuery
from core.vocabulary import AppointmentStatus, EntryStatus, Sex, Verdict
from server.mobile_jkn import tokens
from server.mobile_jkn.envelope import UNKNOWN_PATIENT, Envelope, EnvelopeRoute, Refusal, answer
from server.security import ClinicNow

ORIGIN = "mobile_jkn"
COME = "Datang sebelum giliran Anda dan tunjukkan nomor ini di loket."
URGENT = (
    "Keluhan Anda mungkin gawat: jangan menunggu giliran, segera ke gawat darurat terdekat atau telepon 119."
)


def open_to_bpjs(clinic: ClinicNow) -> None:
    """Hide every call of a clinic that has not agreed on a name and password with BPJS."""
    if not (clinic.settings.jkn_username and clinic.settings.jkn_password):
        raise HTTPException(404)


def signed_in(
    clinic: ClinicNow,
    x_token: Annotated[str, Header()] = "",
    x_username: Annotated[str, Header()] = "",
) -> None:
    """Let only Mobile JKN in."""
    tokens.check(clinic.settings, x_username, x_token)


async def fields(request: Request) -> dict[str, str]:
    """The body's values as text: BPJS sends numbers as either."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise Refusal("Isi permintaan bukan JSON") from None
    if not isinstance(body, dict):
        raise Refusal("Isi permintaan bukan objek JSON")
    return {
        name: "" if value is None else str(value).strip()
        for name, value in body.items()
        if not isinstance(value, dict | list)
    }


Fields = Annotated[dict[str, str], Depends(fields)]

entry = APIRouter(dependencies=[Depends(open_to_bpjs)], route_class=EnvelopeRoute, include_in_schema=False)
inside = APIRouter(dependencies=[Depends(signed_in)], route_class=EnvelopeRoute)


@entry.get("/auth")
def auth(
    clinic: ClinicNow,
    x_username: Annotated[str, Header()] = "",
    x_password: Annotated[str, Header()] = "",
) -> Envelope:
    """Exchange name and password for a token."""
    if not x_username or not x_password:
        raise Refusal("Username dan password harus diisi")
    try:
        return answer({"token": tokens.sign_in(clinic.settings, x_username, x_password)})
    except NotSignedInError:
        raise Refusal("Username atau password tidak sesuai") from None


@inside.get("/antrean/status/{poli}/{day}")
def status(poli: str, day: str, clinic: ClinicNow) -> Envelope:
    """How a cluster's queue stands."""
    cluster, on = _cluster(clinic, poli), _day(day)
    with connection():
        counter = TicketCounter.get_or_none(
            TicketCounter.cluster == cluster.code, TicketCounter.service_on == on
        )
        return answer(
            {
                "namapoli": cluster.name,
                "totalantrean": counter.last_number if counter else 0,
                "sisaantrean": _remaining(cluster.code, on),
                "antreanpanggil": _called(cluster.code, on),
                "keterangan": "",
            }
        )


@inside.post("/antrean")
def book(body: Fields, clinic: ClinicNow) -> Envelope:
    """Take a number."""
    cluster, on = _cluster(clinic, body.get("kodepoli", "")), _day(body.get("tanggalperiksa", ""))
    complaint = body.get("keluhan", "")
    with connection():
        patient = _patient(clinic, body)
        note = _advice(clinic, cluster, patient, complaint)
        made = appointments.book(clinic, accounts.system_actor(ORIGIN), patient, cluster.code, on, complaint)
        return answer(
            {
                "nomorantrean": made.number,
                "angkaantrean": made.sequence,
                "namapoli": cluster.name,
                "sisaantrean": _remaining(cluster.code, on, before=made.sequence),
                "antreanpanggil": _called(cluster.code, on),
                "keterangan": note,
            }
        )


@inside.get("/antrean/sisapeserta/{card}/{poli}/{day}")
def remaining(card: str, poli: str, day: str, clinic: ClinicNow) -> Envelope:
    """How many are before a patient's number."""
    cluster, on = _cluster(clinic, poli), _day(day)
    with connection():
        held = _newest_of(_with_card(card), cluster.code, on)
        return answer(
            {
                "nomorantrean": held.number,
                "namapoli": cluster.name,
                "sisaantrean": _remaining(cluster.code, on, before=held.sequence),
                "antreanpanggil": _called(cluster.code, on),
                "keterangan": COME,
            }
        )


@inside.put("/antrean/batal")
def cancel(body: Fields, clinic: ClinicNow) -> Envelope:
    """Give a number back."""
    cluster, on = _cluster(clinic, body.get("kodepoli", "")), _day(body.get("tanggalperiksa", ""))
    with connection():
        patient = _with_card(body.get("nomorkartu", ""))
        appointments.cancel(
            accounts.system_actor(ORIGIN), patient.id, cluster.code, on, body.get("keterangan", "")
        )
    return answer()


@inside.post("/peserta")
def add_patient(body: Fields, clinic: ClinicNow) -> Envelope:
    """Register somebody who was never here; the card is still to be seen at the counter."""
    _checked_card(body.get("nomorkartu", ""))
    sex = {"L": Sex.MALE, "P": Sex.FEMALE}.get(body.get("jeniskelamin", "").upper())
    if sex is None:
        raise Refusal("Jenis kelamin harus L atau P")
    try:
        wanted = PatientFields(
            name=body.get("nama", ""),
            sex=sex,
            birth_date=_day(body.get("tanggallahir", ""), "Tanggal lahir"),
            nik=body.get("nik", ""),
            bpjs_number=body.get("nomorkartu", ""),
            family_card_number=body.get("nomorkk") or None,
            phone=body.get("nohp", "")[:20],
            address=body.get("alamat", "")[:200],
            rt=body.get("rt", "")[:3],
            rw=body.get("rw", "")[:3],
        )
    except pydantic.ValidationError as error:
        name = error.errors(include_url=False)[0]["loc"][0]
        raise Refusal(f"Data tidak sah: {name}") from None
    with connection():
        known = _find(body)
        if known is None:
            with transaction():
                known = patients.create(clinic, accounts.system_actor(ORIGIN), wanted, clock.now())
        return answer({"norm": known.medical_record_number})


router = APIRouter()
entry.include_router(inside)
router.include_router(entry)


def _cluster(clinic: Clinic, poli: str) -> Cluster:
    for cluster in clinic.clusters.first_destinations:
        if poli and cluster.bpjs_code == poli:
            return cluster
    raise Refusal("Poli tidak ditemukan")


def _day(text: str, name: str = "Tanggal periksa") -> date:
    try:
        if len(text) != len("2026-01-31"):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{name} harus berbentuk tahun-bulan-tanggal, misalnya 2026-01-31") from None


def _checked_card(text: str) -> str:
    if not text:
        raise Refusal("Nomor kartu harus diisi")
    check = check_bpjs_number(text)
    if check.outcome is Outcome.REJECT:
        raise Refusal("Nomor kartu tidak sah; harus 13 angka")
    return check.value


def _checked_nik(clinic: Clinic, text: str) -> str:
    if not text:
        raise Refusal("NIK harus diisi")
    check = check_nik(text, today=clinic.today())
    if check.outcome is Outcome.REJECT:
        raise Refusal("NIK tidak sah; periksa kembali 16 angkanya")
    return check.value


def _find(body: dict[str, str]) -> Patient | None:
    """Whoever has the card or the NIK, each a number of one person alone."""
    active = Patient.voided_at.is_null()
    card, nik = body.get("nomorkartu", ""), body.get("nik", "")
    found = Patient.get_or_none(active, Patient.bpjs_number == card) if card else None
    if found is None and nik:
        found = Patient.get_or_none(active, Patient.nik == nik)
    return found


def _patient(clinic: Clinic, body: dict[str, str]) -> Patient:
    card, nik = _checked_card(body.get("nomorkartu", "")), _checked_nik(clinic, body.get("nik", ""))
    found = _find({"nomorkartu": card, "nik": nik})
    if found is None:
        raise Refusal("Pasien belum terdaftar di Puskesmas ini", UNKNOWN_PATIENT)
    if found.nik and found.nik != nik:
        raise Refusal("NIK berbeda dengan data Puskesmas; silakan datang ke loket dengan KTP Anda")
    return found


def _with_card(card: str) -> Patient:
    found = _find({"nomorkartu": _checked_card(card)})
    if found is None:
        raise Refusal("Nomor antrean tidak ditemukan")
    return found


def _advice(clinic: Clinic, cluster: Cluster, patient: Patient, complaint: str) -> str:
    """What the patient should know at home; who can never be treated there is told so now.

    Raises:
        Refusal: Sex or age rule the cluster out.
    """
    if not complaint:
        return COME  # refused a moment later with the right words
    decision = registration.check_routing(
        clinic,
        RoutingQuery(
            chief_complaint=complaint[: appointments.COMPLAINT_LENGTH],
            birth_date=patient.birth_date,
            sex=Sex(patient.sex),
            pregnant=False,
            cluster=cluster.code,
        ),
    )
    if decision.red_flags:
        return URGENT
    if decision.verdict is Verdict.BLOCKED:
        raise Refusal(f"{cluster.name} tidak melayani pasien ini; pilih poli lain")
    if decision.verdict is Verdict.MISMATCH and decision.suggestions:
        better = clinic.clusters[decision.suggestions[0].cluster].name
        return f"{COME} Keluhan ini biasanya ditangani di {better}; petugas loket akan memeriksanya."
    return COME


def _newest_of(patient: Patient, cluster: str, on: date) -> Appointment:
    found: Appointment | None = (
        Appointment.select()
        .where(
            Appointment.patient == patient,
            Appointment.cluster == cluster,
            Appointment.service_on == on,
            Appointment.status.in_([AppointmentStatus.BOOKED, AppointmentStatus.FULFILLED]),
        )
        .order_by(Appointment.booked_at.desc())
        .first()
    )
    if found is None:
        raise Refusal("Nomor antrean tidak ditemukan")
    return found


def _remaining(cluster: str, on: date, before: int | None = None) -> int:
    """Numbers of a cluster that have yet to be called, those kept for people at home included."""
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
        waiting, kept = waiting.where(Ticket.sequence < before), kept.where(Appointment.sequence < before)
    return int(waiting.count()) + int(kept.count())


def _called(cluster: str, on: date) -> str:
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

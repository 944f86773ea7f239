"""The calls of docs/reference/indonesia.md 3A, one function each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated

import pydantic
from fastapi import APIRouter, Depends, Header, HTTPException, Request

from core.accounts import service as accounts
from core.foundation import audit_reads, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import Sex, Verdict
from core.foundation.database import connection, transaction
from core.foundation.errors import NotFoundError, NotSignedInError, RuleError, ValidationError
from core.foundation.permissions import Actor
from core.models import Patient
from core.patients import nik_holders
from core.patients import service as patients
from core.patients.fields import OF_MOBILE_JKN, PatientField
from core.patients.national_ids import Outcome, check_bpjs_number, check_nik, normalise_number
from core.patients.nik_evidence import Described
from core.queues.clusters import Cluster
from core.schemas.base import clean_line
from core.schemas.patients import PatientFields, longest
from core.schemas.registration import RoutingQuery
from core.visits import appointments, routing_check
from server.mobile_jkn import access_tokens, queue_state
from server.mobile_jkn.envelope import (
    UNKNOWN_PATIENT,
    Envelope,
    EnvelopeRoute,
    Refusal,
    answer,
    refused_field,
)
from server.mobile_jkn.region import region_of
from server.problems import FIELD_CODES
from server.security import ClinicNow, peer

ORIGIN = "mobile_jkn"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
URGENT = (
    "Keluhan Anda mungkin gawat: jangan menunggu giliran, segera ke gawat darurat terdekat atau telepon 119."
)


def open_to_bpjs(clinic: ClinicNow) -> None:
    """Hide every call in a clinic that has not agreed on a name and password with BPJS.

    Raises:
        HTTPException: 404, when the name or the password is not set.
    """
    if not (clinic.settings.jkn_username and clinic.settings.jkn_password):
        raise HTTPException(404)


def signed_in(
    clinic: ClinicNow,
    x_token: Annotated[str, Header()] = "",
    x_username: Annotated[str, Header()] = "",
) -> None:
    """Refuse callers without Mobile JKN's token.

    Args:
        clinic: The clinic.
        x_token: Header with the token.
        x_username: Header with the name.
    """
    access_tokens.check(clinic.settings, x_username, x_token)


async def fields(request: Request) -> dict[str, str]:
    """Return the body's values as text: BPJS sends a number as text or as a number.

    Raises:
        Refusal: The body is not a JSON object.
    """
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Refusal("Isi permintaan bukan JSON") from None
    if not isinstance(body, dict):
        raise Refusal("Isi permintaan bukan objek JSON")
    return {
        name: _clean_field(name, value) for name, value in body.items() if not isinstance(value, dict | list)
    }


def _clean_field(name: str, value: object) -> str:
    """Return a value as one clean line.

    Raises:
        Refusal: It holds characters that are not stored.
    """
    try:
        return "" if value is None else clean_line(str(value))
    except ValueError:
        raise Refusal(f"Isian {name[:40]} memuat karakter yang tidak dapat disimpan") from None


Fields = Annotated[dict[str, str], Depends(fields)]

entry = APIRouter(dependencies=[Depends(open_to_bpjs)], route_class=EnvelopeRoute, include_in_schema=False)
inside = APIRouter(
    dependencies=[Depends(open_to_bpjs), Depends(signed_in)],
    route_class=EnvelopeRoute,
    include_in_schema=False,
)
others = APIRouter(dependencies=[Depends(open_to_bpjs)], route_class=EnvelopeRoute, include_in_schema=False)
ROUTERS = (entry, inside, others)
"""For a token, with it, and for whatever else is asked; in the order in which they are tried."""


@entry.get("/auth")
@entry.get("/auth/")
def auth(
    request: Request,
    clinic: ClinicNow,
    x_username: Annotated[str, Header()] = "",
    x_password: Annotated[str, Header()] = "",
) -> Envelope:
    """Exchange name and password for a token.

    Args:
        request: Request, whose address guesses are counted by.
        clinic: The clinic.
        x_username: Header with the name.
        x_password: Header with the password.

    Raises:
        Refusal: Name or password is missing or wrong.
    """
    if not x_username or not x_password:
        raise Refusal("Username dan password harus diisi")
    try:
        with connection():
            token = access_tokens.sign_in(clinic.settings, x_username, x_password, peer(request).source)
        return answer({"token": token})
    except NotSignedInError:
        raise Refusal("Username atau password tidak sesuai") from None


@inside.get("/antrean/status/{poli}/{day}")
@inside.get("/antrean/status/{poli}/{day}/")
def status(poli: str, day: str, clinic: ClinicNow) -> Envelope:
    """Return the state of a cluster's queue.

    Args:
        poli: BPJS's code of the cluster.
        day: Day as YYYY-MM-DD.
        clinic: The clinic.
    """
    cluster, on = _cluster(clinic, poli), _day(day)
    _refuse_past(clinic, on)
    with connection():
        return answer(queue_state.status_of(clinic, cluster, on))


@inside.post("/antrean")
@inside.post("/antrean/")
def book(body: Fields, clinic: ClinicNow) -> Envelope:
    """Take a number."""
    cluster, on = _cluster(clinic, body.get("kodepoli", "")), _day(body.get("tanggalperiksa", ""))
    with connection():
        appointments.check_day(clinic, cluster.code, on)  # before anything of the patient's is looked at
        patient = _patient(clinic, body)
        wanted = appointments.Booking(
            cluster=cluster.code,
            day=on,
            chief_complaint=body.get("keluhan", ""),
            card=_checked_card(body.get("nomorkartu", "")),
            phone=body.get("nohp", ""),
            doctor=body.get("kodedokter", ""),
            hours=body.get("jampraktek", ""),
        )
        note = _advice(clinic, cluster, patient, wanted.chief_complaint)
        made = appointments.book(clinic, accounts.system_actor(ORIGIN), patient, wanted)
        return answer(
            {
                "nomorantrean": made.number,
                "angkaantrean": made.sequence,
                "namapoli": cluster.name,
                "sisaantrean": queue_state.remaining(cluster.code, on, before=made.sequence),
                "antreanpanggil": queue_state.called(cluster.code, on),
                "keterangan": note,
            }
        )


@inside.get("/antrean/sisapeserta/{card}/{poli}/{day}")
@inside.get("/antrean/sisapeserta/{card}/{poli}/{day}/")
def remaining(card: str, poli: str, day: str, clinic: ClinicNow) -> Envelope:
    """Return how many patients come before this one.

    Args:
        card: The patient's BPJS number.
        poli: BPJS's code of the cluster.
        day: Day as YYYY-MM-DD.
        clinic: The clinic.
    """
    cluster, on = _cluster(clinic, poli), _day(day)
    _refuse_past(clinic, on)
    with connection():
        held = appointments.newest_with_card(_checked_card(card), cluster.code, on)
        if held is None:
            raise NotFoundError("appointment")
        _write_shown("booking_read", held.patient_id, cluster=cluster.code, date=on.isoformat())
        if appointments.is_cancelled(held):
            raise RuleError("already_cancelled", number=held.number)
        return answer(
            {
                "nomorantrean": held.number,
                "namapoli": cluster.name,
                "sisaantrean": queue_state.remaining(cluster.code, on, before=held.sequence),
                "antreanpanggil": queue_state.called(cluster.code, on),
                "keterangan": queue_state.told(held),
            }
        )


@inside.put("/antrean/batal")
@inside.put("/antrean/batal/")
def cancel(body: Fields, clinic: ClinicNow) -> Envelope:
    """Cancel a number."""
    cluster, on = _cluster(clinic, body.get("kodepoli", "")), _day(body.get("tanggalperiksa", ""))
    _refuse_past(clinic, on)
    card = _checked_card(body.get("nomorkartu", ""))
    with connection():
        appointments.cancel(accounts.system_actor(ORIGIN), card, cluster.code, on, body.get("keterangan", ""))
    return answer()


@inside.post("/peserta")
@inside.post("/peserta/")
def add_patient(body: Fields, clinic: ClinicNow) -> Envelope:
    """Register a new patient; the card is still to be seen at the counter.

    Raises:
        Refusal: A value is missing or wrong.
    """
    _checked_card(body.get("nomorkartu", ""))
    sex = {"L": Sex.MALE, "P": Sex.FEMALE}.get(body.get("jeniskelamin", "").upper())
    if sex is None:
        raise Refusal("Jenis kelamin harus L atau P")
    actor = accounts.system_actor(ORIGIN)
    wanted = _described(clinic, actor, body, sex)
    with connection():
        known = _find(body)
        if known is None:
            _refuse_other_nik(clinic, wanted)
            with transaction():
                known = patients.create(clinic, actor, wanted, clock.now())
        else:
            _write_shown("patient_read", known.id)
        return answer({"norm": known.medical_record_number})


def _write_shown(action: str, patient_id: str, **asked: str) -> None:
    """Write into the log of reads of whom Mobile JKN was told; without the row there is no answer."""
    audit_reads.shown(accounts.system_actor(ORIGIN), action, [patient_id], asked=asked)


def _described(clinic: Clinic, actor: Actor, body: Mapping[str, str], sex: Sex) -> PatientFields:
    """Return the patient whom Mobile JKN describes.

    Raises:
        Refusal: A value is missing or wrong.
    """
    born = _day(body.get("tanggallahir", ""), "Tanggal lahir")
    with connection():
        placed = {**body, **region_of(clinic, actor, body)}
    if body.get("nomorkk") and normalise_number(body["nomorkk"]) == normalise_number(body.get("nik", "")):
        raise Refusal("Nomor KK tidak boleh sama dengan NIK")
    try:
        sent = {field.name: _sent(field, placed) for field in OF_MOBILE_JKN}
        return PatientFields.model_validate({**sent, "sex": sex, "birth_date": born})
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        problem = FIELD_CODES.get(first["type"], "format")
        raise Refusal(refused_field(f"patient.{first['loc'][0]}", problem)) from None


def _sent(field: PatientField, body: Mapping[str, str]) -> str | None:
    """Return what Mobile JKN sent for a field of the patient; contact details that are too long are cut."""
    text = body.get(field.jkn, "")
    if field.nullable:
        return text or None
    return text if field.required else text[: longest(field.name)]


def unknown_call() -> Envelope:
    """Answer a call that there is not, or not by this method, in the envelope too.

    Raises:
        Refusal: Always.
    """
    raise Refusal("Panggilan ini tidak dikenal; periksa alamat dan metodenya")


for part in ("/auth", "/antrean", "/peserta"):
    others.add_api_route(part + "{rest:path}", unknown_call, methods=list(METHODS))


def _refuse_other_nik(clinic: Clinic, wanted: PatientFields) -> None:
    """Refuse a NIK that is plainly another person's; at the counter it would be asked about.

    Raises:
        Refusal: Sex, birth date or the patient who has the number speak against it.
    """
    if nik_holders.doubt(clinic, Described.of(wanted.model_dump())) is not None:
        raise Refusal(
            "NIK tidak cocok dengan nama, jenis kelamin atau tanggal lahir; silakan datang ke loket"
        )


def _cluster(clinic: Clinic, poli: str) -> Cluster:
    for cluster in clinic.clusters.first_destinations:
        if poli and cluster.bpjs_code == poli:
            return cluster
    raise Refusal("Poli tidak ditemukan")


def _refuse_past(clinic: Clinic, day: date) -> None:
    if day < clinic.today():
        raise ValidationError({"day": "past"})


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
    """Return the patient with the card or the NIK; each number belongs to one person."""
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


def _advice(clinic: Clinic, cluster: Cluster, patient: Patient, complaint: str) -> str:
    """Return advice for the patient at home, or refuse a cluster that can never treat this patient.

    Raises:
        Refusal: Sex or age rule the cluster out.
    """
    if not complaint:
        return queue_state.COME  # the clinic asks at the counter, or refuses it a moment later
    decision = routing_check.check_routing(
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
        return (
            f"{queue_state.COME} Keluhan ini biasanya ditangani di {better}; petugas loket akan memeriksanya."
        )
    return queue_state.COME

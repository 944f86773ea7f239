"""BPJS's envelope of an answer, and the sentences that a refused patient reads."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from core.foundation.clinic import Clinic
from core.foundation.errors import (
    ConflictError,
    NotFoundError,
    NotSignedInError,
    RuleError,
    TooManyAttemptsError,
    ValidationError,
)
from core.patients.fields import PATIENT_FIELDS
from server.shares import SharedRoute

OK = 200
REFUSED = 201
UNKNOWN_PATIENT = 202
"""Code after which Mobile JKN sends the patient's data to `/peserta` and asks again."""

Envelope = dict[str, Any]


class Refusal(Exception):
    """Refusal with a sentence for the patient."""

    def __init__(self, message: str, code: int = REFUSED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def answer(response: dict[str, Any] | list[dict[str, Any]] | None = None) -> Envelope:
    """Return the envelope of a successful call."""
    metadata: Envelope = {"metadata": {"message": "Ok", "code": OK}}
    return metadata if response is None else {"response": response, **metadata}


def refusal(message: str, code: int = REFUSED) -> Envelope:
    """Return the envelope of a refused call."""
    return {"metadata": {"message": message, "code": code}}


FIELDS: dict[str, str | dict[str, str]] = {
    "cluster": {
        "unknown": "Poli tidak ditemukan",
        "not_a_first_destination": "Poli ini tidak menerima pendaftaran langsung",
    },
    "day": {
        "past": "Tanggal periksa sudah lewat",
        "too_far": "Tanggal periksa terlalu jauh; pilih tanggal yang lebih dekat",
    },
    "chief_complaint": "Keluhan harus diisi",
    "doctor": "Dokter tidak ditemukan di poli ini",
    "hours": "Jam praktik harus berbentuk jam mulai-jam selesai, misalnya 08:00-12:00",
    **{f"patient.{field.name}": field.jkn_refused for field in PATIENT_FIELDS if field.jkn_refused},
}
TOO_LONG = {"patient.name": "Nama terlalu panjang; tulis nama seperti pada KTP"}
OTHERWISE = "Data tidak dapat diterima; silakan datang ke loket"
RULES = {
    "already_booked": "Anda sudah mempunyai nomor {number} di poli ini pada tanggal tersebut",
    "already_in_queue": "Anda sudah berada dalam antrean poli ini dengan nomor {number}",
    "already_served": "Nomor {number} sudah dipakai di loket dan tidak dapat dibatalkan dari rumah",
    "already_cancelled": "Nomor antrean {number} sudah dibatalkan",
    "not_come": "Nomor antrean {number} sudah tidak berlaku",
    "closed_day": "Poli tutup pada tanggal tersebut; pilih tanggal lain",
    "no_session": "Tidak ada jadwal praktik pada tanggal tersebut; pilih dokter atau tanggal lain",
    "other_hours": "Jam praktik tidak sesuai jadwal dokter: {hours}",
    "session_over": "Jam praktik sudah berakhir pukul {ends}",
    "day_over": "Pendaftaran hari ini sudah ditutup pukul {closes}",
    "quota_full": "Kuota nomor dari rumah untuk poli ini pada tanggal tersebut sudah habis",
}
"""Code of a rule -> what the patient reads."""


def sentence(error: Exception) -> str:
    """Return the sentence that a refused patient reads."""
    if isinstance(error, NotSignedInError):
        return "Token tidak sah atau sudah kedaluwarsa"
    if isinstance(error, NotFoundError):
        return "Nomor antrean tidak ditemukan"
    if isinstance(error, RuleError | ConflictError):
        words = RULES.get(error.code, "Permintaan tidak dapat dipenuhi; silakan datang ke loket")
        return words.format(**error.details)
    assert isinstance(error, ValidationError)
    field, problem = next(iter(error.fields.items()))
    return refused_field(field, problem)


def refused_field(field: str, problem: str) -> str:
    """Return the sentence for a value that was refused; Indonesian whatever it was.

    Args:
        field: Path of the field: `cluster`, `patient.nik`.
        problem: Code of what is wrong with it.
    """
    if problem == "too_long" and field in TOO_LONG:
        return TOO_LONG[field]
    words = FIELDS.get(field, OTHERWISE)
    return words if isinstance(words, str) else words.get(problem, OTHERWISE)


class EnvelopeRoute(SharedRoute):
    """Answers in BPJS's envelope when the core refuses; a fault of Loket goes on to its own handler."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler that FastAPI would call."""
        handle = super().get_route_handler()

        async def enveloped(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refused:
                return _refused(request, refused.message, refused.code)
            except (NotSignedInError, NotFoundError, RuleError, ConflictError, ValidationError) as error:
                return _refused(request, sentence(error))
            except TooManyAttemptsError:
                return _refused(request, "Terlalu banyak percobaan masuk; coba lagi sebentar lagi")

        return enveloped


def _refused(request: Request, message: str, code: int = REFUSED) -> JSONResponse:
    """Answer a refusal; public clinics differ in its HTTP status, so that it is a setting."""
    clinic: Clinic = request.app.state.clinic
    status = code if clinic.settings.jkn_http_status == "code" else OK
    return JSONResponse(refusal(message, code), status_code=status)

"""BPJS's envelope of an answer, and the sentences that a refused patient reads."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from core.foundation.errors import (
    ConflictError,
    NotFoundError,
    NotSignedInError,
    RuleError,
    TooManyAttemptsError,
    ValidationError,
)
from core.patients.fields import PATIENT_FIELDS

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


def answer(response: dict[str, Any] | None = None) -> Envelope:
    """Return the envelope of a successful call."""
    metadata = {"metadata": {"message": "Ok", "code": OK}}
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
    "chief_complaint": {"required": "Keluhan harus diisi"},
    **{f"patient.{field.name}": field.jkn_refused for field in PATIENT_FIELDS if field.jkn_refused},
}


def sentence(error: Exception) -> str:
    """Return the sentence that a refused patient reads."""
    if isinstance(error, NotSignedInError):
        return "Token tidak sah atau sudah kedaluwarsa"
    if isinstance(error, NotFoundError):
        return "Nomor antrean tidak ditemukan"
    if isinstance(error, RuleError | ConflictError):
        return {
            "already_booked": "Anda sudah mempunyai nomor {number} di poli ini pada tanggal tersebut",
            "already_in_queue": "Anda sudah berada dalam antrean poli ini dengan nomor {number}",
            "already_served": "Nomor {number} sudah dipakai di loket dan tidak dapat dibatalkan dari rumah",
            "day_over": "Pendaftaran hari ini sudah ditutup pukul {closes}",
            "quota_full": "Kuota nomor dari rumah untuk poli ini pada tanggal tersebut sudah habis",
        }.get(error.code, "Permintaan tidak dapat dipenuhi; silakan datang ke loket").format(**error.details)
    assert isinstance(error, ValidationError)
    field, problem = next(iter(error.fields.items()))
    text = FIELDS.get(field, "Data tidak sah: " + field.removeprefix("patient."))
    return text if isinstance(text, str) else text.get(problem, "Data tidak sah: " + field)


class EnvelopeRoute(APIRoute):
    """Answers in BPJS's envelope when the core refuses; a fault of Loket goes on to its own handler."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler that FastAPI would call."""
        handle = super().get_route_handler()

        async def enveloped(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refused:
                return JSONResponse(refusal(refused.message, refused.code))
            except (NotSignedInError, NotFoundError, RuleError, ConflictError, ValidationError) as error:
                return JSONResponse(refusal(sentence(error)))
            except TooManyAttemptsError:
                return JSONResponse(refusal("Terlalu banyak percobaan masuk; coba lagi sebentar lagi"))

        return enveloped

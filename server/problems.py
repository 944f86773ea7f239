"""Errors as problem details (RFC 9457) with a stable `code` and `fields`.

This is one of the three outer handlers: whatever no endpoint could do something sensible
about ends here, is logged without patient data, and is answered.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import peewee
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.foundation import errors, logs
from core.foundation.database import unusable
from core.schemas.base import Problem
from server.api_paths import route_path
from server.security import audit_refusal

log = logging.getLogger(__name__)

STATUS: dict[type[errors.CoreError], int] = {
    errors.NotFoundError: 404,
    errors.NotSignedInError: 401,
    errors.TooManyAttemptsError: 429,
    errors.TooManyStreamsError: 429,
    errors.NotAllowedError: 403,
    errors.ValidationError: 422,
    errors.RuleError: 422,
    errors.ConflictError: 409,
    errors.SyncError: 502,
    errors.BackupError: 409,
    errors.PrinterError: 503,
    errors.DatabaseError: 503,
}
STATUS_OF_CODE = {"duplicate_decision_required": 409, "disk_full": 507}
"""Codes that differ from their type: a rule whose answer is a decision between records rather than a
correction, a disk that will not get room by waiting."""

FIELD_CODES = {
    "missing": "required",
    "string_too_short": "required",
    "too_short": "required",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "enum": "not_a_choice",
    "extra_forbidden": "unknown_field",
    "control_characters": "control_characters",
    "uuid7": "uuid7",
    "json_invalid": "json",
    "string_pattern_mismatch": "format",
}
"""Pydantic's error types -> our codes; the rest are told by their beginning."""

RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal or a fault; `code` says which, `fields` what is wrong with which field",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""What every call may answer instead, as `/openapi.json` says it."""

CODES_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 401: "not_signed_in"}


def problem(
    status: int,
    code: str,
    title: str,
    *,
    fields: Mapping[str, str] | None = None,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return an answer with problem details (RFC 9457).

    Args:
        status: HTTP status.
        code: Stable code of the problem.
        title: Sentence for developers.
        fields: Field -> problem code.
        details: Further facts.
        headers: HTTP headers.
    """
    body = Problem(
        title=title, status=status, code=code, fields=dict(fields or {}), details=dict(details or {})
    )
    return JSONResponse(
        body.model_dump(mode="json"),
        status_code=status,
        media_type="application/problem+json",
        headers=dict(headers or {}),
    )


def field_problems(error: RequestValidationError) -> dict[str, str]:
    """Return field path -> Loket's code, for the errors that pydantic found in a request."""
    found: dict[str, str] = {}
    for item in error.errors():
        path = ".".join(str(part) for part in item["loc"] if part not in {"body", "query", "path"}) or "body"
        kind = str(item["type"])
        code = "required" if item.get("input", "") is None else FIELD_CODES.get(kind)
        if code is None:
            code = "date_format" if kind.startswith("date") else "format"
        found.setdefault(path, code)
    return found


def _failed_disk(error: OSError, request: Request) -> errors.DatabaseError | None:
    """Return why a file beside the database cannot be used, such as the audit log's head; None for any other failure.

    Args:
        error: What the operating system said.
        request: Its application knows the clinic's data folder, which may have gone with its disk.
    """
    clinic = getattr(request.app.state, "clinic", None)
    if isinstance(error, FileNotFoundError) and clinic is not None and not clinic.settings.home.is_dir():
        return errors.DatabaseError("database_denied", error.strerror or "")
    return unusable(peewee.DatabaseError(error.strerror or ""))


def install(app: FastAPI) -> None:
    """Answer every failure of `app` as a problem, and describe problems in its OpenAPI document."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        document = described()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("Problem", Problem.model_json_schema())
        return document

    app.openapi = openapi  # type: ignore[method-assign]

    @app.exception_handler(errors.CoreError)
    def core_error(request: Request, error: errors.CoreError) -> JSONResponse:
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
        status = STATUS_OF_CODE.get(error.code, status)
        if isinstance(error, errors.NotAllowedError):
            audit_refusal(request, error)
        headers = {}
        if isinstance(error, errors.TooManyAttemptsError):
            headers["Retry-After"] = str(error.retry_after_seconds)
        if isinstance(error, errors.NotSignedInError):
            headers["WWW-Authenticate"] = "Bearer"
        details = getattr(error, "details", None) or {}
        if isinstance(error, errors.TooManyAttemptsError):
            details = {"retry_after_seconds": error.retry_after_seconds}
        if isinstance(error, errors.NotFoundError):
            details = {"kind": error.kind}
        if isinstance(error, errors.BackupError):
            details = {"reason": error.reason}
        return problem(
            status,
            error.code,
            type(error).__name__.removesuffix("Error"),
            fields=getattr(error, "fields", None),
            details=details,
            headers=headers,
        )

    @app.exception_handler(peewee.DatabaseError)
    def database_error(request: Request, error: peewee.DatabaseError) -> JSONResponse:
        known = unusable(error)
        if known is None:
            return unexpected(request, error)
        log.error("the database cannot be used: %s", known.reason)
        return core_error(request, known)

    @app.exception_handler(OSError)
    def disk_error(request: Request, error: OSError) -> JSONResponse:
        known = _failed_disk(error, request)
        if known is None:
            return unexpected(request, error)
        log.error("the data folder cannot be used: %s", logs.describe_failure(error))
        return core_error(request, known)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "validation", "Validation", fields=field_problems(error))

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = CODES_BY_STATUS.get(error.status_code, "http_error")
        return problem(error.status_code, code, str(error.detail), headers=error.headers)

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        path = route_path(request.scope) or "an unknown path"  # the address itself may hold somebody's number
        log.error("%s %s failed: %s", request.method, path, logs.describe_failure(error))
        return problem(500, "internal", "Internal")

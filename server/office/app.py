"""The office as an ASGI application, and the command that runs it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import peewee
import pydantic
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.middleware.gzip import GZipMiddleware

import core
from core.foundation import clock, logs
from core.foundation.config import Settings
from core.foundation.database import connect, instant_text
from core.foundation.errors import NotFoundError, NotSignedInError, SettingsError, ValidationError
from core.foundation.identifiers import new_secret
from core.foundation.migrations import migrate
from server import connections, encryption, ports, problems
from server.office import audit_heads, fhir_search, guards, pages
from server.office.manifests import ManifestAnswer, ManifestRequest, compare
from server.office.models import OfficeClinic, connection, database, transaction
from server.office.transactions import receive
from server.office.uploads import BusyError, Gate
from server.office.validation import EntryRefusedError

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
TOKEN_DAYS = 365
"""Life of a clinic's token."""
REFUSED_STATUS = {
    "too-long": 413, "timeout": 408, "incomplete": 400, "structure": 400,
}  # fmt: skip
"""FHIR IssueType of a request as a whole -> HTTP status; 422 otherwise."""
READING_STATUS = {"not-found": 404, "not-supported": 400, "value": 400}
"""The same when something was asked for: there `not-found` is about the address, not about a reference."""


def open_office(settings: Settings) -> None:
    """Open the office's database and bring its schema up to date.

    SQLite: `office.sqlite3` in the data folder, whatever the clinic role uses. PostgreSQL:
    `LOKET_DATABASE_URL`.

    Raises:
        SettingsError: The database is a clinic's.
    """
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    url = settings.database_url
    if not url.startswith("postgres"):
        url = f"sqlite:///{settings.home / 'office.sqlite3'}"
    opened = connect(url)
    database.initialize(opened)
    with connection():
        if "visit" in opened.get_tables():
            raise SettingsError("LOKET_DATABASE_URL: this is a clinic's database; the office needs its own")
        migrate(opened, MIGRATIONS)


def add_clinic(settings: Settings, code: str, name: str, days: int = TOKEN_DAYS) -> str:
    """Let a clinic send, or give a known one a new token.

    Args:
        settings: Settings of the office.
        code: The clinic's facility code.
        name: Name of the clinic.
        days: Life of the token.

    Returns:
        Its bearer token; only its hash is kept, so this is the only time it is seen.

    Raises:
        ValidationError: The code is empty or too long.
    """
    code = code.strip()
    if not code or len(code) > 32 or "|" in code:
        raise ValidationError({"code": "format"})
    open_office(settings)
    token, now = new_secret(), clock.now()
    with transaction():
        OfficeClinic.insert(
            code=code,
            name=name.strip()[:120] or code,
            token_hash=_hash(token),
            token_ends_at=now + timedelta(days=days),
            created_at=now,
        ).on_conflict(
            conflict_target=[OfficeClinic.code],
            preserve=[OfficeClinic.name, OfficeClinic.token_hash, OfficeClinic.token_ends_at],
            update={OfficeClinic.disabled_at: None},
        ).execute()
    return token


def bar_clinic(settings: Settings, code: str) -> None:
    """Take a clinic's token back; what it sent stays. `add_clinic` lets it in again.

    Raises:
        NotFoundError: There is no such clinic.
    """
    open_office(settings)
    with transaction():
        barred = (
            OfficeClinic.update(disabled_at=clock.now()).where(OfficeClinic.code == code.strip()).execute()
        )
    if not barred:
        raise NotFoundError("clinic", code)


def accept_audit(settings: Settings, code: str) -> None:
    """Take a clinic's audit log as it tells it next.

    Raises:
        NotFoundError: There is no such clinic.
    """
    open_office(settings)
    if not audit_heads.accept_anew(code.strip()):
        raise NotFoundError("clinic", code)


def list_clinics(settings: Settings) -> list[dict[str, Any]]:
    """Return every clinic: `{code, name, barred, token_ends_at, last_heard_at, bundles, wire_bytes, refused}`, JSON-safe."""
    open_office(settings)
    with connection():
        return [
            {
                "code": row.code,
                "name": row.name,
                "barred": row.disabled_at is not None,
                "token_ends_at": row.token_ends_at and instant_text(row.token_ends_at),
                "last_heard_at": row.last_heard_at and instant_text(row.last_heard_at),
                "bundles": row.bundles,
                "wire_bytes": row.wire_bytes,
                "refused": row.refused,
            }
            for row in OfficeClinic.select().order_by(OfficeClinic.code)
        ]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def fhir_json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer in FHIR's own media type.

    Args:
        document: A FHIR resource as JSON values.
        status: HTTP status.
        headers: HTTP headers.
    """
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, headers, media_type="application/fhir+json")


def authenticate(request: Request) -> OfficeClinic:
    """Return the clinic of a request's bearer token.

    A good token is always heard, whatever others guessed at the same address: it cannot be guessed.

    Raises:
        NotSignedInError: No token, an unknown one, one that has ended, or a barred clinic.
        TooManyAttemptsError: Too many wrong ones.
    """
    token = _bearer(request)
    with connection():
        clinic: OfficeClinic | None = OfficeClinic.get_or_none(OfficeClinic.token_hash == _hash(token))
    if not token or clinic is None:
        if token:
            guards.guessed_wrong(request)
        raise NotSignedInError("no valid token")
    if clinic.disabled_at is not None:
        raise NotSignedInError("barred")
    if clinic.token_ends_at is not None and clinic.token_ends_at <= clock.now():
        raise NotSignedInError("the token has ended")
    return clinic


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def readable(request: Request) -> str | None:
    """Return the clinic whose resources may be read; None for all of them, with the office's own password.

    Raises:
        NotSignedInError: Neither.
        TooManyAttemptsError: Too many wrong ones.
    """
    viewer: str = request.app.state.viewer
    if hmac.compare_digest(_bearer(request).encode(), viewer.encode()):
        return None
    return str(authenticate(request).code)


ClinicNow = Annotated[OfficeClinic, Depends(authenticate)]
ScopeNow = Annotated[str | None, Depends(readable)]


def create_office_app(settings: Settings) -> FastAPI:
    """Return the office's application; opens its database.

    Raises:
        SettingsError: The database is a clinic's.
    """
    open_office(settings)
    viewer = pages.viewer_password(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if isinstance(database.obj, peewee.SqliteDatabase):
            database.close()

    app = FastAPI(
        title="Loket office",
        version=core.__version__,
        lifespan=lifespan,
        openapi_url=None,  # senders read the CapabilityStatement
        docs_url=None,
        redoc_url=None,
    )
    app.state.gate = Gate()
    app.state.viewer = viewer
    problems.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=200, compresslevel=6)
    app.add_middleware(guards.KnownHosts, names=guards.names_of(settings))
    app.add_exception_handler(EntryRefusedError, _refused)
    app.add_exception_handler(BusyError, _busy)
    _receiving(app)
    _reading(app)
    pages.install(app, viewer, settings=settings)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, EntryRefusedError)
    statuses = READING_STATUS if request.method == "GET" else REFUSED_STATUS
    return fhir_json(error.outcome(), statuses.get(error.code, 422))


async def _busy(request: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    outcome = EntryRefusedError("throttled", str(error)).outcome()
    return fhir_json(outcome, 503, {"Retry-After": str(error.retry_after)})


def _receiving(app: FastAPI) -> None:
    gate: Gate = app.state.gate

    @app.post("/fhir", response_model=None)
    @app.post("/fhir/", response_model=None, include_in_schema=False)
    async def post_bundle(request: Request, clinic: ClinicNow) -> Response:
        """Take a transaction Bundle of conditional updates."""
        prefer = request.headers.get("prefer", "")
        return fhir_json(await gate.take(request, lambda body, wire: _take(clinic, body, prefer, wire)))

    @app.post("/fhir/manifests")
    async def post_manifest(request: Request, clinic: ClinicNow) -> ManifestAnswer:
        """Compare a day's manifest."""
        head = audit_heads.parse(request.headers.get(audit_heads.HEADER, ""))
        return await gate.take(request, lambda body, _: _compared(clinic, body, head))


def _compared(clinic: OfficeClinic, body: bytes, head: audit_heads.AuditHead | None = None) -> ManifestAnswer:
    try:
        manifest = ManifestRequest.model_validate_json(body)
    except pydantic.ValidationError:
        raise EntryRefusedError("structure", "the body is not a manifest") from None
    answer = compare(clinic, manifest)
    if head is not None:
        with connection():
            answer.audit = audit_heads.take(clinic, head)
    return answer


def _take(clinic: OfficeClinic, body: bytes, prefer: str, wire: int) -> dict[str, Any]:
    try:
        bundle = json.loads(body)
    except (ValueError, RecursionError):
        raise EntryRefusedError("structure", "the body is not JSON") from None
    return receive(
        clinic,
        bundle,
        strict="handling=strict" in prefer,
        minimal="return=minimal" in prefer,
        wire_bytes=wire,
    )


def _reading(app: FastAPI) -> None:
    @app.get("/fhir/metadata", response_model=None)
    def metadata() -> Response:
        """Return the CapabilityStatement."""
        return fhir_json(fhir_search.capability_statement())

    @app.get("/fhir/{kind}", response_model=None)
    def search(kind: str, request: Request, clinic_code: ScopeNow) -> Response:
        """Search one type."""
        base = f"{request.base_url}fhir"
        return fhir_json(fhir_search.search(kind, clinic_code, request.query_params.multi_items(), base))

    @app.get("/fhir/{kind}/{key}", response_model=None)
    def read(kind: str, key: str, clinic_code: ScopeNow) -> Response:
        """Return one resource by the office's id."""
        document = fhir_search.read(kind, key, clinic_code)
        return fhir_json(document, headers={"ETag": f'W/"{document["meta"]["versionId"]}"'})


def make_server(settings: Settings) -> uvicorn.Server:
    """Return the office's HTTP server, ready to run; port 0 takes a free one."""
    bounds = connections.bounds_of(settings)
    config = uvicorn.Config(
        create_office_app(settings),
        host=settings.office_http.host,
        port=settings.office_http.port,
        log_level="warning",
        log_config=None,  # ours, which writes no values
        access_log=False,  # addresses hold search words
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
        http=connections.protocol_within(bounds),
        h11_max_incomplete_event_size=bounds.head_bytes,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        ssl_context_factory=encryption.office_factory_of(settings),
    )
    return uvicorn.Server(config)


def serve_office(settings: Settings) -> None:
    """Run the office until SIGTERM or SIGINT.

    Raises:
        SettingsError: The port is taken, the database is a clinic's, or the network would read along.
    """
    logs.configure_logging()
    address = settings.office_http
    encryption.require_office(settings)
    ports.must_be_free(address, "LOKET_OFFICE_HTTP")
    server = make_server(settings)
    log.info("office on %s, FHIR base %s/fhir", address.url, address.url)
    server.run()

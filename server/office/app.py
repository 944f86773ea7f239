"""The office as an ASGI application, and the command that runs it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import peewee
import pydantic
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.middleware.gzip import GZipMiddleware

from core import clock
from core.config import Settings
from core.database import connect, instant_text
from core.errors import NotFoundError, NotSignedInError, SettingsError, ValidationError
from core.identifiers import new_secret
from core.migrations import migrate
from server import problems
from server.office import pages, reading
from server.office.arriving import BusyError, Gate
from server.office.checking import RefusedError
from server.office.manifests import ManifestAnswer, ManifestRequest, compare
from server.office.models import Clinic, connection, database, transaction
from server.office.receiving import receive

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
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


def add_clinic(settings: Settings, code: str, name: str) -> str:
    """Let a clinic send, or give a known one a new token.

    Returns:
        Its bearer token; only its hash is kept, so this is the only time it is seen.

    Raises:
        ValidationError: The code is empty or too long.
    """
    code = code.strip()
    if not code or len(code) > 32 or "|" in code:
        raise ValidationError({"code": "format"})
    open_office(settings)
    token = new_secret()
    with transaction():
        Clinic.insert(
            code=code, name=name.strip()[:120] or code, token_hash=_hash(token), created_at=clock.now()
        ).on_conflict(
            conflict_target=[Clinic.code],
            preserve=[Clinic.name, Clinic.token_hash],
            update={Clinic.disabled_at: None},
        ).execute()
    return token


def bar_clinic(settings: Settings, code: str) -> None:
    """Take a clinic's token back; what it sent stays. `add_clinic` lets it in again.

    Raises:
        NotFoundError: There is no such clinic.
    """
    open_office(settings)
    with transaction():
        barred = Clinic.update(disabled_at=clock.now()).where(Clinic.code == code.strip()).execute()
    if not barred:
        raise NotFoundError("clinic", code)


def list_clinics(settings: Settings) -> list[dict[str, Any]]:
    """Every clinic: `{code, name, barred, last_heard_at, bundles, wire_bytes, refused}`, JSON-safe."""
    open_office(settings)
    with connection():
        return [
            {
                "code": row.code,
                "name": row.name,
                "barred": row.disabled_at is not None,
                "last_heard_at": row.last_heard_at and instant_text(row.last_heard_at),
                "bundles": row.bundles,
                "wire_bytes": row.wire_bytes,
                "refused": row.refused,
            }
            for row in Clinic.select().order_by(Clinic.code)
        ]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def fhir_json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in FHIR's own media type."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(body, status, headers, media_type="application/fhir+json")


def authenticate(request: Request) -> Clinic:
    """The clinic that a request's bearer token stands for.

    Raises:
        NotSignedInError: No token, an unknown one, or a barred clinic.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    with connection():
        clinic: Clinic | None = Clinic.get_or_none(Clinic.token_hash == _hash(token.strip()))
    if scheme.lower() != "bearer" or clinic is None or clinic.disabled_at is not None:
        raise NotSignedInError("no valid token")
    return clinic


def readable(request: Request) -> str | None:
    """The clinic whose resources may be read; None for all of them, with the office's own password.

    Raises:
        NotSignedInError: Neither.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    viewer: str = request.app.state.viewer
    if scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), viewer.encode()):
        return None
    return str(authenticate(request).code)


ClinicNow = Annotated[Clinic, Depends(authenticate)]
ScopeNow = Annotated[str | None, Depends(readable)]


def create_office_app(settings: Settings) -> FastAPI:
    """The office's application; opens its database.

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

    app = FastAPI(title="Loket office", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.gate = Gate()
    app.state.viewer = viewer
    problems.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=200, compresslevel=6)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(BusyError, _busy)
    _receiving(app)
    _reading(app)
    pages.install(app, viewer, loopback=settings.office_http.is_loopback, settings=settings)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    statuses = READING_STATUS if request.method == "GET" else REFUSED_STATUS
    return fhir_json(error.outcome(), statuses.get(error.code, 422))


async def _busy(request: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    outcome = RefusedError("throttled", str(error)).outcome()
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
        return await gate.take(request, lambda body, _: _compared(clinic, body))


def _compared(clinic: Clinic, body: bytes) -> ManifestAnswer:
    try:
        manifest = ManifestRequest.model_validate_json(body)
    except pydantic.ValidationError:
        raise RefusedError("structure", "the body is not a manifest") from None
    return compare(clinic, manifest)


def _take(clinic: Clinic, body: bytes, prefer: str, wire: int) -> dict[str, Any]:
    try:
        bundle = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError("structure", "the body is not JSON") from None
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
        """The CapabilityStatement."""
        return fhir_json(reading.capability_statement())

    @app.get("/fhir/{kind}", response_model=None)
    def search(kind: str, request: Request, clinic_code: ScopeNow) -> Response:
        """Search one type."""
        base = f"{request.base_url}fhir"
        return fhir_json(reading.search(kind, clinic_code, request.query_params.multi_items(), base))

    @app.get("/fhir/{kind}/{key}", response_model=None)
    def read(kind: str, key: str, clinic_code: ScopeNow) -> Response:
        """One resource by the office's id."""
        document = reading.read(kind, key, clinic_code)
        return fhir_json(document, headers={"ETag": f'W/"{document["meta"]["versionId"]}"'})


def make_server(settings: Settings) -> uvicorn.Server:
    """The office's HTTP server, ready to run; port 0 takes a free one."""
    config = uvicorn.Config(
        create_office_app(settings),
        host=settings.office_http.host,
        port=settings.office_http.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
    )
    return uvicorn.Server(config)


def serve_office(settings: Settings) -> None:
    """Run the office until SIGTERM or SIGINT.

    Raises:
        SettingsError: The port is taken, or the database is a clinic's.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    address = settings.office_http
    with socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise SettingsError(
                "{setting}: cannot listen on {address} ({why}). Does another server run? "
                "End it, or set another port.",
                setting="LOKET_OFFICE_HTTP",
                address=f"{address.host}:{address.port}",
                why=error.strerror,
            ) from None
    server = make_server(settings)
    log.info("office on %s, FHIR base %s/fhir", address.url, address.url)
    server.run()

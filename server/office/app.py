"""The office as an ASGI application, and the command that runs it."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import random
import socket
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import peewee
import pydantic
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware

from core import clock
from core.config import Settings
from core.database import connect
from core.errors import NotSignedInError, SettingsError, ValidationError
from core.identifiers import new_secret
from core.migrations import migrate
from server import problems
from server.office import pages, reading
from server.office.checking import RefusedError
from server.office.manifests import ManifestAnswer, ManifestRequest, compare
from server.office.models import Clinic, connection, database, transaction
from server.office.receiving import receive

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
MAX_WIRE_BYTES = 8 * 2**20
"""A compressed body beyond this is refused: a clinic's day is a few hundred kilobytes."""
MAX_RAW_BYTES = 48 * 2**20
"""And its uncompressed form, so that a small body cannot fill the memory."""
AT_ONCE = 6
"""Bundles in work at a time; further senders are told when to come again."""
RETRY_AFTER_SECONDS = (2, 8)
"""The wait that is asked of them, spread so that they do not come back together."""


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
        ).on_conflict(conflict_target=[Clinic.code], preserve=[Clinic.name, Clinic.token_hash]).execute()
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Gate:
    """How many Bundles may be in work; the rest are turned away before they are read."""

    def __init__(self, places: int = AT_ONCE) -> None:
        self._free = places

    def enter(self) -> bool:
        """Take a place; False when there is none. Called on the event loop only."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self._free += 1


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


async def read_body(request: Request) -> tuple[bytes, int]:
    """The body, uncompressed, and its size as received.

    Raises:
        RefusedError: Too large, or not the gzip it says it is.
    """
    inflate = zlib.decompressobj(31) if request.headers.get("content-encoding") == "gzip" else None
    parts: list[bytes] = []
    wire = raw = 0
    try:
        async for chunk in request.stream():
            wire += len(chunk)
            part = inflate.decompress(chunk, MAX_RAW_BYTES + 1 - raw) if inflate else chunk
            raw += len(part)
            parts.append(part)
            if wire > MAX_WIRE_BYTES or raw > MAX_RAW_BYTES:
                raise RefusedError("too-long", "the body is too large")
    except zlib.error:
        raise RefusedError("structure", "the body is not gzip") from None
    if inflate is not None and not inflate.eof:
        raise RefusedError("incomplete", "the gzip body is cut off")
    return b"".join(parts), wire


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
    _receiving(app)
    _reading(app)
    pages.install(app, viewer, loopback=settings.office_http.is_loopback, settings=settings)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    status = {"too-long": 413, "incomplete": 400, "structure": 400}.get(error.code, 422)
    return fhir_json(error.outcome(), status)


def _receiving(app: FastAPI) -> None:
    @app.post("/fhir", response_model=None)
    @app.post("/fhir/", response_model=None, include_in_schema=False)
    async def post_bundle(request: Request, clinic: ClinicNow) -> Response:
        """Take a transaction Bundle of conditional updates."""
        gate: Gate = app.state.gate
        if not gate.enter():
            outcome = RefusedError("throttled", "many clinics are sending; come again").outcome()
            wait = random.randint(*RETRY_AFTER_SECONDS)  # noqa: S311  # spreads load, guards nothing
            return fhir_json(outcome, 503, {"Retry-After": str(wait)})
        try:
            body, wire = await read_body(request)
            prefer = request.headers.get("prefer", "")
            answer = await run_in_threadpool(_take, clinic, body, prefer, wire)
        finally:
            gate.leave()
        return fhir_json(answer)

    @app.post("/fhir/manifests")
    async def post_manifest(request: Request, clinic: ClinicNow) -> ManifestAnswer:
        """Compare a day's manifest."""
        body, _ = await read_body(request)
        try:
            manifest = ManifestRequest.model_validate_json(body)
        except pydantic.ValidationError:
            raise RefusedError("structure", "the body is not a manifest") from None
        return await run_in_threadpool(compare, clinic, manifest)


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
        return fhir_json(reading.search(kind, clinic_code, dict(request.query_params)))

    @app.get("/fhir/{kind}/{key}", response_model=None)
    def read(kind: str, key: int, clinic_code: ScopeNow) -> Response:
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
                f"LOKET_OFFICE_HTTP: cannot listen on {address.host}:{address.port} ({error.strerror})"
            ) from None
    server = make_server(settings)
    log.info("office on %s, FHIR base %s/fhir", address.url, address.url)
    server.run()

"""The core on HTTP: composes the whole application."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import core
from core.daily import backup
from core.foundation import garbage
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection, hurry_saves
from server import display, first_start, mobile_jkn, problems
from server.api_paths import route_path
from server.change_follower import ChangeFollower
from server.clinic_gauges import ClinicGauges
from server.core_gate import CoreGate
from server.display import port, ticket
from server.endpoints import (
    account_administration,
    accounts,
    appointments,
    approvals,
    audit_log,
    changes,
    clinic,
    counters,
    dangers,
    doctor,
    drafts,
    imports,
    insurance,
    machine,
    orders,
    paper_forms,
    patients,
    printing,
    queues,
    registrations,
    rights,
    roster,
    terminology,
    visits,
)
from server.examination import Examination
from server.journal_keeper import JournalKeeper
from server.mark_keeper import MarkKeeper
from server.restarting import Restarting
from server.stream_places import RememberedSources, StreamPlaces

MAX_BODY_BYTES = 256 * 1024
SMALLEST_COMPRESSED = 200  # bytes; below it the header that says so costs what is won
WORDS_SECONDS = 0.1  # after the start: requests are answered by then
PASSWORD_CHECKS = 2  # at a time
STRANGERS_PASSWORD_CHECKS = 1  # of addresses that have not signed in as the account lately
AUTHORITY_PATH = "/ca.pem"
RESOURCES = (
    queues,
    registrations,
    patients,
    accounts,
    rights,
    approvals,
    dangers,
    account_administration,
    imports,
    appointments,
    roster,
    insurance,
    visits,
    orders,
    terminology,
    drafts,
    changes,
    doctor,
    machine,
    printing,
    paper_forms,
    counters,
    clinic,
    audit_log,
)
"""Modules of endpoints, those that are asked most often first: routes are tried in their order."""


class Limits:
    """Refuses requests that no endpoint should have to handle: huge bodies, NUL in paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "\x00" in scope["path"]:
            await problems.problem(404, "not_found", "Not found")(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            await problems.problem(413, "too_large", "Too large")(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY_BYTES:  # chunked, without a length
                raise HTTPException(413, "Too large")
            return message

        await self._app(scope, counted, send)


class Metrics:
    """Metrics for Prometheus; no label ever holds an id or a name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "loket_requests_total", "Requests", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "loket_request_seconds",
            "Time to answer",
            ["route"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
        )
        self.clinic = ClinicGauges(self.registry)


class Measured:
    """Counts and times every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = route_path(scope) or "unknown"
            self._metrics.requests.labels(scope["method"], route, status).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - began)


def create_app(settings: Settings, *, demo: bool = False) -> FastAPI:
    """The clinic's server as an ASGI application.

    Opens the database, applies migrations, and makes the first accounts.

    Raises:
        SettingsError: Something is wrong with the settings or the files they name.
    """
    clinic = Clinic.open(settings, demo=demo)
    clinic.read_files()
    with connection():
        first_start.prepare(clinic)
        backup.put_on_list()
    clinic.share_files()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.password_checks = CapacityLimiter(PASSWORD_CHECKS)
        app.state.strangers_password_checks = CapacityLimiter(STRANGERS_PASSWORD_CHECKS)
        app.state.follower.start(settings.resolved_database_url)
        await to_thread.run_sync(app.state.keeper.start)
        app.state.journal_keeper.start()
        page_server = await port.open_port(settings, app.state)
        # Code, words and rules stay: a full collection would walk over them for a tenth of a second,
        # and delay a save in that moment.
        gc.freeze()
        hurry_saves(True)
        reading = threading.Timer(WORDS_SECONDS, _read_words, [clinic])
        reading.daemon = True
        reading.start()
        yield
        reading.cancel()
        # A thread that the interpreter's end cuts off within a C++ library aborts the process.
        await to_thread.run_sync(reading.join)
        hurry_saves(False)
        gc.unfreeze()
        app.state.follower.stop()
        app.state.journal_keeper.stop()
        await port.close_port(page_server)
        await to_thread.run_sync(app.state.keeper.stop)

    app = FastAPI(title="Loket", version=core.__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.clinic = clinic
    app.state.metrics = Metrics()
    app.state.follower = ChangeFollower()
    app.state.stream_places = StreamPlaces(settings)
    app.state.remembered_sources = RememberedSources()
    app.state.shared_board = display.SharedBoard(clinic, app.state.follower)
    app.state.waiting_guesses = accounts.WaitingGuesses(settings.http_guesses_per_source)
    app.state.keeper = MarkKeeper(clinic)
    app.state.journal_keeper = JournalKeeper(clinic)
    app.state.examination = Examination(clinic)
    app.state.restarting = Restarting()
    app.state.rendered_changes = changes.RenderedChanges()
    problems.install(app)
    # Not by `include_router`: it would read the parameters of all endpoints again.
    for router in (
        *(resource.router for resource in RESOURCES),
        display.router,
        ticket.router,
        *mobile_jkn.ROUTERS,
    ):
        app.router.routes.extend(router.routes)
    _operations(app)
    if settings.http_is_encrypted and not settings.tls_certificate:
        _authority(app, settings)
    app.add_middleware(CoreGate)
    # Only on request: terminals on this machine do not ask for it, those on a thin line do.
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_COMPRESSED, compresslevel=6)
    app.add_middleware(Limits)
    app.add_middleware(Measured, metrics=app.state.metrics)
    return app


def _read_words(clinic: Clinic) -> None:
    """Compile the complaint words before the first complaint comes, unless the start has done so."""
    if "vocabulary" not in vars(clinic):
        with garbage.not_collected():
            _ = clinic.vocabulary


def _authority(app: FastAPI, settings: Settings) -> None:
    @app.get(AUTHORITY_PATH, include_in_schema=False)
    async def authority() -> PlainTextResponse:
        """Hand out the certificate of the clinic's authority; counters and doors keep it at their first contact."""
        return PlainTextResponse(settings.certificate_files.authority.read_text())


def _operations(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> PlainTextResponse:
        """Tell what the keeper saw last: neither a thread nor the database is waited for."""
        problem = app.state.keeper.problem
        return PlainTextResponse(f"{problem or 'ready'}\n", status_code=503 if problem else 200)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        state: Metrics = app.state.metrics
        state.clinic.read(app.state.clinic, app.state.keeper.problem)
        return Response(generate_latest(state.registry), media_type=CONTENT_TYPE_LATEST)

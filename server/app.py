"""The core on HTTP: one function composes the whole application."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.clinic import Clinic
from core.config import Settings
from core.database import connection, database
from core.migrations import pending
from server import display, first_start, mobile_jkn, problems
from server.display import ticket
from server.endpoints import admin, changes, patients, printing, queues, registrations, tokens, visits

MAX_BODY_BYTES = 256 * 1024
SMALLEST_COMPRESSED = 200  # bytes; below it the header that says so costs what is won
PASSWORD_CHECKS = 2  # at a time
API = "/api/v1"


class Limits:
    """Refuses what no endpoint should have to look at: huge bodies, NUL in paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
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
    """What Prometheus may ask; no label ever holds an id or a name."""

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
        self.outbox = Gauge(
            "loket_outbox_pending", "Records the office has yet to get", registry=self.registry
        )


class Measured:
    """Counts and times every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
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
            route = getattr(scope.get("route"), "path", "unknown")
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

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.password_checks = CapacityLimiter(PASSWORD_CHECKS)
        app.state.follower.start(settings.resolved_database_url)
        # Code, words and rules stay: a full collection would walk over them for a tenth of a second each time,
        # and whoever saves at that moment would wait.
        gc.freeze()
        yield
        gc.unfreeze()
        app.state.follower.stop()

    app = FastAPI(title="Loket", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.clinic = clinic
    app.state.metrics = Metrics()
    app.state.follower = changes.Follower()
    problems.install(app)
    api = APIRouter(prefix=API, responses=problems.RESPONSES)
    for resource in (tokens, queues, patients, registrations, visits, changes, printing, admin):
        api.include_router(resource.router)
    app.include_router(api)
    app.include_router(display.router)
    app.include_router(ticket.router)
    app.include_router(mobile_jkn.router)
    _operations(app)
    # Only for who asks for it: terminals on this machine do not, those across a thin line do.
    app.add_middleware(GZipMiddleware, minimum_size=SMALLEST_COMPRESSED, compresslevel=6)
    app.add_middleware(Limits)
    app.add_middleware(Measured, metrics=app.state.metrics)
    return app


def _operations(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> PlainTextResponse:
        with connection():
            database.execute_sql("SELECT 1")
            ready = not pending(database.obj)
        return PlainTextResponse("ready\n" if ready else "migrating\n", status_code=200 if ready else 503)

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        from core import outbox

        state: Metrics = app.state.metrics
        with connection():
            state.outbox.set(outbox.pending_count())
        return Response(generate_latest(state.registry), media_type=CONTENT_TYPE_LATEST)

"""A plain port for the waiting room's screen and the tickets' pages, beside a core that speaks HTTPS.

A television set knows nothing of the clinic's certificate authority. What stands here are numbers and rooms.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import State

from core.foundation.config import Settings
from server import connections, display, problems
from server.display import ticket

CLOSING_SECONDS = 5.0


class _PageServer(uvicorn.Server):
    """A second server in the loop of the first one, which hears the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


@dataclass(frozen=True)
class OpenPort:
    """The running server of the port."""

    server: uvicorn.Server
    task: asyncio.Task[None]


def create_page_app(state: State) -> FastAPI:
    """Return the two pages as an application that shares the core's state.

    Args:
        state: Of the core's application.
    """
    app = FastAPI(title="Loket", openapi_url=None, docs_url=None, redoc_url=None)
    app.state = state
    problems.install(app)
    app.include_router(display.router)
    app.include_router(ticket.router)
    return app


async def open_port(settings: Settings, state: State) -> OpenPort | None:
    """Open the port, if there is to be one.

    Args:
        settings: The clinic's.
        state: Of the core's application.
    """
    if settings.display_http is None:
        return None
    bounds = connections.bounds_of(settings)
    config = uvicorn.Config(
        create_page_app(state),
        host=settings.display_http.host,
        port=settings.display_http.port,
        lifespan="off",
        log_level="warning",
        log_config=None,
        access_log=False,
        server_header=False,
        http=connections.protocol_within(bounds),
        h11_max_incomplete_event_size=bounds.head_bytes,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=int(CLOSING_SECONDS),
    )
    server = _PageServer(config)
    task = asyncio.get_running_loop().create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    return OpenPort(server, task)


async def close_port(opened: OpenPort | None) -> None:
    """Close it."""
    if opened is None:
        return
    opened.server.should_exit = True
    await asyncio.wait({opened.task}, timeout=CLOSING_SECONDS)

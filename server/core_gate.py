"""Refuses every request once another machine has taken over: what is read here is old, what is saved would be lost."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from core.foundation import database as storage
from server import problems

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics", "/ca.pem"})
"""Addresses that tell this machine's state, and nothing of the clinic."""


class CoreGate:
    """Lets requests pass while this is the core."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and storage.is_superseded() and scope["path"] not in OPEN_PATHS:
            await problems.problem(503, "superseded", "Superseded")(scope, receive, send)
            return
        await self._app(scope, receive, send)

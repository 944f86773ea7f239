"""Guards of the office: names it answers to, guesses at its password and tokens, bounds of numbers."""

from __future__ import annotations

import ipaddress
import socket
from datetime import timedelta
from typing import Annotated

from fastapi import Request
from pydantic import Field
from starlette.types import ASGIApp, Receive, Scope, Send

from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.errors import TooManyAttemptsError
from core.foundation.networks import network_of
from server import problems
from server.office.models import OfficeFailure, connection, transaction

FREE = 10
"""Wrong passwords and tokens of one source within `WINDOW`; then it has to wait."""
WINDOW = timedelta(minutes=15)
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""A number of records: none is negative, and none larger than a database holds."""


def names_of(settings: Settings) -> frozenset[str]:
    """Return the names that the office answers to besides addresses in figures."""
    given = {name.strip().lower() for name in settings.office_hosts.split(",") if name.strip()}
    own = {"localhost", socket.gethostname().lower(), settings.office_http.host.lower()}
    return frozenset(given | own)


def is_answered(host: str, names: frozenset[str]) -> bool:
    """Return whether a request's Host is one of the office's.

    An address in figures always is: a name that somebody else owns can be made to point here (DNS rebinding), and a
    link to it could be put into an answer; a figure cannot.
    """
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.lower() in names
    return True


class KnownHosts:
    """Refuses requests for a Host that is not on the list."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            if not is_answered(host, self._names):
                refusal = problems.problem(421, "unknown_host", "Set LOKET_OFFICE_HOSTS to this name")
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def source_of(request: Request) -> str:
    """Return where a request comes from, as guesses are counted."""
    return network_of(request.client.host if request.client else "")


def require_patience(request: Request) -> None:
    """Let nobody guess on who was wrong too often.

    Raises:
        TooManyAttemptsError: With the seconds left.
    """
    since = clock.now() - WINDOW
    with connection():
        over = (
            OfficeFailure.select()
            .where(OfficeFailure.source == source_of(request), OfficeFailure.at > since)
            .order_by(OfficeFailure.at.desc())
            .offset(FREE - 1)
            .limit(1)
            .first()
        )
    if over is not None:
        left = min(over.at - since, WINDOW)
        raise TooManyAttemptsError(max(1, round(left.total_seconds())))


def guessed_wrong(request: Request) -> None:
    """Count a wrong password or token.

    Raises:
        TooManyAttemptsError: The source has to wait; this one is not counted any more.
    """
    require_patience(request)
    now = clock.now()
    with transaction():
        OfficeFailure.delete().where(OfficeFailure.at < now - WINDOW).execute()
        OfficeFailure.create(source=source_of(request), at=now)

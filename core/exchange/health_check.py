"""Checks that the other end is there and lets this clinic in, without sending anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from core.exchange.link import OfficeLink
from core.exchange.pacing import TryAgainError
from core.exchange.satusehat.requests import Access
from core.foundation import clock
from core.foundation.config import Settings
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

TIMEOUT = httpx.Timeout(15.0)
"""Seconds; a person waits for the answer."""


@dataclass(frozen=True)
class HealthProbe:
    """The result of a check."""

    problem: JobProblem | None
    """None when the other end is there and knows this clinic."""
    ahead_seconds: float | None
    """Seconds by which this machine's clock is ahead of the other end's; None when it does not tell."""


def probe(settings: Settings, client: httpx.Client) -> HealthProbe:
    """Look for the other end, for at most `TIMEOUT`."""
    dates: list[str] = []
    client.event_hooks = {"response": [lambda response: dates.append(response.headers.get("date", ""))]}
    problem = None
    try:
        if settings.sync_target == "office":
            OfficeLink(settings.office_url, settings.office_token, client, TIMEOUT).greet()
        else:
            Access(settings, client, TIMEOUT).greet()
    except (SyncError, TryAgainError) as error:
        problem = error.problem
    return HealthProbe(problem, _ahead(dates[-1]) if dates else None)


def _ahead(date: str) -> float | None:
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    ours: datetime = clock.now()
    return (ours - theirs.astimezone(UTC)).total_seconds()

"""Asking the other end whether it is there and lets this clinic in, without sending anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from core import clock
from core.config import Settings
from core.errors import SyncError
from core.synchronisation.link import Link
from core.synchronisation.pace import TryAgainError
from core.synchronisation.satusehat.access import Access

TIMEOUT = httpx.Timeout(15.0)
"""Seconds; somebody waits for the answer."""


@dataclass(frozen=True)
class Probe:
    """What was found."""

    problem: str | None
    """A problem line; None when the other end is there and knows this clinic."""
    ahead_seconds: float | None
    """By how much this machine's clock is ahead of the other end's; None when it does not tell."""


def probe(settings: Settings, client: httpx.Client) -> Probe:
    """Look for the other end, for at most `TIMEOUT`."""
    dates: list[str] = []
    client.event_hooks = {"response": [lambda response: dates.append(response.headers.get("date", ""))]}
    problem = None
    try:
        if settings.sync_target == "office":
            Link(settings.office_url, settings.office_token, client, TIMEOUT).greet()
        else:
            Access(settings, client, TIMEOUT).greet()
    except (SyncError, TryAgainError) as error:
        problem = error.reason
    return Probe(problem, _ahead(dates[-1]) if dates else None)


def _ahead(date: str) -> float | None:
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    ours: datetime = clock.now()
    return (ours - theirs.astimezone(UTC)).total_seconds()

"""The daily sending: the outbox goes to an office or to SATUSEHAT, and the day is proven.

`sending` goes through the outbox; a target (`office`, `satusehat`) knows the receiver's form and order.
The database is read in short slices and written in short transactions, never during HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from core.exchange.health_check import HealthProbe, probe
from core.exchange.office.office_target import OfficeTarget
from core.exchange.outcome import Progress, SyncOutcome
from core.exchange.pacing import Pace, Patience, TryAgainError
from core.exchange.satusehat.facility_places import PlaceMade
from core.exchange.satusehat.requests import Access
from core.exchange.satusehat.sandbox_check import FactFound, SandboxCheck, is_production
from core.exchange.satusehat.satusehat_target import SatusehatTarget
from core.exchange.sending import Sending
from core.exchange.target import Target
from core.foundation import jobs
from core.foundation.clinic import Clinic
from core.foundation.config import Settings
from core.foundation.database import connection
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem

__all__ = [
    "HealthProbe",
    "Pace",
    "Progress",
    "SyncOutcome",
    "is_set_up",
    "make_places",
    "probe",
    "run",
    "what_is_missing",
]


NEEDED_SETTINGS = {
    "office": ("office_url",),
    "satusehat": (
        "satusehat_url",
        "satusehat_client_id",
        "satusehat_client_secret",
        "satusehat_organization",
    ),
}
"""Receiver -> settings without which nothing can be sent to it."""


def what_is_missing(settings: Settings) -> str | None:
    """Return the names of the settings that are missing to send; None when there is none."""
    needed = NEEDED_SETTINGS[settings.sync_target]
    return ", ".join(f"LOKET_{name.upper()}" for name in needed if not getattr(settings, name)) or None


def is_set_up(settings: Settings) -> bool:
    """Return whether a receiver is set."""
    return what_is_missing(settings) is None


def run(
    clinic: Clinic,
    *,
    progress: Progress | None = None,
    client: httpx.Client | None = None,
    pace: Pace | None = None,
) -> SyncOutcome:
    """Send the waiting records and prove the days they belong to. A second run is harmless.

    Never raises for a refused record or an unreachable receiver: the former is set aside with
    the receiver's words, the latter leaves everything in the outbox with the reason.

    Args:
        clinic: The clinic whose outbox is sent.
        progress: Called with records done and records known of, after each batch.
        client: An HTTP client to use instead of a new one.
        pace: How hard to try.
    """
    missing = what_is_missing(clinic.settings)
    if missing is not None:
        return SyncOutcome(error=JobProblem("not_set_up", {"settings": missing}))
    with jobs.alone(clinic.settings.home, "sync") as first:
        if not first:
            return SyncOutcome(error=JobProblem("already_running"))
        with _given_or_own(client) as http, connection():
            patience = Patience(pace or Pace())
            return Sending(clinic, _target(clinic, http, patience), patience, progress).go()


@contextmanager
def _given_or_own(client: httpx.Client | None) -> Iterator[httpx.Client]:
    """Give the client that was given, or a new one until the block ends."""
    if client is not None:
        yield client
        return
    with httpx.Client() as own:
        yield own


def _satusehat_missing(settings: Settings) -> JobProblem | None:
    """Return why SATUSEHAT cannot be asked with these settings."""
    missing = what_is_missing(settings)
    if settings.sync_target == "satusehat" and missing is None:
        return None
    return JobProblem("not_set_up", {"settings": missing or "LOKET_SYNC_TARGET=satusehat"})


def make_places(
    clinic: Clinic, client: httpx.Client | None = None
) -> tuple[list[PlaceMade], JobProblem | None]:
    """See to it that SATUSEHAT has the clinic's units and rooms. A second run changes nothing.

    Args:
        clinic: The clinic.
        client: An HTTP client to use instead of a new one.

    Returns:
        What was done with each, and why it could not be done.
    """
    missing = _satusehat_missing(clinic.settings)
    if missing is not None:
        return [], missing
    with jobs.alone(clinic.settings.home, "sync") as first:
        if not first:
            return [], JobProblem("already_running")
        try:
            with _given_or_own(client) as http, connection():
                patience = Patience(Pace(attempts=2))
                return patience.until_answered(SatusehatTarget(clinic, http, patience).make_places), None
        except SyncError as error:
            return [], error.problem


def check_sandbox(
    clinic: Clinic, client: httpx.Client | None = None
) -> tuple[list[FactFound], JobProblem | None]:
    """Walk SATUSEHAT's sandbox once, and return which facts of the guide hold there.

    Args:
        clinic: The clinic.
        client: An HTTP client to use instead of a new one.

    Returns:
        Each fact with its outcome, and why the walk could not be made or was cut off.
    """
    missing = _satusehat_missing(clinic.settings)
    if missing is not None:
        return [], missing
    if is_production(clinic.settings.satusehat_url):
        return [], JobProblem("sandbox_only", {"setting": "LOKET_SATUSEHAT_URL"})
    _made, problem = make_places(clinic, client)
    if problem is not None:
        return [], problem
    found: list[FactFound] = []
    with jobs.alone(clinic.settings.home, "sync") as first:
        if not first:
            return [], JobProblem("already_running")
        try:
            with _given_or_own(client) as http, connection():
                for fact in SandboxCheck(clinic, Access(clinic.settings, http)).walk():
                    found.append(fact)
        except (SyncError, TryAgainError) as error:
            return found, error.problem
    return found, None


def _target(clinic: Clinic, client: httpx.Client, patience: Patience) -> Target:
    kinds: dict[str, type[OfficeTarget] | type[SatusehatTarget]] = {
        "office": OfficeTarget,
        "satusehat": SatusehatTarget,
    }
    return kinds[clinic.settings.sync_target](clinic, client, patience)

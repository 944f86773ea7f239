"""The daily sending: what is in the outbox goes to an office or to SATUSEHAT, and the day is proven.

`sending` goes through the outbox; a target (`office`, `satusehat`) knows what the other end wants.
The database is read in short slices and written in short transactions, never during HTTP.
"""

from __future__ import annotations

import httpx

from core import job_runs
from core.clinic import Clinic
from core.config import Settings
from core.database import connection
from core.synchronisation.office import OfficeTarget
from core.synchronisation.outcome import Progress, SyncOutcome
from core.synchronisation.pace import Pace, Patience
from core.synchronisation.probing import Probe, probe
from core.synchronisation.satusehat import SatusehatTarget
from core.synchronisation.sending import Sending
from core.synchronisation.target import Target

__all__ = ["Pace", "Probe", "Progress", "SyncOutcome", "is_set_up", "probe", "run", "what_is_missing"]


def what_is_missing(settings: Settings) -> str | None:
    """Names of the settings without which nothing can be sent; None when it can."""
    needed = {"office": ("office_url",), "satusehat": (
        "satusehat_url", "satusehat_client_id", "satusehat_client_secret", "satusehat_organization"
    )}  # fmt: skip
    missing = [
        f"LOKET_{name.upper()}" for name in needed[settings.sync_target] if not getattr(settings, name)
    ]
    if not missing:
        return None
    return ", ".join(missing)


def is_set_up(settings: Settings) -> bool:
    """Whether there is somebody to send to."""
    return what_is_missing(settings) is None


def run(
    clinic: Clinic,
    *,
    progress: Progress | None = None,
    client: httpx.Client | None = None,
    pace: Pace | None = None,
) -> SyncOutcome:
    """Send what waits and prove the days it belongs to. Running it again is harmless.

    Never raises for a refused record or an unreachable receiver: the former is set aside with
    the receiver's words, the latter leaves everything in the outbox with the reason.

    Args:
        clinic: Whose outbox.
        progress: Called with records done and records known of, after each batch.
        client: An HTTP client to use instead of a new one.
        pace: How hard to try.
    """
    missing = what_is_missing(clinic.settings)
    if missing is not None:
        return SyncOutcome(error=f"not_set_up: {missing}")
    with job_runs.alone(clinic.settings.home, "sync") as first:
        if not first:
            return SyncOutcome(error="already_running")
        own = client or httpx.Client()
        try:
            with connection():
                patience = Patience(pace or Pace())
                return Sending(clinic, _target(clinic, own, patience), patience, progress).go()
        finally:
            if client is None:
                own.close()


def _target(clinic: Clinic, client: httpx.Client, patience: Patience) -> Target:
    kinds: dict[str, type[OfficeTarget] | type[SatusehatTarget]] = {
        "office": OfficeTarget,
        "satusehat": SatusehatTarget,
    }
    return kinds[clinic.settings.sync_target](clinic, client, patience)

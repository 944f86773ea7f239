"""The IHS numbers of the patients who are at the clinic today, looked up while they wait.

A registration never waits for it: a thread of the server asks between two looks at the day. Nobody is made there, and
of who refuses nobody is told. Without an answer a number stays unknown; the sending asks again.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from datetime import date

import httpx
from peewee import fn

from core.exchange.fhir import Mapper
from core.exchange.pacing import TryAgainError
from core.exchange.satusehat.consent import refusing
from core.exchange.satusehat.identities import Identities
from core.exchange.satusehat.patient_registry import (
    PatientRegistry,
    SetAsideError,
    personal_number,
)
from core.exchange.satusehat.requests import Access, SatusehatRefusedError
from core.exchange.service import is_set_up
from core.foundation.backoff import Backoff
from core.foundation.clinic import Clinic
from core.foundation.database import connection
from core.foundation.errors import SyncError
from core.models import Patient, Visit

log = logging.getLogger(__name__)

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
"""Seconds. Nobody waits for it, and a link that is slower than this will do better at night."""
MOST_AT_ONCE = 20
"""Patients asked for in one look, at the rate of the sending; the others follow with the next."""
PAUSES = Backoff(first=60.0, longest=1800.0, jitter=(0.5, 1.0))
"""Waits after looks without an answer: an outage of the internet must not become a stream of requests."""


class IhsLookup:
    """Remembers whom SATUSEHAT did not know, so that each is asked for once a day and number."""

    def __init__(self, clinic: Clinic, client: httpx.Client | None = None) -> None:
        """Initialise the lookup.

        Args:
            clinic: The clinic.
            client: An HTTP client to use instead of an own one.
        """
        self._clinic = clinic
        self._client = client
        self._day: date | None = None
        self._settled: set[tuple[str, int]] = set()
        """Patients of today, each with the version of the card, whose number is known or cannot be found."""
        self._failures = 0
        self._not_before = 0.0
        self._alone = threading.Lock()

    def look(self) -> int:
        """Ask for those of today whose IHS number is not known; return how many were found.

        Never raises for an unreachable service: it pauses, longer each time.
        """
        settings = self._clinic.settings
        if settings.sync_target != "satusehat" or not is_set_up(settings):
            return 0
        if time.monotonic() < self._not_before or not self._alone.acquire(blocking=False):
            return 0
        try:
            return self._look()
        except (TryAgainError, SyncError) as error:
            self._failures += 1
            self._not_before = time.monotonic() + PAUSES.seconds(self._failures)
            log.warning("SATUSEHAT was asked for IHS numbers and did not answer: %s", error)
            return 0
        finally:
            self._alone.release()

    def _look(self) -> int:
        self._begin_the_day()
        with connection():
            waiting = self._waiting()[:MOST_AT_ONCE]
        if not waiting:
            return 0
        own = self._client or httpx.Client()
        try:
            ids = Identities(self._clinic.settings.satusehat_url)
            registry = PatientRegistry(Access(self._clinic.settings, own, TIMEOUT), ids)
            found = sum(self._ask(registry, patient) for patient in waiting)
        finally:
            if self._client is None:
                own.close()
        self._failures = 0
        return found

    def _begin_the_day(self) -> None:
        today = self._clinic.today()
        if today != self._day:
            self._day, self._settled = today, set()

    def _waiting(self) -> list[Patient]:
        """Return today's patients who do not refuse and were not asked for yet, the first to come first."""
        today = (Visit.service_on == self._clinic.today()) & Visit.voided_at.is_null()
        visits = Visit.select(Visit.patient, fn.MIN(Visit.started_at).alias("came")).where(today)
        came = visits.group_by(Visit.patient).alias("came")
        here = Patient.select().join(came, on=(Patient.id == came.c.patient_id))
        rows = list(here.where(Patient.voided_at.is_null()).order_by(came.c.came))
        new = [row for row in rows if (row.id, row.version) not in self._settled]
        refused = refusing([row.id for row in new])
        return [row for row in new if row.id not in refused]

    def _ask(self, registry: PatientRegistry, patient: Patient) -> bool:
        """Return whether the number was found now; a refusal is an answer too.

        Args:
            registry: The patients of SATUSEHAT.
            patient: The patient.

        Raises:
            TryAgainError: No answer.
            SyncError: It will never work like this.
        """
        found = False
        with connection(), suppress(SetAsideError, SatusehatRefusedError):
            for record in Mapper(self._clinic).patients([patient.id]):
                entry = record.entries[0]
                if not registry.is_known(entry.value, personal_number(entry.resource)):
                    found = registry.look_up(entry.value, entry.resource)
        self._settled.add((patient.id, patient.version))
        return found

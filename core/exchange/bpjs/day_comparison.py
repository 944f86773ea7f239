"""The proof of a day: BPJS's registrations and visits beside Loket's, differences named and mended.

Source: docs/reference/bpjs.md 5.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

import httpx

from core.exchange.bpjs.bpjs_link import BpjsLink, pcare_link, shared_client
from core.exchange.bpjs.settling import RefusedByBpjsError, owner_of, registrations, visit_numbers
from core.exchange.pacing import TryAgainError
from core.foundation import clock, feed, state
from core.foundation.clinic import Clinic
from core.foundation.codes import OutboxStatus, VisitStatus
from core.foundation.database import connection, instant_text, transaction
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem
from core.models import BpjsVisit, Visit
from core.records.pcare_form import INSURED
from core.schemas.bpjs import CHANGED

COMPARISON = "bpjs_comparison"
"""Key of the last comparison of each day, by day."""
DAYS_KEPT = 62


@dataclass
class DayComparison:
    """One day, here and there."""

    day: str
    at: str = ""
    here: int = 0
    """Registrations that Loket believes to be there."""
    there: int = 0
    missing: list[str] = field(default_factory=list)
    """Our visits of which BPJS lacks the registration or the visit; they are sent again by themselves."""
    only_there: list[str] = field(default_factory=list)
    """Numbers of registrations and visits that BPJS alone has: typed there by hand, or lost here."""
    open_here: list[str] = field(default_factory=list)
    """Our visits that wait or were set aside."""

    @property
    def agrees(self) -> bool:
        """Return whether both hold the same, and nothing waits."""
        return not (self.missing or self.only_there or self.open_here)

    def document(self) -> dict[str, Any]:
        """Return it JSON-safe."""
        return {**asdict(self), "agrees": self.agrees}


def compare_days(
    clinic: Clinic, client: httpx.Client | None = None
) -> tuple[list[DayComparison], JobProblem | None]:
    """Compare today and every earlier day whose visits changed since it was proven.

    Args:
        clinic: The clinic.
        client: An HTTP client to use instead of the shared one.

    Returns:
        The comparisons made, and why there are no more.
    """
    made: list[DayComparison] = []
    try:
        with connection():
            link = pcare_link(clinic.settings, client or shared_client())
            for day in unproven_days(clinic):
                made.append(compare(link, day))
                _keep(made[-1])
    except (TryAgainError, SyncError) as error:
        return made, error.problem
    except RefusedByBpjsError as refusal:
        return made, JobProblem("bpjs_refuses", {"words": refusal.words[:200]})
    return made, None


def unproven_days(clinic: Clinic) -> list[date]:
    """Return today and the days of visits that changed after they were last proven, oldest first."""
    known = proven()
    days = {clinic.today()}
    for row in BpjsVisit.select(BpjsVisit.service_on, BpjsVisit.updated_at).where(
        BpjsVisit.service_on.is_null(False)
    ):
        day = row.service_on
        assert day is not None
        held = known.get(day.isoformat())
        if held is None or not held["agrees"] or row.updated_at > datetime.fromisoformat(held["at"]):
            days.add(day)
    return sorted(days)


def proven() -> dict[str, dict[str, Any]]:
    """Return the last comparison of each day, by day."""
    known = state.fact(COMPARISON)
    return known["days"] if known is not None else {}


def _keep(made: DayComparison) -> None:
    days = {**proven(), made.day: made.document()}
    newest = sorted(days)[-DAYS_KEPT:]
    with transaction():
        state.note(COMPARISON, days={day: days[day] for day in newest})
        feed.append(CHANGED)


def compare(link: BpjsLink, day: date) -> DayComparison:
    """Compare one day, and put back what BPJS lacks.

    Args:
        link: The line to P-Care.
        day: The clinic's day.

    Raises:
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
        RefusedByBpjsError: It refuses to list the day.
    """
    made = DayComparison(day.isoformat())
    there = {owner_of(item): str(item.get("noUrut") or "") for item in registrations(link, day)}
    rows = list(BpjsVisit.select().where(BpjsVisit.service_on == day))
    made.there = len(there)
    for row in rows:
        if row.registration_number is None:
            continue
        made.here += 1
        number = there.pop((row.card_number, row.poli), None)
        if number is None:
            made.missing.append(row.visit_id)
            _put_back(row, registration_number=None, visit_number=None, visit_digest="", items={})
        else:
            _compare_visit(link, row, number, made)
    made.only_there += [number for number in there.values() if number]
    made.open_here = _open_visits(day, {row.visit_id: row for row in rows})
    made.at = instant_text(clock.now())
    return made


def _compare_visit(link: BpjsLink, row: BpjsVisit, number: str, made: DayComparison) -> None:
    """Compare the visit of one registration."""
    if number != row.registration_number:
        _put_back(row, registration_number=number)
    numbers = visit_numbers(link, row)
    if row.visit_number is not None and row.visit_number not in numbers:
        made.missing.append(row.visit_id)
        _put_back(row, visit_number=None, visit_digest="", items={})
    made.only_there += [found for found in numbers if found != row.visit_number]


def _open_visits(day: date, rows: dict[str, BpjsVisit]) -> list[str]:
    """Return the insured visits of a day that BPJS does not hold as they are."""
    insured = Visit.select(Visit.id).where(
        Visit.service_on == day,
        Visit.payer.in_(list(INSURED)),
        Visit.status != VisitStatus.CANCELLED,
        Visit.voided_at.is_null(),
    )
    settled = {key for key, row in rows.items() if row.status == OutboxStatus.SENT and not row.doubt}
    return sorted(visit.id for visit in insured if visit.id not in settled)


def _put_back(row: BpjsVisit, **values: Any) -> None:
    with transaction():
        BpjsVisit.update(**values, status=OutboxStatus.PENDING, updated_at=clock.now()).where(
            BpjsVisit.visit == row.visit_id
        ).execute()

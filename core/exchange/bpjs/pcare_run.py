"""One run through the visits that BPJS does not hold as they are.

The visits' rows of the outbox count their changes; a `BpjsVisit` remembers up to which change BPJS has it.
So every edit, strike, undo and merge that the office hears of reaches BPJS too, by the same gate.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta

import httpx
from peewee import JOIN, fn

from core.exchange import outbox
from core.exchange.bpjs import code_lists, code_mapping, payer_check, referral_lists
from core.exchange.bpjs.bpjs_link import BpjsLink, FailingError, is_set_up, pcare_link, shared_client
from core.exchange.bpjs.pcare_bodies import WantedVisit, first_of_referral, wanted
from core.exchange.bpjs.settling import GapError, RefusedByBpjsError, Settling
from core.exchange.fhir.clinical import VisitRows
from core.exchange.fhir.rendering import visit_rows
from core.exchange.pacing import TryAgainError
from core.foundation import clock, feed, jobs, logs, state
from core.foundation.clinic import Clinic
from core.foundation.codes import Disposition, OutboxStatus
from core.foundation.database import connection, instant_text, transaction, tuples
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem
from core.models import Allergy, BpjsVisit, Outbox, Patient, Visit
from core.records.pcare_form import INSURED
from core.schemas.bpjs import CHANGED, REFERRED

log = logging.getLogger(__name__)

LAST_RUN = "bpjs_last_run"
SLICE = 20
"""Visits read at once."""
GAPS_AGAIN = timedelta(minutes=10)
"""Interval at which it is looked whether what was missing here has come."""
OUTAGE = 3
"""Visits in a row without an answer after which a run ends: BPJS is out. One alone is passed over."""
NO_ANSWER = "no_answer"
"""Gap of a visit at which BPJS fails."""
TOO_OFTEN = 20
"""Attempts without an answer and without progress, while others got theirs, after which a visit is shown."""


@dataclass
class PcareOutcome:
    """The outcome of one run."""

    settled: int = 0
    set_aside: int = 0
    waiting: int = 0
    error: JobProblem | None = None
    """Reason for which it ended early, or for which the last visit got no answer."""
    unanswered: list[tuple[BpjsVisit, str]] = field(default_factory=list)
    """Visits that BPJS gave no answer to, each with what came instead."""
    in_a_row: int = 0
    """The number of them that were the last."""


def run(
    clinic: Clinic, client: httpx.Client | None = None, timeout: httpx.Timeout | None = None
) -> PcareOutcome:
    """Bring BPJS up to date. A second run is harmless; one at a time goes on in a clinic.

    Never raises for a refused visit or an unreachable service: the one is set aside with BPJS's words, the
    other leaves everything waiting.

    Args:
        clinic: The clinic.
        client: An HTTP client to use instead of the shared one.
        timeout: How long to wait for an answer; the usual time unless given.
    """
    outcome = PcareOutcome()
    if not is_set_up(clinic.settings):
        return outcome
    with jobs.alone(clinic.settings.home, "bpjs") as first:
        if not first:
            outcome.error = JobProblem("already_running")
            return outcome
        with connection():
            link = pcare_link(clinic.settings, client or shared_client(), *([timeout] if timeout else []))
            _go(clinic, link, outcome)
    return outcome


def _go(clinic: Clinic, link: BpjsLink, outcome: PcareOutcome) -> None:
    try:
        ids = waiting_visits(clinic)
        outcome.waiting = len(ids)
        if code_lists.stale():
            code_lists.refresh(link)
            code_mapping.map_doctors()
        for start in range(0, len(ids), SLICE):
            _settle_slice(clinic, link, ids[start : start + SLICE], outcome)
        with suppress(TryAgainError):
            code_lists.know_ahead(link, clock.now())
            referral_lists.know_ahead(link)
    except TryAgainError as error:
        outcome.error = error.problem
    except SyncError as error:
        outcome.error = error.problem
    except Exception as error:
        # The loop's edge: a damaged row must not end the server.
        log.error("BPJS: %s", logs.describe_failure(error))
        outcome.error = jobs.problem_of(error)
    _show_the_unanswered(outcome)
    problem = outcome.error.document() if outcome.error is not None else None
    state.note(LAST_RUN, at=instant_text(clock.now()), problem=problem, waiting=outcome.waiting)


def _settle_slice(clinic: Clinic, link: BpjsLink, ids: Sequence[str], outcome: PcareOutcome) -> None:
    changes = dict(
        tuples(
            Outbox.select(Outbox.target, Outbox.change).where(
                Outbox.kind == outbox.VISIT, Outbox.target.in_(ids)
            )
        )
    )
    found = _with_allergies(visit_rows(ids))
    with suppress(TryAgainError):  # a flag that is not known asks for nothing; BPJS itself may
        code_lists.know_diagnoses(link, [code for rows in found for code in first_of_referral(rows)])
    codes = code_mapping.codes(clinic)
    for rows in found:
        row = _row_of(rows.visit.id)
        goal = wanted(rows, codes)
        settling = Settling(clinic.settings, link, row, goal)
        held = _held(row)
        try:
            if payer_check.is_open(rows.visit, row):
                payer_check.learn(clinic.settings, link, rows.visit)
            _settle(settling, row, goal, changes.get(rows.visit.id, 0), outcome)
        except TryAgainError as error:
            _pass_over(row, error, outcome, has_progressed=_held(row) != held)


def _with_allergies(rows: Iterable[VisitRows]) -> list[VisitRows]:
    """Return visits with the allergies of their patients, in the order in which they were recorded."""
    found = list(rows)
    people = {row.visit.patient_id for row in found}
    recorded = Allergy.select().where(Allergy.patient.in_(people), Allergy.voided_at.is_null())
    by_patient: defaultdict[str, list[Allergy]] = defaultdict(list)
    for allergy in recorded.order_by(Allergy.recorded_at, Allergy.id):
        by_patient[allergy.patient_id].append(allergy)
    for row in found:
        row.allergies = by_patient[row.visit.patient_id]
    return found


def _settle(
    settling: Settling, row: BpjsVisit, goal: WantedVisit, change: int, outcome: PcareOutcome
) -> None:
    """Settle one visit, and note how far it is.

    Args:
        settling: Of the visit.
        row: What BPJS holds of it.
        goal: What it should hold.
        change: The visit's in the outbox.
        outcome: Of the run.

    Raises:
        TryAgainError: No answer.
        SyncError: BPJS does not let this clinic in.
    """
    gaps, words = list(goal.gaps), None
    try:
        settling.go()
    except GapError as gap:
        gaps.append(gap.code)
    except RefusedByBpjsError as refusal:
        words = refusal.words
    _mark(row, change, gaps, words)
    if gaps or words is not None:
        outcome.set_aside += 1
    else:
        outcome.settled += 1
    outcome.waiting -= 1
    outcome.in_a_row = 0


def _held(row: BpjsVisit) -> tuple[object, ...]:
    """Return what tells whether an attempt came further than the one before."""
    return (row.registration_number, row.visit_number, row.visit_digest, len(row.items))


def _pass_over(row: BpjsVisit, error: TryAgainError, outcome: PcareOutcome, *, has_progressed: bool) -> None:
    """Go on with the next visit: one that BPJS fails on must not keep the others from it.

    Args:
        row: Of the visit.
        error: What came instead of an answer.
        outcome: Of the run.
        has_progressed: True if the attempt came further than the one before.

    Raises:
        TryAgainError: It is not this visit: BPJS is out.
    """
    row.attempts = 0 if has_progressed else row.attempts + 1
    with transaction():
        BpjsVisit.update(attempts=row.attempts).where(BpjsVisit.visit == row.visit_id).execute()
    outcome.error = error.problem
    words = error.words if isinstance(error, FailingError) else error.problem.facts
    outcome.unanswered.append((row, words))
    outcome.in_a_row += 1
    if outcome.in_a_row >= OUTAGE:
        raise error


def _show_the_unanswered(outcome: PcareOutcome) -> None:
    """Set aside the visits that never get an answer while others do; they are tried again all the same."""
    is_out = not outcome.settled
    for row, words in outcome.unanswered:
        if row.attempts >= TOO_OFTEN and not is_out:
            _mark(row, row.change, [f"{NO_ANSWER}: {words}"], None)


def _row_of(visit_id: str) -> BpjsVisit:
    known: BpjsVisit | None = BpjsVisit.get_or_none(BpjsVisit.visit == visit_id)
    if known is not None:
        return known
    with transaction():
        made: BpjsVisit = BpjsVisit.create(
            visit=visit_id, status=OutboxStatus.PENDING, updated_at=clock.now()
        )
    return made


def _mark(row: BpjsVisit, change: int, gaps: list[str], words: str | None) -> None:
    """Note how far a visit is; an edit made meanwhile has a higher change and is sent next time."""
    is_settled = not gaps and words is None
    status = OutboxStatus.SENT if is_settled else OutboxStatus.REFUSED
    with transaction():
        if (row.status, row.gaps, row.error) != (status, gaps, words):
            feed.append(CHANGED, visit_id=row.visit_id)
            if not is_settled and row.visit.disposition == Disposition.REFERRED:
                feed.append(REFERRED, visit_id=row.visit_id)
        BpjsVisit.update(
            change=change,
            status=status,
            gaps=gaps,
            error=words,
            attempts=0,
            updated_at=clock.now(),
        ).where(BpjsVisit.visit == row.visit_id).execute()


def waiting_visits(clinic: Clinic) -> list[str]:
    """Return the visits that BPJS does not hold as they are: the oldest first.

    Those that got no answer come after the others, so that a few at which BPJS always fails hold up nobody.

    Visits of a month before the last are left alone: BPJS takes them no more.
    """
    since = first_of_last_month(clinic.today())
    changed = BpjsVisit.change < Outbox.change
    in_doubt = (BpjsVisit.doubt != "") | (BpjsVisit.status == OutboxStatus.PENDING)
    gap_again = (
        (BpjsVisit.status == OutboxStatus.REFUSED)
        & BpjsVisit.error.is_null()
        & (BpjsVisit.updated_at < clock.now() - GAPS_AGAIN)
    )
    # A card that was corrected: the registration of another one, or a gap that may be closed now.
    other_card = BpjsVisit.registration_number.is_null(False) & (Patient.bpjs_number != BpjsVisit.card_number)
    corrected = (BpjsVisit.status == OutboxStatus.REFUSED) & (Patient.updated_at > BpjsVisit.updated_at)
    never = BpjsVisit.visit.is_null() & Visit.payer.in_(list(INSURED))
    # Nobody said who pays, and BPJS gave no answer at the counter, or had no number to be asked about.
    unasked = (
        Visit.payer.not_in(list(INSURED))
        & Visit.payer_source.in_(list(payer_check.ASSUMED))
        & (Visit.service_on >= clinic.today() - timedelta(days=1))
        & (Patient.nik.is_null(False) | Patient.bpjs_number.is_null(False))
        & (BpjsVisit.visit.is_null() | (Patient.updated_at > BpjsVisit.updated_at))
    )
    query = (
        Visit.select(Visit.id)
        .join(Outbox, on=(Outbox.target == Visit.id))
        .switch(Visit)
        .join(Patient)
        .switch(Visit)
        .join(BpjsVisit, JOIN.LEFT_OUTER, on=(BpjsVisit.visit == Visit.id))
        .where(
            Outbox.kind == outbox.VISIT,
            Visit.service_on >= since,
            never | unasked | changed | in_doubt | gap_again | other_card | corrected,
        )
        .order_by(fn.COALESCE(BpjsVisit.attempts, 0), Visit.service_on, Visit.started_at)
    )
    return [row[0] for row in tuples(query)]


def first_of_last_month(day: date) -> date:
    """Return the first day that BPJS may still be told about."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)

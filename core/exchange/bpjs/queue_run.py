"""One run that tells the queue of Mobile JKN what became of the clinic's numbers: in order, each call once.

The visits' rows of the outbox say that something changed; a `BpjsQueue` remembers which calls are settled. A call's
name is kept before it is sent. One whose answer was lost is sent again: the queue's service has nothing to look
it up by, and answers 201 where it was done already.

Source: docs/reference/bpjs.md 3, docs/reference/bpjs.md 10.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import httpx
from peewee import chunked

from core.exchange import outbox
from core.exchange.bpjs import code_mapping, payer_check, queue_calls
from core.exchange.bpjs.bpjs_link import BpjsLink, is_set_up, queue_link, shared_client
from core.exchange.bpjs.pcare_run import (
    GAPS_AGAIN,
    NO_ANSWER,
    OUTAGE,
    SLICE,
    TOO_OFTEN,
    PcareOutcome,
    first_of_last_month,
)
from core.exchange.bpjs.queue_bodies import (
    DoctorHours,
    QueueGapError,
    add_body,
    call_body,
    cancel_body,
    chosen_session,
)
from core.exchange.bpjs.queue_calls import ADD, CALL, CANCEL, QueueCall
from core.exchange.bpjs.settling import RefusedByBpjsError
from core.exchange.pacing import TryAgainError
from core.foundation import clock, feed, jobs, logs
from core.foundation.clinic import Clinic
from core.foundation.codes import AppointmentStatus, OutboxStatus
from core.foundation.config import Settings
from core.foundation.database import connection, transaction, tuples
from core.foundation.errors import SyncError
from core.foundation.job_problems import JobProblem
from core.models import (
    Appointment,
    BpjsQueue,
    BpjsVisit,
    Outbox,
    Patient,
    QueueEntry,
    QueueEvent,
    Ticket,
    Visit,
)
from core.records.pcare_form import INSURED
from core.schemas.bpjs import CHANGED
from core.visits import roster_versions

log = logging.getLogger(__name__)

JOB = "bpjs-queue"
OF_LATE = timedelta(days=1)
"""Age up to which a visit of which the queue has heard nothing is one of its."""
THERE_ALREADY = 201
"""Code of the queue for what was done before: nothing to do for `add` and `batal`, a refusal for `panggil`."""


class WaitsForCardError(Exception):
    """BPJS pays, or may, and P-Care has not told the card's number yet."""


def is_ready(settings: Settings) -> bool:
    """Return whether the queue of Mobile JKN can be told anything."""
    return bool(settings.bpjs_queue_url and settings.bpjs_queue_user_key) and is_set_up(settings)


def run(
    clinic: Clinic, client: httpx.Client | None = None, timeout: httpx.Timeout | None = None
) -> PcareOutcome:
    """Tell the queue what it has not heard. A second run is harmless; one at a time goes on in a clinic.

    Args:
        clinic: The clinic.
        client: An HTTP client to use instead of the shared one.
        timeout: How long to wait for an answer; the usual time unless given.
    """
    outcome = PcareOutcome()
    if not is_ready(clinic.settings):
        return outcome
    with jobs.alone(clinic.settings.home, JOB) as first:
        if not first:
            outcome.error = JobProblem("already_running")
            return outcome
        with connection():
            link = queue_link(clinic.settings, client or shared_client(), *([timeout] if timeout else []))
            _go(clinic, link, outcome)
    return outcome


def _go(clinic: Clinic, link: BpjsLink, outcome: PcareOutcome) -> None:
    telling = Telling(clinic, link, outcome)
    try:
        take_up(clinic)
        ids = waiting_visits(clinic)
        outcome.waiting = len(ids)
        for start in range(0, len(ids), SLICE):
            telling.tell(ids[start : start + SLICE])
    except (TryAgainError, SyncError) as error:
        outcome.error = error.problem
    except Exception as error:
        # The loop's edge: a damaged row must not end the server.
        log.error("BPJS's queue: %s", logs.describe_failure(error))
        outcome.error = jobs.problem_of(error)


def take_up(clinic: Clinic) -> None:
    """Note the visits of late that the queue has heard nothing of: an outage of days must not lose them.

    Earlier ones, of before the queue was set up, are none of its.
    """
    known = BpjsQueue.select(BpjsQueue.visit)
    fresh = Visit.select(Visit.id).where(
        Visit.service_on >= clinic.today() - OF_LATE, Visit.voided_at.is_null(), Visit.id.not_in(known)
    )
    with transaction():
        rows = [
            {"visit": visit.id, "status": OutboxStatus.PENDING, "updated_at": clock.now()} for visit in fresh
        ]
        for chunk in chunked(rows, SLICE):
            BpjsQueue.insert_many(chunk).execute()


def waiting_visits(clinic: Clinic) -> list[str]:
    """Return the visits whose numbers the queue does not know as they are, the oldest first."""
    gap_again = (
        (BpjsQueue.status == OutboxStatus.REFUSED)
        & BpjsQueue.error.is_null()
        & (BpjsQueue.updated_at < clock.now() - GAPS_AGAIN)
    )
    query = (
        BpjsQueue.select(BpjsQueue.visit)
        .join(Visit)
        .join(Outbox, on=(Outbox.target == Visit.id))
        .where(
            Outbox.kind == outbox.VISIT,
            Visit.service_on >= first_of_last_month(clinic.today()),
            (BpjsQueue.change < Outbox.change) | (BpjsQueue.status == OutboxStatus.PENDING) | gap_again,
        )
        .order_by(BpjsQueue.attempts, Visit.started_at, Visit.id)
    )
    return [row[0] for row in tuples(query)]


class Telling:
    """One run's questions to BPJS's lists, asked once, and its outcome."""

    def __init__(self, clinic: Clinic, link: BpjsLink, outcome: PcareOutcome) -> None:
        self._clinic = clinic
        self._link = link
        self._outcome = outcome
        self._sessions: dict[tuple[str, date], list[DoctorHours]] = {}
        self._names: dict[date, dict[str, str]] = {}
        self._codes = code_mapping.codes(clinic)
        self._roster = roster_versions.current(clinic)

    def tell(self, ids: Sequence[str]) -> None:
        """Tell the queue about some visits, in order.

        Raises:
            TryAgainError: BPJS is out.
            SyncError: BPJS does not let this clinic in.
        """
        visits = Visit.select(Visit, Patient).join(Patient).where(Visit.id.in_(ids))
        changes = dict(
            tuples(
                Outbox.select(Outbox.target, Outbox.change).where(
                    Outbox.kind == outbox.VISIT, Outbox.target.in_(ids)
                )
            )
        )
        by_id = {visit.id: visit for visit in visits}
        for visit_id in ids:
            row: BpjsQueue = BpjsQueue.get_by_id(visit_id)
            settled = len(row.calls)
            try:
                self._tell_one(by_id[visit_id], row, changes.get(visit_id, 0))
            except WaitsForCardError:
                continue
            except TryAgainError as error:
                self._pass_over(row, error, has_progressed=len(row.calls) > settled)

    def _tell_one(self, visit: Visit, row: BpjsQueue, change: int) -> None:
        gaps, words = [], None
        try:
            for call in self._open_calls(visit, row):
                self._make(visit, row, call)
        except QueueGapError as gap:
            gaps = [gap.code]
        except RefusedByBpjsError as refusal:
            words = refusal.words
        is_settled = not gaps and words is None
        _note(
            row, change=change, status=OutboxStatus.SENT if is_settled else OutboxStatus.REFUSED, gaps=gaps, error=words,
            attempts=0,
        )  # fmt: skip
        self._outcome.waiting -= 1
        self._outcome.settled += is_settled
        self._outcome.set_aside += not is_settled
        self._outcome.in_a_row = 0

    def _open_calls(self, visit: Visit, row: BpjsQueue) -> list[QueueCall]:
        """Return the calls that are not settled, in order; none about a number of which BPJS was told nothing it needs."""
        entries = list(
            QueueEntry.select()
            .where(QueueEntry.visit == visit)
            .order_by(QueueEntry.started_at, QueueEntry.id)
        )
        events: defaultdict[str, list[QueueEvent]] = defaultdict(list)
        found = QueueEvent.select().where(QueueEvent.entry.in_([entry.id for entry in entries]))
        for event in found.order_by(QueueEvent.sequence):
            events[event.entry_id].append(event)
        booked = () if self._clinic.settings.bpjs_queue_adds_booked else _booked(visit).keys()
        numbers = queue_calls.numbers_of(entries, events, booked, is_void=visit.voided_at is not None)
        calls = [call for number in numbers for call in queue_calls.wanted_calls(number, row.calls)]
        open_calls = [call for call in calls if call.key not in row.calls]
        return [
            call
            for call in sorted(open_calls, key=lambda call: call.at)
            if not _is_pointless(call, open_calls, row)
        ]

    def _make(self, visit: Visit, row: BpjsQueue, call: QueueCall) -> None:
        """Make one call, with its name on disk before it is sent, and remember that it is settled."""
        ticket: Ticket = Ticket.get_by_id(call.ticket)
        facts = row.numbers.get(call.ticket) or self._facts(visit, ticket)
        if call.kind != ADD and not facts["card"]:
            # The calls' key cannot tell two numbers without a card apart: BPJS is told of these once.
            _note(row, calls=[*row.calls, call.key])
            return
        body = self._body(visit, ticket, call, facts)
        was_sent = row.doubt == call.key
        _note(row, doubt=call.key, numbers={**row.numbers, call.ticket: facts})
        answer = self._link.call("POST", f"antrean/{call.kind}", body)
        is_refused = call.kind == CALL and answer.code == THERE_ALREADY and not was_sent
        is_gone = call.kind == CANCEL and answer.is_nothing
        if is_refused or not (answer.is_done or is_gone):
            _note(row, doubt="")
            raise RefusedByBpjsError(answer.words)
        _note(row, doubt="", calls=[*row.calls, call.key])

    def _facts(self, visit: Visit, ticket: Ticket) -> dict[str, str]:
        """Return poli and card under which a number is known to BPJS.

        Raises:
            QueueGapError: Its cluster has no code at BPJS.
            WaitsForCardError: P-Care has not told the card's number yet.
        """
        poli = self._codes.polis.get(ticket.cluster, "")
        if not poli:
            raise QueueGapError(f"poli: {self._codes.cluster_names.get(ticket.cluster, ticket.cluster)}")
        return {"poli": poli, "card": _booked(visit).get(ticket.cluster) or _card(visit)}

    def _body(
        self, visit: Visit, ticket: Ticket, call: QueueCall, facts: Mapping[str, str]
    ) -> dict[str, Any]:
        if call.kind == CANCEL:
            return cancel_body(visit.service_on, facts)
        if call.kind == CALL:
            return call_body(visit.service_on, facts, call)
        session = self._session(visit, ticket, facts["poli"])
        return add_body(visit, ticket, facts, session, self._name_of(facts["poli"], visit.service_on))

    def _session(self, visit: Visit, ticket: Ticket, poli: str) -> DoctorHours:
        key = (poli, visit.service_on)
        if key not in self._sessions:
            answer = self._read(f"ref/dokter/kodepoli/{poli}/tanggal/{visit.service_on.isoformat()}")
            self._sessions[key] = [
                session for item in answer if (session := DoctorHours.read(item)) is not None
            ]
        at = ticket.issued_at.astimezone(self._clinic.zone).time()
        roster = self._roster.of_day(ticket.cluster, visit.service_on)
        wished = [(session.doctor, str(session.hours)) for session in roster]
        return chosen_session(self._sessions[key], at, wished)

    def _name_of(self, poli: str, day: date) -> str:
        if day not in self._names:
            items = self._read(f"ref/poli/tanggal/{day.isoformat()}")
            self._names[day] = {str(item.get("kodepoli")): str(item.get("namapoli") or "") for item in items}
        return self._names[day].get(poli, "")

    def _read(self, path: str) -> list[dict[str, Any]]:
        answer = self._link.read(path)
        if answer.is_nothing:
            return []
        if not answer.is_done:
            raise RefusedByBpjsError(answer.words)
        return answer.items()

    def _pass_over(self, row: BpjsQueue, error: TryAgainError, *, has_progressed: bool) -> None:
        """Go on with the next visit; a run of failures is an outage, and ends the run.

        Args:
            row: Of the visit.
            error: What came instead of an answer.
            has_progressed: True if a call was settled before.

        Raises:
            TryAgainError: BPJS is out.
        """
        attempts = 0 if has_progressed else row.attempts + 1
        if attempts >= TOO_OFTEN and self._outcome.settled:
            gap = f"{NO_ANSWER}: {error.problem.facts}"
            _note(row, attempts=attempts, gaps=[gap], status=OutboxStatus.REFUSED)
        else:
            _note(row, attempts=attempts)
        self._outcome.error = error.problem
        self._outcome.in_a_row += 1
        if self._outcome.in_a_row >= OUTAGE:
            raise error


def _is_pointless(call: QueueCall, open_calls: Iterable[QueueCall], row: BpjsQueue) -> bool:
    """Return whether a number was cancelled before BPJS ever heard of it."""
    mine = [other for other in open_calls if other.ticket == call.ticket]
    is_unheard = (
        not any(key.split(":")[1] == call.ticket for key in row.calls) and call.ticket not in row.numbers
    )
    return is_unheard and mine[-1].kind == CANCEL and mine[0].kind == ADD


def _booked(visit: Visit) -> dict[str, str]:
    """Return the clusters for which the patient came with a number from Mobile JKN, with the card that it was given to."""
    rows = Appointment.select(Appointment.cluster, Appointment.card).where(
        Appointment.visit == visit, Appointment.status == AppointmentStatus.FULFILLED, Appointment.card != ""
    )
    return {row.cluster: row.card for row in rows}


def _card(visit: Visit) -> str:
    """Return the card under which a number is given; empty for whom BPJS does not pay.

    Raises:
        WaitsForCardError: P-Care has not told it yet.
    """
    held = BpjsVisit.get_or_none(BpjsVisit.visit == visit)
    if payer_check.is_unasked(visit, held):
        raise WaitsForCardError
    if visit.payer not in INSURED:
        return ""
    card = visit.patient.bpjs_number or (held.card_number if held is not None else "")
    if not card and (held is None or held.status == OutboxStatus.PENDING):
        raise WaitsForCardError
    return card or ""


def _note(row: BpjsQueue, **values: Any) -> None:
    """Keep what is known now, on disk before the next call."""
    before = (row.status, row.gaps, row.error)
    for name, value in values.items():
        setattr(row, name, value)
    with transaction():
        if before != (row.status, row.gaps, row.error):
            feed.append(CHANGED, visit_id=row.visit_id)
        BpjsQueue.update(**values, updated_at=clock.now()).where(BpjsQueue.visit == row.visit_id).execute()

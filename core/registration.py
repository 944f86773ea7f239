"""Registration: one save at the counter, from the check to the receipt.

The whole save is one transaction (patient, visit, queue entry, change, audit, outbox). The
receipt is read back after the commit, out of the same view that the cluster's pane uses:
"saved" is never said of anything else.
"""

from __future__ import annotations

import hashlib
from datetime import date

from core import appointments, audit, clock, feed, matching, patients
from core.actors import Actor
from core.clinic import Clinic
from core.database import connection, document_text, transaction
from core.errors import ConflictError, NotFoundError, RuleError, ValidationError
from core.identifiers import new_id
from core.models import Patient, QueueEntry, Registration, RoutingExample, Ticket, Visit
from core.outbox import put
from core.queue_views import entry_shape
from core.queueing import default_priority, issue
from core.routing import Facts, RoutingDecision, reason_text, route
from core.routing_model import current_model
from core.schemas.patients import DuplicateQuery
from core.schemas.registration import (
    ReasonShape,
    Receipt,
    RegistrationRequest,
    RoutingQuery,
    RoutingShape,
    SuggestionShape,
    TicketShape,
)
from core.vocabulary import (
    DuplicateBand,
    EntryStatus,
    Permission,
    Priority,
    Sex,
    Verdict,
    VisitStatus,
)


def check_routing(clinic: Clinic, query: RoutingQuery, language: str = "id") -> RoutingShape:
    """What the rules say of a complaint and, if one is chosen, of its cluster.

    Raises:
        ValidationError: `cluster` is not one of the clinic's.
    """
    if query.cluster is not None and query.cluster not in clinic.clusters:
        raise ValidationError({"cluster": "unknown"})
    return routing_shape(clinic, _decide(clinic, query), language)


def _decide(clinic: Clinic, query: RoutingQuery) -> RoutingDecision:
    facts = Facts(
        chief_complaint=query.chief_complaint,
        sex=query.sex,
        pregnant=query.pregnant,
        birth_date=query.birth_date,
        visit_date=clinic.today(),
    )
    return route(facts, query.cluster, clinic.clusters, clinic.vocabulary, current_model(clinic))


def routing_shape(clinic: Clinic, decision: RoutingDecision, language: str = "id") -> RoutingShape:
    """A decision as sent to terminals, its reasons in words."""

    def reason(rule: str, word: str, text: str) -> ReasonShape:
        return ReasonShape(rule=rule, word=word, text=text)

    def reasons(grounds: tuple) -> list[ReasonShape]:  # type: ignore[type-arg]
        return [
            reason(ground.rule_id, ground.word, reason_text(ground, language, clinic.clusters))
            for ground in grounds
        ]

    return RoutingShape(
        verdict=decision.verdict,
        suggestions=[
            SuggestionShape(cluster=item.cluster, score=item.score, reasons=reasons(item.reasons))
            for item in decision.suggestions
        ],
        reasons=reasons(decision.reasons),
        red_flags=[reason(flag.code, flag.word, flag.word) for flag in decision.red_flags],
        priority=decision.proposed_priority,
        question=decision.question,
        blocked_field=decision.blocked_field,
        blocked_code=decision.blocked_code,
    )


def register(clinic: Clinic, actor: Actor, request: RegistrationRequest) -> tuple[Receipt, bool]:
    """Save a registration once, however often it is sent.

    Returns:
        The receipt, and whether this call made it (False: it was there already).

    Raises:
        ValidationError: Field by field what cannot be stored.
        RuleError: `override_reason_required`, `cluster_blocked` or `duplicate_decision_required`,
            with the decision or the candidates in its details.
        ConflictError: `already_in_queue` with the open number, or `registration_id_reused` with the
            receipt of what was saved under this id with another content.
    """
    actor.require(Permission.REGISTER)
    digest = hashlib.sha256(
        document_text(request.model_dump(mode="json", exclude={"id"})).encode()
    ).hexdigest()
    with connection():
        known = _known(request, digest)
        if known is not None:
            return known, False
        _check(clinic, request)
        query, patient = _person(clinic, actor, request)
        decision = _decide(clinic, query)
        _check_decision(clinic, request, decision)
        if patient is None:
            _check_duplicates(clinic, request)
        with transaction():
            known = _known(request, digest)
            if known is not None:
                return known, False
            entry_id = _save(clinic, actor, request, patient, decision, digest)
        receipt = _read_back(clinic, request, entry_id)
        Registration.update(receipt=receipt.model_dump(mode="json")).where(
            Registration.id == request.id
        ).execute()
    return receipt, True


def _known(request: RegistrationRequest, digest: str) -> Receipt | None:
    saved = Registration.get_or_none(Registration.id == request.id)
    if saved is None:
        return None
    receipt = Receipt.model_validate(saved.receipt)
    if saved.request_hash != digest:
        raise ConflictError("registration_id_reused", receipt=receipt.model_dump(mode="json"))
    return receipt


def _check(clinic: Clinic, request: RegistrationRequest) -> None:
    problems: dict[str, str] = {}
    if (request.patient is None) == (request.patient_id is None):
        problems["patient"] = "required" if request.patient is None else "only_one"
    cluster = clinic.clusters.get(request.cluster)
    if cluster is None:
        problems["cluster"] = "unknown"
    elif cluster.stage != "first":
        problems["cluster"] = "not_a_first_destination"
    if problems:
        raise ValidationError(problems)


def _person(
    clinic: Clinic, actor: Actor, request: RegistrationRequest
) -> tuple[RoutingQuery, Patient | None]:
    patient: Patient | None = None
    if request.patient_id is not None:
        try:
            patient = patients.find(request.patient_id)
        except NotFoundError:
            raise ValidationError({"patient_id": "unknown"}) from None
        sex, birth_date = Sex(patient.sex), patient.birth_date
    else:
        fields = request.patient
        assert fields is not None
        sex, birth_date = fields.sex, fields.birth_date
    query = RoutingQuery(
        chief_complaint=request.chief_complaint,
        birth_date=birth_date,
        sex=sex,
        pregnant=request.pregnant,
        cluster=request.cluster,
    )
    return query, patient


def _check_decision(clinic: Clinic, request: RegistrationRequest, decision: RoutingDecision) -> None:
    shape = routing_shape(clinic, decision, clinic.settings.language).model_dump(mode="json")
    if decision.verdict is Verdict.BLOCKED:
        raise RuleError("cluster_blocked", routing=shape)
    if decision.verdict is Verdict.MISMATCH and not request.override_reason:
        raise RuleError("override_reason_required", routing=shape)


def _check_duplicates(clinic: Clinic, request: RegistrationRequest) -> None:
    assert request.patient is not None
    if request.duplicate_decision:
        return
    fields = request.patient.model_dump(exclude_none=True, include=set(DuplicateQuery.model_fields))
    result = matching.duplicates(clinic, DuplicateQuery(**fields))
    if result.band is not DuplicateBand.NEW:
        raise RuleError("duplicate_decision_required", **result.model_dump(mode="json"))


def _save(
    clinic: Clinic,
    actor: Actor,
    request: RegistrationRequest,
    patient: Patient | None,
    decision: RoutingDecision,
    digest: str,
) -> str:
    """The one transaction; returns the queue entry's id."""
    at = clock.now()
    day = clock.day_of(at, clinic.zone)  # of the same instant, at midnight too
    if patient is None:
        assert request.patient is not None
        patient = patients.create(clinic, actor, request.patient, at)
    _refuse_second_place(patient, request.cluster, day)
    visit = Visit.create(
        id=new_id(),
        patient=patient,
        service_on=day,
        status=VisitStatus.ARRIVED,
        payer=request.payer,
        chief_complaint=request.chief_complaint,
        pregnant=request.pregnant,
        disability=request.disability,
        is_first_this_year=_is_first_this_year(patient, day),
        suggested_cluster=decision.proposal,
        routing=_routing_record(decision),
        override_reason=request.override_reason,
        started_at=at,
        registered_by=actor.account_id,
    )
    priority, reason = _priority(request, decision, patient, day)
    held = appointments.held_for(patient.id, request.cluster, day)
    entry = issue(
        clinic, actor, visit, request.cluster, priority, reason, at=at,
        sequence=held.sequence if held else None,
        queued_at=appointments.place_of(held, at) if held else None,
    )  # fmt: skip
    if held is not None:
        appointments.fulfil(held, visit, at)
    if decision.verdict is Verdict.MISMATCH:
        _learn(visit, patient, request, at)
    Registration.create(
        id=request.id,
        visit=visit,
        request_hash=digest,
        receipt=_receipt(request.id, visit.id, patient.id, entry, feed.newest_sequence()).model_dump(
            mode="json"
        ),
        registered_at=at,
        registered_by=actor.account_id,
    )
    put("visit", visit.id)
    audit.record(
        actor,
        "registered",
        "visit",
        visit.id,
        patient.id,
        cluster=request.cluster,
        verdict=str(decision.verdict),
        **({"override": request.override_reason} if request.override_reason else {}),
    )
    return str(entry.id)


def _refuse_second_place(patient: Patient, cluster: str, day: date) -> None:
    open_entry = (
        QueueEntry.select(QueueEntry, Ticket)
        .join(Ticket)
        .switch(QueueEntry)
        .join(Visit)
        .where(
            Visit.patient == patient,
            QueueEntry.cluster == cluster,
            QueueEntry.service_on == day,
            QueueEntry.ended_at.is_null(),
            QueueEntry.voided_at.is_null(),
        )
        .first()
    )
    if open_entry is not None:
        raise ConflictError(
            "already_in_queue",
            number=open_entry.ticket.number,
            cluster=cluster,
            status=open_entry.status,
            entry_id=open_entry.id,
        )


def _is_first_this_year(patient: Patient, day: date) -> bool:
    earlier = Visit.select().where(
        Visit.patient == patient,
        Visit.service_on >= date(day.year, 1, 1),
        Visit.status != VisitStatus.CANCELLED,
        Visit.voided_at.is_null(),
    )
    return not earlier.exists()


def _routing_record(decision: RoutingDecision) -> dict[str, object]:
    return {
        "verdict": str(decision.verdict),
        "suggestions": [item.cluster for item in decision.suggestions],
        "reasons": [[reason.rule_id, reason.word, reason.cluster] for reason in decision.reasons],
        "red_flags": [[flag.code, flag.word] for flag in decision.red_flags],
    }


def _priority(
    request: RegistrationRequest, decision: RoutingDecision, patient: Patient, day: date
) -> tuple[Priority, str]:
    """The most urgent of what the clerk chose, the red flags propose and the law protects."""
    candidates = [default_priority(patient, request.pregnant, request.disability, day)]
    if decision.proposed_priority is not None:
        flag = decision.red_flags[0].code if decision.red_flags else ""
        candidates.append((decision.proposed_priority, flag))
    if request.priority is not None:
        candidates.append((request.priority, "counter"))
    return min(candidates, key=lambda candidate: candidate[0].rank)


def _learn(visit: Visit, patient: Patient, request: RegistrationRequest, at: object) -> None:
    RoutingExample.create(
        id=new_id(),
        complaint=request.chief_complaint,
        age_days=(visit.service_on - patient.birth_date).days,
        sex=patient.sex,
        pregnant=request.pregnant,
        proposed=visit.suggested_cluster,
        chosen=request.cluster,
        source="override",
        visit=visit,
        at=at,
    )


def _receipt(
    registration_id: str,
    visit_id: str,
    patient_id: str,
    entry: QueueEntry,
    sequence: int,
    position: int | None = None,
    wait: int | None = None,
) -> Receipt:
    ticket = TicketShape(
        id=entry.id,
        number=entry.ticket.number,
        cluster=entry.cluster,
        status=EntryStatus(entry.status),
        position=position,
        issued_at=entry.ticket.issued_at,
        expected_wait_minutes=wait,
    )
    return Receipt(
        registration_id=registration_id,
        visit_id=visit_id,
        patient_id=patient_id,
        ticket=ticket,
        sequence=sequence,
    )


def _read_back(clinic: Clinic, request: RegistrationRequest, entry_id: str) -> Receipt:
    """Prove the save: a fresh read of the committed entry, as the cluster's pane reads it."""
    saved = Registration.get_by_id(request.id)
    receipt = Receipt.model_validate(saved.receipt)
    shown = entry_shape(clinic, entry_id)
    ticket = receipt.ticket.model_copy(
        update={
            "position": shown.position,
            "expected_wait_minutes": shown.expected_wait_minutes,
            "status": shown.status,
        }
    )
    return receipt.model_copy(update={"ticket": ticket})


def receipt(actor: Actor, registration_id: str) -> Receipt:
    """The receipt of an earlier save, for a terminal that lost the answer.

    Raises:
        NotFoundError: Nothing was saved under this id.
    """
    actor.require(Permission.REGISTER)
    with connection():
        saved = Registration.get_or_none(Registration.id == registration_id)
        if saved is None:
            raise NotFoundError("registration", registration_id)
        return Receipt.model_validate(saved.receipt)

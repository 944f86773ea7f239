"""Registration: one save at the counter, from the check to the receipt.

The whole save is one transaction (patient, visit, queue entry, change, audit, outbox). The
receipt is read back after the commit, from the same view that the cluster's pane uses: "saved"
is said only of an entry that the pane shows.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, datetime

from core.complaints.facts import RoutingDecision
from core.counters import pending
from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.clinic import Clinic
from core.foundation.codes import (
    DENIED_SIGN,
    DoubtAnswer,
    DuplicateBand,
    MachineRole,
    PayerSource,
    Permission,
    Priority,
    Sex,
    Verdict,
    VisitStatus,
)
from core.foundation.database import connection, document_text, snapshot, transaction
from core.foundation.errors import ConflictError, NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.foundation.statements import Statement, create, find, given, given_for
from core.models import Patient, Registration, Visit
from core.patients import deaths, duplicate_check, nik_holders
from core.patients import service as patients
from core.patients.fields import CODED
from core.queues import lent_blocks, routing_examples, service_days, tickets
from core.queues.entries import refuse_second_place
from core.queues.ordering import default_priority
from core.queues.views import pane_entry_out
from core.schemas.patients import DuplicateQuery, PatientFields
from core.schemas.queues import EntryOut
from core.schemas.registration import Receipt, RegistrationRequest, RoutingQuery, TicketOut
from core.visits import appointments, late_entries, routing_check
from core.visits.made_before import MadeBefore


def register(
    clinic: Clinic, actor: Actor, request: RegistrationRequest, before: MadeBefore | None = None
) -> tuple[Receipt, bool]:
    """Save a registration once, however often it is sent.

    Args:
        clinic: The clinic.
        actor: Actor at the counter.
        request: The form, under an id that the client made.
        before: What a counter gave out for it without the core, where one did.

    Returns:
        The receipt, and whether this call made it (False: it was there already).

    Raises:
        ValidationError: Problems by field.
        RuleError: `override_reason_required`, `cluster_blocked`, `nik_of_another` or `duplicate_decision_required`,
            with the decision, the doubt or the candidates in its details.
        ConflictError: `already_in_queue` with the open number, or `registration_id_reused` with the
            receipt of the registration of other content that has this id.
    """
    actor.require(Permission.REGISTER)
    digest = _digest(request)
    with connection():
        known = _known(request, digest)
        if known is not None:
            return known, False
        _check(clinic, request)
        query, patient = _person(clinic, actor, request)
        decision = routing_check.decide(clinic, query)
        _check_decision(clinic, request, decision)
        position = 0
        if patient is None:
            position = patients.log_position()
            request = _with_settled_nik(clinic, request)
            _check_duplicates(clinic, request)
        with transaction():
            known = _known(request, digest)
            if known is not None:
                return known, False
            if patient is not None:
                patient = _unmerged(patient)
            elif patients.any_written_since(position):
                # Somebody was registered or corrected meanwhile, at another counter perhaps this very person. Only
                # then is it looked for while nobody else may write.
                _check_duplicates(clinic, request)
            if patient is not None:
                deaths.require_asked(actor, patient, "register", confirmed=request.deceased_confirmed)
            entry_id = _save(clinic, actor, request, patient, decision, digest, before)
        return _read_back(clinic, request, entry_id), True


def _digest(request: RegistrationRequest) -> str:
    left_out = {"id", "deceased_confirmed"} | ({"late"} if request.late is None else set())
    content = request.model_dump(mode="json", exclude=left_out)
    described = content.get("patient") or {}
    for name in CODED:  # a request from before they were asked must find its receipt
        if not described.get(name):
            described.pop(name, None)
    return hashlib.sha256(document_text(content).encode()).hexdigest()


def _known(request: RegistrationRequest, digest: str) -> Receipt | None:
    """Return the receipt where the registration was saved before.

    Raises:
        ConflictError: `registration_id_reused`: it was saved with another content.
    """
    saved = find(Registration, request.id)
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
    problems |= late_entries.problems(request.late)
    if problems:
        raise ValidationError(problems)


def _person(
    clinic: Clinic, actor: Actor, request: RegistrationRequest
) -> tuple[RoutingQuery, Patient | None]:
    """Return the facts that routing asks for, and the patient where one was chosen."""
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
        doubt_answer=request.doubt_answer,
    )
    return query, patient


def _unmerged(patient: Patient) -> Patient:
    """Return the chosen patient as it is now: its record may have become part of another one meanwhile.

    Raises:
        ValidationError: It is no patient's any more.
    """
    try:
        return patients.find(patient.id)
    except NotFoundError:
        raise ValidationError({"patient_id": "unknown"}) from None


def _check_decision(clinic: Clinic, request: RegistrationRequest, decision: RoutingDecision) -> None:
    code = _refusal(request, decision)
    if code is not None:
        routing = routing_check.routing_out(clinic, decision, clinic.settings.language)
        raise RuleError(code, routing=routing.model_dump(mode="json"))


def _refusal(request: RegistrationRequest, decision: RoutingDecision) -> str | None:
    if decision.verdict is Verdict.BLOCKED:
        return "cluster_blocked"
    needs_reason = decision.verdict is Verdict.MISMATCH and not request.override_reason
    return "override_reason_required" if needs_reason else None


def _with_settled_nik(clinic: Clinic, request: RegistrationRequest) -> RegistrationRequest:
    """Return the request with another person's NIK as the mother's or guardian's.

    Raises:
        RuleError: `nik_of_another`, with the doubt, until `nik_holder` says whose it is.
    """
    assert request.patient is not None
    moved = nik_holders.settled(clinic, request.patient.model_dump(), request.nik_holder)
    return request.model_copy(update={"patient": request.patient.model_copy(update=moved)})


def _check_duplicates(clinic: Clinic, request: RegistrationRequest) -> None:
    assert request.patient is not None
    if request.duplicate_decision:
        return
    fields = request.patient.model_dump(exclude_none=True, include=set(DuplicateQuery.model_fields))
    result = duplicate_check.duplicates(clinic, DuplicateQuery(**fields))
    if result.band is not DuplicateBand.NEW:
        raise RuleError("duplicate_decision_required", **result.model_dump(mode="json"))


def _save(
    clinic: Clinic,
    actor: Actor,
    request: RegistrationRequest,
    patient: Patient | None,
    decision: RoutingDecision,
    digest: str,
    before: MadeBefore | None,
) -> str:
    """Write everything that a registration changes; return the queue entry's id."""
    at = clock.now()
    came_at = at if request.late is None else min(at, request.late.arrived_at)
    day = service_days.day_at(clinic, request.cluster, came_at)  # of the same instant, at midnight too
    is_known = patient is not None  # whoever is made now has no visit, place or number from home yet
    if patient is None:
        assert request.patient is not None
        patient = _new_patient(clinic, actor, request.patient, at, before)
    if is_known:
        refuse_second_place(patient.id, request.cluster)
    visit_id = new_id() if before is None else before.visit_id
    visit = _arrived(actor, request, patient, decision, came_at, day, visit_id, is_known=is_known)
    entry_id = _queued(clinic, actor, request, decision, visit, at, before, is_known=is_known)
    shown = pane_entry_out(clinic, entry_id, request.cluster)
    create(
        Registration,
        id=request.id,
        visit=visit,
        request_hash=digest,
        receipt=_receipt(request.id, shown, feed.newest_sequence()).model_dump(mode="json"),
        registered_at=at,
        registered_by=actor.account_id,
    )
    outbox.enqueue("visit", visit.id)
    _write_down(actor, request, decision, visit)
    pending.keep(clinic, actor, request, visit, entry_id, is_new=not is_known)
    return entry_id


def _new_patient(
    clinic: Clinic, actor: Actor, fields: PatientFields, at: datetime, before: MadeBefore | None
) -> Patient:
    """Store the patient, under the id and number that a counter gave out already where one did."""
    if before is not None:
        number = before.record_number or None
        return patients.create(clinic, actor, fields, at, number, patient_id=before.patient_id)
    if clinic.settings.role != MachineRole.COUNTER:
        return patients.create(clinic, actor, fields, at)
    lent = lent_blocks.next_record_number()
    patient = patients.create(clinic, actor, fields, at, lent.number)
    lent_blocks.use(actor, lent, None)
    return patient


def _arrived(
    actor: Actor,
    request: RegistrationRequest,
    patient: Patient,
    decision: RoutingDecision,
    came_at: datetime,
    day: date,
    visit_id: str,
    *,
    is_known: bool,
) -> Visit:
    """Store the visit that begins.

    Args:
        actor: Actor at the counter.
        request: The form.
        patient: The person.
        decision: The rules' proposal, kept beside what was chosen.
        came_at: Instant of the arrival.
        day: The cluster's day of service.
        visit_id: The visit's id.
        is_known: Whether the patient was stored before.
    """
    return create(
        Visit,
        id=visit_id,
        patient=patient,
        service_on=day,
        status=VisitStatus.ARRIVED,
        payer=request.payer,
        payer_source=_payer_source(request),
        chief_complaint=request.chief_complaint,
        pregnant=request.pregnant,
        disability=request.disability,
        is_first_this_year=not is_known or _is_first_this_year(patient, day),
        suggested_cluster=decision.proposal,
        routing=_routing_record(decision),
        override_reason=request.override_reason,
        started_at=came_at,
        registered_by=actor.account_id,
    )


def _queued(
    clinic: Clinic,
    actor: Actor,
    request: RegistrationRequest,
    decision: RoutingDecision,
    visit: Visit,
    at: datetime,
    before: MadeBefore | None,
    *,
    is_known: bool,
) -> str:
    """Give the visit its number and its place, those of a booking where there is one; return the entry's id.

    Args:
        clinic: The clinic.
        actor: Actor at the counter.
        request: The form.
        decision: The rules' proposal.
        visit: The visit that begins.
        at: Instant of the save.
        before: What a counter gave out for it without the core.
        is_known: Whether the patient was stored before, and may have booked.
    """
    day, came_at = visit.service_on, visit.started_at
    priority, reason = _priority(request, decision, visit.patient, day)
    held = appointments.held_for(visit.patient_id, request.cluster, day) if is_known else None
    place = tickets.Place(priority, reason, appointments.place_of(held, came_at) if held else came_at)
    sequence = held.sequence if held else None
    if request.late is not None:
        in_hand = late_entries.enter(clinic, actor, visit, request.late, request.cluster)
        place = late_entries.placed(in_hand, visit, request.cluster, place)
        sequence = in_hand.sequence if sequence is None else sequence
    place = _without_the_core(
        clinic, actor, visit, request.cluster, place, before, has_number=sequence is not None
    )
    entry = tickets.issue(clinic, actor, visit, request.cluster, place, at=at, sequence=sequence)
    if held is not None:
        appointments.fulfil(held, visit, at)
    if decision.verdict is Verdict.MISMATCH:
        routing_examples.add(visit, request.cluster, routing_examples.OVERRIDE_SOURCE, at)
    return str(entry.id)


def _without_the_core(
    clinic: Clinic,
    actor: Actor,
    visit: Visit,
    cluster: str,
    place: tickets.Place,
    before: MadeBefore | None,
    *,
    has_number: bool,
) -> tickets.Place:
    """Return the place of whoever is registered at a counter that the core does not answer, there and at the delivery.

    Args:
        clinic: The clinic.
        actor: Actor at the counter.
        visit: The visit.
        cluster: Code of the cluster.
        place: The place without it.
        before: At the delivery, what was given out.
        has_number: Whether the patient has the number of a booking.
    """
    if before is not None:
        # Nobody knows when they came: behind those who wait already. An emergency is called first all the same.
        is_last = before.is_uncertain and place.priority != Priority.RED
        arrived_at = clock.now() if is_last else place.arrived_at
        return replace(place, entry_id=before.entry_id, ticket_id=before.ticket_id, arrived_at=arrived_at)
    if clinic.settings.role != MachineRole.COUNTER or has_number:
        return place
    lent = lent_blocks.next_of_counter(cluster, visit.service_on)
    lent_blocks.use(actor, lent, visit)
    return replace(place, arrived_at=visit.started_at, paper=lent)


def _write_down(actor: Actor, request: RegistrationRequest, decision: RoutingDecision, visit: Visit) -> None:
    """Tell the audit log of the registration."""
    audit.record(
        actor,
        "registered",
        "visit",
        visit.id,
        visit.patient_id,
        cluster=request.cluster,
        verdict=str(decision.verdict),
        **({"override": request.override_reason} if request.override_reason else {}),
        **({"doubt": "denied"} if request.doubt_answer is DoubtAnswer.NO else {}),
        **late_entries.audited(request.late),
    )


def _payer_source(request: RegistrationRequest) -> PayerSource:
    if request.payer_source is not None:
        return request.payer_source
    return PayerSource.CLERK if "payer" in request.model_fields_set else PayerSource.DEFAULT


def _is_first_this_year(patient: Patient, day: date) -> bool:
    return _ANY_SINCE.first(patient=patient.id, day=date(day.year, 1, 1)) is None


_ANY_SINCE = Statement(
    lambda: (
        Visit.select(Visit.id)
        .where(
            Visit.patient == given("patient"),
            Visit.service_on >= given("day"),
            Visit.status != VisitStatus.CANCELLED,
            Visit.voided_at.is_null(),
        )
        .limit(1)
    )
)


def _routing_record(decision: RoutingDecision) -> dict[str, object]:
    return {
        "verdict": str(decision.verdict),
        "suggestions": [item.cluster for item in decision.suggestions],
        "reasons": [[reason.rule_id, reason.word, reason.cluster] for reason in decision.reasons],
        "red_flags": [[flag.code, flag.word] for flag in decision.red_flags],
        "doubt": decision.doubt.code if decision.doubt is not None else None,
        "cleared": [[flag.code, flag.word] for flag in decision.cleared],
    }


def _priority(
    request: RegistrationRequest, decision: RoutingDecision, patient: Patient, day: date
) -> tuple[Priority, str]:
    """Return the most urgent priority of the clerk's choice, the red flags and the law, with its reason."""
    by_law = default_priority(
        patient.birth_date, pregnant=request.pregnant, disability=request.disability, day=day
    )
    priorities = [by_law]
    if decision.proposed_priority is not None:
        priorities.append((decision.proposed_priority, _danger_named(decision)))
    if request.priority is not None:
        priorities.append((request.priority, "counter"))
    return min(priorities, key=lambda priority: priority[0].rank)


def _danger_named(decision: RoutingDecision) -> str:
    """Return the first danger sign as the reason of a priority; one that was denied is told to the nurse as such."""
    if decision.cleared:
        return DENIED_SIGN + decision.cleared[0].code
    return decision.red_flags[0].code if decision.red_flags else ""


def _receipt(registration_id: str, shown: EntryOut, sequence: int) -> Receipt:
    """Return the receipt of an entry as the pane shows it."""
    assert shown.patient is not None
    ticket = TicketOut(
        id=shown.id,
        number=shown.number,
        cluster=shown.cluster,
        status=shown.status,
        position=shown.position,
        issued_at=shown.issued_at,
        expected_wait_minutes=shown.expected_wait_minutes,
        priority=shown.priority,
    )
    return Receipt(
        registration_id=registration_id,
        visit_id=shown.visit_id,
        patient_id=shown.patient.id,
        ticket=ticket,
        sequence=sequence,
        medical_record_number=shown.patient.medical_record_number,
    )


def _read_back(clinic: Clinic, request: RegistrationRequest, entry_id: str) -> Receipt:
    """Prove the save: read what was committed anew, out of the cluster's pane.

    The stored receipt says what the transaction saw. Where somebody was called or came meanwhile, it is brought up
    to date, so that the same registration sent again gets the same receipt.

    Raises:
        RuntimeError: The registration is not there, or the pane does not show it: nothing may be called saved.
    """
    with snapshot():
        saved = find(Registration, request.id)
        if saved is None:
            raise RuntimeError("the registration is not there after its commit")
        try:
            shown = pane_entry_out(clinic, entry_id, request.cluster)
        except NotFoundError:
            raise RuntimeError("the pane does not show the registration after its commit") from None
    receipt = _receipt(request.id, shown, saved.receipt["sequence"])
    seen = receipt.model_dump(mode="json")
    if seen != saved.receipt:
        with transaction():
            _RENEW.change(id=request.id, receipt=seen)
    return receipt


_RENEW = Statement(
    lambda: Registration.update({Registration.receipt: given_for(Registration.receipt, "receipt")}).where(
        Registration.id == given("id")
    )
)


def receipt(actor: Actor, registration_id: str) -> Receipt:
    """Return the receipt of an earlier save, for a terminal that lost the answer.

    Raises:
        NotFoundError: No registration has this id.
    """
    actor.require(Permission.REGISTER)
    with connection():
        saved = find(Registration, registration_id)
        if saved is None:
            raise NotFoundError("registration", registration_id)
        return Receipt.model_validate(saved.receipt)

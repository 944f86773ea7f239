"""Deliveries of counters: each registration once, by the core's own checks, with the ids and the number given out there.

What the core cannot take as it is comes back as a question with its code and both sides in its details; nothing is lost
on the way, since the counter keeps it until a person has answered.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from core.counters import machines
from core.foundation import audit, clock
from core.foundation.clinic import Clinic
from core.foundation.codes import NumberSeries, NumberStatus, PendingStatus
from core.foundation.database import transaction
from core.foundation.errors import (
    ConflictError,
    CoreError,
    NotAllowedError,
    NotFoundError,
    RuleError,
    ValidationError,
)
from core.foundation.permissions import Actor, actor_of
from core.models import Account, Counter, CounterDelivery, LentNumber
from core.patients import service as patients
from core.patients import views as patient_views
from core.queues import lent_blocks
from core.schemas.counters import DeliveryFields, DeliveryOut
from core.schemas.registration import LateEntryFields, Receipt, RegistrationRequest
from core.visits import registration
from core.visits.made_before import MadeBefore

ASKED = (RuleError, ConflictError, ValidationError, NotFoundError, NotAllowedError)
"""Refusals that a person can answer. Anything else is a fault, and the counter tries again."""
DISABLED = "account_disabled"
"""Flag of what an account registered that has been disabled since."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""Lead that a counter's clock may have over the core's: its arrival counts as now."""


def deliver(clinic: Clinic, actor: Actor, fields: DeliveryFields) -> DeliveryOut:
    """Take one registration that a counter has made without the core.

    Args:
        clinic: The clinic.
        actor: The machine.
        fields: The registration, what was given out for it, and when the patient came.

    Raises:
        NotAllowedError: The actor is no machine of a counter, or it was reported lost.
    """
    machine = machines.of(actor)
    account: Account | None = Account.get_or_none(Account.id == fields.account_id)
    if account is None:
        return DeliveryOut(outcome=PendingStatus.ASKED, code="account_unknown")
    try:
        receipt = _register(clinic, machine, account, fields)
    except ASKED as refusal:
        return _question(clinic, fields, refusal)
    return DeliveryOut(outcome=PendingStatus.DELIVERED, receipt=receipt)


def _register(clinic: Clinic, machine: Counter, account: Account, fields: DeliveryFields) -> Receipt:
    actor = actor_of(account, f"counter {machine.name}")
    made = fields.made
    before = MadeBefore(
        made.patient_id,
        made.visit_id,
        made.entry_id,
        made.ticket_id,
        made.medical_record_number,
        fields.is_uncertain,
    )
    with transaction():
        receipt, is_new = registration.register(clinic, actor, _late(fields, account.name), before)
        if is_new:
            _note(machine, account, fields, receipt)
    return receipt


def _late(fields: DeliveryFields, name: str) -> RegistrationRequest:
    """Return the registration as a late entry of its arrival, with the number in the patient's hand."""
    number = fields.made.number if fields.made.is_lent else None
    late = LateEntryFields(arrived_at=_arrival(fields), written_by=name, paper_number=number)
    return fields.request.model_copy(update={"late": late})


def _arrival(fields: DeliveryFields) -> datetime:
    """Return when the patient came; never later than now, which a counter's clock that ran ahead would say."""
    now = clock.now()
    is_ahead = fields.is_uncertain or fields.arrived_at - now < CLOCKS_DIFFER
    return min(fields.arrived_at, now) if is_ahead else fields.arrived_at


def _note(machine: Counter, account: Account, fields: DeliveryFields, receipt: Receipt) -> None:
    flag = DISABLED if account.disabled_at is not None else ""
    CounterDelivery.create(
        id=fields.request.id,
        counter=machine.id,
        visit=receipt.visit_id,
        account=account.id,
        arrived_at=fields.arrived_at,
        is_uncertain=fields.is_uncertain,
        flag=flag,
        delivered_at=clock.now(),
    )
    _use_record_number(actor_of(account), machine, fields.made.medical_record_number)
    audit.record(
        actor_of(account, f"counter {machine.name}"), "delivered", "visit", receipt.visit_id, receipt.patient_id,
        counter=machine.name, number=fields.made.number, **({"flag": flag} if flag else {}),
    )  # fmt: skip


def _use_record_number(actor: Actor, machine: Counter, number: str) -> None:
    lent = LentNumber.get_or_none(
        LentNumber.series == NumberSeries.RECORD,
        LentNumber.number == number,
        LentNumber.counter == machine.id,
        LentNumber.status == NumberStatus.LENT,
    )
    if lent is not None:
        lent_blocks.use(actor, lent, None)


def _question(clinic: Clinic, fields: DeliveryFields, refusal: CoreError) -> DeliveryOut:
    details = dict(getattr(refusal, "details", None) or {})
    details |= _other_side(clinic, fields, refusal)
    return DeliveryOut(
        outcome=PendingStatus.ASKED,
        code=refusal.code,
        fields=getattr(refusal, "fields", None) or {},
        details=details,
    )


def _other_side(clinic: Clinic, fields: DeliveryFields, refusal: CoreError) -> dict[str, object]:
    """Return the card that the core has of the patient, so that the counter shows both sides."""
    patient_id = fields.request.patient_id
    is_of_number = refusal.code == "nik_of_another" or "taken" in getattr(refusal, "fields", {}).values()
    if patient_id is None and is_of_number:
        patient_id = _owner(fields.request)
    if patient_id is None:
        return {}
    try:
        return {
            "patient": patient_views.patient_out(clinic, patients.find(patient_id)).model_dump(mode="json")
        }
    except NotFoundError:
        return {}


def _owner(request: RegistrationRequest) -> str | None:
    person = request.patient
    if person is None:
        return None
    return patients.owner_of_numbers(person.nik, person.bpjs_number)


def undone(actor: Actor, numbers: list[str]) -> None:
    """Void the lent numbers of registrations that a counter took back before the core heard of them.

    Args:
        actor: The machine.
        numbers: The numbers.
    """
    with transaction():
        machine = machines.of(actor)
        rows = LentNumber.select().where(
            LentNumber.counter == machine.id,
            LentNumber.status == NumberStatus.LENT,
            LentNumber.number.in_(numbers),
        )
        lent_blocks.end(actor, list(rows), NumberStatus.VOIDED, "undone at the counter")


def drop(clinic: Clinic, actor: Actor, number: str, reason: str) -> None:
    """Void a lent number whose registration somebody gave up at the counter: its patient is registered otherwise.

    Args:
        clinic: The clinic.
        actor: Who gave it up.
        number: The number.
        reason: Why, in words.

    Raises:
        ValidationError: `reason`: `required`.
    """
    if not reason.strip():
        raise ValidationError({"reason": "required"})
    with transaction():
        rows = LentNumber.select().where(
            LentNumber.series == NumberSeries.LENT,
            LentNumber.status == NumberStatus.LENT,
            LentNumber.number == number,
            LentNumber.service_on >= clinic.today() - timedelta(days=7),
        )
        lent_blocks.end(actor, list(rows), NumberStatus.VOIDED, reason.strip())

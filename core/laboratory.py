"""Laboratory: orders and results, read against the patient's range (`core.lab_tests`)."""

from __future__ import annotations

from typing import Any

from core import audit, clock, feed, outbox
from core.actors import Actor
from core.clinic import Clinic
from core.contacts import contact_to_write, find_visit
from core.database import transaction
from core.errors import ConflictError, NotFoundError, ValidationError
from core.identifiers import new_id
from core.lab_tests import YEAR, interpret, is_possible, tests
from core.models import Order, Visit
from core.schemas.record import OrderFields, OrderResult, OrderShape
from core.vocabulary import OrderStatus, Permission


def order(clinic: Clinic, actor: Actor, visit_id: str, fields: OrderFields) -> OrderShape:
    """Order one laboratory test, of the list or in words of one's own.

    The laboratory orders for whoever came to it straight from the counter.

    Raises:
        NotAllowedError: Neither a clinician nor the laboratory.
        ValidationError: `test`: ordered at this visit and still waiting (`taken`).
        RuleError: `record_locked`.
    """
    if not actor.can(Permission.ENTER_RESULTS):
        actor.require(Permission.WRITE_RECORDS)
    listed = tests().get(fields.test)
    with transaction():
        visit = find_visit(visit_id)
        waiting = Order.select().where(
            Order.visit == visit, Order.test == fields.test, Order.status == OrderStatus.ACTIVE
        )
        if waiting.exists():
            raise ValidationError({"test": "taken"})
        row = Order.create(
            id=new_id(),
            visit=visit,
            encounter=contact_to_write(clinic, actor, visit),
            test=fields.test,
            note=fields.note,
            code=listed.loinc if listed else None,
            unit=listed.unit if listed else "",
            status=OrderStatus.ACTIVE,
            ordered_at=clock.now(),
            ordered_by=actor.account_id,
        )
        outbox.put("visit", visit.id)
        audit.record(actor, "ordered", "order", row.id, visit.patient_id)
        feed.append("order", visit_id=visit.id)
        return shape(row)


def revoke(clinic: Clinic, actor: Actor, order_id: str, reason: str) -> OrderShape:
    """Take an order back that has no result yet.

    Raises:
        ValidationError: `reason` is missing.
        ConflictError: It has a result, or was taken back, already.
    """
    actor.require(Permission.WRITE_RECORDS)
    if not reason.strip():
        raise ValidationError({"reason": "required"})
    with transaction():
        row = _find(order_id)
        contact_to_write(clinic, actor, row.visit)
        changed = (
            Order.update(
                status=OrderStatus.REVOKED,
                revoked_at=clock.now(),
                revoked_by=actor.account_id,
                revoke_reason=reason.strip()[:200],
            )
            .where(Order.id == order_id, Order.status == OrderStatus.ACTIVE)
            .execute()
        )
        if not changed:
            raise ConflictError(status=row.status)
        outbox.put("visit", row.visit_id)
        audit.record(actor, "order_revoked", "order", row.id, row.visit.patient_id)
        feed.append("order", visit_id=row.visit_id)
        return shape(_find(order_id))


def enter_result(clinic: Clinic, actor: Actor, order_id: str, fields: OrderResult) -> OrderShape:
    """Enter, or correct, a laboratory result; unit and range come from the list unless given.

    Raises:
        ConflictError: The order was taken back.
        ValidationError: `result` is no number that the test can give in this unit.
    """
    actor.require(Permission.ENTER_RESULTS)
    with transaction():
        row = _find(order_id)
        if row.status == OrderStatus.REVOKED:
            raise ConflictError(status=row.status)
        if not is_possible(row.test, fields.result, fields.unit or row.unit):
            raise ValidationError({"result": "out_of_range"})
        if row.result is not None:
            audit.record(actor, "result_corrected", "order", row.id, row.visit.patient_id, earlier=row.result)
        text = fields.reference_range or reference_range(row.test, row.visit)
        Order.update(
            status=OrderStatus.COMPLETED,
            result=fields.result,
            unit=fields.unit or row.unit,
            reference_range=text,
            interpretation=interpret(row.test, fields.result, text),
            resulted_at=clock.now(),
            resulted_by=actor.account_id,
        ).where(Order.id == order_id).execute()
        outbox.put("visit", row.visit_id)
        audit.record(actor, "result_entered", "order", row.id, row.visit.patient_id)
        feed.append("order", visit_id=row.visit_id)
        return shape(_find(order_id))


def reference_range(test: str, visit: Visit) -> str:
    """The range of a test for the visit's patient as printed; empty where the list has none."""
    listed = tests().get(test)
    if listed is None:
        return ""
    if listed.choices:
        return "/".join(listed.normal)
    age_years = (visit.service_on - visit.patient.birth_date).days / YEAR
    limits = listed.range_for(visit.patient.sex, age_years, visit.pregnant)
    return limits.text() if limits else ""


def _find(order_id: str) -> Order:
    row: Order | None = Order.get_or_none(Order.id == order_id)
    if row is None:
        raise NotFoundError("order", order_id)
    return row


def shape(row: Order) -> OrderShape:
    """As sent to terminals; an order without a result shows the range that will judge it."""
    listed = tests().get(row.test)
    facts: dict[str, Any] = {"choices": list(listed.choices) if listed else []}
    return OrderShape(
        id=row.id,
        test=row.test,
        note=row.note,
        status=OrderStatus(row.status),
        ordered_at=row.ordered_at,
        ordered_by=row.ordered_by.name,
        result=row.result,
        unit=row.unit,
        reference_range=row.reference_range or reference_range(row.test, row.visit),
        interpretation=row.interpretation or "",
        resulted_at=row.resulted_at,
        **facts,
    )

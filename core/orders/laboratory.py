"""Laboratory: orders, and results judged by the patient's range (`core.orders.laboratory_results`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.ages import DAYS_PER_YEAR, age_in_days
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus, Permission
from core.foundation.database import transaction
from core.foundation.errors import ConflictError, NotFoundError, RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import Account, Order, OrderVersion, Visit
from core.orders import laboratory_results, withdrawals
from core.orders.laboratory_tests import CriticalLimits, tests
from core.patients import deaths
from core.queues.entries import open_entry_of
from core.records.access import (
    Purpose,
    find_visit,
    open_contact,
    open_patient,
    require_right,
)
from core.records.contacts import contact_to_write
from core.schemas.record import (
    Acknowledgement,
    OrderFields,
    OrderOut,
    OrderResult,
    StatedReason,
    VoidedResult,
)


def order(clinic: Clinic, actor: Actor, visit_id: str, fields: OrderFields) -> OrderOut:
    """Order one laboratory test, of the list or in the clinician's own words.

    The laboratory itself orders for patients who come to it straight from the counter.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: A clinician, or the laboratory.
        visit_id: The visit.
        fields: Test and note.

    Raises:
        NotFoundError: There is no such visit.
        NotAllowedError: Neither a clinician nor the laboratory.
        ValidationError: `test`: ordered at this visit and still waiting (`taken`).
        RuleError: `record_locked`; `patient_deceased`, until `deceased_confirmed`.
    """
    require_right(actor, Purpose.ORDER)
    listed = tests().get(fields.test)
    with transaction():
        visit = find_visit(visit_id)
        contact = contact_to_write(clinic, actor, visit, Purpose.ORDER)
        deaths.require_asked(actor, visit.patient, "order", confirmed=fields.deceased_confirmed)
        waiting = Order.select().where(
            Order.visit == visit, Order.test == fields.test, Order.status == OrderStatus.ACTIVE
        )
        if waiting.exists():
            raise ValidationError({"test": "taken"})
        row = Order.create(
            id=new_id(),
            visit=visit,
            encounter=contact,
            test=fields.test,
            note=fields.note,
            code=listed.loinc if listed else None,
            unit=listed.unit if listed else "",
            status=OrderStatus.ACTIVE,
            ordered_at=clock.now(),
            ordered_by=actor.account_id,
        )
        outbox.enqueue("visit", visit.id)
        audit.record(actor, "ordered", "order", row.id, visit.patient_id)
        feed.append("order", visit_id=visit.id)
        return order_out(row)


def revoke(clinic: Clinic, actor: Actor, order_id: str, reason: str) -> OrderOut:
    """Revoke an order that has no result yet.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        order_id: The order.
        reason: In words.

    Raises:
        NotAllowedError: The role may not write records.
        ValidationError: `reason` is missing.
        NotFoundError: There is no such order.
        ConflictError: It has a result, or was revoked, already.
    """
    with transaction():
        withdrawals.revoke(clinic, actor, Order, order_id, reason)
        return order_out(_find(order_id))


def enter_result(clinic: Clinic, actor: Actor, order_id: str, fields: OrderResult) -> OrderOut:
    """Enter, or correct, a laboratory result; unit and range come from the list unless given.

    Args:
        clinic: The clinic.
        actor: The laboratory.
        order_id: The order.
        fields: Result, unit and range.

    Raises:
        NotAllowedError: The role may not enter results.
        NotFoundError: There is no such order.
        ConflictError: The order was revoked, or has changed since it was seen.
        ValidationError: `result` is no number that the test can give in this unit.
        RuleError: `record_locked`: it stands already, and the time for corrections is over.
    """
    require_right(actor, Purpose.RESULT)
    with transaction():
        row = _find(order_id)
        open_contact(
            clinic,
            actor,
            row.visit,
            Purpose.RESULT,
            contact=row.encounter,
            recorded_at=row.first_resulted_at,
        )
        _check_version(row, fields.expected_version)
        if row.status == OrderStatus.REVOKED:
            raise ConflictError(status=row.status)
        values = _judged(row, fields)
        audit.about_to_change("order", row.id)
        if row.result is not None:
            if all(getattr(row, name) == value for name, value in values.items()):
                return order_out(row)
            _keep_version(actor, row, "corrected")
            audit.record(
                actor, "result_corrected", "order", row.id, row.visit.patient_id, version=row.version
            )
        at = clock.now()
        stamps = {"first_resulted_at": row.first_resulted_at or at, "resulted_at": at}
        _write(row, {**values, **stamps, "resulted_by": actor.account_id})
        audit.record(actor, "result_entered", "order", row.id, row.visit.patient_id)
        return order_out(_find(order_id))


def _judged(row: Order, fields: OrderResult) -> dict[str, Any]:
    """Return the columns of a result.

    Raises:
        ValidationError: `result` is no number that the test can give in this unit.
    """
    usual = reference_range(row.test, row.visit)
    text = fields.reference_range or usual
    judged = laboratory_results.judge(
        row.test,
        fields.result,
        fields.unit or _usual_unit(row),
        text,
        own_reference=text != usual,
        critical=_critical_limits(row.test, row.visit),
    )
    if not judged.is_possible:
        raise ValidationError({"result": "out_of_range"})
    return {
        "status": OrderStatus.COMPLETED,
        "result": judged.result,
        "unit": judged.unit,
        "reference_range": text,
        "interpretation": judged.interpretation,
        "is_critical": judged.is_critical,
        "entered_as": judged.entered_as[:80],
    }


def _usual_unit(row: Order) -> str:
    """Return the unit of a number that comes without one: a unit that could not be read is not kept for the next."""
    listed = tests().get(row.test)
    if listed is not None and row.interpretation == laboratory_results.UNREAD:
        return listed.unit
    return row.unit


def void_result(
    clinic: Clinic, actor: Actor, order_id: str, reason: str, expected_version: int | None = None
) -> OrderOut:
    """Take a result back that is not this patient's; the order waits for its own result again.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The laboratory, or a clinician.
        order_id: The order.
        reason: In words.
        expected_version: Version of the order as it was seen.

    Raises:
        NotAllowedError: Neither the laboratory nor a clinician.
        ValidationError: `reason` is missing.
        NotFoundError: There is no such order.
        ConflictError: It has no result, or has changed since it was seen.
        RuleError: `record_locked`, for a clinician.
    """
    purpose = _purpose(actor)
    require_right(actor, purpose)
    kept_reason = withdrawals.kept_reason(reason)
    with transaction():
        row = _find(order_id)
        open_contact(
            clinic, actor, row.visit, purpose, contact=row.encounter, recorded_at=row.first_resulted_at
        )
        _check_version(row, expected_version)
        if row.result is None:
            raise ConflictError(status=row.status)
        audit.about_to_change("order", row.id)
        _keep_version(actor, row, "voided", kept_reason)
        listed = tests().get(row.test)
        empty: dict[str, Any] = dict.fromkeys(("result", "interpretation", "resulted_at", "resulted_by"))
        unit = listed.unit if listed else ""
        _write(row, {**empty, **_NOT_READ, "status": OrderStatus.ACTIVE, "unit": unit, "reference_range": ""})
        audit.record(actor, "result_voided", "order", row.id, row.visit.patient_id, reason=kept_reason)
        return order_out(_find(order_id))


def acknowledge(clinic: Clinic, actor: Actor, order_id: str, fields: Acknowledgement) -> OrderOut:
    """Record who was told of a critical result, and when, or that a clinician has read of a correction.

    Args:
        clinic: The clinic.
        actor: The laboratory that told somebody, or the clinician who has read it.
        order_id: The order.
        fields: Who was told; why, for a clinician who neither ordered it nor treats the patient.

    Raises:
        NotAllowedError: Neither the laboratory nor a clinician; `reason_required`.
        NotFoundError: There is no such order.
        RuleError: `not_critical`: it has no critical result, and nothing was corrected that is unread.
    """
    purpose = _purpose(actor)
    require_right(actor, purpose)
    with transaction():
        row = _find(order_id)
        if purpose is Purpose.RESULT:
            open_contact(clinic, actor, row.visit, purpose, contact=row.encounter)
        elif row.ordered_by_id != actor.account_id:
            why = StatedReason(fields.reason, fields.reason_code)
            open_patient(clinic, actor, row.visit.patient_id, Purpose.READ, why)
        is_clinician = purpose is not Purpose.RESULT
        is_news = is_clinician and row.corrected_at is not None and row.correction_known_at is None
        if not row.is_critical and not is_news:
            raise RuleError("not_critical")
        audit.about_to_change("order", row.id)
        if row.is_critical:
            _keep_told(actor, row, fields.told or actor.name)
        if is_news:
            known = {"correction_known_at": clock.now(), "correction_known_by": actor.account_id}
            Order.update(known).where(Order.id == row.id).execute()
            audit.record(actor, "correction_known", "order", row.id, row.visit.patient_id)
        feed.append("order", visit_id=row.visit_id)
        _repaint_row(row.visit_id)
        return order_out(_find(order_id))


def _keep_told(actor: Actor, row: Order, told: str) -> None:
    """Keep who was told of a critical result; the first to be told stays."""
    if row.acknowledged_at is None:
        changes = {"told": told, "acknowledged_at": clock.now(), "acknowledged_by": actor.account_id}
        Order.update(**changes).where(Order.id == row.id).execute()
    audit.record(actor, "critical_told", "order", row.id, row.visit.patient_id, told=told)


_RESULT_COLUMNS = (
    "result", "unit", "reference_range", "interpretation", "is_critical", "entered_as", "told", "resulted_at",
    "resulted_by_id", "acknowledged_at", "acknowledged_by_id",
)  # fmt: skip
"""Columns that a version keeps."""
_NOT_READ: dict[str, Any] = {"is_critical": False, "entered_as": ""}


def _purpose(actor: Actor) -> Purpose:
    """Return what a result is opened for: the laboratory's own work, or striking in a record."""
    return Purpose.RESULT if actor.can(Permission.ENTER_RESULTS) else Purpose.STRIKE


def _check_version(row: Order, expected: int | None) -> None:
    if expected is not None and row.version != expected:
        name = row.resulted_by.name if row.resulted_by else ""
        raise ConflictError(status=row.status, version=row.version, changed_by=name, test=row.test)


def _keep_version(actor: Actor, row: Order, cause: str, reason: str = "") -> None:
    data = {name: getattr(row, name) for name in _RESULT_COLUMNS}
    OrderVersion.create(
        order=row,
        version=row.version,
        data={
            name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in data.items()
        },
        cause=cause,
        reason=reason,
        changed_at=clock.now(),
        changed_by=actor.account_id,
    )


def _write(row: Order, values: dict[str, Any]) -> None:
    """Write a result under a new version; whoever knew the one before does not know this one."""
    unknown: dict[str, Any] = {"told": "", "acknowledged_at": None, "acknowledged_by": None}
    if row.result is not None:
        unknown |= {"corrected_at": clock.now(), "correction_known_at": None, "correction_known_by": None}
    Order.update(version=row.version + 1, **unknown, **values).where(Order.id == row.id).execute()
    outbox.enqueue("visit", row.visit_id)
    feed.append("order", visit_id=row.visit_id)
    if row.is_critical or values["is_critical"] or row.result is not None:
        _repaint_row(row.visit_id)


def _repaint_row(visit_id: str) -> None:
    """Tell the panes that the visit's row looks different now."""
    entry = open_entry_of(visit_id)
    if entry is not None:
        feed.append("entry", cluster=entry.cluster, entry_id=entry.id, visit_id=visit_id, action="result")


def reference_range(test: str, visit: Visit) -> str:
    """Return the range of a test for the visit's patient as printed; empty where the list has none."""
    listed = tests().get(test)
    if listed is None:
        return ""
    if listed.choices:
        return "/".join(listed.normal)
    limits = listed.range_for(*_group_of(visit))
    return limits.text() if limits else ""


def _critical_limits(test: str, visit: Visit) -> tuple[CriticalLimits, ...]:
    listed = tests().get(test)
    return listed.critical_for(*_group_of(visit)) if listed is not None else ()


def _group_of(visit: Visit) -> tuple[str, float, bool]:
    """Return sex, age in years with its fraction, and pregnancy."""
    age_years = age_in_days(visit.patient.birth_date, visit.service_on) / DAYS_PER_YEAR
    return visit.patient.sex, age_years, visit.pregnant


def _find(order_id: str) -> Order:
    row: Order | None = Order.get_or_none(Order.id == order_id)
    if row is None:
        raise NotFoundError("order", order_id)
    return row


def orders_out(rows: Sequence[Order]) -> list[OrderOut]:
    """Return orders as sent to terminals, with their earlier results, in one query more."""
    found: dict[str, list[OrderVersion]] = {}
    kept = OrderVersion.select(OrderVersion, Account).join(Account)
    for version in kept.where(OrderVersion.order.in_([row.id for row in rows] or [""])).order_by(
        OrderVersion.version
    ):
        found.setdefault(version.order_id, []).append(version)
    return [_order_out(row, found.get(row.id, [])) for row in rows]


def order_out(row: Order) -> OrderOut:
    """Return an order as sent to terminals; without a result it shows the range that will judge it."""
    return orders_out([row])[0]


def _order_out(row: Order, versions: Sequence[OrderVersion]) -> OrderOut:
    listed = tests().get(row.test)
    return OrderOut(
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
        choices=list(listed.choices) if listed else [],
        critical=row.is_critical,
        entered_as=row.entered_as,
        version=row.version,
        resulted_by=row.resulted_by.name if row.resulted_by else "",
        told=row.told,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by.name if row.acknowledged_by else "",
        voided=[_voided(item) for item in versions if item.cause == "voided"],
        changed_unread=row.corrected_at is not None and row.correction_known_at is None,
        change_known_by=row.correction_known_by.name if row.correction_known_by else "",
        change_known_at=row.correction_known_at,
        **_correction(row, versions),
    )


def _correction(row: Order, versions: Sequence[OrderVersion]) -> dict[str, Any]:
    """Return what the result was before its last correction; nothing for one that was not corrected."""
    if row.result is None or not versions or versions[-1].cause != "corrected":
        return {}
    last = versions[-1]
    return {
        "corrected_from": f"{last.data['result']} {last.data['unit']}".strip(),
        "corrected_by": last.changed_by.name,
        "corrected_at": last.changed_at,
    }


def _voided(version: OrderVersion) -> VoidedResult:
    return VoidedResult(
        result=str(version.data["result"]),
        unit=str(version.data["unit"]),
        voided_at=version.changed_at,
        voided_by=version.changed_by.name,
        reason=version.reason,
    )

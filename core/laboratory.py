"""Laboratory: what can be tested, orders, results and how they read against the patient's range.

Tests, units and ranges are data (`core/data/laboratory.toml`). A result is judged by the range
for the patient's sex, age and pregnancy at the visit; a range that the laboratory types itself
stands instead.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict

from core import audit, clock, feed, outbox
from core.accounts import Actor
from core.clinic import Clinic
from core.contacts import contact_to_write, find_visit
from core.database import transaction
from core.errors import ConflictError, NotFoundError, ValidationError
from core.identifiers import new_id
from core.models import Order, Visit
from core.names import fold
from core.schemas import LabTestShape, OrderFields, OrderResult, OrderShape
from core.vocabulary import OrderStatus, Permission, Sex

YEAR = 365.25  # days
NUMBER = re.compile(r"^[<>]?\s*(\d{1,7}(?:[.,]\d{1,4})?)$")
TYPED_RANGE = re.compile(r"^(?:(\d+(?:[.,]\d+)?)\s*-\s*(\d+(?:[.,]\d+)?)|([<>]=?)\s*(\d+(?:[.,]\d+)?))$")


class Range(BaseModel):
    """Where a number is normal, both ends inclusive, and for whom."""

    model_config = ConfigDict(extra="forbid")

    low: float | None = None
    high: float | None = None
    sex: Sex | None = None
    from_years: float = 0
    under_years: float | None = None
    pregnant: bool | None = None

    def fits(self, sex: str, age_years: float, pregnant: bool) -> bool:
        """Whether it is the range of such a patient."""
        return (
            (self.sex is None or self.sex == sex)
            and self.from_years <= age_years
            and (self.under_years is None or age_years < self.under_years)
            and (self.pregnant is None or self.pregnant == pregnant)
        )

    def text(self) -> str:
        """`12-16`, `<=199` or `>=40`, with a decimal comma as it is printed here."""
        low = f"{self.low:g}".replace(".", ",") if self.low is not None else ""
        high = f"{self.high:g}".replace(".", ",") if self.high is not None else ""
        if low and high:
            return f"{low}-{high}"
        return f"<={high}" if high else f">={low}" if low else ""


class LabTest(BaseModel):
    """One test of the list."""

    model_config = ConfigDict(extra="forbid")

    title_id: str
    title_en: str = ""
    words: str = ""
    """Other words it is asked for by."""
    unit: str = ""
    loinc: str | None = None
    choices: tuple[str, ...] = ()
    """The answers of a test that gives no number."""
    normal: tuple[str, ...] = ()
    """Those of `choices` that are normal."""
    ranges: tuple[Range, ...] = ()
    """The first that fits is the patient's."""
    usual: int = 0

    def range_for(self, sex: str, age_years: float, pregnant: bool) -> Range | None:
        """The range of such a patient, None where there is none."""
        return next((item for item in self.ranges if item.fits(sex, age_years, pregnant)), None)


@cache
def tests() -> dict[str, LabTest]:
    """Every test by its Indonesian title, the usual ones first."""
    text = resources.files("core.data").joinpath("laboratory.toml").read_text(encoding="utf-8")
    found = [LabTest.model_validate(item) for item in tomllib.loads(text)["test"]]
    return {test.title_id: test for test in sorted(found, key=lambda test: -test.usual)}


def find_tests(text: str, limit: int = 20) -> list[LabTestShape]:
    """Tests with a word that begins with each word of the text; the usual ones first."""
    words = fold(text).split()
    found = []
    for test in tests().values():
        said = f" {fold(f'{test.title_id} {test.title_en} {test.words}')}"
        if all(f" {word}" in said for word in words):
            found.append(LabTestShape(test=test.title_id, title_en=test.title_en, unit=test.unit))
    return found[:limit]


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
    """
    actor.require(Permission.ENTER_RESULTS)
    with transaction():
        row = _find(order_id)
        if row.status == OrderStatus.REVOKED:
            raise ConflictError(status=row.status)
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


def interpret(test: str, result: str, reference: str) -> str | None:
    """How a result reads: `low`, `high`, `normal`, `abnormal`; None when it cannot be said.

    Args:
        test: As ordered.
        result: As typed.
        reference: `12-16`, `<200`, `<=199`, `>40`, `>=40`, or normal answers parted by `/`.
    """
    listed = tests().get(test)
    if listed is not None and listed.choices:
        if not listed.normal or result not in listed.choices:
            return None
        return "normal" if result in listed.normal else "abnormal"
    number, limits = NUMBER.match(result.strip()), TYPED_RANGE.match(reference.strip())
    if number is None or limits is None:
        return None
    value = _number(number[1])
    if limits[3]:
        edge = _number(limits[4])
        if value == edge and limits[3].endswith("="):
            return "normal"
        if limits[3].startswith("<"):
            return "high" if value >= edge else "normal"
        return "low" if value <= edge else "normal"
    low, high = _number(limits[1]), _number(limits[2])
    return "low" if value < low else "high" if value > high else "normal"


def _number(text: str) -> float:
    return float(text.replace(",", "."))


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

"""Alerts that the row of a patient says before anything else: critical, corrected, or against an allergy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.foundation.codes import OrderStatus
from core.foundation.statements import Statement, among, as_row
from core.models import Order, OrderVersion, Prescription
from core.schemas.queues import CriticalTold


@dataclass
class RowAlerts:
    """Findings of one visit."""

    critical: list[str] = field(default_factory=list)
    """Critical results: `Trombosit 45`."""
    told: list[CriticalTold] = field(default_factory=list)
    """Lines that tell who was told of which of them, and when."""
    corrected: list[str] = field(default_factory=list)
    """Results that were corrected, or taken back, since a clinician last said that they were read."""
    clashes: list[str] = field(default_factory=list)
    """Prescriptions that an allergy of later speaks against, until somebody has read it."""


NO_ALERTS = RowAlerts()
"""Those of a visit without any; only to be read."""


def alerts_of(visit_ids: Sequence[str]) -> dict[str, RowAlerts]:
    """Return visit id -> its findings; a visit without any is left out."""
    found: defaultdict[str, RowAlerts] = defaultdict(RowAlerts)
    alerted = [visit_id for (visit_id,) in _ALERTED.rows(visits=visit_ids)] if visit_ids else []
    if alerted:
        _add_results(alerted, found)
        _add_clashes(alerted, found)
    return dict(found)


def _add_results(ids: Sequence[str], found: defaultdict[str, RowAlerts]) -> None:
    rows = [as_row(Order, _RESULT_COLUMNS, cells) for cells in _RESULTS.rows(visits=ids)]
    before = _values_before([row.id for row in rows if row.corrected_at is not None])
    for row in rows:
        alerts, said = found[row.visit_id], f"{row.test} {row.result or '-'}"
        if row.is_critical:
            alerts.critical.append(said)
            if row.acknowledged_at is not None:
                alerts.told.append(CriticalTold(result=said, told=row.told, at=row.acknowledged_at))
        if row.corrected_at is not None and row.correction_known_at is None:
            alerts.corrected.append(f"{said} ({before.get(row.id, '')})")


_RESULT_COLUMNS = (
    "id", "visit", "test", "result", "is_critical", "acknowledged_at", "told", "corrected_at", "correction_known_at",
)  # fmt: skip


def _is_told() -> Any:
    unread = Order.corrected_at.is_null(False) & Order.correction_known_at.is_null()
    critical = Order.is_critical & Order.result.is_null(False)
    return among(Order.visit, "visits") & (critical | unread)


def _is_clash() -> Any:
    return (
        among(Prescription.visit, "visits")
        & (Prescription.clash != "")
        & Prescription.clash_known_at.is_null()
        & (Prescription.status != OrderStatus.REVOKED)
    )


_ALERTED = Statement(
    lambda: (
        Order.select(Order.visit).where(_is_told())
        | Prescription.select(Prescription.visit).where(_is_clash())
    )
)
"""Visits with anything to be said: nearly always none, so it is asked first."""
_RESULTS = Statement(
    lambda: (
        Order.select(*(getattr(Order, name) for name in _RESULT_COLUMNS))
        .where(_is_told())
        .order_by(Order.resulted_at)
    )
)


def _values_before(order_ids: Sequence[str]) -> dict[str, str]:
    """Return order id -> its result before the last correction."""
    if not order_ids:
        return {}  # a pane is read at every change, and corrections are rare
    rows = OrderVersion.select().where(OrderVersion.order.in_(list(order_ids)))
    return {row.order_id: str(row.data["result"]) for row in rows.order_by(OrderVersion.version)}


def _add_clashes(ids: Sequence[str], found: defaultdict[str, RowAlerts]) -> None:
    for visit_id, medicine, clash in _CLASHES.rows(visits=ids):
        found[visit_id].clashes.append(f"{clash}: {medicine}")


_CLASHES = Statement(
    lambda: (
        Prescription.select(Prescription.visit, Prescription.medicine, Prescription.clash)
        .where(_is_clash())
        .order_by(Prescription.id)
    )
)

"""A laboratory result in words: its signs, what it was before, who was told of it."""

from __future__ import annotations

from core.schemas.record import OrderOut, VisitOut, VoidedResult
from tui.text.formatting import time_text
from tui.text.translation import _

INTERPRETATIONS = {"low": "(L)", "high": "(H)", "abnormal": "(!)", "unread": "(?)"}
"""Signs beside a result, as laboratories print them; `(?)` where it cannot be read."""
CRITICAL_SIGN = "!!"


def result_text(item: OrderOut, zone: str) -> str:
    """Return `!! 9,4 g/dL (L) [12-16]` with what it was corrected from, or that there is none yet.

    Args:
        item: The order.
        zone: The clinic's time zone.
    """
    voided = [_voided_text(each, zone) for each in item.voided]
    if item.result is None:
        return " ".join(part for part in (_("no result yet"), *voided, _known_text(item, zone)) if part)
    parts = [
        value_text(item),
        f"[{item.reference_range}]" if item.reference_range else "",
        f"({item.entered_as})" if item.entered_as else "",
        _correction_text(item, zone),
        *voided,
        _known_text(item, zone),
        _told_text(item, zone),
    ]
    return " ".join(part for part in parts if part)


def value_text(item: OrderOut) -> str:
    """Return a result with its signs: `!! 45 10^3/uL (L)`."""
    parts = (
        CRITICAL_SIGN if item.critical else "",
        item.result or "",
        item.unit,
        INTERPRETATIONS.get(item.interpretation, ""),
        _("cannot be read") if item.interpretation == "unread" else "",
    )
    return " ".join(part for part in parts if part)


def critical_texts(visit: VisitOut) -> list[str]:
    """Return the visit's critical results: `Trombosit !! 45 10^3/uL (L)`."""
    return [f"{item.test} {value_text(item)}" for item in visit.orders if item.critical]


def _correction_text(item: OrderOut, zone: str) -> str:
    if item.corrected_from is None:
        return ""
    text = _("(corrected from {earlier} by {person} at {time})")
    at = time_text(item.corrected_at, zone)
    return text.format(earlier=item.corrected_from, person=item.corrected_by, time=at)


def _voided_text(item: VoidedResult, zone: str) -> str:
    text = _("({result} was taken back by {person} at {time}: {reason})")
    result, at = f"{item.result} {item.unit}".strip(), time_text(item.voided_at, zone)
    return text.format(result=result, person=item.voided_by, time=at, reason=item.reason)


def _known_text(item: OrderOut, zone: str) -> str:
    """Return who read of the last correction, and when."""
    if item.change_known_at is None:
        return ""
    at = time_text(item.change_known_at, zone)
    return _("({person} read of it at {time})").format(person=item.change_known_by, time=at)


def _told_text(item: OrderOut, zone: str) -> str:
    if not item.critical or item.acknowledged_at is None:
        return ""
    return _("({person} was told at {time})").format(
        person=item.told, time=time_text(item.acknowledged_at, zone)
    )

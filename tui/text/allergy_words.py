"""A recorded allergy in words: how grave, who said it, and whether it can be checked."""

from __future__ import annotations

from collections.abc import Mapping

from core.orders.medicines import read_allergy
from core.schemas.record import AllergyClash, AllergyOut
from tui.text.formatting import date_text
from tui.text.translation import N_, _

SEVERITIES: Mapping[str, str] = {"mild": N_("mild"), "moderate": N_("moderate"), "severe": N_("SEVERE")}
"""`AllergySeverity` -> its word; what may kill stands in capitals."""
SOURCES: Mapping[str, str] = {
    "patient": N_("patient"),
    "family": N_("family"),
    "staff": N_("seen here"),
    "document": N_("document"),
}
"""`AllergySource` -> its word."""


def allergy_line(item: AllergyOut) -> str:
    """Return an allergy in one line: `Penisilin: gatal, SEVERE (family, 12-03-2026, Ns. Laila)`."""
    severity = _(SEVERITIES[item.severity]) if item.severity else ""
    source = _(SOURCES[item.source]) if item.source else ""
    effect = ", ".join(part for part in (item.reaction, severity) if part)
    origin = ", ".join(
        part for part in (source, date_text(item.recorded_at.date()), item.recorded_by) if part
    )
    sign = "" if item.read else "? "
    return f"{sign}{item.substance}" + (f": {effect}" if effect else "") + f" ({origin})"


def reading_line(substance: str) -> str:
    """Return how a typed substance reads, before it is recorded: nothing is checked against what is not read."""
    read = read_allergy(substance)
    if read.none_known:
        return _("none known: recorded as asked")
    if not read.is_read:
        return "? " + _("{substance} cannot be checked by itself").format(substance=substance)
    if not read.is_medicine:
        return _("no medicine: nothing to check")
    names = sorted(read.ingredients) + sorted(read.classes)
    sign = _("Read as: {things}") if not read.guessed else "? " + _("Read as: {things}")
    return sign.format(things=", ".join(names))


def clash_line(clash: AllergyClash) -> str:
    """Return a prescription that an allergy speaks against, who wrote it, and whether it was handed out."""
    status = _("HANDED OUT") if clash.status == "completed" else _("not handed out yet")
    return f"{clash.medicine} ({clash.prescribed_by}, {status})"

"""The newest kidney result in a patient's record, as an estimate that medicines are checked against."""

from __future__ import annotations

from datetime import date, timedelta
from math import inf

from core.foundation.ages import age_in_years
from core.linkage.names import fold
from core.models import Encounter, Order, Visit
from core.orders.laboratory_results import read_result
from core.orders.laboratory_tests import tests, unit_factor
from core.orders.medicines.kidney import KidneyFunction, from_creatinine

CREATININE, FILTRATION = "Kreatinin", "eGFR"
"""Names of the tests in `core/data/laboratory.toml`."""
_WORDS = {"kreatinin": CREATININE, "creatinin": CREATININE, "egfr": FILTRATION, "lfg": FILTRATION}
"""Beginning of a word in the name of a test, also of one in the clinician's own words -> the test of the list."""
LOOKED_BACK = timedelta(days=365)
"""Age beyond which a result says nothing about today (KDIGO 2024: at least yearly)."""
HEIGHT = "height"


def kidney_function(visit: Visit) -> KidneyFunction:
    """Return what the record says of the kidneys on the day of a visit; unknown is said to be unknown."""
    rows = (
        Order.select(Order, Visit)
        .join(Visit)
        .where(Visit.patient == visit.patient_id, Visit.voided_at.is_null(), Order.result.is_null(False))
        .order_by(Order.resulted_at.desc(), Order.id.desc())
    )
    newest = next((row for row in rows if _test_of(row.test)), None)
    if newest is None:
        return KidneyFunction()
    said = _said(newest)
    if visit.service_on - newest.visit.service_on > LOOKED_BACK:
        return KidneyFunction(said=said)
    found = _estimated(newest)
    if found is None or not found.is_known:
        return KidneyFunction(said=said)
    return KidneyFunction(found.least, found.most, f"{said}: eGFR {_shown(found)}")


def _test_of(name: str) -> str:
    """Return the test of the list that an order means; empty for any other."""
    words = fold(name).split()
    if "urin" in words or "urine" in words:
        return ""
    return next((test for word in words for begun, test in _WORDS.items() if word.startswith(begun)), "")


def _said(row: Order) -> str:
    day: date = row.visit.service_on
    return f"{row.test} {row.result} {row.unit}".strip() + f" ({day:%d-%m-%Y})"


def _estimated(row: Order) -> KidneyFunction | None:
    """Return the estimate of one result; None where it, or its unit, cannot be read."""
    listed, read = tests()[_test_of(row.test)], read_result(row.result or "")
    if read is None or (read.beyond and listed.meter is None):
        return None
    unit = read.unit or row.unit
    factor = unit_factor(listed, unit) if unit or row.test == listed.name else None
    if factor is None:
        return None
    low, high = max(0.0, read.interval.low * factor), read.interval.high * factor
    if listed.name == FILTRATION:
        return KidneyFunction(low, high)
    visit: Visit = row.visit
    years = age_in_years(visit.patient.birth_date, visit.service_on)
    return from_creatinine(low, high, visit.patient.sex, years, _height_of(visit))


def _height_of(visit: Visit) -> float | None:
    """Return the newest height measured until the day of the result."""
    contacts = (
        Encounter.select(Encounter.vitals)
        .join(Visit)
        .where(
            Visit.patient == visit.patient_id, Visit.service_on <= visit.service_on, Visit.voided_at.is_null()
        )
        .order_by(Encounter.entered_at.desc())
    )
    return next((float(row.vitals[HEIGHT]) for row in contacts if row.vitals.get(HEIGHT)), None)


def _shown(found: KidneyFunction) -> str:
    if found.most == inf:
        return f">{found.least:.0f}"
    if round(found.least) == round(found.most):
        return f"{found.least:.0f}"
    return f"{found.least:.0f}-{found.most:.0f}"

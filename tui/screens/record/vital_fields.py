"""The vital signs of the form: which are asked for which patient, and how a number is judged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from textual.app import ComposeResult
from textual.widgets import Static

from core.records.vital_signs import VITALS, problems, warnings
from core.schemas.record import PreviousValue
from tui.text import problem_words
from tui.text.formatting import date_text, number_text, parse_number
from tui.text.translation import N_, _
from tui.widgets import FieldRow, TextField, labelled

LABELS = {
    "systolic": N_("Sys"), "diastolic": N_("Dia"), "pulse": N_("HR"), "respiration": N_("Resp"),
    "temperature": N_("Temp"), "oxygen_saturation": N_("SpO2"), "weight": N_("Wght"), "height": N_("Hght"),
    "waist": N_("Wst"), "glucose": N_("Gluc"), "arm_circumference": N_("MUAC"), "head_circumference": N_("Head"),
}  # fmt: skip
"""Vital -> a label of at most four letters."""
ROWS = (
    ("systolic", "diastolic", "pulse", "respiration", "temperature"),
    ("oxygen_saturation", "weight", "height", "waist", "glucose", "arm_circumference", "head_circumference"),
)
NAMES = tuple(name for row in ROWS for name in row)
REMARKS = {
    "low": N_("{vital} is low: {value}"),
    "high": N_("{vital} is high: {value}"),
    "danger": N_("{vital} {value}: DANGER, act now"),
}
"""Side of the limits on which a value lies -> the remark."""
WITHOUT_FRACTION = 100  # from here on no decimals: four cells hold 99.9
CHILD_UNDER_YEARS = 5
PRESSURE = frozenset({"systolic", "diastolic"})
"""Fields that are judged together too."""


def compose_vitals() -> ComposeResult:
    """Yield two rows; behind each field is the last measured value."""
    for row in ROWS:
        with FieldRow():
            for name in row:
                with FieldRow(id=f"cell-{name}", classes="vital"):
                    yield from labelled(LABELS[name], TextField(name, cells=7, longest=6), cells=5, gap=0)
                    yield Static("", id=f"previous-{name}", classes="previous", markup=False)


def asked(age_years: int, pregnant: bool) -> frozenset[str]:
    """Return the vital signs asked for such a patient, at most ten: two rows at 80 columns."""
    if age_years < CHILD_UNDER_YEARS:
        return frozenset(NAMES) - {"waist", "glucose"}
    if pregnant:
        return frozenset(NAMES) - {"waist", "head_circumference"}
    return frozenset(NAMES) - {"arm_circumference", "head_circumference"}


def first_asked(age_years: int) -> str:
    """Return the first field: blood pressure, which is seldom taken of a small child."""
    return "pulse" if age_years < CHILD_UNDER_YEARS else "systolic"


def read_vitals(values: Mapping[str, str]) -> tuple[dict[str, float], dict[str, str]]:
    """Read the typed vital signs.

    Returns:
        (vital -> number, vital -> problem code), in the order of the form.
    """
    numbers: dict[str, float] = {}
    wrong: dict[str, str] = {}
    for name in NAMES:
        text = values.get(name, "").strip()
        if text:
            try:
                numbers[name] = parse_number(text)
            except ValueError:
                wrong[name] = "number_format"
    wrong |= problems(numbers)
    return (
        {name: value for name, value in numbers.items() if name not in wrong},
        {name: wrong[name] for name in NAMES if name in wrong},
    )


def remark(name: str, text: str, age_days: int | None) -> tuple[str, str]:
    """Return the remark on a number that is possible but not usual.

    Args:
        name: Code of the vital sign.
        text: Typed text, trimmed; comma or dot.
        age_days: Age at the visit; None while not known.

    Returns:
        (translated remark, its kind: `warning`, or `error` for a danger); both empty without one.
    """
    numbers, _wrong = read_vitals({name: text})
    side = warnings(numbers, age_days).get(name) if age_days is not None else None
    if side is None:
        return "", ""
    return say_side(side, name, numbers[name]), "error" if side == "danger" else "warning"


def say_side(side: str, name: str, value: float) -> str:
    """Return such as `Temperature is high: 39.2`, translated.

    Args:
        side: Side of the limits: a key of `REMARKS`.
        name: Code of the vital sign.
        value: Measured value.
    """
    return _(REMARKS[side]).format(vital=problem_words.field_name(f"vitals.{name}"), value=number_text(value))


def explain(name: str, age_days: int | None, previous: PreviousValue | None) -> str:
    """Return name, unit, usual range and last value of a vital sign, shown while its field has the focus.

    Args:
        name: Code of the vital sign.
        age_days: Age at the visit; None while not known.
        previous: Last value, if there is one.
    """
    vital = VITALS[name]
    text = f"{problem_words.field_name('vitals.' + name)}, {vital.unit}"
    limits = vital.soft_range(age_days) if age_days is not None else None
    if limits is not None:
        text += ", " + _("usual {low}-{high}").format(
            low=number_text(limits.low), high=number_text(limits.high)
        )
    if previous is not None:
        text += ", " + _("before: {value} on {day}").format(
            value=previous_text(previous), day=date_text(previous.service_on)
        )
    return text


def previous_text(previous: PreviousValue) -> str:
    """Return an earlier value as text."""
    value = previous.value
    return (
        number_text(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    )


def previous_in_short(previous: PreviousValue) -> str:
    """Return an earlier value in four cells: from 100 on without decimals."""
    value = previous.value
    if isinstance(value, float) and value >= WITHOUT_FRACTION:
        return str(round(value))
    return previous_text(previous)


def mass_index(values: Mapping[str, str], age_years: int) -> str:
    """Return `BMI 23.4 normal` for an adult whose weight and height are typed; empty otherwise.

    Source: the table in use in Indonesia, docs/reference/indonesia.md 10.1.
    """
    try:
        weight, height = parse_number(values.get("weight", "")), parse_number(values.get("height", ""))
    except ValueError:
        return ""
    if age_years < 18 or not height:
        return ""
    index = weight / (height / 100) ** 2
    bands = ((17, N_("very thin")), (18.5, N_("thin")), (25.05, N_("normal")), (27.05, N_("overweight")))
    word = next((word for limit, word in bands if index < limit), N_("obese"))
    return _("BMI {value} {word}").format(value=number_text(round(index, 1)), word=_(word))


def age_days_on(birth_date: date, day: date) -> int:
    """Return the age in days, at least 0."""
    return max(0, (day - birth_date).days)

"""The vital signs of the form: which are asked for whom, and how a typed number is judged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from textual.app import ComposeResult
from textual.widgets import Static

from core.schemas.record import PreviousValue
from core.vitals import VITALS, problems, warnings
from tui import words
from tui.formatting import date_text, number_text, parse_number
from tui.text import N_, _
from tui.widgets import Row, TextField, labelled

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
"""Side on which a value lies -> what is said of it."""
WITHOUT_FRACTION = 100  # four cells hold 99.9
CHILD_UNDER_YEARS = 5
PRESSURE = frozenset({"systolic", "diastolic"})
"""They are judged together too."""


def compose_vitals() -> ComposeResult:
    """Two rows; behind each field stands what was measured last time."""
    for row in ROWS:
        with Row():
            for name in row:
                with Row(id=f"cell-{name}", classes="vital"):
                    yield from labelled(LABELS[name], TextField(name, cells=7, longest=6), cells=5, gap=0)
                    yield Static("", id=f"previous-{name}", classes="previous", markup=False)


def asked(age_years: int, pregnant: bool) -> frozenset[str]:
    """The vital signs that are asked for such a patient, ten at most: two rows at 80 columns."""
    if age_years < CHILD_UNDER_YEARS:
        return frozenset(NAMES) - {"waist", "glucose"}
    if pregnant:
        return frozenset(NAMES) - {"waist", "head_circumference"}
    return frozenset(NAMES) - {"arm_circumference", "head_circumference"}


def first_asked(age_years: int) -> str:
    """Where the hands begin: with the blood pressure, which a small child seldom has taken."""
    return "pulse" if age_years < CHILD_UNDER_YEARS else "systolic"


def read_vitals(values: Mapping[str, str]) -> tuple[dict[str, float], dict[str, str]]:
    """The vital signs as typed.

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
    """What a number as typed says that can be true, but is not usual.

    Args:
        name: Of the vital sign.
        text: As typed, trimmed; comma or dot.
        age_days: At the visit; None while not known.

    Returns:
        (translated remark, its kind: `warning`, or `error` for a danger); both empty without one.
    """
    numbers, _wrong = read_vitals({name: text})
    side = warnings(numbers, age_days).get(name) if age_days is not None else None
    if side is None:
        return "", ""
    return say_side(side, name, numbers[name]), "error" if side == "danger" else "warning"


def say_side(side: str, name: str, value: float) -> str:
    """`Temperature is high: 39.2`, translated."""
    return _(REMARKS[side]).format(vital=words.field_name(f"vitals.{name}"), value=number_text(value))


def explain(name: str, age_days: int | None, previous: PreviousValue | None) -> str:
    """Name, unit, usual range and last value, while the field has the focus."""
    vital = VITALS[name]
    text = f"{words.field_name('vitals.' + name)}, {vital.unit}"
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
    """An earlier value as it is shown."""
    value = previous.value
    return (
        number_text(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
    )


def previous_in_short(previous: PreviousValue) -> str:
    """The same in the four cells behind a field: from 100 on without a fraction."""
    value = previous.value
    if isinstance(value, float) and value >= WITHOUT_FRACTION:
        return str(round(value))
    return previous_text(previous)


def mass_index(values: Mapping[str, str], age_years: int) -> str:
    """`BMI 23.4 normal` for an adult whose weight and height are typed; empty otherwise.

    Source: the table in use in Indonesia, indonesia.md 10.1.
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
    """Age in days, never below 0."""
    return max(0, (day - birth_date).days)

"""Words for why a row of an imported list was set aside."""

from __future__ import annotations

from tui.text.translation import N_, _

ROW_PROBLEMS = {
    "name: required": N_("no name"),
    "sex: required": N_("no sex"),
    "sex: unreadable": N_("sex cannot be read"),
    "sex: nik_differs": N_("sex contradicts the NIK"),
    "birth_date: required": N_("no birth date"),
    "birth_date: unreadable": N_("birth date cannot be read"),
    "birth_date: placeholder": N_("birth date was never entered"),
    "birth_date: order_unclear": N_("day and month may be swapped"),
    "birth_date: nik_differs": N_("birth date contradicts the NIK"),
    "birth_date: age_differs": N_("birth date contradicts the age"),
    "birth_date: birth_date_in_future": N_("birth date is yet to come"),
    "birth_date: birth_date_too_old": N_("older than 120 years"),
    "deceased: said": N_("has died, the list says"),
    "nik: taken": N_("NIK is somebody else's"),
    "nik: of_another": N_("NIK is another person's by sex or birth date: left out"),
    "bpjs_number: taken": N_("BPJS number is somebody else's"),
    "nik: digits_lost": N_("NIK lost a digit"),
}
"""Reason -> what is wrong with the row."""


def row_problem(reason: str) -> str:
    """Return what is wrong with a row; a reason without words of its own is shown as it is."""
    return _(ROW_PROBLEMS[reason]) if reason in ROW_PROBLEMS else reason

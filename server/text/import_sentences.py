"""Sentences of `loket import`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.imports.dates import DateOrder
from server.text.translation import N_, _

COLUMNS_QUESTION = N_(
    "Are the columns right?  Enter: yes   field=heading: read a field from another column"
    "   field=: leave it out   q: stop"
)
OUTCOMES = {
    "taken": N_("new patients"),
    "paired": N_("new patients, perhaps here already: the pairs wait to be compared (F7 at the search)"),
    "merged": N_("known already; what the list knew more was filled in"),
    "set_aside": N_("set aside: to be mended under F7, R at the search (records, admin)"),
}
NOTES = {
    "name: required": N_("no name"),
    "birth_date: required": N_("no birth date and no age"),
    "birth_date: unreadable": N_("this is no date"),
    "birth_date: birth_date_in_future": N_("the birth date is yet to come"),
    "birth_date: birth_date_too_old": N_("older than 120 years"),
    "birth_date: placeholder": N_("no date: other programs write this where nobody entered one"),
    "birth_date: order_unclear": N_(
        "day and month cannot be told apart: the list writes them in both orders"
    ),
    "birth_date: order_from_nik": N_("day and month in the order that the NIK proves"),
    "birth_date: nik_differs": N_("birth date and NIK contradict each other"),
    "birth_date: age_differs": N_("birth date and age contradict each other"),
    "sex: nik_differs": N_("sex and NIK contradict each other"),
    "deceased: said": N_("the list says that this person has died, not when"),
    "deceased: marked": N_("marked as deceased on the day that the list says, unless seen here later"),
    "birth_date: estimated": N_("worked out from the age"),
    "birth_date: from_nik": N_("taken from the NIK"),
    "sex: required": N_("neither male nor female, and no NIK that says it"),
    "sex: unreadable": N_("neither male nor female, and no NIK that says it"),
    "sex: from_nik": N_("taken from the NIK"),
    "nik: digits_lost": N_("a spreadsheet dropped the last digit: make the column text, then export again"),
    "nik: taken": N_("somebody else has this number"),
    "nik: of_another": N_("another person's number, by sex or birth date: left out"),
    "bpjs_number: taken": N_("somebody else has this number"),
    "bpjs_number: zeros_added": N_("the zeros that a spreadsheet dropped were put back"),
    "record_number: not_kept": N_("the paper number is no number or in use; a new one is given"),
    "possible_duplicate": N_("stored; perhaps a patient who is known: a person compares the two"),
    "meant_as_well": N_("somebody else, such as a twin, may be meant as well"),
}
"""Note on a row -> its meaning for the admin."""
COLUMN_PROBLEMS = {
    "unknown_column": N_("there is no such heading in the list"),
    "required": N_("the list needs a column for it"),
}
"""Problem of a column -> its meaning."""


FIELDS = {
    "nik": N_("NIK"),
    "bpjs_number": N_("BPJS number"),
    "mother_name": N_("mother's name"),
    "phone": N_("phone"),
    "address": N_("address"),
}
"""Field by which namesakes are told apart -> its name in a sentence."""
DATE_ORDERS = {
    DateOrder.DAY_FIRST: N_("Dates: day first, as the list proves."),
    DateOrder.MONTH_FIRST: N_("Dates: month first, as the list proves."),
    DateOrder.MIXED: N_(
        "Dates: the list writes day first and month first. Rows that may be either are set aside, unless the NIK "
        "tells; where you know the order, say --dates day_first or --dates month_first."
    ),
    DateOrder.ASSUMED: N_(
        "Dates: no date of the list proves whether day or month comes first; read with the day first. "
        "Otherwise say --dates month_first."
    ),
}
"""Order of day and month -> what the preview says about it."""


def absent_fields(names: Sequence[str]) -> str:
    """Return the sentence about fields that no column brings; empty where none is missing."""
    if not names:
        return ""
    said = ", ".join(_(FIELDS[name]) for name in names)
    return _("Not in the list: {fields}. Without them namesakes are told apart less often.").format(
        fields=said
    )


def note_meaning(code: str) -> str:
    """Return the meaning of a note on a row; every other note is of a field that was left out."""
    return _(NOTES[code]) if code in NOTES else _("cannot be right, left out")


def column_problem(code: str) -> str:
    """Return the meaning of a column's problem, or the problem itself where it is a sentence already."""
    return _(COLUMN_PROBLEMS[code]) if code in COLUMN_PROBLEMS else code


def codes_imported(outcome: Mapping[str, Any]) -> Iterator[str]:
    """Yield the result of importing a list of codes.

    Args:
        outcome: taken, newer (numbers), refused (`line: code` each).
    """
    yield _("{number} codes taken.").format(number=outcome["taken"])
    if outcome["newer"]:
        yield _("{number} left out: newer than ICD-10 2010.").format(number=outcome["newer"])
    if outcome["refused"]:
        yield _("Refused (line: code): {codes}").format(codes=", ".join(outcome["refused"]))


STORE_QUESTION = N_("Store them, in place of those imported before?")


def medicines_previewed(outcome: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an import of KFA's table would take, as `core.orders.kfa.KfaOutcome` says."""
    yield _(
        "{number} rows read: {taken} are medicines known here, {other} are others, {ended} ended by KFA."
    ).format(number=outcome["read"], taken=outcome["taken"], other=outcome["other"], ended=outcome["ended"])
    for example in outcome["examples"]:
        yield f"  {example}"
    if outcome["unread_count"]:
        yield _("{number} seem to be wanted and could not be read (line: name):").format(
            number=outcome["unread_count"]
        )
        for line in outcome["unread"]:
            yield f"  {line}"
    if outcome["refused"]:
        yield _("Refused (line: code): {codes}").format(codes=", ".join(outcome["refused"]))


def medicines_stored(is_stored: bool) -> Iterator[str]:
    """Yield whether KFA's table was stored."""
    yield _("Stored.") if is_stored else _("Nothing was stored.")


def displays_imported(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what an import of official texts did."""
    yield _("{taken} official texts stored; {waiting_again} records wait to be sent again.").format(
        taken=document["taken"], waiting_again=document["waiting_again"]
    )
    for line in document["refused"]:
        yield _("! {line}: no proper code, or no text").format(line=line)


def displays_checked(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the codes in use that have no official text."""
    if not document["missing"]:
        yield _("Every code in the records has its official text.")
    for code, uses in document["missing"].items():
        yield _("! {code}: no official text, {uses} times in the records").format(code=code, uses=uses)

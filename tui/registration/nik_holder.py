"""The question whose a NIK is: what speaks against its being the patient's own, the answers, and what they change.

Pure: no widgets, no calls; for the form and for line mode.
"""

from __future__ import annotations

from core.foundation.ages import age_in_years
from core.foundation.codes import NikHolder, NoIdentifierReason
from core.schemas.patients import NikDoubt
from tui.registration.form_values import FormValues
from tui.text import problem_words
from tui.text.formatting import age_text, date_text, sex_letter
from tui.text.translation import N_, _

IS_HOLDER = "is_holder"
"""Answer: the patient who has the number is the patient in the form."""
ANSWERS = {
    NikHolder.MOTHER: N_("the mother's: kept as the mother's NIK"),
    NikHolder.GUARDIAN: N_("a relative's (husband, wife, parent, child): kept as the guardian's NIK"),
    NikHolder.SELF: N_("the patient's own: I have read the card again"),
}
INFANT = 1  # years below which a child without a number counts as newborn
TITLE = N_("Whose NIK is this?")


def notes(doubt: NikDoubt, facts: FormValues) -> list[str]:
    """Return what the number says of its holder, and what the form says of the patient."""
    age = age_text(doubt.birth_date, facts.today)
    born = facts.birth_date
    said = [
        f"NIK {doubt.nik}: {sex_letter(doubt.sex)}, {age} ({date_text(doubt.birth_date)})",
        _("In the form: {person}").format(
            person=", ".join(
                part
                for part in (
                    facts.name,
                    sex_letter(facts.sex) if facts.sex else "",
                    f"{age_text(born, facts.today)} ({date_text(born)})" if born is not None else "",
                )
                if part
            )
        ),
    ]
    if doubt.holder is not None:
        held = _("It is the NIK of {name}, RM {number}")
        said.append(held.format(name=doubt.holder.name, number=doubt.holder.medical_record_number))
    return said


def options(doubt: NikDoubt, *, may_open: bool = True) -> list[tuple[str, str]]:
    """Return the answers with their translated words, the likeliest first.

    Args:
        doubt: The core's doubt.
        may_open: Whether the patient who has the number can be gone on with.
    """
    ordered = sorted(doubt.answers, key=lambda answer: answer is not doubt.likely)
    found = [(answer.value, _(ANSWERS[answer])) for answer in ordered]
    if doubt.holder is not None and may_open:
        found.append((IS_HOLDER, _("{name} is the patient: open the record").format(name=doubt.holder.name)))
    return found


def finding_words(doubt: NikDoubt) -> str:
    """Return the findings as one sentence."""
    return "; ".join(problem_words.word(problem_words.IDENTITY_WARNINGS, code) for code in doubt.findings)


def moved(doubt: NikDoubt, answer: str, facts: FormValues) -> dict[str, str]:
    """Return the values of the form that change when the number is somebody else's.

    Args:
        doubt: The number, and its holder where that is known.
        answer: Whose it is, as `NikHolder`.
        facts: The form so far.
    """
    values = {"nik": "", f"{answer}_nik": doubt.nik}
    born = facts.birth_date
    if born == doubt.birth_date:  # filled in from the number, as the sex was
        values |= {"birth_date": ""} | ({"sex": ""} if facts.sex == doubt.sex else {})
        born = None
    if not facts.text("no_identifier_reason") and born is not None and born <= facts.today:
        is_infant = age_in_years(born, facts.today) < INFANT
        values |= {"no_identifier_reason": NoIdentifierReason.NEWBORN.value} if is_infant else {}
    if answer == NikHolder.MOTHER and doubt.holder is not None:
        values["mother_id"] = doubt.holder.id
        if not facts.text("mother_name"):
            values["mother_name"] = doubt.holder.name
    return values

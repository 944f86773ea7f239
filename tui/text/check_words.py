"""Words about a medicine's checks: one line for each, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.foundation.codes import OrderStatus, Sex
from core.foundation.languages import in_language
from core.orders.medicines import clashes, unchecked
from core.orders.medicines.checks import BREASTFEEDING_YEARS, depends_on_breastfeeding
from core.orders.medicines.reading import read_medicine
from core.orders.medicines.signa import Signa
from core.schemas.record import MedicineCheckOut, PrescriptionOut, VisitOut
from tui.text.translation import N_, _, language

CHECKS: Mapping[str, str] = {
    "allergy": N_("ALLERGY: {things}"),
    "allergy_unchecked": N_("Allergy cannot be checked, unread: {things}"),
    "contraindication": N_("Should not be given: {text} {expected}"),
    "breastfeeding_unknown": N_("Does she breast-feed? Not asked: {text}"),
    "kidney_unknown": N_("Kidney function not known {expected}: {text}"),
    "dose_not_positive": N_("Dose or amount is nothing or less: {given}"),
    "dose_impossible": N_("That cannot be meant: {given} ({expected})"),
    "dose_too_much": N_("Dose too high: {given}; usual {expected}"),
    "dose_too_little": N_("Dose too low: {given}; usual {expected}"),
    "weight_needed": N_("Dose goes by weight: enter the weight first"),
    "medicine_twice": N_("The same medicine again: {things}"),
    "interaction": N_("Together with {things}: {text}"),
    "medicine_guessed": N_("Read as: {things}"),
    "dose_unchecked": N_("Amount cannot be read, dose not checked: {things}"),
    "child_dose_unknown": N_("No children's dose known for this age, not checked: {things}"),
    "ingredient_unread": N_("Unread, so nothing is checked: {things}"),
    "signa_unread": N_("Directions unread: {things}"),
}
"""Code of a check -> its line."""
UNKNOWN_CHECK = N_("Check: {given}")
"""For a code of a newer server."""

BASES: Mapping[str, str] = {
    "by_weight": N_("dose by weight ({source})"),
    "by_age": N_("dose by age ({source})"),
    "weight_needed": N_("enter the weight for a dose"),
    "no_child_dose": N_("no children's dose known"),
}
"""Where the dose of a child comes from, or why there is none."""

DOSE_CODES = frozenset(
    {"dose_not_positive", "dose_impossible", "dose_too_much", "dose_too_little", "weight_needed"}
)
ASKED = DOSE_CODES | {"allergy", "contraindication", "medicine_twice", "interaction", "patient_deceased"}
"""Codes of questions that a person may answer with yes."""
ASKED_OF_VACCINES = frozenset({"allergy", "contraindication", "vaccine_expired", "patient_deceased"})
NEED_REASON = frozenset({"allergy", "vaccine_expired"})
"""Questions whose yes needs a reason."""


def check_line(check: MedicineCheckOut) -> str:
    """Return what one check says, with its source."""
    words = _(CHECKS.get(check.code, UNKNOWN_CHECK)).format(
        things=", ".join(check.things),
        given=check.given,
        expected=check.expected,
        text=in_language(check.text, language()),
    )
    words = " ".join(words.split()).replace(" :", ":")
    words = f"{check.medicine}: {words}" if check.medicine and check.medicine not in check.things else words
    return f"{words} ({check.source})" if check.source else words


def check_lines(checks: Iterable[Mapping[str, Any] | MedicineCheckOut]) -> list[str]:
    """Return a line for each check, as the server sent them."""
    return [check_line(MedicineCheckOut.model_validate(each)) for each in checks]


def allergy_line(medicine: str, allergies: Sequence[str]) -> str:
    """Return what the patient's allergies say of a medicine; empty where they say nothing."""
    against, unread = clashes(medicine, allergies), unchecked(medicine, allergies)
    if against:
        return "!! " + check_line(MedicineCheckOut(code="allergy", things=against))
    return "? " + unread_line(unread) if unread else ""


def reading_sign(medicine: str) -> str:
    """Return that an ingredient is read by a slip, or not at all; empty when it is read as typed."""
    read = read_medicine(medicine)
    if not read.is_read:
        return "? " + _("unread")
    return (
        "? " + _("Read as: {things}").format(things=" + ".join(sorted(read.ingredients)))
        if read.guessed
        else ""
    )


def signa_line(read: Signa) -> str:
    """Return what a shorthand says, and what of it is unread."""
    said = ", ".join(part for part in (read.dose, read.frequency, read.instructions) if part)
    if read.unread:
        unread = CHECKS["signa_unread"]
        said = "; ".join(
            part for part in (said, "? " + _(unread).format(things=" ".join(read.unread))) if part
        )
    return said


def unread_line(texts: Sequence[str]) -> str:
    """Return that these texts could not be read, so that nothing is checked against them."""
    return check_line(MedicineCheckOut(code="allergy_unchecked", things=list(texts)))


def clash_line(item: PrescriptionOut) -> str:
    """Return that an allergy became known after it was prescribed: `Amoksisilin 500 mg: ALLERGY Penisilin, handed out`."""
    line = _("{medicine}: ALLERGY {allergies}, known only after it was prescribed").format(
        medicine=item.medicine, allergies=item.clash
    )
    return line + (". " + _("HANDED OUT") if item.status is OrderStatus.COMPLETED else "")


def answered_sign(check: MedicineCheckOut) -> str:
    """Return the sign before a check: `!!` asks, `!` was answered by the prescriber, `?` could not be looked at."""
    if check.code not in ASKED:
        return "?"
    return "! " if check.answered else "!!"


def allergies_first(allergies: Sequence[str], *, asked: bool) -> str:
    """Return the first line of a patient's banner: the allergies, that there are none, or that nobody asked."""
    if allergies:
        return "!! " + _("ALLERGIES: {names}").format(names=", ".join(allergies))
    return _("No known allergies") if asked else _("Allergies: not asked yet")


def asks_breastfeeding(visit: VisitOut, values: Mapping[str, Any]) -> bool:
    """Return whether somebody must ask if she breast-feeds before this prescription is sent."""
    patient = visit.patient
    is_open = visit.breastfeeding is None and patient.sex is Sex.FEMALE
    names = [each["medicine"] for each in values.get("ingredients", [])] or [values.get("medicine", "")]
    may = is_open and patient.age in BREASTFEEDING_YEARS
    return may and any(depends_on_breastfeeding(name) for name in names)


def override(values: Mapping[str, Any], code: str, reason: str = "") -> dict[str, Any]:
    """Return what is sent again once a question was answered with yes.

    Args:
        values: What was refused.
        code: The question's code.
        reason: For an allergy, or what has expired, why it is given all the same.
    """
    if code == "allergy":
        return {**values, "allergy_override": True, "override_reason": reason}
    if code == "vaccine_expired":
        return {**values, "expired_override": True, "override_reason": reason}
    if code == "patient_deceased":
        return {**values, "deceased_confirmed": True}
    if code in DOSE_CODES:
        return {**values, "dose_override": True}
    return {**values, "confirmed": [*values.get("confirmed", []), code]}

"""Checks before a medicine is given: allergies, age, pregnancy, dose, other medicines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from core.orders.medicines import catalogue
from core.orders.medicines.allergies import clashes, unchecked
from core.orders.medicines.catalogue import Ingredients
from core.orders.medicines.compounding import Compound
from core.orders.medicines.doses import Recipient, questions, unjudged
from core.orders.medicines.folding import fold_words
from core.orders.medicines.quantities import read_amount
from core.orders.medicines.reading import read_medicine
from core.orders.medicines.signa import read_signa

ALLERGY = "allergy"
ALLERGY_UNCHECKED = "allergy_unchecked"
CONTRAINDICATION = "contraindication"
BREASTFEEDING_UNKNOWN, KIDNEY_UNKNOWN = "breastfeeding_unknown", "kidney_unknown"
TOLD_ONLY = frozenset(
    {ALLERGY_UNCHECKED, BREASTFEEDING_UNKNOWN, KIDNEY_UNKNOWN, "medicine_guessed", "dose_unchecked"}
    | {"ingredient_unread", "signa_unread", "child_dose_unknown"}
)
"""Codes of what is said and needs no answer."""
DOSE_QUESTIONS = frozenset(
    {"dose_not_positive", "dose_impossible", "dose_too_much", "dose_too_little", "weight_needed"}
)
"""Codes of what is asked about the numbers of a prescription."""

BREASTFEEDING_YEARS = range(12, 50)
"""Ages of women who may breast-feed: of them it must be known."""

_TOPICAL = (
    "krim",
    "cream",
    "salep",
    "zalf",
    "gel",
    "losio",
    "lotion",
    "bedak",
    "kumur",
    "tetes mata",
    "tetes telinga",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was found, or could not be looked at."""

    code: str
    things: tuple[str, ...] = ()
    """Allergies, other medicines, or the texts that could not be read."""
    given: str = ""
    expected: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    """(language, sentence) where the table holds one."""
    source: str = ""
    medicine: str = ""
    """The ingredient of a compounded medicine that it is about."""


@dataclass(frozen=True, slots=True)
class Prescribed:
    """A prescription as it was typed."""

    medicine: str
    dose: str = ""
    frequency: str = ""
    amount: str = ""
    compound: Compound | None = None
    """Its ingredients, where it is made up."""
    signa: str = ""

    @property
    def medicines(self) -> list[str]:
        """The medicines that it gives: its ingredients, or itself."""
        return [part.medicine for part in self.compound.parts] if self.compound else [self.medicine]


def check(
    item: Prescribed, allergies: Sequence[str], others: Sequence[str], person: Recipient
) -> list[Check]:
    """Return all that is to be asked or said about a prescription, the gravest first.

    Args:
        item: The prescription.
        allergies: Recorded allergies, as typed.
        others: The other medicines of the visit.
        person: Whom it is for.
    """
    found = _unread_signa(item)
    if item.compound is None:
        found += _of_one(item.medicine, (item.dose, item.frequency, item.amount), allergies, others, person)
    else:
        found += _of_compound(item, item.compound, allergies, others, person)
    return sorted(found, key=lambda each: _gravity(each.code))


def _gravity(code: str) -> int:
    """Return the place of a code: an allergy first, then other questions, then what is only said."""
    return 0 if code == ALLERGY else 2 if code in TOLD_ONLY else 1


def _of_one(
    medicine: str,
    numbers: tuple[str, str, str],
    allergies: Sequence[str],
    others: Sequence[str],
    person: Recipient,
) -> list[Check]:
    """Return what is found about one medicine.

    Args:
        medicine: As typed.
        numbers: Dose, frequency and amount.
        allergies: Recorded allergies.
        others: The other medicines of the visit, and of the same paper.
        person: Whom it is for.
    """
    found = allergy_checks(medicine, allergies)
    found += _contraindications(medicine, person)
    found += [
        Check(each.code, given=each.given, expected=each.expected, source=each.source)
        for each in questions(medicine, *numbers, person)
    ]
    found += _with_others(medicine, others)
    return found + _not_looked_at(medicine, numbers, person, found)


def _not_looked_at(
    medicine: str, numbers: tuple[str, str, str], person: Recipient, found: Sequence[Check]
) -> list[Check]:
    """Return what was guessed, unread, or compared with nothing: silence would look like "nothing wrong".

    Args:
        medicine: As typed.
        numbers: Dose, frequency and amount.
        person: Whom it is for.
        found: What was found about it.
    """
    reading = read_medicine(medicine)
    guessed = Check("medicine_guessed", things=tuple(sorted(reading.ingredients)))
    said = [guessed] if reading.guessed else []
    if not reading.is_read:
        is_said = any(each.code == ALLERGY_UNCHECKED and medicine in each.things for each in found)
        return said if is_said else [*said, Check("ingredient_unread", things=(medicine,))]
    if is_topical(medicine) or any(each.code in DOSE_QUESTIONS for each in found):
        return said
    dose, frequency, _amount = numbers
    left = unjudged(medicine, dose, frequency, person)
    return [*said, Check(left.code, things=(left.text,))] if left is not None else said


def _of_compound(
    item: Prescribed,
    compound: Compound,
    allergies: Sequence[str],
    others: Sequence[str],
    person: Recipient,
) -> list[Check]:
    """Return what is found about each ingredient of a compounded medicine, and about its numbers.

    Args:
        item: The prescription.
        compound: Its ingredients.
        allergies: Recorded allergies.
        others: The other medicines of the visit.
        person: Whom it is for.
    """
    found = [
        Check(each.code, given=each.given, expected=each.expected, source=each.source)
        for each in questions("", item.dose, item.frequency, item.amount, person)
    ]
    papers = read_amount(item.dose)
    before: list[str] = []
    for part in compound.parts:
        in_one = compound.in_one(part)
        number = in_one.number * (papers.number if papers is not None else 1) if in_one is not None else 0
        dose = f"{number:.4g} {in_one.unit}" if in_one is not None else ""
        about = _of_one(part.medicine, (dose, item.frequency, ""), allergies, [*others, *before], person)
        if in_one is None:
            about.append(Check("dose_unchecked", things=(part.text,)))
        found += [replace(each, medicine=part.medicine) for each in about]
        before.append(part.medicine)
    return found


def _unread_signa(item: Prescribed) -> list[Check]:
    """Return the words of the directions that say nothing known."""
    unread = read_signa(item.signa).unread if item.signa else ()
    return [Check("signa_unread", things=unread, given=item.signa)] if unread else []


def allergy_checks(medicine: str, allergies: Sequence[str]) -> list[Check]:
    """Return the clashes with allergies, and what of them could not be read."""
    against = clashes(medicine, allergies)
    unread = unchecked(medicine, allergies)
    found = [Check(ALLERGY, things=tuple(against))] if against else []
    return found + ([Check(ALLERGY_UNCHECKED, things=tuple(unread))] if unread else [])


def counted_sources() -> tuple[int, int]:
    """Return how many contraindications there are, and of how many the source was read in a public text."""
    rules = catalogue.document("contraindications.toml")["rule"]
    return len(rules), sum("seen" in rule for rule in rules)


def _contraindications(medicine: str, person: Recipient) -> list[Check]:
    if is_topical(medicine):
        return []
    found = [
        Check(
            code,
            given=rule["code"],
            expected=person.kidney.said if "kidney_below" in rule else "",
            texts=tuple(rule["text"].items()),
            source=rule["source"],
        )
        for rule in _rules_of(medicine)
        if (code := _applies(rule, person))
    ]
    return sorted(found, key=lambda each: each.code in TOLD_ONLY)


def is_topical(medicine: str) -> bool:
    """Return whether it stays on the skin, in the eye or in the ear: age, kidneys and weight matter little."""
    return any(form in medicine.lower() for form in _TOPICAL)


def _rules_of(medicine: str) -> list[dict[str, Any]]:
    held = read_medicine(medicine).ingredients
    return [
        rule
        for rule in catalogue.document("contraindications.toml")["rule"]
        if held & _named(tuple(rule.get("ingredients", [])), tuple(rule.get("atc", [])))
        and _is_of_this_kind(medicine, rule.get("words", []))
    ]


def _is_of_this_kind(medicine: str, words: Sequence[str]) -> bool:
    """Return whether a name holds one of the words that a rule speaks of: a strength, a colour; no words: any."""
    written = medicine.lower().replace(".", "").replace(",", "")
    return not words or any(word in written for word in words)


def _applies(rule: dict[str, Any], person: Recipient) -> str:
    """Return the code of what a rule says of a patient; empty when it does not concern them."""
    is_younger = person.age_months < rule.get("below_months", 0)
    if is_younger or (person.pregnant and rule.get("pregnant", False)):
        return CONTRAINDICATION
    if rule.get("breastfeeding", False):
        return {True: CONTRAINDICATION, None: BREASTFEEDING_UNKNOWN, False: ""}[person.breastfeeding]
    return _applies_to_kidney(rule, person)


def _applies_to_kidney(rule: dict[str, Any], person: Recipient) -> str:
    limit = rule.get("kidney_below")
    if limit is None or not person.kidney.may_be_below(limit):
        return ""
    if person.kidney.is_below(limit):
        return CONTRAINDICATION
    is_said = person.kidney.is_known or person.age_months >= rule.get("unknown_from_months", 0)
    return KIDNEY_UNKNOWN if is_said else ""


def depends_on_breastfeeding(medicine: str) -> bool:
    """Return whether it must be known if the patient breast-feeds."""
    return any(rule.get("breastfeeding", False) for rule in _rules_of(medicine))


@cache
def _named(names: tuple[str, ...], codes: tuple[str, ...] = ()) -> Ingredients:
    """Return the ingredients of these names, and those whose ATC code begins so."""
    return frozenset(
        each.name
        for each in catalogue.ingredients().values()
        if each.name in names or each.atc.startswith(codes)
    )


def _with_others(medicine: str, others: Sequence[str]) -> Iterator[Check]:
    """Give what another medicine of the visit speaks against: the same again, or one that it changes."""
    held = read_medicine(medicine).ingredients
    for other in others:
        also = read_medicine(other).ingredients
        if held & also or fold_words(other) == fold_words(medicine):
            yield Check("medicine_twice", things=(other,), given=" + ".join(sorted(held & also)))
        for pair in _interactions(held, also):
            yield Check("interaction", (other,), texts=tuple(pair["text"].items()), source=pair["source"])


def _interactions(held: Ingredients, also: Ingredients) -> Iterator[dict[str, Any]]:
    for pair in catalogue.document("interactions.toml")["pair"]:
        one, other = (_side(tuple(pair[side])) for side in ("one", "other"))
        if (held & one and also & other) or (held & other and also & one):
            yield pair


@cache
def _side(names: tuple[str, ...]) -> Ingredients:
    codes = tuple(name for name in names if any(letter.isdigit() for letter in name))
    return _named(names, codes)

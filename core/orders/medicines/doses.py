"""Doses by weight for children, the most for adults, and what is asked about a dose. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from core.orders.medicines import catalogue
from core.orders.medicines.catalogue import Ingredients, Product
from core.orders.medicines.kidney import UNKNOWN, KidneyFunction
from core.orders.medicines.quantities import (
    PIECES,
    SPOONS_ML,
    Amount,
    Strength,
    bare_numbers,
    is_as_needed,
    milligrams,
    read_amount,
    read_frequency,
    read_strength,
)
from core.orders.medicines.reading import read_medicine

CHILD_MONTHS = 12 * 12
"""Below this age a dose goes by weight, and no adult dose is put before anybody."""
SWALLOWS_TABLETS_MONTHS = 5 * 12
"""From this age a part of a tablet is offered."""
MOST_TIMES = 12
"""Times a day beyond which a frequency is impossible; every two hours is the most that is written."""
MOST_PIECES = 10
"""Tablets or capsules in one dose beyond which it is asked about."""
TOLERANCE = 1.15
"""Share that rounding to a dose that can be given may add."""
TOO_LITTLE = 0.5
"""Part of the least dose below which a child's dose is asked about."""
MOST_UNITS = 60
"""Units of insulin in one dose beyond which it is asked about: no pen in use here gives more at once."""
UNITS = frozenset({"unit", "units", "iu", "ui"})
"""Words for a unit of insulin."""
LETTERS_OF_FORM = 3
"""Letters that `tab`, `tabs` and `tablet`, `kaps` and `kapsul` share."""
MOST_AMOUNT = 1000
"""Pieces handed out at once beyond which the amount is impossible."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Facts about a patient on which a dose depends."""

    age_months: int
    weight_kg: float | None = None
    pregnant: bool = False
    breastfeeding: bool | None = False
    """None: nobody asked a woman who may breast-feed."""
    kidney: KidneyFunction = UNKNOWN

    @property
    def is_child(self) -> bool:
        """True where doses go by weight."""
        return self.age_months < CHILD_MONTHS


@dataclass(frozen=True, slots=True)
class ChildDose:
    """The dose of one ingredient by weight."""

    ingredient: str
    least: float
    """mg per kg, each dose; 0 where the dose goes by age."""
    most: float
    usual: float
    times: int
    most_mg: float
    most_day: float
    """mg per kg in a day."""
    from_months: int
    share: float
    """Part of a printed strength that is this ingredient."""
    fixed: tuple[int, float, float] | None
    """(months, mg below that age, mg from it on)."""
    source: str

    def usual_mg(self, person: Recipient) -> float | None:
        """Return the mg put before the clinician; None where it cannot be said."""
        if person.age_months < self.from_months:
            return None
        if self.fixed is not None:
            months, below, otherwise = self.fixed
            return below if person.age_months < months else otherwise
        if person.weight_kg is None or not self.usual:
            return None
        return min(self.usual * person.weight_kg, self.most_mg)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Values of the fields before anything is typed."""

    dose: str = ""
    frequency: str = ""
    amount: str = ""
    instructions: str = ""
    basis: str = ""
    """Empty for the usual adult dose; `by_weight`, `by_age`, `weight_needed`, `no_child_dose`."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Something about a dose that could not be compared with any limit."""

    code: str
    """`dose_unchecked`: it cannot be read; `child_dose_unknown`: there is no dose for this age."""
    text: str


@dataclass(frozen=True, slots=True)
class DoseQuestion:
    """Something about a dose that is asked before it is taken."""

    code: str
    """`dose_not_positive`, `dose_impossible`, `dose_too_much`, `dose_too_little`, `weight_needed`."""
    given: str
    expected: str = ""
    source: str = ""


@cache
def child_doses() -> dict[str, ChildDose]:
    """Return ingredient -> its dose by weight."""
    return {row["ingredient"]: _child_dose(**row) for row in catalogue.document("child_doses.toml")["dose"]}


def _child_dose(
    *,
    ingredient: str,
    times: int,
    most_mg: float,
    from_months: int,
    source: str,
    mg_per_kg: tuple[float, float] = (0, 0),
    usual: float = 0,
    most_day: float = 0,
    share: float = 1,
    fixed_mg: dict[str, float] | None = None,
) -> ChildDose:
    fixed = None
    if fixed_mg is not None:
        (name, below), (_otherwise, other) = fixed_mg.items()
        fixed = (int(name.rsplit("_", 1)[1]), below, other)
    least, most = mg_per_kg
    return ChildDose(
        ingredient,
        least,
        most,
        usual,
        times,
        most_mg,
        most_day or most * times,
        from_months,
        share,
        fixed,
        source,
    )


def child_dose_of(ingredients: Ingredients) -> ChildDose | None:
    """Return the dose by weight that a medicine goes by: of its one ingredient, or of the one that leads it."""
    known = [child_doses()[name] for name in ingredients if name in child_doses()]
    leading = [dose for dose in known if len(ingredients) == 1 or dose.share < 1]
    return leading[0] if len(leading) == 1 else None


# What is put before the clinician


def suggest(medicine: str, person: Recipient) -> Suggestion:
    """Return the dose to put before the clinician: below twelve years only one that fits the child.

    Args:
        medicine: A product of the list, or as it was typed.
        person: Whom it is for.
    """
    product = _product(medicine)
    if not person.is_child:
        return _for_adult(product)
    if product is not None and _is_for_children(product):
        return _for_adult(product)
    known = child_dose_of(read_medicine(medicine).ingredients)
    if known is None or person.age_months < known.from_months:
        return Suggestion(basis="no_child_dose")
    if known.fixed is None and person.weight_kg is None:
        return Suggestion(basis="weight_needed", source=known.source)
    dose = _giveable(medicine, known, person)
    if not dose:
        return Suggestion(basis="no_child_dose", source=known.source)
    return Suggestion(
        dose=dose,
        frequency=f"{known.times}x sehari",
        amount=product.amount if product is not None and is_liquid(medicine) else "",
        instructions=product.instructions if product is not None else "",
        basis="by_weight" if known.fixed is None else "by_age",
        source=known.source,
    )


@cache
def _product(medicine: str) -> Product | None:
    return next((each for each in catalogue.products() if each.medicine == medicine), None)


def _for_adult(product: Product | None) -> Suggestion:
    if product is None:
        return Suggestion()
    return Suggestion(product.dose, product.frequency, product.amount, product.instructions)


def _is_for_children(product: Product) -> bool:
    """Return whether its usual dose is a child's: a vaccine, and what carries the child's part in its name."""
    return all(name.startswith("vaksin") for name in product.ingredients)


def piece_of(medicine: str) -> str:
    """Return the piece in which a medicine is counted: `tablet`, `kapsul`; empty for anything else."""
    product = _product(medicine)
    words = medicine.lower().split()
    form = product.form if product is not None else next((word for word in words if word in PIECES), "")
    return form if form in PIECES else ""


def is_liquid(medicine: str) -> bool:
    """Return whether a child can be given any part of it: syrup, drops, suspension."""
    strength = read_strength(medicine)
    product = _product(medicine)
    by_mouth = product is None or product.route == "oral"
    return strength is not None and strength.is_liquid and by_mouth


def suits_children(medicine: str) -> bool:
    """Return whether it is made for children: a liquid, or a tablet that falls apart in water."""
    return is_liquid(medicine) or "dispers" in medicine.lower()


def _giveable(medicine: str, known: ChildDose, person: Recipient) -> str:
    """Return the dose in what can be given: tenths or halves of a ml, halves of a tablet; empty when none fits."""
    strength = read_strength(medicine)
    wanted = known.usual_mg(person)
    if strength is None or wanted is None:
        return ""
    number = wanted / (strength.milligrams * known.share)
    if is_liquid(medicine):
        step = 0.1 if number < 2.5 else 0.5
        return f"{_rounded(number, step):g} ml"
    if not _gives_tablets(medicine, person):
        return ""
    halves = _rounded(number, 0.5)
    given = halves * strength.milligrams * known.share
    if not halves or _is_outside(given, known, person):
        return ""
    return f"{_fraction(halves)} tablet"


def _gives_tablets(medicine: str, person: Recipient) -> bool:
    product = _product(medicine)
    is_tablet = product is not None and product.form == "tablet" and product.route == "oral"
    return is_tablet and (suits_children(medicine) or person.age_months >= SWALLOWS_TABLETS_MONTHS)


def _rounded(number: float, step: float) -> float:
    """Return the number in whole steps, never more than it is by half a step."""
    return round(math.floor(number / step + 0.5) * step, 2)


def _fraction(halves: float) -> str:
    return {0.5: "1/2", 1.5: "1 1/2", 2.5: "2 1/2"}.get(halves, f"{halves:g}")


def _is_outside(given: float, known: ChildDose, person: Recipient) -> bool:
    if known.fixed is not None or person.weight_kg is None:
        return given > known.most_mg
    least, most = _range_mg(known, person.weight_kg)
    return not least / TOLERANCE <= given <= most * TOLERANCE


def _range_mg(known: ChildDose, weight_kg: float) -> tuple[float, float]:
    return min(known.least * weight_kg, known.most_mg), min(known.most * weight_kg, known.most_mg)


# What is asked about


def questions(medicine: str, dose: str, frequency: str, amount: str, person: Recipient) -> list[DoseQuestion]:
    """Return what is to be asked about a prescription's numbers.

    Args:
        medicine: As prescribed, with its strength.
        dose: One dose, as typed.
        frequency: How often, as typed.
        amount: What is handed out, as typed.
        person: Whom it is for.
    """
    asked = [*_plain_questions(dose, frequency, amount), *_more_than_once(medicine, frequency)]
    if asked:
        return asked
    each, times = read_amount(dose), read_frequency(frequency)
    if each is None:
        return []
    if person.is_child:
        return list(_child_questions(medicine, each, times, person))
    return list(_adult_questions(medicine, each, times))


def _plain_questions(dose: str, frequency: str, amount: str) -> Iterator[DoseQuestion]:
    """Give what no medicine could be: nothing, less than nothing, ninety-nine times a day."""
    times = read_frequency(frequency)
    for text in (dose, amount):
        read = read_amount(text)
        if read is not None and read.number <= 0:
            yield DoseQuestion("dose_not_positive", text)
    if times is not None and times <= 0:
        yield DoseQuestion("dose_not_positive", frequency)
    if times is not None and times > MOST_TIMES:
        yield DoseQuestion("dose_impossible", frequency, f"<= {MOST_TIMES}x sehari")
    handed = read_amount(amount)
    if handed is not None and handed.number > MOST_AMOUNT:
        yield DoseQuestion("dose_impossible", amount, f"<= {MOST_AMOUNT}")


def _adult_questions(medicine: str, each: Amount, times: float | None) -> Iterator[DoseQuestion]:
    if _is_too_many(each):
        yield DoseQuestion("dose_too_much", f"{each.number:g} {each.unit}", f"<= {_most_of(each)}")
        return
    most = _most_a_day(medicine)
    given = milligrams(each, _strength(medicine, each))
    if most is None or given is None:
        return
    day = given * (times or 1)
    if day > most * TOLERANCE:
        yield DoseQuestion("dose_too_much", f"{day:g} mg", f"<= {most:g} mg")


def _is_too_many(each: Amount) -> bool:
    """Return whether nobody takes so many pieces, or injects so many units, at once."""
    return each.number > _most_of(each)


def _most_of(each: Amount) -> float:
    if each.unit in UNITS:
        return MOST_UNITS
    return MOST_PIECES if each.unit in PIECES else math.inf


def _most_a_day(medicine: str) -> float | None:
    """Return the most mg that an adult takes in a day; None where no table says it."""
    held = read_medicine(medicine).ingredients
    name = next(iter(held)) if len(held) == 1 else ""
    most: float | None = catalogue.document("child_doses.toml")["most_a_day"].get(name)
    return most


def _child_questions(
    medicine: str, each: Amount, times: float | None, person: Recipient
) -> Iterator[DoseQuestion]:
    known = child_dose_of(read_medicine(medicine).ingredients)
    if known is None:
        if _is_too_many(each):
            yield DoseQuestion("dose_too_much", f"{each.number:g} {each.unit}", f"<= {_most_of(each)}")
        return
    if known.fixed is None and person.weight_kg is None:
        yield DoseQuestion("weight_needed", f"{each.number:g} {each.unit}".strip(), source=known.source)
        return
    given = milligrams(each, _strength(medicine, each))
    if given is not None:
        yield from _judged(given * known.share, times, known, person)


def _more_than_once(medicine: str, frequency: str) -> Iterator[DoseQuestion]:
    """Ask about what is given once, and was written for several times a day."""
    times = read_frequency(frequency)
    once = catalogue.document("child_doses.toml")["once"]
    if times is not None and times > 1 and any(name in once for name in read_medicine(medicine).ingredients):
        yield DoseQuestion("dose_too_much", frequency, "1x")


def _judged(given: float, times: float | None, known: ChildDose, person: Recipient) -> Iterator[DoseQuestion]:
    """Judge one dose and the day's doses against the child's weight."""
    if known.fixed is not None or person.weight_kg is None:
        most_mg = known.usual_mg(person) or known.most_mg
        day = given * (times or known.times)
        if given > most_mg * TOLERANCE or day > most_mg * known.times * TOLERANCE:
            yield DoseQuestion(
                "dose_too_much", f"{day:g} mg", f"<= {most_mg:g} mg, {known.times}x", known.source
            )
        return
    least, most = _range_mg(known, person.weight_kg)
    day = given * (times or known.times)
    expected = f"{least:.3g}-{most:.3g} mg, {known.times}x"
    if given > most * TOLERANCE or day > known.most_day * person.weight_kg * TOLERANCE:
        yield DoseQuestion("dose_too_much", f"{given:.3g} mg", expected, known.source)
    elif given < least * TOO_LITTLE:
        yield DoseQuestion("dose_too_little", f"{given:.3g} mg", expected, known.source)


def _strength(medicine: str, dose: Amount) -> Strength | None:
    """Return the strength of a name; where it gives none, that of the list's products which can be meant.

    Args:
        medicine: As prescribed: `Kaptopril 25 mg tablet`, `captopril 25`, `pct`.
        dose: One dose: a spoon is of no tablet.
    """
    strength = read_strength(medicine)
    if strength is not None:
        return strength
    numbers = bare_numbers(medicine)
    products = read_medicine(medicine).products
    named = [each for each in products if numbers & _printed_numbers(each.medicine)]
    meant = named or list(products)
    for candidates in (meant, [each for each in meant if _is_of_form(dose, each)]):
        strengths = {read_strength(each.medicine) for each in candidates}
        fitting = {each for each in strengths if each is not None and _fits(dose, each)}
        if len(fitting) == 1:
            return fitting.pop()
    return None


def _is_of_form(dose: Amount, product: Product) -> bool:
    """Return whether a dose of so many tablets, capsules, ... can be of a product of this form."""
    beginning = dose.unit[:LETTERS_OF_FORM]
    return dose.unit not in PIECES or product.form.startswith(beginning)


@cache
def _printed_numbers(medicine: str) -> frozenset[float]:
    """Return the numbers of a product's name: `Amoksisilin sirup kering 125 mg/5 ml` -> 125 and 5."""
    return bare_numbers(medicine.replace("/", " "))


def _fits(dose: Amount, strength: Strength) -> bool:
    """Return whether a dose can be of something so strong: spoons of a liquid, pieces of what is solid."""
    if strength.is_liquid:
        return dose.unit in SPOONS_ML
    return dose.unit not in SPOONS_ML


# What could not be judged


def unjudged(medicine: str, dose: str, frequency: str, person: Recipient) -> Unjudged | None:
    """Return what of a dose that was typed was compared with nothing: it must not look as if it had been.

    Where a question is asked already (the weight, a dose of nothing), and where nothing was typed, it is None.

    Args:
        medicine: As prescribed; its ingredients are read.
        dose: One dose, as typed.
        frequency: How often, as typed.
        person: Whom it is for.
    """
    if not dose.strip():
        return None
    if person.is_child:
        known = child_dose_of(read_medicine(medicine).ingredients)
        if known is None or person.age_months < known.from_months:
            return None if _needs_no_dose(medicine) else Unjudged("child_dose_unknown", medicine)
        if known.fixed is None and person.weight_kg is None:
            return None
    elif _is_usual(medicine, dose, frequency):
        return None
    each = read_amount(dose)
    if each is None or not _is_compared(medicine, each, person):
        return Unjudged("dose_unchecked", dose)
    is_counted = read_frequency(frequency) is not None or is_as_needed(frequency)
    return None if is_counted or not frequency.strip() else Unjudged("dose_unchecked", frequency)


def _is_compared(medicine: str, each: Amount, person: Recipient) -> bool:
    """Return whether a dose was held against something: a table, or the most pieces and units that anybody takes."""
    if person.is_child or _most_a_day(medicine) is not None:
        return milligrams(each, _strength(medicine, each)) is not None
    counted = UNITS if _is_injected(medicine) else {*UNITS, *PIECES, *SPOONS_ML, ""}
    return each.unit in counted


def _is_injected(medicine: str) -> bool:
    """Return whether it is given by a needle: a volume of it says nothing of how much it is."""
    products = read_medicine(medicine).products
    return bool(products) and all(each.route == "parenteral" for each in products)


def _is_usual(medicine: str, dose: str, frequency: str) -> bool:
    """Return whether an adult's dose is the one that the list gives, as it stands there: an ampoule, two puffs."""
    product = _product(medicine)
    return product is not None and (product.dose, product.frequency) == (dose, frequency)


def _needs_no_dose(medicine: str) -> bool:
    """Return whether children are given it without a dose by weight or age that could be wrong: ORS, vaccines."""
    listed = catalogue.document("child_doses.toml")["without_dose"]
    return all(name in listed or name.startswith("vaksin") for name in read_medicine(medicine).ingredients)

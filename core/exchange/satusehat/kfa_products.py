"""The product of KFA that a prescription means, only where it can be no other.

Substances, strengths and form must be the same. A code without a brand (92) is what was prescribed; one with a brand (93)
is what was handed out, and only where the prescription names it or the list has no second: which of several brands came
over the counter is not recorded, and a guess would be a false record.

Source: SATUSEHAT, Lampiran Terminologi Resume Medis Rawat Jalan, table 9 (request 92 or 93, dispense 93).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from core.foundation.codes import OrderStatus
from core.models import MedicineCode, Prescription
from core.orders.medicines.folding import fold_words
from core.orders.medicines.reading import read_medicine

WITH_BRAND = "93"
FORMS = {
    "tablet": "tablet tab tabs kaplet kapl pil",
    "capsule": "kapsul kaps kap caps",
    "syrup": "sirup syr syrup",
    "suspension": "suspensi susp",
    "drops": "tetes drops drop guttae",
    "cream": "krim cream",
    "ointment": "salep ung",
    "injection": "injeksi inj ampul amp vial",
    "infusion": "infus inf",
    "suppository": "supositoria supp rektal",
    "powder": "serbuk sachet",
    "inhalation": "inhalasi inhaler nebul",
    "gel": "gel",
    "ovule": "ovula",
    "gargle": "kumur",
}
"""Form -> the words that name it, on prescriptions and in KFA."""
_STRENGTH = re.compile(r"(\d+(?:[.,]\d+)?)\s*(mcg|mg|gram|gr|g|iu|ui|ml|%)(?![a-z])")
_BRAND = re.compile(r"(.*?)\s*\(([^()]+)\)")
_MILLIGRAMS = {"mcg": 0.001, "mg": 1.0, "g": 1000.0, "gr": 1000.0, "gram": 1000.0}
_SAME_UNIT = {"ui": "iu"}


@dataclass(frozen=True)
class KfaProduct:
    """One product with its official name."""

    code: str
    display: str
    form_code: str


@dataclass(frozen=True)
class KfaMatch:
    """Products that a prescription means; None where there is none, or where it may be several."""

    prescribed: KfaProduct | None = None
    dispensed: KfaProduct | None = None


NO_MATCH = KfaMatch()


def strengths(text: str) -> tuple[tuple[float, str], ...]:
    """Return the strengths that a name gives, in one unit each, the smallest first: `120 mg/5 ml`."""
    found = []
    for number, unit in _STRENGTH.findall(text.lower()):
        value = float(number.replace(",", "."))
        weight = _MILLIGRAMS.get(unit)
        found.append((value * weight, "mg") if weight else (value, _SAME_UNIT.get(unit, unit)))
    return tuple(sorted(found))


def form_of(text: str) -> str | None:
    """Return the form that a name gives; None when it gives none, or several."""
    words = set(fold_words(text))
    named = {
        form
        for form, spellings in FORMS.items()
        if words & {fold_words(word)[0] for word in spellings.split()}
    }
    return named.pop() if len(named) == 1 else None


@dataclass
class KfaProducts:
    """The clinic's import of KFA, read once a run."""

    _matches: dict[str, KfaMatch] = field(default_factory=dict)

    @cached_property
    def _by_ingredients(self) -> dict[frozenset[str], list[MedicineCode]]:
        found: dict[frozenset[str], list[MedicineCode]] = {}
        for row in MedicineCode.select().order_by(MedicineCode.code):
            found.setdefault(frozenset(row.ingredients), []).append(row)
        return found

    def match(self, medicine: str) -> KfaMatch:
        """Return the products that a prescription means.

        Args:
            medicine: As prescribed, with strength and form, perhaps a brand.
        """
        if medicine not in self._matches:
            self._matches[medicine] = self._match(medicine)
        return self._matches[medicine]

    def vaccine(self, ingredient: str, product: str) -> KfaProduct | None:
        """Return the product of a vaccine that was given: the one that was chosen, else the only one of the list.

        Args:
            ingredient: The vaccine.
            product: KFA of the product that was chosen; empty for none.
        """
        rows = self._by_ingredients.get(frozenset({ingredient}), [])
        branded = [row for row in rows if row.code.startswith(WITH_BRAND)]
        return _only([row for row in branded if not product or row.code == product])

    def _match(self, medicine: str) -> KfaMatch:
        generic_name, brand = _parted(medicine)
        read = read_medicine(generic_name)
        if not read.certain:
            return NO_MATCH
        same = [
            row
            for row in self._by_ingredients.get(read.ingredients, [])
            if _is_same_product(row, generic_name)
        ]
        branded = [row for row in same if row.code.startswith(WITH_BRAND)]
        if brand:
            named = _only([row for row in branded if row.brand.casefold() == brand])
            return KfaMatch(named, named)
        dispensed = _only(branded)
        generic = _only([row for row in same if not row.code.startswith(WITH_BRAND)])
        return KfaMatch(generic or dispensed, dispensed)


def _parted(medicine: str) -> tuple[str, str]:
    """Return the name without its brand, and the brand: what stands in brackets at the end, as KFA writes it."""
    found = _BRAND.fullmatch(medicine.strip())
    return (found[1], found[2].casefold()) if found else (medicine, "")


def _is_same_product(row: MedicineCode, medicine: str) -> bool:
    """Return whether strength and form are the same; a form that is not named is no other."""
    wanted, form = form_of(medicine), form_of(row.form or row.name)
    same_strength = bool(strengths(medicine)) and strengths(medicine) == strengths(row.name)
    return same_strength and form is not None and wanted == form


def _only(rows: list[MedicineCode]) -> KfaProduct | None:
    """Return the product where there is exactly one."""
    if len(rows) != 1:
        return None
    row = rows[0]
    is_branded = row.code.startswith(WITH_BRAND) and row.brand
    return KfaProduct(row.code, f"{row.name} ({row.brand})" if is_branded else row.name, row.form_code)


def medicines_without_product() -> Counter[str]:
    """Return the ready medicines in the prescriptions that have no product of KFA, with their uses."""
    products = KfaProducts()
    rows = Prescription.select().where(
        Prescription.status != OrderStatus.REVOKED, Prescription.papers.is_null()
    )
    used = Counter(row.medicine for row in rows)
    return Counter({name: count for name, count in used.items() if products.match(name).prescribed is None})

"""KFA, the Ministry's list of pharmaceutical products: the rows of medicines that Loket knows, by their codes.

Nothing of it ships: a clinic imports its own copy of the public table (`loket import medicines FILE`). Only rows are
taken whose every word is understood and whose ingredients stand in the list here; a row that seems to be such a
medicine and cannot be read is named, so that nobody takes it for imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.foundation import state
from core.foundation.database import transaction
from core.foundation.errors import ValidationError
from core.foundation.identifiers import new_id
from core.models import MedicineCode
from core.orders.medicines import catalogue
from core.orders.medicines.catalogue import Ingredients
from core.orders.medicines.folding import SHORTEST_FORGIVEN, fold_words
from core.orders.medicines.learned_names import learn
from core.orders.medicines.reading import read_medicine
from core.schemas.record import MedicineOut
from core.terminology import code_search

_TEMPLATE, _DISPLAY = code_search.TITLE_COLUMNS.values()
COLUMNS = {
    "code": ("kfa_code", "kode_kfa", "kfa", "code", "kode"),
    _TEMPLATE: ("product_template", "template", "nama_template", "nama_generik", "name", "nama"),
    _DISPLAY: ("display_name", "nama_dagang", "nama_produk"),
    "brand": ("brand", "merk", "merek", "nama_merek"),
    "form": ("medication_form", "bentuk", "bentuk_sediaan", "sediaan"),
    "form_code": ("medication_form_code", "kode_bentuk", "form_code"),
    "atc": ("atc_class", "atc", "kode_atc", "atc_l5"),
    "fornas": ("fornas", "is_fornas"),
    "status": ("status",),
}
"""Our column -> its headings, lower case, `_` between words."""
CODE = re.compile(r"9[23]\d{6}")
"""KFA of a product: 92 without its brand, 93 with it."""
_ATC = re.compile(r"[A-Z]\d{2}[A-Z]{2}\d{2}")
SALTS = frozenset(
    word
    for name in (
        "hemihydrate monohydrate dihydrate trihydrate hydrate anhydrous hydrochloride mesylate mesilate axetil proxetil"
        " disoproxil besylate besilate maleate tartrate fumarate sodium potassium citrate lactate pamoate succinate valerate"
        " propionate furoate acetonide decanoate palmitate stearate ethylsuccinate hyclate medoxomil calcium embonate"
    ).split()
    for word in fold_words(name)
)
"""Folded words that name the salt of a substance, and no other substance."""
BATCH = 200
SHOWN = 50
"""Rows that could not be read which a report names."""
STAMP = "medicine_codes"
_TRUE = frozenset({"true", "1", "ya", "yes", "y"})
_USED = frozenset({"", "valid", "aktif", "active"})


@dataclass(frozen=True)
class KfaOutcome:
    """Figures of an import, or of its preview."""

    read: int
    taken: int
    other: int
    """Rows of medicines that are not used here."""
    ended: int
    """Rows that KFA itself has ended."""
    unread: tuple[str, ...]
    """`line: name` of rows that seem to be wanted and could not be read, at most the first `SHOWN`."""
    unread_count: int
    refused: tuple[str, ...]
    """`line: code` of rows without a proper code or a name, at most the first `SHOWN`."""
    examples: tuple[str, ...]
    """The first rows that are taken."""


@dataclass
class _Sorted:
    """Rows by what becomes of them."""

    taken: list[dict[str, Any]]
    unread: list[str]
    refused: list[str]
    other: int = 0
    ended: int = 0


def import_codes(path: Path, *, dry_run: bool = False) -> KfaOutcome:
    """Import the wanted rows of KFA's table from CSV or XLSX; they replace those imported before.

    Args:
        path: The file, with a header row.
        dry_run: Only say what would be taken.

    Raises:
        ValidationError: `file`: `unreadable`, `columns` (none for the code or for the name), or `empty`.
    """
    found = _Sorted([], [], [])
    read = 0
    for number, row in code_search.read_file(path, COLUMNS):
        read += 1
        _sort(found, number, row)
    if not found.taken:
        raise ValidationError({"file": "empty"})
    if not dry_run:
        _store(found.taken)
    return KfaOutcome(
        read,
        len(found.taken),
        found.other,
        found.ended,
        tuple(found.unread[:SHOWN]),
        len(found.unread),
        tuple(found.refused[:SHOWN]),
        tuple(f"{row['code']} {_with_brand(row['name'], row['brand'])}" for row in found.taken[:5]),
    )


def _with_brand(name: str, brand: str) -> str:
    """Return a product's generic name with its brand, if it has one."""
    return f"{name} ({brand})" if brand else name


def _sort(found: _Sorted, number: int, row: dict[str, str]) -> None:
    name = row[_TEMPLATE] or row[_DISPLAY]
    if not CODE.fullmatch(row["code"]) or not name:
        found.refused.append(f"{number}: {row['code'][:12]}")
        return
    if row["status"].casefold() not in _USED:
        found.ended += 1
        return
    held, is_read = _ingredients(name, row["form"])
    if is_read and held in _wanted():
        found.taken.append(_values(row, name, held))
    elif not is_read and _is_wanted_by_atc(row["atc"]):
        found.unread.append(f"{number}: {name[:60]}")
    else:
        found.other += 1


def _ingredients(name: str, form: str) -> tuple[Ingredients, bool]:
    """Return the ingredients of a product, and whether every word of its name is understood."""
    read = read_medicine(name)
    left = set(read.unread) - SALTS - set(fold_words(form))
    return read.ingredients, bool(read.ingredients) and not read.guessed and not left


def _wanted() -> set[Ingredients]:
    return {product.ingredients for product in catalogue.products()}


def _is_wanted_by_atc(text: str) -> bool:
    """Return whether the class of a row is that of a substance known here."""
    match = _ATC.match(text.strip())
    return match is not None and match[0] in {each.atc for each in catalogue.ingredients().values()}


def _values(row: dict[str, str], name: str, held: Ingredients) -> dict[str, Any]:
    match = _ATC.match(row["atc"].strip())
    return {
        "code": row["code"],
        "name": name[:200],
        "brand": row["brand"][:120],
        "ingredients": sorted(held),
        "form": row["form"][:60],
        "form_code": row["form_code"][:12],
        "atc": match[0] if match else "",
        "is_fornas": row["fornas"].casefold() in _TRUE,
    }


def _store(rows: Sequence[dict[str, Any]]) -> None:
    by_code = {row["code"]: row for row in rows}
    with transaction():
        MedicineCode.delete().execute()
        for part in _parts(list(by_code.values())):
            MedicineCode.insert_many(part).execute()
        state.note(STAMP, stamp=new_id())


def _parts(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


# Brands that are known by their import


class _Known:
    """The import whose brands this process has learned."""

    stamp = ""


def refresh_names() -> None:
    """Learn the brands of the clinic's import, when they are not those learned last."""
    fact = state.fact(STAMP)
    stamp = str(fact["stamp"]) if fact is not None else ""
    if stamp == _Known.stamp:
        return
    rows = MedicineCode.select(MedicineCode.brand, MedicineCode.ingredients)
    learn({row.brand: frozenset(row.ingredients) for row in rows if _is_a_name(row.brand)})
    _Known.stamp = stamp


def _is_a_name(brand: str) -> bool:
    """Return whether a brand may stand for its ingredients: it is long enough, and says nothing else here."""
    return len(brand) >= SHORTEST_FORGIVEN and not read_medicine(brand).ingredients


def find_brands(text: str, limit: int) -> list[MedicineOut]:
    """Return imported products whose brand begins as typed, with their generic name.

    Args:
        text: As typed; fewer than three letters find nothing.
        limit: Most products returned.
    """
    begun = text.strip()
    if len(begun) < 3:
        return []
    rows = (
        MedicineCode.select(MedicineCode.name, MedicineCode.brand)
        .where(MedicineCode.brand.startswith(begun))
        .order_by(MedicineCode.brand, MedicineCode.code)
        .limit(limit)
    )
    return [
        MedicineOut(medicine=name)
        for name in dict.fromkeys(_with_brand(row.name, row.brand)[:120] for row in rows)
    ]

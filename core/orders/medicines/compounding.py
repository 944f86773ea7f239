"""Compounded medicines (*racikan*): several ingredients in one paper, capsule or ointment. Pure.

`d.t.d.` (*da tales doses*) says that each amount is for one paper; without it the amounts are for all papers
together (docs/glossary.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.orders.medicines.quantities import Amount, read_amount
from core.orders.medicines.reading import read_medicine

MAKES = {"pulv": "puyer", "caps": "kapsul", "ung": "salep", "syr": "sirup"}
"""Form, as prescriptions write it -> its word."""
PIECE = {"pulv": "bungkus", "caps": "kapsul", "ung": "pot", "syr": "botol"}
"""Form -> the piece that is counted and given."""
LONGEST_NAME = 120
"""Characters of the name that stands in lists."""
_NUMBER = r"\d+(?:[.,]\d+)?(?:\s*/\s*\d+)?"
_UNIT = r"(?:mcg|mg|gram|gr|g|ml|cc|iu|tablet|tab|tb|kapsul|kaps|cap|sdt|cth|ampul|amp|%)"
_WITH_UNIT = re.compile(rf"(?P<name>.*?\S)\s+(?P<amount>(?:\d+ (?=\d+/))?{_NUMBER}\s*{_UNIT})", re.IGNORECASE)
_BARE = re.compile(rf"(?P<name>.*?\S)\s+(?P<amount>{_NUMBER})")
_ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


@dataclass(frozen=True, slots=True)
class CompoundPart:
    """One ingredient."""

    medicine: str
    amount: str = ""
    """As typed: `120 mg`, `1/4 tab`."""

    @property
    def text(self) -> str:
        """Name and amount."""
        return f"{self.medicine} {self.amount}".strip()


@dataclass(frozen=True, slots=True)
class Compound:
    """Ingredients, and how they are made up."""

    parts: tuple[CompoundPart, ...]
    papers: int = 1
    per_paper: bool = True
    """True if each amount is for one paper (d.t.d.)."""
    make: str = "pulv"

    @property
    def name(self) -> str:
        """Return the name in lists: `Racikan puyer: Parasetamol, CTM`; with too many, how many there are."""
        begun = f"Racikan {MAKES.get(self.make, self.make)}: "
        names = ", ".join(part.medicine for part in self.parts)
        return begun + (names if len(begun + names) <= LONGEST_NAME else f"{len(self.parts)} bahan")

    @property
    def making(self) -> str:
        """Return the line of the prescription that says how it is made: `m.f. pulv. d.t.d. No. X`."""
        each = " d.t.d." if self.per_paper else ""
        return f"m.f. {self.make}.{each} No. {roman(self.papers)}"

    def lines(self) -> list[str]:
        """Return the lines of the prescription."""
        return [*(part.text for part in self.parts), self.making]

    def in_one(self, part: CompoundPart) -> Amount | None:
        """Return the amount of an ingredient in one paper; None when it cannot be read."""
        read = read_amount(part.amount)
        if read is None or self.papers < 1:
            return None
        return read if self.per_paper else Amount(read.number / self.papers, read.unit)


def roman(number: int) -> str:
    """Return a number of papers as a prescription writes it."""
    written = ""
    for value, letters in _ROMAN:
        count, number = divmod(number, value)
        written += letters * count
    return written


def read_part(line: str) -> CompoundPart:
    """Return an ingredient typed in one line: `parasetamol 120 mg`; without an amount, only its name."""
    text = " ".join(line.split())
    match = _WITH_UNIT.fullmatch(text)
    if match is None:
        match = _BARE.fullmatch(text)
        # A number without a unit may belong to the name: `vitamin b 6`.
        if match is None or not read_medicine(match["name"]).is_read:
            return CompoundPart(text)
    return CompoundPart(match["name"], match["amount"])


def names_of(medicine: str, parts: Sequence[CompoundPart]) -> list[str]:
    """Return the medicines that one prescription gives: its ingredients, or itself."""
    return [part.medicine for part in parts] or [medicine]

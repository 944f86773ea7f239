"""Reads doses, frequencies and strengths as they are written on prescriptions. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HALVES = {"½": " 1/2", "¼": " 1/4", "¾": " 3/4"}
_NUMBER = r"[-−]?\d+(?:[.,]\d+)?"
_AMOUNT = re.compile(
    rf"^\s*(?:(?P<whole>{_NUMBER})\s+)?(?P<number>{_NUMBER})(?:\s*/\s*(?P<parts>\d+))?(?:\s*-\s*(?P<most>{_NUMBER}))?\s*(?P<unit>[a-z]+(?: [a-z]+)?)?"
)
_UNIT_FIRST = re.compile(rf"^\s*(?P<unit>[a-z]+)\.?\s+(?P<number>{_NUMBER}(?:\s*/\s*\d+)?)\s*$")
_STRENGTH = re.compile(
    rf"(?P<number>{_NUMBER})\s*(?P<unit>mcg|mg|gram|gr|g)\b(?:\s*/\s*(?P<per>{_NUMBER})?\s*(?P<volume>ml))?"
)
_MILLIGRAMS = {"mcg": 0.001, "mg": 1.0, "g": 1000.0, "gr": 1000.0, "gram": 1000.0}
SPOONS_ML = {
    "sendok takar": 5.0,
    "sdt": 5.0,
    "sendok teh": 5.0,
    "cth": 5.0,
    "sendok makan": 15.0,
    "sdm": 15.0,
    "ml": 1.0,
    "cc": 1.0,
}
"""Unit of a liquid -> millilitres."""
PIECES = frozenset(
    "tablet tab tabs kapsul kaps kap kaplet kapl biji butir pil caps cap supositoria supp ampul amp vial".split()
)

_TIMES = (
    (
        re.compile(
            rf"(?P<times>{_NUMBER})\s*(?:x|kali|dd)\b\s*(?:sehari|/\s*hari|per hari|se hari|a day|\d|tab|sdt|cth|kaps|$|,)"
        ),
        1.0,
    ),
    (re.compile(rf"(?P<times>{_NUMBER})\s*(?:x|kali)\s*(?:seminggu|/\s*minggu)"), 1 / 7),
    (re.compile(rf"(?P<times>{_NUMBER})\s*(?:x|kali)\s*(?:sebulan|/\s*bulan)"), 1 / 30),
    (re.compile(rf"^\s*(?P<times>{_NUMBER})\s*(?:x|dd)"), 1.0),
)
_EVERY_HOURS = re.compile(
    rf"(?:tiap|setiap|/|per|every|q)\s*(?P<hours>{_NUMBER})(?:\s*[-–]\s*\d+)?\s*(?:jam|hours?|h)\b"
)
"""Of `tiap 6-8 jam` the shorter time: it gives the most."""
_EVERY_HOUR = re.compile(r"\b(?:tiap|setiap|every)\s*(?:jam|hour)\b(?! makan| tidur)")
_EVERY_MINUTES = re.compile(rf"(?:tiap|setiap|every)\s*(?P<minutes>{_NUMBER})\s*(?:menit|min(?:utes?)?)\b")
_LESS_OFTEN = re.compile(r"(?<![\w.,])\d+\s*[-–]\s*(?=\d+\s*(?:x|kali|dd)\b)")
"""The lower number of `3-4x sehari`."""
_WORDS = {
    "sekali": 1.0,
    "sekali minum": 1.0,
    "sekali sehari": 1.0,
    "dosis tunggal": 1.0,
    "malam": 1.0,
    "pagi": 1.0,
    "malam sekali": 1.0,
}
HOURS_A_DAY = 24
MINUTES_A_DAY = 1440
_NUMBER_WORDS = {
    "setengah": "1/2", "seperempat": "1/4", "satu": "1", "dua": "2", "tiga": "3", "empat": "4", "lima": "5",
    "enam": "6", "tujuh": "7", "delapan": "8", "sembilan": "9", "sepuluh": "10",
    "half": "1/2", "one": "1", "two": "2", "three": "3", "four": "4",
}  # fmt: skip
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBER_WORDS)})\b")
_AS_NEEDED = re.compile(
    r"\b(?:bila|kalau|jika|saat|prn|perlu|sos|s\.?o\.?s|if|when|setelah bab|tiap bab|setiap bab)\b"
)
_BARE_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)?(?![\w.,%/])")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of something: `2 tablet`, `7.5 ml`."""

    number: float
    unit: str

    @property
    def millilitres(self) -> float | None:
        """The volume, where the unit is one."""
        return self.number * SPOONS_ML[self.unit] if self.unit in SPOONS_ML else None


@dataclass(frozen=True, slots=True)
class Strength:
    """Milligrams in one piece, or in one millilitre."""

    milligrams: float
    is_liquid: bool


def to_number(text: str) -> float:
    """Return a number written with a point or a comma."""
    return float(text.replace(",", ".").replace("−", "-"))


def read_amount(text: str) -> Amount | None:
    """Return what a dose or an amount says; the larger end of `1-2 tablet`; None when it says no number."""
    plain = _in_digits(text.lower())
    for sign, written in _HALVES.items():
        plain = plain.replace(sign, written)
    found = _AMOUNT.match(_UNIT_FIRST.sub(r"\g<number> \g<unit>", plain))
    if found is None:
        return None
    number = to_number(found["most"] or found["number"])
    whole = to_number(found["whole"]) if found["whole"] else 0.0
    return Amount(whole + _part(number, found["parts"]), _unit(found["unit"] or ""))


def _in_digits(text: str) -> str:
    """Return a text with the numbers in digits that it holds as words: `setengah`, `dua`."""
    return _NUMBER_WORD.sub(lambda found: _NUMBER_WORDS[found[0]], text)


def _part(number: float, parts: str | None) -> float:
    """Return the number as a part of something: `1/2`; nothing, when it is parted into nothing."""
    if parts is None:
        return number
    return number / int(parts) if int(parts) else 0.0


def _unit(text: str) -> str:
    """Return the unit as this module names it: two words of a spoon, else the first."""
    return text if text in SPOONS_ML else text.split(" ")[0]


def read_frequency(text: str) -> float | None:
    """Return the times a day that a frequency says; None when it says none (`bila perlu`)."""
    plain = _LESS_OFTEN.sub("", _in_digits(" ".join(text.lower().replace("×", "x").split())))
    if plain in _WORDS:
        return _WORDS[plain]
    spaced = _by_the_clock(plain)
    if spaced is not None:
        return spaced
    for pattern, days in _TIMES:
        found = pattern.search(plain)
        if found is not None:
            return to_number(found["times"]) * days
    return None


def _by_the_clock(plain: str) -> float | None:
    """Return the times a day of what is given every so many hours or minutes; None for anything else."""
    if _EVERY_HOUR.search(plain):
        return float(HOURS_A_DAY)
    for pattern, name, a_day in (
        (_EVERY_HOURS, "hours", HOURS_A_DAY),
        (_EVERY_MINUTES, "minutes", MINUTES_A_DAY),
    ):
        found = pattern.search(plain)
        if found is not None:
            between = to_number(found[name])
            return a_day / between if between > 0 else between
    return None


def is_as_needed(frequency: str) -> bool:
    """Return whether a frequency says that it is taken when something happens, so that no number is missing."""
    return _AS_NEEDED.search(frequency.lower()) is not None


def bare_numbers(medicine: str) -> frozenset[float]:
    """Return the numbers of a name that have no unit beside them: the strength, as most people write it."""
    return frozenset(to_number(each) for each in _BARE_NUMBER.findall(medicine))


def read_strength(medicine: str) -> Strength | None:
    """Return the strength that the name of a medicine gives; None when it gives none, or several."""
    found = list(_STRENGTH.finditer(medicine.lower()))
    if len(found) != 1:
        return None
    milligrams = to_number(found[0]["number"]) * _MILLIGRAMS[found[0]["unit"]]
    if not found[0]["volume"]:
        return Strength(milligrams, is_liquid=False)
    return Strength(milligrams / to_number(found[0]["per"] or "1"), is_liquid=True)


def milligrams(dose: Amount, strength: Strength | None) -> float | None:
    """Return the milligrams of one dose; None when dose and strength do not fit together."""
    if dose.unit in _MILLIGRAMS:
        return dose.number * _MILLIGRAMS[dose.unit]
    if strength is None:
        return None
    if strength.is_liquid:
        volume = dose.millilitres
        return volume * strength.milligrams if volume is not None else None
    return dose.number * strength.milligrams if dose.unit in PIECES or not dose.unit else None

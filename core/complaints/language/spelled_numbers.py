"""Write numbers of several words in digits.

In:  "panas tiga puluh sembilan koma lima derajat".
Out: "panas 39.5 derajat".

A number of one word ("tiga hari") is left to the vocabulary's `[numbers]`.
"""

from __future__ import annotations

import re

_DIGITS = {
    "satu": 1,
    "dua": 2,
    "tiga": 3,
    "empat": 4,
    "lima": 5,
    "enam": 6,
    "tujuh": 7,
    "delapan": 8,
    "sembilan": 9,
}
_ONE = "|".join(_DIGITS)
_HUNDRED, _TEN = 100, 10
_SPELLED = re.compile(
    rf"\b(?:(?:(?P<hundreds>{_ONE})\s+ratus|(?P<hundred>seratus))\b\s*)?"
    rf"(?:(?P<tens>{_ONE})\s+puluh\b(?:\s+(?P<ones>{_ONE})\b)?|(?P<teens>{_ONE})\s+belas\b)?"
    rf"(?:\s+koma\s+(?P<tenths>{_ONE})\b)?"
)
_ALONE = frozenset({"tenths", "hundred"})
"""Parts that make no number of several words: "batuk seratus hari" is the name of an illness."""
_SIGNS = ("puluh", "ratus", "belas")
"""One of these words is in every number that is looked for."""


def in_digits(text: str) -> str:
    """Return a text in lower case with its spelled numbers in digits."""
    return _SPELLED.sub(_digits, text) if any(sign in text for sign in _SIGNS) else text


def _digits(match: re.Match[str]) -> str:
    values = {name: _DIGITS.get(word, 1) for name, word in match.groupdict().items() if word}
    if values.keys() <= _ALONE:
        return match.group()
    hundreds = values.get("hundreds", values.get("hundred", 0))
    teens = _TEN + values["teens"] if "teens" in values else 0
    whole = hundreds * _HUNDRED + values.get("tens", 0) * _TEN + values.get("ones", 0) + teens
    tenths = f".{values['tenths']}" if "tenths" in values else ""
    # The blanks that a hundred without tens has taken stay.
    return f"{whole}{tenths}" + " " * match.group().endswith(" ")

"""Cut the text of a complaint into tokens.

In:  "Gatal2 di kaki, suhu 38,5 (+)".
Out: word gatal, word di, word kaki, stop ",", word suhu, number "38,5", sign "(+)".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from core.complaints.language.spelled_numbers import in_digits

MAX_CHARACTERS = 500
"""Length of the form's field. Longer complaints are cut, which bounds the time of a decision."""

_TOKEN = re.compile(
    r"(?P<code>[a-z]{1,3}\d{1,2}(?:[a-z]\d?){0,3}(?![a-z\d]))"
    r"|(?P<number>\d+(?:[.,]\d+)?)"
    r"|(?P<sign>\(\s*[-+]\s*\))"
    r"|(?P<word>[a-z]+)"
    r"|(?P<stop>[,.;!?()\n\[\]|]|:(?!\s*\d))"
    r"|(?P<join>[/&+])"
    r"|(?P<compare>[<>])"
)
_CODE_PART = re.compile(r"[a-z]+|\d+")
_REPEATED_BY_TWO = re.compile(r"([a-z]{3,})2(?=(?:an|nya|in|kan)?\b)")
"""A word that a 2 doubles: "gatal2", "gatal2nya"."""
_ABBREVIATED = re.compile(r"\b(tn|ny|nn|an|by|px|sdr|susp|dd|riw|kel|td|dr)\.(?=\s)")
"""Abbreviations whose dot ends no clause: "Ny. Aminah"."""
_BODY_INDEX = re.compile(r"\b(bb|tb|pb|lk|imt)\s?/\s?(u|tb|pb)\b")
"""Weight for age and similar indices: "tb/u" is one word, and no tuberculosis."""
_SHORTHAND = frozenset("2./-+")
"""Signs that each of the shorthands above and below holds; most words and phrases hold none of them."""
_BARE_MARK = re.compile(r"(?<=[a-z0-9])\s?([-+])(?:/[-+])?(?=\s*(?:[,.;\n]|$))")
"""A clinician's mark without brackets: "febris -, batuk +"."""


def tokenize(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tokens of a complaint as (kind, text) pairs, in lower case and without accents.

    Kinds: `word`, `number`, `code` (letters and digits together: "hba1c", "k4", but also "dmm3"), `stop` (ends a
    clause), `join` (`/`, `&`, `+`), `sign` (the clinician's `(-)` and `(+)`), `compare` (`<`, `>`). A word typed
    twice in a row is one token: "gatal2" and "gatal-gatal".
    """
    previous = ("", "")
    for match in _TOKEN.finditer(_normalised(text)):
        kind = match.lastgroup or "word"
        token = (kind, match.group())
        if kind != "word" or token != previous:
            yield token
        previous = token


def code_parts(code: str) -> list[tuple[str, str]]:
    """Cut a `code` token into words and numbers, for codes without a meaning as a whole."""
    return [("number" if part.isdigit() else "word", part) for part in _CODE_PART.findall(code)]


def _normalised(text: str) -> str:
    """The text in lower case, with shorthand written out."""
    text = text[:MAX_CHARACTERS].replace("²", "2").replace("%", " persen ")
    text = in_digits(text.lower() if text.isascii() else _without_accents(text))
    if not _SHORTHAND.intersection(text):
        return text
    text = _REPEATED_BY_TWO.sub(r"\1", text)
    text = _ABBREVIATED.sub(r"\1 ", text)
    return _BODY_INDEX.sub(r"\1\2", _with_brackets(text))


def _without_accents(text: str) -> str:
    """The text in lower case, with accents taken off its letters."""
    decomposed = unicodedata.normalize("NFKD", text).lower()
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _with_brackets(text: str) -> str:
    """Put brackets around bare marks; a single one at the very end of a list without commas is a dash."""
    marks = list(_BARE_MARK.finditer(text))
    if not marks:
        return text
    is_dash = len(marks) == 1 and marks[0].end() >= len(text.rstrip()) and "," not in text
    return text if is_dash else _BARE_MARK.sub(r" (\1) ", text)

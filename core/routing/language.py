"""Indonesian and Banjarese words as they are typed at a counter: cutting, folding, stemming.

Pure functions on strings. Nothing here knows a complaint; `lexicon` decides which of the
forms offered here is a word it knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import ceil
from typing import TypeVar

_A = TypeVar("_A")

MAX_CHARACTERS = 500
"""As many as the form holds; longer complaints are cut, and the time of a decision stays bounded."""

_TOKEN = re.compile(
    r"(?P<code>[a-z]{1,3}\d{1,2}(?:[a-z]\d?){0,3}(?![a-z\d]))"
    r"|(?P<number>\d+(?:[.,]\d+)?)"
    r"|(?P<sign>\(\s*[-+]\s*\))"
    r"|(?P<word>[a-z]+)"
    r"|(?P<stop>[,.;!?()\n\[\]|]|:(?!\s*\d))"
    r"|(?P<join>[/&+])"
    r"|(?P<compare>[<>])"
)
_REPEATED_BY_TWO = re.compile(r"([a-z]{3,})2(?=(?:an|nya|in|kan)?\b)")
_ABBREVIATED = re.compile(r"\b(tn|ny|nn|an|by|px|sdr|susp|dd|riw|kel|td|dr)\.(?=\s)")
"""Words that a clerk cuts off: their dot ends no clause."""

_BODY_INDEX = re.compile(r"\b(bb|tb|pb|lk|imt)\s?/\s?(u|tb|pb)\b")
"""Weight for age and its like: one word, and no tuberculosis."""
_BARE_MARK = re.compile(r"(?<=[a-z0-9])\s?([-+])(?:/[-+])?(?=\s*(?:[,.;\n]|$))")
"""The clinician's "febris -, batuk +" without brackets; the only one, at the end of all, is a dash."""
_DOUBLED = re.compile(r"(.)\1+")
_STRETCHED = re.compile(r"([a-z])\1{2,}")

# e is often a schwa: Banjarese has a there, and o is u ("kepala" kapala, "obat" ubat);
# the clear e is i ("tensi" tinsi).
_FOLD_TO_A = str.maketrans("eo", "au")
_FOLD_TO_I = str.maketrans("eo", "iu")

_NASAL_PREFIXES = tuple(
    (consonant + vowel + nasal, restored)
    for consonant, vowel in (("m", "e"), ("p", "e"), ("m", "a"), ("p", "a"))
    for nasal, restored in (
        ("nge", ""),
        ("ny", "s"),
        ("ng", "k"),
        ("ng", ""),
        ("m", "p"),
        ("m", ""),
        ("n", "t"),
        ("n", ""),
        ("", ""),
    )
)
_PLAIN_PREFIXES = (
    *(
        (prefix, "")
        for prefix in ("ber", "bel", "be", "ter", "te", "per", "pel", "di", "ke", "se", "nge", "ng")
    ),
    *((prefix, "") for prefix in ("bar", "ba", "tar", "ta", "par", "pa", "ka", "sa")),
    ("ny", "s"),
    ("n", "t"),
    ("ng", "k"),
    # Hurried: "brdarah", "trbakar"
    ("br", ""),
    ("tr", ""),
)
_SUFFIXES = (
    "kannya",
    "annya",
    "inya",
    "akan",
    "nya",
    "kan",
    "lah",
    "kah",
    "an",
    "ku",
    "mu",
    "pun",
    "in",
    "i",
    # Javanese
    "ne",
    "en",
    "e",
)


def grouped(affixes: Iterable[_A], letter: Callable[[_A], str]) -> dict[str, tuple[_A, ...]]:
    """Affixes by the letter that tells whether they are worth trying; their order is kept."""
    found: dict[str, tuple[_A, ...]] = {}
    for affix in affixes:
        found[letter(affix)] = (*found.get(letter(affix), ()), affix)
    return found


_PREFIXES = grouped((*_NASAL_PREFIXES, *_PLAIN_PREFIXES), lambda pair: pair[0][0])
_SUFFIXES_BY_END = grouped(_SUFFIXES, lambda suffix: suffix[-1])
_VOWELS = frozenset("aeiou")
_NEVER_FIRST = frozenset({"mp", "mb", "nt", "nd", "nc", "nj", "nk", "ns"})
"""Letters that no root begins with: what is left of a word whose first letters only look like a prefix."""
_SHORTEST_STEM = 3


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """Cut a complaint into (kind, text) pairs, lower case, accents removed.

    Kinds: `word`, `number`, `code` (letters and digits together: "hba1c", "k4", but also "dmm3"),
    `stop` (ends a clause), `join` (`/`, `&`, `+`), `sign` (the clinician's `(-)` and `(+)`), `compare`
    (`<`, `>`). "gatal2" and "gatal-gatal" give one word.
    """
    folded = unicodedata.normalize(
        "NFKD", text[:MAX_CHARACTERS].replace("²", "2").replace("%", " persen ")
    ).lower()
    folded = "".join(character for character in folded if not unicodedata.combining(character))
    folded = _REPEATED_BY_TWO.sub(r"\1", folded)
    folded = _ABBREVIATED.sub(r"\1 ", folded)
    marks = list(_BARE_MARK.finditer(folded))
    if marks and (len(marks) > 1 or marks[0].end() < len(folded.rstrip()) or "," in folded):
        folded = _BARE_MARK.sub(r" (\1) ", folded)
    folded = _BODY_INDEX.sub(r"\1\2", folded)
    previous = ("", "")
    for match in _TOKEN.finditer(folded):
        kind = match.lastgroup or "word"
        token = (kind, match.group())
        if kind != "word" or token != previous:
            yield token
        previous = token


def code_parts(code: str) -> list[tuple[str, str]]:
    """A `code` token cut into words and numbers, for codes that mean nothing as a whole."""
    return [("number" if part.isdigit() else "word", part) for part in re.findall(r"[a-z]+|\d+", code)]


def fold_keys(word: str) -> tuple[str, str]:
    """The two forms under which Indonesian and Banjarese spellings of a word meet."""
    squeezed = undoubled(word)
    return squeezed.translate(_FOLD_TO_A), squeezed.translate(_FOLD_TO_I)


def squeeze(word: str, keep: int = 1) -> str:
    """Undo what a held-down key or a written sigh adds: `sakiiit` becomes `sakit`, or `sakiit` when two are kept."""
    if len(undoubled(word)) > len(word) - 2:
        return word
    return _STRETCHED.sub(r"\1" * keep, word)


def undoubled(word: str) -> str:
    """Every letter once where it stands twice: `gattal` becomes `gatal`."""
    return _DOUBLED.sub(r"\1", word)


def skeleton(word: str) -> str:
    """The consonants of a word, doubled ones once: what hurried spelling keeps."""
    return undoubled("".join(letter for letter in word if letter not in _VOWELS))


def unreduplicated(word: str) -> str | None:
    """The half of a word written twice without a hyphen (`gatalgatal`), or None."""
    half, odd = divmod(len(word), 2)
    return word[:half] if not odd and half >= _SHORTEST_STEM and word[:half] == word[half:] else None


def stems(word: str, least_share: float = 0.5) -> tuple[str, ...]:
    """Every form left after taking off affixes, the longest (least taken off) first.

    Deliberately generous: `menyusui` gives susu, susui, nyusu ...; only a form that the
    vocabulary holds is used. At most two prefixes and two suffixes are taken off.

    Args:
        word: Lower case.
        least_share: Of the letters must be left; by default the word's larger part, so that
            "tengorokan" is not "orok".
    """
    enough = max(_SHORTEST_STEM, ceil(len(word) * least_share))
    return tuple(stem for stem in _all_stems(word) if len(stem) >= enough)


@lru_cache(maxsize=2048)
def _all_stems(word: str) -> tuple[str, ...]:
    endings = dict.fromkeys(len(word) - len(bare) for bare in _without_suffixes(word, 2))
    # An ending is the same whatever was taken off in front.
    bare_forms = (
        cut[: len(cut) - ending]
        for cut in dict.fromkeys(_without_prefixes(word, 2))
        for ending in endings
        if len(cut) - ending >= _SHORTEST_STEM
    )
    found = (bare for bare in dict.fromkeys(bare_forms) if bare != word and not _VOWELS.isdisjoint(bare))
    return tuple(sorted(found, key=len, reverse=True))


def _without_prefixes(word: str, depth: int) -> Iterator[str]:
    yield word
    if not depth:
        return
    for prefix, restored in _PREFIXES.get(word[:1], ()):
        # A single consonant is taken off only to give another back ("nyusu" susu, "mijat" pijat).
        if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST_STEM:
            rest = restored + word[len(prefix) :]
            if restored and rest[1] not in _VOWELS:
                continue
            # No root begins like the "mpers" of "pampers".
            if not restored and rest[:2] in _NEVER_FIRST:
                continue
            yield from _without_prefixes(rest, depth - 1)


def _without_suffixes(word: str, depth: int) -> Iterator[str]:
    yield word
    if not depth:
        return
    for suffix in _SUFFIXES_BY_END.get(word[-1:], ()):
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            yield from _without_suffixes(word[: -len(suffix)], depth - 1)

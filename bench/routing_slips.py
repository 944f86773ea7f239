"""Measures complaints with one slip of the fingers each against the answers without it.

Seven kinds of slip, one word a complaint (or the blank after it), chosen by a fixed seed. Only complaints that are answered right
as they are written are tried, so the figures speak of the spelling alone. Some slips make another word
("jatuh" jauh, "haid" hadi): nobody could tell those from the letters.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

Row = dict[str, str]

SEED = 7
_NO_BLANK = "\0"
SHORTEST_WORD = 4
NEIGHBOURS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "sq vn xv sf wr dg fh gj uo hk jl k n bm ip o wa et ad ry yi cb qe zc tu xs".split(),
        strict=True,
    )
)
"""Key -> the keys beside it."""


def _dropped(word: str, at: int, chance: random.Random) -> str:
    return word[:at] + word[at + 1 :]


def _doubled(word: str, at: int, chance: random.Random) -> str:
    return word[:at] + word[at] + word[at:]


def _swapped(word: str, at: int, chance: random.Random) -> str:
    at = min(at, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _neighbour(word: str, at: int, chance: random.Random) -> str:
    return word[:at] + chance.choice(NEIGHBOURS[word[at]]) + word[at + 1 :]


def _without_vowels(word: str, at: int, chance: random.Random) -> str:
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")


def _cut(word: str, at: int, chance: random.Random) -> str:
    return word[:at] + " " + word[at:]


def _joined(word: str, at: int, chance: random.Random) -> str:
    """Return the word, marked so that the next one follows without a blank."""
    return word + _NO_BLANK


SLIPS: dict[str, Callable[[str, int, random.Random], str]] = {
    "letter dropped": _dropped,
    "letter doubled": _doubled,
    "letters swapped": _swapped,
    "key beside it": _neighbour,
    "vowels left out": _without_vowels,
    "blank put in": _cut,
    "blank left out": _joined,
}


def report(rows: Sequence[Row], answer: Callable[[Row, str], tuple[str, bool]]) -> None:
    """Print, for each kind of slip, the share still right and the danger signs still seen.

    Args:
        rows: Labelled complaints.
        answer: (row, preset) -> (cluster or `unsure`, whether a red flag is raised).
    """
    chance = random.Random(SEED)
    sound = [row for row in rows if answer(row, "poli") == (row["poli"], row["red_flag"] == "yes")]
    print(f"{'one slip a complaint':<22}{'n':>6}{'right':>9}{'elsewhere':>11}{'unsure':>9}   red flags seen")
    for name, slip in SLIPS.items():
        found: Counter[str] = Counter()
        for row in sound:
            typed = _with_slip(row["complaint"], slip, chance)
            if typed is None:
                continue
            said, is_red = answer({**row, "complaint": typed}, "poli")
            was_red = row["red_flag"] == "yes"
            found.update(n=1, red=was_red, seen=was_red and is_red, unsure=said == "unsure" != row["poli"])
            found.update(
                right=(said, is_red) == (row["poli"], was_red), elsewhere=said not in (row["poli"], "unsure")
            )
        shares = "".join(
            f"{found[what] / found['n']:>{width}.1%}"
            for what, width in (("right", 9), ("elsewhere", 11), ("unsure", 9))
        )
        print(f"{name:<22}{found['n']:>6}{shares}   {found['seen']} of {found['red']}")
    print()


def _with_slip(
    complaint: str, slip: Callable[[str, int, random.Random], str], chance: random.Random
) -> str | None:
    """Return a complaint with a slip in one word, None when all its words are too short."""
    words = complaint.lower().split(" ")
    places = [index for index, word in enumerate(words) if _may_slip(word)]
    if not places:
        return None
    place = chance.choice(places)
    words[place] = slip(words[place], chance.randrange(1, len(words[place])), chance)
    return " ".join(words).replace(_NO_BLANK + " ", "").rstrip(_NO_BLANK)


def _may_slip(word: str) -> bool:
    return len(word) >= SHORTEST_WORD and word.isascii() and word.isalpha()

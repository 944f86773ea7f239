"""Slips of the fingers: what a word becomes by one, and whether one may lie between two words.

Pure functions on strings; `lexicon` decides which slips it believes.
"""

from __future__ import annotations

from collections.abc import Iterator

SHORTEST_FUZZY = 4
"""Letters from which on a word may be taken for another's slip."""


def plausible(word: str, found: str, distance: int, allowed: int, same_bones: bool) -> bool:
    """True when a slip of the fingers may have made `word` of `found`."""
    if distance > allowed and not same_bones:
        return False
    same_letters = sorted(word) == sorted(found)
    # One other consonant, far off on the keyboard, is another word: "segar" is not "sesar".
    if len(word) == len(found) <= 8 and not same_bones and not same_letters and not near_letters(word, found):
        return False
    if len(word) == len(found) == SHORTEST_FUZZY and not same_bones and not same_letters:
        return False
    if found[0] == word[0] or sorted(found[:2]) == sorted(word[:2]):
        return True
    return len(word) > 5 and distance <= 1


def shortened(word: str) -> Iterator[str]:
    """The word with a letter missing, the first never."""
    return (word[:i] + word[i + 1 :] for i in range(1, len(word)))


def swapped(word: str) -> Iterator[str]:
    """The word with two letters in the wrong order."""
    return (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))


def beside(word: str) -> Iterator[str]:
    """The word with a key struck that lies beside the right one."""
    for i, letter in enumerate(word):
        for pair in _NEAR_KEYS:
            if letter in pair:
                yield word[:i] + pair.replace(letter, "", 1) + word[i + 1 :]


_NEAR_KEYS = frozenset(
    (
        "qw we er rt ty yu ui io op as sd df fg gh hj jk kl zx xc cv vb bn nm "
        "qa wa ws es ed rd rf tf tg yg yh uh uj ij ik ok ol az sz sx dx dc fc fv gv gb hb hn jn jm km "
        "bp dt gk fp vp sc cj jy iy ae ai ao eu eo ou iu ei"
    ).split()
)
"""Letters side by side on the keyboard, and sounds that are written for one another."""


def near_letters(word: str, found: str) -> bool:
    """True when the words differ in one letter, by a neighbouring key or a similar sound."""
    different = [(a, b) for a, b in zip(word, found, strict=False) if a != b]
    return (
        len(word) == len(found)
        and len(different) == 1
        and ("".join(different[0]) in _NEAR_KEYS or "".join(different[0][::-1]) in _NEAR_KEYS)
    )


def in_order(letters: str, word: str) -> bool:
    """True when all letters stand in the word in this order."""
    rest = iter(word)
    return all(letter in rest for letter in letters)

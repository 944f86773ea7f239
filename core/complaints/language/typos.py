"""Generate one-typo variants of a word, and test whether two words differ by a plausible typo.

In:  "perut".
Out: `shortened` gives prut, peut, peru ...; `swapped` gives eprut, preut ...; `beside` gives petut, perit ...

Pure functions on strings; `misspellings` and `spelling` decide which typos they accept.
"""

from __future__ import annotations

from collections.abc import Iterator

SHORTEST_FUZZY = 4
"""Letters of the shortest word that is compared with mistyped ones: a typo in three letters makes another word."""

_NEAR_KEY_NEEDED = 8
"""Letters of the longest word in which a substituted letter must be a neighbouring key or a similar sound."""

_SURE_FIRST_LETTER = 5
"""Letters of the longest word whose first letter is never mistyped: there it says too much about the word."""

_NEAR_KEYS = frozenset(
    (
        "qw we er rt ty yu ui io op as sd df fg gh hj jk kl zx xc cv vb bn nm "
        "qa wa ws es ed rd rf tf tg yg yh uh uj ij ik ok ol az sz sx dx dc fc fv gv gb hb hn jn jm km "
        "bp dt gk fp vp sc cj jy iy ae ai ao eu eo ou iu ei"
    ).split()
)
"""Pairs of letters side by side on the keyboard, and of sounds that are written for one another."""


def plausible(word: str, found: str, distance: int, allowed: int, same_skeleton: bool) -> bool:
    """Return whether typos may have made `word` of `found`.

    Args:
        word: As typed.
        found: A known word.
        distance: Typos between the two: optimal string alignment, in edits.
        allowed: Most typos, unless all consonants are right.
        same_skeleton: Both have the same consonants in the same order.
    """
    if not same_skeleton and (distance > allowed or _is_other_word(word, found)):
        return False
    starts_alike = found[0] == word[0] or sorted(found[:2]) == sorted(word[:2])
    return starts_alike or (len(word) > _SURE_FIRST_LETTER and distance <= 1)


def shortened(word: str) -> Iterator[str]:
    """Yield the word with one letter missing, never the first."""
    return (word[:i] + word[i + 1 :] for i in range(1, len(word)))


def swapped(word: str) -> Iterator[str]:
    """Yield the word with two neighbouring letters swapped."""
    return (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))


def beside(word: str) -> Iterator[str]:
    """Yield the word with one letter replaced by a neighbouring key or a similar sound."""
    for i, letter in enumerate(word):
        for pair in _NEAR_KEYS:
            if letter in pair:
                yield word[:i] + pair.replace(letter, "", 1) + word[i + 1 :]


def near_letters(word: str, found: str) -> bool:
    """Return whether the words differ in one letter only, by a neighbouring key or a similar sound."""
    if len(word) != len(found):
        return False
    different = [one + other for one, other in zip(word, found, strict=True) if one != other]
    return len(different) == 1 and (different[0] in _NEAR_KEYS or different[0][::-1] in _NEAR_KEYS)


def is_subsequence(letters: str, word: str) -> bool:
    """Return whether the word holds all letters in this order, with others in between."""
    rest = iter(word)
    return all(letter in rest for letter in letters)


def _is_other_word(word: str, found: str) -> bool:
    """True for a short word of the same length with another letter, far off on the keyboard: "segar" and "sesar"."""
    if len(word) != len(found) or sorted(word) == sorted(found):
        return False
    if len(word) == SHORTEST_FUZZY:
        return True
    return len(word) <= _NEAR_KEY_NEEDED and not near_letters(word, found)

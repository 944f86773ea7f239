"""Passwords: how they are hashed, and which ones are refused."""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import ARGON2_VERSION

from core.foundation.errors import ValidationError

SHORTEST = 10
"""Characters; what else is asked of a password is that nobody guesses it first."""
ENDING = re.compile(r"[\W\d_]+\Z")
"""Digits and signs at the end, which people add to a word that was refused."""
HERE = frozenset(
    {
        "puskesmas",
        "indonesia",
        "kesehatan",
        "bismillah",
        "rahasia",
        "katasandi",
        "katakunci",
        "sayang",
        "loket",
    }
)
"""Words that come first to mind here, beside those of the list."""
SHORTEST_OF_NAME = 3
"""Letters; a shorter part of a name stands in many words by chance."""

hasher = PasswordHasher()


def _hash_of_nobody() -> str:
    """Return a hash of today's cost that fits no password, written down without computing one."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        base64.b64encode(bytes(length)).decode().rstrip("=") for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${digest}"


dummy_hash = _hash_of_nobody()
"""For names that nobody has: they cost as much time as a wrong password."""


def require_good(password: str, username: str, name: str = "", field: str = "password") -> None:
    """Refuse a password that others guess first.

    Args:
        password: In clear.
        username: Of the account.
        name: The person's.
        field: Field of the problem.

    Raises:
        ValidationError: `too_short`, `too_common` or `own_name`.
    """
    problem = problem_of(password, username, name)
    if problem is not None:
        raise ValidationError({field: problem})


def problem_of(password: str, username: str, name: str = "") -> str | None:
    """Return the code of what is wrong with a password; None: nothing.

    Args:
        password: In clear.
        username: Of the account.
        name: The person's.
    """
    if len(password) < SHORTEST:
        return "too_short"
    word = password.casefold()
    if _is_own_name(word, username, name):
        return "own_name"
    return "too_common" if _is_common(word) else None


def _is_own_name(word: str, username: str, name: str) -> bool:
    """Return whether nothing of note is left of a password without the person's own names."""
    left = word
    parts = re.split(r"[\W_]+", f"{username} {name}".casefold())
    for part in sorted({username.casefold(), *parts}, key=len, reverse=True):
        if len(part) >= SHORTEST_OF_NAME:
            left = left.replace(part, "")
    letters = [character for character in left if character.isalpha()]
    return left != word and len(letters) < SHORTEST_OF_NAME


def _is_common(word: str) -> bool:
    """Return whether a password is in the list, with an ending or repeated too, or made of very few signs."""
    common = _common_passwords()
    stem = ENDING.sub("", word)
    return word in common or stem in common or _repeated(word) in common or len(set(word)) < 4


def _repeated(word: str) -> str:
    """Return the shortest part of which a word is a repetition; the word itself where it is none."""
    return word[: (word + word).index(word, 1)]


@cache
def _common_passwords() -> frozenset[str]:
    """Return the commonest passwords, in small letters; see `core/data/common_passwords.LICENSE`."""
    text = resources.files("core").joinpath("data/common_passwords.txt").read_text("utf-8")
    return frozenset(text.split()) | HERE


def fits(password_hash: str, password: str) -> bool:
    """Return whether a password is the hashed one; takes a tenth of a second and 64 MiB."""
    try:
        hasher.verify(password_hash, password)
    except VerificationError:
        return False
    return True

"""How alike two records of a person are: evidence, weights and reasons. Pure.

Families break the independence that record linkage usually assumes: twins share birth date,
mother, address and phone. So what a household shares never makes a match by itself: a name
that differs keeps two people apart, and only a name that is the same (in any of its spellings)
at a birth date that agrees, or a number that belongs to one person, can make a record count as
known: a son may bear his father's name in his father's house.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA, JaroWinkler

from core.names import (
    COMMON_SOUNDS,
    fold,
    is_newborn_name,
    name_sounds,
    name_words,
    own_name,
    phonetic,
)

WEIGHTS = {
    # Two records that a block brings together, before anything is compared.
    "prior": -7.5,
    # Numbers that belong to one person.
    "same_nik": 12.0,
    "nik_one_digit": 2.2,
    "nik_neighbour": -5.0,
    "other_nik": -3.3,
    "same_bpjs_number": 10.1,
    "bpjs_one_digit": 3.0,
    "other_bpjs_number": -5.0,
    # Birth date.
    "same_birth_date": 4.9,
    "same_usual_date": 4.9,
    "birth_date_swapped": 3.4,
    "birth_date_one_digit": 2.9,
    "birth_date_estimated": 0.6,
    "birth_date_two_parts": 0.6,
    "same_birth_year": 0.1,
    "other_birth_date": -2.6,
    # Name.
    "same_name": 7.1,
    "same_short_name": 5.3,
    "similar_name": 6.2,
    "rhyming_name": 0.4,
    "part_of_name": 4.6,
    "similar_part_of_name": 4.5,
    "distant_name": 0.1,
    "newborn_name": 1.5,
    "same_newborn_name": 6.2,
    "shared_distant_name": 1.4,
    "shared_name": 0.9,
    "other_name": -3.8,
    # The household.
    "same_mother": 0.3,
    "similar_mother": 0.3,
    "other_mother": -5.0,
    "same_family_card": 0.7,
    "same_phone": 0.1,
    "same_long_address": 6.3,
    "same_address": 2.9,
    "similar_long_address": 6.3,
    "similar_address": 2.9,
    "other_address": -0.5,
    # The household, where the name is another.
    "same_mother_of_family": 0.1,
    "similar_mother_of_family": 0.1,
    "same_family_card_of_family": 0.1,
    "same_phone_of_family": 0.1,
    "same_long_address_of_family": 8.8,
    "same_address_of_family": 3.7,
    "similar_long_address_of_family": 7.6,
    "similar_address_of_family": 3.7,
    "other_sex": -3.7,
}
"""Evidence -> log-odds: the whole of the judgement. A positive code is also a reason shown.

Fitted by `bench/duplicates.py --fit`, on households written anew by one set of error operators and on
FEBRL 1 and 2; reported on other operators and on FEBRL 3 and 4.
"""

RISING = (
    ("other_nik", "nik_one_digit", "same_nik"),
    ("other_bpjs_number", "bpjs_one_digit", "same_bpjs_number"),
    (
        "other_birth_date",
        "same_birth_year",
        "birth_date_two_parts",
        "birth_date_one_digit",
        "same_birth_date",
    ),
    ("birth_date_two_parts", "birth_date_estimated", "same_usual_date", "same_birth_date"),
    ("birth_date_two_parts", "birth_date_swapped", "same_birth_date"),
    ("other_name", "distant_name", "similar_part_of_name", "part_of_name", "same_short_name", "same_name"),
    ("other_name", "shared_name", "shared_distant_name", "similar_name", "same_name"),
    ("rhyming_name", "similar_name"),
    ("other_mother", "similar_mother", "same_mother"),
    ("other_address", "similar_address", "same_address", "same_long_address"),
    ("similar_address", "similar_long_address", "same_long_address"),
    ("similar_mother_of_family", "same_mother_of_family"),
    ("similar_address_of_family", "same_address_of_family", "same_long_address_of_family"),
    ("similar_address_of_family", "similar_long_address_of_family", "same_long_address_of_family"),
)
"""Evidence from less alike to more: what is more alike never counts for less."""

EXISTING = 0.95
"""Probability from which a record counts as known: the counter opens it."""
REVIEW = 0.5
"""Probability from which a person decides."""

_SURE_NAMES = frozenset({"same_name", "same_short_name"})
_OWN_NUMBERS = frozenset({"same_nik", "same_bpjs_number"})
_SAME_DATES = frozenset({"same_birth_date", "same_usual_date"})
_SURE_DATES = _SAME_DATES | {"birth_date_swapped", "birth_date_one_digit"}
"""Birth dates that agree but for a slip of the hand."""
_NO_NAMES = frozenset({"other_name", "shared_name", "shared_distant_name", "distant_name", "newborn_name"})
_ASKED = math.log(EXISTING / (1 - EXISTING)) - 0.05
"""Highest log-odds of what is asked about and never taken as known."""
_DOUBTED = 0.05
"""Lowest log-odds of what is always asked about."""

_NAMES = frozenset(code for code in WEIGHTS if code.endswith("name"))
_NAMESAKE = -0.1
"""Highest log-odds of what agrees in the name only: a namesake is nobody to decide about."""

USUAL_DAYS = frozenset({"01-01", "07-01", "12-31", "06-30", "08-17"})
"""Days of the year that stand for `not known`."""


@dataclass(frozen=True, slots=True)
class Person:
    """What two records are compared by. Empty texts and None say nothing."""

    name: str = ""
    sex: str | None = None
    birth_date: str = ""
    """`YYYY-MM-DD`."""
    nik: str | None = None
    bpjs_number: str | None = None
    family_card_number: str | None = None
    mother_name: str = ""
    phone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """How probably two records are one person."""

    probability: float
    reasons: tuple[str, ...]
    """Codes of what speaks for it, strongest first."""


def score(a: Person, b: Person, weights: Mapping[str, float] = WEIGHTS) -> Score:
    """Compare two records; symmetric, and agreeing evidence never lowers it."""
    found = evidence(a, b)
    total = log_odds(found, weights)
    reasons = sorted((code for code in found if weights[code] > 0), key=lambda code: (-weights[code], code))
    return Score(1 / (1 + math.exp(-total)), tuple(reasons))


def log_odds(found: tuple[str, ...], weights: Mapping[str, float] = WEIGHTS) -> float:
    """The sum of what was found, held below `EXISTING` unless name and birth date or an own number are sure.

    A twin or a sibling is asked about at most; so are a namesake of another birth date, under the same
    roof too, and a number that comes with another name, or with part of it and another birth date (the card
    of one child laid down for the other).
    Another name is somebody else, unless the birth date or an own number is the same. The same name with the
    same birth date is always asked about: cards are mixed up, and a mother is told by more than one name.
    """
    total = weights["prior"] + sum(weights[code] for code in found)
    codes = set(found)
    if all(code in _NAMES or weights[code] <= 0 for code in codes):
        return min(total, _NAMESAKE)
    if "other_name" in codes and codes.isdisjoint(_SAME_DATES | _OWN_NUMBERS):
        return min(total, _NAMESAKE)
    same_name = not codes.isdisjoint(_SURE_NAMES)
    if same_name and "same_birth_date" in codes:
        total = max(total, _DOUBTED)
    numbered = not codes.isdisjoint(_OWN_NUMBERS) and (same_name or "other_birth_date" not in codes)
    sure = (same_name and not codes.isdisjoint(_SURE_DATES)) or numbered
    if not sure or not codes.isdisjoint(_NO_NAMES):
        return min(total, _ASKED)
    return total


def evidence(a: Person, b: Person) -> tuple[str, ...]:
    """Codes of `WEIGHTS` that hold for two records; what one of them does not say yields nothing."""
    return tuple(code for code in _evidence(a, b) if code)


def _evidence(a: Person, b: Person) -> Iterator[str | None]:
    name = compare_names(a.name, b.name)
    yield name
    yield compare_birth_dates(a.birth_date, b.birth_date)
    if a.nik and b.nik:
        yield _compare_nik(a.nik, b.nik, name)
    if a.bpjs_number and b.bpjs_number:
        if a.bpjs_number == b.bpjs_number:
            yield "same_bpjs_number"
        else:
            yield "bpjs_one_digit" if one_off(a.bpjs_number, b.bpjs_number) else "other_bpjs_number"
    # Brothers and sisters share all of this; with another name it says household, not person.
    household = "_of_family" if name in _NO_NAMES else ""
    for code in _household(a, b):
        yield code + household if code and not code.startswith("other") else code
    if a.sex and b.sex and a.sex != b.sex:
        yield "other_sex"


def _household(a: Person, b: Person) -> Iterator[str | None]:
    yield compare_mothers(a, b)
    if a.family_card_number and a.family_card_number == b.family_card_number:
        yield "same_family_card"
    if a.phone and a.phone == b.phone:
        yield "same_phone"
    yield compare_addresses(a.address, b.address)


def one_off(a: str, b: str) -> bool:
    """One digit wrong, missing or too many, or two neighbours swapped."""
    return OSA.distance(a, b, score_cutoff=1) <= 1


def _compare_nik(a: str, b: str, name: str | None) -> str:
    if a == b:
        return "same_nik"
    if not one_off(a, b):
        return "other_nik"
    # Children of one delivery, and others of one day and district, differ in the serial only.
    if a[:12] == b[:12] and name not in _SURE_NAMES:
        return "nik_neighbour"
    return "nik_one_digit"


def compare_birth_dates(a: str, b: str) -> str | None:
    """Evidence of two dates `YYYY-MM-DD`; None when one is not known."""
    if not a or not b:
        return None
    if a == b:
        return "same_usual_date" if a[5:] in USUAL_DAYS else "same_birth_date"
    same_year = a[:4] == b[:4]
    if same_year and a[5:7] == b[8:] and a[8:] == b[5:7]:
        return "birth_date_swapped"
    if one_off(a, b) or (a[5:] == b[5:] and _years_apart(a, b) in {1, 10}):
        return "birth_date_one_digit"
    if (a[5:] in USUAL_DAYS or b[5:] in USUAL_DAYS) and _years_apart(a, b) <= 2:
        return "birth_date_estimated"
    if same_year + (a[5:7] == b[5:7]) + (a[8:] == b[8:]) == 2:
        return "birth_date_two_parts"
    return "same_birth_year" if same_year else "other_birth_date"


def _years_apart(a: str, b: str) -> int:
    try:
        return abs(int(a[:4]) - int(b[:4]))
    except ValueError:
        return 99


def compare_names(a: str, b: str) -> str | None:
    """Evidence of two names; None when one is missing."""
    if not a or not b:
        return None
    newborns = is_newborn_name(a) + is_newborn_name(b)
    if newborns == 1:
        return "newborn_name"
    bare_a, bare_b = own_name(a), own_name(b)
    if (bare_a == a) != (bare_b == b):  # a father's name that only one of them gives
        a, b = bare_a, bare_b
    level = _align(*sorted((name_words(a), name_words(b))))
    # It is the mother's name, which newborn twins share.
    return "same_newborn_name" if newborns and level in _SURE_NAMES else level


@lru_cache(maxsize=50_000)
def _align(left: tuple[str, ...], right: tuple[str, ...]) -> str | None:
    """Put the parts of two names beside each other, best fits first, and say what is left over."""
    if not left or not right:
        return None
    sounds_left, sounds_right = ([phonetic(word) for word in words] for words in (left, right))
    if sorted(sounds_left) == sorted(sounds_right) or "".join(sounds_left) == "".join(sounds_right):
        telling = [sound for sound in sounds_left if sound not in COMMON_SOUNDS]
        return "same_name" if len(left) > 1 and telling else "same_short_name"
    if len(left) > len(right):
        left = _joined_alike(left, right)
    elif len(right) > len(left):
        right = _joined_alike(right, left)
    fits = [
        (fitness, i, j)
        for i, x in enumerate(left)
        for j, y in enumerate(right)
        if (fitness := _fit(x, y)) >= 0.8
    ]
    free_left, free_right = set(range(len(left))), set(range(len(right)))
    paired = []
    for fitness, i, j in sorted(fits, key=lambda fit: (-fit[0], abs(fit[1] - fit[2]), fit[1] + fit[2])):
        if i in free_left and j in free_right:
            free_left.remove(i)
            free_right.remove(j)
            paired.append((fitness, left[i], right[j]))
    return _name_level(paired, [left[i] for i in sorted(free_left)], [right[j] for j in sorted(free_right)])


def _joined_alike(words: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Two neighbouring parts made one where the other name writes them as one."""
    for index in range(len(words) - 1):
        parts = words[index : index + 2]
        joined = "".join(parts)
        if any(
            len(other) >= 6 and _fit(joined, other) >= 0.9 and all(_fit(part, other) < 0.8 for part in parts)
            for other in others
        ):
            return (*words[:index], joined, *words[index + 2 :])
    return words


def _name_level(paired: list[tuple[float, str, str]], left: list[str], right: list[str]) -> str:
    """What the paired parts and the ones left over on either side say."""
    exact = [x for fitness, x, _ in paired if fitness == 1.0]
    telling = [x for x in exact if phonetic(x) not in COMMON_SOUNDS]
    near = [(x, y) for fitness, x, y in paired if fitness < 1.0]
    if left and right:
        if not telling and not near:
            distance = JaroWinkler.similarity(" ".join(sorted(left)), " ".join(sorted(right)))
            return "distant_name" if distance >= 0.8 else "other_name"
        alike = any(JaroWinkler.similarity(x, y) >= 0.8 for x in left for y in right)
        return "shared_distant_name" if alike else "shared_name"
    if any(_rhymes(x, y) for x, y in near):
        return "rhyming_name"
    if left or right:
        if telling:
            return "similar_part_of_name" if near else "part_of_name"
        return "similar_part_of_name" if near else "distant_name"
    return "similar_name" if near else "same_name"


def _rhymes(a: str, b: str) -> bool:
    """Another vowel or another first letter, nothing else: as twins are named, `Rina` and `Rini`.

    A long word and one that everybody bears are not what tells twins apart: `Mihammad` is a slip.
    """
    if len(a) != len(b) or not 3 <= len(a) <= LONGEST_RHYME:
        return False
    if phonetic(a) in COMMON_SOUNDS or phonetic(b) in COMMON_SOUNDS:
        return False
    differing = [index for index, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if differing == [0]:
        return True
    return all(a[index] in _VOWELS and b[index] in _VOWELS for index in differing)


_VOWELS = frozenset("aeiou")
LONGEST_RHYME = 7
"""Letters of a word up to which another vowel makes another name."""


@lru_cache(maxsize=200_000)
def _fit(a: str, b: str) -> float:
    """0..1 for two parts: 1 sounds the same, 0.9 an initial, at least 0.8 for what may be a slip."""
    sound_a, sound_b = phonetic(a), phonetic(b)
    if sound_a == sound_b:
        return 1.0
    if len(a) == 1 or len(b) == 1:
        return 0.9 if a[0] == b[0] else 0.0
    apart = abs(len(a) - len(b))
    if apart > 2:  # most pairs of parts: settled without measuring
        return 0.82 if min(len(a), len(b)) >= 4 and (a.startswith(b) or b.startswith(a)) else 0.0
    distance = OSA.distance(a, b, score_cutoff=2)
    if distance > 1:
        distance = min(distance, OSA.distance(sound_a, sound_b, score_cutoff=2))
    shorter = min(len(a), len(b))
    if distance == 1:
        return 0.95 if shorter >= 4 else 0.85
    if distance == 2 and shorter >= 6:
        return 0.85
    if apart == 2 and shorter >= 4 and (a.startswith(b) or b.startswith(a)):
        return 0.82
    return 0.0


def compare_mothers(a: Person, b: Person) -> str | None:
    """Evidence of the mothers' names; a newborn written by its mother's name says hers."""
    left, right = (_mother_of(person) for person in (a, b))
    level = compare_names(left, right)
    if level in {"same_name", "same_short_name"}:
        return "same_mother"
    if level in {"similar_name", "part_of_name", "similar_part_of_name"}:
        return "similar_mother"
    return "other_mother" if level in {"other_name", "shared_name"} else None


def _mother_of(person: Person) -> str:
    if person.mother_name:
        return person.mother_name
    return " ".join(name_sounds(person.name)) if is_newborn_name(person.name) else ""


LONG_ADDRESS = 4
"""Words and numbers shared from which an address may be one house: street, number and village or RT and RW."""

_ADDRESS_WORDS = frozenset(
    (
        "jl jln jalan gg gang kp kampung no nomor rt rw blok blk komp komplek kompleks perum perumahan desa kel"
        " kelurahan kec kecamatan dusun dsn kota kab lorong lr"
    ).split()
)


_NUMBERED = re.compile(r"(rt|rw|no)(\d+)")
_NUMBER_LABELS = {"rt": "rt", "rw": "rw", "no": "no", "nomor": "no"}


@lru_cache(maxsize=50_000)
def address_words(address: str) -> frozenset[str]:
    """What tells one address from another: sounds of its words and its numbers."""
    words = fold(address).split()
    return frozenset(
        word.lstrip("0") if word.isdigit() else phonetic(word) for word in words if word not in _ADDRESS_WORDS
    ) - {""}


@dataclass(frozen=True, slots=True)
class _Home:
    """An address taken apart."""

    words: frozenset[str]
    """Sounds of the words, `rt7`, `rw3` and every other number by itself."""
    numbers: Mapping[str, str]
    """What is said to be the `no`, `rt` and `rw`."""


@lru_cache(maxsize=50_000)
def _home_of(address: str) -> _Home:
    """`Jl. Mawar No 12 RT.07/03`: a number after RT without a word of its own is that of the RW."""
    words: set[str] = set()
    numbers: dict[str, str] = {}
    expected: list[str] = []
    for written in fold(address).split():
        joined = _NUMBERED.fullmatch(written)
        for word in joined.groups() if joined else (written,):
            if word in _NUMBER_LABELS:
                expected.append(_NUMBER_LABELS[word])
            elif word.isdigit():
                value = word.lstrip("0")
                label = expected.pop(0) if expected else ""
                if label:
                    numbers.setdefault(label, value)
                if label == "rt" and not expected:
                    expected = ["rw"]
                words.add(f"{label}{value}" if label in {"rt", "rw"} else value)
            else:
                expected = []
                if word not in _ADDRESS_WORDS:
                    words.add(phonetic(word))
    return _Home(frozenset(words - {""}), numbers)


def _near_words(left: frozenset[str], right: frozenset[str]) -> int:
    """How many words of one side, numbers apart, are a slip of one of the other; each is used once."""
    close = [
        (-_fit(x, y), min(x, y), max(x, y), x, y)
        for x in left
        for y in right
        if not x[-1].isdigit() and not y[-1].isdigit()
    ]
    used: set[str] = set()
    found = 0
    for unfit, _, _, x, y in sorted(close):
        if unfit <= -0.8 and x not in used and y not in used:
            used |= {x, y}
            found += 1
    return found


def _run_together(a: str, b: str) -> bool:
    """Whether two addresses are the same letters but for a slip, however they are parted: `Sungaiandai`."""
    left, right = _letters(a), _letters(b)
    longer = max(len(left), len(right))
    return longer >= 10 and OSA.distance(left, right, score_cutoff=longer // 8) <= longer // 8


@lru_cache(maxsize=50_000)
def _letters(address: str) -> str:
    words = fold(address).split()
    return "".join(word for word in words if word.isalpha() and word not in _ADDRESS_WORDS)


def compare_addresses(a: str, b: str) -> str | None:
    """Evidence of two addresses; None when one is missing.

    Only a number makes a street one house, and a house number, RT or RW that differs makes it two.
    """
    if not a or not b:
        return None
    home, other = _home_of(a), _home_of(b)
    left, right = home.words, other.words
    if not left or not right:
        return None
    fewer = min(len(left), len(right))
    shared = len(left & right) + _near_words(left - right, right - left)
    numbers = {word for word in left & right if word[-1].isdigit()}
    if shared < fewer and _run_together(a, b):
        spelled = min(sum(not word[-1].isdigit() for word in words) for words in (left, right))
        shared = max(shared, spelled + len(numbers))
    share = min(shared, fewer) / fewer
    elsewhere = any(other.numbers.get(label, number) != number for label, number in home.numbers.items())
    one_house = shared >= LONG_ADDRESS and bool(numbers) and not elsewhere
    if share >= 0.8 and shared >= 2 and not elsewhere:
        return "same_long_address" if one_house else "same_address"
    if share >= 0.5:
        return "similar_long_address" if one_house else "similar_address"
    return "other_address" if share == 0 else None

"""Blocking: the keys that a record is stored under, and the probes that find candidates for comparison.

Comparing every pair of records is too much, so each usual slip has a probe that finds the record in spite of
it: a wrong digit of a number, a swapped or mistyped birth date, another spelling of the name with the year,
of two names without a date, the mother with the child. An indexed column of `Patient` needs no key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from itertools import combinations, islice
from typing import Generic, TypeVar

from core.linkage.addresses import address_words
from core.linkage.birth_dates import ROUNDED_YEARS, USUAL_DAYS
from core.linkage.names import COMMON_SOUNDS, as_one, fold, is_newborn_name, listed_names, name_sounds
from core.linkage.scoring import HOUSEHOLD_NUMBERS, Person

DIGITS = "0123456789"
NIK_DIGITS, BPJS_DIGITS = 16, 13  # length of the numbers
COLUMN_KINDS = frozenset({"nik", "bpjs_number", "birth_date", *HOUSEHOLD_NUMBERS})
"""Kinds of probes of an indexed column of `Patient`."""
SPANS = {"span": "name", "home": "home", "house": "home"}
"""Kinds of probes whose values are spans of days -> kind of the keys in the span."""
WHOLE = frozenset({"house", "begun"})
"""Kinds whose values bring all records, or none where they are more than the limit: a few of a street tell nothing."""
BEGINNING = 3  # letters of a sound in a `begun` key
BLOCK_LIMITS = {
    "pair": 30,
    "home": 12,
    "mother": 30,
    "span": 25,
    "house": 12,
    "begun": 12,
    **HOUSEHOLD_NUMBERS,
}
"""Kind of probe -> records it may bring; larger blocks tell too little to read all of them."""
BLOCK_LIMIT = 400  # records that a probe of another kind may bring
HOME_LETTERS = 5  # letters of an address word in a key: slips are more frequent further back
MOST_PARTS = 5  # parts of a name that are paired in keys
EVER = "0000-01-01/9999-12-31"
"""The span of all birth dates."""
ESTIMATES = ("01-01", "07-01", "12-31")
"""Days that are written where only the year is known: `MM-DD`."""


def stored_keys(person: Person) -> set[tuple[str, str]]:
    """Return the rows of `PatientKey` for a record: (kind, value).

    Kinds:
        `name`: each part's sound and the birth date, `aminah 1990-08-17`: by itself, with a year or
            with the whole date it is one range of the index.
        `pair`: each two parts, sorted, `amina siti`; a single name alone.
        `begun`: the beginnings of each two parts, `ami sit`, which a slip further back leaves alone.
        `mother`: the mother's telling part and the child's, `rusmini amina`.
        `home`: the beginnings of the longest words of the address with its first number or with each other,
            and the birth date, `andai 12 1990-08-17`: many live in a street, few of an age.
    """
    values = {
        "mother": _mother_keys(person)[:1],
        "home": [f"{key} {person.birth_date}" for key in home_keys(person.address)],
    }
    keys = {(kind, value) for kind, found in values.items() for value in found}
    for name in (person.name, *listed_names(person.other_names)):
        keys |= _name_keys(name, person.birth_date)
    return keys


def _name_keys(name: str, birth_date: str) -> set[tuple[str, str]]:
    sounds = name_sounds(name)
    joined = as_one(sounds)
    values = {
        "name": (f"{sound} {birth_date}" for sound in (*sounds, *joined)),
        "pair": (*pairs(sounds), *(pair for sound in joined for pair in _pairs_with(sound, sounds))),
        "begun": beginnings(sounds),
    }
    return {(kind, value) for kind, found in values.items() for value in found}


def _pairs_with(joined: str, sounds: tuple[str, ...]) -> set[str]:
    """Return the pairs of two parts written as one with each other part; that one alone where there is none."""
    others = [s for s in sounds[:MOST_PARTS] if not joined.startswith(s) and not joined.endswith(s)]
    return {" ".join(sorted((joined, other))) for other in others} or {joined}


def pairs(sounds: tuple[str, ...]) -> set[str]:
    """Return each two of the first sounds in alphabetical order; a single one by itself."""
    distinct = sorted(set(sounds[:MOST_PARTS]))
    if len(distinct) == 1:
        return {distinct[0]}
    return {f"{a} {b}" for a, b in combinations(distinct, 2)}


def beginnings(sounds: tuple[str, ...]) -> set[str]:
    """Return each two of the first sounds, cut short; none for a single one, which begins too many names."""
    cut = tuple(sound[:BEGINNING] for sound in sounds)
    return pairs(cut) if len(set(cut[:MOST_PARTS])) > 1 else set()


@lru_cache(maxsize=16)
def probes(person: Person) -> tuple[tuple[str, list[str]], ...]:
    """Return the probes for a person: (kind, values), the most telling first.

    The kinds are those of `stored_keys` and the columns of `COLUMN_KINDS`. Values of the kinds in `SPANS` are spans of days: `aminah 1990-01-01/1990-12-31`, every key of the
    kind from the first day to the last, both included.
    """
    return tuple(_probes(person))


def _probes(person: Person) -> Iterator[tuple[str, list[str]]]:
    called = [name_sounds(name) for name in (person.name, *listed_names(person.other_names))]
    yield from _number_probes(person)
    if person.birth_date:
        yield from _date_probes(
            person.birth_date, tuple(dict.fromkeys(sound for one in called for sound in one))
        )
    yield from _household_probes(person)
    for sounds in filter(None, called):
        yield "pair", sorted(pairs(sounds))
        yield "begun", sorted(beginnings(sounds))


def _number_probes(person: Person) -> Iterator[tuple[str, list[str]]]:
    if person.nik:
        yield "nik", [person.nik, *one_digit_off(person.nik, NIK_DIGITS)]
    if person.bpjs_number:
        yield "bpjs_number", [person.bpjs_number, *one_digit_off(person.bpjs_number, BPJS_DIGITS)]


def _household_probes(person: Person) -> Iterator[tuple[str, list[str]]]:
    if mother := _mother_keys(person):
        yield "mother", mother
    for column in HOUSEHOLD_NUMBERS:
        if number := getattr(person, column):
            yield column, [number]
    if home := home_keys(person.address):
        if person.birth_date[:4].isdigit():
            yield "home", [f"{key} {_years(person.birth_date, 1)}" for key in home]
        yield "house", [f"{key} {EVER}" for key in home]


def one_digit_off(number: str, length: int) -> list[str]:
    """Return every number of `length` digits that is one slip away: a digit wrong, missing, extra or swapped.

    A few hundred probes of a unique index cost less than keys for every stored number.
    """
    found: set[str] = set()
    if len(number) == length:
        found = _replaced(number) | _swapped_digits(number)
    elif len(number) == length - 1:
        found = {number[:place] + digit + number[place:] for place in range(length) for digit in DIGITS}
    elif len(number) == length + 1:
        found = {number[:place] + number[place + 1 :] for place in range(length + 1)}
    return sorted(found - {number})


def _replaced(number: str) -> set[str]:
    return {number[:place] + digit + number[place + 1 :] for place in range(len(number)) for digit in DIGITS}


def _swapped_digits(number: str) -> set[str]:
    return {
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        for place in range(len(number) - 1)
    }


def _date_probes(born: str, sounds: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield the probes of a date as written and of its usual slips; the wide ones only with a part of the name."""
    is_usual = born[5:] in USUAL_DAYS
    if not is_usual or not sounds:
        yield "birth_date", [born]
    if not sounds or not born[:4].isdigit():
        return
    telling = [sound for sound in sounds if sound not in COMMON_SOUNDS] or list(sounds)
    yield "name", [f"{sound} {day}" for sound in telling for day in slips_of_date(born)]
    if is_usual:
        # Year by year, the nearest first: so many of a sound stand in one span that the limit would cut those behind.
        years = [_years_after(born, shift) for shift in _NEAREST_FIRST]
        yield "span", [f"{sound} {year}" for sound in telling for year in years]


_NEAREST_FIRST = sorted(range(-ROUNDED_YEARS, ROUNDED_YEARS + 1), key=abs)
"""Years to look at where only the age was told."""


def _years_after(born: str, shift: int) -> str:
    year = int(born[:4]) + shift
    return f"{year:04d}-01-01/{year:04d}-12-31"


def _years(born: str, apart: int) -> str:
    """Return the span of the year of birth and the years up to `apart` before and after."""
    year = int(born[:4])
    return f"{year - apart:04d}-01-01/{year + apart:04d}-12-31"


def slips_of_date(born: str) -> list[str]:
    """Return the dates one slip away: another day or month, both swapped, one or ten years off, an estimate."""
    year, month, day = int(born[:4]), born[5:7], born[8:]
    slips = [born, *_swapped(born), f"{born[:2]}{born[3]}{born[2]}{born[4:]}"]
    slips += [f"{year + shift:04d}{born[4:]}" for shift in (-10, -1, 1, 10)]
    slips += [f"{year:04d}-{month}-{other:02d}" for other in range(1, 32)]
    slips += [f"{year:04d}-{other:02d}-{day}" for other in range(1, 13)]
    slips += [f"{year + shift:04d}-{estimate}" for shift in _NEAREST_FIRST for estimate in ESTIMATES]
    return list(dict.fromkeys(slips))


def _swapped(born: str) -> list[str]:
    year, month, day = born[:4], born[5:7], born[8:]
    return [f"{year}-{day}-{month}"] if "01" <= day <= "12" and day != month else []


def _mother_keys(person: Person) -> list[str]:
    """Return keys of the mother's name with the child's, and with the month of birth for a newborn without a name."""
    newborn = is_newborn_name(person.name)
    mother = name_sounds(person.mother_name or (person.name if newborn else ""))
    child = name_sounds(person.name)
    if not mother:
        return []
    of_month = f"{_telling(mother)} {person.birth_date[:7]}"
    if newborn or not child:
        return [of_month]
    return [f"{_telling(mother)} {_telling(child)}", of_month]


def home_keys(address: str) -> list[str]:
    """Return the longest words of an address with its first number and, where there are three, with each other."""
    words = sorted(
        (word for word in address_words(address) if not word.isdigit()), key=lambda word: (-len(word), word)
    )
    number = next((word.lstrip("0") for word in fold(address).split() if word.isdigit()), "")
    longest = [word[:HOME_LETTERS] for word in words[:3]]
    keys = [f"{word} {number}" for word in longest] if number else []
    if len(longest) == 3:  # long enough to tell places apart without the number
        keys += [f"{a} {b}" for a, b in combinations(sorted(longest), 2)]
    return keys


def _telling(sounds: tuple[str, ...]) -> str:
    return next((sound for sound in sounds if sound not in COMMON_SOUNDS), sounds[0])


Id = TypeVar("Id", bound=Hashable)


class People(Generic[Id]):
    """People in memory under their keys, found as the database finds stored ones."""

    def __init__(self) -> None:
        self._people: dict[Id, Person] = {}
        self._index: defaultdict[str, dict[str, list[Id]]] = defaultdict(dict)

    def put(self, id_: Id, person: Person) -> None:
        """Add a person, or replace what is known of one."""
        self._people[id_] = person
        for kind, value in stored_keys(person):
            self._index[kind].setdefault(value, []).append(id_)
            if kind in SPANS.values():
                about, _, day = value.rpartition(" ")
                for span in (f"{about} {day[:4]}", f"{about} {EVER}"):
                    self._index[kind].setdefault(span, []).append(id_)
        for column in COLUMN_KINDS:
            if value := getattr(person, column):
                self._index[column].setdefault(value, []).append(id_)

    def candidates(self, person: Person) -> dict[Id, Person]:
        """Return the people worth comparing with a person, by id."""
        found: dict[Id, None] = {}
        for kind, values in probes(person) if self._people else ():
            limit = BLOCK_LIMITS.get(kind, BLOCK_LIMIT)
            for block in self._blocks(kind, values):
                if kind not in WHOLE or len(block) <= limit:
                    found.update(dict.fromkeys(islice(block, limit)))
        return {id_: self._people[id_] for id_ in found}

    def _blocks(self, kind: str, values: list[str]) -> Iterator[dict[Id, None]]:
        if kind in SPANS or kind in WHOLE:
            for value in values:
                yield self._under(SPANS.get(kind, kind), [value] if kind in WHOLE else _of_years(value))
        else:
            yield self._under(kind, values)

    def _under(self, kind: str, values: Iterable[str]) -> dict[Id, None]:
        stored = self._index[kind]
        return dict.fromkeys(id_ for value in values for id_ in stored.get(value, ()))


def _of_years(span: str) -> Iterator[str]:
    about, _, days = span.rpartition(" ")
    first, last = days.split("/")
    return (f"{about} {year:04d}" for year in range(int(first[:4]), int(last[:4]) + 1))

"""Which stored records are worth comparing: keys a record is stored under and probes that find it.

A comparison of everyone with everyone is out of the question, so each usual slip has a probe
that reaches over it: a wrong digit of a number, a swapped or mistyped birth date, another
spelling of the name with the year, of both names without a date, the mother with the child.
What stands in an indexed column of `Patient` needs no key of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from itertools import combinations, islice
from typing import Generic, TypeVar

from core.addresses import address_words
from core.likeness import USUAL_DAYS, Person
from core.names import COMMON_SOUNDS, as_one, fold, is_newborn_name, name_sounds

DIGITS = "0123456789"
COLUMN_KINDS = frozenset({"nik", "bpjs_number", "birth_date", "family_card_number", "phone"})
"""Kinds of probes that are answered by an indexed column of `Patient`."""
SPANS = {"span": "name", "home": "home", "house": "home"}
"""Kinds of probes whose values are spans of days, and the kind of keys that they are spans of."""
WHOLE = frozenset({"house", "begun"})
"""Kinds of which a value brings all or, where there are more than the limit, nobody: any few of a street say nothing."""
BEGINNING = 3
"""Letters of a sound that are in a `begun` key."""
BLOCK_LIMITS = {
    "pair": 30,
    "home": 12,
    "phone": 20,
    "mother": 30,
    "family_card_number": 40,
    "span": 25,
    "house": 12,
    "begun": 12,
}
"""People that one kind of probe may bring; what is larger says too little to read all of it."""
BLOCK_LIMIT = 400
"""The same for all other kinds."""
HOME_LETTERS = 5
"""Of an address word, what goes into a key: slips are made further back."""
EVER = "0000-01-01/9999-12-31"
"""The span of all birth dates."""
ESTIMATES = ("01-01", "07-01", "12-31")
"""Days that are written where only the year is known."""


def stored_keys(person: Person) -> set[tuple[str, str]]:
    """The rows of `PatientKey` for a record: (kind, value).

    Kinds:
        `name`: each part's sound and the birth date, `aminah 1990-08-17`: by itself, with a year or
            with the whole date it is one range of the index.
        `pair`: each two parts, sorted, `amina siti`; a single name alone.
        `begun`: the beginnings of each two parts, `ami sit`, over which a slip further back reaches.
        `mother`: the mother's telling part and the child's, `rusmini amina`.
        `home`: the beginnings of the longest words of the address with its first number or with each other,
            and the birth date, `andai 12 1990-08-17`: many live in a street, few of an age.
    """
    sounds = name_sounds(person.name)
    keys = {("name", f"{sound} {person.birth_date}") for sound in (*sounds, *as_one(sounds))}
    keys |= {("pair", pair) for pair in pairs(sounds)}
    for joined in as_one(sounds):
        others = [
            sound for sound in sounds[:5] if not joined.startswith(sound) and not joined.endswith(sound)
        ]
        keys |= {("pair", " ".join(sorted((joined, other)))) for other in others} or {("pair", joined)}
    keys |= {("begun", pair) for pair in beginnings(sounds)}
    keys |= {("mother", key) for key in _mother_keys(person)[:1]}
    keys |= {("home", f"{key} {person.birth_date}") for key in home_keys(person.address)}
    return keys


def pairs(sounds: tuple[str, ...]) -> set[str]:
    """Each two of the first five sounds in alphabetical order; a single one by itself."""
    distinct = sorted(set(sounds[:5]))
    if len(distinct) == 1:
        return {distinct[0]}
    return {f"{a} {b}" for a, b in combinations(distinct, 2)}


def beginnings(sounds: tuple[str, ...]) -> set[str]:
    """Each two of the first five sounds, cut short; none for a single one, as which too many begin."""
    cut = tuple(sound[:BEGINNING] for sound in sounds)
    return pairs(cut) if len(set(cut[:5])) > 1 else set()


@lru_cache(maxsize=16)
def probes(person: Person) -> tuple[tuple[str, list[str]], ...]:
    """Where to look for a described person: (kind, values), the most telling first.

    The kinds are those of `stored_keys` and the columns `nik`, `bpjs_number`, `phone`, `family_card_number` and
    `birth_date`. Values of the kinds in `SPANS` are spans of days: `aminah 1990-01-01/1990-12-31`, every key of the
    kind from the first day to the last, both included.
    """
    return tuple(_probes(person))


def _probes(person: Person) -> Iterator[tuple[str, list[str]]]:
    if person.nik:
        yield "nik", [person.nik, *one_digit_off(person.nik, 16)]
    if person.bpjs_number:
        yield "bpjs_number", [person.bpjs_number, *one_digit_off(person.bpjs_number, 13)]
    sounds = name_sounds(person.name)
    if person.birth_date:
        yield from _date_probes(person.birth_date, sounds)
    if mother := _mother_keys(person):
        yield "mother", mother
    if person.family_card_number:
        yield "family_card_number", [person.family_card_number]
    if person.phone:
        yield "phone", [person.phone]
    if home := home_keys(person.address):
        if person.birth_date[:4].isdigit():
            yield "home", [f"{key} {_years(person.birth_date, 1)}" for key in home]
        yield "house", [f"{key} {EVER}" for key in home]
    if sounds:
        yield "pair", sorted(pairs(sounds))
        yield "begun", sorted(beginnings(sounds))


def one_digit_off(number: str, length: int) -> list[str]:
    """Every number of `length` digits that is one slip away: a digit wrong, missing, extra or swapped.

    A few hundred probes of a unique index cost less than keeping keys for every stored number.
    """
    found: set[str] = set()
    if len(number) == length:
        for place, digit in enumerate(number):
            found.update(number[:place] + other + number[place + 1 :] for other in DIGITS if other != digit)
        for place in range(length - 1):
            found.add(number[:place] + number[place + 1] + number[place] + number[place + 2 :])
    elif len(number) == length - 1:
        for place in range(length):
            found.update(number[:place] + digit + number[place:] for digit in DIGITS)
    elif len(number) == length + 1:
        found.update(number[:place] + number[place + 1 :] for place in range(length + 1))
    found.discard(number)
    return sorted(found)


def _date_probes(born: str, sounds: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """A date as written and its usual slips; the wide ones only together with a part of the name."""
    usual = born[5:] in USUAL_DAYS
    telling = [sound for sound in sounds if sound not in COMMON_SOUNDS] or list(sounds)
    if not usual or not sounds:
        yield "birth_date", [born]
    if not sounds or not born[:4].isdigit():
        return
    yield "name", [f"{sound} {day}" for sound in telling for day in _slips(born)]
    if usual:
        yield "span", [f"{sound} {_years(born, 2)}" for sound in telling]


def _years(born: str, apart: int) -> str:
    """The span of the year of birth and those around it."""
    year = int(born[:4])
    return f"{year - apart:04d}-01-01/{year + apart:04d}-12-31"


def _slips(born: str) -> list[str]:
    """Dates that a slip makes of one: another day or month, both swapped, a year or ten more or less, an estimate."""
    year, month, day = int(born[:4]), born[5:7], born[8:]
    slips = [born, *_swapped(born), f"{born[:2]}{born[3]}{born[2]}{born[4:]}"]
    slips += [f"{year + shift:04d}{born[4:]}" for shift in (-10, -1, 1, 10)]
    slips += [f"{year:04d}-{month}-{other:02d}" for other in range(1, 32)]
    slips += [f"{year:04d}-{other:02d}-{day}" for other in range(1, 13)]
    slips += [f"{year + shift:04d}-{estimate}" for shift in (-2, -1, 0, 1, 2) for estimate in ESTIMATES]
    return list(dict.fromkeys(slips))


def _swapped(born: str) -> list[str]:
    year, month, day = born[:4], born[5:7], born[8:]
    return [f"{year}-{day}-{month}"] if "01" <= day <= "12" and day != month else []


def _mother_keys(person: Person) -> list[str]:
    """The mother with the child's name; a newborn, who has none, is under the month of birth."""
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
    """The longest words of an address with its first number or, where there are three, with each other."""
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
    """People in memory under their keys, found as the database finds those that are stored."""

    def __init__(self) -> None:
        self._people: dict[Id, Person] = {}
        self._index: defaultdict[str, dict[str, list[Id]]] = defaultdict(dict)

    def put(self, id_: Id, person: Person) -> None:
        """Add somebody, or say what is known of them now."""
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
        """Who is worth comparing with a person."""
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

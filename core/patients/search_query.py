"""Reads what is typed into the search box, and says how well a patient fits it. Pure.

Everything typed counts and nothing hides: words by their best fit in a name or the address, a birth date that is a slip
off for less than the same one, the last digits of a number besides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from core.linkage.addresses import address_words
from core.linkage.birth_dates import compare_birth_dates, years_apart
from core.linkage.names import (
    as_one,
    fold,
    is_nickname,
    is_wifes_name,
    listed_names,
    name_words,
    own_name,
    phonetic,
)

ONE_SLIP = 0.965
"""Fitness of a word of four letters or more with one letter wrong, too many, missing or swapped."""
SPELLED_OTHERWISE = 0.97
"""Fitness of a word that sounds the same in a spelling not far off."""
OF_ADDRESS = 0.7
"""Fitness of a word of the address."""
NICKNAME = 0.8
"""Fitness of the end of a name, or of a doubled syllable."""
OF_FATHER = 0.1
"""What a word after `bin` or `binti` counts: few records hold the father's name."""
PART_TOO_MANY = 0.05
"""What a part of the name that was not typed counts against."""
FURTHER_PART = 0.01
"""Weight of each further part: a name of many parts that has the very word goes before one that only resembles it."""
MOST_PARTS = 0.08
"""Most weight of all parts together, less than a whole word is ahead of one with a slip."""
OF_TITLE = 0.1
"""Weight of a typed title that stands in the name: `Raden Ayu` goes to a Raden Ayu before any other Ayu."""
SOUND_LETTERS = 40  # letters of a sound that are compared
TAIL_DIGITS = 4  # last digits of a number that are typed beside a name, at least

DATE_FITNESS = {
    "same_birth_date": 1.0, "same_first_of_month": 1.0, "same_usual_date": 1.0, "birth_date_swapped": 0.85,
    "birth_date_one_digit": 0.8, "birth_date_two_parts": 0.65, "birth_date_estimated": 0.65, "same_birth_year": 0.5,
    "birthday_of_another_year": 0.5, "birth_date_rounded": 0.3,
}  # fmt: skip
"""Comparison level of two dates -> fitness; a date that is further off counts nothing, and hides nobody."""
YEAR_FITNESS = (1.0, 0.7, 0.5)
"""Fitness of a year of birth that is so many years off."""
OF_TAIL = 1.0
"""What the last digits of a number count."""

_DATE = re.compile(r"\b(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})\b|\b(\d{2})(\d{2})((?:19|20)\d{2})\b")
_ISO_DATE = re.compile(r"\b((?:19|20)\d{2})-(\d{1,2})-(\d{1,2})\b")
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
_TAIL = re.compile(rf"\b\d{{{TAIL_DIGITS},}}\b")
_LABEL = re.compile(
    r"^\W*(?:(?:no|nomor)\b\.?\s*)?(?:nik|ktp|kk|bpjs|jkn|kis|kartu|rm|rekam medis|hp|telp|wa)\b\s*[:.=#]*\s*(?=[\d+])",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """The columns of a patient that ranking reads; hundreds are read for twenty that are shown."""

    id: str
    name: str
    birth_date: str
    """`YYYY-MM-DD`."""
    address: str
    other_names: str
    nik: str | None
    bpjs_number: str | None
    phone: str
    medical_record_number: str


class Asked:
    """A typed word, and its fitness to the parts of names."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.sound = phonetic(word)[:SOUND_LETTERS]
        self._fitness: dict[str, float] = {}

    def fitness(self, parts: Sequence[str]) -> float:
        """Return the best fitness to a part of a name; most parts are known from other names."""
        best = 0.0
        for part in parts:
            known = self._fitness.get(part)
            if known is None:
                known = self._fitness[part] = _alike(self.word, self.sound, part, phonetic(part))
            if known > best:
                best = known
        return best


@dataclass(frozen=True)
class SearchQuery:
    """Words that were typed."""

    words: list[Asked]
    fathers: list[Asked] = field(default_factory=list)
    """Words after `bin` or `binti`."""
    titles: frozenset[str] = frozenset()
    """Titles before the name, which nobody is looked up by."""
    day: date | None = None
    year: int | None = None
    tail: str = ""
    """Last digits of a number."""
    is_wifes: bool = False
    """The words may be the husband's name: `Ny. Budi Santoso`."""
    text: str = ""
    """The words as they were typed."""

    @property
    def most(self) -> float:
        """Fitness of somebody who fits everything, but for the spelling."""
        has_date = self.day is not None or self.year is not None
        return len(self.words) + has_date + bool(self.tail) * OF_TAIL

    def fitness(self, found: Found, words: Sequence[Asked] | None = None) -> float:
        """Return how well a patient fits, the words in one reading of them."""
        read = self.words if words is None else words
        named = self._fitness_of_name(read, found.name, found.address)
        for name in listed_names(found.other_names):
            named = max(named, self._fitness_of_name(read, name, found.address))
        if read is not self.words:  # two words read as one, or one as two, count as many as were typed
            named *= len(self.words) / max(len(read), 1)
        if self.titles:
            named += OF_TITLE * len(self.titles.intersection(fold(found.name).split()))
        return named + self._fitness_of_date(found.birth_date) + self._fitness_of_tail(found)

    def _fitness_of_name(self, asked: Sequence[Asked], name: str, address: str) -> float:
        """Return the fitness of the words: each by its best fit; parts that were not typed count a little against."""
        words = name_words(name)
        parts = (*words, *as_one(words))
        total = sum(OF_FATHER * one.fitness(parts) for one in self.fathers)
        for one in asked:
            best = one.fitness(parts)
            if best < OF_ADDRESS and one.sound in address_words(address):
                best = OF_ADDRESS
            total += best
        return total - _against(len(words) - len(asked) - len(self.fathers))

    def _fitness_of_date(self, born: str) -> float:
        if self.day is not None:
            return DATE_FITNESS.get(compare_birth_dates(self.day.isoformat(), born) or "", 0.0)
        if self.year is None:
            return 0.0
        apart = years_apart(str(self.year), born)
        return YEAR_FITNESS[apart] if apart < len(YEAR_FITNESS) else 0.0

    def _fitness_of_tail(self, found: Found) -> float:
        numbers = (found.nik, found.bpjs_number, found.phone, found.medical_record_number)
        has_tail = self.tail and any(number and number.endswith(self.tail) for number in numbers)
        return OF_TAIL if has_tail else 0.0


def _against(parts: int) -> float:
    """Return what parts of a name that were not typed count against it."""
    return min(MOST_PARTS, PART_TOO_MANY + FURTHER_PART * (parts - 1)) if parts > 0 else 0.0


def read_query(text: str) -> SearchQuery:
    """Return what a text asks for."""
    day, year, rest = dates_in(text)
    tail = _TAIL.search(rest)
    if tail is not None and rest.replace(tail.group(), "").strip():
        rest = rest.replace(tail.group(), " ", 1)
    else:
        tail = None
    own = own_name(rest)
    words = name_words(own) if own.strip() else ()
    fathers = name_words(rest)[len(words) :] if own != rest else ()
    return SearchQuery(
        titles=frozenset(fold(own).split()) - set(words),
        words=[Asked(word) for word in words if word],
        fathers=[Asked(word) for word in fathers],
        day=day,
        year=year,
        tail=tail.group() if tail is not None else "",
        is_wifes=is_wifes_name(rest.strip()),
        text=rest,
    )


def without_label(text: str) -> str:
    """Return a number without what a scanner or a clerk writes before it: `NIK: 6371...`."""
    return _LABEL.sub("", text)


def dates_in(text: str) -> tuple[date | None, int | None, str]:
    """Return the birth date or the year in a search, and the text without it."""
    for pattern, order in ((_DATE, (2, 1, 0)), (_ISO_DATE, (0, 1, 2))):
        match = pattern.search(text)
        if match is not None:
            numbers = [int(part) for part in match.groups() if part is not None]
            year, month, day = (numbers[place] for place in order)
            return _date_of(year, month, day), None, text.replace(match.group(), " ")
    years = _YEAR.search(text)
    if years is not None:
        return None, int(years.group()), text.replace(years.group(), " ", 1)
    return None, None, text


def _date_of(year: int, month: int, day: int) -> date | None:
    """Return the date, with day and month swapped where it cannot be otherwise; None where it cannot be at all."""
    for first, second in ((month, day), (day, month)):
        try:
            return date(year, first, second)
        except ValueError:
            continue
    return None


def _alike(word: str, sound: str, part: str, other: str) -> float:
    """Return the fitness, 0 to 1.05, of a typed word and a part of a name, both with their sounds."""
    if part == word:
        return 1.05
    one_slip = min(len(word), len(part)) >= 4 and OSA.distance(word, part, score_cutoff=1) <= 1
    if other == sound:
        if one_slip:
            return 1.0
        return SPELLED_OTHERWISE if OSA.distance(word, part, score_cutoff=2) <= 2 else ONE_SLIP - 0.005
    called = NICKNAME if is_nickname(sound, other) else 0.0
    likeness = max(JaroWinkler.similarity(word, part), JaroWinkler.similarity(sound, other))
    if likeness < 0.6:
        return called
    nearness = max(OSA.normalized_similarity(word, part), OSA.normalized_similarity(sound, other))
    begins = 0.9 if part.startswith(word) or other.startswith(sound) else 0.0
    return max((likeness + nearness) / 2, begins, called, ONE_SLIP if one_slip else 0.0)

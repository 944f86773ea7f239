"""The counter's one search box: numbers, names with misspellings, dates, address words.

Every sound of a stored name is kept in memory with its frequency (some tens of thousands, however many
patients there are). A misspelt word is turned into the stored sounds near it, these into a few hundred probes
of the index, and the patients found are ranked.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations, product, takewhile, zip_longest
from typing import Any

from peewee import SQL, fn
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from core.foundation.codes import Sex
from core.foundation.database import tuples
from core.linkage.addresses import address_words
from core.linkage.birth_dates import ESTIMATED_YEARS, PLACEHOLDERS, USUAL_DAYS, years_apart
from core.linkage.blocking import HOME_LETTERS, home_keys, slips_of_date
from core.linkage.key_queries import KeyQuery, active_rows, among, between, keyed, patient_ids
from core.linkage.names import (
    COMMON_SOUNDS,
    fold,
    is_nickname,
    listed_names,
    meant_sounds,
    name_sounds,
    phonetic,
)
from core.models import Patient, PatientKey
from core.patients.number_search import by_number
from core.patients.search_query import SOUND_LETTERS, Asked, Found, SearchQuery, read_query

NEAR = 64  # stored sounds that one typed word may mean
POOL = 600  # patients that are ranked at most; more than its share of a probe is cut off
GOOD = 0.93
"""Fitness per word from which a patient is taken to be meant, and no less similar one is looked for."""
GOOD_DATED = 0.85
"""The same, of somebody born on the very day that was typed."""
FEW = 5  # patients found below which less similar ones are looked for as well
REMEMBERED = 2000  # words whose near sounds are kept: a name is searched letter by letter
CLOSEST = 40  # of the sounds near a word, those that are tried first
CLOSEST_BESIDE = 8  # the same, where the birth date is a slip or a year off
TELLING = 2  # rarest words that are looked up with dates
PROBES = 12  # values of one probe, so that a frequent one cannot crowd out all others
SHARE = POOL // 2  # patients that one probe may bring
SCAN_BELOW = 100_000
"""Name parts up to which address words are also looked for by reading every row."""
MOST_WORDS = 5  # typed words that are looked up
BEGUN = 2000  # stored sounds looked at that begin as the typed one
SHORTEST_PART = 3  # letters of the shorter of two words that were run together, and of a nickname
MOST_PARTED = 3  # ways in which a word is read as two
HUSBANDS = 12  # bearers of the husband's name whose houses are looked at
SPOUSES_APART = 25  # years
OF_WIFE = 0.1  # what a wife is before the husband by whose name she is asked for
OF_YEAR_APART = 0.005  # what each year between them counts against
DATE_LENGTH = len(" 1990-08-17")


class Sounds:
    """Every sound of a stored name and its number of patients; kept up to date with the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._by_length: dict[int, list[str]] = {}
        self._sorted: list[str] = []
        self._turned: list[str] = []
        """The sounds backwards, in alphabetical order."""
        self._near: dict[str, list[str]] = {}
        self._seen_until: Any = None
        self._database: object = None

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def total(self) -> int:
        """Number of name parts of all patients."""
        return sum(self._counts.values())

    def refresh(self) -> None:
        """Read all sounds once, then only those of patients changed since, also by other processes."""
        database = PatientKey._meta.database.obj
        with self._lock:
            if self._database is not database:
                self._read_all()
                self._database = database
                return
            changed = Patient.select(Patient.name, Patient.other_names, Patient.updated_at).where(
                Patient.updated_at > self._seen_until
            )
            for name, other_names, updated_at in tuples(changed):
                for called in (name, *listed_names(other_names)):
                    self._add(name_sounds(called))
                self._seen_until = max(self._seen_until, updated_at)

    def _read_all(self) -> None:
        newest = Patient.select(fn.MAX(Patient.updated_at)).scalar()
        sound = fn.SUBSTR(PatientKey.value, 1, fn.LENGTH(PatientKey.value) - DATE_LENGTH)
        rows = tuples(
            PatientKey.select(sound, fn.COUNT(1)).where(PatientKey.kind == "name").group_by(SQL("1"))
        )
        self._counts, self._by_length = {}, defaultdict(list)
        self._near.clear()
        for text, count in rows:
            self._counts[text] = count
            self._by_length[len(text)].append(text)
        self._sorted = sorted(self._counts)
        self._turned = sorted(sound[::-1] for sound in self._counts)
        self._seen_until = newest or ""

    def _add(self, sounds: Iterable[str]) -> None:
        for sound in sounds:
            if sound not in self._counts:
                self._counts[sound] = 0
                self._by_length.setdefault(len(sound), []).append(sound)
                insort(self._sorted, sound)
                insort(self._turned, sound[::-1])
            self._counts[sound] += 1
        self._near.clear()

    def near(self, word: str) -> list[str]:
        """Return the stored sounds that a typed word may mean: its own, those within edit distance, those it begins."""
        known = self._near.get(word)
        if known is None:
            if len(self._near) >= REMEMBERED:
                self._near.clear()
            known = self._near[word] = self._nearest(word)
        return known

    def _nearest(self, word: str) -> list[str]:
        sound = phonetic(word)[:SOUND_LETTERS]
        if len(sound) < 2:
            return [sound]
        meant = meant_sounds(word)
        with self._lock:
            found = [sound] if sound in self._counts else []
            found += sorted(meant & self._counts.keys(), key=lambda other: (-self._counts[other], other))
            found += self._close_to(sound)[:NEAR]
            found += self._beginning_with(sound)[: NEAR // 3]
            if sound not in self._counts and len(sound) >= SHORTEST_PART:
                found += self._called(sound)[: NEAR // 3]
        return list(dict.fromkeys(found)) or [sound]

    def _close_to(self, sound: str) -> list[str]:
        """Return stored sounds within one slip of a short sound or two of a longer one, the closest first."""
        slips = 1 if len(sound) < 4 else 2
        close: list[tuple[float, str]] = []
        for length, stored in self._by_length.items():
            if abs(length - len(sound)) <= slips:
                hits = process.extract(sound, stored, scorer=OSA.distance, score_cutoff=slips, limit=4 * NEAR)
                close += [(distance - JaroWinkler.similarity(sound, hit), hit) for hit, distance, _ in hits]
        close.sort(key=lambda hit: (hit[0], -self._counts[hit[1]]))
        return [hit for _, hit in close]

    def _beginning_with(self, sound: str) -> list[str]:
        """Return stored sounds that begin with a sound, the most frequent first."""
        at = bisect_left(self._sorted, sound)
        begun = takewhile(lambda stored: stored.startswith(sound), self._sorted[at : at + BEGUN])
        return sorted(begun, key=lambda stored: (-self._counts[stored], stored))

    def _called(self, sound: str) -> list[str]:
        """Return stored sounds for which a sound may be a nickname, the most frequent first."""
        endings = [sound, sound[2:]] if sound[2:4] == sound[:2] else [sound]
        found = {stored for ending in endings for stored in self._ending_with(ending)}
        called = [stored for stored in found if is_nickname(sound, stored)]
        return sorted(called, key=lambda stored: (-self._counts[stored], stored))

    def _ending_with(self, sound: str) -> Iterator[str]:
        """Yield stored sounds that end with a sound, at most `BEGUN`."""
        turned = sound[::-1]
        at = bisect_left(self._turned, turned)
        ended = takewhile(lambda stored: stored.startswith(turned), self._turned[at : at + BEGUN])
        return (stored[::-1] for stored in ended)

    def rarity(self, sound: str) -> int:
        """Return the number of patients with a sound."""
        return self._counts.get(sound, 0)


sounds = Sounds()
"""Sounds of the open database."""


def found(text: str, limit: int) -> list[Patient]:
    """Return the patients whom a text may mean, best match first, at most `limit`."""
    return (by_number(text) or by_words(text, limit))[:limit]


class _Pool:
    """Patients found so far, each with its best fitness."""

    def __init__(self, query: SearchQuery) -> None:
        self._query = query
        self._best: dict[str, tuple[float, Found]] = {}

    def __len__(self) -> int:
        return len(self._best)

    def add(self, ids: Iterable[str], words: Sequence[Asked] | None = None) -> None:
        """Rank patients.

        Args:
            ids: The patients' ids, best first.
            words: The reading of the words that found them; None: as they were typed.
        """
        for found in _pool(list(ids)):
            self._put(found, self._query.fitness(found, words))

    def _put(self, found: Found, fitness: float) -> None:
        if found.id not in self._best or self._best[found.id][0] < fitness:
            self._best[found.id] = fitness, found

    def add_wives(self) -> None:
        """Rank the women of the houses of those who bear the name, the nearest in age first."""
        for husband in self._ranked()[:HUSBANDS]:
            fitness = self._best[husband.id][0]
            for wife in _women_of_house(husband):
                apart = years_apart(husband.birth_date, wife.birth_date)
                if apart <= SPOUSES_APART:
                    self._put(wife, fitness + OF_WIFE - apart * OF_YEAR_APART)

    def without(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield the ids that are not in the pool yet."""
        return (id_ for id_ in ids if id_ not in self._best)

    def has_good(self) -> bool:
        """Return whether a patient fits all that was typed well."""
        each = GOOD_DATED if self._query.day is not None else GOOD
        enough = self._query.most - (1 - each) * len(self._query.words)
        return any(fitness >= enough for fitness, _ in self._best.values())

    def best(self, limit: int) -> list[str]:
        """Return the ids of the best patients, at most `limit`."""
        return [found.id for found in self._ranked()[:limit]]

    def _ranked(self) -> list[Found]:
        """Return everybody, the best first; a name exactly as written goes before equals."""
        written = fold(self._query.text)
        ranked = sorted(
            self._best.values(),
            key=lambda one: (-one[0], fold(one[1].name) != written, one[1].name, one[1].id),
        )
        return [found for _, found in ranked]


def by_words(text: str, limit: int) -> list[Patient]:
    """Return the patients whose name, birth date or address the words are, best match first."""
    sounds.refresh()
    query = read_query(text)
    pool = _Pool(query)
    # Name and date together tell one person; by the name alone others are worth a look.
    enough = 1 if query.day or query.year else min(FEW, limit)
    for ids in _steps(query):
        pool.add(pool.without(ids))
        if len(pool) >= enough and pool.has_good():
            break
    if not pool.has_good():
        for reading in _readings([one.word for one in query.words]):
            pool.add(next(_steps(replace(query, words=reading)), []), reading)
    if query.is_wifes:
        pool.add_wives()
    best = pool.best(limit)
    rows = {patient.id: patient for patient in Patient.select().where(Patient.id.in_(best))}
    return [rows[id_] for id_ in best]


def _readings(words: Sequence[str]) -> Iterator[list[Asked]]:
    """Yield the words otherwise divided: two neighbours read as one, then one read as two that are on file."""
    yield from _joined_readings(words)
    for place, word in enumerate(words[:MOST_WORDS]):
        for parts in _parted(word):
            yield [Asked(one) for one in (*words[:place], *parts, *words[place + 1 :])]


def _parted(word: str) -> list[tuple[str, str]]:
    """Return the two words that one may be, `sitiaminah`, those most frequent on file first."""
    both = [(word[:at], word[at:]) for at in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)]
    counted = [(min(sounds.rarity(phonetic(part)) for part in parts), parts) for parts in both]
    return [parts for count, parts in sorted(counted, reverse=True) if count][:MOST_PARTED]


def _women_of_house(husband: Found) -> list[Found]:
    """Return the women with the address of a patient."""
    keys = home_keys(husband.address)[:1]
    ids = patient_ids([_born(key, kind="home") for key in keys])
    women = Patient.select(Patient.id).where(among(Patient.id, list(ids)), Patient.sex == Sex.FEMALE)
    lived = fold(husband.address)
    return [one for one in _pool([row[0] for row in tuples(women)]) if fold(one.address) == lived]


def _joined_readings(words: Sequence[str]) -> Iterator[list[Asked]]:
    """Yield the typed words with two neighbours read as one, `hidayat ullah`: names are divided in several ways."""
    for place in range(min(len(words), 4) - 1):
        yield [Asked(word) for word in (*words[:place], words[place] + words[place + 1], *words[place + 2 :])]


def _pool(ids: Sequence[str]) -> list[Found]:
    return [Found(*row) for row in active_rows(ids, Found._fields)]


def _steps(query: SearchQuery) -> Iterator[list[str]]:
    """Yield ids worth ranking, each step further from the typed text; a step is made only when none fits well."""
    words = {one.sound: one.word for one in query.words[:MOST_WORDS]}
    if query.day is not None:
        yield _born_on(query.day, list(words.values()))
    near = {sound: sounds.near(word) for sound, word in words.items()}
    if query.day is not None and near:
        yield _born_nearly_on(query.day, near)
    if query.year is not None:
        yield from _of_years(near, query.year)
    if len(near) == 1:
        yield _single(*near.values())
    elif near:
        yield from _of_pairs(near)
        yield from _of_telling(near)
    yield _by_address(query.text)


def _of_years(near: dict[str, list[str]], year: int) -> Iterator[list[str]]:
    """Yield the patients of a year with one of the words, then those of the years beside it."""
    yield _of_year({sound: similar[:CLOSEST] for sound, similar in near.items()}, year)
    yield _of_year({sound: similar[CLOSEST:] for sound, similar in near.items()}, year)
    for beside in (year - 1, year + 1):
        yield _of_year({sound: similar[:CLOSEST_BESIDE] for sound, similar in near.items()}, beside)


def _born_nearly_on(day: date, near: dict[str, list[str]]) -> list[str]:
    """Return the patients with one of the rarest words whose birth date is a slip or an estimate away."""
    rarest = sorted(near, key=lambda sound: sum(map(sounds.rarity, near[sound])))[:TELLING]
    similar = [other for sound in rarest for other in near[sound][:CLOSEST_BESIDE]]
    days = slips_of_date(day.isoformat())
    slipped = [keyed("name", [f"{sound} {one}" for one in days], SHARE) for sound in similar]
    years = []
    if f"{day:%m-%d}" in PLACEHOLDERS:
        shifts = sorted(range(-ESTIMATED_YEARS, ESTIMATED_YEARS + 1), key=abs)
        years = [_born(sound, day.year + shift, day.year + shift) for sound in similar for shift in shifts]
    return list(patient_ids([*slipped, *years], POOL))


def _born_on(day: date, words: Sequence[str]) -> list[str]:
    """Return the ids of patients born on a day; on a usual day, those with one of the words."""
    if words and f"{day:%m-%d}" in USUAL_DAYS:
        return _keyed("name", [f"{sound} {day}" for word in words for sound in sounds.near(word)], POOL)
    return [row[0] for row in tuples(Patient.select(Patient.id).where(Patient.birth_date == day).limit(POOL))]


def _of_telling(near: dict[str, list[str]]) -> Iterator[list[str]]:
    """Yield the patients with one of the two rarest parts."""
    telling = [sound for sound in near if sound not in COMMON_SOUNDS] or list(near)
    for sound in sorted(telling, key=lambda sound: sum(map(sounds.rarity, near[sound])))[:2]:
        yield _single(near[sound][:8])


def _of_pairs(near: dict[str, list[str]]) -> Iterator[list[str]]:
    """Yield patients with two of the parts: as typed or with one of them misspelt, then with both."""
    # The rarest pair first: patients found by a frequent one are chance.
    twos = sorted(
        combinations(near, 2), key=lambda two: sounds.rarity(two[0]) * sounds.rarity(two[1]) or POOL**3
    )
    found = patient_ids([keyed("pair", _joined([two]), SHARE) for two in twos[:3]])
    one_misspelt = _joined(pair for a, b in twos for pair in _one_misspelt(a, b, near))
    if len(found) < POOL:
        found |= patient_ids([keyed("pair", some, SHARE) for some in _by_probes(one_misspelt)], POOL)
    yield list(found)
    one_far_off = [pair for a, b in twos for pair in (*product([a], near[b]), *product(near[a], [b]))]
    both = [pair for a, b in twos for pair in product(near[a][:CLOSEST], near[b][:CLOSEST])]
    yield _keyed("pair", _joined(one_far_off), SHARE) + _keyed("pair", _joined(both), SHARE)


def _one_misspelt(a: str, b: str, near: dict[str, list[str]]) -> Iterator[tuple[str | None, str | None]]:
    """Yield each of two parts with the sounds near the other one, by turns, the closest first."""
    for x, y in zip_longest(near[a][:CLOSEST], near[b][:CLOSEST]):
        yield a, y
        yield x, b


def _joined(twos: Iterable[tuple[str | None, str | None]]) -> list[str]:
    """Return the values of `pair` keys; the same part twice is none."""
    return list(dict.fromkeys(" ".join(sorted((a, b))) for a, b in twos if a and b and a != b))


def _keyed(kind: str, values: Sequence[str], limit: int) -> list[str]:
    return list(patient_ids([keyed(kind, values, limit)]))


def _of_year(near: dict[str, list[str]], year: int) -> list[str]:
    """Return patients born in the year with a part, the rarest part first; before them, those with several parts."""
    met: Counter[str] = Counter()
    for similar in sorted(near.values(), key=lambda similar: sum(map(sounds.rarity, similar))):
        met.update(patient_ids([_born(sound, year, year) for sound in similar]).keys())
        if len(met) >= POOL:
            break
    return [patient_id for patient_id, _ in met.most_common(POOL)]


def _single(similar: Sequence[str]) -> list[str]:
    """Return patients with one sound or a near one; first those that have no other name."""
    found = patient_ids([keyed("pair", similar[:1], SHARE)])
    found |= patient_ids([keyed("pair", some, SHARE) for some in _by_probes(similar[1:])])
    if len(found) < POOL:
        spans = [_born(sound) for sound in similar]
        found |= patient_ids(spans, POOL)
    return list(found)


def _by_probes(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(values), PROBES):
        yield values[first : first + PROBES]


def _born(about: str, first: int = 0, last: int = 9999, kind: str = "name") -> KeyQuery:
    """Return the query for a sound, or a home, and years of birth; whole dates, so that collations agree."""
    return between(kind, f"{about} {first:04d}-01-01", f"{about} {last:04d}-12-31", SHARE)


def _by_address(text: str) -> list[str]:
    """Return the ids of patients whose address has two of the words; in a small clinic, all words anywhere."""
    ids = _by_home(text)
    written = [word for word in fold(text).split() if len(word) > 2]
    if not ids and written and sounds.total < SCAN_BELOW:
        query = Patient.select(Patient.id)
        for word in written:
            query = query.where(fn.LOWER(Patient.address).contains(word))
        ids = [row[0] for row in tuples(query.limit(POOL // 2))]
    return ids


def _by_home(text: str) -> list[str]:
    words = address_words(text)
    numbers = sorted(word for word in words if word.isdigit())
    longest = sorted(words - set(numbers), key=lambda word: (-len(word), word))[:3]
    named = [word[:HOME_LETTERS] for word in longest]
    values = [f"{word} {number}" for word, number in product(named, numbers)]
    values += [f"{a} {b}" for a, b in combinations(sorted(named), 2)]
    return _keyed("home", values, POOL // 2) if values else []

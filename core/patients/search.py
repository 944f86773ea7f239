"""The counter's one search box: numbers, names with misspellings, dates, address words.

Every sound of a stored name is kept in memory with its frequency (some tens of thousands, however many
patients there are). A misspelt word is turned into the stored sounds near it, these into a few hundred probes
of the index, and the patients found are ranked.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations, product, takewhile, zip_longest
from typing import Any, NamedTuple

from peewee import SQL, Expression, fn
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from core.foundation.database import tuples
from core.linkage.addresses import address_words
from core.linkage.birth_dates import USUAL_DAYS
from core.linkage.blocking import HOME_LETTERS, one_digit_off
from core.linkage.key_queries import KeyQuery, active_rows, among, between, keyed, patient_ids
from core.linkage.names import COMMON_SOUNDS, as_one, fold, meant_sounds, name_sounds, name_words, phonetic
from core.models import Patient, PatientKey
from core.patients.fields import PATIENT_FIELDS
from core.patients.national_ids import BPJS_LENGTH, NIK_LENGTH, normalise_number
from core.patients.record_numbers import LENGTH as RECORD_NUMBER_LENGTH

NEAR = 64  # stored sounds that one typed word may mean
POOL = 600  # patients that are ranked at most; more than its share of a probe is cut off
GOOD = 0.93
"""Fitness per word from which a patient is taken to be meant, and no less similar one is looked for."""
ONE_SLIP = 0.965
"""Fitness of a word of four letters or more with one letter wrong, too many, missing or swapped."""
SPELLED_OTHERWISE = 0.97
"""Fitness of a word that sounds the same in a spelling not far off."""
OF_ADDRESS = 0.7
"""Fitness of a word of the address."""
FEW = 5  # patients found below which less similar ones are looked for as well
REMEMBERED = 2000  # words whose near sounds are kept: a name is searched letter by letter
CLOSEST = 40  # of the sounds near a word, those that are tried first
PROBES = 12  # values of one probe, so that a frequent one cannot crowd out all others
SHARE = POOL // 2  # patients that one probe may bring
SCAN_BELOW = 100_000
"""Name parts up to which address words are also looked for by reading every row."""
MOST_WORDS = 5  # typed words that are looked up
SHORTEST_NUMBER = 4  # digits from which a text is looked up as a number
SOUND_LETTERS = 40  # letters of a sound that are compared
BEGUN = 2000  # stored sounds looked at that begin as the typed one
DATE_LENGTH = len(" 1990-08-17")

_DATE = re.compile(r"\b(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})\b|\b(\d{2})(\d{2})((?:19|20)\d{2})\b")
_ISO_DATE = re.compile(r"\b((?:19|20)\d{2})-(\d{1,2})-(\d{1,2})\b")
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")


class Sounds:
    """Every sound of a stored name and its number of patients; kept up to date with the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._by_length: dict[int, list[str]] = {}
        self._sorted: list[str] = []
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
            changed = Patient.select(Patient.name, Patient.updated_at).where(
                Patient.updated_at > self._seen_until
            )
            for name, updated_at in tuples(changed):
                self._add(name_sounds(name))
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
        self._seen_until = newest or ""

    def _add(self, sounds: Iterable[str]) -> None:
        for sound in sounds:
            if sound not in self._counts:
                self._counts[sound] = 0
                self._by_length.setdefault(len(sound), []).append(sound)
                insort(self._sorted, sound)
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

    def rarity(self, sound: str) -> int:
        """Return the number of patients with a sound."""
        return self._counts.get(sound, 0)


sounds = Sounds()
"""Sounds of the open database."""


def found(text: str, limit: int) -> list[Patient]:
    """Return the patients whom a text may mean, best match first, at most `limit`."""
    return (by_number(text) or by_words(text, limit))[:limit]


def by_number(text: str) -> list[Patient]:
    """Return the patients whose NIK, family card, BPJS, record or phone number this is.

    A NIK or BPJS number with one slip finds its owner when no patient has it as it is.
    """
    digits = normalise_number(text).lstrip("+")
    if not digits.isdigit() or len(digits) < SHORTEST_NUMBER:
        return []
    for condition in _conditions(digits):
        if owners := _where(condition):
            return owners
    return []


def _conditions(digits: str) -> Iterator[Expression]:
    """Yield what a number may be, by its length, the most telling first."""
    if digits.startswith("62") and 10 <= len(digits) <= 14:
        yield Patient.phone == "0" + digits[2:]
    for field in PATIENT_FIELDS:
        if field.digits == len(digits):
            yield getattr(Patient, field.name) == digits
    if len(digits) == BPJS_LENGTH:
        yield Patient.phone == digits
        yield among(Patient.bpjs_number, one_digit_off(digits, BPJS_LENGTH))
    elif abs(len(digits) - NIK_LENGTH) <= 1:
        yield among(Patient.nik, one_digit_off(digits, NIK_LENGTH))
    else:
        if len(digits) <= RECORD_NUMBER_LENGTH:
            yield Patient.medical_record_number == digits.zfill(RECORD_NUMBER_LENGTH)
        yield Patient.phone == digits


def _where(condition: Expression, limit: int = 20) -> list[Patient]:
    return list(
        Patient.select()
        .where(condition, Patient.voided_at.is_null())
        .order_by(Patient.birth_date)
        .limit(limit)
    )


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


class _Pool:
    """Patients found so far, each with its best fitness."""

    def __init__(self, year: int | None) -> None:
        self._year = year
        self._best: dict[str, tuple[float, Found]] = {}

    def __len__(self) -> int:
        return len(self._best)

    def add(self, ids: Iterable[str], asked: Sequence[Asked], weight: float = 1.0) -> None:
        """Rank patients by the words asked for; `weight` makes up for words read as one.

        Args:
            ids: The patients' ids, best first.
            asked: The words that found them.
            weight: How much the words count.
        """
        for found in _pool(list(ids)):
            if self._year is not None and not found.birth_date.startswith(f"{self._year}-"):
                continue
            fitness = _fitness(asked, found) * weight
            if found.id not in self._best or self._best[found.id][0] < fitness:
                self._best[found.id] = fitness, found

    def without(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield the ids that are not in the pool yet."""
        return (id_ for id_ in ids if id_ not in self._best)

    def has_good(self, words: int) -> bool:
        """Return whether a patient fits all of so many words well."""
        return any(fitness >= GOOD * words for fitness, _ in self._best.values())

    def best(self, written: str, limit: int) -> list[str]:
        """Return the ids of the best patients; a name exactly as written goes before equals."""
        ranked = sorted(
            self._best.values(),
            key=lambda one: (-one[0], fold(one[1].name) != written, one[1].name, one[1].id),
        )
        return [found.id for _, found in ranked[:limit]]


def by_words(text: str, limit: int) -> list[Patient]:
    """Return the patients whose name, birth date or address the words are, best match first."""
    sounds.refresh()
    day, year, rest = dates_in(text)
    words = [word for word in name_words(rest) if word]
    asked = [Asked(word) for word in words]
    pool = _Pool(year)
    for ids in _steps(asked, day, year, rest):
        pool.add(pool.without(ids), asked)
        if len(pool) >= min(FEW, limit) and pool.has_good(len(asked)):
            break
    if not pool.has_good(len(asked)):
        for reading in _joined_readings(words):
            pool.add(next(_steps(reading, day, year, rest)), reading, len(asked) / len(reading))
    best = pool.best(fold(rest), limit)
    rows = {patient.id: patient for patient in Patient.select().where(Patient.id.in_(best))}
    return [rows[id_] for id_ in best]


def _joined_readings(words: Sequence[str]) -> Iterator[list[Asked]]:
    """Yield the typed words with two neighbours read as one, `hidayat ullah`: names are divided in several ways."""
    for place in range(min(len(words), 4) - 1):
        yield [Asked(word) for word in (*words[:place], words[place] + words[place + 1], *words[place + 2 :])]


class Found(NamedTuple):
    """The columns of a patient that ranking reads; hundreds are read for twenty that are shown."""

    id: str
    name: str
    birth_date: str
    """`YYYY-MM-DD`."""
    address: str


def _pool(ids: Sequence[str]) -> list[Found]:
    return [Found(*row) for row in active_rows(ids, Found._fields)]


def _steps(asked: Sequence[Asked], day: date | None, year: int | None, text: str) -> Iterator[list[str]]:
    """Yield ids worth ranking, each step further from the typed text; a step is made only when none fits well.

    Args:
        asked: The typed words.
        day: The birth date among them.
        year: The year of birth among them.
        text: The text without date or year.
    """
    words = {one.sound: one.word for one in asked[:MOST_WORDS]}
    if day is not None:
        yield _born_on(day, list(words.values()))
        return
    near = {sound: sounds.near(word) for sound, word in words.items()}
    if year is not None:
        yield _of_year({sound: similar[:CLOSEST] for sound, similar in near.items()}, year)
        yield _of_year({sound: similar[CLOSEST:] for sound, similar in near.items()}, year)
    elif len(near) == 1:
        yield _single(*near.values())
    elif near:
        yield from _of_pairs(near)
        yield from _of_telling(near)
    yield _by_address(text)


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


def dates_in(text: str) -> tuple[date | None, int | None, str]:
    """Return the birth date or the year in a search, and the text without it."""
    for pattern, order in ((_DATE, (2, 1, 0)), (_ISO_DATE, (0, 1, 2))):
        match = pattern.search(text)
        if match is not None:
            numbers = [int(part) for part in match.groups() if part is not None]
            try:
                return date(*(numbers[place] for place in order)), None, text.replace(match.group(), " ")
            except ValueError:
                return None, None, text.replace(match.group(), " ")
    years = _YEAR.search(text)
    if years is not None:
        return None, int(years.group()), text.replace(years.group(), " ", 1)
    return None, None, text


def _fitness(asked: Sequence[Asked], found: Found) -> float:
    """Return the fitness of a patient to the words.

    Each word counts by its best fit in name or address; other parts of the name count a little against.
    """
    words = name_words(found.name)
    parts = (*words, *as_one(words))
    total = 0.0
    for one in asked:
        best = one.fitness(parts)
        if best < OF_ADDRESS and one.sound in address_words(found.address):
            best = OF_ADDRESS
        total += best
    return total - 0.05 * max(0, len(words) - len(asked))


def _alike(word: str, sound: str, part: str, other: str) -> float:
    """Return the fitness, 0 to 1.05, of a typed word and a part of a name, both with their sounds."""
    if part == word:
        return 1.05
    one_slip = min(len(word), len(part)) >= 4 and OSA.distance(word, part, score_cutoff=1) <= 1
    if other == sound:
        if one_slip:
            return 1.0
        return SPELLED_OTHERWISE if OSA.distance(word, part, score_cutoff=2) <= 2 else ONE_SLIP - 0.005
    likeness = max(JaroWinkler.similarity(word, part), JaroWinkler.similarity(sound, other))
    if likeness < 0.6:
        return 0.0
    nearness = max(OSA.normalized_similarity(word, part), OSA.normalized_similarity(sound, other))
    begins = 0.9 if part.startswith(word) or other.startswith(sound) else 0.0
    return max((likeness + nearness) / 2, begins, ONE_SLIP if one_slip else 0.0)

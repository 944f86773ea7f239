"""The counter's one search box: numbers, names with misspellings, dates, address words.

Every sound that occurs in a stored name is kept in memory with how often it occurs (some tens of
thousands, however many patients there are). A misspelt word is turned into the sounds that exist
and come near, these into a few hundred probes of the index, and what they bring is ranked.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations, zip_longest
from typing import Any, NamedTuple

from peewee import SQL, Expression, fn
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from core.addresses import address_words
from core.blocking import HOME_LETTERS, one_digit_off
from core.database import tuples
from core.identity import normalise_number
from core.likeness import USUAL_DAYS
from core.models import Patient, PatientKey
from core.names import COMMON_SOUNDS, as_one, fold, meant_sounds, name_sounds, name_words, phonetic
from core.probing import Probe, active_rows, among, between, keyed, patient_ids

NEAR = 64
"""Stored sounds that one typed word may stand for."""
POOL = 600
"""Patients that are ranked at most; what a probe brings beyond its share is cut off."""
GOOD = 0.93
"""Fitness per word from which somebody is taken to be meant, and nobody less alike is looked for."""
ONE_SLIP = 0.965
"""Fitness of a word of four letters or more with one letter wrong, too many, missing or swapped."""
SPELLED_OTHERWISE = 0.97
"""Fitness of a word that sounds the same in a spelling not far off."""
OF_ADDRESS = 0.7
"""Fitness of a word that is one of the address."""
FEW = 5
"""With fewer to show, somebody less alike may be meant after all."""
REMEMBERED = 2000
"""Words whose near sounds are kept: a name is searched for letter by letter, and the first word stays."""
CLOSEST = 40
"""Of the sounds near a word, those that are tried first."""
PROBES = 12
"""Values asked for at once, so that a frequent one cannot crowd out all the others."""
SHARE = POOL // 2
"""What one question to the index may bring of them."""
SCAN_BELOW = 100_000
"""Up to so many names, address words are also looked for by reading every row."""
DATE_LENGTH = len(" 1990-08-17")

_DATE = re.compile(r"\b(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})\b|\b(\d{2})(\d{2})((?:19|20)\d{2})\b")
_ISO_DATE = re.compile(r"\b((?:19|20)\d{2})-(\d{1,2})-(\d{1,2})\b")
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")


class Sounds:
    """Every sound of a stored name and how many patients bear it; follows the database by itself."""

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
        """How many name parts there are, over all patients."""
        return sum(self._counts.values())

    def refresh(self) -> None:
        """Read all sounds once, afterwards only those of patients changed since (also by other processes)."""
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
        """Stored sounds that a typed word may stand for: its own, what it begins, what it was meant to be."""
        known = self._near.get(word)
        if known is None:
            if len(self._near) >= REMEMBERED:
                self._near.clear()
            known = self._near[word] = self._nearest(word)
        return known

    def _nearest(self, word: str) -> list[str]:
        sound = phonetic(word)[:40]
        if len(sound) < 2:
            return [sound]
        meant = meant_sounds(word)
        with self._lock:
            found = [sound] if sound in self._counts else []
            found += sorted(meant & self._counts.keys(), key=lambda other: (-self._counts[other], other))
            reach = 1 if len(sound) < 4 else 2
            close: list[tuple[float, str]] = []
            begun: list[tuple[int, str]] = []
            for length, stored in self._by_length.items():
                if abs(length - len(sound)) <= reach:
                    hits = process.extract(
                        sound, stored, scorer=OSA.distance, score_cutoff=reach, limit=4 * NEAR
                    )
                    close += [
                        (distance - JaroWinkler.similarity(sound, hit), hit) for hit, distance, _ in hits
                    ]
            at = bisect_left(self._sorted, sound)
            for word in self._sorted[at : at + 2000]:
                if not word.startswith(sound):
                    break
                begun.append((-self._counts[word], word))
            close.sort(key=lambda hit: (hit[0], -self._counts[hit[1]]))
            begun.sort()
            found += [word for _, word in close[:NEAR]]
            found += [word for _, word in begun[: NEAR // 3]]
        return list(dict.fromkeys(found)) or [sound]

    def rarity(self, sound: str) -> int:
        """How many bear a sound."""
        return self._counts.get(sound, 0)


sounds = Sounds()
"""Of the database that is open."""


def by_number(text: str) -> list[Patient]:
    """Patients whose NIK, family card, BPJS, record or phone number this is.

    A NIK or BPJS number with a wrong digit finds its owner when nobody has it as it stands.
    """
    digits = normalise_number(text).lstrip("+")
    if not digits.isdigit() or len(digits) < 4:
        return []
    if digits.startswith("62") and 10 <= len(digits) <= 14:
        found = _where(Patient.phone == "0" + digits[2:])
        if found:
            return found
    if len(digits) == 16:
        return (
            _where(Patient.nik == digits)
            or _where(Patient.family_card_number == digits)
            or _where(among(Patient.nik, one_digit_off(digits, 16)))
        )
    if len(digits) == 13:
        return (
            _where(Patient.bpjs_number == digits)
            or _where(Patient.phone == digits)
            or _where(among(Patient.bpjs_number, one_digit_off(digits, 13)))
        )
    if len(digits) in {15, 17}:
        return _where(among(Patient.nik, one_digit_off(digits, 16)))
    if len(digits) <= 8:
        found = _where(Patient.medical_record_number == digits.zfill(8))
        return found or _where(Patient.phone == digits)
    return _where(Patient.phone == digits)


def _where(condition: Expression, limit: int = 20) -> list[Patient]:
    return list(
        Patient.select()
        .where(condition, Patient.voided_at.is_null())
        .order_by(Patient.birth_date)
        .limit(limit)
    )


class Asked:
    """A typed word, and how well the words of names answer it."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.sound = phonetic(word)[:40]
        self._fitness: dict[str, float] = {}

    def fitness(self, parts: Sequence[str]) -> float:
        """The best of the parts of a name; most have been met before, in the names around it."""
        best = 0.0
        for part in parts:
            known = self._fitness.get(part)
            if known is None:
                known = self._fitness[part] = _alike(self.word, self.sound, part, phonetic(part))
            if known > best:
                best = known
        return best


def by_words(text: str, limit: int) -> list[Patient]:
    """Patients whose name, birth date or address the words are, best first."""
    sounds.refresh()
    day, year, rest = dates_in(text)
    words = [word for word in name_words(rest) if word]
    asked = [Asked(word) for word in words]
    pool: dict[str, tuple[float, Found]] = {}

    def look(ids: Iterable[str], asked: Sequence[Asked], weight: float = 1.0) -> None:
        for found in _pool(list(ids)):
            if year is None or found.birth_date.startswith(f"{year}-"):
                fitness = _fitness(asked, found) * weight
                if found.id not in pool or pool[found.id][0] < fitness:
                    pool[found.id] = fitness, found

    def fits() -> bool:
        return any(fitness >= GOOD * len(asked) for fitness, _ in pool.values())

    for ids in _steps(asked, day, year, rest):
        look((id_ for id_ in ids if id_ not in pool), asked)
        if len(pool) >= min(FEW, limit) and fits():
            break
    if not fits():
        for reading in _joined_readings(words):
            look(next(_steps(reading, day, year, rest)), reading, len(asked) / len(reading))
    written = fold(rest)
    ranked = sorted(
        pool.values(), key=lambda one: (-one[0], fold(one[1].name) != written, one[1].name, one[1].id)
    )[:limit]
    rows = {p.id: p for p in Patient.select().where(Patient.id.in_([found.id for _, found in ranked]))}
    return [rows[found.id] for _, found in ranked]


def _joined_readings(words: Sequence[str]) -> Iterator[list[Asked]]:
    """The typed words with two neighbours read as one, `hidayat ullah`: where a name is parted is a matter of taste."""
    for place in range(min(len(words), 4) - 1):
        yield [Asked(word) for word in (*words[:place], words[place] + words[place + 1], *words[place + 2 :])]


class Found(NamedTuple):
    """The little of a patient that ranking looks at; hundreds are read for twenty that are shown."""

    id: str
    name: str
    birth_date: str
    """`YYYY-MM-DD`."""
    address: str


def _pool(ids: Sequence[str]) -> list[Found]:
    return [Found(*row) for row in active_rows(ids, Found._fields)]


def _steps(asked: Sequence[Asked], day: date | None, year: int | None, text: str) -> Iterator[list[str]]:
    """Ids worth ranking, step by step further from what was typed; the next step only when none fits well."""
    words = {one.sound: one.word for one in asked[:5]}
    typed = list(words)
    if day is not None:
        if f"{day:%m-%d}" not in USUAL_DAYS or not typed:
            yield [
                row[0]
                for row in tuples(Patient.select(Patient.id).where(Patient.birth_date == day).limit(POOL))
            ]
        else:
            yield _keyed(
                "name", [f"{other} {day}" for word in words.values() for other in sounds.near(word)], POOL
            )
        return
    near = {sound: sounds.near(word) for sound, word in words.items()}
    if year is not None:
        yield _of_year({sound: similar[:CLOSEST] for sound, similar in near.items()}, year)
        yield _of_year({sound: similar[CLOSEST:] for sound, similar in near.items()}, year)
    elif len(typed) == 1:
        yield _single(near[typed[0]])
    elif typed:
        yield from _of_pairs(near)
        telling = [sound for sound in typed if sound not in COMMON_SOUNDS] or typed
        for sound in sorted(telling, key=lambda sound: sum(map(sounds.rarity, near[sound])))[:2]:
            yield _single(near[sound][:8])
    yield _by_address(text)


def _of_pairs(near: dict[str, list[str]]) -> Iterator[list[str]]:
    """Bearers of two of the parts: as typed or with one of them misspelt, then with both."""
    # The rarest pair first: with a frequent one, whom it brings is chance.
    twos = sorted(
        combinations(near, 2), key=lambda two: sounds.rarity(two[0]) * sounds.rarity(two[1]) or POOL**3
    )
    found = patient_ids([keyed("pair", _joined([two]), SHARE) for two in twos[:3]])
    one_misspelt = _joined(
        pair
        for a, b in twos
        for x, y in zip_longest(near[a][:CLOSEST], near[b][:CLOSEST])
        for pair in ((a, y), (x, b))
    )
    if len(found) < POOL:
        found |= patient_ids([keyed("pair", some, SHARE) for some in _by_probes(one_misspelt)], POOL)
    yield list(found)
    one_far_off = [pair for a, b in twos for pair in (*((a, y) for y in near[b]), *((x, b) for x in near[a]))]
    both = [(x, y) for a, b in twos for x in near[a][:CLOSEST] for y in near[b][:CLOSEST]]
    yield _keyed("pair", _joined(one_far_off), SHARE) + _keyed("pair", _joined(both), SHARE)


def _joined(twos: Iterable[tuple[str | None, str | None]]) -> list[str]:
    """The values of `pair` keys; the same part twice is none."""
    return list(dict.fromkeys(" ".join(sorted((a, b))) for a, b in twos if a and b and a != b))


def _keyed(kind: str, values: Sequence[str], limit: int) -> list[str]:
    return list(patient_ids([keyed(kind, values, limit)]))


def _of_year(near: dict[str, list[str]], year: int) -> list[str]:
    """Who was born in the year and bears a part, the rarest first; before them, who answers more than one word."""
    met: Counter[str] = Counter()
    for similar in sorted(near.values(), key=lambda similar: sum(map(sounds.rarity, similar))):
        met.update(patient_ids([_born(sound, year, year) for sound in similar]).keys())
        if len(met) >= POOL:
            break
    return [patient_id for patient_id, _ in met.most_common(POOL)]


def _single(similar: Sequence[str]) -> list[str]:
    """Bearers of one sound or of those near it; whoever has no other name comes first."""
    found = patient_ids([keyed("pair", similar[:1], SHARE)])
    found |= patient_ids([keyed("pair", some, SHARE) for some in _by_probes(similar[1:])])
    if len(found) < POOL:
        spans = [_born(sound) for sound in similar]
        found |= patient_ids(spans, POOL)
    return list(found)


def _by_probes(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(values), PROBES):
        yield values[first : first + PROBES]


def _born(about: str, first: int = 0, last: int = 9999, kind: str = "name") -> Probe:
    """Who bears a sound, or lives somewhere, and was born in these years; whole dates, so that collations agree."""
    return between(kind, f"{about} {first:04d}-01-01", f"{about} {last:04d}-12-31", SHARE)


def _by_address(text: str) -> list[str]:
    words = address_words(text)
    numbers = sorted(word for word in words if word.isdigit())
    named = sorted((word for word in words if not word.isdigit()), key=lambda word: (-len(word), word))[:3]
    named = [word[:HOME_LETTERS] for word in named]
    values = [f"{word} {number}" for word in named for number in numbers]
    values += [f"{a} {b}" for a, b in combinations(sorted(named), 2)]
    ids = _keyed("home", values, POOL // 2) if values else []
    written = [word for word in fold(text).split() if len(word) > 2]
    if not ids and written and sounds.total < SCAN_BELOW:
        query = Patient.select(Patient.id)
        for word in written:
            query = query.where(fn.LOWER(Patient.address).contains(word))
        ids = [row[0] for row in tuples(query.limit(POOL // 2))]
    return ids


def dates_in(text: str) -> tuple[date | None, int | None, str]:
    """A birth date or a year in a search, and the text without it."""
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
    """How well a patient answers the words.

    Each counts by its best fit in name or address; what else the name holds counts a little against.
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
    """0..1.05 for a typed word and a part of a name, both with their sounds."""
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

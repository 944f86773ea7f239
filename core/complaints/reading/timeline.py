"""Place findings in time: history, treatment, errands and durations.

In:  the positions of "riwayat", "kontrol", "sejak", "tadi" and of times, and the occurrences of a complaint.
Out: the same occurrences with `temporality`, `is_followup`, `is_errand` and `days`: in "batuk 3 minggu,
     riwayat asma" the cough has lasted 21 days and the asthma is historical.

These modifiers act in both directions, so they are applied when the whole complaint is known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from core.complaints.language.grammar import GrammarRole
from core.complaints.reading.occurrences import Occurrence, Temporality, is_transparent

LONG_DAYS = 30.0
"""Days that "lama", "menahun" and "tidak sembuh-sembuh" count as: about the shortest course called chronic."""

YEARS_DAYS = 3650.0
"""Days that "sejak kecil", "dari dulu" and "bertahun-tahun" count as: so long that it is no illness of today."""

_LONG = "long"
"""Concept of "lama"."""
_NONSTOP = "nonstop"
"""Concept of "terus": what goes on is there."""
_FOR_YEARS = "for_years"
"""Concept of "sejak kecil"."""
_VAGUE_DAYS = {_LONG: LONG_DAYS, _FOR_YEARS: YEARS_DAYS}
"""Concept of a span without a figure -> days; the longest of several counts."""
_LEAST_YEARS_DAYS = 300.0
"""Days from which a span tells how long something has been there, and not since when it is worse or new."""

_Indexed = tuple[int, Occurrence]
"""An occurrence and its index in the complaint."""


class _Place(NamedTuple):
    """The place of a modifier in the complaint."""

    position: int
    clause: int


class _Duration(NamedTuple):
    """A time that something has lasted."""

    position: int
    clause: int
    days: float


@dataclass(frozen=True)
class _HistoryMark:
    """A word that makes findings historical."""

    position: int
    clause: int
    looks_back: bool
    """True for "waktu kecil" and "2 tahun lalu", which follow their finding; "riwayat" and "pernah" precede it."""


class Timeline:
    """The modifiers of time in one complaint."""

    def __init__(self, history_openers: Collection[str]) -> None:
        """Start empty.

        Args:
            history_openers: Concepts that limit a history which begins with one of them, such as asthma.
        """
        self._history_openers = history_openers
        self._terminators: set[int] = set()
        """Positions of "dan", "karena", "tapi"."""
        self._new_statements: set[int] = set()
        """Positions of "dengan", "mengeluh", "sekarang"."""
        self._history: list[_HistoryMark] = []
        self._recent: list[_Place] = []
        self._onset_clauses: set[int] = set()
        self._treated_clauses: set[int] = set()
        self._recovered_clauses: set[int] = set()
        self._worse_clauses: set[int] = set()
        """Clauses with "makin" or "tambah"."""
        self._errands: list[_Place] = []
        """Of "kontrol", "ambil obat", "minta rujukan"."""
        self._treatments: list[_Place] = []
        """The errands that are part of a treatment."""
        self._durations: list[_Duration] = []

    def hear(
        self,
        roles: Collection[str],
        position: int,
        clause: int,
        *,
        is_errand_over: bool,
        is_denied: bool = False,
    ) -> None:
        """Set down the modifiers of time in a word or phrase.

        Args:
            roles: `GrammarRole`s.
            position: Of its first token.
            clause: Number of its clause.
            is_errand_over: An errand named here lies in the past: "habis kontrol".
            is_denied: The words are denied: "belum enak".
        """
        place = _Place(position, clause)
        self._hear_boundaries(roles, place)
        if GrammarRole.HISTORICAL in roles:
            self._history.append(_HistoryMark(position, clause, looks_back=False))
        if GrammarRole.HISTORICAL_TIME in roles:
            self._history.append(_HistoryMark(position, clause, looks_back=True))
        if GrammarRole.ONSET in roles:
            self._onset_clauses.add(clause)
        if GrammarRole.TREATED in roles:
            self._treated_clauses.add(clause)
        if GrammarRole.RECOVERED in roles and not is_denied:
            self._recovered_clauses.add(clause)
        if GrammarRole.WORSENING in roles:
            self._worse_clauses.add(clause)
        if not is_errand_over:
            self._hear_errand(roles, place)

    def add_duration(self, position: int, clause: int, days: float, *, is_ago: bool) -> None:
        """Set down a time.

        Args:
            position: Of its first token.
            clause: Number of its clause.
            days: Its length.
            is_ago: It is a time of months or years ago: "2 tahun lalu", but not "sejak 2 tahun lalu".
        """
        self._durations.append(_Duration(position, clause, days))
        if is_ago and clause not in self._onset_clauses:
            self._history.append(_HistoryMark(position, clause, looks_back=True))

    def add_past_year(self, position: int, clause: int, *, least_days: float) -> None:
        """Set down a calendar year that is over: an event of "tahun 2019", the beginning in "sejak tahun 2019".

        Args:
            position: Of its token.
            clause: Number of its clause.
            least_days: Days that have surely passed since.
        """
        if clause not in self._onset_clauses:
            self._history.append(_HistoryMark(position, clause, looks_back=True))
        elif least_days:
            self._durations.append(_Duration(position, clause, least_days))

    def applied_to(
        self, occurrences: Sequence[Occurrence], asked_about: Collection[int], feared: Collection[int]
    ) -> Iterator[Occurrence]:
        """Yield the occurrences with the modifiers of time applied.

        Args:
            occurrences: All of the complaint, in order.
            asked_about: Indexes of those under "mau tanya soal": real when they are recent or have lasted some time.
            feared: Indexes of those under "takut kalau": real when they grow worse.
        """
        historical = self._historical(occurrences)
        days = self._days(occurrences)
        if not (historical or days or self._errands or asked_about or feared):
            yield from occurrences
            return
        recent_clauses = {place.clause for place in self._recent}
        real = {i for i in feared if self._grows_worse(occurrences[i])}
        real |= {*self._going_on(occurrences, asked_about), *(i for i in asked_about if i in days)}
        for index, occurrence in enumerate(occurrences):
            temporality = _temporality(occurrence, is_historical=index in historical, is_real=index in real)
            is_recent = occurrence.clause in recent_clauses
            yield self._dated(occurrence, temporality, days.get(index), is_recent=is_recent)

    def _going_on(self, occurrences: Sequence[Occurrence], asked_about: Collection[int]) -> Iterator[int]:
        """Yield those asked about that are of today or do not stop."""
        clauses = {place.clause for place in self._recent}
        clauses.update(o.clause for o in occurrences if _NONSTOP in o.concepts | o.word_concepts)
        return (index for index in asked_about if occurrences[index].clause in clauses)

    def _dated(
        self, occurrence: Occurrence, temporality: Temporality, days: float | None, *, is_recent: bool
    ) -> Occurrence:
        """Return the occurrence in its time, with the treatments and errands beside it."""
        # "kontrol kejang" is an old story; "kontrol kejang tadi pagi" is not.
        is_followup = not is_recent and self._is_beside_any(occurrence, self._treatments)
        is_errand = self._is_errand(occurrence, is_new=is_recent or days is not None)
        if days is not None and days >= _LEAST_YEARS_DAYS and (is_recent or self._grows_worse(occurrence)):
            # "sesak sejak kecil, sekarang makin berat": what is new or worse is of today.
            days = None
        found = (temporality, is_followup, is_errand, days)
        if found == (occurrence.temporality, False, False, None):
            return occurrence
        return replace(
            occurrence, temporality=temporality, is_followup=is_followup, is_errand=is_errand, days=days
        )

    def _grows_worse(self, occurrence: Occurrence) -> bool:
        """Return whether "makin" is said with the finding, or in the clause after it."""
        return not self._worse_clauses.isdisjoint((occurrence.clause, occurrence.clause + 1))

    def _hear_boundaries(self, roles: Collection[str], place: _Place) -> None:
        is_recent = GrammarRole.RECENT in roles
        if is_recent:
            self._recent.append(place)
        if is_recent or GrammarRole.NEW_STATEMENT in roles:
            self._new_statements.add(place.position)
            self._terminators.add(place.position)
        if GrammarRole.TERMINATE in roles:
            self._terminators.add(place.position)

    def _hear_errand(self, roles: Collection[str], place: _Place) -> None:
        is_treatment = GrammarRole.FOLLOWUP in roles
        if is_treatment:
            self._treatments.append(place)
        if is_treatment or GrammarRole.REQUEST in roles:
            self._errands.append(place)

    def _is_errand(self, occurrence: Occurrence, *, is_new: bool) -> bool:
        """Return whether an errand applies: "stroke, minta rujukan" speaks for the whole visit unless it is new."""
        if self._errands and not is_new:
            return True
        return self._is_beside_any(occurrence, self._errands)

    def _is_beside_any(self, occurrence: Occurrence, places: Iterable[_Place]) -> bool:
        return any(self._is_beside(occurrence, place) for place in places)

    def _is_beside(self, occurrence: Occurrence, place: _Place) -> bool:
        """True in one clause without a terminator in between."""
        is_same_clause = place.clause == occurrence.clause
        return is_same_clause and not _any_between(self._terminators, place.position, occurrence.first)

    def _historical(self, occurrences: Sequence[Occurrence]) -> set[int]:
        """Indexes of the occurrences that a history covers."""
        treated = self._treated_and_well()
        covered = {index for index, o in enumerate(occurrences) if o.clause in treated}
        for mark in self._history:
            covered |= self._covered(mark, occurrences)
        return covered

    def _treated_and_well(self) -> set[int]:
        """The clauses of a treatment that a later clause says to have helped: "sesak ke igd, sekarang sudah baik"."""
        last = max(self._recovered_clauses, default=-1)
        return {
            clause for clause in self._treated_clauses if clause < last and clause not in self._worse_clauses
        }

    def _covered(self, mark: _HistoryMark, occurrences: Sequence[Occurrence]) -> set[int]:
        """Indexes of the occurrences that one word of history covers."""
        before, after = self._around(mark, occurrences)
        if self._is_recent(mark, occurrences, has_after=bool(after)):
            return set()
        if mark.looks_back:
            # "kejang waktu kecil", or else "waktu kecil kejang".
            has_finding = any(not is_transparent(occurrence.concepts) for _, occurrence in before)
            return _indexes(before if has_finding else after)
        return _indexes(self._opened_by(after) if after else before)

    def _around(
        self, mark: _HistoryMark, occurrences: Sequence[Occurrence]
    ) -> tuple[list[_Indexed], list[_Indexed]]:
        """The occurrences of its clause before and after a word of history, up to a new statement."""
        before: list[_Indexed] = []
        after: list[_Indexed] = []
        for index, occurrence in enumerate(occurrences):
            is_mark_itself = occurrence.first <= mark.position <= occurrence.last
            if occurrence.clause != mark.clause or is_mark_itself:
                continue
            if not _any_between(self._new_statements, occurrence.first, mark.position):
                side = before if occurrence.first < mark.position else after
                side.append((index, occurrence))
        return before, after

    def _opened_by(self, after: Iterable[_Indexed]) -> Iterator[_Indexed]:
        """Yield the occurrences after "riwayat" that belong to the history.

        A history that begins with a disease or an accident ends at the first finding of another kind:
        "riwayat asma nyeri dada".
        """
        begins_with_opener = None
        for index, occurrence in after:
            is_opener = not occurrence.concepts.isdisjoint(self._history_openers)
            if begins_with_opener is None and not is_transparent(occurrence.concepts):
                begins_with_opener = is_opener
            elif begins_with_opener and not is_opener:
                return
            yield index, occurrence

    def _is_recent(self, mark: _HistoryMark, occurrences: Sequence[Occurrence], *, has_after: bool) -> bool:
        """True in "tadi pernah pingsan" and "pernah pingsan tadi", not in "pernah pingsan, sekarang batuk"."""
        if mark.looks_back:
            return False
        recent = [place.position for place in self._recent if place.clause == mark.clause]
        if not recent:
            return False
        last = max((o.first for o in occurrences if o.clause == mark.clause), default=-1)
        closes_clause = has_after and max(recent) >= last
        return closes_clause or min(recent) < mark.position

    def _days(self, occurrences: Sequence[Occurrence]) -> dict[int, float]:
        """Index of an occurrence -> its duration in days.

        "lama" counts only where no number was given, and not in "dari kemarin tidak sembuh".
        """
        of_late = {place.clause for place in self._recent} & self._onset_clauses
        vague = [
            _Duration(occurrence.first, occurrence.clause, _vague_days(occurrence))
            for occurrence in occurrences
            if _vague_days(occurrence) and occurrence.clause not in of_late
        ]
        return {**_attached(vague, occurrences), **_attached(self._durations, occurrences)}


def _temporality(occurrence: Occurrence, *, is_historical: bool, is_real: bool) -> Temporality:
    if is_historical:
        return Temporality.HISTORICAL
    return Temporality.RECENT if is_real else occurrence.temporality


def _vague_days(occurrence: Occurrence) -> float:
    """Return the days of a span without a figure, 0 where the words tell none."""
    if occurrence.negated:
        return 0.0
    return max((days for concept, days in _VAGUE_DAYS.items() if concept in occurrence.concepts), default=0.0)


def _any_between(positions: Iterable[int], one: int, other: int) -> bool:
    """True when a position lies after the earlier of two places, up to the later one."""
    low, high = min(one, other), max(one, other)
    return any(low < position <= high for position in positions)


def _indexes(indexed: Iterable[_Indexed]) -> set[int]:
    return {index for index, _ in indexed}


def _attached(durations: Collection[_Duration], occurrences: Sequence[Occurrence]) -> dict[int, float]:
    """Give each duration to its occurrences; the longest counts."""
    days: dict[int, float] = {}
    if not durations:
        return days
    symptoms = [
        (index, o) for index, o in enumerate(occurrences) if _VAGUE_DAYS.keys().isdisjoint(o.concepts)
    ]
    previous = -1
    for duration in sorted(durations):
        for index in _symptoms_of(duration, previous, symptoms):
            days[index] = max(duration.days, days.get(index, 0.0))
        previous = duration.position
    return days


def _symptoms_of(duration: _Duration, previous: int, symptoms: Iterable[_Indexed]) -> list[int]:
    """Indexes of the occurrences that a duration belongs to.

    Those before it in its clause, back to the previous duration ("batuk 3 minggu"); or else those after it
    ("sudah 3 minggu batuk"); or else the clause before ("batuk, 3 minggu").
    """
    before: list[int] = []
    after: list[int] = []
    clause_before: list[int] = []
    for index, occurrence in symptoms:
        if occurrence.clause == duration.clause - 1:
            clause_before.append(index)
        elif occurrence.clause != duration.clause:
            continue
        elif previous < occurrence.first < duration.position:
            before.append(index)
        elif occurrence.first > duration.position:
            after.append(index)
    return before or after or clause_before

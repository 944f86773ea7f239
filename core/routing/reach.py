"""How far denial, history, worry, errands and times reach over what a complaint says.

A word of grammar reaches as far as its sentence does, not over all of the clause: "riwayat asma
dengan nyeri dada" tells of an old asthma and a chest that hurts now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from core.routing.stream import Filler

LONG_DAYS = 30.0
"""What "lama", "menahun", "tidak sembuh-sembuh" count as."""

_LONG = "long"
_EASILY = "over_easily"
_QUESTION = ("manifest", "which")
"""The roles of the words that together ask what a disease is like: "gejala stroke apa saja"."""


@dataclass(frozen=True)
class Occurrence:
    """A concept said once."""

    concepts: frozenset[str]
    words: str
    """As typed, lower case."""
    first: int
    """Position of its first and last word in the complaint, fillers not counted."""
    last: int
    clause: int
    part: int = 0
    """Which of the things told one after the other it belongs to: a comma or "dan" begins another."""
    denied: bool = False
    past: bool = False
    """"riwayat", "tahun lalu", "takut kena": said of another time, or of what may come."""
    is_idle: bool = False
    """"biar tidak gampang pingsan", "stroke itu gejalanya apa": nobody has it, and it is no reason to come."""
    followup: bool = False
    """"kontrol", "ambil obat" beside it: said of something already being treated."""
    errand: bool = False
    """The same, or "minta rujukan", anywhere in the complaint, and nothing says that this is new."""
    days: float | None = None
    """How long it has lasted, when said."""
    parts: frozenset[str] = frozenset()
    """For a phrase, what its words say by themselves: for danger signs, and for a second look where the
    phrase leads nowhere."""
    is_aside: bool = False
    """A filler that also means something ("kanan", "sudah"): heard by rules only, nothing to learn from."""
    is_whole: bool = False
    """An idiom ("darah tinggi") or a phrase with "tidak": its words by themselves are no danger sign."""


@dataclass(frozen=True)
class _Mark:
    """A word that puts what it reaches into another time."""

    position: int
    clause: int
    is_time: bool
    """True for "waktu kecil", "2 tahun lalu": it closes what it tells of; "riwayat", "pernah" open it."""


@dataclass
class Reach:
    """What has been said so far, and which words of grammar still hold."""

    named: Collection[str]
    """Concepts that are diseases: feared by name, and carried for years."""
    had: Collection[str]
    """Concepts that a history begins with: what comes after them is of today."""
    dreaded: Collection[str]
    """Concepts that are done to people: who is afraid of one has not come for it."""
    occurrences: list[Occurrence] = field(default_factory=list)
    clause: int = 0
    part: int = 0
    """How often a comma or "dan" has begun something else."""
    _asides: list[Occurrence] = field(default_factory=list)
    """What fillers mean."""
    age_days: float | None = None
    """An age written in the complaint."""
    denies: bool = False
    """After "tidak": the next thing said is denied."""
    _denied_before: bool = False
    """After a denied thing: "atau" carries the denial on, anything else ends it."""
    _denies_all: bool = False
    """After "bukan": everything up to the end of the clause or a "tapi" is what it is not."""
    _feared: bool = False
    """After "takut kena": the next thing said has not happened."""
    _feared_all: bool = False
    """After "supaya tidak", "mencegah": nothing up to the end of the clause or a "tapi" has."""
    _prone: bool = False
    """After "supaya tidak gampang": it is not even there."""
    _afraid: bool = False
    """After "takut": a disease named next has not happened, and an injection is not asked for; what is seen has."""
    _asked_about: set[int] = field(default_factory=set)
    """Indexes of what "tanya soal" is about: it may well be of today."""
    _about: bool = False
    _asks: dict[str, set[int]] = field(default_factory=lambda: {role: set() for role in _QUESTION})
    """The clauses with "gejalanya", and those with "apa": in both, a disease is asked about as such."""
    _resolved: set[int] = field(default_factory=set)
    """Indexes of what "sembuh" denied, until "kambuh lagi" takes it back."""
    _history: list[_Mark] = field(default_factory=list)
    _errands: list[tuple[int, int]] = field(default_factory=list)
    """(position, clause) of "kontrol", "ambil obat", "minta rujukan"."""
    _treated: list[tuple[int, int]] = field(default_factory=list)
    """The same of those that tell of a treatment."""
    _turns: set[int] = field(default_factory=set)
    """Positions where something else begins: "tapi", "datang", "sekarang"."""
    _breaks: set[int] = field(default_factory=set)
    """The same, and "dan", "karena"."""
    _recent: list[tuple[int, int]] = field(default_factory=list)
    _durations: list[tuple[int, int, float]] = field(default_factory=list)
    """(position, clause, days)."""
    _onset_clauses: set[int] = field(default_factory=set)

    def enter(self, clause: int) -> None:
        """Begin a token; what was denied or feared ends with its clause."""
        if clause != self.clause:
            self.clause = clause
            self.part += 1
            self.forget()

    def pass_filler(self, filler: Filler) -> None:
        """Hear a word that phrases pass over."""
        self.enter(filler.clause)
        if filler.concepts:
            place = filler.position
            self._asides.append(
                Occurrence(
                    filler.concepts, filler.word, place, place, filler.clause, self.part, is_aside=True
                )
            )
        self.hear(filler.roles, filler.position)

    def forget(self) -> None:
        """What was denied or feared ends here."""
        self.denies = self._denied_before = self._denies_all = False
        self._feared = self._feared_all = self._prone = self._afraid = self._about = False

    def pass_over(self) -> None:
        """A word that says nothing ends what "tidak" denied: "tidak masuk kerja karena demam"."""
        self.denies = self._denied_before = self._feared = self._afraid = False

    def deny_all(self) -> None:
        """After "bukan"."""
        self._denies_all = True

    def say(
        self,
        meanings: frozenset[str],
        words: str,
        first: int,
        last: int,
        *,
        parts: frozenset[str] = frozenset(),
        is_whole: bool = False,
    ) -> None:
        """Take something as said, denied or feared as the words before it tell."""
        is_dreaded = self._afraid and not meanings.isdisjoint(self.dreaded)
        denied = self.denies or self._denies_all or is_dreaded
        self._prone = self._prone or (self._feared_all and _EASILY in meanings | parts)
        is_feared = self._feared or self._feared_all or (self._afraid and not meanings.isdisjoint(self.named))
        if self._about:
            self._asked_about.add(len(self.occurrences))
        self.occurrences.append(
            Occurrence(
                meanings,
                words,
                first,
                last,
                self.clause,
                self.part,
                denied=denied,
                past=is_feared,
                is_idle=self._prone,
                parts=parts,
                is_whole=is_whole,
            )
        )
        if not passed_over(meanings):
            self._feared = self._afraid = self._about = False
        if denied and not passed_over(meanings):
            self.denies, self._denied_before = False, True
        elif not denied:
            self._denied_before = False

    def say_measured(self, meanings: frozenset[str], words: str, first: int, last: int) -> None:
        """Take a value as said and true, whatever "tidak" stood before."""
        self.denies = self._denied_before = False
        if meanings:
            self.occurrences.append(Occurrence(meanings, words, first, last, self.clause, self.part))

    def hear(self, roles: Collection[str], position: int) -> None:
        """Let words of grammar take hold that do so before what they stand in is said."""
        if "negation" in roles:
            self.denies = True
        if "or" in roles:
            self.denies = self.denies or self._denied_before
        if "joins" in roles:
            self.part += 1
        if "break" in roles:
            self.forget()
            self._breaks.add(position)
        if "turn" in roles or "recent" in roles:
            self._turns.add(position)
            self._breaks.add(position)
            self._feared = self._feared_all = self._prone = False
        for role in _QUESTION:
            if role in roles and not self.denies:
                self._asks[role].add(self.clause)
        for role, is_time in (("past", False), ("past_time", True)):
            if role in roles:
                self._history.append(_Mark(position, self.clause, is_time))
        if "recent" in roles:
            self._recent.append((position, self.clause))
        if "onset" in roles:
            self._onset_clauses.add(self.clause)
        if not {"followup", "request"}.isdisjoint(roles) and not self._is_after(position):
            self._errands.append((position, self.clause))
            if "followup" in roles:
                self._treated.append((position, self.clause))
        if "again" in roles:
            self._return()
        if "fine" in roles:
            self._find_fine(position)
        if "resolved" in roles:
            if any(o.clause == self.clause and "after" not in o.concepts for o in self.occurrences):
                self._resolved |= self.deny_last()
            else:
                # "sembuh dari sesak", "habis sembuh DBD" name it afterwards.
                self.denies = True

    def hear_after(self, roles: Collection[str]) -> None:
        """The same for those that reach over the next thing only: who fears something is really afraid."""
        if "resolved" in roles and self._resolved:
            # "hilang" itself is over and back again with what it tells of.
            self._resolved.add(len(self.occurrences) - 1)
        self._feared = self._feared or "worry" in roles or "about" in roles
        self._about = self._about or "about" in roles
        self._feared_all = self._feared_all or "purpose" in roles
        self._afraid = self._afraid or "fear" in roles

    def _is_after(self, position: int) -> bool:
        """True in "habis kontrol": the errand is over."""
        last = self.occurrences[-1] if self.occurrences else None
        return last is not None and last.last == position - 1 and "after" in last.concepts

    def _find_fine(self, position: int) -> None:
        """`tensi normal`, "ketuban masih bagus": that is no complaint of today; not so in "tidak normal", "kurang baik"."""
        last = self.occurrences[-1] if self.occurrences else None
        if self.denies or last is None or last.clause != self.clause:
            self.denies = False
        elif last.last >= position - 2 and "fewer" not in last.concepts:
            self.occurrences[-1] = replace(last, past=True)

    def _return(self) -> None:
        """`sesak sudah hilang, sekarang kambuh lagi`: what was last said to be over is there again."""
        if len(self.occurrences) - 1 in self._resolved:
            for index in self._resolved:
                self.occurrences[index] = replace(self.occurrences[index], denied=False)

    def deny_last(self) -> set[int]:
        """`sesak (-)`, "sesak sudah sembuh": deny the thing said just before in the clause; its indexes."""
        denied = set()
        for index in range(len(self.occurrences) - 1, -1, -1):
            occurrence = self.occurrences[index]
            if occurrence.clause != self.clause:
                break
            self.occurrences[index] = replace(occurrence, denied=True)
            denied.add(index)
            if not passed_over(occurrence.concepts):
                break
        return denied

    def deny_question(self) -> None:
        """`sesak kalau jalan? tidak`: deny all of the question."""
        self.occurrences[:] = [
            replace(occurrence, denied=True) if occurrence.clause == self.clause - 1 else occurrence
            for occurrence in self.occurrences
        ]

    def note_age(self, days: float) -> None:
        """An age: the first counts."""
        self.age_days = days if self.age_days is None else self.age_days

    def note_duration(self, position: int, days: float, *, is_long_ago: bool) -> None:
        """A time that something has lasted, or "3 bulan lalu"."""
        self._durations.append((position, self.clause, days))
        if is_long_ago and self.clause not in self._onset_clauses:
            self._history.append(_Mark(position, self.clause, is_time=True))

    def finished(self) -> Iterator[Occurrence]:
        """All that was said, with time, history and errands put in."""
        past = set().union(*(self._covered(mark) for mark in self._history)) if self._history else set()
        timed = self._timed()
        of_late = {clause for _, clause in self._recent}
        questions = set.intersection(*self._asks.values())
        for index, occurrence in enumerate(self.occurrences):
            if occurrence.clause in questions and not occurrence.concepts.isdisjoint(self.named):
                yield replace(occurrence, past=True, is_idle=True)
                continue
            # "stroke, minta rujukan": an errand speaks for the whole visit, unless this is said to be new.
            is_new = occurrence.clause in of_late or index in timed
            is_asked = index in self._asked_about and occurrence.clause in of_late
            is_past = (occurrence.past and not is_asked) or index in past
            # "kontrol kejang" is an old story, "kontrol, kejang sejak semalam" and "kontrol kejang tadi pagi" are none.
            beside = occurrence.clause not in of_late and any(
                self._beside(occurrence, mark) for mark in self._treated
            )
            errand = any(self._beside(occurrence, mark) for mark in self._errands)
            errand = errand or (bool(self._errands) and not is_new)
            days = timed.get(index)
            if (is_past, beside, errand, days) == (occurrence.past, False, False, None):
                yield occurrence
            else:
                yield replace(occurrence, past=is_past, followup=beside, errand=errand, days=days)
        yield from self._asides

    def _beside(self, occurrence: Occurrence, mark: tuple[int, int]) -> bool:
        """True in one clause with nothing in between that begins something else."""
        position, clause = mark
        low, high = sorted((position, occurrence.first))
        return clause == occurrence.clause and not any(low < other <= high for other in self._breaks)

    def _covered(self, mark: _Mark) -> set[int]:
        """Indexes of what a word of history reaches."""
        said = [
            (i, o)
            for i, o in enumerate(self.occurrences)
            if o.clause == mark.clause and not (o.first <= mark.position <= o.last)
        ]
        before = [
            (i, o) for i, o in said if o.first < mark.position and not self._turned(o.first, mark.position)
        ]
        after = [
            (i, o) for i, o in said if o.first > mark.position and not self._turned(mark.position, o.first)
        ]
        if self._is_recent(mark, after):
            return set()
        if mark.is_time:
            # "kejang waktu kecil"; "waktu kecil kejang".
            return (
                {i for i, _ in before}
                if any(not passed_over(o.concepts) for _, o in before)
                else set(dict(after))
            )
        if not after:
            return set(dict(before))
        return set(self._told(after))

    def _told(self, after: list[tuple[int, Occurrence]]) -> Iterator[int]:
        """A history that begins with a disease or an accident tells of those only: "riwayat asma nyeri dada"."""
        begins_with_had = None
        for index, occurrence in after:
            is_had = not occurrence.concepts.isdisjoint(self.had)
            if begins_with_had is None and not passed_over(occurrence.concepts):
                begins_with_had = is_had
            elif begins_with_had and not is_had:
                return
            yield index

    def _turned(self, begin: int, end: int) -> bool:
        return any(begin < turn <= end for turn in self._turns)

    def _is_recent(self, mark: _Mark, after: list[tuple[int, Occurrence]]) -> bool:
        """True in "tadi pernah pingsan" and "pernah pingsan tadi", not in "pernah pingsan, sekarang batuk"."""
        for position, clause in self._recent:
            if clause != mark.clause or mark.is_time:
                continue
            later = [o for o in self.occurrences if o.clause == clause and o.first > position]
            if position < mark.position or (after and not later):
                return True
        return False

    def _timed(self) -> dict[int, float]:
        """Index of an occurrence -> its days.

        A duration belongs to everything said before it since the last one; when nothing was, to what
        follows in its clause ("sudah 3 minggu batuk"), or else to the clause before ("batuk, 3 minggu").
        "lama" counts only where no number was given, and not in "dari kemarin tidak sembuh".
        """
        of_late = {clause for _, clause in self._recent} & self._onset_clauses
        vague = [
            (occurrence.first, occurrence.clause, LONG_DAYS)
            for occurrence in self.occurrences
            if _LONG in occurrence.concepts and not occurrence.denied and occurrence.clause not in of_late
        ]
        return {**_attached(vague, self.occurrences), **_attached(self._durations, self.occurrences)}


@lru_cache(maxsize=4096)
def passed_over(concepts: frozenset[str]) -> bool:
    """True for places on the body and helping words: "tidak" reaches past them to what is felt."""
    return all(concept.startswith("at_") for concept in concepts) or any(
        concept.startswith("over_") for concept in concepts
    )


def _attached(marks: list[tuple[int, int, float]], occurrences: list[Occurrence]) -> dict[int, float]:
    timed: dict[int, float] = {}
    start = -1
    symptoms = [(i, o) for i, o in enumerate(occurrences) if _LONG not in o.concepts]
    for position, clause, days in sorted(marks):
        members = [i for i, o in symptoms if o.clause == clause and start < o.first < position]
        if not members:
            members = [i for i, o in symptoms if o.clause == clause and o.first > position]
        if not members:
            members = [i for i, o in symptoms if o.clause == clause - 1]
        for index in members:
            timed[index] = max(days, timed.get(index, 0.0))
        start = position
    return timed

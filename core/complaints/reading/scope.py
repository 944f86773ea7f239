"""Scope of the words that negate, doubt or date a finding, after the ConText algorithm.

In:  the roles and meanings of a complaint's words, in order: "tidak", "demam", "tapi", "sesak".
Out: `Occurrence`s with their context: demam is negated, sesak is affirmed.

A modifier has one of three directions.

- Forward: "tidak", "takut kena" and "biar tidak" open a scope for the words after them.
  `FORWARD_RULES` lists the role that opens each scope and the events that end it.
- Backward: "sembuh", "normal" and "(-)" change the finding just before.
- Both: "riwayat", "kontrol" and "3 minggu" are set down in a `Timeline` and applied at the end of the complaint.

A scope ends with its statement, often before the end of the clause: "riwayat asma dengan nyeri dada" is an old
asthma and a chest pain of today.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from core.complaints.language.grammar import GrammarRole
from core.complaints.reading.occurrences import Occurrence, Temporality, is_transparent
from core.complaints.reading.timeline import Timeline
from core.complaints.reading.token_stream import Filler

_PRONE_TO = "over_easily"
"""Concept of "gampang" and "mudah": with a prevention, the finding is not there at all."""

_AFTER = "after"
"""Concept of "habis" and "setelah"."""

_FEWER = "fewer"
"""Concept of "kurang" and "berkurang"."""

_NORMAL_SPAN = 2
"""Most tokens from a finding to its "normal": "ketuban masih bagus"."""


_DONE = "done"
"""Concept of "sudah": what is said after it is there."""

_FORCEFUL = frozenset({"severe", "nonstop", "sudden", "unbearable", "very", "much"})
"""Concepts of words that nobody says of a finding in a list of denied ones."""


class Scope(StrEnum):
    """A forward scope that can be open."""

    NEGATED = "negated"
    NEGATED_CLAUSE = "negated_clause"
    RESUMABLE_NEGATION = "resumable_negation"
    DENIED_LIST = "denied_list"
    HYPOTHETICAL = "hypothetical"
    HYPOTHETICAL_CLAUSE = "hypothetical_clause"
    GENERIC_CLAUSE = "generic_clause"
    FEARED = "feared"
    ASKED_ABOUT = "asked_about"
    ASKED_CLAUSE = "asked_clause"
    FEARED_CASE = "feared_case"
    LIKENED = "likened"


class ScopeEnd(StrEnum):
    """An event that can end a forward scope."""

    CLAUSE = "clause"
    """Punctuation."""
    TERMINATOR = "terminator"
    """"dan", "karena", "tapi"."""
    NEW_STATEMENT = "new_statement"
    """"dengan", "mengeluh", "sekarang"."""
    FINDING = "finding"
    """A finding to which the scope applies; places on the body are passed over."""
    MEASUREMENT = "measurement"
    """"tensi 180/110": a value is always affirmed."""
    UNKNOWN_WORD = "unknown_word"
    """A word without a meaning here: "tidak masuk kerja karena demam"."""


@dataclass(frozen=True)
class ForwardRule:
    """The roles that open a forward scope and the events that end it."""

    scope: Scope
    opened_by: frozenset[GrammarRole]
    """Roles that open it after their own phrase; empty for scopes that the interpreter opens itself."""
    ended_by: frozenset[ScopeEnd]
    """The end of the clause and a terminator are always among them."""


def _rule(scope: Scope, opened_by: tuple[GrammarRole, ...], *ended_by: ScopeEnd) -> ForwardRule:
    always = (ScopeEnd.CLAUSE, ScopeEnd.TERMINATOR)
    return ForwardRule(scope, frozenset(opened_by), frozenset((*always, *ended_by)))


FORWARD_RULES = (
    # "tidak demam": the next finding.
    _rule(Scope.NEGATED, (), ScopeEnd.FINDING, ScopeEnd.MEASUREMENT, ScopeEnd.UNKNOWN_WORD),
    # "bukan karena jatuh": everything up to a terminator.
    _rule(Scope.NEGATED_CLAUSE, ()),
    # "tidak demam atau batuk": open after a negated finding; "atau" negates the next one too.
    _rule(Scope.RESUMABLE_NEGATION, (), ScopeEnd.MEASUREMENT, ScopeEnd.UNKNOWN_WORD),
    # "tidak ada demam dan batuk": open after a finding that "tidak ada" denied; "dan" denies the next one too.
    _rule(Scope.DENIED_LIST, (), ScopeEnd.NEW_STATEMENT, ScopeEnd.MEASUREMENT, ScopeEnd.UNKNOWN_WORD),
    # "takut kena rabies", "mau tanya soal stroke": the next finding.
    _rule(
        Scope.HYPOTHETICAL,
        (GrammarRole.HYPOTHETICAL, GrammarRole.ASKED_ABOUT),
        ScopeEnd.FINDING,
        ScopeEnd.NEW_STATEMENT,
        ScopeEnd.UNKNOWN_WORD,
    ),
    # "biar tidak pingsan muntah": everything up to a terminator or a new statement.
    _rule(Scope.HYPOTHETICAL_CLAUSE, (GrammarRole.PREVENTION,), ScopeEnd.NEW_STATEMENT),
    # "biar tidak gampang pingsan": nobody has fainted.
    _rule(Scope.GENERIC_CLAUSE, (), ScopeEnd.NEW_STATEMENT),
    # "takut stroke", "takut disuntik": a disease or procedure; in "takut, dada sakit" the pain is real.
    _rule(Scope.FEARED, (GrammarRole.FEARED,), ScopeEnd.FINDING, ScopeEnd.UNKNOWN_WORD),
    # "mau tanya soal batuk dari kemarin": the next finding, which counts again when it is recent.
    _rule(Scope.ASKED_ABOUT, (GrammarRole.ASKED_ABOUT,), ScopeEnd.FINDING),
    # "tanya cara menolong orang tersedak": everything, up to "saya", unless it is said to be of today.
    _rule(Scope.ASKED_CLAUSE, (), ScopeEnd.NEW_STATEMENT),
    # "sakit kayak ditusuk": the blow named next is none, the pain is.
    _rule(Scope.LIKENED, (GrammarRole.LIKENS,), ScopeEnd.FINDING, ScopeEnd.UNKNOWN_WORD),
    # "takut kalau pingsan": the next finding, a visible sign too, unless it is said to grow worse.
    _rule(Scope.FEARED_CASE, (), ScopeEnd.FINDING),
)

_THOUGHT_OF = (Scope.HYPOTHETICAL, Scope.HYPOTHETICAL_CLAUSE, Scope.ASKED_CLAUSE, Scope.FEARED_CASE)
_LISTS = frozenset({Scope.DENIED_LIST, Scope.RESUMABLE_NEGATION})
_OPENED_BY = tuple((role, rule.scope) for rule in FORWARD_RULES for role in sorted(rule.opened_by))
_ENDED_BY: Mapping[ScopeEnd, frozenset[Scope]] = {
    end: frozenset(rule.scope for rule in FORWARD_RULES if end in rule.ended_by) for end in ScopeEnd
}


class _Context(NamedTuple):
    """The effect of the open scopes on one occurrence."""

    is_negated: bool
    temporality: Temporality
    is_generic: bool


_NO_CONTEXT = _Context(is_negated=False, temporality=Temporality.RECENT, is_generic=False)


class ScopeInterpreter:
    """Applies the modifiers of a complaint to its findings, token by token.

    Feed it the tokens in order (`enter`, `hear`, `mention`, `open_scopes`, ...), then read `finished`.
    """

    def __init__(
        self,
        *,
        diseases: Collection[str],
        history_openers: Collection[str],
        procedures: Collection[str],
        functions: Collection[str],
        guessed: Collection[str] = (),
        figures: frozenset[str] = frozenset(),
    ) -> None:
        """Start before the first token.

        Args:
            diseases: Concepts that people fear by name: "takut stroke" is hypothetical.
            history_openers: Concepts that limit a history which begins with one of them.
            procedures: Concepts of procedures: "takut disuntik" is no request for an injection.
            functions: Concepts of what a body does ("napas", "respon"): a denied one is a finding, and begins no list.
            guessed: Concepts of diseases that laymen give a pain for a name: "angin duduk kata tukang pijat".
            figures: Concepts that are a figure of speech after "kayak": "kayak ditusuk" tells of no stab.
        """
        self.clause = 0
        self._segment = 0
        self._open: frozenset[Scope] = frozenset()
        self._diseases = diseases
        self._guessed = guessed
        self._figures = figures
        self._procedures = procedures
        self._functions = functions
        self._denies_existence = False
        """True from a "tidak ada" to the finding that it denies."""
        self._listed: set[int] = set()
        """Indexes of occurrences that only the continuation of a list denies."""
        self._conjunction = -1
        """Position of the last "dan" or "sama": in "sama sekali" the second word forces nothing."""
        self._occurrences: list[Occurrence] = []
        self._asides: list[Occurrence] = []
        self._asked_about: set[int] = set()
        """Indexes of occurrences that "tanya soal" is about."""
        self._feared_cases: set[int] = set()
        """Indexes of occurrences that "takut kalau" is about."""
        self._not_yet_at = -2
        """Position of the last "belum"."""
        self._question_word_at = -2
        """Position of the last "bagaimana"."""
        self._asking_clause = -1
        """The last clause with "tanya"."""
        self._fear_clause = -1
        """The last clause with "takut": "takut imunisasi bikin lumpuh" tells of no palsy."""
        self._supposed_from = 0
        """Index of the first occurrence after the last "kalau"."""
        self._supposed_clause = -1
        """The clause of the last "kalau"."""
        self._feared: set[int] = set()
        """Indexes of occurrences that "takut" names."""
        self._thought_of: set[int] = set()
        """Indexes of occurrences that a later word shows to be only thought of."""
        self._resolved: set[int] = set()
        """Indexes of occurrences that "sembuh" negated, for "kambuh lagi" to take back."""
        self._question_topics: set[int] = set()
        """Clauses with "gejalanya" or "bedanya"."""
        self._question_words: set[int] = set()
        """Clauses with "apa" or "gimana"."""
        self._hearsay_clauses: set[int] = set()
        """Clauses with "kata dukun"."""
        self._correction_at = -1
        """Position of the last "padahal"."""
        self.timeline = Timeline(history_openers)

    def enter(self, clause: int) -> None:
        """Move to the clause of the next token; a new clause ends all forward scopes."""
        if clause != self.clause:
            self.clause = clause
            self._segment += 1
            self._denies_existence = False
            self._end(ScopeEnd.CLAUSE)

    def enter_list_item(self, clause: int) -> None:
        """Move to a clause that a comma begins inside a list of denied findings."""
        kept = self._open & _LISTS
        self.enter(clause)
        self._open |= kept | {Scope.NEGATED}

    @property
    def denied_list(self) -> Scope | None:
        """The list of denied findings that goes on here: with any conjunction, with "atau" alone, or none."""
        return next(
            (scope for scope in (Scope.DENIED_LIST, Scope.RESUMABLE_NEGATION) if scope in self._open), None
        )

    def hear_filler(self, filler: Filler) -> None:
        """Take a filler: its meaning for the rules, and its role."""
        self.enter(filler.clause)
        if _DONE in filler.concepts:
            self.end_list()
        if not _FORCEFUL.isdisjoint(filler.concepts) and self._conjunction != filler.position - 1:
            self._affirm_listed()
        if filler.concepts:
            place = filler.position
            self._asides.append(
                Occurrence(
                    filler.concepts, filler.word, place, place, filler.clause, self._segment, is_aside=True
                )
            )
        self.hear(filler.roles, filler.position)
        self.open_scopes(filler.roles)

    def pass_unknown(self) -> None:
        """Take a word without a meaning."""
        self._end(ScopeEnd.UNKNOWN_WORD)

    def hear(self, roles: Collection[str], position: int) -> None:
        """Apply the roles of a word or phrase that act before its own meaning is mentioned.

        Args:
            roles: `GrammarRole`s.
            position: Of its first token.
        """
        if not roles:
            return
        if GrammarRole.AND in roles:
            self._conjunction = position
        is_denied = Scope.NEGATED in self._open or self._not_yet_at == position - 1
        if GrammarRole.NOT_YET in roles:
            self._not_yet_at = position
        self._hear_negation(roles)
        self._hear_ends(roles)
        self._hear_questions(roles, position)
        self._hear_hearsay(roles, position)
        self.timeline.hear(
            roles, position, self.clause, is_errand_over=self._is_after(position), is_denied=is_denied
        )
        self._hear_backward(roles, position)

    def open_scopes(self, roles: Collection[str]) -> None:
        """Open the scopes of a phrase whose own meaning has been mentioned: "takut" itself is felt."""
        for role, scope in _OPENED_BY:
            if role in roles:
                self._open |= {scope}
        if GrammarRole.RESOLVED in roles and self._resolved:
            # "hilang" is itself over, and back again with the finding.
            self._resolved.add(len(self._occurrences) - 1)

    def mention(
        self,
        concepts: frozenset[str],
        words: str,
        first: int,
        last: int,
        *,
        word_concepts: frozenset[str] = frozenset(),
        is_indivisible: bool = False,
    ) -> None:
        """Add an occurrence in the context of the open scopes.

        Args:
            concepts: Its meanings.
            words: As typed.
            first: Position of its first token.
            last: Position of its last token.
            word_concepts: Meanings of the single words of a phrase.
            is_indivisible: The phrase is an idiom or holds a negation.
        """
        if not _FORCEFUL.isdisjoint(concepts | word_concepts):
            self._affirm_listed()
            if word_concepts:
                # "sesak berat" is one phrase, and not mentioned yet.
                self.end_list()
        if Scope.LIKENED in self._open:
            concepts, word_concepts = concepts - self._figures, word_concepts - self._figures
        context = self._context(concepts, word_concepts) if self._open else _NO_CONTEXT
        if context.is_negated and Scope.DENIED_LIST in self._open:
            self._listed.add(len(self._occurrences))
        self._occurrences.append(
            Occurrence(
                concepts,
                words,
                first,
                last,
                self.clause,
                self._segment,
                negated=context.is_negated,
                temporality=context.temporality,
                is_generic=context.is_generic,
                word_concepts=word_concepts,
                is_indivisible=is_indivisible,
            )
        )
        if self._open:
            self._end_at_finding(concepts, context.is_negated)

    def affirm(self, concepts: frozenset[str], words: str, first: int, last: int) -> None:
        """Add an occurrence that is true whatever scope is open.

        Args:
            concepts: The concepts that the words name.
            words: The words as typed.
            first: Place of the first token.
            last: Place of the last token.
        """
        self._occurrences.append(Occurrence(concepts, words, first, last, self.clause, self._segment))

    def affirm_measurement(self, concepts: frozenset[str], words: str, first: int, last: int) -> None:
        """Add the meaning of a measured value, if it has one, and end the negations before it.

        Args:
            concepts: The concepts that the words name.
            words: The words as typed.
            first: Place of the first token.
            last: Place of the last token.
        """
        self._end(ScopeEnd.MEASUREMENT)
        if concepts:
            self.affirm(concepts, words, first, last)

    def _affirm_listed(self) -> None:
        """Affirm the last finding of a list: "tidak ada demam dan sesak berat" tells of a breathlessness."""
        has_finding = False
        for index in range(len(self._occurrences) - 1, -1, -1):
            occurrence = self._occurrences[index]
            is_finding = not is_transparent(occurrence.concepts)
            if occurrence.clause != self.clause or (
                is_finding and (has_finding or index not in self._listed)
            ):
                break
            has_finding = has_finding or is_finding
            if index in self._listed:
                self._listed.discard(index)
                self._occurrences[index] = replace(occurrence, negated=False)
        if has_finding:
            self.end_list()

    def _affirm_only_complaint(self) -> None:
        """Affirm what only a list denies where nothing else is affirmed: nobody comes to say what he has not."""
        if self._listed and not any(_is_complaint(occurrence) for occurrence in self._occurrences):
            for index in self._listed:
                self._occurrences[index] = replace(self._occurrences[index], negated=False)

    def end_list(self) -> None:
        """End a list of denied findings: what follows "3 hari" is there."""
        if Scope.DENIED_LIST in self._open:
            self._open -= {Scope.NEGATED, Scope.DENIED_LIST}

    def negate_clause(self) -> None:
        """Negate everything from here to the next terminator: "bukan"."""
        self._open |= {Scope.NEGATED_CLAUSE}

    def take_negation(self) -> bool:
        """End the negation of the next finding; return whether it was open."""
        was_open = Scope.NEGATED in self._open
        self._open -= {Scope.NEGATED}
        return was_open

    def negate_last(self) -> set[int]:
        """Negate the finding just before in this clause, with its places on the body: "sesak (-)".

        Returns:
            Indexes of the occurrences that were negated.
        """
        negated = set()
        for index in range(len(self._occurrences) - 1, -1, -1):
            occurrence = self._occurrences[index]
            if occurrence.clause != self.clause:
                break
            self._occurrences[index] = replace(occurrence, negated=True)
            negated.add(index)
            if not is_transparent(occurrence.concepts) and not self._is_object(index):
                break
        return negated

    def _is_object(self, index: int) -> bool:
        """Return whether a function of the body stands just before: "nelan ludah tidak bisa" denies the swallowing."""
        if index == 0:
            return False
        before, named = self._occurrences[index - 1], self._occurrences[index]
        return before.last == named.first - 1 and not before.concepts.isdisjoint(self._functions)

    def negate_question(self) -> None:
        """Negate the clause before: "sesak kalau jalan? tidak"."""
        for index, occurrence in enumerate(self._occurrences):
            if occurrence.clause == self.clause - 1:
                self._occurrences[index] = replace(occurrence, negated=True)

    def finished(self) -> Iterator[Occurrence]:
        """Yield all occurrences with history, errands and durations applied; asides last."""
        self._affirm_only_complaint()
        dated = self.timeline.applied_to(self._occurrences, self._asked_about, self._feared_cases)
        # "stroke itu gejalanya apa": a question about the disease in general.
        questions = self._question_topics & self._question_words
        for index, (occurrence, in_time) in enumerate(zip(self._occurrences, dated, strict=True)):
            is_asked = index in self._thought_of or (
                occurrence.clause in questions and not occurrence.concepts.isdisjoint(self._diseases)
            )
            if is_asked or self._is_corrected(occurrence):
                yield replace(occurrence, temporality=Temporality.HYPOTHETICAL, is_generic=True)
            else:
                yield in_time
        yield from self._asides

    def _end(self, event: ScopeEnd) -> None:
        if self._open:
            self._open -= _ENDED_BY[event]

    def _context(self, concepts: frozenset[str], word_concepts: frozenset[str]) -> _Context:
        """The context of the next occurrence under the open scopes."""
        if Scope.HYPOTHETICAL_CLAUSE in self._open and _PRONE_TO in concepts | word_concepts:
            self._open |= {Scope.GENERIC_CLAUSE}
        if not self._open.isdisjoint((Scope.ASKED_ABOUT, Scope.ASKED_CLAUSE)):
            self._asked_about.add(len(self._occurrences))
        if Scope.FEARED in self._open:
            self._feared.add(len(self._occurrences))
        if Scope.FEARED_CASE in self._open:
            self._feared_cases.add(len(self._occurrences))
        is_generic = Scope.GENERIC_CLAUSE in self._open
        return _Context(self._negates(concepts), self._temporality(concepts), is_generic)

    def _negates(self, concepts: frozenset[str]) -> bool:
        if Scope.FEARED in self._open and not concepts.isdisjoint(self._procedures):
            return True
        return Scope.NEGATED in self._open or Scope.NEGATED_CLAUSE in self._open

    def _temporality(self, concepts: frozenset[str]) -> Temporality:
        is_feared_disease = Scope.FEARED in self._open and not concepts.isdisjoint(self._diseases)
        if is_feared_disease or not self._open.isdisjoint(_THOUGHT_OF):
            return Temporality.HYPOTHETICAL
        return Temporality.RECENT

    def _end_at_finding(self, concepts: frozenset[str], is_negated: bool) -> None:
        """End the scopes for one finding, and remember a negation that "atau" may continue."""
        is_finding = not is_transparent(concepts)
        if is_finding:
            self._end(ScopeEnd.FINDING)
        if not is_finding:
            return
        if not is_negated:
            self._open -= _LISTS
        else:
            self._open |= {Scope.RESUMABLE_NEGATION}
            if self._denies_existence and concepts.isdisjoint(self._functions):
                self._open |= {Scope.DENIED_LIST}
        self._denies_existence = False

    def _hear_negation(self, roles: Collection[str]) -> None:
        is_continued = GrammarRole.OR in roles and Scope.RESUMABLE_NEGATION in self._open
        if GrammarRole.NEGATION in roles:
            self._open -= {Scope.DENIED_LIST}
        if GrammarRole.NEGATION in roles or is_continued or self._continues_list(roles):
            self._open |= {Scope.NEGATED}
        if GrammarRole.EXISTS in roles:
            self._hear_existence(roles)

    def _continues_list(self, roles: Collection[str]) -> bool:
        return GrammarRole.AND in roles and Scope.DENIED_LIST in self._open

    def _hear_existence(self, roles: Collection[str]) -> None:
        """Begin a list with "tidak ada" or "tanpa"; end one with "dan ada"."""
        if GrammarRole.NEGATION not in roles:
            self.end_list()
        self._denies_existence = Scope.NEGATED in self._open

    def _hear_ends(self, roles: Collection[str]) -> None:
        if GrammarRole.SEGMENT in roles:
            self._segment += 1
        if GrammarRole.TERMINATE in roles and not self._continues_list(roles):
            self._end(ScopeEnd.TERMINATOR)
            self._denies_existence = False
        if GrammarRole.NEW_STATEMENT in roles or GrammarRole.RECENT in roles:
            self._end(ScopeEnd.NEW_STATEMENT)

    def _hear_hearsay(self, roles: Collection[str], position: int) -> None:
        if GrammarRole.HEARSAY in roles:
            self._hearsay_clauses.add(self.clause)
        if GrammarRole.CORRECTION in roles:
            self._correction_at = position

    def _is_corrected(self, occurrence: Occurrence) -> bool:
        """True in "stroke kata dukun, padahal kesemutan": a disease by hearsay, and the true complaint after it."""
        if occurrence.clause not in self._hearsay_clauses or occurrence.first > self._correction_at:
            return False
        return not occurrence.concepts.isdisjoint(self._guessed) and any(
            _is_complaint(other) for other in self._occurrences if other.first > self._correction_at
        )

    def _hear_questions(self, roles: Collection[str], position: int) -> None:
        if Scope.NEGATED in self._open:
            # "tidak bisa apa-apa" asks nothing.
            return
        self._hear_general_question(roles, position)
        if GrammarRole.QUESTION_TOPIC in roles:
            self._question_topics.add(self.clause)
        if GrammarRole.QUESTION_WORD in roles:
            self._question_words.add(self.clause)
            self._question_word_at = position

    def _own_last(self, position: int) -> None:
        """Take the finding just before "saya" for the speaker's own: "gimana cara mengatasi sesak saya"."""
        index = len(self._occurrences) - 1
        if index in self._asked_about and self._occurrences[index].last == position - 1:
            self._occurrences[index] = replace(self._occurrences[index], temporality=Temporality.RECENT)

    def _hear_general_question(self, roles: Collection[str], position: int) -> None:
        """Open a question in general with "tanya tanda" or "tanya kalau", a feared case with "takut kalau"."""
        if GrammarRole.ONESELF in roles:
            self._open -= {Scope.ASKED_CLAUSE}
            self._own_last(position)
        if GrammarRole.ASKED_TOPIC in roles and self._is_asked_clause():
            self._open |= {Scope.ASKED_CLAUSE}
        if GrammarRole.CONDITIONAL in roles:
            self._suppose(position)
        if GrammarRole.ADVICE in roles and self._supposed_clause == self.clause:
            self._thought_of |= set(range(self._supposed_from, len(self._occurrences)))
        if GrammarRole.ASKING in roles:
            self._asking_clause = self.clause
        if GrammarRole.FEARED in roles:
            self._fear_clause = self.clause

    def _is_asked_clause(self) -> bool:
        """True where "gejala" or "bikin" belongs to a question or a fear: "takut imunisasi bikin lumpuh"."""
        has_asking = self.clause in (self._asking_clause, self._fear_clause)
        return has_asking or self.clause in self._question_words

    def _suppose(self, position: int) -> None:
        """Take "kalau": asked after "tanya", feared after "takut", and "takut pingsan kalau puasa" tells of no fainting."""
        if self._asking_clause == self.clause or self._question_word_at == position - 1:
            self._open |= {Scope.ASKED_CLAUSE}
        if Scope.FEARED in self._open:
            self._open |= {Scope.FEARED_CASE}
        self._thought_of |= self._feared & {len(self._occurrences) - 1}
        self._supposed_from, self._supposed_clause = len(self._occurrences), self.clause

    def _hear_backward(self, roles: Collection[str], position: int) -> None:
        if GrammarRole.RELAPSE in roles:
            self._take_back_recovery()
        if GrammarRole.NORMAL in roles:
            self._find_normal(position)
        if GrammarRole.RESOLVED in roles:
            self._resolve()

    def _is_after(self, position: int) -> bool:
        """True in "habis kontrol": the errand is over."""
        last = self._occurrences[-1] if self._occurrences else None
        return last is not None and last.last == position - 1 and _AFTER in last.concepts

    def _take_back_recovery(self) -> None:
        """Affirm again the finding that was over: "sesak sudah hilang, sekarang kambuh lagi"."""
        if len(self._occurrences) - 1 in self._resolved:
            for index in self._resolved:
                self._occurrences[index] = replace(self._occurrences[index], negated=False)

    def _find_normal(self, position: int) -> None:
        """Take the finding just before for no complaint: "tensi normal"; not in "tidak normal" or "kurang baik"."""
        was_negated = self.take_negation()
        last = self._occurrences[-1] if self._occurrences else None
        if was_negated or last is None or last.clause != self.clause:
            return
        if last.last >= position - _NORMAL_SPAN and _FEWER not in last.concepts:
            self._occurrences[-1] = replace(last, temporality=Temporality.HISTORICAL)

    def _resolve(self) -> None:
        """Negate the finding just before: "sesak sembuh"; or else the next one: "habis sembuh DBD"."""
        mentioned = [o for o in self._occurrences if o.clause == self.clause]
        if mentioned and not mentioned[-1].concepts.isdisjoint(self._functions):
            # "napas lega": a body does again what it should.
            return
        if any(_AFTER not in occurrence.concepts for occurrence in mentioned):
            self._resolved |= self.negate_last()
        else:
            self._open |= {Scope.NEGATED}


def _is_complaint(occurrence: Occurrence) -> bool:
    """Return whether somebody may come for it."""
    return not (occurrence.negated or is_transparent(occurrence.concepts))

"""Read a complaint: from text to the concepts it mentions and the context of each.

In:  "anak 3 tahun demam 5 hari, tidak kejang".
Out: a `Reading` with an age of 3 years, demam affirmed for 5 days, and kejang negated.

The reader knows clauses, scope, times and measurements. Where a patient should go is decided in
`core.complaints.rules` and `core.routing`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from core.complaints.language.grammar import GrammarRole
from core.complaints.language.phrases import GRAMMAR, IDIOM, roles_of
from core.complaints.language.word_list import NEGATION
from core.complaints.reading import measurements
from core.complaints.reading.experiencer import HeardWord, Owner, likened, owner_of, owners
from core.complaints.reading.measurements import Measurement
from core.complaints.reading.occurrences import Occurrence, Temporality
from core.complaints.reading.scope import Scope, ScopeInterpreter
from core.complaints.reading.times import Time, time_at
from core.complaints.reading.token_stream import ComplaintToken, Filler, Stream, WordReading, stream_of
from core.complaints.vocabulary import Vocabulary

_DONE = "done"
"""Concept of "sudah"."""
_STRONG = "strong"
"""Concept of "kuat"."""
_UNBEARABLE = "unbearable"
"""Concept of "tidak kuat" at the end of a clause."""
_OVERDUE = "overdue_weeks"
"""Concept of "telat 2 minggu": a missed period."""
_NO_MEANING = (GRAMMAR, measurements.CONCEPT_PREFIX)
"""Prefixes of concepts that are roles or names of measurements, not findings."""
_DECIMAL_COMMA = "koma"
"""Spoken sign between the whole and the rest of a number."""
_STROKE = "/"
"""Sign that joins findings as "atau" does: "tidak ada sesak/nyeri dada"."""
_JOINING = frozenset({GrammarRole.AND, GrammarRole.OR})
_AGO = frozenset({"lalu", "silam", "lewat", "kemarin"})
"""Words after a time that make it a time ago."""

_LEAST_OVERDUE_UNIT = 7.0
"""Days of the smallest unit in which a missed period is told: weeks."""
_LEAST_HISTORY_UNIT = 30.0
"""Days of the smallest unit in which a past event is told: months."""
_LONGEST_PHRASE = 8
"""Words of the longest phrase that is looked for."""
_LONGEST_GUESSED_PHRASE = 3
"""Words of the longest phrase with a mistyped word that only the phrase makes likely."""
_PAST_YEARS = range(1930, 2026)
"""Calendar years that were over when this was written; a later one may be the year of the visit."""
_YEAR_UNIT = 365.0
"""Days of the unit that is named before a calendar year."""
_MARKER_SPAN = 2
"""Tokens before a time in which "umur" or "hamil" is looked for."""

_LONGEST_LIST = 12
"""Tokens that are looked at to see that a list of denied findings goes on after a comma."""
_LIST_CLOSED_BY = {
    Scope.DENIED_LIST: frozenset({GrammarRole.AND, GrammarRole.OR}),
    Scope.RESUMABLE_NEGATION: frozenset({GrammarRole.OR}),
}
"""Kind of list -> conjunctions that close it."""

_KEPT_ROLES = frozenset({GrammarRole.FOLLOWUP, GrammarRole.REQUEST})
"""Roles that a word keeps inside a phrase: "minta rujukan" is an errand too."""


@dataclass(frozen=True)
class Reading:
    """The contents of a complaint."""

    occurrences: tuple[Occurrence, ...]
    unknown: tuple[str, ...]
    """Words without a reading."""
    age_days: float | None = None
    """An age written in the complaint ("anak 3 tahun"); the first counts."""
    forms: tuple[WordReading, ...] = ()
    """Each typed word, for explanations."""

    def affirms(self, concept: str) -> bool:
        """Return whether the concept is affirmed anywhere."""
        return any(concept in o.concepts and not o.negated for o in self.occurrences)


def read(text: str, vocabulary: Vocabulary) -> Reading:
    """Read a complaint.

    Args:
        text: Anything; only its first `tokenizer.MAX_CHARACTERS` characters are read.
        vocabulary: Compiled words.
    """
    return _Reader(stream_of(text, vocabulary.lexicon), vocabulary).read()


@dataclass(frozen=True)
class _Phrase:
    """A word or phrase of the vocabulary in the stream."""

    first: int
    """Position of its first token."""
    forms: Sequence[tuple[str, ...]]
    """For each of its tokens the words it may be."""
    concepts: frozenset[str]

    @property
    def last(self) -> int:
        """Position of its last token."""
        return self.first + len(self.forms) - 1


class _Reader:
    """Goes through the tokens of one complaint once, from left to right."""

    def __init__(self, stream: Stream, vocabulary: Vocabulary) -> None:
        self._stream = stream
        self._tokens = stream.tokens
        self._vocabulary = vocabulary
        self._phrases = vocabulary.lexicon.phrases
        self._age_days: float | None = None
        classes = vocabulary.classes
        self._scope = ScopeInterpreter(
            diseases=classes["named"],
            guessed=classes["guessed"],
            history_openers=classes["had"],
            procedures=classes["dreaded"],
            functions=vocabulary.functions,
            figures=classes["figures"],
        )

    def read(self) -> Reading:
        """Return the reading."""
        fillers = deque(self._stream.fillers)
        position = 0
        while position < len(self._tokens):
            self._hear_fillers(fillers, position)
            position += self._step(position)
        self._hear_fillers(fillers, position)
        words = self._stream.forms
        return Reading(
            occurrences=self._owned(),
            unknown=tuple(word.typed for word in words if word.how == "unknown"),
            age_days=self._age_days,
            forms=tuple(words),
        )

    def _owned(self) -> tuple[Occurrence, ...]:
        """The occurrences, each with the person to whom it belongs."""
        found = owners(self._stream.heard, self._vocabulary.people)
        occurrences = tuple(self._scope.finished())
        for place in likened(self._stream.heard, self._vocabulary.people):
            occurrences = self._with_fear_of_likeness(occurrences, place)
        if not found:
            return occurrences
        return tuple(_with_owner(occurrence, found) for occurrence in occurrences)

    def _with_fear_of_likeness(
        self, occurrences: tuple[Occurrence, ...], place: HeardWord
    ) -> tuple[Occurrence, ...]:
        """The occurrences where "takut pingsan kayak ibu" tells of the mother: the speaker has not fainted."""
        before = self._tokens[: place.position]
        fears = [
            position
            for position, token in enumerate(before)
            if token.clause == place.clause and self._has_role(token.forms, GrammarRole.FEARED)
        ]
        if not fears:
            return occurrences
        feared = range(fears[0] + 1, place.position)
        return tuple(
            replace(o, temporality=Temporality.HYPOTHETICAL)
            if o.clause == place.clause and o.first in feared
            else o
            for o in occurrences
        )

    def _hear_fillers(self, fillers: deque[Filler], position: int) -> None:
        """Take the fillers before a token."""
        while fillers and fillers[0].position <= position:
            self._scope.hear_filler(fillers.popleft())

    def _step(self, position: int) -> int:
        """Take the number, sign, word or phrase at a position; return how many tokens it covers."""
        token = self._tokens[position]
        self._enter_clause(position)
        if token.sign:
            # "(+)" leaves the finding as it was said: "tidak bisa diangkat (+)".
            if token.sign == "-":
                self._scope.negate_last()
            return 1
        time = time_at(self._tokens, position, self._vocabulary.numbers, self._vocabulary.units)
        if time is not None:
            self._take_time(position, time)
            return time.length
        if token.number is not None and self._is_past_year(position):
            self._take_past_year(position)
            return 1
        if token.number is not None:
            measurement = measurements.without_name(self._tokens, position, self._vocabulary.measures)
            return 1 if measurement is None else self._take_measurement(position, measurement)
        if token.text == _STROKE and self._scope.denied_list is not None:
            self._scope.hear(_JOINING, position)
            return 1
        phrase = None if self._is_decimal_comma(position) else self._phrase_at(position)
        if phrase is None:
            self._scope.pass_unknown()
            return 1
        return self._take_words(phrase)

    def _enter_clause(self, position: int) -> None:
        """Move to the clause of a token, inside a list of denied findings where it goes on after a comma."""
        clause = self._tokens[position].clause
        is_after_comma = clause == self._scope.clause + 1 and clause in self._stream.after_comma
        if is_after_comma and self._list_goes_on(position):
            self._scope.enter_list_item(clause)
        else:
            self._scope.enter(clause)

    def _list_goes_on(self, position: int) -> bool:
        """True in "tidak ada demam, batuk, dan pilek": only findings up to a conjunction, and one after it."""
        denied = self._scope.denied_list
        if denied is None:
            return False
        closing = _LIST_CLOSED_BY[denied]
        for index in range(position, min(len(self._tokens) - 1, position + _LONGEST_LIST)):
            concepts = self._phrases.longest([self._tokens[index].forms])[1]
            roles = roles_of(concepts)
            if not closing.isdisjoint(roles):
                return bool(_meanings(self._phrases.longest([self._tokens[index + 1].forms])[1]))
            if roles or not concepts:
                return False
        return False

    def _is_decimal_comma(self, position: int) -> bool:
        """True for the "koma" of "tiga koma dua", which is no coma."""
        if self._tokens[position].text != _DECIMAL_COMMA or position == 0:
            return False
        return all(map(self._is_number, self._tokens[position - 1 : position + 2 : 2])) and (
            position + 1 < len(self._tokens)
        )

    def _is_number(self, token: ComplaintToken) -> bool:
        return token.number is not None or token.text in self._vocabulary.numbers

    def _phrase_at(self, position: int) -> _Phrase | None:
        """The longest phrase that begins at a position, with mistyped words where that makes it longer."""
        clause = self._tokens[position].clause
        near = [t for t in self._tokens[position : position + _LONGEST_PHRASE] if t.clause == clause]
        forms = [token.forms for token in near]
        length, concepts = self._phrases.longest(forms)
        guessable = near[:_LONGEST_GUESSED_PHRASE]
        if any(token.guesses for token in guessable):
            # "dara tinggi", "muntah dara"
            guessed = self._phrases.longest([(*token.forms, *token.guesses) for token in guessable])
            if guessed[0] > max(length, 1):
                length, concepts = guessed
        idiom = self._phrases.bare_idiom(words[0] if words else "" for words in forms)
        if idiom > length:
            return _Phrase(position, forms[:idiom], frozenset({IDIOM}))
        return _Phrase(position, forms[:length], concepts) if length else None

    def _take_words(self, phrase: _Phrase) -> int:
        """Take a word or phrase; return how many tokens it covers, with its measured value."""
        first = phrase.first
        if NEGATION in self._tokens[first].forms and self._denies_what_precedes(first):
            self._negate_backward(first)
            return len(phrase.forms)
        measurement = self._measurement_after(phrase)
        if measurement is not None:
            return self._take_measurement(first, measurement)
        self._take_phrase(phrase)
        return len(phrase.forms)

    def _denies_what_precedes(self, position: int) -> bool:
        """True for a "tidak" that ends its clause, and in "kencing tidak ada dari kemarin"."""
        if self._stream.ends_clause(position):
            return True
        is_absence = self._stream.has_role(GrammarRole.EXISTS, position + 1)
        return is_absence and self._has_role([self._tokens[position + 1].text], GrammarRole.ONSET)

    def _negate_backward(self, position: int) -> None:
        """Take a "tidak" that ends its clause: "sesak tidak ada", "kencing tidak bisa"; not "sakit tidak kuat"."""
        if self._stream.follows(_STRONG, position + 1):
            words = f"{self._tokens[position].text} kuat"
            self._scope.affirm(frozenset({_UNBEARABLE}), words, position, position)
        elif position > 0 and self._tokens[position - 1].is_asked:
            self._scope.negate_question()
        else:
            self._scope.negate_last()

    def _take_phrase(self, phrase: _Phrase) -> None:
        """Apply the roles of a word or phrase and mention its meanings."""
        roles = self._roles(phrase)
        meanings = _meanings(phrase.concepts)
        if roles:
            self._scope.hear(roles, phrase.first)
        if meanings:
            self._scope.mention(
                meanings,
                self._typed(phrase.first, phrase.last),
                phrase.first,
                phrase.last,
                word_concepts=self._word_concepts(phrase),
                is_indivisible=self._is_literal_idiom(phrase, roles) or self._holds_negation(phrase),
            )
        if roles:
            self._scope.open_scopes(roles)

    def _roles(self, phrase: _Phrase) -> frozenset[str]:
        """The roles of a phrase in its place."""
        roles = roles_of(phrase.concepts)
        token = self._tokens[phrase.first]
        if len(phrase.forms) > 1:
            roles |= _KEPT_ROLES & self._roles_within(phrase)
        elif NEGATION in token.forms:
            roles = self._with_denial(roles, token)
        return self._with_recovery(roles, phrase.first) if roles else roles

    def _with_denial(self, roles: frozenset[str], token: ComplaintToken) -> frozenset[str]:
        """The roles of a word for not as it was typed: "bukan" denies a clause, "tanpa" a list."""
        if self._has_role([token.text], GrammarRole.CONTRAST):
            self._scope.negate_clause()
        denies_list = self._has_role([token.text], GrammarRole.EXISTS)
        return roles if denies_list else roles - {GrammarRole.EXISTS}

    def _with_recovery(self, roles: frozenset[str], position: int) -> frozenset[str]:
        """The roles with `RESOLVED` taken out of "belum sembuh" and added to "sudah hilang"."""
        if GrammarRole.RESOLVED in roles and self._is_not_yet(position):
            roles -= {GrammarRole.RESOLVED}
        if GrammarRole.GONE in roles and self._is_over(position):
            roles |= {GrammarRole.RESOLVED}
        return roles

    def _typed(self, first: int, last: int) -> str:
        return " ".join(token.text for token in self._tokens[first : last + 1])

    def _concepts_of_words(self, phrase: _Phrase) -> list[frozenset[str]]:
        """The concepts of each word of a phrase by itself."""
        return [self._phrases.longest([word])[1] for word in phrase.forms]

    def _word_concepts(self, phrase: _Phrase) -> frozenset[str]:
        """The meanings of the single words of a phrase."""
        if len(phrase.forms) == 1:
            return frozenset()
        return frozenset().union(*map(_meanings, self._concepts_of_words(phrase)))

    def _roles_within(self, phrase: _Phrase) -> frozenset[str]:
        """The roles of the single words of a phrase."""
        return frozenset().union(*map(roles_of, self._concepts_of_words(phrase)))

    def _is_literal_idiom(self, phrase: _Phrase, roles: frozenset[str]) -> bool:
        """True for an idiom as written, not by the stems of its words: "periksa perdarahan" is no blood test."""
        if not roles or GrammarRole.IDIOM not in roles:
            return False
        length, _ = self._phrases.longest([word[:1] for word in phrase.forms])
        return length == len(phrase.forms)

    def _holds_negation(self, phrase: _Phrase) -> bool:
        negations = self._vocabulary.lexicon.negations
        return any(not negations.isdisjoint(word) for word in phrase.forms)

    def _is_not_yet(self, position: int) -> bool:
        """True in "tidak membaik" and "belum sembuh": the finding still holds."""
        if self._scope.take_negation():
            return True
        return position > 0 and self._has_role([self._tokens[position - 1].text], GrammarRole.NOT_YET)

    def _is_over(self, position: int) -> bool:
        """True in "sesak sudah hilang" and "sudah hilang seminggu", not in "sudah hilang kesadaran"."""
        if not self._stream.follows(_DONE, position):
            return False
        if self._stream.ends_clause(position):
            return True
        following = [self._tokens[position + 1].text]
        if self._has_role(following, GrammarRole.ONSET) or self._has_role(following, GrammarRole.RECENT):
            return True
        vocabulary = self._vocabulary
        return time_at(self._tokens, position + 1, vocabulary.numbers, vocabulary.units) is not None

    def _measurement_after(self, phrase: _Phrase) -> Measurement | None:
        """The value after a phrase that holds the name of a measurement: "cek gula darah 350", "hb turun jadi 5"."""
        vocabulary = self._vocabulary
        if all(vocabulary.last_of_measures.isdisjoint(forms) for forms in phrase.forms):
            return None
        end = phrase.last + 1
        for concepts in self._concepts_within(phrase):
            for measure in vocabulary.measures:
                if measurements.CONCEPT_PREFIX + measure.id not in concepts:
                    continue
                measurement = measurements.after_name(self._tokens, end, measure, vocabulary.around_values)
                if measurement is not None:
                    return measurement
        return None

    def _concepts_within(self, phrase: _Phrase) -> Iterable[frozenset[str]]:
        """Yield the concepts of each phrase inside this one, those that end later and are longer first."""
        forms = [token.forms for token in self._tokens[phrase.first : phrase.last + 1]]
        for end in range(len(forms), 0, -1):
            for start in range(end):
                length, concepts = self._phrases.longest(forms[start:end])
                if start + length == end:
                    yield concepts

    def _take_measurement(self, position: int, measurement: Measurement) -> int:
        """Take a value, with its name where it has one; return how many tokens they cover."""
        last = measurement.end - 1
        words = self._typed(position, last).replace(" / ", "/")
        self._scope.affirm_measurement(measurement.concepts, words, position, last)
        return measurement.end - position

    def _take_time(self, position: int, time: Time) -> None:
        """Take a time as a missed period, the age of a pregnancy, an age, a past event or a duration."""
        before = [
            form for token in self._tokens[max(0, position - _MARKER_SPAN) : position] for form in token.forms
        ]
        last = position + time.length - 1
        if time.unit_days >= _LEAST_OVERDUE_UNIT and self._has_role(before[-1:], GrammarRole.OVERDUE):
            words = self._typed(position - 1, last)
            self._scope.mention(frozenset({_OVERDUE}), words, position - 1, last)
        if self._has_role(before, GrammarRole.GESTATION_MARKER):
            return
        if self._has_role(before, GrammarRole.AGE_MARKER):
            self._age_days = time.days if self._age_days is None else self._age_days
            return
        days = time.days - 1 if self._has_role(before[-1:], GrammarRole.LESS) else time.days
        self._scope.end_list()
        is_ago = self._is_past_event(time, last)
        self._scope.timeline.add_duration(position, self._scope.clause, days, is_ago=is_ago)

    def _take_past_year(self, position: int) -> None:
        """Take a calendar year that is over, as a past event or as a beginning."""
        # The last year may have ended yesterday, so what began in it counts as no full year.
        years = _PAST_YEARS[-1] - (self._tokens[position].number or 0)
        self._scope.timeline.add_past_year(position, self._scope.clause, least_days=years * _YEAR_UNIT)

    def _is_past_event(self, time: Time, last: int) -> bool:
        """True in "2 bulan lalu"; "2 hari lalu" still belongs to the illness of today."""
        if time.unit_days < _LEAST_HISTORY_UNIT or last + 1 == len(self._tokens):
            return False
        return self._tokens[last + 1].text in _AGO

    def _is_past_year(self, position: int) -> bool:
        """True for the 2019 of "tahun 2019", and of "operasi 2019" at the end of a clause."""
        if not position or self._tokens[position].number not in _PAST_YEARS:
            return False
        return (
            self._stream.ends_clause(position)
            or self._vocabulary.units.get(self._tokens[position - 1].text) == _YEAR_UNIT
        )

    def _has_role(self, forms: Iterable[str], role: GrammarRole) -> bool:
        words = self._vocabulary.grammar.get(role, ())
        return any(form in words for form in forms)


def _with_owner(occurrence: Occurrence, found: Sequence[Owner]) -> Occurrence:
    owner = owner_of(found, occurrence.clause, occurrence.first)
    if owner is None:
        return occurrence
    return replace(occurrence, owner=owner.person, is_acting=owner.is_acting)


@lru_cache(maxsize=4096)
def _meanings(concepts: frozenset[str]) -> frozenset[str]:
    """The concepts that are findings, without roles and names of measurements."""
    return frozenset(concept for concept in concepts if not concept.startswith(_NO_MEANING))

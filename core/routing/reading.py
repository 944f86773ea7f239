"""From a complaint to what it says: concepts, what is denied, what is past, for how long.

The reading knows clauses, the reach of "tidak", durations and ages; it does not know where a
patient should go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.routing import vitals
from core.routing.lexicon import NEGATION, Lexicon
from core.routing.phrases import GRAMMAR, roles_of
from core.routing.reach import Occurrence, Reach
from core.routing.stream import Filler, Stream, Token, stream_of
from core.routing.times import Time, time_at
from core.routing.vocabulary import Vocabulary

_DONE = "done"
_STRONG = "strong"
_UNBEARABLE = "unbearable"
_NO_MEANING = (GRAMMAR, vitals.CONCEPT)
_OVERDUE = "overdue_weeks"
_DAYS_PER_WEEK = 7.0
_DAYS_PER_MONTH = 30.0
_LONGEST_PHRASE = 8
_LONGEST_GUESSED = 3
"""Most words of a phrase with a word guessed in it."""


@dataclass(frozen=True)
class Reading:
    """What a complaint says."""

    occurrences: tuple[Occurrence, ...]
    word_count: int
    """Words typed, fillers and neutral words too."""
    unknown: tuple[str, ...]
    """Words that nothing was made of."""
    age_days: float | None = None
    """An age written in the complaint ("anak 3 tahun")."""
    forms: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    """For explaining: each typed word, the words it was taken for, and how."""

    def said(self, concept: str) -> bool:
        """True when the concept is affirmed anywhere."""
        return any(concept in o.concepts and not o.denied for o in self.occurrences)


def read(text: str, vocabulary: Vocabulary) -> Reading:
    """Read a complaint.

    Args:
        text: Anything; only its first `language.MAX_CHARACTERS` characters are read.
        vocabulary: Compiled words.
    """
    stream = stream_of(text, vocabulary.lexicon)
    classes = vocabulary.classes
    reach = Reach(named=classes["named"], had=classes["had"], dreaded=classes["dreaded"])
    fillers = deque(stream.fillers)
    position = 0
    while position < len(stream.tokens):
        _hear_fillers(fillers, position, reach)
        position += _step(stream, position, vocabulary, reach)
    _hear_fillers(fillers, position, reach)
    return Reading(
        occurrences=tuple(reach.finished()),
        word_count=len(stream.forms),
        unknown=tuple(word for word, _, how in stream.forms if how == "unknown"),
        age_days=reach.age_days,
        forms=tuple(stream.forms),
    )


def _hear_fillers(fillers: deque[Filler], position: int, reach: Reach) -> None:
    """Let the words passed over before a token say what they do to others."""
    while fillers and fillers[0].position <= position:
        reach.pass_filler(fillers.popleft())


def _step(stream: Stream, position: int, vocabulary: Vocabulary, reach: Reach) -> int:
    """Take one number, sign, word or phrase; return how many tokens it covered."""
    tokens = stream.tokens
    token = tokens[position]
    reach.enter(token.clause)
    if token.sign:
        # "(+)" affirms what was said as it was said: "tidak bisa diangkat (+)".
        if token.sign == "-":
            reach.deny_last()
        return 1
    time = time_at(tokens, position, vocabulary.numbers, vocabulary.units)
    if time is not None:
        _note_time(tokens, position, time, vocabulary, reach)
        return time.length
    if token.number is not None:
        figure = vitals.without_name(tokens, position, vocabulary.measures)
        return 1 if figure is None else _note_figure(tokens, position, figure, reach)
    near = tokens[position : position + _LONGEST_PHRASE]
    forms = [other.forms for other in near if other.clause == token.clause]
    length, concepts = vocabulary.lexicon.phrases.longest(forms)
    guessed = _guessed_phrase(tokens, position, len(forms), vocabulary.lexicon)
    if guessed is not None and guessed[0] > max(length, 1):
        length, concepts = guessed
    if not length:
        reach.pass_over()
        return 1
    if NEGATION in token.forms and stream.ends_clause(position):
        _deny_at_the_end(stream, position, reach)
        return length
    figure = _figure_after(tokens, position, length, vocabulary)
    if figure is not None:
        return _note_figure(tokens, position, figure, reach)
    _take_phrase(stream, position, forms[:length], concepts, vocabulary, reach)
    return length


def _take_phrase(
    stream: Stream,
    position: int,
    forms: Sequence[tuple[str, ...]],
    concepts: frozenset[str],
    vocabulary: Vocabulary,
    reach: Reach,
) -> None:
    """Take a word or phrase: what it does to others, and what it means."""
    tokens = stream.tokens
    roles, meanings = roles_of(concepts), _meanings(concepts)
    if len(forms) > 1:
        # "minta rujukan" is one phrase, and its "rujukan" still tells of an errand.
        roles = roles | ({"followup", "request"} & _roles_within(forms, vocabulary))
    elif NEGATION in tokens[position].forms and tokens[position].text in vocabulary.grammar["contrast"]:
        reach.deny_all()
    if "resolved" in roles and _is_not_yet(tokens, position, vocabulary, reach):
        roles = roles - {"resolved"}
    if "gone" in roles and _is_over(stream, position, vocabulary):
        roles = roles | {"resolved"}
    if roles:
        reach.hear(roles, position)
    if meanings:
        last = position + len(forms) - 1
        words = " ".join(token.text for token in tokens[position : last + 1])
        is_whole = ("idiom" in roles and _is_literal(forms, vocabulary)) or _denies(forms, vocabulary)
        reach.say(meanings, words, position, last, parts=_parts(forms, vocabulary), is_whole=is_whole)
    if roles:
        reach.hear_after(roles)


def _deny_at_the_end(stream: Stream, position: int, reach: Reach) -> None:
    """`sesak tidak ada`, `kencing tidak bisa`: said after what it denies; not so `sakit tidak kuat`."""
    if stream.follows(_STRONG, position + 1):
        words = f"{stream.tokens[position].text} kuat"
        reach.occurrences.append(
            Occurrence(frozenset({_UNBEARABLE}), words, position, position, reach.clause, reach.part)
        )
    elif position > 0 and stream.tokens[position - 1].is_asked:
        reach.deny_question()
    else:
        reach.deny_last()


@lru_cache(maxsize=4096)
def _meanings(concepts: frozenset[str]) -> frozenset[str]:
    """Without words of grammar and the names of figures."""
    return frozenset(concept for concept in concepts if not concept.startswith(_NO_MEANING))


def _guessed_phrase(
    tokens: Sequence[Token], position: int, reach: int, lexicon: Lexicon
) -> tuple[int, frozenset[str]] | None:
    """A phrase in which a word was not understood by itself: "dara tinggi", "muntah dara"."""
    near = tokens[position : position + min(reach, _LONGEST_GUESSED)]
    if not any(token.guesses for token in near):
        return None
    return lexicon.phrases.longest([(*token.forms, *token.guesses) for token in near])


def _figure_after(
    tokens: Sequence[Token], position: int, length: int, vocabulary: Vocabulary
) -> vitals.Figure | None:
    """The value after a phrase that ends with the name of a figure: "cek gula darah 350"."""
    end = position + length
    if vocabulary.last_of_measures.isdisjoint(tokens[end - 1].forms):
        return None
    for start in range(position, end):
        covered, concepts = vocabulary.lexicon.phrases.longest([token.forms for token in tokens[start:end]])
        if start + covered != end:
            continue
        for measure in vocabulary.measures:
            if vitals.CONCEPT + measure.id in concepts:
                figure = vitals.after_name(
                    tokens, end, measure, vocabulary.units, vocabulary.last_of_measures
                )
                if figure is not None:
                    return figure
    return None


def _note_figure(tokens: Sequence[Token], position: int, figure: vitals.Figure, reach: Reach) -> int:
    """Take a value; return how many tokens it covers."""
    words = " ".join(token.text for token in tokens[position : figure.end]).replace(" / ", "/")
    reach.say_measured(figure.concepts, words, position, figure.end - 1)
    return figure.end - position


def _parts(forms: Sequence[tuple[str, ...]], vocabulary: Vocabulary) -> frozenset[str]:
    """What the words of a phrase mean one by one."""
    if len(forms) == 1:
        return frozenset()
    found = (vocabulary.lexicon.phrases.longest([word])[1] for word in forms)
    return frozenset().union(*(_meanings(concepts) for concepts in found))


def _is_literal(forms: Sequence[tuple[str, ...]], vocabulary: Vocabulary) -> bool:
    """False for an idiom found by the stems of its words: "periksa perdarahan" is no blood test."""
    length, _ = vocabulary.lexicon.phrases.longest([word[:1] for word in forms])
    return length == len(forms)


def _denies(forms: Sequence[tuple[str, ...]], vocabulary: Vocabulary) -> bool:
    return any(form in vocabulary.lexicon.negations for word in forms for form in word)


def _roles_within(forms: Sequence[tuple[str, ...]], vocabulary: Vocabulary) -> set[str]:
    """The roles that single words of a phrase have by themselves."""
    found = (vocabulary.lexicon.phrases.longest([word])[1] for word in forms)
    return set().union(*(roles_of(concepts) for concepts in found))


def _is_not_yet(tokens: Sequence[Token], position: int, vocabulary: Vocabulary, reach: Reach) -> bool:
    """True in "belum sembuh" and "tidak membaik": what was said before still holds."""
    if reach.denies:
        reach.denies = False
        return True
    return position > 0 and _has_role((tokens[position - 1].text,), "not_yet", vocabulary)


def _is_over(stream: Stream, position: int, vocabulary: Vocabulary) -> bool:
    """True in "sesak sudah hilang" and "sudah hilang seminggu", not in "sudah hilang kesadaran"."""
    if not stream.follows(_DONE, position):
        return False
    if stream.ends_clause(position):
        return True
    following = stream.tokens[position + 1]
    return (
        any(_has_role((following.text,), role, vocabulary) for role in ("onset", "recent"))
        or time_at(stream.tokens, position + 1, vocabulary.numbers, vocabulary.units) is not None
    )


def _note_time(
    tokens: Sequence[Token], position: int, time: Time, vocabulary: Vocabulary, reach: Reach
) -> None:
    """Decide whether a time is an age, a gestation, an old event or a duration."""
    before = [form for token in tokens[max(0, position - 2) : position] for form in token.forms]
    if time.unit_days >= _DAYS_PER_WEEK and _has_role(before[-1:], "overdue", vocabulary):
        # "telat 2 minggu" by itself is a period that does not come.
        words = " ".join(token.text for token in tokens[position - 1 : position + time.length])
        reach.say(frozenset({_OVERDUE}), words, position - 1, position + time.length - 1)
    if _has_role(before, "gestation_marker", vocabulary):
        return
    if _has_role(before, "age_marker", vocabulary):
        reach.note_age(time.days)
        return
    days = time.days - 1 if _has_role(before[-1:], "less", vocabulary) else time.days
    after = position + time.length
    is_ago = after < len(tokens) and tokens[after].text in ("lalu", "silam", "lewat", "kemarin")
    reach.note_duration(position, days, is_long_ago=is_ago and time.unit_days >= _DAYS_PER_MONTH)


def _has_role(forms: Iterable[str], role: str, vocabulary: Vocabulary) -> bool:
    return any(form in vocabulary.grammar.get(role, ()) for form in forms)

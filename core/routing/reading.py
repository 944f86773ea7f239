"""From a complaint to what it says: concepts, what is denied, what is past, for how long.

The reading knows clauses, the reach of "tidak", durations and ages; it does not know where a
patient should go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from core.routing import vitals
from core.routing.language import code_parts, tokens
from core.routing.lexicon import NEGATION, Lexicon
from core.routing.times import Time, time_at
from core.routing.vocabulary import Vocabulary

LONG_DAYS = 30.0
"""What "lama", "menahun", "tidak sembuh-sembuh" count as."""

_LONG = "long"
_DONE = "done"
_STRONG = "strong"
_UNBEARABLE = "unbearable"
_GRAMMAR = "grammar."
_NO_MEANING = (_GRAMMAR, vitals.CONCEPT)
_DAYS_PER_MONTH = 30.0
_THOUSANDS_DIGITS = 3
_LONGEST_GUESSED = 3
"""Most words of a phrase with a word guessed in it."""


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
    denied: bool = False
    past: bool = False
    """"riwayat", "tahun lalu": said of another time."""
    followup: bool = False
    """"kontrol", "ambil obat": said of something already being treated."""
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


@dataclass
class _Token:
    text: str
    forms: tuple[str, ...]
    clause: int
    number: float | None = None
    sign: str = ""
    is_asked: bool = False
    """True before a question mark."""
    is_ordinal: bool = False
    """True for the number of "hari ke-5"."""


@dataclass
class _Draft:
    """State while walking through the tokens once."""

    asides: list[Occurrence]
    occurrences: list[Occurrence] = field(default_factory=list)
    pending_denial: bool = False
    ready_to_continue: bool = False
    """After a denied concept: "atau" carries the denial on, anything else ends it."""
    all_denied: bool = False
    """After "bukan": everything up to the end of the clause or a "tapi" is what it is not."""
    feared: bool = False
    """After "takut", "tanya soal": the next thing said has not happened."""
    all_feared: bool = False
    """After "supaya tidak", "mencegah": nothing up to the end of the clause or a "tapi" has."""
    clause: int = 0
    durations: list[tuple[int, int, float]] = field(default_factory=list)
    """(position, clause, days)."""
    past_clauses: set[int] = field(default_factory=set)
    old_clauses: set[int] = field(default_factory=set)
    """Clauses with "3 bulan lalu": past unless an onset word makes it a duration."""
    recent_clauses: set[int] = field(default_factory=set)
    onset_clauses: set[int] = field(default_factory=set)
    followup_clauses: set[int] = field(default_factory=set)
    age_days: float | None = None


def read(text: str, vocabulary: Vocabulary) -> Reading:
    """Read a complaint.

    Args:
        text: Anything; only its first `language.MAX_CHARACTERS` characters are read.
        vocabulary: Compiled words.
    """
    stream, forms, asides = _stream(text, vocabulary)
    draft = _Draft(asides)
    position = 0
    while position < len(stream):
        position += _step(stream, position, vocabulary, draft)
    return Reading(
        occurrences=tuple(_finished(draft)),
        word_count=len(forms),
        unknown=tuple(word for word, _, how in forms if how == "unknown"),
        age_days=draft.age_days,
        forms=tuple(forms),
    )


def _stream(
    text: str, vocabulary: Vocabulary
) -> tuple[list[_Token], list[tuple[str, tuple[str, ...], str]], list[Occurrence]]:
    """Tokens without fillers; for explaining all words with what they were taken for; fillers that mean something.

    Phrases pass over "kanan" and "sekali", but a rule may ask for them.
    """
    stream: list[_Token] = []
    asides: list[Occurrence] = []
    forms: list[tuple[str, tuple[str, ...], str]] = []
    lexicon = vocabulary.lexicon
    clause = 0
    previous = ""
    for kind, word in _whole_tokens(text, lexicon):
        if kind == "stop":
            clause += 1
            if word == "?" and stream:
                stream[-1].is_asked = True
        elif kind == "number":
            stream.append(_Token(word, (), clause, number=_number(word), is_ordinal=previous == "ke"))
        elif kind == "sign":
            stream.append(_Token(word, (), clause, sign="-" if "-" in word else "+"))
        elif kind == "join":
            stream.append(_Token(word, ("/",) if word == "/" else ("dan",), clause))
        elif kind == "compare":
            stream.append(_Token(word, ("kurang",) if word == "<" else ("lebih",), clause))
        elif kind == "word":
            known = lexicon.resolve(word)
            forms.append((word, known.forms, known.how))
            if known.forms and known.forms[0] in lexicon.fillers:
                concepts = _meanings(lexicon.phrase_at([known.forms], 0)[1])
                if concepts:
                    asides.append(Occurrence(concepts, word, len(stream), len(stream), clause, is_aside=True))
            elif known.how == "split":
                stream.extend(_Token(form, (form,), clause) for form in known.forms)
            else:
                stream.append(_Token(word, known.forms or (word,), clause))
        previous = word
    return stream, forms, asides


def _meanings(concepts: frozenset[str]) -> frozenset[str]:
    """Without words of grammar and the names of figures."""
    return frozenset(concept for concept in concepts if not concept.startswith(_NO_MEANING))


def _number(written: str) -> float:
    """`38,5` and `38.5` alike; three digits after the sign are thousands: `80.000`."""
    whole, _, rest = written.replace(",", ".").partition(".")
    return float(whole + rest) if len(rest) == _THOUSANDS_DIGITS else float(f"{whole}.{rest or 0}")


def _whole_tokens(text: str, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    for kind, word in tokens(text):
        if kind != "code":
            yield kind, word
        elif lexicon.holds(word):
            yield "word", word
        else:
            yield from code_parts(word)


def _step(stream: list[_Token], position: int, vocabulary: Vocabulary, draft: _Draft) -> int:
    """Take one number, sign, word or phrase; return how many tokens it covered."""
    token = stream[position]
    if token.clause != draft.clause:
        draft.clause = token.clause
        _forget(draft)
    if token.sign:
        _apply_sign(token.sign, draft)
        return 1
    time = time_at(stream, position, vocabulary.numbers, vocabulary.units)
    if time is not None:
        _note_time(stream, position, time, vocabulary, draft)
        return time.length
    if token.number is not None:
        figure = vitals.without_name(stream, position, vocabulary.measures)
        return 1 if figure is None else _note_figure(stream, position, figure, draft)
    reach = [other.forms for other in stream[position : position + 8] if other.clause == token.clause]
    length, concepts = vocabulary.lexicon.phrase_at(reach, 0)
    guessed = _guessed_phrase(stream, position, len(reach), vocabulary.lexicon)
    if guessed is not None and guessed[0] > max(length, 1):
        length, concepts = guessed
    if not length:
        # A word that says nothing ends what "tidak" denied: "tidak masuk kerja karena demam".
        draft.pending_denial = draft.ready_to_continue = draft.feared = False
        return 1
    if NEGATION in token.forms and _ends_clause(stream, position):
        # "sesak tidak ada", "kencing tidak bisa": said after what it denies; not so "sakit tidak kuat".
        if _is_aside(_STRONG, position + 1, draft):
            found = frozenset({_UNBEARABLE})
            draft.occurrences.append(
                Occurrence(found, f"{token.text} kuat", position, position, draft.clause)
            )
        elif position > 0 and stream[position - 1].is_asked:
            _answer_no(draft)
        else:
            _apply_sign("-", draft)
        return length
    figure = _figure_after(stream, position, length, vocabulary)
    if figure is not None:
        return _note_figure(stream, position, figure, draft)
    roles = {concept.removeprefix(_GRAMMAR) for concept in concepts if concept.startswith(_GRAMMAR)}
    meanings = _meanings(concepts)
    if length > 1:
        # "minta rujukan" is one phrase, and its "rujukan" still tells of an errand.
        roles |= {"followup"} & _roles_within(reach[:length], vocabulary)
    if "resolved" in roles and _is_not_yet(stream, position, vocabulary, draft):
        roles.discard("resolved")
    if "gone" in roles and _is_over(stream, position, vocabulary, draft):
        roles.add("resolved")
    if NEGATION in token.forms and token.text in vocabulary.grammar["contrast"]:
        draft.all_denied = True
    _apply_roles(roles, draft)
    if meanings:
        words = " ".join(other.text for other in stream[position : position + length])
        denied = draft.pending_denial or draft.all_denied
        last = position + length - 1
        parts = _parts(reach[:length], vocabulary)
        is_whole = "idiom" in roles or _denies(reach[:length], vocabulary)
        draft.occurrences.append(
            Occurrence(
                meanings,
                words,
                position,
                last,
                draft.clause,
                denied=denied,
                past=draft.feared or draft.all_feared,
                parts=parts,
                is_whole=is_whole,
            )
        )
        draft.feared = draft.feared and _passed_over(meanings)
        if denied and not _passed_over(meanings):
            draft.pending_denial, draft.ready_to_continue = False, True
        elif not denied:
            draft.ready_to_continue = False
    # Only now: who fears something is really afraid.
    draft.feared = draft.feared or "worry" in roles
    draft.all_feared = draft.all_feared or "purpose" in roles
    return length


def _guessed_phrase(
    stream: list[_Token], position: int, reach: int, lexicon: Lexicon
) -> tuple[int, frozenset[str]] | None:
    """A phrase in which a word was not understood by itself: "dara tinggi", "muntah dara"."""
    near = stream[position : position + min(reach, _LONGEST_GUESSED)]
    guesses = [() if token.number is not None else lexicon.guesses(token.text) for token in near]
    if not any(guesses):
        return None
    return lexicon.phrase_at([(*token.forms, *more) for token, more in zip(near, guesses, strict=True)], 0)


def _figure_after(
    stream: list[_Token], position: int, length: int, vocabulary: Vocabulary
) -> vitals.Figure | None:
    """The value after a phrase that ends with the name of a figure: "cek gula darah 350"."""
    end = position + length
    for start in range(position, end):
        covered, concepts = vocabulary.lexicon.phrase_at([token.forms for token in stream[start:end]], 0)
        if start + covered != end:
            continue
        for measure in vocabulary.measures:
            if vitals.CONCEPT + measure.id in concepts:
                figure = vitals.after_name(stream, end, measure, vocabulary.units)
                if figure is not None:
                    return figure
    return None


def _note_figure(stream: list[_Token], position: int, figure: vitals.Figure, draft: _Draft) -> int:
    """Take a value as said and true, whatever "tidak" stood before; return how many tokens it covers."""
    draft.pending_denial = draft.ready_to_continue = False
    words = " ".join(token.text for token in stream[position : figure.end]).replace(" / ", "/")
    if figure.concepts:
        draft.occurrences.append(Occurrence(figure.concepts, words, position, figure.end - 1, draft.clause))
    return figure.end - position


def _parts(forms: list[tuple[str, ...]], vocabulary: Vocabulary) -> frozenset[str]:
    """What the words of a phrase mean one by one."""
    if len(forms) == 1:
        return frozenset()
    found = (vocabulary.lexicon.phrase_at([word], 0)[1] for word in forms)
    return frozenset().union(*(_meanings(concepts) for concepts in found))


def _denies(forms: list[tuple[str, ...]], vocabulary: Vocabulary) -> bool:
    return any(form in vocabulary.lexicon.negations for word in forms for form in word)


def _roles_within(forms: list[tuple[str, ...]], vocabulary: Vocabulary) -> set[str]:
    """The roles that single words of a phrase have by themselves."""
    found = (vocabulary.lexicon.phrase_at([word], 0)[1] for word in forms)
    return {concept.removeprefix(_GRAMMAR) for concepts in found for concept in concepts}


def _is_not_yet(stream: list[_Token], position: int, vocabulary: Vocabulary, draft: _Draft) -> bool:
    """True in "belum sembuh" and "tidak membaik": what was said before still holds."""
    if draft.pending_denial:
        draft.pending_denial = False
        return True
    return position > 0 and _has_role((stream[position - 1].text,), "not_yet", vocabulary)


def _is_over(stream: list[_Token], position: int, vocabulary: Vocabulary, draft: _Draft) -> bool:
    """True in "sesak sudah hilang" and "sudah hilang seminggu", not in "sudah hilang kesadaran"."""
    if not _is_aside(_DONE, position, draft):
        return False
    return (
        _ends_clause(stream, position)
        or time_at(stream, position + 1, vocabulary.numbers, vocabulary.units) is not None
    )


def _is_aside(concept: str, position: int, draft: _Draft) -> bool:
    """True when a filler of that meaning stands just before a token."""
    return any(aside.first == position and concept in aside.concepts for aside in draft.asides)


def _ends_clause(stream: list[_Token], position: int) -> bool:
    return position + 1 == len(stream) or stream[position + 1].clause != stream[position].clause


def _passed_over(concepts: frozenset[str]) -> bool:
    """True for places on the body and helping words: "tidak" reaches past them to what is felt."""
    return all(concept.startswith("at_") for concept in concepts) or any(
        concept.startswith("over_") for concept in concepts
    )


def _apply_roles(roles: set[str], draft: _Draft) -> None:
    if "negation" in roles:
        draft.pending_denial = True
    if "or" in roles:
        draft.pending_denial = draft.pending_denial or draft.ready_to_continue
    if "break" in roles:
        _forget(draft)
    for role, clauses in (
        ("past", draft.past_clauses),
        ("recent", draft.recent_clauses),
        ("onset", draft.onset_clauses),
        ("followup", draft.followup_clauses),
    ):
        if role in roles:
            clauses.add(draft.clause)
    if "resolved" in roles:
        if any(occurrence.clause == draft.clause for occurrence in draft.occurrences):
            _apply_sign("-", draft)
        else:
            # "sembuh dari sesak" names it afterwards.
            draft.pending_denial = True


def _forget(draft: _Draft) -> None:
    """What was denied or feared ends here."""
    draft.pending_denial = draft.ready_to_continue = draft.all_denied = False
    draft.feared = draft.all_feared = False


def _answer_no(draft: _Draft) -> None:
    """`sesak kalau jalan? tidak`: deny all of the question."""
    draft.occurrences[:] = [
        replace(occurrence, denied=True) if occurrence.clause == draft.clause - 1 else occurrence
        for occurrence in draft.occurrences
    ]


def _apply_sign(sign: str, draft: _Draft) -> None:
    """`sesak (-)`, "sesak sudah sembuh": deny the thing said just before in the clause."""
    for index in range(len(draft.occurrences) - 1, -1, -1):
        occurrence = draft.occurrences[index]
        if occurrence.clause != draft.clause:
            return
        draft.occurrences[index] = replace(occurrence, denied=sign == "-")
        if not _passed_over(occurrence.concepts):
            return


def _note_time(
    stream: list[_Token], position: int, time: Time, vocabulary: Vocabulary, draft: _Draft
) -> None:
    """Decide whether a time is an age, a gestation, an old event or a duration."""
    before = [form for token in stream[max(0, position - 2) : position] for form in token.forms]
    if _has_role(before, "gestation_marker", vocabulary):
        return
    if _has_role(before, "age_marker", vocabulary):
        draft.age_days = time.days if draft.age_days is None else draft.age_days
        return
    days = time.days - 1 if _has_role(before[-1:], "less", vocabulary) else time.days
    after = position + time.length
    is_ago = after < len(stream) and stream[after].text in ("lalu", "silam", "lewat", "kemarin")
    if is_ago and time.unit_days >= _DAYS_PER_MONTH:
        draft.old_clauses.add(draft.clause)
    draft.durations.append((position, draft.clause, days))


def _has_role(forms: Iterable[str], role: str, vocabulary: Vocabulary) -> bool:
    return any(form in vocabulary.grammar.get(role, ()) for form in forms)


def _finished(draft: _Draft) -> Iterator[Occurrence]:
    """Occurrences with time and follow-up put in."""
    past = (draft.past_clauses | (draft.old_clauses - draft.onset_clauses)) - draft.recent_clauses
    timed = _attach_durations(draft)
    for index, occurrence in enumerate(draft.occurrences):
        # "stroke, minta rujukan": an errand speaks for the whole visit, unless this is said to be new.
        is_new = occurrence.clause in draft.recent_clauses or index in timed
        yield replace(
            occurrence,
            past=occurrence.past or occurrence.clause in past,
            followup=occurrence.clause in draft.followup_clauses
            or (bool(draft.followup_clauses) and not is_new),
            days=timed.get(index),
        )
    yield from draft.asides


def _attach_durations(draft: _Draft) -> dict[int, float]:
    """Index of an occurrence -> its days.

    A duration belongs to everything said before it since the last one; when nothing was, to what
    follows in its clause ("sudah 3 minggu batuk"), or else to the clause before ("batuk, 3 minggu").
    "lama" counts only where no number was given, and not in "dari kemarin tidak sembuh".
    """
    of_late = draft.recent_clauses & draft.onset_clauses
    vague = [
        (occurrence.first, occurrence.clause, LONG_DAYS)
        for occurrence in draft.occurrences
        if _LONG in occurrence.concepts and not occurrence.denied and occurrence.clause not in of_late
    ]
    return {**_attached(vague, draft.occurrences), **_attached(draft.durations, draft.occurrences)}


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

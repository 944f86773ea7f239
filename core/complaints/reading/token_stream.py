"""Turn a complaint into a stream of tokens: words with their readings, numbers, signs and clause ends.

In:  "demam 38,5, ga batuk (-)".
Out: demam (clause 0), 38.5 (0), ga read as "tidak" (1), batuk (1), the sign "-" (1).

Fillers such as "yang" and "sudah" are kept apart, so that phrases match across them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from core.complaints.language.grammar import GrammarRole
from core.complaints.language.lexicon import Lexicon
from core.complaints.language.phrases import GRAMMAR, roles_of
from core.complaints.language.tokenizer import code_parts, tokenize
from core.complaints.language.word_list import UNKNOWN, Known
from core.complaints.reading.experiencer import HeardWord

MOST_RESOLVED = 10
"""Different words of a complaint that are looked up by the slow ways too (spelling, typing errors). Each takes a
tenth of a millisecond the first time, and a text with more of them is no complaint."""

MOST_UNKNOWN = 12
"""Unknown words after which only exact words are looked up: the text is no complaint."""

_MOST_FRAGMENTS = 5
"""Pairs of words in a complaint that are tried as one word with affixes, cut by a blank."""
_LONGEST_FRAGMENT = 4
"""Letters of the shorter piece of a cut word: "berda rahnya"."""
_SHORTEST_CUT_WORD = 6
"""Letters of both pieces together: a shorter word has no affixes to look for."""

FILLER_ROLES = frozenset(
    {
        GrammarRole.NEW_STATEMENT,
        GrammarRole.RELAPSE,
        GrammarRole.QUESTION_TOPIC,
        GrammarRole.EXISTS,
        GrammarRole.CONDITIONAL,
        GrammarRole.ONESELF,
        GrammarRole.LIKENS,
    }
)
"""Roles that act although their word is a filler: "riwayat asma dengan sesak", "muncul lagi"."""

_THOUSANDS_DIGITS = 3
"""Digits after a dot or comma that make it a thousands separator: "80.000"."""

_SPOKEN = {"/": "/", "<": "kurang", ">": "lebih"}
"""Words that symbols are read as; any other one joins, as "dan" does."""


@dataclass
class ComplaintToken:
    """A word, number or sign that is not a filler."""

    text: str
    forms: tuple[str, ...]
    """Words of the vocabulary that it may be, best first."""
    clause: int
    number: float | None = None
    sign: str = ""
    """`+` or `-` for a clinician's "(+)" and "(-)"."""
    is_asked: bool = False
    """True before a question mark."""
    is_ordinal: bool = False
    """True for the number of "hari ke-5"."""
    guesses: tuple[str, ...] = ()
    """Words one typing error away, used where a whole phrase makes one likely."""


class WordReading(NamedTuple):
    """A typed word and the words of the vocabulary it was taken for."""

    typed: str
    forms: tuple[str, ...]
    how: str
    """As in `Known.how`."""


@dataclass(frozen=True)
class Filler:
    """A word left out of phrases that has a meaning or a role: "kanan", "sudah", "dengan"."""

    word: str
    concepts: frozenset[str]
    position: int
    """Of the token after it."""
    clause: int
    roles: frozenset[str] = frozenset()
    """Of `FILLER_ROLES`."""


@dataclass
class Stream:
    """The tokens and fillers of a complaint."""

    tokens: list[ComplaintToken] = field(default_factory=list)
    fillers: list[Filler] = field(default_factory=list)
    forms: list[WordReading] = field(default_factory=list)
    """Each typed word, for explanations."""
    heard: list[HeardWord] = field(default_factory=list)
    """Each typed word with its place, to see who is spoken of."""
    after_comma: set[int] = field(default_factory=set)
    """Numbers of the clauses that a comma begins."""

    def ends_clause(self, position: int) -> bool:
        """True for the last token of a clause."""
        following = position + 1
        return following == len(self.tokens) or self.tokens[following].clause != self.tokens[position].clause

    def has_role(self, role: GrammarRole, position: int) -> bool:
        """True when a filler of that role comes just before a token."""
        return any(filler.position == position and role in filler.roles for filler in self.fillers)

    def follows(self, concept: str, position: int) -> bool:
        """True when a filler of that concept comes just before a token."""
        return any(filler.position == position and concept in filler.concepts for filler in self.fillers)


def stream_of(text: str, lexicon: Lexicon) -> Stream:
    """Return the stream of a complaint.

    Args:
        text: Anything; only its first `tokenizer.MAX_CHARACTERS` characters are read.
        lexicon: The known words and fillers.
    """
    builder = _StreamBuilder(lexicon)
    for kind, word in _whole_tokens(text, lexicon):
        builder.add(kind, word)
    return builder.stream


class _StreamBuilder:
    """Adds one token after the other to a stream."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.stream = Stream()
        self._lexicon = lexicon
        self._clause = 0
        self._previous = ""
        self._resolved: set[str] = set()
        """Words looked up by the slow ways, at most `MOST_RESOLVED`."""
        self._unknown = 0
        """Unknown words so far."""

    def add(self, kind: str, word: str) -> None:
        """Add a token.

        Args:
            kind: As in `tokenizer.tokenize`.
            word: Its text.
        """
        if kind == "word":
            self._add_word(word)
        elif kind == "stop":
            self._end_clause(word)
        else:
            self.stream.tokens.append(self._symbol(kind, word))
        self._previous = word

    def _end_clause(self, mark: str) -> None:
        self._clause += 1
        if mark == ",":
            self.stream.after_comma.add(self._clause)
        if mark == "?" and self.stream.tokens:
            self.stream.tokens[-1].is_asked = True

    def _symbol(self, kind: str, text: str) -> ComplaintToken:
        """The token of a number, sign or symbol."""
        if kind == "number":
            is_ordinal = self._previous == "ke"
            return ComplaintToken(text, (), self._clause, number=_number(text), is_ordinal=is_ordinal)
        if kind == "sign":
            return ComplaintToken(text, (), self._clause, sign="-" if "-" in text else "+")
        return ComplaintToken(text, (_SPOKEN.get(text, "dan"),), self._clause)

    def _add_word(self, word: str) -> None:
        known, guesses = self._look_up(word)
        self._unknown += known.how == "unknown"
        self.stream.forms.append(WordReading(word, known.forms, known.how))
        self.stream.heard.append(HeardWord(word, len(self.stream.tokens), self._clause))
        if known.how != "split":
            self._add_token(ComplaintToken(word, known.forms or (word,), self._clause, guesses=guesses))
            return
        # "gabisa bangun" is "tidak bisa bangun", where "bisa" is a filler.
        for part in known.forms:
            forms = (self._lexicon.known(part) or UNKNOWN).forms
            self._add_token(ComplaintToken(part, forms or (part,), self._clause))

    def _look_up(self, word: str) -> tuple[Known, tuple[str, ...]]:
        """The reading of a word and its guesses, by the slow ways only within the limits of a complaint."""
        if self._unknown >= MOST_UNKNOWN and not self._lexicon.holds(word):
            return UNKNOWN, ()
        known = self._lexicon.known(word)
        if known is not None and known.how in ("exact", "affix", "unknown"):
            return known, ()
        if word not in self._resolved and len(self._resolved) >= MOST_RESOLVED:
            return known or UNKNOWN, ()
        self._resolved.add(word)
        return self._lexicon.resolve(word), self._lexicon.guesses(word)

    def _add_token(self, token: ComplaintToken) -> None:
        if token.forms[0] in self._lexicon.fillers:
            self._add_filler(token)
        else:
            self.stream.tokens.append(token)

    def _add_filler(self, token: ComplaintToken) -> None:
        """Keep a filler that has a meaning or a role."""
        concepts = self._lexicon.phrases.longest([token.forms])[1]
        roles = FILLER_ROLES & roles_of(concepts)
        meanings = frozenset(concept for concept in concepts if not concept.startswith(GRAMMAR))
        if meanings or roles:
            position = len(self.stream.tokens)
            self.stream.fillers.append(Filler(token.text, meanings, position, token.clause, roles))


def _number(written: str) -> float:
    """Return the value of "38,5" or "38.5"; three digits after the separator are thousands: "80.000"."""
    whole, _, rest = written.replace(",", ".").partition(".")
    return float(whole + rest) if len(rest) == _THOUSANDS_DIGITS else float(f"{whole}.{rest or 0}")


def _whole_tokens(text: str, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Yield the tokens with words joined that a blank has cut: "pin gsan"."""
    before = ""
    fragments = 0
    for kind, word in _plain_tokens(text, lexicon):
        if kind == "word" and before:
            is_fragment = _may_be_cut(before, word)
            fragments += is_fragment
            with_affixes = is_fragment and fragments <= _MOST_FRAGMENTS
            if lexicon.is_joined(before, word, with_affixes=with_affixes):
                yield kind, before + word
                before = ""
                continue
        if before:
            yield "word", before
        before = word if kind == "word" else ""
        if not before:
            yield kind, word
    if before:
        yield "word", before


def _may_be_cut(left: str, right: str) -> bool:
    """True for lengths that the pieces of a cut word with affixes have."""
    is_short = min(len(left), len(right)) <= _LONGEST_FRAGMENT
    return is_short and len(left + right) >= _SHORTEST_CUT_WORD


def _plain_tokens(text: str, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """Yield the tokens with codes that the lexicon does not hold taken apart."""
    for kind, word in tokenize(text):
        if kind != "code":
            yield kind, word
        elif lexicon.holds(word):
            yield "word", word
        else:
            yield from code_parts(word)

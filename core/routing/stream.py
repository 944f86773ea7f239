"""A complaint as a stream of tokens: words with what they may be, numbers, signs, and the ends of clauses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from core.routing.language import code_parts, tokens
from core.routing.lexicon import UNKNOWN, Lexicon
from core.routing.phrases import GRAMMAR, roles_of

MOST_UNREAD = 10
"""Words of a complaint that are looked up beyond the vocabulary, its affixes and its common slips: what holds
more of them is no complaint, and each takes a tenth of a millisecond the first time."""

MOST_UNKNOWN = 12
"""Words that nothing is made of, from which on affixes too are no longer looked for: it is no complaint."""

_MOST_FRAGMENTS = 5
"""Pairs of words in a complaint that may be one with affixes, cut by a blank."""
_LONGEST_FRAGMENT = 4
_LONG_WHOLE = 6
"""Letters of a word with affixes that a blank has cut, and of the shorter piece."""

HEARD = frozenset({"turn", "again", "manifest"})
"""Roles of grammar that a filler may have."""

_THOUSANDS_DIGITS = 3


@dataclass
class Token:
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
    """Words one slip away, for what only a whole phrase makes likely."""


@dataclass(frozen=True)
class Filler:
    """A word passed over in phrases that says something all the same: "kanan", "sudah", "dengan"."""

    word: str
    concepts: frozenset[str]
    position: int
    """Of the token after it."""
    clause: int
    roles: frozenset[str] = frozenset()
    """Of `HEARD`: "riwayat asma dengan sesak", "muncul lagi"."""


@dataclass
class Stream:
    """What a complaint consists of."""

    tokens: list[Token] = field(default_factory=list)
    fillers: list[Filler] = field(default_factory=list)
    forms: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    """For explaining: each typed word, the words it was taken for, and how."""
    unread: set[str] = field(default_factory=set)
    """Words looked up further, at most `MOST_UNREAD`."""
    unknown: int = 0
    """Words that nothing was made of, at most `MOST_UNKNOWN` looked up with affixes."""

    def ends_clause(self, position: int) -> bool:
        """True for the last token of a clause."""
        following = position + 1
        return following == len(self.tokens) or self.tokens[following].clause != self.tokens[position].clause

    def follows(self, concept: str, position: int) -> bool:
        """True when a filler of that meaning stands just before a token."""
        return any(filler.position == position and concept in filler.concepts for filler in self.fillers)


def stream_of(text: str, lexicon: Lexicon) -> Stream:
    """Cut a complaint up.

    Args:
        text: Anything; only its first `language.MAX_CHARACTERS` characters are read.
        lexicon: Tells what a word may be, and which words are fillers.
    """
    stream = Stream()
    taken = stream.tokens
    clause = 0
    previous = ""
    for kind, word in _whole_tokens(text, lexicon):
        if kind == "stop":
            clause += 1
            if word == "?" and taken:
                taken[-1].is_asked = True
        elif kind == "number":
            taken.append(Token(word, (), clause, number=_number(word), is_ordinal=previous == "ke"))
        elif kind == "sign":
            taken.append(Token(word, (), clause, sign="-" if "-" in word else "+"))
        elif kind == "join":
            taken.append(Token(word, ("/",) if word == "/" else ("dan",), clause))
        elif kind == "compare":
            taken.append(Token(word, ("kurang",) if word == "<" else ("lebih",), clause))
        elif kind == "word":
            _take_word(word, clause, stream, lexicon)
        previous = word
    return stream


def _take_word(word: str, clause: int, stream: Stream, lexicon: Lexicon) -> None:
    is_looked_up = stream.unknown < MOST_UNKNOWN or lexicon.holds(word)
    known = lexicon.known(word) if is_looked_up else UNKNOWN
    guesses: tuple[str, ...] = ()
    if known is None or known.how not in ("exact", "affix", "unknown"):
        if word in stream.unread or len(stream.unread) < MOST_UNREAD:
            stream.unread.add(word)
            known, guesses = lexicon.resolve(word), lexicon.guesses(word)
        known = known or UNKNOWN
    stream.unknown += known.how == "unknown"
    stream.forms.append((word, known.forms, known.how))
    if known.how == "split":
        # "gabisa bangun" is "tidak bisa bangun", and "bisa" is passed over there.
        for part in known.forms:
            meant = lexicon.known(part) or UNKNOWN
            _take(Token(part, meant.forms or (part,), clause), stream, lexicon)
    else:
        _take(Token(word, known.forms or (word,), clause, guesses=guesses), stream, lexicon)


def _take(token: Token, stream: Stream, lexicon: Lexicon) -> None:
    if token.forms[0] not in lexicon.fillers:
        stream.tokens.append(token)
        return
    concepts = lexicon.phrases.longest([token.forms])[1]
    roles = HEARD & roles_of(concepts)
    meanings = frozenset(concept for concept in concepts if not concept.startswith(GRAMMAR))
    if meanings or roles:
        stream.fillers.append(Filler(token.text, meanings, len(stream.tokens), token.clause, roles))


def _number(written: str) -> float:
    """`38,5` and `38.5` alike; three digits after the sign are thousands: `80.000`."""
    whole, _, rest = written.replace(",", ".").partition(".")
    return float(whole + rest) if len(rest) == _THOUSANDS_DIGITS else float(f"{whole}.{rest or 0}")


def _whole_tokens(text: str, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    """The tokens with codes taken apart and words that a blank has cut put together: `pin gsan`."""
    before = ""
    tries = 0
    for kind, word in _plain_tokens(text, lexicon):
        if kind == "word" and before:
            is_fragment = (
                min(len(before), len(word)) <= _LONGEST_FRAGMENT and len(before + word) >= _LONG_WHOLE
            )
            tries += is_fragment
            if lexicon.is_joined(before, word, with_affixes=is_fragment and tries <= _MOST_FRAGMENTS):
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


def _plain_tokens(text: str, lexicon: Lexicon) -> Iterator[tuple[str, str]]:
    for kind, word in tokens(text):
        if kind != "code":
            yield kind, word
        elif lexicon.holds(word):
            yield "word", word
        else:
            yield from code_parts(word)

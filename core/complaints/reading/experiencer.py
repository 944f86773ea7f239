"""Tell whose body a finding is of: the one who speaks, or a relative who is spoken of.

In:  "kakak saya kejang tadi, saya mau cabut gigi".
Out: the seizure is a sibling's, the tooth is the speaker's.

A word for a person owns what follows it in its clause, up to the next such word. Whether that person is the patient
is decided with the form at hand, in `core.complaints.patient`. The term is ConText's (Harkema et al. 2009).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple


class Experiencer(StrEnum):
    """A list of `[people]`: somebody whom a complaint may speak of."""

    ONESELF = "oneself"
    WIFE = "wife"
    HUSBAND = "husband"
    MOTHER = "mother"
    FATHER = "father"
    GRANDMOTHER = "grandmother"
    GRANDFATHER = "grandfather"
    IN_LAW = "in_law"
    CHILD = "child"
    SIBLING = "sibling"
    OUTSIDER = "outsider"
    """A neighbour, a friend: somebody who does not come with the family's card."""
    DEAD = "dead"
    """"meninggal": the relative who is named in the clause is no patient."""
    DYING = "dying"
    """"mau meninggal": who is about to die is one."""
    DEED = "deed"
    """Acts of a speaker for somebody else: after "saya bawa" and "saya takut" nothing is the speaker's own finding."""
    MENTION = "mention"
    """Words before a person who then owns nothing: "kata", "sama", "oleh"."""
    OPENER = "opener"
    """Words after which a person begins a statement; after any other word it is an owner or a doer: "obat kakeknya"."""
    RESULT = "result"
    """"jadi": what somebody else's mishap did to the speaker follows."""
    BESIDES = "besides"
    """"sekalian": after a deed for another, what the speaker asks for themselves: "saya antar sekalian minta obat"."""
    SPEECH = "speech"
    """The same after the person: "kakak bilang"."""


_BESIDE_PEOPLE = frozenset(
    {
        Experiencer.BESIDES,
        Experiencer.DEED,
        Experiencer.DEAD,
        Experiencer.DYING,
        Experiencer.MENTION,
        Experiencer.OPENER,
        Experiencer.SPEECH,
    }
)
_LIKENESS = frozenset("seperti kayak kaya kyk kek spt siga kados koyo macam".split())
"""Of the words before a person, those that compare: "takut pingsan kayak ibu saya"."""
_PASSIVE = "di"
"""Prefix of a verb whose doer follows: "dipukul suami"."""
_SHORTEST_PASSIVE = 5
"""Letters of the shortest such verb."""
_POINTED = frozenset("yang yg adiknya adik adeknya adek kakaknya kakak anak anaknya cucu".split())
"""Words before "ini" that tell the child at the counter from a brother or sister spoken of before."""
_THIS = "ini"
_HELPERS = frozenset(
    "mau mo mw juga jg sendiri cuma hanya ingin pengen pengin minta lagi sedang baru punya ada merasa rasa sering sudah udah jadi handak".split()
)
"""Words after "saya" that make it a subject; after a part of the body it is the owner otherwise: "dada saya"."""


class HeardWord(NamedTuple):
    """A typed word and its place."""

    word: str
    position: int
    """Of the next token that is no filler, or of itself."""
    clause: int


class Owner(NamedTuple):
    """The person to whom the findings belong from a place in a clause on."""

    person: Experiencer
    clause: int
    first: int
    """Position of the first token that is theirs."""
    is_acting: bool = False
    """True where the speaker does something for another."""


def owners(heard: Sequence[HeardWord], people: Mapping[str, Experiencer]) -> list[Owner]:
    """Return the owners of the findings of a complaint, in its order; empty where only the speaker is named.

    Args:
        heard: Every typed word.
        people: Word -> the person it names, or the kind of word beside a person.
    """
    named = [people.get(word.word) for word in heard]
    if all(person in _BESIDE_PEOPLE or person in (None, Experiencer.ONESELF) for person in named):
        return []
    found = (_owner_at(index, heard, named) for index in range(len(heard)))
    dead = _clauses_of_the_dead(heard, named)
    return _without_other_siblings([_buried(owner, dead) for owner in found if owner is not None], heard)


def _without_other_siblings(found: Sequence[Owner], heard: Sequence[HeardWord]) -> list[Owner]:
    """Return the owners where a sibling is another child: "kakaknya kejang, adiknya ini batuk"."""
    pointed = [
        following
        for word, following in pairwise(heard)
        if following.word == _THIS and word.word in _POINTED and following.clause == word.clause
    ]
    if not pointed:
        return list(found)
    present = pointed[-1]
    others = [
        owner._replace(person=Experiencer.OUTSIDER)
        if owner.person is Experiencer.SIBLING and owner.clause < present.clause
        else owner
        for owner in found
    ]
    return [*others, Owner(Experiencer.CHILD, present.clause, present.position)]


def likened(heard: Sequence[HeardWord], people: Mapping[str, Experiencer]) -> Iterator[HeardWord]:
    """Yield each "seperti" before a person: what was said just before happened to that person.

    Args:
        heard: Every typed word.
        people: Word -> the person it names, or the kind of word beside a person.
    """
    for word, following in pairwise(heard):
        person = people.get(following.word)
        is_person = person is not None and person not in _BESIDE_PEOPLE and person is not Experiencer.RESULT
        if word.word in _LIKENESS and is_person and following.clause == word.clause:
            yield word


def _clauses_of_the_dead(heard: Sequence[HeardWord], named: Sequence[Experiencer | None]) -> set[int]:
    """Return the clauses that tell of a death: "meninggal", not "mau meninggal"."""
    return {
        word.clause
        for index, word in enumerate(heard)
        if named[index] is Experiencer.DEAD and (not index or named[index - 1] is not Experiencer.DYING)
    }


def _buried(owner: Owner, dead: Collection[int]) -> Owner:
    is_dead = owner.clause in dead and owner.person is not Experiencer.ONESELF
    return owner._replace(person=Experiencer.DEAD) if is_dead else owner


def owner_of(found: Iterable[Owner], clause: int, position: int) -> Owner | None:
    """Return the owner of a token, None where its clause names nobody before it.

    Args:
        found: As `owners` gives them.
        clause: Number of its clause.
        position: Of the token.
    """
    last = None
    for owner in found:
        if owner.clause == clause and owner.first <= position:
            last = owner
    return last


def _owner_at(index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None]) -> Owner | None:
    person = named[index]
    if person is Experiencer.BESIDES:
        return _on_own_errand(index, heard, named)
    if person is None or person in _BESIDE_PEOPLE:
        return None
    before = _neighbour(heard, index, -1)
    if before is not None and (named[before] is Experiencer.MENTION or _is_passive(heard[before].word)):
        return None
    if person is Experiencer.ONESELF:
        return _speaker(index, heard, named, before)
    if person is Experiencer.RESULT:
        return _after_all(index, heard, named)
    return _relative(index, heard, named, before)


def _relative(
    index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None], before: int | None
) -> Owner | None:
    """Return the ownership of a person who is spoken of, None where the word only names an owner or a doer."""
    person, place = named[index], heard[index]
    # "antar ibu kejang": whoever is escorted, where the complaint begins so.
    is_escorted = index == 1 and named[0] is Experiencer.DEED
    may_begin = before is None or is_escorted or (person and _may_begin(person, named[before]))
    if person is None or not may_begin or _says(index, heard, named):
        return None
    return Owner(person, place.clause, place.position)


def _says(index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None]) -> bool:
    """Return whether a word of speech follows the person: "kakak saya bilang"."""
    after = _neighbour(heard, index, 1)
    while after is not None and named[after] is Experiencer.ONESELF:
        after = _neighbour(heard, after, 1)
    return after is not None and named[after] is Experiencer.SPEECH


def _on_own_errand(
    index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None]
) -> Owner | None:
    """Return the speaker's ownership of what they ask for beside a deed: "saya antar sekalian minta obat"."""
    place = heard[index]
    is_beside_deed = _acts_before(index, heard, named)
    return Owner(Experiencer.ONESELF, place.clause, place.position) if is_beside_deed else None


def _may_begin(person: Experiencer, before: Experiencer | None) -> bool:
    """Return whether a word may stand before a person who then owns what follows: "lihat orang kejang"."""
    if before is Experiencer.DEED:
        return person is Experiencer.OUTSIDER
    return before not in (None, Experiencer.SPEECH)


def _after_all(index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None]) -> Owner | None:
    """Return the speaker's ownership of what an outsider's mishap did to them: "lihat orang kejang jadi trauma"."""
    place = heard[index]
    earlier = (named[i] for i in range(index) if heard[i].clause == place.clause)
    return (
        Owner(Experiencer.ONESELF, place.clause, place.position) if Experiencer.OUTSIDER in earlier else None
    )


def _speaker(
    index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None], before: int | None
) -> Owner | None:
    """Return the ownership of a "saya" that is no mere "my" of a relative."""
    place = heard[index]
    if before is not None and named[before] not in (None, Experiencer.OPENER):
        return None
    after = _neighbour(heard, index, 1)
    is_subject = before is None or after is None or heard[after].word in _HELPERS or named[after] is not None
    first = place.position if is_subject or before is None else heard[before].position
    return Owner(Experiencer.ONESELF, place.clause, first, is_acting=_does_something(index, heard, named))


def _does_something(index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None]) -> bool:
    """Return whether a deed follows, with at most a helping word between: "saya bawa", "saya mau bawa"."""
    after = _neighbour(heard, index, 1)
    if after is not None and heard[after].word in _HELPERS and named[after] is not Experiencer.DEED:
        after = _neighbour(heard, after, 1)
    return after is not None and named[after] is Experiencer.DEED


def _acts_before(index: int, heard: Sequence[HeardWord], named: Sequence[Experiencer | None]) -> bool:
    """Return whether the speaker does something for another earlier in the clause."""
    return any(
        named[i] is Experiencer.ONESELF
        and heard[i].clause == heard[index].clause
        and _does_something(i, heard, named)
        for i in range(index)
    )


def _neighbour(heard: Sequence[HeardWord], index: int, step: int) -> int | None:
    """Return the index of the word before or after one in its clause."""
    other = index + step
    if not 0 <= other < len(heard) or heard[other].clause != heard[index].clause:
        return None
    return other


def _is_passive(word: str) -> bool:
    return len(word) >= _SHORTEST_PASSIVE and word.startswith(_PASSIVE)

"""Find the longest phrase of the vocabulary at a place in a complaint.

In:  the forms of the tokens "darah", "tinggi", "sakit".
Out: (2, {"hypertension", ...}): a phrase of two words and its concepts.

The phrases are kept as a tree of words (a trie).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from core.complaints.language.grammar import GrammarRole

GRAMMAR = "grammar."
"""Prefix of the concept under which a word of grammar is known: `grammar.past` for the role `past`."""

IDIOM = GRAMMAR + GrammarRole.IDIOM
"""Concept that marks a phrase as an idiom; by itself it is no meaning."""


@lru_cache(maxsize=4096)
def roles_of(concepts: frozenset[str]) -> frozenset[str]:
    """Return the `GrammarRole`s among some concepts."""
    return frozenset(concept.removeprefix(GRAMMAR) for concept in concepts if concept.startswith(GRAMMAR))


@dataclass
class _Node:
    """A word in the tree, after the words above it."""

    concepts: set[str] = field(default_factory=set)
    children: dict[str, _Node] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    """Its concepts once the tree is complete; empty where there is no more than the mark of an idiom."""

    def freeze(self) -> None:
        """Fix the concepts here and below."""
        self.frozen = frozenset(self.concepts) if self.concepts - {IDIOM} else frozenset()
        for child in self.children.values():
            child.freeze()


class Phrases:
    """The words and phrases of a vocabulary and their concepts. Complete once it is frozen."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, words: Iterable[str], concept: str) -> None:
        """Add a concept to a phrase."""
        node = self._root
        for word in words:
            node = node.children.setdefault(word, _Node())
        node.concepts.add(concept)

    def inherit(self, ending: str) -> None:
        """Give listed words with an ending the concepts of their root: "lidahnya" means all that "lidah" means."""
        for word, node in self._root.children.items():
            if not word.endswith(ending):
                continue
            root = self._root.children.get(word.removesuffix(ending))
            if root is not None and not roles_of(frozenset(node.concepts)):
                node.concepts |= {concept for concept in root.concepts if not concept.startswith(GRAMMAR)}

    def freeze(self) -> None:
        """Complete the tree, ready for `longest`."""
        self._root.freeze()

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield the phrases of two words."""
        for left, node in self._root.children.items():
            yield from ((left, right) for right, whole in node.children.items() if whole.concepts)

    def longest(self, stream: Sequence[tuple[str, ...]]) -> tuple[int, frozenset[str]]:
        """Return the longest word or phrase at the beginning of a stream.

        Args:
            stream: For each token the forms it may have, best first.

        Returns:
            The number of tokens it covers and its concepts; (0, nothing) where none begins.
        """
        best: tuple[int, frozenset[str]] = (0, frozenset())
        nodes = [self._root]
        for length, forms in enumerate(stream, start=1):
            nodes = [node.children[form] for node in nodes for form in forms if form in node.children]
            if not nodes:
                break
            concepts = next((node.frozen for node in nodes if node.frozen), None)
            if concepts:
                best = (length, concepts)
        return best

    def bare_idiom(self, words: Iterable[str]) -> int:
        """Return how many words an idiom covers at a beginning that no list gives a meaning: "ular tangga".

        Args:
            words: As the lists write them; no stems, no guesses.
        """
        node, longest = self._root, 0
        for length, word in enumerate(words, start=1):
            following = node.children.get(word)
            if following is None:
                break
            node = following
            if node.concepts == {IDIOM}:
                longest = length
        return longest

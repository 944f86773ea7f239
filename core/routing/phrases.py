"""The phrases of the vocabulary as a tree of words, and the longest that begins a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

GRAMMAR = "grammar."
"""Begins the concept under which a word of grammar is known."""

IDIOM = GRAMMAR + "idiom"
"""Marks a phrase that means something; by itself it is no meaning."""


@lru_cache(maxsize=4096)
def roles_of(concepts: frozenset[str]) -> frozenset[str]:
    """What words of grammar do to others, by name."""
    return frozenset(concept.removeprefix(GRAMMAR) for concept in concepts if concept.startswith(GRAMMAR))


@dataclass
class _Node:
    """A place in the tree of phrases."""

    concepts: set[str] = field(default_factory=set)
    children: dict[str, _Node] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    """Its concepts once all are known; empty where nothing but a mark stands."""

    def freeze(self) -> None:
        """Fix what is said here and below."""
        self.frozen = frozenset(self.concepts) if self.concepts - {IDIOM} else frozenset()
        for child in self.children.values():
            child.freeze()


class Phrases:
    """What words and phrases mean. Complete once it is frozen."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, words: Iterable[str], concept: str) -> None:
        """Let a phrase mean a concept, besides what it means already."""
        node = self._root
        for word in words:
            node = node.children.setdefault(word, _Node())
        node.concepts.add(concept)

    def inherit(self, ending: str) -> None:
        """What "lidah" means "lidahnya" means too, where a list holds that by itself."""
        for word, node in self._root.children.items():
            root = self._root.children.get(word.removesuffix(ending)) if word.endswith(ending) else None
            if root is not None and not any(concept.startswith(GRAMMAR) for concept in node.concepts):
                node.concepts |= {concept for concept in root.concepts if not concept.startswith(GRAMMAR)}

    def freeze(self) -> None:
        """All are known: from here on they are only asked for."""
        self._root.freeze()

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The phrases of two words."""
        for left, node in self._root.children.items():
            yield from ((left, right) for right, whole in node.children.items() if whole.concepts)

    def longest(self, stream: Sequence[tuple[str, ...]]) -> tuple[int, frozenset[str]]:
        """The longest word or phrase at the beginning of a stream.

        Args:
            stream: For each token the forms it may have.

        Returns:
            How many tokens it covers and its concepts; (0, nothing) when none begins here.
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

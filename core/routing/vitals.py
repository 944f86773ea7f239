"""Figures written into a complaint: "tensi 210/120", "suhu 40,5", "gds 35", "saturasi 85".

Pure; the names of the figures, their plausible ranges and what a value says stand in the
vocabulary file under `[[measure]]`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

CONCEPT = "measure."
"""Begins the concept under which the lexicon knows a figure's name."""

_FARTHEST_VALUE = 3
"""Most words between the name and its value: "suhu badan tadi pagi 39"."""

_THOUSANDS = frozenset({"rb", "ribu"})


@dataclass(frozen=True)
class Measure:
    """One kind of figure, such as a temperature."""

    id: str
    names: tuple[str, ...]
    """Words and phrases before the value."""
    units: frozenset[str]
    """Words after a value that say what it is even without a name: `derajat`, `mmhg`."""
    plausible: tuple[tuple[float, float], ...]
    """Other numbers are something else: "suhu naik 3 hari"."""
    levels: Mapping[str, tuple[tuple[float, float], ...]]
    """Concept -> the values, both ends included, that say it."""
    pair: Mapping[str, tuple[tuple[float, float], ...]] | None = None
    """For two numbers with a stroke between them: concept -> values of the second."""


class Token(Protocol):
    """What this module needs of a token of the reading."""

    text: str
    number: float | None
    clause: int


@dataclass(frozen=True)
class Figure:
    """A value found in the stream."""

    end: int
    """Index of the token after it."""
    concepts: frozenset[str]


def after_name(
    stream: Sequence[Token],
    position: int,
    measure: Measure,
    times: Container[str],
    names: Container[str],
) -> Figure | None:
    """The value that follows a name.

    Args:
        stream: The tokens of the complaint.
        position: Index of the token after the name.
        measure: What was named.
        times: Words for hours, days and weeks: "panas 40 hari" is no temperature.
        names: Last words of what figures are called: in "obat tensi dan spo2 82" the value is the second's.
    """
    for index in range(position, min(len(stream), position + _FARTHEST_VALUE + 1)):
        if stream[index].clause != stream[max(position - 1, 0)].clause:
            return None
        if stream[index].text in names:
            return None
        if stream[index].number is not None:
            figure = _value_at(stream, index, measure)
            is_time = index + 1 < len(stream) and stream[index + 1].text in times
            return None if is_time else figure
    return None


def without_name(stream: Sequence[Token], position: int, measures: Sequence[Measure]) -> Figure | None:
    """A value that says itself what it is: "180/110", "39 derajat"."""
    if stream[position].number is None:
        return None
    for measure in measures:
        figure = _value_at(stream, position, measure)
        if figure is None:
            continue
        is_pair = measure.pair is not None and figure.end > position + 2
        named = figure.end < len(stream) and stream[figure.end].text in measure.units
        if is_pair or named:
            return Figure(figure.end + named, figure.concepts)
    return None


def _value_at(stream: Sequence[Token], index: int, measure: Measure) -> Figure | None:
    value, end = stream[index].number or 0.0, index + 1
    if end < len(stream) and stream[end].text in _THOUSANDS:
        value, end = value * 1000, end + 1
    if not _within(value, measure.plausible):
        return None
    concepts = {concept for concept, ranges in measure.levels.items() if _within(value, ranges)}
    second = _second(stream, end, value) if measure.pair is not None else None
    if second is not None and measure.pair is not None:
        lower, end = second
        concepts |= {concept for concept, ranges in measure.pair.items() if _within(lower, ranges)}
    return Figure(end, frozenset(concepts))


def _second(stream: Sequence[Token], position: int, first: float) -> tuple[float, int] | None:
    """(value, index after it) of the lower number of "210/120", "210 per 120" and "210-120"."""
    if position < len(stream) and stream[position].text in ("/", "per"):
        position += 1
    number = stream[position].number if position < len(stream) else None
    return (number, position + 1) if number is not None and 0.2 * first <= number < first else None


def _within(value: float, ranges: tuple[tuple[float, float], ...]) -> bool:
    return any(low <= value <= high for low, high in ranges)

"""Find measured values in a complaint: "tensi 210/120", "suhu 40,5", "gds 35", "saturasi 85".

In:  the tokens of "tensi 210/120 pusing" and the position after "tensi".
Out: `Measurement(end=4, concepts={"pressure_crisis", ...})`: the value ends before "pusing".

The names, plausible ranges and meanings of the values are in the vocabulary files under `[[measure]]`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

CONCEPT_PREFIX = "measure."
"""Prefix of the concept under which the lexicon knows the name of a measurement."""

_FARTHEST_VALUE = 3
"""Most words between the name and its value: "suhu badan tadi pagi 39"."""
_FARTHEST_LINKED_VALUE = 7
"""The same where one of the words says that a value follows: "tensi tadi diukur bidan di rumah tembus 210"."""

_THOUSANDS = frozenset({"rb", "ribu"})
"""Words after a number that multiply it by a thousand: "trombosit 80 ribu"."""

_LEAST_DIASTOLIC_SHARE = 0.2
"""Least share of the upper blood pressure that the lower one has: in "210-3" the 3 is something else."""

Ranges = tuple[tuple[float, float], ...]
"""Ranges of values, both ends included."""


@dataclass(frozen=True)
class MeasurementKind:
    """A kind of measurement, such as the temperature."""

    id: str
    names: tuple[str, ...]
    """Words and phrases before the value."""
    units: frozenset[str]
    """Words after a value that identify it without a name: `derajat`, `mmhg`."""
    plausible: Ranges
    """A number outside is another kind of number: "suhu naik 3 hari"."""
    levels: Mapping[str, Ranges]
    """Concept -> the values that mean it."""
    pair: Mapping[str, Ranges] | None = None
    """For two numbers with a stroke between them: concept -> values of the second that mean it."""


class MeasurementToken(Protocol):
    """The part of a token that a measurement is read from."""

    text: str
    number: float | None
    clause: int


@dataclass(frozen=True)
class Surroundings:
    """Words beside a number that tell what it counts."""

    names: Container[str]
    """Last words of the names of measurements: in "obat tensi dan spo2 82" the value belongs to the second."""
    links: Container[str]
    """Words between a name and its value: "turun jadi", "tinggal", "cuma"."""
    ordinal: Container[str]
    """Words before a number that is no value: "hb hamil trimester 3"."""
    counted: Container[str]
    """Words after a number that is no value: times ("panas 40 hari"), pieces ("obat gula tinggal 30 tablet")."""


@dataclass(frozen=True)
class Measurement:
    """A value found in the stream."""

    end: int
    """Index of the token after it."""
    concepts: frozenset[str]
    """Empty for a normal value."""


def after_name(
    stream: Sequence[MeasurementToken], position: int, kind: MeasurementKind, around: Surroundings
) -> Measurement | None:
    """Return the value that follows a name.

    Args:
        stream: The tokens of the complaint.
        position: Index of the token after the name.
        kind: What was named.
        around: Words that lead to a value, or away from it.
    """
    index = _number_after(stream, position, around)
    if index is None:
        return None
    measurement = _value_at(stream, index, kind)
    if measurement is None or _is_counted(stream, index + 1, around):
        return None
    return measurement


def _number_after(stream: Sequence[MeasurementToken], position: int, around: Surroundings) -> int | None:
    """Return the index of the first number after a name, None when it belongs to something else."""
    clause = stream[max(position - 1, 0)].clause
    farthest = _FARTHEST_VALUE
    for index in range(position, min(len(stream), position + _FARTHEST_LINKED_VALUE + 1)):
        token = stream[index]
        if token.clause != clause or token.text in around.names:
            return None
        if token.number is not None:
            is_value = index - position <= farthest and stream[index - 1].text not in around.ordinal
            return index if is_value else None
        if token.text in around.links:
            farthest = _FARTHEST_LINKED_VALUE
    return None


def _is_counted(stream: Sequence[MeasurementToken], position: int, around: Surroundings) -> bool:
    """Return whether the word after a number says that it counts days or pieces."""
    return position < len(stream) and stream[position].text in around.counted


def without_name(
    stream: Sequence[MeasurementToken], position: int, kinds: Sequence[MeasurementKind]
) -> Measurement | None:
    """Return the value at a position that needs no name: "180/110", "39 derajat".

    Args:
        stream: The tokens of the complaint.
        position: Index into `stream`.
        kinds: All kinds of measurement; the first that fits counts.
    """
    if stream[position].number is None:
        return None
    for kind in kinds:
        measurement = _value_at(stream, position, kind)
        if measurement is None:
            continue
        is_pair = kind.pair is not None and measurement.end > position + 2
        has_unit = measurement.end < len(stream) and stream[measurement.end].text in kind.units
        if is_pair or has_unit:
            return Measurement(measurement.end + has_unit, measurement.concepts)
    return None


def _value_at(stream: Sequence[MeasurementToken], index: int, kind: MeasurementKind) -> Measurement | None:
    """The plausible value at a position, with the second number of a pair."""
    value, end = stream[index].number or 0.0, index + 1
    if end < len(stream) and stream[end].text in _THOUSANDS:
        value, end = value * 1000, end + 1
    if not _within(value, kind.plausible):
        return None
    concepts = _meanings(value, kind.levels)
    if kind.pair is not None:
        second = _second_of_pair(stream, end, value)
        if second is not None:
            lower, end = second
            concepts |= _meanings(lower, kind.pair)
    return Measurement(end, concepts)


def _second_of_pair(
    stream: Sequence[MeasurementToken], position: int, first: float
) -> tuple[float, int] | None:
    """(value, index after it) of the lower number of "210/120", "210 per 120" and "210-120"."""
    if position < len(stream) and stream[position].text in ("/", "per"):
        position += 1
    number = stream[position].number if position < len(stream) else None
    if number is None or not _LEAST_DIASTOLIC_SHARE * first <= number < first:
        return None
    return number, position + 1


def _meanings(value: float, levels: Mapping[str, Ranges]) -> frozenset[str]:
    return frozenset(concept for concept, ranges in levels.items() if _within(value, ranges))


def _within(value: float, ranges: Ranges) -> bool:
    return any(low <= value <= high for low, high in ranges)

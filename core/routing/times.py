"""Times written into a complaint: "3 minggu", "2-3 hari", "sebulan", "hari ke-5", "hari kelima".

Pure; the words for numbers and units stand in the vocabulary file under `[numbers]` and `[units]`.
Whether a time is a duration, an age or long ago is for the reading to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

_LONG_UNIT_DAYS = 30.0
"""Years and months are told with what is left over."""


class Token(Protocol):
    """What this module needs of a token of the reading."""

    text: str
    forms: tuple[str, ...]
    number: float | None
    clause: int
    is_ordinal: bool


@dataclass(frozen=True)
class Time:
    """A time found in the stream."""

    length: int
    """Tokens it covers."""
    days: float
    unit_days: float
    """Days of its unit: 7 for a week."""


def time_at(
    stream: Sequence[Token], position: int, numbers: Mapping[str, float], units: Mapping[str, float]
) -> Time | None:
    """The time that begins at a position.

    Args:
        stream: The tokens of the complaint.
        position: Index into `stream`.
        numbers: Word -> value.
        units: Word -> days.
    """
    token = stream[position]
    if token.text in units:
        ordinal = _ordinal_at(stream, position + 1, numbers)
        return None if ordinal is None else Time(2, ordinal * units[token.text], units[token.text])
    amount = token.number
    if amount is None:
        amount = next((numbers[form] for form in token.forms if form in numbers), None)
    if amount is None:
        return _one_unit(token.text, units)
    end = position + 1
    # "2-3 minggu": the later number counts.
    if end < len(stream) and (later := stream[end].number) is not None:
        amount, end = later, end + 1
    if end < len(stream) and stream[end].clause == token.clause:
        written = stream[end].text
        for form in (written, written.removesuffix("an"), *stream[end].forms):
            if form in units:
                time = Time(end - position + 1, amount * units[form], units[form])
                return _with_rest(stream, position, time, numbers, units)
    return None


def _with_rest(
    stream: Sequence[Token],
    position: int,
    time: Time,
    numbers: Mapping[str, float],
    units: Mapping[str, float],
) -> Time:
    """`4 tahun 11 bulan` is one time; "2 minggu 3 hari" may be two."""
    end = position + time.length
    if (
        time.unit_days < _LONG_UNIT_DAYS
        or end >= len(stream)
        or stream[end].clause != stream[position].clause
    ):
        return time
    rest = time_at(stream, end, numbers, units)
    if rest is None or rest.unit_days >= time.unit_days:
        return time
    return Time(time.length + rest.length, time.days + rest.days, time.unit_days)


def _ordinal_at(stream: Sequence[Token], position: int, numbers: Mapping[str, float]) -> float | None:
    """The 5 of "ke-5" and "kelima"."""
    if position >= len(stream):
        return None
    token = stream[position]
    if token.is_ordinal:
        return token.number
    return numbers.get(token.text.removeprefix("ke")) if token.text.startswith("ke") else None


def _one_unit(word: str, units: Mapping[str, float]) -> Time | None:
    """`sebulan`, and Banjarese `sabulan`."""
    days = units.get(word[2:]) if word.startswith(("se", "sa")) else None
    return None if days is None else Time(1, days, days)

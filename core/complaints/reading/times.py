"""Find times in a complaint: "3 minggu", "2-3 hari", "sebulan", "hari ke-5", "hari kelima".

In:  the tokens of "batuk 2-3 minggu" and the position of "2".
Out: `Time(length=3, days=21.0, unit_days=7.0)`.

The words for numbers and units are in the vocabulary files under `[numbers]` and `[units]`. The reader decides
whether a time is a duration, an age or a past event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

_LONG_UNIT_DAYS = 30.0
"""Days of the smallest unit that takes a remainder: "4 tahun 11 bulan", "2 bulan 1 minggu"."""


class TimeToken(Protocol):
    """The part of a token that a time is read from."""

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
    stream: Sequence[TimeToken], position: int, numbers: Mapping[str, float], units: Mapping[str, float]
) -> Time | None:
    """Return the time that begins at a position.

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
    amount = _amount(token, numbers)
    if amount is None:
        return _one_unit(token.text, units)
    end = position + 1
    # "2-3 minggu": the later number counts.
    if end < len(stream) and (later := stream[end].number) is not None:
        amount, end = later, end + 1
    if end == len(stream) or stream[end].clause != token.clause:
        return None
    unit_days = _unit_days(stream[end], units)
    if unit_days is None:
        return None
    time = Time(end - position + 1, amount * unit_days, unit_days)
    return _with_remainder(stream, position, time, numbers, units)


def _amount(token: TimeToken, numbers: Mapping[str, float]) -> float | None:
    """The number that a token is, in digits or as a word."""
    if token.number is not None:
        return token.number
    return next((numbers[form] for form in token.forms if form in numbers), None)


def _unit_days(token: TimeToken, units: Mapping[str, float]) -> float | None:
    """The days of the unit that a token names: "minggu", also in "mingguan"."""
    names = (token.text, token.text.removesuffix("an"), *token.forms)
    return next((units[name] for name in names if name in units), None)


def _with_remainder(
    stream: Sequence[TimeToken],
    position: int,
    time: Time,
    numbers: Mapping[str, float],
    units: Mapping[str, float],
) -> Time:
    """Return "4 tahun 11 bulan" as one time; "2 minggu 3 hari" may be two."""
    end = position + time.length
    if time.unit_days < _LONG_UNIT_DAYS or end >= len(stream):
        return time
    if stream[end].clause != stream[position].clause:
        return time
    rest = time_at(stream, end, numbers, units)
    if rest is None or rest.unit_days >= time.unit_days:
        return time
    return Time(time.length + rest.length, time.days + rest.days, time.unit_days)


def _ordinal_at(stream: Sequence[TimeToken], position: int, numbers: Mapping[str, float]) -> float | None:
    """The 5 of "ke-5" and "kelima"."""
    if position >= len(stream):
        return None
    token = stream[position]
    if token.is_ordinal:
        return token.number
    return numbers.get(token.text.removeprefix("ke")) if token.text.startswith("ke") else None


def _one_unit(word: str, units: Mapping[str, float]) -> Time | None:
    """The time of "sebulan", and of Banjarese "sabulan"."""
    days = units.get(word[2:]) if word.startswith(("se", "sa")) else None
    return None if days is None else Time(1, days, days)

"""Conditions on the facts of a visit, as forms write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from pydantic import BaseModel, ConfigDict, model_validator

Facts = Mapping[str, Any]
"""Name -> value; see `core.records.forms`."""


class Condition(BaseModel):
    """A comparison of one fact, a combination of conditions, or both. An unknown fact makes a comparison false."""

    model_config = ConfigDict(extra="forbid")

    all_of: list[Condition] = []
    any_of: list[Condition] = []
    none_of: list[Condition] = []
    count_of: list[Condition] = []
    """At least `at_least` of these hold."""
    fact: str | None = None
    equals: bool | int | float | str | None = None
    one_of: list[str] = []
    at_least: float | None = None
    below: float | None = None
    differs_from: str | None = None
    """Name of another fact; the limits are not looked at then."""

    @model_validator(mode="after")
    def _is_complete(self) -> Condition:
        if self.fact is not None and not self._has_comparison():
            raise ValueError(f"the condition on {self.fact} compares it with nothing")
        if self.fact is None and not self._parts():
            raise ValueError("an empty condition")
        if self.count_of and self.at_least is None:
            raise ValueError("count_of needs at_least")
        return self

    def _has_comparison(self) -> bool:
        operands = (self.equals, self.at_least, self.below, self.differs_from)
        return bool(self.one_of) or any(operand is not None for operand in operands)

    def _parts(self) -> list[Condition]:
        return [*self.all_of, *self.any_of, *self.none_of, *self.count_of]

    def holds(self, facts: Facts) -> bool:
        """Return whether the comparison and all combinations hold."""
        return (self.fact is None or self._comparison_holds(facts)) and self._combinations_hold(facts)

    def _combinations_hold(self, facts: Facts) -> bool:
        if self.count_of and _holding(self.count_of, facts) < (self.at_least or 0):
            return False
        if self.any_of and not _holding(self.any_of, facts):
            return False
        return _holding(self.all_of, facts) == len(self.all_of) and not _holding(self.none_of, facts)

    def _comparison_holds(self, facts: Facts) -> bool:
        value = facts.get(self.fact or "")
        if value is None or value == "":
            return False
        if self.equals is not None and value != self.equals:
            return False
        if self.one_of and value not in self.one_of:
            return False
        if self.differs_from is not None:
            other = facts.get(self.differs_from)
            return other is not None and value != other
        return self._is_within_limits(value)

    def _is_within_limits(self, value: object) -> bool:
        if self.at_least is None and self.below is None:
            return True
        if not is_number(value):
            return False
        is_high_enough = self.at_least is None or value >= self.at_least
        return is_high_enough and (self.below is None or value < self.below)

    def names(self) -> Iterator[str]:
        """Yield the names of the facts that the condition asks for."""
        for name in (self.fact, self.differs_from):
            if name is not None:
                yield name
        for part in self._parts():
            yield from part.names()


def _holding(conditions: list[Condition], facts: Facts) -> int:
    """Return the number of conditions that hold."""
    return sum(condition.holds(facts) for condition in conditions)


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether the value is a number; an answer of yes or no is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)

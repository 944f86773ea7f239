"""One `[[rule]]` of a vocabulary file: its fields, their types, and what each means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from core.queues.services import GENERAL, SERVICES

RuleKind = Literal["sign", "red", "urgent", "service", "general", "vague"]

KINDS: tuple[RuleKind, ...] = get_args(RuleKind)
"""Rule kinds by precedence; a `sign` only makes a concept for the others."""


_LONGEST_DANGER_DAYS = 300
"""Days from which a sign that is neither new nor worse is no emergency of today: nearly a year."""


@dataclass(frozen=True)
class Term:
    """One thing that a rule needs: any of some concepts, affirmed or denied."""

    concepts: frozenset[str]
    denied: bool = False
    """True for `not x`: the complaint must deny it ("tidak bisa kencing")."""
    anywhere: bool = False
    """True for `@x`: anywhere in the complaint, not only near the other terms."""

    @staticmethod
    def parse(text: str) -> Term:
        """Return the term written as `pain|pressure`, `not urinate` or `@pregnant`."""
        denied = text.startswith("not ")
        body = text.removeprefix("not ").strip()
        return Term(frozenset(body.removeprefix("@").split("|")), denied, body.startswith("@"))


def _as_term(value: object) -> Term:
    if not isinstance(value, str):
        raise PydanticCustomError("list", "a term must be text")
    return Term.parse(value)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _known_service(code: str) -> str:
    if code not in SERVICES:
        raise PydanticCustomError("unknown_service", "unknown service")
    return code


_ServiceCode = Annotated[StrictStr, AfterValidator(_known_service)]
_Needs = Annotated[tuple[Annotated[Term, BeforeValidator(_as_term)], ...], Field(min_length=1)]


class ComplaintRule(BaseModel):
    """Words, close together, and where they send the patient."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[StrictStr, Field(min_length=1)]
    """Stable and unique. In a red rule, the part after `red.` up to the next dot is the danger sign."""
    kind: RuleKind
    services: Annotated[tuple[_ServiceCode, ...], BeforeValidator(_as_list)] = Field(
        (GENERAL,), alias="service"
    )
    """The first that this clinic's clusters take themselves is used."""
    needs: _Needs
    unless: frozenset[StrictStr] = frozenset()
    """Concepts that take the rule back when they are affirmed in the same segment."""
    span: StrictInt = 7
    """Most words between the first and the last term."""
    ordered: StrictBool = False
    """True when the near terms must be said in the order of the list: "terkena palu" is a blow, "palu terkena" is not."""
    priority: Literal["red", "yellow"] | None = None
    in_followup: StrictBool = False
    """True when the rule holds even beside "kontrol" or "ambil obat"."""
    lasting: StrictBool = False
    """True for what may stay for years: "kontrol" or "ambil obat" anywhere makes it an old story."""
    min_days: StrictInt | None = None
    """Shortest duration said for it."""
    max_days: StrictInt | None = None
    """Longest duration said for it: a sign that has lasted for weeks is no emergency of today."""
    any_duration: StrictBool = False
    """True for a danger sign that is one however long it has lasted ("ingin mati dari dulu"): see `longest_days`."""
    from_months: StrictInt | None = None
    """Age at the visit in completed months, inclusive. A rule with an age limit needs a known age."""
    under_months: StrictInt | None = None
    """The same, exclusive."""
    from_years: StrictInt | None = None
    """The same in years, where no months are given."""
    under_years: StrictInt | None = None
    under_days: StrictInt | None = None
    """Age at the visit in whole days, exclusive, for what counts hours after birth. Needs a known age."""
    sex: Literal["male", "female"] | None = None
    pregnant: StrictBool | None = None
    replaces: tuple[StrictStr, ...] = ()
    """Ids of rules that do not count where this one matches."""
    question: StrictStr | None = None
    """For `vague`: the code of the question to ask."""
    says: Annotated[StrictStr | None, Field(validate_default=True)] = None
    """For `sign`: the concept that its words make together."""
    blocks: Literal["male", "adult"] | None = None
    """Patients whom the complaint cannot concern."""

    @field_validator("says")
    @classmethod
    def _belongs_to_a_sign(cls, says: str | None, info: ValidationInfo) -> str | None:
        if "kind" in info.data and (info.data["kind"] == "sign") != bool(says):
            raise PydanticCustomError("sign_concept", "a sign says a concept")
        return says

    @cached_property
    def longest_days(self) -> float:
        """The longest duration with which it holds: no danger sign has been there unchanged for years."""
        if self.max_days is not None:
            return self.max_days
        return _LONGEST_DANGER_DAYS if self.kind == "red" and not self.any_duration else math.inf

    @cached_property
    def age_months(self) -> tuple[float, float] | None:
        """The completed months (from, below) that it applies to, None for every age."""
        lowest = _in_months(self.from_months, self.from_years)
        limit = _in_months(self.under_months, self.under_years)
        if lowest is None and limit is None:
            return None
        return (-math.inf if lowest is None else lowest, math.inf if limit is None else limit)


def _in_months(months: int | None, years: int | None) -> int | None:
    if months is not None or years is None:
        return months
    return years * 12

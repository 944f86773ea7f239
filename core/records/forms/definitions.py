"""The schema of a form's TOML file and of a letter: what a file may say, and that it fits together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from core.foundation.languages import LocalizedText
from core.records.forms.computed import FUNCTIONS
from core.records.forms.conditions import Condition
from core.records.vital_signs import VITALS
from core.schemas.localized import LocalizedModel

VISIT_FACTS = frozenset({"age_months", "age_years", "sex", "pregnant", "cluster", "payer"})
"""Facts of the visit that conditions may ask for."""
NAME_PATTERN = r"^[a-z][a-z0-9_]{1,39}$"

Colour = Literal["red", "yellow", "green"]
"""IMCI's: refer now, treat here, advise."""


class AnswerOption(LocalizedModel):
    """One answer of a choice field."""

    value: str
    label: LocalizedText
    key: str = Field(default="", max_length=1)
    """The letter or digit that picks it; digits in order unless given."""


class FormField(LocalizedModel):
    """One question."""

    name: str = Field(pattern=NAME_PATTERN)
    """Stable: answers are stored and sent under it."""
    type: Literal["integer", "number", "date", "yes_no", "choice", "text"]
    label: LocalizedText
    unit: str = ""
    ucum: str = ""
    loinc: str = ""
    hard: tuple[float, float] | None = None
    """Limits outside which a number is refused; both inclusive."""
    soft: tuple[float, float] | None = None
    """Limits outside which a number is marked as unusual; both inclusive."""
    within_days: int | None = None
    """A date lies at most so many days before the visit; never after it unless `ahead_days` says so."""
    ahead_days: int = 0
    """A date lies at most so many days after the visit."""
    is_typed: bool = True
    """False: a dialog of its own answers it, and the form does not show it."""
    choices: list[AnswerOption] = []
    shown_when: Condition | None = None
    """The field is asked only then; always unless given."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> FormField:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(f"{self.name}: choices belong to a choice field, and each needs some")
        if self.type not in {"integer", "number"} and (self.hard or self.soft):
            raise ValueError(f"{self.name}: limits belong to a number")
        self._check_limits()
        if _duplicates(choice.value for choice in self.choices):
            raise ValueError(f"{self.name}: two choices have the same value")
        return self

    def _check_limits(self) -> None:
        for limits in (self.hard, self.soft):
            if limits and limits[0] >= limits[1]:
                raise ValueError(f"{self.name}: the lower limit is not below the upper one")


class Section(LocalizedModel):
    """Fields under one heading."""

    title: LocalizedText
    fields: list[FormField] = Field(min_length=1)


class Computed(LocalizedModel):
    """A value that follows from answers."""

    name: str = Field(pattern=NAME_PATTERN)
    label: LocalizedText
    unit: str = ""
    ucum: str = ""
    loinc: str = ""
    compute: str
    """Name of a function in `FUNCTIONS`."""
    of: list[str]
    """The facts it takes, in order."""
    shown: bool = True


class FormRule(LocalizedModel):
    """A suggestion and its condition; in each group the first rule that holds counts."""

    group: str
    code: str
    colour: Colour
    title: LocalizedText
    advice: LocalizedText = {}
    when: Condition


class FormDefinition(LocalizedModel):
    """One form."""

    code: str = Field(pattern=NAME_PATTERN)
    title: LocalizedText
    source: str = ""
    """The guidelines that questions and rules come from."""
    possible: Condition
    """The patients for whom it can be filled in at all."""
    offered: Condition
    """The patients for whom it is shown without being asked for."""
    sections: list[Section] = Field(min_length=1)
    computed: list[Computed] = []
    rules: list[FormRule] = []

    @model_validator(mode="after")
    def _holds_together(self) -> FormDefinition:
        self._check_names()
        known = {*self._names(), *VITALS, *VISIT_FACTS}
        for place, condition in self._conditions():
            _check_known(place, condition.names(), known)
        for item in self.computed:
            if item.compute not in FUNCTIONS:
                raise ValueError(f"{item.name}: {item.compute} is not among {', '.join(sorted(FUNCTIONS))}")
            _check_known(item.name, item.of, known)
        if _duplicates(rule.code for rule in self.rules):
            raise ValueError("two rules have the same code")
        return self

    def _check_names(self) -> None:
        names = self._names()
        twice = _duplicates(names)
        if twice:
            raise ValueError(f"used twice: {', '.join(twice)}")
        taken = sorted(set(names) & {*VITALS, *VISIT_FACTS})
        if taken:
            raise ValueError(f"these are vital signs or facts of the visit already: {', '.join(taken)}")

    def _names(self) -> list[str]:
        return [item.name for item in self.fields()] + [item.name for item in self.computed]

    def _conditions(self) -> Iterable[tuple[str, Condition]]:
        """Yield each condition with the place it is written at."""
        yield "possible", self.possible
        yield "offered", self.offered
        for rule in self.rules:
            yield rule.code, rule.when
        for item in self.fields():
            if item.shown_when is not None:
                yield item.name, item.shown_when

    def fields(self) -> list[FormField]:
        """Return all questions, top to bottom."""
        return [item for section in self.sections for item in section.fields]


class LetterKind(LocalizedModel):
    """One kind of certificate or letter: the questions it asks, and its words."""

    kind: str = Field(pattern=r"^[a-z][a-z_]{1,15}$")
    series: str
    """Letters in its number."""
    title: LocalizedText
    text: str
    """With a name in braces where the record or an answer goes; see `core/data/letters.toml`."""
    fields: list[FormField]
    of_bpjs: bool = False
    """True: filled in from a referral that was chosen from BPJS's lists."""


def _duplicates(names: Iterable[str]) -> list[str]:
    """Return the names that occur twice or more, sorted."""
    seen: set[str] = set()
    twice: set[str] = set()
    for name in names:
        (twice if name in seen else seen).add(name)
    return sorted(twice)


def _check_known(place: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{place}: there is no {name}")

"""Specialised forms as data: fields, what is computed from them, and what the rules suggest.

A form is one TOML file (`core/data/forms/`, or the clinic's own in `LOKET_HOME/forms/`). Nothing
here knows a form by name: a new one needs no code. Rules suggest and never decide; the clinician
reads them beside the form. Pure: facts in, values and suggestions out.

What rules may ask for are *facts*: the form's answers and computed values, the vital signs of the
note, and `age_months`, `age_years`, `sex`, `pregnant`, `cluster` of the visit.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic import ValidationError as ShapeError

from core.errors import SettingsError, ValidationError
from core.vitals import VITALS

Facts = Mapping[str, Any]
Answers = Mapping[str, Any]
VISIT_FACTS = frozenset({"age_months", "age_years", "sex", "pregnant", "cluster"})
LONGEST_TEXT = 200


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Condition(_Part):
    """When something holds. A fact that is not known makes a comparison false."""

    all_of: list[Condition] = []
    any_of: list[Condition] = []
    none_of: list[Condition] = []
    count_of: list[Condition] = []
    """With `at_least`: so many of these hold."""
    fact: str | None = None
    equals: bool | int | float | str | None = None
    one_of: list[str] = []
    at_least: float | None = None
    below: float | None = None
    differs_from: str | None = None
    """Another fact."""

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        compares = self.equals is not None or self.at_least is not None or self.below is not None
        compares = compares or bool(self.one_of) or self.differs_from is not None
        if self.fact is not None and not compares:
            raise ValueError(f"the condition on {self.fact} compares it with nothing")
        if self.fact is None and not (self.all_of or self.any_of or self.none_of or self.count_of):
            raise ValueError("an empty condition")
        if self.count_of and self.at_least is None:
            raise ValueError("count_of needs at_least")
        return self

    def holds(self, facts: Facts) -> bool:
        """Whether it is so."""
        if self.fact is not None and not self._compares(facts):
            return False
        if self.count_of and sum(part.holds(facts) for part in self.count_of) < (self.at_least or 0):
            return False
        return (
            all(part.holds(facts) for part in self.all_of)
            and (not self.any_of or any(part.holds(facts) for part in self.any_of))
            and not any(part.holds(facts) for part in self.none_of)
        )

    def _compares(self, facts: Facts) -> bool:
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
        if self.at_least is not None and not (_is_number(value) and value >= self.at_least):
            return False
        return not (self.below is not None and not (_is_number(value) and value < self.below))

    def names(self) -> Iterator[str]:
        """The facts it asks for."""
        for name in (self.fact, self.differs_from):
            if name is not None:
                yield name
        for part in (*self.all_of, *self.any_of, *self.none_of, *self.count_of):
            yield from part.names()


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class Choice(_Part):
    """One answer of a choice field."""

    value: str
    label_id: str
    label_en: str = ""
    key: str = Field(default="", max_length=1)
    """The letter or digit that picks it; digits in order unless given."""


class FormField(_Part):
    """One question."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    """Stable: answers are stored and sent under it."""
    type: Literal["integer", "number", "date", "yes_no", "choice", "text"]
    label_id: str
    label_en: str = ""
    unit: str = ""
    ucum: str = ""
    loinc: str = ""
    hard: tuple[float, float] | None = None
    """Outside of it a number is refused; both ends inclusive."""
    soft: tuple[float, float] | None = None
    """Outside of it a number is pointed at."""
    within_days: int | None = None
    """A date lies at most so many days before the visit; never after it."""
    choices: list[Choice] = []
    shown_when: Condition | None = None
    """The field is asked only then; always unless given."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> FormField:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError(f"{self.name}: choices belong to a choice field, and each needs some")
        if self.type not in {"integer", "number"} and (self.hard or self.soft):
            raise ValueError(f"{self.name}: limits belong to a number")
        for limits in (self.hard, self.soft):
            if limits and limits[0] >= limits[1]:
                raise ValueError(f"{self.name}: the lower limit is not below the upper one")
        values = [choice.value for choice in self.choices]
        if len(set(values)) != len(values):
            raise ValueError(f"{self.name}: two choices have the same value")
        return self


class Section(_Part):
    """Fields under one heading."""

    title_id: str
    title_en: str = ""
    fields: list[FormField] = Field(min_length=1)


class Computed(_Part):
    """A value that follows from answers."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    label_id: str
    label_en: str = ""
    unit: str = ""
    ucum: str = ""
    loinc: str = ""
    compute: str
    """Name of a function in `FUNCTIONS`."""
    of: list[str]
    """The facts it takes, in order."""
    shown: bool = True


class Rule(_Part):
    """What to suggest when something holds; in each group the first that holds counts."""

    group: str
    code: str
    colour: Literal["red", "yellow", "green"]
    """IMCI's: refer now, treat here, advise."""
    title_id: str
    title_en: str = ""
    advice_id: str = ""
    advice_en: str = ""
    when: Condition


class Form(_Part):
    """One form."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    title_id: str
    title_en: str = ""
    source: str = ""
    """Where questions and rules come from."""
    possible: Condition
    """For whom it can be filled in at all."""
    offered: Condition
    """For whom it is offered without being asked for."""
    sections: list[Section] = Field(min_length=1)
    computed: list[Computed] = []
    rules: list[Rule] = []

    @model_validator(mode="after")
    def _holds_together(self) -> Form:
        names = [item.name for item in self.fields()] + [item.name for item in self.computed]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"used twice: {', '.join(twice)}")
        taken = sorted(set(names) & (set(VITALS) | VISIT_FACTS))
        if taken:
            raise ValueError(f"these are vital signs or facts of the visit already: {', '.join(taken)}")
        known = set(names) | set(VITALS) | VISIT_FACTS
        asked = [("possible", self.possible), ("offered", self.offered)]
        asked += [(rule.code, rule.when) for rule in self.rules]
        asked += [(item.name, item.shown_when) for item in self.fields() if item.shown_when is not None]
        for place, condition in asked:
            for name in condition.names():
                if name not in known:
                    raise ValueError(f"{place}: there is no {name}")
        for item in self.computed:
            if item.compute not in FUNCTIONS:
                raise ValueError(f"{item.name}: {item.compute} is not among {', '.join(sorted(FUNCTIONS))}")
            for name in item.of:
                if name not in known:
                    raise ValueError(f"{item.name}: there is no {name}")
        codes = [rule.code for rule in self.rules]
        if len(set(codes)) != len(codes):
            raise ValueError("two rules have the same code")
        return self

    def fields(self) -> list[FormField]:
        """All questions, top to bottom."""
        return [item for section in self.sections for item in section.fields]


class LetterKind(_Part):
    """One kind of certificate or letter: what it asks for, and its words."""

    kind: str = Field(pattern=r"^[a-z][a-z_]{1,15}$")
    series: str
    """Letters in its number."""
    title_id: str
    title_en: str = ""
    text: str
    """With a name in braces where the record or an answer goes; see `core/data/letters.toml`."""
    fields: list[FormField]


class Suggestion(_Part):
    """What a rule says of this patient."""

    group: str
    code: str
    colour: Literal["red", "yellow", "green"]
    title: str
    advice: str = ""


# --- computing


def weeks_since(start: date, *, today: date) -> int | None:
    """Completed weeks; None for a date in the future."""
    return (today - start).days // 7 if start <= today else None


def weeks_and_days(start: date, *, today: date) -> str | None:
    """Completed weeks and days as obstetrics writes them: `24+3`; None for a date in the future."""
    days = (today - start).days
    return f"{days // 7}+{days % 7}" if days >= 0 else None


def naegele(last_period: date, *, today: date) -> date:
    """The expected day of birth: a year on, three months back, seven days on (Naegele's rule).

    A day that the month does not have rolls on into the next month, as it does on a paper wheel.
    """
    year, month = last_period.year, last_period.month + 9
    if month > 12:
        year, month = year + 1, month - 12
    return date(year, month, 1) + timedelta(days=last_period.day - 1 + 7)


def trimester(start: date, *, today: date) -> int | None:
    """1 to week 12, 2 to week 27, then 3; None for a date in the future (indonesia.md 10.2)."""
    weeks = weeks_since(start, today=today)
    return None if weeks is None else 1 if weeks <= 12 else 2 if weeks <= 27 else 3


def gpa(gravida: float, para: float, abortus: float, *, today: date) -> str:
    """`G2P1A0`."""
    return f"G{gravida:g}P{para:g}A{abortus:g}"


def gravida_of(para: float, abortus: float, *, today: date) -> float:
    """What G must be in a pregnancy: P + A + 1 (twins count once)."""
    return para + abortus + 1


def difference(left: float, right: float, *, today: date) -> float:
    """The first less the second."""
    return round(left - right, 2)


def body_mass_index(weight: float, height: float, *, today: date) -> float | None:
    """Kilograms by square metre, one decimal; None without a height."""
    return round(weight / (height / 100) ** 2, 1) if height else None


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "weeks_since": weeks_since,
    "weeks_and_days": weeks_and_days,
    "naegele": naegele,
    "trimester": trimester,
    "gpa": gpa,
    "gravida_of": gravida_of,
    "difference": difference,
    "body_mass_index": body_mass_index,
}
"""What a computed value may ask for."""


def visit_facts(
    *, birth_date: date, sex: str, pregnant: bool, cluster: str, day: date, vitals: Mapping[str, float]
) -> dict[str, Any]:
    """The facts that do not come from a form."""
    months = (day.year - birth_date.year) * 12 + day.month - birth_date.month - (day.day < birth_date.day)
    return {
        **vitals,
        "age_months": months,
        "age_years": months // 12,
        "sex": sex,
        "pregnant": pregnant,
        "cluster": cluster,
    }


def computed_values(form: Form, answers: Answers, facts: Facts, day: date) -> dict[str, Any]:
    """What follows from the answers given so far; what cannot be computed is left out.

    Args:
        form: Which.
        answers: Field -> answer; dates as `date` or as ISO text.
        facts: As `visit_facts`.
        day: Of the visit.
    """
    known: dict[str, Any] = {**facts, **_with_dates(form, answers)}
    found: dict[str, Any] = {}
    for item in form.computed:
        values = [known.get(name) for name in item.of]
        if any(value is None or value == "" for value in values):
            continue
        value = FUNCTIONS[item.compute](*values, today=day)
        if value is not None:
            known[item.name] = found[item.name] = value
    return found


def _with_dates(form: Form, answers: Answers) -> dict[str, Any]:
    dates = {item.name for item in form.fields() if item.type == "date"}
    return {
        name: date.fromisoformat(value) if name in dates and isinstance(value, str) and value else value
        for name, value in answers.items()
    }


def suggestions(
    form: Form, answers: Answers, facts: Facts, day: date, language: str = "id"
) -> list[Suggestion]:
    """What the form's rules say, the most urgent first."""
    known = {**facts, **answers, **computed_values(form, answers, facts, day)}
    found: dict[str, Rule] = {}
    for rule in form.rules:
        if rule.group not in found and rule.when.holds(known):
            found[rule.group] = rule
    order = {"red": 0, "yellow": 1, "green": 2}
    return [
        Suggestion(
            group=rule.group,
            code=rule.code,
            colour=rule.colour,
            title=in_language(rule.title_id, rule.title_en, language),
            advice=in_language(rule.advice_id, rule.advice_en, language),
        )
        for rule in sorted(found.values(), key=lambda rule: order[rule.colour])
    ]


def in_language(indonesian: str, english: str, language: str) -> str:
    """The words of a form in the reader's language."""
    return english if language == "en" and english else indonesian


# --- answers


def check_answer(item: FormField, value: Any, day: date) -> str | None:
    """What is wrong with an answer, as a stable code; None when it can be stored."""
    if item.type in {"integer", "number"}:
        if not _is_number(value) or (item.type == "integer" and value != int(value)):
            return "number_format"
        return "out_of_range" if item.hard and not item.hard[0] <= value <= item.hard[1] else None
    if item.type == "date":
        try:
            given = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            return "date_format"
        if given > day:
            return "in_future"
        too_old = item.within_days is not None and (day - given).days > item.within_days
        return "too_long_ago" if too_old else None
    if item.type == "yes_no":
        return None if isinstance(value, bool) else "unknown"
    if item.type == "choice":
        return None if value in {choice.value for choice in item.choices} else "unknown"
    return None if isinstance(value, str) and len(value) <= LONGEST_TEXT else "too_long"


def check_answers(
    forms: Mapping[str, Form], given: Mapping[str, Any], day: date
) -> dict[str, dict[str, Any]]:
    """Refuse what cannot be stored; empty answers and empty forms are dropped.

    Args:
        forms: By code.
        given: Form code -> {field: answer}.
        day: Of the visit.

    Raises:
        ValidationError: `form.<code>` is unknown, or `form.<code>.<field>` is wrong.
    """
    problems: dict[str, str] = {}
    kept: dict[str, dict[str, Any]] = {}
    for code, answers in given.items():
        form = forms.get(code)
        if form is None or not isinstance(answers, Mapping):
            problems[f"form.{code}"] = "unknown"
            continue
        fields = {item.name: item for item in form.fields()}
        for name, value in answers.items():
            if value is None or value == "":
                continue
            problem = check_answer(fields[name], value, day) if name in fields else "unknown"
            if problem is not None:
                problems[f"form.{code}.{name}"] = problem
            else:
                kept.setdefault(code, {})[name] = value
    if problems:
        raise ValidationError(problems)
    return kept


# --- files


def read_form(text: str) -> Form:
    """A form from its TOML.

    Raises:
        SettingsError: It is no TOML, or no form; says where and why.
    """
    try:
        return Form.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"no valid TOML: {error}") from error
    except ShapeError as error:
        raise SettingsError("; ".join(_problems(error))) from error


def _problems(error: ShapeError) -> list[str]:
    found = []
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"])
        found.append(f"{place}: {problem['msg']}" if place else str(problem["msg"]))
    return found


def check_file(path: Path) -> list[str]:
    """What is wrong with a form's file, for the person who writes it; empty when it can be used."""
    try:
        read_form(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return [f"cannot be read: {type(error).__name__}"]
    except SettingsError as error:
        return str(error).split("; ")
    return []


def load_forms(folder: Path | None = None) -> dict[str, Form]:
    """The forms that ship with Loket, and the clinic's own over and beside them.

    Args:
        folder: The clinic's own; it need not exist.

    Raises:
        SettingsError: A file is wrong; names it.
    """
    found: dict[str, Form] = {}
    for name, text in _texts(folder):
        try:
            form = read_form(text)
        except SettingsError as error:
            raise SettingsError(f"{name}: {error}") from error
        found[form.code] = form
    return found


def _texts(folder: Path | None) -> Iterable[tuple[str, str]]:
    ours = resources.files("core.data").joinpath("forms")
    for source in sorted(ours.iterdir(), key=lambda item: item.name):
        if source.name.endswith(".toml"):
            yield source.name, source.read_text(encoding="utf-8")
    if folder is not None and folder.is_dir():
        for path in sorted(folder.glob("*.toml")):
            yield path.name, path.read_text(encoding="utf-8")


def offered(forms: Mapping[str, Form], facts: Facts) -> Sequence[Form]:
    """The forms that are shown without being asked for."""
    return [form for form in forms.values() if form.possible.holds(facts) and form.offered.holds(facts)]

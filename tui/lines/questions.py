"""Questions of a registration in line mode: their text, their condition, and their readers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.foundation.codes import PayerSource, Sex
from core.patients.fields import PATIENT_FIELDS, PatientField
from core.schemas.queues import ClusterOut
from tui.registration.decision import payer_text
from tui.registration.form_values import YES, FormValues
from tui.text import problem_words
from tui.text.translation import N_, _

NO = "no"
SHORTEST_WORD = 2  # letters that pick a word; a single letter is a cluster
VISIT_FIELDS = ("payer", "pregnant", "disability", "identity_verified", "cluster")
# As addresses are written and read out: "RT 03/RW 02", "rt 3 rw 2", "RT 3/2".
_RT_RW = re.compile(r"[\s,]*\bRT\.?\s*(\d{1,3})\s*(?:[/,]\s*|\s+)(?:RW\.?\s*)?(\d{1,3})$", re.IGNORECASE)


class MisreadError(Exception):
    """An answer that cannot be read; its text tells which answers can."""


Reader = Callable[[str, FormValues, Sequence[ClusterOut]], dict[str, str]]


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        field: The field it fills; `visit` fills several.
        label: msgid.
        help: msgid of the text that `?` shows.
        read: Turns an answer into values.
        required: Whether it must be answered.
        choices: Table of the words to choose from.
        applies: Returns whether it is asked.
    """

    field: str
    label: str
    help: str
    read: Reader
    required: bool = False
    choices: Mapping[str, str] | None = None
    applies: Callable[[FormValues], bool] = lambda facts: facts.patient is None

    def text(self, facts: FormValues, clusters: Sequence[ClusterOut]) -> str:
        """Return the question with the value that is known already; Enter keeps it."""
        if self.field == "visit":
            return f"{_(self.label)}: " + _("{values} (? to change):").format(
                values=_visit_text(facts, clusters)
            )
        label = _(self.label)
        if self.choices is not None:
            label += f" ({_numbered(self.choices)})"
        value = self.value(facts)
        return f"{label} [{value}]:" if value else f"{label}:"

    def value(self, facts: FormValues) -> str:
        """Return the known value, as it is shown."""
        value = facts.text(self.field)
        if self.field == "sex" and value:
            return problem_words.word(problem_words.SEXES, value)
        if self.choices is not None and value:
            return problem_words.word(self.choices, value)
        if self.field == "address" and (facts.text("rt") or facts.text("rw")):
            return f"{value} RT {facts.text('rt')}/{facts.text('rw')}"
        return value

    def help_text(self, clusters: Sequence[ClusterOut]) -> str:
        """Return the text that `?` shows."""
        letters = ", ".join(f"{cluster.prefix} {cluster.name}" for cluster in clusters)
        return _(self.help).format(payers=_numbered(problem_words.PAYERS), clusters=letters)


def _numbered(table: Mapping[str, str]) -> str:
    return ", ".join(f"{number} {_(label)}" for number, label in enumerate(table.values(), start=1))


def choose(table: Mapping[str, str], answer: str) -> str | None:
    """Return the value that a number or the beginning of a word picks; None unless it is exactly one."""
    values = list(table)
    if answer.isdigit():
        return values[int(answer) - 1] if 1 <= int(answer) <= len(values) else None
    typed = answer.casefold()
    found = [value for value, label in table.items() if _(label).casefold().startswith(typed)]
    return found[0] if typed and len(found) == 1 else None


def _visit_text(facts: FormValues, clusters: Sequence[ClusterOut]) -> str:
    parts = [payer_text(facts)]
    if facts.sex == Sex.FEMALE:
        parts.append(_("pregnant") if facts.is_pregnant else _("not pregnant"))
    if facts.text("disability") == YES:
        parts.append(_("Disability").lower())
    if facts.text("identity_verified") == YES:
        parts.append(_("Card seen").lower())
    chosen = facts.text("cluster")
    parts += [cluster.name for cluster in clusters if cluster.code == chosen]
    return ", ".join(parts)


def _as_typed(field: str) -> Reader:
    return lambda answer, facts, clusters: {field: answer}


def _choice(field: str, table: Mapping[str, str]) -> Reader:
    def read(answer: str, facts: FormValues, clusters: Sequence[ClusterOut]) -> dict[str, str]:
        value = choose(table, answer)
        if value is None:
            raise MisreadError(problem_words.field_problem(field, "not_a_choice"))
        return {field: value}

    return read


def _sex(answer: str, facts: FormValues, clusters: Sequence[ClusterOut]) -> dict[str, str]:
    letters = {_("M").casefold(): Sex.MALE, _("F").casefold(): Sex.FEMALE}
    value = letters.get(answer.casefold()) or choose(problem_words.SEXES, answer)
    if value is None:
        raise MisreadError(problem_words.field_problem("sex", "not_a_choice"))
    return {"sex": str(value)}


def _address(answer: str, facts: FormValues, clusters: Sequence[ClusterOut]) -> dict[str, str]:
    found = _RT_RW.search(answer)
    if found is None:
        return {"address": answer, "rt": "", "rw": ""}
    return {"address": answer[: found.start()], "rt": found[1], "rw": found[2]}


def _visit(answer: str, facts: FormValues, clusters: Sequence[ClusterOut]) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in re.split(r"[\s,;]+", answer):
        values |= _visit_part(part, facts, clusters)
    return values


def _visit_part(part: str, facts: FormValues, clusters: Sequence[ClusterOut]) -> dict[str, str]:
    """Read one word of the visit: a cluster's letter, a payer's number, or a switch, off with a minus."""
    letters = {cluster.prefix.casefold(): cluster.code for cluster in clusters}
    word = part.casefold()
    if word in letters:
        return {"cluster": letters[word]}
    if word == "-":
        return {"cluster": ""}
    payer = choose(problem_words.PAYERS, word) if word.isdigit() else None
    if payer is not None:
        return {"payer": payer, "payer_source": PayerSource.CLERK.value}
    field = _switch(word.removeprefix("-"), facts)
    if field is None:
        raise MisreadError(_("{word}: not one of the choices; ? lists them").format(word=part))
    return {field: NO if word.startswith("-") else YES}


def _switch(word: str, facts: FormValues) -> str | None:
    """Return the field whose label begins with the word; None when none does."""
    switches = {"disability": _("Disability"), "identity_verified": _("Card seen")}
    if facts.sex != Sex.MALE:
        switches["pregnant"] = _("Pregnant")
    if len(word) < SHORTEST_WORD:
        return None
    return next((field for field, label in switches.items() if label.casefold().startswith(word)), None)


def _asks_visit(facts: FormValues) -> bool:
    return True


ASKED_FIRST = ("nik", "no_identifier_reason", "passport_number", "name", "birth_date")
"""Fields that identify the person, in the order of the questions; the other fields follow the table."""
ONLY_FOR_A_REASON = frozenset(field.name for field in PATIENT_FIELDS if field.only_for is not None)
"""Fields that are asked for only with a certain reason for a missing NIK."""
PART_OF_OTHERS = {"rt": "address", "rw": "address"}
"""Field -> the question that asks for it."""

_READERS: Mapping[str, Reader] = {
    "no_identifier_reason": _choice("no_identifier_reason", problem_words.NO_IDENTIFIER_REASONS),
    "sex": _sex,
    "address": _address,
}
"""Field -> reader of its answer, where it is not taken as typed."""
_LABELS = {"sex": N_("Sex (M/F)")}
"""Field -> label of its question, where it differs from the one in forms."""
_CHOICES = {"no_identifier_reason": problem_words.NO_IDENTIFIER_REASONS}


def _person_question(field: PatientField) -> Question:
    return Question(
        field.name,
        _LABELS.get(field.name, field.label),
        field.hint,
        _READERS.get(field.name) or _as_typed(field.name),
        required=field.required or field.name == "no_identifier_reason",
        choices=_CHOICES.get(field.name),
        applies=lambda facts: facts.patient is None and _is_asked(field, facts),
    )


def _is_asked(field: PatientField, facts: FormValues) -> bool:
    if field.name == "no_identifier_reason":
        return not facts.text("nik")
    return facts.asks_for(field)


def _person_questions() -> list[Question]:
    asked = {field.name: field for field in PATIENT_FIELDS if field.hint}
    return [_person_question(asked[name]) for name in dict.fromkeys((*ASKED_FIRST, *asked))]


QUESTIONS = (
    *_person_questions(),
    Question(
        "chief_complaint", N_("Complaint"), N_("What the patient came for, in their words."),
        _as_typed("chief_complaint"), required=True, applies=_asks_visit,
    ),
    Question(
        "visit", N_("Visit"),
        N_(
            "Enter: right as it is. To change, type with spaces between: the payer's number ({payers}); pregnant, "
            "disability, card seen by their first letters, with a minus before it for no; a cluster's letter "
            "({clusters}), - for the proposed one."
        ),
        _visit, applies=_asks_visit,
    ),
)  # fmt: skip
"""All questions, in their order."""

BY_FIELD = {question.field: question for question in QUESTIONS}


def question_for(path: str) -> Question:
    """Return the question that asks for a field of a request: `patient.rt` is part of the address."""
    name = path.removeprefix("patient.").split(".")[0]
    name = "visit" if name in VISIT_FIELDS else PART_OF_OTHERS.get(name, name)
    return BY_FIELD.get(name, BY_FIELD["visit"])

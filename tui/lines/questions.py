"""The questions of a registration: what is asked, when, and how an answer is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.schemas.queues import ClusterShape
from core.vocabulary import Sex
from tui import words
from tui.registration.facts import YES, Facts
from tui.text import N_, _

NO = "no"
SHORTEST_WORD = 2  # letters that pick a word; one letter is a cluster
VISIT_FIELDS = ("payer", "pregnant", "disability", "identity_verified", "cluster")
# As addresses are written and read out: "RT 03/RW 02", "rt 3 rw 2", "RT 3/2".
_RT_RW = re.compile(r"[\s,]*\bRT\.?\s*(\d{1,3})\s*(?:[/,]\s*|\s+)(?:RW\.?\s*)?(\d{1,3})$", re.IGNORECASE)


class MisreadError(Exception):
    """An answer that cannot be read; its text says what would be right."""


Reader = Callable[[str, Facts, Sequence[ClusterShape]], dict[str, str]]


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        field: The field it fills; `visit` fills several.
        label: msgid.
        help: msgid of what `?` tells; may hold `{choices}`.
        read: Turns an answer into values.
        required: Whether it must be answered.
        choices: Table of the words to choose from.
        applies: Whether it is asked.
    """

    field: str
    label: str
    help: str
    read: Reader
    required: bool = False
    choices: Mapping[str, str] | None = None
    applies: Callable[[Facts], bool] = lambda facts: facts.patient is None

    def text(self, facts: Facts, clusters: Sequence[ClusterShape]) -> str:
        """The question with what is known already; Enter keeps it."""
        if self.field == "visit":
            return f"{_(self.label)}: " + _("{values} (? to change):").format(
                values=_visit_text(facts, clusters)
            )
        label = _(self.label)
        if self.choices is not None:
            label += f" ({_numbered(self.choices)})"
        value = self.value(facts)
        return f"{label} [{value}]:" if value else f"{label}:"

    def value(self, facts: Facts) -> str:
        """What is known already, as it is shown."""
        value = facts.text(self.field)
        if self.field == "sex" and value:
            return words.word(words.SEXES, value)
        if self.choices is not None and value:
            return words.word(self.choices, value)
        if self.field == "address" and (facts.text("rt") or facts.text("rw")):
            return f"{value} RT {facts.text('rt')}/{facts.text('rw')}"
        return value

    def help_text(self, clusters: Sequence[ClusterShape]) -> str:
        """What `?` tells."""
        letters = ", ".join(f"{cluster.prefix} {cluster.name}" for cluster in clusters)
        return _(self.help).format(payers=_numbered(words.PAYERS), clusters=letters)


def _numbered(table: Mapping[str, str]) -> str:
    return ", ".join(f"{number} {_(label)}" for number, label in enumerate(table.values(), start=1))


def choose(table: Mapping[str, str], answer: str) -> str | None:
    """The value that a number or the beginning of a word picks; None when it is none or not one only."""
    values = list(table)
    if answer.isdigit():
        return values[int(answer) - 1] if 1 <= int(answer) <= len(values) else None
    typed = answer.casefold()
    found = [value for value, label in table.items() if _(label).casefold().startswith(typed)]
    return found[0] if typed and len(found) == 1 else None


def _visit_text(facts: Facts, clusters: Sequence[ClusterShape]) -> str:
    parts = [words.word(words.PAYERS, facts.text("payer") or "general")]
    if facts.sex == Sex.FEMALE:
        parts.append(_("pregnant") if facts.is_pregnant else _("not pregnant"))
    if facts.text("disability") == YES:
        parts.append(_("Disability").lower())
    if facts.text("identity_verified") == YES:
        parts.append(_("Card seen").lower())
    chosen = facts.text("cluster")
    parts += [cluster.name for cluster in clusters if cluster.code == chosen]
    return ", ".join(parts)


# Reading answers


def _as_typed(field: str) -> Reader:
    return lambda answer, facts, clusters: {field: answer}


def _choice(field: str, table: Mapping[str, str]) -> Reader:
    def read(answer: str, facts: Facts, clusters: Sequence[ClusterShape]) -> dict[str, str]:
        value = choose(table, answer)
        if value is None:
            raise MisreadError(words.field_problem(field, "not_a_choice"))
        return {field: value}

    return read


def _sex(answer: str, facts: Facts, clusters: Sequence[ClusterShape]) -> dict[str, str]:
    letters = {_("M").casefold(): Sex.MALE, _("F").casefold(): Sex.FEMALE}
    value = letters.get(answer.casefold()) or choose(words.SEXES, answer)
    if value is None:
        raise MisreadError(words.field_problem("sex", "not_a_choice"))
    return {"sex": str(value)}


def _address(answer: str, facts: Facts, clusters: Sequence[ClusterShape]) -> dict[str, str]:
    found = _RT_RW.search(answer)
    if found is None:
        return {"address": answer, "rt": "", "rw": ""}
    return {"address": answer[: found.start()], "rt": found[1], "rw": found[2]}


def _visit(answer: str, facts: Facts, clusters: Sequence[ClusterShape]) -> dict[str, str]:
    values: dict[str, str] = {}
    for part in re.split(r"[\s,;]+", answer):
        values |= _visit_part(part, facts, clusters)
    return values


def _visit_part(part: str, facts: Facts, clusters: Sequence[ClusterShape]) -> dict[str, str]:
    letters = {cluster.prefix.casefold(): cluster.code for cluster in clusters}
    word, value = part.casefold(), YES
    if word in letters:
        return {"cluster": letters[word]}
    if word == "-":
        return {"cluster": ""}
    if word.isdigit():
        payer = choose(words.PAYERS, word)
        if payer is not None:
            return {"payer": payer}
    if word.startswith("-"):
        word, value = word[1:], NO
    switches = {"disability": _("Disability"), "identity_verified": _("Card seen")}
    if facts.sex != Sex.MALE:
        switches["pregnant"] = _("Pregnant")
    for field, label in switches.items():
        if len(word) >= SHORTEST_WORD and label.casefold().startswith(word):
            return {field: value}
    raise MisreadError(_("{word}: not one of the choices; ? lists them").format(word=part))


def _asks_visit(facts: Facts) -> bool:
    return True


QUESTIONS = (
    Question("nik", N_("NIK"), N_("The 16 digits of the identity card; Enter when there is none."), _as_typed("nik")),
    Question(
        "no_identifier_reason", N_("Without card"), N_("Why there is no NIK: type the number."),
        _choice("no_identifier_reason", words.NO_IDENTIFIER_REASONS), required=True,
        choices=words.NO_IDENTIFIER_REASONS,
        applies=lambda facts: facts.patient is None and not facts.text("nik"),
    ),
    Question("name", N_("Name"), N_("The full name as on the card."), _as_typed("name"), required=True),
    Question(
        "birth_date", N_("Birth date"),
        N_("Day, month, year: 31121990 or 31-12-1990; not known: the age in years"),
        _as_typed("birth_date"), required=True,
    ),
    Question("sex", N_("Sex (M/F)"), N_("M or F."), _sex, required=True),
    Question("bpjs_number", N_("BPJS number"), N_("13 digits; Enter when there is none."), _as_typed("bpjs_number")),
    Question(
        "family_card_number", N_("Family card"), N_("16 digits; Enter when there is none."),
        _as_typed("family_card_number"),
    ),
    Question("mother_name", N_("Mother"), N_("The mother's name; Enter skips."), _as_typed("mother_name")),
    Question("phone", N_("Phone"), N_("A phone number; Enter skips."), _as_typed("phone")),
    Question(
        "address", N_("Address"), N_("Street and number, with RT and RW at the end: RT 3/2. Enter skips."), _address
    ),
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
"""In the order in which they are asked."""

BY_FIELD = {question.field: question for question in QUESTIONS}


def question_for(path: str) -> Question:
    """The question that asks for a field of a request: `patient.rt` is part of the address."""
    name = path.removeprefix("patient.").split(".")[0]
    if name in {"rt", "rw"}:
        name = "address"
    if name in VISIT_FIELDS:
        name = "visit"
    return BY_FIELD.get(name, BY_FIELD["visit"])

"""A visit's record in words: one line, the whole of it, or its findings by kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from rich.cells import cell_len

from core.foundation.codes import OrderStatus
from core.foundation.languages import in_language
from core.records.forms import FormDefinition, computed_values, suggestions, visit_facts
from core.schemas.record import (
    EncounterOut,
    ImmunisationOut,
    OrderOut,
    PrescriptionOut,
    ReturnDateOut,
    VisitOut,
    VisitSummary,
)
from tui.text import check_words, problem_words
from tui.text.formatting import age_text, date_text, fit, instant_text, number_text, sex_letter, wrapped
from tui.text.result_words import result_text
from tui.text.roster_words import weekday_text
from tui.text.translation import _, language

FINDING_CELLS = 13  # cells of the label before a line of findings
FINDING_LABEL = re.compile(r"^ \S.{0,9}", re.MULTILINE)
"""The label at the beginning of a line of findings."""
MOST_FINDINGS = 8  # rows; the note needs the rest


def visit_line(visit: VisitSummary) -> str:
    """Return a visit in one line: day, clusters, diagnoses or complaint."""
    said = "; ".join(visit.diagnoses) or visit.chief_complaint
    return f"{date_text(visit.service_on)} {fit(' '.join(visit.clusters), 11)} {said}"


def patient_lines(visit: VisitOut, today: date) -> list[str]:
    """Return the patient's identity, allergies and alerts: the visit may be from outside one's own queue."""
    patient = visit.patient
    return [
        f"{patient.name}  {sex_letter(patient.sex)} {age_text(patient.birth_date, today)}"
        f"  RM {patient.medical_record_number}",
        check_words.allergies_first(patient.allergies, asked=patient.allergies_asked),
        *(f"! {alert}" for alert in visit.alerts),
        "",
    ]


def visit_text(visit: VisitOut, forms: Mapping[str, FormDefinition], zone: str) -> list[str]:
    """Return a visit's record in lines, empty parts left out.

    Args:
        visit: The visit.
        forms: Definitions of the clinic's forms by code.
        zone: The clinic's time zone.
    """
    lines = [f"{date_text(visit.service_on)}  {visit.chief_complaint}"]
    lines += [f"  {line}" for line in late_lines(visit, zone)]
    for encounter in visit.encounters:
        signed = _("signed") if encounter.signed_at else _("not signed")
        lines.append(f"{encounter.cluster}  {encounter.practitioner} ({signed})")
        lines += [f"  {line}" for line in _encounter_lines(visit, encounter, forms)]
    lines += [f"  {line}" for line in _entry_lines(visit, zone)]
    if visit.disposition is not None:
        lines.append("  " + problem_words.word(problem_words.DISPOSITIONS, visit.disposition))
    return lines


def late_lines(visit: VisitOut, zone: str) -> list[str]:
    """Return how a visit was entered late, in one line; none for any other visit."""
    late = visit.late_entry
    if late is None:
        return []
    told = _("Late entry: came {arrived}, form {form}, written by {name}; typed {entered} by {typist}")
    return [
        told.format(
            arrived=instant_text(late.arrived_at, zone),
            form=late.paper_number or "-",
            name=late.written_by,
            entered=instant_text(late.entered_at, zone),
            typist=late.entered_by,
        )
    ]


def _encounter_lines(
    visit: VisitOut, encounter: EncounterOut, forms: Mapping[str, FormDefinition]
) -> list[str]:
    """Return the vital signs, the SOAP note, the filled-in forms and the addenda of one encounter."""
    notes = (encounter.subjective, encounter.objective, encounter.assessment, encounter.plan)
    filled_in = [code for code, answers in encounter.form.items() if answers and code in forms]
    lines = [vitals_line(encounter.vitals)] if encounter.vitals else []
    lines += [f"{letter}: {text}" for letter, text in zip("SOAP", notes, strict=True) if text]
    for code in filled_in:
        lines += form_text(forms[code], visit, encounter)
    return lines + [f"+ {addendum}" for addendum in encounter.addenda]


def _entry_lines(visit: VisitOut, zone: str) -> list[str]:
    """Return diagnoses, procedures, vaccines, medicines, tests and letters, one line each."""
    procedure, letter = _("Procedure"), _("Letter")
    return [
        *(f"{item.code} {item.title}" for item in visit.diagnoses),
        *(f"{procedure} {item.code} {item.title} {item.note}".rstrip() for item in visit.procedures),
        *(vaccine_text(item) for item in visit.immunisations),
        *(medicine_text(item) for item in medicines_of(visit)),
        *(f"Lab {item.test}: {result_text(item, zone)}" for item in orders_of(visit)),
        *(f"{letter} {item.number}" for item in visit.letters),
    ]


def medicines_of(visit: VisitOut) -> list[PrescriptionOut]:
    """Return the visit's prescriptions without the revoked ones."""
    return [item for item in visit.prescriptions if item.status is not OrderStatus.REVOKED]


def orders_of(visit: VisitOut) -> list[OrderOut]:
    """Return the visit's laboratory orders without the revoked ones."""
    return [item for item in visit.orders if item.status is not OrderStatus.REVOKED]


def vaccine_text(item: ImmunisationOut) -> str:
    """Return such as `Vaksin BCG dose 1, lot AB12`."""
    return f"{item.vaccine} " + _("dose {number}, lot {lot}").format(
        number=item.dose_number, lot=item.lot_number
    )


def medicine_text(item: PrescriptionOut) -> str:
    """Return such as `R/ Amoksisilin 500 mg tablet 1 tablet 3x sehari 15 tablet (handed out)`."""
    made = "(" + ", ".join(item.lines) + ")" if item.lines else ""
    parts = ["R/", item.medicine, made, item.dose, item.frequency, item.dispensed_amount or item.amount]
    if item.status is OrderStatus.COMPLETED:
        parts.append("(" + _("handed out") + ")")
    against = ["!! " + check_words.check_line(each) for each in item.checks if each.code == "allergy"]
    return " ".join(part for part in (*parts, item.dispense_note, *against) if part)


def form_text(form: FormDefinition, visit: VisitOut, encounter: EncounterOut) -> list[str]:
    """Return a filled-in form as lines: title, computed values, answers, suggestions of its rules.

    Args:
        form: Definition of the form.
        visit: Visit of the encounter.
        encounter: Encounter that holds the answers.
    """
    answers = encounter.form.get(form.code, {})
    facts = visit_facts(
        birth_date=visit.patient.birth_date,
        sex=visit.patient.sex.value,
        pregnant=visit.pregnant,
        cluster=encounter.cluster,
        day=visit.service_on,
        vitals=encounter.vitals,
    )
    shown = [
        f"{in_language(item.label, language())} {answer_text(form, item.name, answers[item.name])}"
        + (f" {item.unit}" if item.unit else "")
        for item in form.fields()
        if item.name in answers
    ]
    return [
        in_language(form.title, language()) + ":",
        *filter(None, [computed_text(form, answers, facts, visit)]),
        ", ".join(shown),
        *suggestion_titles(form, answers, facts, visit),
    ]


COLOUR_SIGNS = {"red": "!!", "yellow": "! ", "green": "- "}
"""Two cells before a suggestion, which show its colour without colour."""


def computed_text(
    form: FormDefinition, answers: Mapping[str, object], facts: Mapping[str, object], visit: VisitOut
) -> str:
    """Return the computed values in one line: `G2P1A0  24+3 mg  HPL 08-02-2027`.

    Args:
        form: Definition of the form.
        answers: Field -> stored answer.
        facts: As `core.records.forms.visit_facts`.
        visit: Visit of the answers.
    """
    values = computed_values(form, answers, facts, visit.service_on)
    return "   ".join(
        f"{in_language(item.label, language())} {value_text(values[item.name])} {item.unit}".strip()
        for item in form.computed
        if item.shown and item.name in values
    )


def suggestion_titles(
    form: FormDefinition, answers: Mapping[str, object], facts: Mapping[str, object], visit: VisitOut
) -> list[str]:
    """Return the titles of the suggestions, each with its sign: `!! CURIGA PREEKLAMSIA`.

    Args:
        form: Definition of the form.
        answers: Field -> stored answer.
        facts: As `core.records.forms.visit_facts`.
        visit: Visit of the answers.
    """
    found = suggestions(form, answers, facts, visit.service_on, language())
    return [f"{COLOUR_SIGNS[item.colour].strip()} {item.title}" for item in found]


def value_text(value: object) -> str:
    """Return a value in the local notation."""
    if isinstance(value, date):
        return date_text(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return number_text(value) if isinstance(value, (int, float)) else str(value)


def answer_text(form: FormDefinition, name: str, answer: object) -> str:
    """Return an answer as the form shows it.

    Args:
        form: Definition of the form.
        name: Field of the form.
        answer: Stored answer.
    """
    item = next(item for item in form.fields() if item.name == name)
    if item.type == "date":
        return date_text(date.fromisoformat(str(answer)))
    for choice in item.choices:
        if choice.value == answer:
            return in_language(choice.label, language())
    return value_text(answer)


def vitals_line(vitals: Mapping[str, float]) -> str:
    """Return the vital signs in one line."""
    parts = []
    if "systolic" in vitals and "diastolic" in vitals:
        parts.append(_("BP") + f" {number_text(vitals['systolic'])}/{number_text(vitals['diastolic'])}")
    rest = [name for name in vitals if name not in {"systolic", "diastolic"}]
    parts += [f"{problem_words.field_name('vitals.' + name)} {number_text(vitals[name])}" for name in rest]
    return "  ".join(parts)


def who_line(number: str, name: str, facts: str, cells: int) -> str:
    """Return a patient in one line: a long name is cut, the facts never are.

    Args:
        number: Number in the queue.
        name: Name of the patient.
        facts: Further facts, such as sex and age.
        cells: Width of the line.
    """
    room = cells - cell_len(number) - cell_len(facts) - 4
    shown = name if cell_len(name) <= room else fit(name, max(8, room))
    return f"{number}  {shown}  {facts}".strip()


def finding_lines(visit: VisitOut, cells: int, zone: str) -> list[str]:
    """Return the visit's entries by kind, wrapped, and cut at `MOST_FINDINGS` lines.

    Args:
        visit: The visit.
        cells: Width of a line.
        zone: The clinic's time zone.
    """
    lines = []
    for label, text in _finding_rows(visit, zone):
        first, *more = wrapped(text or "-", cells - FINDING_CELLS)
        lines.append(f" {fit(label, FINDING_CELLS - 3)}  {first}")
        lines += [" " * FINDING_CELLS + line.strip() for line in more]
    if len(lines) > MOST_FINDINGS:
        lines[MOST_FINDINGS - 1 :] = [" " * FINDING_CELLS + _("... F6 shows all of it")]
    return lines


def _finding_rows(visit: VisitOut, zone: str) -> list[tuple[str, str]]:
    """Return (label, text) for each kind of entry; letters only when there are some."""
    rows = [
        (_("Diagnosis"), "; ".join(f"{item.code} {item.title}" for item in visit.diagnoses)),
        (_("Procedure"), "; ".join(f"{item.title} {item.note}".strip() for item in visit.procedures)),
        (_("Medicine"), "; ".join(medicine_text(item).removeprefix("R/ ") for item in medicines_of(visit))),
        (_("Lab"), "; ".join(f"{item.test}: {result_text(item, zone)}" for item in orders_of(visit))),
    ]
    if visit.immunisations:
        rows.insert(2, (_("Vaccine"), "; ".join(vaccine_text(item) for item in visit.immunisations)))
    if visit.letters:
        rows.append((_("Letter"), "; ".join(item.number for item in visit.letters)))
    if visit.return_date is not None:
        rows.append((_("Returns"), return_text(visit.return_date)))
    return rows


def return_text(given: ReturnDateOut) -> str:
    """Return a return date with the number that waits: `Tue 15-12-2026 (A-003, 08:00-12:00)`."""
    day = f"{weekday_text(given.on)} {date_text(given.on)}"
    return f"{day} ({', '.join(filter(None, (given.number, given.hours)))})"

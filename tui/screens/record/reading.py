"""Earlier visits: one line each, and the record of one to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from rich.cells import cell_len

from core.forms import Form, computed_values, in_language, suggestions, visit_facts
from core.schemas.record import EncounterShape, OrderShape, PrescriptionShape, VisitShape, VisitSummary
from core.vocabulary import OrderStatus
from tui import words
from tui.formatting import age_text, date_text, fit, number_text, sex_letter, wrapped
from tui.screens.record.dialogs import TextDialog
from tui.screens.record.searching import PickDialog
from tui.session import Session
from tui.text import N_, _, language

FINDING_CELLS = 13  # before what a line of findings says
MOST_FINDINGS = 8  # rows: the note keeps its own
READ_CELLS = 70
"""Width of a line of a record that is read in a dialog."""


class VisitsDialog(PickDialog):
    """The patient's visits, newest first; gives the id of the one to read."""

    def __init__(self, session: Session, visits: Sequence[VisitSummary], title: str = "") -> None:
        super().__init__(session, title or N_("Visits"), [(visit.id, visit_line(visit)) for visit in visits])

    def keys_text(self) -> str:
        """Enter reads."""
        return _("Enter: read it    Esc: back")


class VisitDialog(TextDialog):
    """An earlier visit, to read; N adds a note to it."""

    def __init__(
        self, session: Session, visit: VisitShape, forms: Mapping[str, Form], *, writes: bool
    ) -> None:
        today = session.clinic.today
        lines = [
            part
            for line in (*patient_lines(visit, today), *visit_text(visit, forms))
            for part in wrapped(line, READ_CELLS)
        ]
        hint = _("N: add a note") if writes and visit.encounters else ""
        super().__init__(session, N_("Visit"), lines, "N" if hint else "", hint)


def visit_line(visit: VisitSummary) -> str:
    """One visit in one line: day, clusters, diagnoses or complaint."""
    said = "; ".join(visit.diagnoses) or visit.chief_complaint
    return f"{date_text(visit.service_on)} {fit(' '.join(visit.clusters), 11)} {said}"


def patient_lines(visit: VisitShape, today: date) -> list[str]:
    """Whose record it is, allergies and alerts first: it may be opened outside one's own queue."""
    patient = visit.patient
    allergies = ", ".join(patient.allergies)
    return [
        f"{patient.name}  {sex_letter(patient.sex)} {age_text(patient.birth_date, today)}"
        f"  RM {patient.medical_record_number}",
        "!! " + _("ALLERGIES: {names}").format(names=allergies) if allergies else _("No known allergies"),
        *(f"! {alert}" for alert in visit.alerts),
        "",
    ]


def visit_text(visit: VisitShape, forms: Mapping[str, Form]) -> list[str]:
    """A visit's record in lines, empty parts left out."""
    done, letter_word = _("Procedure"), _("Letter")
    lines = [f"{date_text(visit.service_on)}  {visit.chief_complaint}"]
    for encounter in visit.encounters:
        signed = _("signed") if encounter.signed_at else _("not signed")
        lines.append(f"{encounter.cluster}  {encounter.practitioner} ({signed})")
        if encounter.vitals:
            lines.append("  " + vitals_line(encounter.vitals))
        for letter, text in zip(
            "SOAP",
            (encounter.subjective, encounter.objective, encounter.assessment, encounter.plan),
            strict=True,
        ):
            lines += [f"  {letter}: {text}"] if text else []
        for code in encounter.form:
            if code in forms and encounter.form[code]:
                lines += [f"  {line}" for line in form_text(forms[code], visit, encounter)]
        lines += [f"  + {addendum}" for addendum in encounter.addenda]
    lines += [f"  {item.code} {item.title}" for item in visit.diagnoses]
    lines += [f"  {done} {item.code} {item.title} {item.note}".rstrip() for item in visit.procedures]
    lines += [f"  {medicine_text(item)}" for item in medicines_of(visit)]
    lines += [
        f"  Lab {item.test}: {result_text(item)}"
        for item in visit.orders
        if item.status is not OrderStatus.REVOKED
    ]
    lines += [f"  {letter_word} {item.number}" for item in visit.letters]
    if visit.disposition is not None:
        lines.append("  " + words.word(words.DISPOSITIONS, visit.disposition))
    return lines


def medicines_of(visit: VisitShape) -> list[PrescriptionShape]:
    """Prescriptions that stand."""
    return [item for item in visit.prescriptions if item.status is not OrderStatus.REVOKED]


def medicine_text(item: PrescriptionShape) -> str:
    """`R/ Amoksisilin 500 mg tablet 1 tablet 3x sehari 15 tablet (handed out)`."""
    parts = ["R/", item.medicine, item.dose, item.frequency, item.dispensed_amount or item.amount]
    if item.status is OrderStatus.COMPLETED:
        parts.append("(" + _("handed out") + ")")
    return " ".join(part for part in (*parts, item.dispense_note) if part)


INTERPRETATIONS = {"low": "(L)", "high": "(H)", "abnormal": "(!)"}
"""Signs beside a result, as laboratories print them."""


def result_text(item: OrderShape) -> str:
    """`9,4 g/dL (L) [12-16]`, or that there is none yet."""
    if item.result is None:
        return _("no result yet")
    limits = f"[{item.reference_range}]" if item.reference_range else ""
    parts = (item.result, item.unit, INTERPRETATIONS.get(item.interpretation, ""), limits)
    return " ".join(part for part in parts if part)


def form_text(form: Form, visit: VisitShape, encounter: EncounterShape) -> list[str]:
    """A filled-in form: its title, what was computed, the answers, what the rules said."""
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
        f"{in_language(item.label_id, item.label_en, language())} {answer_text(form, item.name, answers[item.name])}"
        + (f" {item.unit}" if item.unit else "")
        for item in form.fields()
        if item.name in answers
    ]
    return [
        in_language(form.title_id, form.title_en, language()) + ":",
        *filter(None, [computed_text(form, answers, facts, visit)]),
        ", ".join(shown),
        *suggestion_titles(form, answers, facts, visit),
    ]


COLOUR_SIGNS = {"red": "!!", "yellow": "! ", "green": "- "}
"""Two cells before a suggestion, so that its colour is seen without colour."""


def computed_text(
    form: Form, answers: Mapping[str, object], facts: Mapping[str, object], visit: VisitShape
) -> str:
    """What follows from the answers, in one line: `G2P1A0  24+3 mg  HPL 08-02-2027`."""
    values = computed_values(form, answers, facts, visit.service_on)
    return "   ".join(
        f"{in_language(item.label_id, item.label_en, language())} {value_text(values[item.name])} {item.unit}".strip()
        for item in form.computed
        if item.shown and item.name in values
    )


def suggestion_titles(
    form: Form, answers: Mapping[str, object], facts: Mapping[str, object], visit: VisitShape
) -> list[str]:
    """What the rules say, with its sign: `!! CURIGA PREEKLAMSIA`."""
    found = suggestions(form, answers, facts, visit.service_on, language())
    return [f"{COLOUR_SIGNS[item.colour].strip()} {item.title}" for item in found]


def value_text(value: object) -> str:
    """A value as people here write it."""
    if isinstance(value, date):
        return date_text(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return number_text(value) if isinstance(value, (int, float)) else str(value)


def answer_text(form: Form, name: str, answer: object) -> str:
    """An answer as the form shows it."""
    item = next(item for item in form.fields() if item.name == name)
    if item.type == "date":
        return date_text(date.fromisoformat(str(answer)))
    for choice in item.choices:
        if choice.value == answer:
            return in_language(choice.label_id, choice.label_en, language())
    return value_text(answer)


def vitals_line(vitals: Mapping[str, float]) -> str:
    """Vital signs in one line."""
    parts = []
    if "systolic" in vitals and "diastolic" in vitals:
        parts.append(_("BP") + f" {number_text(vitals['systolic'])}/{number_text(vitals['diastolic'])}")
    rest = [name for name in vitals if name not in {"systolic", "diastolic"}]
    parts += [f"{words.field_name('vitals.' + name)} {number_text(vitals[name])}" for name in rest]
    return "  ".join(parts)


def who_line(number: str, name: str, facts: str, cells: int) -> str:
    """Who it is in one line: a long name is cut, the facts never are."""
    room = cells - cell_len(number) - cell_len(facts) - 4
    shown = name if cell_len(name) <= room else fit(name, max(8, room))
    return f"{number}  {shown}  {facts}".strip()


def finding_lines(visit: VisitShape, cells: int) -> list[str]:
    """Diagnoses, procedures, medicines and tests, one line each kind and more where there are more."""
    standing = [item for item in visit.orders if item.status is not OrderStatus.REVOKED]
    rows = [
        (_("Diagnosis"), "; ".join(f"{item.code} {item.title}" for item in visit.diagnoses)),
        (_("Procedure"), "; ".join(f"{item.title} {item.note}".strip() for item in visit.procedures)),
        (_("Medicine"), "; ".join(medicine_text(item).removeprefix("R/ ") for item in medicines_of(visit))),
        (_("Lab"), "; ".join(f"{item.test}: {result_text(item)}" for item in standing)),
    ]
    if visit.letters:
        rows.append((_("Letter"), "; ".join(item.number for item in visit.letters)))
    lines = []
    for label, text in rows:
        first, *more = wrapped(text or "-", cells - FINDING_CELLS)
        lines.append(f" {fit(label, FINDING_CELLS - 3)}  {first}")
        lines += [" " * FINDING_CELLS + line.strip() for line in more]
    if len(lines) > MOST_FINDINGS:
        lines[MOST_FINDINGS - 1 :] = [" " * FINDING_CELLS + _("... F6 shows all of it")]
    return lines

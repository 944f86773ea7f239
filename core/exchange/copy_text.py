"""A patient's record in words, for the patient: what the printed copy says, in lines as a letter has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from core.exchange.fhir.clinical import VisitRows, clusters_of, live_diagnoses
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus
from core.foundation.languages import DEFAULT_LANGUAGE
from core.models import Encounter, Order, Patient, Prescription
from core.records.forms import FormDefinition, FormField
from core.records.letters import CELLS, broken, long_date, named_medicine, patient_values, vitals_text

NOTE_PARTS = (("subjective", "S"), ("objective", "O"), ("assessment", "A"), ("plan", "P"))


def copy_text(
    clinic: Clinic, patient: Patient, visits: Sequence[VisitRows], made_at: datetime, given_by: str
) -> str:
    """Return the whole record, the newest visit first; what was struck out is left out.

    Args:
        clinic: For the letterhead, the forms and the time zone.
        patient: Whose record it is.
        visits: The visits with their rows, oldest first.
        made_at: When the copy is made.
        given_by: Name of the person who gives it.
    """
    day = made_at.astimezone(clinic.zone).date()
    lines = [clinic.settings.facility_name.upper().center(CELLS).rstrip(), "=" * CELLS, ""]
    lines += ["SALINAN REKAM MEDIS".center(CELLS).rstrip(), "untuk pasien sendiri".center(CELLS).rstrip(), ""]
    lines += _person(patient, day)
    for rows in reversed(visits):
        lines += ["", "-" * CELLS, *_visit(clinic, rows)]
    if not visits:
        lines += ["", "Belum ada kunjungan yang tercatat."]
    lines += [
        "",
        "-" * CELLS,
        f"Disalin {long_date(day)} oleh {given_by}. Yang sudah dicoret tidak disertakan.",
    ]
    return "\n".join(part for line in lines for part in broken(line)) + "\n"


def notes_of(clinic: Clinic, visits: Sequence[VisitRows]) -> list[tuple[str, str]]:
    """Return heading and text of each note and addendum, oldest first.

    Args:
        clinic: For its forms.
        visits: The visits with their rows, oldest first.
    """
    found = []
    for rows in visits:
        for contact in rows.encounters:
            text = "\n".join(line.strip() for line in _contact_lines(clinic, rows, contact))
            if text:
                found.append((f"{long_date(rows.visit.service_on)} {contact.cluster}", text))
    return found


def _person(patient: Patient, day: date) -> list[str]:
    facts = patient_values(patient, day)
    shown = (
        ("Nama", "name"), ("No RM", "record_number"), ("NIK", "nik"), ("Lahir", "born"), ("Kelamin", "sex"),
        ("Alamat", "address"), ("Alergi", "allergies"),
    )  # fmt: skip
    return [f"{label:<10}: {facts[name]}" for label, name in shown]


def _visit(clinic: Clinic, rows: VisitRows) -> Iterator[str]:
    visit = rows.visit
    yield f"{long_date(visit.service_on).upper()}  {' > '.join(clusters_of(rows))}"
    if visit.chief_complaint:
        yield f"Keluhan: {visit.chief_complaint}"
    for contact in rows.encounters:
        lines = list(_contact_lines(clinic, rows, contact))
        if lines:
            yield f"{contact.cluster}, {contact.practitioner.name}"
            yield from lines
    yield from _entries(rows)


def _entries(rows: VisitRows) -> Iterator[str]:
    """Yield what stands of diagnoses, procedures, vaccines, medicines and laboratory tests, one a line."""
    for row in live_diagnoses(rows):
        yield f"Diagnosis: {row.code} {row.title}"
    for done in rows.procedures:
        if done.voided_at is None:
            yield f"Tindakan: {done.title} {done.note}".rstrip()
    for given in rows.immunisations:
        if given.voided_at is None:
            lot = f"dosis {given.dose_number}, nomor lot {given.lot_number}"
            yield f"Imunisasi: {given.vaccine}, {lot}"
    for item in rows.prescriptions:
        if item.status != OrderStatus.REVOKED:
            yield f"Obat: {_medicine(item)}"
    for order in rows.orders:
        if order.status != OrderStatus.REVOKED:
            yield f"Laboratorium: {_result(order)}"


def _contact_lines(clinic: Clinic, rows: VisitRows, contact: Encounter) -> Iterator[str]:
    """Yield the vital signs, the note, the forms and the addenda of one contact."""
    if contact.vitals:
        yield f"  {vitals_text(contact.vitals)}"
    for name, letter in NOTE_PARTS:
        if text := getattr(contact, name):
            yield from (f"  {letter}: {line}" for line in text.splitlines())
    for code, answers in contact.form.items():
        if answers and code in clinic.forms:
            yield f"  {form_text(clinic.forms[code], answers)}"
    for addendum in sorted(rows.addenda, key=lambda row: row.written_at):
        if addendum.encounter_id == contact.id:
            yield f"  + {addendum.text} ({addendum.written_by.name})"


def form_text(form: FormDefinition, answers: Mapping[str, Any]) -> str:
    """Return the answers of a specialised form in one line.

    Args:
        form: The form's definition.
        answers: Field -> stored answer.
    """
    said = [
        f"{item.label[DEFAULT_LANGUAGE]} {_answer(item, answers[item.name])} {item.unit}".rstrip()
        for item in form.fields()
        if item.name in answers
    ]
    return f"{form.title[DEFAULT_LANGUAGE]}: {', '.join(said)}"


def _answer(item: FormField, value: Any) -> str:
    if isinstance(value, bool):
        return "ya" if value else "tidak"
    if item.type == "date":
        return long_date(date.fromisoformat(str(value)))
    chosen = [choice.label[DEFAULT_LANGUAGE] for choice in item.choices if choice.value == value]
    return chosen[0] if chosen else str(value).replace(".", ",") if isinstance(value, float) else str(value)


def _medicine(item: Prescription) -> str:
    amount = item.dispensed_amount or item.amount
    given = "" if item.dispensed_at is not None else "(belum diserahkan)"
    parts = (named_medicine(item), item.dose, item.frequency, item.instructions, amount, given)
    return " ".join(part for part in parts if part)


def _result(order: Order) -> str:
    if order.result is None:
        return f"{order.test}: belum ada hasil"
    limits = f"(rujukan {order.reference_range})" if order.reference_range else ""
    return " ".join(part for part in (f"{order.test}:", order.result, order.unit, limits) if part)

"""Certificates and referrals: filled in from the record, numbered, kept as they were given.

The words are data (`core/data/letters.toml`). A letter is a row with its text: what the patient
holds in the hand can be read again years later, whatever became of record and template.
"""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from peewee import fn

from core import audit, clock
from core.actors import Actor
from core.clinic import Clinic, age_on
from core.contacts import contact_to_write, find_visit
from core.database import transaction
from core.errors import ValidationError
from core.forms import LetterKind, check_answer
from core.identifiers import new_id
from core.models import Diagnosis, Encounter, Letter, Order, Prescription, Procedure, Visit
from core.schemas.record import LetterFields, LetterShape
from core.vitals import VITALS
from core.vocabulary import OrderStatus, Permission, Sex

CELLS = 72
"""Width of a letter; a printer with ten characters an inch takes it with margins."""
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober",
    "November", "Desember",
)  # fmt: skip
UNITS = (
    "",
    "satu",
    "dua",
    "tiga",
    "empat",
    "lima",
    "enam",
    "tujuh",
    "delapan",
    "sembilan",
    "sepuluh",
    "sebelas",
)
SEXES = {Sex.MALE: "Laki-laki", Sex.FEMALE: "Perempuan"}
VITAL_NAMES = {
    "pulse": "Nadi", "respiration": "Napas", "temperature": "Suhu", "oxygen_saturation": "SpO2",
    "weight": "Berat badan", "height": "Tinggi badan",
}  # fmt: skip
NOTHING = "-"


@cache
def kinds() -> dict[str, LetterKind]:
    """The letters that can be issued, by kind."""
    text = resources.files("core.data").joinpath("letters.toml").read_text(encoding="utf-8")
    return {item["kind"]: LetterKind.model_validate(item) for item in tomllib.loads(text)["letter"]}


def issue(clinic: Clinic, actor: Actor, visit_id: str, fields: LetterFields) -> LetterShape:
    """Write a letter from the record, number it and keep it.

    Raises:
        ValidationError: `kind` is unknown, or an answer is missing (`required`) or wrong.
        RuleError: `record_locked`.
    """
    actor.require(Permission.WRITE_RECORDS)
    kind = kinds().get(fields.kind)
    if kind is None:
        raise ValidationError({"kind": "unknown"})
    with transaction():
        visit = find_visit(visit_id)
        contact = contact_to_write(clinic, actor, visit)
        today = clinic.today()
        _check(kind, fields.answers, today)
        newest = Letter.select(fn.MAX(Letter.sequence)).where(
            Letter.kind == kind.kind, Letter.year == today.year
        )
        sequence = (newest.scalar() or 0) + 1
        number = f"{sequence:03d}/{kind.series}/{ROMAN[today.month - 1]}/{today.year}"
        values = _values(visit, contact, today)
        values |= _answered(kind, fields.answers) | {"number": number, "practitioner": actor.name}
        row = Letter.create(
            id=new_id(),
            visit=visit,
            encounter=contact,
            kind=kind.kind,
            year=today.year,
            sequence=sequence,
            number=number,
            data=fields.answers,
            text=_letter(clinic, kind, values, actor.name, today),
            issued_at=clock.now(),
            issued_by=actor.account_id,
        )
        audit.record(actor, "letter_issued", "letter", row.id, visit.patient_id, letter=kind.kind)
        return LetterShape(
            id=row.id, kind=row.kind, number=row.number, text=row.text, issued_at=row.issued_at
        )


def _check(kind: LetterKind, answers: Mapping[str, Any], day: date) -> None:
    problems: dict[str, str] = {}
    for item in kind.fields:
        value = answers.get(item.name)
        if value is None or value == "":
            problems[item.name] = "required"
        elif problem := check_answer(item, value, day):
            problems[item.name] = problem
    problems |= {name: "unknown" for name in answers if name not in {item.name for item in kind.fields}}
    if problems:
        raise ValidationError(problems)


def _answered(kind: LetterKind, answers: Mapping[str, Any]) -> dict[str, str]:
    values: dict[str, str] = {}
    for item in kind.fields:
        value = answers[item.name]
        values[item.name] = long_date(date.fromisoformat(value)) if item.type == "date" else str(value)
    if "days" in values and "rest_from" in values:
        days, start = int(answers["days"]), date.fromisoformat(answers["rest_from"])
        values["days_in_words"] = in_words(days)
        values["rest_until"] = long_date(start + timedelta(days=days - 1))
    return values


def _values(visit: Visit, contact: Encounter, today: date) -> dict[str, str]:
    """What the record says, by the names that a template may use."""
    patient = visit.patient
    diagnoses = Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
    done = Procedure.select().where(Procedure.visit == visit, Procedure.voided_at.is_null())
    medicines = Prescription.select().where(
        Prescription.visit == visit, Prescription.status != OrderStatus.REVOKED
    )
    results = Order.select().where(Order.visit == visit, Order.result.is_null(False))
    place = ", ".join(
        part
        for part in (
            patient.address,
            f"RT {patient.rt}" if patient.rt else "",
            f"RW {patient.rw}" if patient.rw else "",
        )
        if part
    )
    return {
        "name": patient.name,
        "age": _age(patient.birth_date, today),
        "sex": SEXES[Sex(patient.sex)],
        "born": long_date(patient.birth_date),
        "address": place or NOTHING,
        "record_number": patient.medical_record_number,
        "nik": patient.nik or NOTHING,
        "day": long_date(visit.service_on),
        "vitals": _vitals(contact.vitals),
        "subjective": contact.subjective or visit.chief_complaint,
        "objective": contact.objective or NOTHING,
        "diagnoses": _lines(f"{row.code} {row.title}" for row in diagnoses.order_by(Diagnosis.rank)),
        "procedures": _lines(
            f"{row.title} {row.note}".strip() for row in done.order_by(Procedure.performed_at)
        ),
        "medicines": _lines(
            " ".join(part for part in (row.medicine, row.dose, row.frequency) if part)
            for row in medicines.order_by(Prescription.prescribed_at)
        ),
        "results": _lines(
            f"{row.test}: {row.result} {row.unit}".strip() for row in results.order_by(Order.resulted_at)
        ),
    }


def _age(born: date, today: date) -> str:
    years = age_on(born, today)
    if years >= 2:
        return f"{years} tahun"
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    return f"{months} bulan" if months else f"{(today - born).days} hari"


def _lines(parts: Any) -> str:
    return "\n".join(parts) or NOTHING


def _vitals(vitals: Mapping[str, float]) -> str:
    said = []
    if "systolic" in vitals and "diastolic" in vitals:
        said.append(f"Tekanan darah {vitals['systolic']:g}/{vitals['diastolic']:g} mmHg")
    said += [
        f"{label} {vitals[name]:g} {VITALS[name].unit}".replace(".", ",")
        for name, label in VITAL_NAMES.items()
        if name in vitals
    ]
    return ", ".join(said) or NOTHING


def _letter(clinic: Clinic, kind: LetterKind, values: Mapping[str, str], signed_by: str, today: date) -> str:
    facility = clinic.settings.facility_name
    lines = [facility.upper().center(CELLS).rstrip(), "=" * CELLS, ""]
    template = kind.text.strip("\n").splitlines()
    for number, line in enumerate(template):
        filled = line.format_map({**values, "facility": facility})
        if number < 2:
            lines.append(filled.center(CELLS).rstrip())
        else:
            lines += _broken(filled)
    column = " " * (CELLS - 32)
    lines += ["", f"{column}{long_date(today)}", f"{column}Pemeriksa,", "", "", "", f"{column}{signed_by}"]
    return "\n".join(lines) + "\n"


def _broken(text: str) -> list[str]:
    """Lines of at most `CELLS`, later ones indented like the first."""
    indent = " " * (len(text) - len(text.lstrip()))
    found: list[str] = []
    for paragraph in text.splitlines() or [""]:
        found += textwrap.wrap(paragraph.strip(), CELLS, initial_indent=indent, subsequent_indent=indent) or [
            ""
        ]
    return found


def long_date(day: date) -> str:
    """`24 November 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def in_words(number: int) -> str:
    """A number of days in Indonesian words, 1 to 99."""
    if number < len(UNITS):
        return UNITS[number]
    if number < 20:
        return f"{UNITS[number - 10]} belas"
    tens = f"{UNITS[number // 10]} puluh"
    return f"{tens} {UNITS[number % 10]}".strip()

"""Certificates and referrals: filled in from the record, numbered, kept as they were given.

The words are data (`core/data/letters.toml`). A letter is a row with its text: the paper in the
patient's hand can be read again years later, however record and template have changed.
"""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from peewee import fn

from core.foundation import audit, clock, feed
from core.foundation.ages import age_in_days, age_in_months, age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import OrderStatus, Sex
from core.foundation.database import transaction
from core.foundation.errors import RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.permissions import Actor
from core.models import (
    BpjsVisit,
    Diagnosis,
    Encounter,
    Letter,
    Order,
    Patient,
    Prescription,
    Procedure,
    Visit,
)
from core.orders import medicine_gate
from core.patients import deaths
from core.records import pcare_form, pcare_needs
from core.records.access import Purpose, find_visit, require_right
from core.records.contacts import contact_to_write
from core.records.forms import LetterKind, check_answer
from core.records.vital_signs import VITALS
from core.schemas.bpjs import REFERRED
from core.schemas.record import LetterFields, LetterOut, MedicineCheckOut, StatedReason
from core.visits import roster_versions

CELLS = 72
"""Characters a line; a printer with ten characters an inch takes it with margins."""
SIGNATURE_CELLS = 32  # characters, the right column with date and name
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
    "weight": "Berat badan", "height": "Tinggi badan", "waist": "Lingkar perut", "arm_circumference": "Lingkar lengan",
    "head_circumference": "Lingkar kepala", "glucose": "Gula darah",
}  # fmt: skip
NOTHING = "-"
NUMBER_FOLLOWS = "MENYUSUL"
"""Stands on an urgent referral that leaves before BPJS has given it a number."""
BPJS_NUMBER = "bpjs_number"
"""Key of that number among what is kept with a letter; it is printed as a bar code too."""
TACC = {"1": "Time", "2": "Age", "3": "Complication", "4": "Comorbidity"}
TITLE_LINES = 2  # of a template: name and number, centred
YEARS_FROM_AGE = 2  # younger children are described in months, newborns in days


@cache
def kinds() -> dict[str, LetterKind]:
    """Return the letters that can be issued, by kind."""
    text = resources.files("core.data").joinpath("letters.toml").read_text(encoding="utf-8")
    return {item["kind"]: LetterKind.model_validate(item) for item in tomllib.loads(text)["letter"]}


def issue(clinic: Clinic, actor: Actor, visit_id: str, fields: LetterFields) -> LetterOut:
    """Write a letter from the record, number it and keep it.

    Args:
        clinic: For the letterhead.
        actor: The clinician who signs.
        visit_id: The visit.
        fields: Kind and answers.

    Raises:
        NotAllowedError: The role may not write records; `reason_required` outside one's own queue, since a
            letter tells what the whole visit found.
        NotFoundError: There is no such visit.
        ValidationError: `kind` is unknown, or an answer is missing (`required`) or wrong.
        RuleError: `record_locked`; `patient_deceased`, until `deceased_confirmed`; `allergy`, until
            `allergy_override` with a reason, where a medicine that the
            letter names clashes with an allergy; `no_referral` for a letter of BPJS, before hospital and day were chosen.
    """
    require_right(actor, Purpose.LETTER)
    kind = kinds().get(fields.kind)
    if kind is None:
        raise ValidationError({"kind": "unknown"})
    with transaction():
        visit = find_visit(visit_id)
        reason = StatedReason(fields.reason, fields.reason_code)
        contact = contact_to_write(clinic, actor, visit, Purpose.LETTER, reason)
        died_on = visit.patient.deceased_on
        deaths.require_asked(actor, visit.patient, "letter", confirmed=fields.deceased_confirmed)
        today = clinic.today()
        _check(kind, fields.answers, today)
        newest = Letter.select(fn.MAX(Letter.sequence)).where(
            Letter.kind == kind.kind, Letter.year == today.year
        )
        sequence = (newest.scalar() or 0) + 1
        number = f"{sequence:03d}/{kind.series}/{ROMAN[today.month - 1]}/{today.year}"
        found = medicine_gate.in_letter(visit) if _names_medicines(kind) else []
        medicine_gate.require_answers(found, fields)
        values = _values(visit, contact, today)
        referral = _referral(visit) if kind.of_bpjs else {}
        values |= _answered(kind, fields.answers) | {"number": number, "practitioner": actor.name}
        values["died"] = long_date(died_on) if died_on is not None else ""
        values |= _referral_values(visit, referral) if kind.of_bpjs else {}
        row = Letter.create(
            id=new_id(),
            visit=visit,
            encounter=contact,
            kind=kind.kind,
            year=today.year,
            sequence=sequence,
            number=number,
            data=fields.answers | _kept_of(referral),
            text=_letter(clinic, kind, values, _signature(clinic, actor), today),
            issued_at=clock.now(),
            issued_by=actor.account_id,
        )
        if kind.of_bpjs:
            feed.append(REFERRED, visit_id=visit.id)
        codes = [each.code for each in found]
        facts = {"letter": kind.kind, "checks": codes, "reason": fields.override_reason}
        audit.record(actor, "letter_issued", "letter", row.id, visit.patient_id, **facts)
        return letter_out(row, [medicine_gate.check_out(each) for each in found])


def _referral(visit: Visit) -> dict[str, Any]:
    """Return the referral of a visit, as it was chosen and as BPJS took it; its `number` is empty before.

    Raises:
        RuleError: `no_referral`: nobody has chosen where to and when.
    """
    answers = pcare_needs.answers(visit)
    if not (answers.get("refer_provider_name") or answers.get("refer_provider")):
        raise RuleError("no_referral")
    held = BpjsVisit.get_or_none(BpjsVisit.visit == visit)
    told = held.referral if held is not None else {}
    card = (held.card_number if held is not None else "") or visit.patient.bpjs_number or ""
    return {"number": told.get("number", ""), "told": told, "card": card, "answers": answers}


def _kept_of(referral: Mapping[str, Any]) -> dict[str, str]:
    """Return what is kept of a referral beside its text; nothing of another letter."""
    if not referral:
        return {}
    answers = referral["answers"]
    return {
        BPJS_NUMBER: referral["number"],
        "hospital": answers.get("refer_provider_name") or answers["refer_provider"],
        "department": answers.get("refer_subspecialist_name") or "",
    }


def _referral_values(visit: Visit, referral: Mapping[str, Any]) -> dict[str, str]:
    """Return what a letter of BPJS says beyond the record."""
    answers, told = referral["answers"], referral["told"]
    reason = pcare_form.reason_of(answers)
    day = answers.get("refer_on")
    return {
        "bpjs_number": referral["number"] or NUMBER_FOLLOWS,
        "card": referral["card"] or NOTHING,
        "refer_specialist": answers.get("refer_specialist") or NOTHING,
        "refer_subspecialist_name": answers.get("refer_subspecialist_name") or NOTHING,
        "refer_provider_name": answers.get("refer_provider_name") or answers["refer_provider"],
        "refer_on": long_date(date.fromisoformat(str(day))) if day else NOTHING,
        "schedule": told.get("schedule") or NOTHING,
        "until": told.get("until") or NOTHING,
        "tacc": f"{TACC.get(str(answers.get('tacc')), '')} {reason}".strip() if reason else NOTHING,
    }


def _names_medicines(kind: LetterKind) -> bool:
    """Return whether the medicines of the visit stand in such a letter."""
    return "{medicines}" in kind.text


def letter_out(row: Letter, checks: Sequence[MedicineCheckOut] = ()) -> LetterOut:
    """Return a letter as sent to terminals, with what was found when it was issued."""
    return LetterOut(
        id=row.id,
        kind=row.kind,
        number=row.number,
        text=row.text,
        issued_at=row.issued_at,
        barcode=str(row.data.get(BPJS_NUMBER) or ""),
        checks=list(checks),
    )


def _check(kind: LetterKind, answers: Mapping[str, Any], day: date) -> None:
    problems: dict[str, str] = {}
    for item in kind.fields:
        value = answers.get(item.name)
        if value is None or value == "":
            problems[item.name] = "required"
        elif problem := check_answer(item, value, day):
            problems[item.name] = problem
    asked = {item.name for item in kind.fields}
    problems |= {name: "unknown" for name in answers if name not in asked}
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
    """Return the record's facts by the names that a template may use."""
    return {**patient_values(visit.patient, today), **_note_values(visit, contact), **_order_values(visit)}


def patient_values(patient: Patient, today: date) -> dict[str, str]:
    """Return the facts of a patient's card, and the allergies, as a paper says them."""
    rt = f"RT {patient.rt}" if patient.rt else ""
    rw = f"RW {patient.rw}" if patient.rw else ""
    return {
        "name": patient.name,
        "age": _age(patient.birth_date, today),
        "sex": SEXES[Sex(patient.sex)],
        "born": long_date(patient.birth_date),
        "address": ", ".join(filter(None, (patient.address, rt, rw))) or NOTHING,
        "record_number": patient.medical_record_number,
        "nik": patient.nik or NOTHING,
        "allergies": _allergies(patient),
    }


def _allergies(patient: Patient) -> str:
    """Return the recorded allergies; that there are none known, or that nobody asked, is said as well."""
    recorded = medicine_gate.substances_of(patient.id)
    none = "tidak ada yang diketahui" if patient.no_known_allergies_at is not None else "belum ditanyakan"
    return ", ".join(recorded) or none


def _note_values(visit: Visit, contact: Encounter) -> dict[str, str]:
    return {
        "day": long_date(visit.service_on),
        "vitals": vitals_text(contact.vitals),
        "subjective": contact.subjective or visit.chief_complaint,
        "objective": contact.objective or NOTHING,
    }


def _order_values(visit: Visit) -> dict[str, str]:
    diagnoses = Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
    done = Procedure.select().where(Procedure.visit == visit, Procedure.voided_at.is_null())
    medicines = Prescription.select().where(
        Prescription.visit == visit, Prescription.status != OrderStatus.REVOKED
    )
    results = Order.select().where(Order.visit == visit, Order.result.is_null(False))
    return {
        "diagnoses": _lines(f"{row.code} {row.title}" for row in diagnoses.order_by(Diagnosis.rank)),
        "procedures": _lines(
            f"{row.title} {row.note}".strip() for row in done.order_by(Procedure.performed_at)
        ),
        "medicines": _lines(
            " ".join(filter(None, (named_medicine(row), row.dose, row.frequency)))
            for row in medicines.order_by(Prescription.prescribed_at)
        ),
        "results": _lines(
            f"{row.test}: {row.result} {row.unit}".strip() for row in results.order_by(Order.resulted_at)
        ),
    }


def named_medicine(row: Prescription) -> str:
    """Return a medicine with its ingredients, where it was made up."""
    compound = medicine_gate.compound_of(row, row.ingredients)
    return f"{row.medicine} ({', '.join(compound.lines())})" if compound is not None else row.medicine


def _age(born: date, today: date) -> str:
    years = age_in_years(born, today)
    if years >= YEARS_FROM_AGE:
        return f"{years} tahun"
    months = age_in_months(born, today)
    return f"{months} bulan" if months else f"{age_in_days(born, today)} hari"


def _lines(parts: Any) -> str:
    return "\n".join(parts) or NOTHING


def vitals_text(vitals: Mapping[str, float]) -> str:
    """Return the vital signs in one line, as a paper says them."""
    said = []
    if "systolic" in vitals and "diastolic" in vitals:
        said.append(f"Tekanan darah {vitals['systolic']:g}/{vitals['diastolic']:g} mmHg")
    said += [
        f"{label} {vitals[name]:g} {VITALS[name].unit}".replace(".", ",")
        for name, label in VITAL_NAMES.items()
        if name in vitals
    ]
    return ", ".join(said) or NOTHING


def _letter(
    clinic: Clinic, kind: LetterKind, values: Mapping[str, str], signed_by: Sequence[str], today: date
) -> str:
    """Return the text of a letter: letterhead, the filled template with a centred title, signature."""
    facility = clinic.settings.facility_name
    lines = [facility.upper().center(CELLS).rstrip(), "=" * CELLS, ""]
    template = kind.text.strip("\n").splitlines()
    for number, line in enumerate(template):
        filled = line.format_map({**values, "facility": facility})
        if number < TITLE_LINES:
            lines.append(filled.center(CELLS).rstrip())
            if number == TITLE_LINES - 1 and values["died"]:
                lines += ["", f"Pasien ini meninggal dunia pada tanggal {values['died']}."]
        else:
            lines += broken(filled)
    column = " " * (CELLS - SIGNATURE_CELLS)
    signature = [f"{column}{line}" for said in signed_by for line in textwrap.wrap(said, SIGNATURE_CELLS)]
    lines += ["", f"{column}{long_date(today)}", f"{column}Pemeriksa,", "", "", "", *signature]
    return "\n".join(lines) + "\n"


def _signature(clinic: Clinic, actor: Actor) -> list[str]:
    """Return the name below a letter, with the licence to practise where the roster knows it."""
    licence = roster_versions.licence_of(clinic, actor.username)
    return [actor.name, f"SIP {licence}"] if licence else [actor.name]


def broken(text: str) -> list[str]:
    """Return lines of at most `CELLS`, later ones indented like the first."""
    indent = " " * (len(text) - len(text.lstrip()))
    found: list[str] = []
    for paragraph in text.splitlines() or [""]:
        wrapped = textwrap.wrap(paragraph.strip(), CELLS, initial_indent=indent, subsequent_indent=indent)
        found += wrapped or [""]
    return found


def long_date(day: date) -> str:
    """Return `24 November 2026`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def in_words(number: int) -> str:
    """Return a number of days in Indonesian words, 1 to 99."""
    if number < len(UNITS):
        return UNITS[number]
    if number < 20:
        return f"{UNITS[number - 10]} belas"
    tens = f"{UNITS[number // 10]} puluh"
    return f"{tens} {UNITS[number % 10]}".strip()

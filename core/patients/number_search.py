"""Patients by a number: of a card, of the record, of the telephone, one that stood on the card before, or its last digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from peewee import Expression

from core.linkage.blocking import BPJS_DIGITS, NIK_DIGITS, one_digit_off
from core.linkage.key_queries import among, keyed, patient_ids
from core.linkage.search_keys import FORMER
from core.models import Patient
from core.patients.fields import PATIENT_FIELDS
from core.patients.national_ids import Outcome, check_passport_number, normalise_number
from core.patients.record_numbers import LENGTH as RECORD_NUMBER_LENGTH
from core.patients.search_query import TAIL_DIGITS, without_label

SHORTEST_NUMBER = 4  # digits from which a text is looked up as a number
MOST_SHOWN = 20  # patients who may have one number
TAIL_BELOW = 50_000
"""Active patients up to which the last digits are looked for among all numbers: in more, too many have them."""

_PASSPORT_LABEL = re.compile(
    r"^\W*(?:(?:no|nomor)\b\.?\s*)?(?:paspor|passport)\b\s*[:.=#]*\s*", re.IGNORECASE
)
_CARD = re.compile(rf"(?<!\d)(?:\d{{{NIK_DIGITS}}}|\d{{{BPJS_DIGITS}}})(?!\d)")


def by_number(text: str) -> list[Patient]:
    """Return the patients whose NIK, family card, BPJS, passport, record or phone number this is.

    A NIK or BPJS number with one slip finds its owner when no patient has it as it is. A NIK may be one that the card
    held before; a label before the number and words behind it, as scanners write them, do not count.
    """
    digits = _number_in(text)
    if not digits:
        return _with_passport(text)
    for condition in _conditions(digits):
        if owners := _where(condition):
            break
    else:
        owners = []
    if len(digits) == TAIL_DIGITS:
        owners += [one for one in _ending_with(digits) if one not in owners]
    return owners[:MOST_SHOWN]


def _number_in(text: str) -> str:
    """Return the digits of a number; empty for words."""
    written = without_label(text)
    digits = normalise_number(written).lstrip("+")
    if not digits.isdigit():
        card = _CARD.search(written)
        digits = card.group() if card is not None else ""
    is_labelled = written != text  # `RM 41` is a number, `41` may be anything
    return digits if is_labelled or len(digits) >= SHORTEST_NUMBER else ""


def _conditions(digits: str) -> Iterator[Expression]:
    """Yield what a number may be, by its length, the most telling first."""
    if digits.startswith("62") and 10 <= len(digits) <= 14:
        yield Patient.phone == "0" + digits[2:]
    for field in PATIENT_FIELDS:
        if field.digits == len(digits):
            yield getattr(Patient, field.name) == digits
    if len(digits) == NIK_DIGITS:
        yield Patient.id.in_(list(patient_ids([keyed(FORMER, [digits], MOST_SHOWN)])))
    if len(digits) == BPJS_DIGITS:
        yield Patient.phone == digits
        yield among(Patient.bpjs_number, one_digit_off(digits, BPJS_DIGITS))
    elif abs(len(digits) - NIK_DIGITS) <= 1:
        yield among(Patient.nik, one_digit_off(digits, NIK_DIGITS))
    else:
        if len(digits) <= RECORD_NUMBER_LENGTH:
            yield Patient.medical_record_number == digits.zfill(RECORD_NUMBER_LENGTH)
        yield Patient.phone == digits
    yield Patient.passport_number == digits


def _with_passport(text: str) -> list[Patient]:
    """Return the patients with this passport, whose numbers have letters too; none for words."""
    number = check_passport_number(_PASSPORT_LABEL.sub("", text))
    is_number = number.outcome is Outcome.OK and any(letter.isdigit() for letter in number.value)
    return _where(Patient.passport_number == number.value) if is_number else []


def _where(condition: Expression) -> list[Patient]:
    return list(
        Patient.select()
        .where(condition, Patient.voided_at.is_null())
        .order_by(Patient.birth_date)
        .limit(MOST_SHOWN)
    )


def _ending_with(digits: str) -> list[Patient]:
    """Return the patients whose NIK, BPJS or phone number ends so, those changed last first."""
    if Patient.select().count() > TAIL_BELOW:
        return []
    ends = [column.endswith(digits) for column in (Patient.nik, Patient.bpjs_number, Patient.phone)]
    found = Patient.select().where(ends[0] | ends[1] | ends[2], Patient.voided_at.is_null())
    return list(found.order_by(Patient.updated_at.desc()).limit(MOST_SHOWN))

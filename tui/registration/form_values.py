"""Content of a registration form as plain values: read, checked and turned into a request.

Pure: no widgets, no calls. The core checks everything again; checked here is only what the confirmation
needs before it can ask the core.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.foundation.ages import birth_date_of_age
from core.foundation.codes import DoubtAnswer, Payer, PayerSource
from core.patients.fields import CHECKED, PATIENT_FIELDS, TYPED, PatientField
from core.patients.national_ids import (
    BPJS_LENGTH,
    NIK_LENGTH,
    NikCheck,
    Outcome,
    check_nik,
    normalise_number,
)
from core.schemas.patients import PatientOut
from tui.registration import late_entry
from tui.registration.payer import proposed_payer
from tui.text.formatting import NotADateError, date_text, parse_date

COMPARED_TEXTS = tuple(field.name for field in PATIENT_FIELDS if field.is_typed and field.compared)
YES = "yes"
YEARS = "th"  # unit of a number alone in the birth date's field
_ZERO_YEARS = re.compile(r"0+ *(th|yr)?")
_VILLAGE = re.compile(r"\b(?:kel|kelurahan|desa|ds)\b\.?\s+([^,]+?)\s*$", re.IGNORECASE)
SHORTEST_NAME = 3  # letters of a name from which duplicates are asked for
_VILLAGE_CODE = re.compile(r"\d{10}")


@dataclass(frozen=True)
class FormValues:
    """Content of a form.

    Attributes:
        values: Field -> value that was typed or chosen, trimmed.
        patient: The patient, when it is a known one.
        today: The clinic's calendar day.
    """

    values: Mapping[str, str]
    patient: PatientOut | None
    today: date

    def text(self, field: str) -> str:
        """Return the value of a field."""
        return self.values.get(field, "").strip()

    def asks_for(self, field: PatientField) -> bool:
        """Return whether the form asks for a field: always, or for this reason for a missing NIK."""
        if field.only_for is None or self.text(field.name):
            return True
        return not self.text("nik") and self.text("no_identifier_reason") == field.only_for

    @property
    def birth_date(self) -> date | None:
        """Birth date; None when it is missing or cannot be read."""
        if self.patient is not None:
            return self.patient.birth_date
        try:
            return parse_date(self.text("birth_date"))
        except NotADateError:
            return self._estimated_birth_date

    @property
    def is_estimated(self) -> bool:
        """Return whether only an age was typed in the birth date's field: `45`, `8 bl`, `10 hr`."""
        return self.patient is None and self._estimated_birth_date is not None

    @property
    def _estimated_birth_date(self) -> date | None:
        return birth_date_of_age(self.text("birth_date"), self.today, unit=YEARS)

    @property
    def sex(self) -> str:
        """`male`, `female` or empty."""
        return self.patient.sex.value if self.patient is not None else self.text("sex")

    @property
    def name(self) -> str:
        """Name of the patient."""
        return self.patient.name if self.patient is not None else self.text("name")

    @property
    def payer(self) -> tuple[Payer, PayerSource]:
        """Payer and its origin: chosen by the clerk, else proposed."""
        chosen, source = self.text("payer"), PayerSource(self.text("payer_source") or PayerSource.CLERK)
        if chosen and source in {PayerSource.CLERK, PayerSource.BPJS}:
            return Payer(chosen), source
        return proposed_payer(self._card, self.last_payer)

    @property
    def _card(self) -> str:
        """Return the BPJS number: on the record, as typed, or with which a number was taken from home."""
        if self.patient is None:
            return self.text("bpjs_number")
        held = self.patient.appointment
        return self.patient.bpjs_number or (held.bpjs_number if held is not None else "")

    @property
    def last_payer(self) -> Payer | None:
        """Payer of a known patient's last visit."""
        return self.patient.last_payer if self.patient is not None else None

    @property
    def is_pregnant(self) -> bool:
        """Return whether pregnancy is chosen."""
        return self.text("pregnant") == YES

    def problems(self) -> dict[str, str]:
        """Return field -> problem code, in the order of the form, of what keeps the core from being asked."""
        found = self.person_problems() if self.patient is None else {}
        if not self.text("chief_complaint"):
            found["chief_complaint"] = "required"
        return found

    def person_problems(self) -> dict[str, str]:
        """Return the problems of the person's fields alone."""
        codes = {
            "name": "" if self.text("name") else "required",
            "birth_date": self._birth_date_problem(),
            "sex": "" if self.sex else "required",
            **self._number_problems(),
        }
        return self._nik_problem() | {name: code for name, code in codes.items() if code}

    def _nik_problem(self) -> dict[str, str]:
        nik = self.text("nik")
        if not nik:
            return {} if self.text("no_identifier_reason") else {"no_identifier_reason": "required"}
        check = check_nik(nik, today=self.today)
        return {"nik": check.rejected_for} if check.outcome is Outcome.REJECT else {}

    def _birth_date_problem(self) -> str:
        if not self.text("birth_date"):
            return "required"
        if self.birth_date is None:
            return "age_zero" if _ZERO_YEARS.fullmatch(self.text("birth_date")) else "date_format"
        return "birth_date_in_future" if self.birth_date > self.today else ""

    def _number_problems(self) -> dict[str, str]:
        beside = {"nik": self.text("nik")}
        problems = {
            field.name: field.checked(self.text(field.name), beside, self.today).rejected_for
            for field in CHECKED
            if field.name != "nik" and self.text(field.name)  # that one: `_nik_problem`
        }
        village = self.text("village_code").replace(".", "")
        if village and not _VILLAGE_CODE.fullmatch(village):
            problems["village_code"] = "village_code_format"
        return problems

    def routing(self, cluster: str | None, doubt_answer: DoubtAnswer | None = None) -> dict[str, Any]:
        """Return the body of `POST routing`, with the answer to a danger sign that was asked about."""
        born = self.birth_date
        answered = {"doubt_answer": doubt_answer.value} if doubt_answer is not None else {}
        return {
            **answered,
            "chief_complaint": self.text("chief_complaint"),
            "birth_date": born.isoformat() if born is not None and born <= self.today else None,
            "sex": self.sex or None,
            "pregnant": self.is_pregnant,
            "cluster": cluster or None,
        }

    def duplicates(self) -> dict[str, Any] | None:
        """Return the body of `POST patients/duplicates`; None while too little is typed to compare."""
        fields: dict[str, Any] = {name: self.text(name) for name in COMPARED_TEXTS if self.text(name)}
        if self.birth_date is not None:
            fields["birth_date"] = self.birth_date.isoformat()
        if self.is_estimated:
            fields["birth_date_estimated"] = True
        if self.sex:
            fields["sex"] = self.sex
        if "nik" in fields or "bpjs_number" in fields:
            return fields
        is_named = len(fields.get("name", "")) >= SHORTEST_NAME
        return fields if is_named and ("birth_date" in fields or "mother_name" in fields) else None

    def person(self) -> dict[str, Any]:
        """Return the patient part of a registration."""
        person: dict[str, Any] = {name: self.text(name) for name in TYPED if self.text(name)}
        born = self.birth_date
        person["birth_date"] = born.isoformat() if born is not None else None
        person["sex"] = self.sex or None
        if self.is_estimated:
            person["birth_date_estimated"] = True
        if self.text("mother_id"):
            person["mother_id"] = self.text("mother_id")
        person["identity_verified"] = self.text("identity_verified") == YES
        if not person.get("nik"):
            person["no_identifier_reason"] = self.text("no_identifier_reason") or None
        return person

    def registration(
        self, registration_id: str, cluster: str, override_reason: str | None, duplicate_decision: str | None
    ) -> dict[str, Any]:
        """Return the body of `POST registrations`: the same content under the same id is saved once.

        Args:
            registration_id: Id of the registration, made by the terminal.
            cluster: Code of the cluster agreed on.
            override_reason: Reason for another cluster than the proposed one.
            duplicate_decision: `new` when the clerk has decided that none of the duplicates is this person.
        """
        payer, payer_source = self.payer
        request: dict[str, Any] = {
            "id": registration_id,
            "chief_complaint": self.text("chief_complaint"),
            "pregnant": self.is_pregnant,
            "disability": self.text("disability") == YES,
            "payer": payer.value,
            "payer_source": payer_source.value,
            "cluster": cluster,
        }
        if self.patient is not None:
            request["patient_id"] = self.patient.id
        else:
            request["patient"] = self.person()
        if override_reason:
            request["override_reason"] = override_reason
        if duplicate_decision:
            request["duplicate_decision"] = duplicate_decision
        return request | late_entry.request_part(self.values)


def village_in(address: str) -> str:
    """Return the village that an address ends with: `Pekauman` of `Jl. Mawar 5 kel. Pekauman`; empty without one."""
    found = _VILLAGE.search(address)
    return found[1] if found else ""


def from_nik(nik: str, values: Mapping[str, str], today: date) -> tuple[NikCheck, dict[str, str]]:
    """Check a NIK against the form, and return the fields it fills.

    Args:
        nik: The number as typed.
        values: Values of the form.
        today: The clinic's calendar day.

    Returns:
        The check, and birth date and sex where the form has none yet.
    """
    facts = FormValues(values, None, today)
    check = check_nik(nik, birth_date=facts.birth_date, sex=facts.sex or None, today=today)
    filled: dict[str, str] = {}
    if check.birth_date is not None and not facts.text("birth_date"):
        filled["birth_date"] = date_text(check.birth_date)
    if check.sex is not None and not facts.sex:
        filled["sex"] = check.sex.value
    return check, filled


def values_from_search(text: str) -> dict[str, str]:
    """Return the fields of a new patient that a search without a result has given."""
    number = normalise_number(text)
    if number.isdigit() and len(number) == NIK_LENGTH:
        return {"nik": number}
    if number.isdigit() and len(number) == BPJS_LENGTH:
        return {"bpjs_number": number}
    if text and not any(character.isdigit() for character in text):
        return {"name": text.title() if text.islower() else text}
    return {}


def is_number_of(text: str, patient: PatientOut) -> bool:
    """Return whether a text is this patient's NIK, BPJS or record number, digit for digit.

    The search also finds patients whose number differs in one digit: they are shown, never opened unasked.
    """
    number = normalise_number(text)
    own = (patient.nik, patient.bpjs_number, patient.medical_record_number)
    return number in {normalise_number(each) for each in own if each}

"""What a registration form holds, as plain values: read, checked and turned into a request.

Pure: no widgets, no calls. The core checks everything again; what is checked here is only what
the confirmation needs before it can ask the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.identity import (
    NikCheck,
    Outcome,
    check_bpjs_number,
    check_family_card_number,
    check_nik,
    normalise_number,
)
from core.schemas.patients import PatientShape
from tui.formatting import NotADateError, date_text, parse_date

PERSON_TEXTS = (
    "name", "nik", "bpjs_number", "family_card_number", "mother_name", "phone", "address", "rt", "rw",
)  # fmt: skip
YES = "yes"
NIK_DIGITS = 16
BPJS_DIGITS = 13
LONGEST_AGE_DIGITS = 3


@dataclass(frozen=True)
class Facts:
    """A form's content.

    Attributes:
        values: Field -> what was typed or chosen, trimmed.
        patient: Who it is about when they are known already.
        today: The clinic's calendar day.
    """

    values: Mapping[str, str]
    patient: PatientShape | None
    today: date

    def text(self, field: str) -> str:
        """What a field holds."""
        return self.values.get(field, "").strip()

    @property
    def birth_date(self) -> date | None:
        """The birth date, None when it is missing or cannot be read."""
        if self.patient is not None:
            return self.patient.birth_date
        try:
            return parse_date(self.text("birth_date"))
        except NotADateError:
            return self._estimated_birth_date

    @property
    def is_estimated(self) -> bool:
        """Whether only an age in years was typed where the birth date is not known."""
        return self.patient is None and self._estimated_birth_date is not None

    @property
    def _estimated_birth_date(self) -> date | None:
        text = self.text("birth_date")
        if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_AGE_DIGITS):
            return None
        # The middle of the year: half a year off at most.
        return min(date(self.today.year - int(text), 7, 1), self.today)

    @property
    def sex(self) -> str:
        """`male`, `female` or empty."""
        return self.patient.sex.value if self.patient is not None else self.text("sex")

    @property
    def name(self) -> str:
        """The patient's name."""
        return self.patient.name if self.patient is not None else self.text("name")

    @property
    def is_pregnant(self) -> bool:
        """Whether pregnancy is ticked."""
        return self.text("pregnant") == YES

    def problems(self) -> dict[str, str]:
        """Field -> problem code, in the order of the form, for what keeps the core from being asked."""
        found = self.person_problems() if self.patient is None else {}
        if not self.text("chief_complaint"):
            found["chief_complaint"] = "required"
        return found

    def _card_problems(self) -> dict[str, str]:
        checks = {
            "bpjs_number": check_bpjs_number(self.text("bpjs_number")),
            "family_card_number": check_family_card_number(self.text("family_card_number")),
        }
        return {
            name: check.findings[0].code
            for name, check in checks.items()
            if self.text(name) and check.outcome is Outcome.REJECT
        }

    def person_problems(self) -> dict[str, str]:
        """The same, of the person's fields alone."""
        found: dict[str, str] = {}
        nik = self.text("nik")
        if nik:
            check = check_nik(nik, today=self.today)
            if check.outcome is Outcome.REJECT:
                found["nik"] = check.findings[0].code
        elif not self.text("no_identifier_reason"):
            found["no_identifier_reason"] = "required"
        if not self.text("name"):
            found["name"] = "required"
        if not self.text("birth_date"):
            found["birth_date"] = "required"
        elif self.birth_date is None:
            found["birth_date"] = "date_format"
        elif self.birth_date > self.today:
            found["birth_date"] = "birth_date_in_future"
        if not self.sex:
            found["sex"] = "required"
        return found | self._card_problems()

    def routing(self, cluster: str | None) -> dict[str, Any]:
        """`POST routing`: what the rules judge by."""
        born = self.birth_date
        return {
            "chief_complaint": self.text("chief_complaint"),
            "birth_date": born.isoformat() if born is not None and born <= self.today else None,
            "sex": self.sex or None,
            "pregnant": self.is_pregnant,
            "cluster": cluster or None,
        }

    def duplicates(self) -> dict[str, Any] | None:
        """`POST patients/duplicates`; None while too little is typed to compare."""
        fields: dict[str, Any] = {name: self.text(name) for name in PERSON_TEXTS if self.text(name)}
        if self.birth_date is not None:
            fields["birth_date"] = self.birth_date.isoformat()
        if self.sex:
            fields["sex"] = self.sex
        enough = "nik" in fields or "bpjs_number" in fields
        named = len(fields.get("name", "")) >= 3 and ("birth_date" in fields or "mother_name" in fields)
        return fields if enough or named else None

    def person(self) -> dict[str, Any]:
        """The patient part of a registration."""
        person: dict[str, Any] = {name: self.text(name) for name in PERSON_TEXTS if self.text(name)}
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
        """`POST registrations`: the same content under the same id is saved once."""
        request: dict[str, Any] = {
            "id": registration_id,
            "chief_complaint": self.text("chief_complaint"),
            "pregnant": self.is_pregnant,
            "disability": self.text("disability") == YES,
            "payer": self.text("payer") or "general",
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
        return request


def from_nik(nik: str, values: Mapping[str, str], today: date) -> tuple[NikCheck, dict[str, str]]:
    """Check a NIK against the form, and give the fields it fills.

    Returns:
        The check, and birth date and sex where the form has none yet.
    """
    facts = Facts(values, None, today)
    check = check_nik(nik, birth_date=facts.birth_date, sex=facts.sex or None, today=today)
    filled: dict[str, str] = {}
    if check.birth_date is not None and not facts.text("birth_date"):
        filled["birth_date"] = date_text(check.birth_date)
    if check.sex is not None and not facts.sex:
        filled["sex"] = check.sex.value
    return check, filled


def values_from_search(text: str) -> dict[str, str]:
    """The fields of a new patient that a search without a result has already given."""
    number = normalise_number(text)
    if number.isdigit() and len(number) == NIK_DIGITS:
        return {"nik": number}
    if number.isdigit() and len(number) == BPJS_DIGITS:
        return {"bpjs_number": number}
    if text and not any(character.isdigit() for character in text):
        return {"name": text.title() if text.islower() else text}
    return {}


def is_number_of(text: str, patient: PatientShape) -> bool:
    """Whether a text is this patient's NIK, BPJS or record number, digit for digit.

    The search also finds who differs in one digit: they are shown, never opened unasked.
    """
    number = normalise_number(text)
    own = (patient.nik, patient.bpjs_number, patient.medical_record_number)
    return number in {normalise_number(each) for each in own if each}

"""Decides to whom a NIK belongs: the patient, or that of the mother or relative whose card was shown instead.

A NIK carries sex and birth date of its holder. Where they contradict the patient's, or where a patient of another name
has the number, it is asked about, never stored as it is. The answer moves it: the mother's and a guardian's number are
kept beside the patient's own. Every door asks: registration, correction, mended row of a list; a list and Mobile JKN,
where nobody can be asked, never store such a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.foundation.ages import age_in_years
from core.foundation.clinic import Clinic
from core.foundation.codes import NikHolder, NoIdentifierReason
from core.foundation.errors import RuleError
from core.linkage.birth_dates import GENERATION
from core.linkage.candidates import person_of
from core.linkage.caps import REVIEW
from core.linkage.scoring import Person, score_from
from core.models import Patient
from core.patients import views
from core.patients.national_ids import NikCheck, check_nik
from core.patients.nik_evidence import Described, may_be_mother, read, speak_against, years_apart
from core.schemas.patients import DuplicateQuery, NikDoubt

CHILD = 18
"""Years below which the mother's card is the likely one; older patients come with another relative's."""
INFANT = 1
"""Years below which a child without a number of its own counts as newborn."""


def doubt(clinic: Clinic, described: Described, *, own_id: str | None = None) -> NikDoubt | None:
    """Return what speaks against a NIK being this person's own; None when nothing does.

    Args:
        clinic: The clinic.
        described: The person, with the NIK.
        own_id: Id of the patient whose card is corrected.
    """
    check = read(described, clinic.today())
    if check is None:
        return None
    holder = _holder(check.value, own_id) if described.name else None
    if holder is not None and _may_be(described, holder):
        return None  # the question is who the patient is, and the duplicate check asks it
    findings = speak_against(described, check, clinic.today())
    if holder is not None:
        findings += ("nik_of_patient",)
    return _doubt(clinic, described, check, findings, holder) if findings else None


def doubt_of(clinic: Clinic, query: DuplicateQuery) -> NikDoubt | None:
    """Return the doubt about the NIK in a half-filled form; None when there is none."""
    return doubt(clinic, Described.of(query.model_dump()), own_id=query.exclude_id)


def _doubt(
    clinic: Clinic,
    described: Described,
    check: NikCheck,
    findings: tuple[str, ...],
    holder: Patient | None,
) -> NikDoubt:
    assert check.sex is not None
    assert check.birth_date is not None
    answers = [NikHolder.GUARDIAN] if holder is not None else [NikHolder.GUARDIAN, NikHolder.SELF]
    born = None if "nik_of_adult" in findings else described.birth_date  # the number's own, filled in by it
    if may_be_mother(born, check):
        answers.insert(0, NikHolder.MOTHER)
    return NikDoubt(
        findings=list(findings),
        nik=check.value,
        sex=check.sex,
        birth_date=check.birth_date,
        answers=answers,
        likely=_likely(clinic, described, check, answers),
        holder=views.patient_out(clinic, holder) if holder is not None else None,
    )


def _holder(nik: str, own_id: str | None) -> Patient | None:
    """Return the active patient who has a NIK, other than the one whose card is corrected."""
    held = Patient.select().where(Patient.nik == nik, Patient.voided_at.is_null())
    if own_id is not None:
        held = held.where(Patient.id != own_id)
    holder: Patient | None = held.first()
    return holder


def _may_be(described: Described, holder: Patient) -> bool:
    """Return whether somebody may be the holder of the number by name, sex and birth date alone."""
    stored = person_of(holder)
    person = Person(
        name=described.name,
        sex=described.sex or None,
        birth_date=described.birth_date.isoformat() if described.birth_date else stored.birth_date,
    )
    other = Person(name=stored.name, sex=stored.sex, birth_date=stored.birth_date)
    return score_from(person, other, REVIEW) is not None


def _likely(clinic: Clinic, described: Described, check: NikCheck, answers: list[NikHolder]) -> NikHolder:
    """Return the likeliest answer: the mother of a child, the patient where the dates differ by less than a generation."""
    born = described.birth_date
    is_child = born is None or born == check.birth_date or age_in_years(born, clinic.today()) < CHILD
    if NikHolder.MOTHER in answers and is_child:
        return NikHolder.MOTHER
    is_slip = described.sex in ("", check.sex) and years_apart(described, check) < GENERATION
    return NikHolder.SELF if is_slip and NikHolder.SELF in answers else NikHolder.GUARDIAN


def settled(
    clinic: Clinic, values: Mapping[str, Any], answer: NikHolder | None, *, own_id: str | None = None
) -> dict[str, Any]:
    """Return the fields that an answer changes: another person's number is moved to where it belongs.

    Args:
        clinic: The clinic.
        values: Fields of the person, the NIK among them.
        answer: Whose it is, as the counter said; None: nobody was asked.
        own_id: Id of the patient whose card is corrected.

    Raises:
        RuleError: `nik_of_another`, with the doubt, until it is answered. A new patient whose number is likely their own
            (same sex, less than a generation apart) is not refused: the counter is asked on its screen, and the
            difference stays a warning of the patient's.
    """
    described = Described.of(values)
    if answer is None or answer is NikHolder.SELF:
        found = doubt(clinic, described, own_id=own_id)
        is_new_slip = own_id is None and found is not None and found.likely is NikHolder.SELF
        if found is not None and answer not in found.answers and not is_new_slip:
            raise RuleError("nik_of_another", **found.model_dump(mode="json"))
        return {}
    if not described.nik:
        return {}
    check = check_nik(described.nik, today=clinic.today())
    if answer is NikHolder.GUARDIAN:
        return _without_nik(clinic, values) | {"guardian_nik": check.value}
    return (
        _without_nik(clinic, values)
        | {"mother_nik": check.value}
        | _mother_known(check.value, values, own_id)
    )


def _without_nik(clinic: Clinic, values: Mapping[str, Any]) -> dict[str, Any]:
    reason, born = values.get("no_identifier_reason"), values.get("birth_date")
    if reason is None and born is not None and age_in_years(born, clinic.today()) < INFANT:
        reason = NoIdentifierReason.NEWBORN
    return {"nik": None, "no_identifier_reason": reason}


def _mother_known(nik: str, values: Mapping[str, Any], own_id: str | None) -> dict[str, Any]:
    """Return the link to the mother's own record, where she has one."""
    mother = _holder(nik, own_id)
    if mother is None:
        return {}
    return {"mother_id": mother.id, "mother_name": values.get("mother_name") or mother.name}

"""Diagnoses of a visit: searched by words, recorded by ICD-10 code, struck out with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from peewee import fn

from core.exchange import outbox
from core.foundation import audit, clock, feed
from core.foundation.ages import DAYS_PER_YEAR, age_in_days
from core.foundation.clinic import Clinic
from core.foundation.codes import CaseKind
from core.foundation.database import connection, transaction
from core.foundation.errors import RuleError, ValidationError
from core.foundation.identifiers import new_id
from core.foundation.languages import DEFAULT_LANGUAGE
from core.foundation.permissions import Actor
from core.models import Diagnosis, Encounter, Visit
from core.orders import withdrawals
from core.patients import deaths
from core.records.access import Purpose, find_visit, require_right
from core.records.contacts import contact_to_write
from core.schemas.record import CodeOut, DiagnosisFields, DiagnosisOut
from core.terminology import code_search
from core.terminology.icd10 import SOURCE
from core.terminology.patient_fit import unfit

USUAL_DAYS = 60
"""Days in which a cluster's own diagnoses count as usual there."""
USUAL_CODES = 12  # a page of the list


CATEGORY = 3  # characters of a code that name the illness
EPISODE_DAYS = 30
"""Days within which the same code is a control of the same episode."""
LASTING = (
    "A15", "A16", "A30", "B18", "B20", "B24", "E03", "E05", "E10", "E11", "E14", "F20", "F31", "G20", "G40", "I10",
    "I11", "I20", "I25", "I48", "I50", "I64", "I69", "J44", "J45", "M06", "N18", "Z94",
)  # fmt: skip
"""ICD-10 categories that stay: whoever had one once comes for a control."""


@dataclass(frozen=True)
class PatientFacts:
    """Sex and age, which decide whether a code fits a patient."""

    sex: str | None = None
    age_years: float | None = None

    def unfit(self, code: str) -> str | None:
        """Return `sex` or `age` where the code cannot be the patient's."""
        return unfit(code, self.sex, self.age_years)


def find(
    text: str,
    limit: int = 20,
    language: str = DEFAULT_LANGUAGE,
    clusters: tuple[str, ...] = (),
    patient: PatientFacts | None = None,
) -> list[CodeOut]:
    """Return ICD-10 codes by code or words in any language of the list, misspellings forgiven.

    The most usual come first. Without a text, these are the codes that the clusters recorded most
    in the last `USUAL_DAYS`, then the codes usual in any clinic.

    Args:
        text: As typed.
        limit: Most codes returned, >= 1.
        language: Language of the titles.
        clusters: Codes of the clinician's clusters.
        patient: Codes that cannot be theirs are found by the code alone, and marked.
    """
    facts = patient or PatientFacts()

    def fits(item: code_search.Code) -> bool:
        return facts.unfit(item.code) is None

    listed = code_search.load(SOURCE)
    found, doubtful = listed.find_with_doubt(text, limit, fits)
    if not text.strip():
        own = [listed.by_code[code] for code in _usual_here(clusters) if code in listed.by_code]
        usual = {item.code: item for item in [*own, *found] if fits(item)}
        found = list(usual.values())[:limit]
    return [
        CodeOut(
            code=item.code,
            title=item.title(language),
            doubtful=doubtful,
            unfit=facts.unfit(item.code) or "",
        )
        for item in found
    ]


def _usual_here(clusters: tuple[str, ...]) -> list[str]:
    """Return the codes that these clusters recorded most lately."""
    if not clusters:
        return []
    count = fn.COUNT(Diagnosis.id)
    with connection():
        rows = (
            Diagnosis.select(Diagnosis.code)
            .join(Encounter)
            .where(
                Encounter.cluster.in_(clusters),
                Diagnosis.recorded_at > clock.now() - timedelta(days=USUAL_DAYS),
                Diagnosis.voided_at.is_null(),
            )
            .group_by(Diagnosis.code)
            .order_by(count.desc(), Diagnosis.code)
            .limit(USUAL_CODES)
        )
        return [row.code for row in rows]


def add(clinic: Clinic, actor: Actor, visit_id: str, fields: DiagnosisFields) -> DiagnosisOut:
    """Record one diagnosis; the first is the main one.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        fields: Code and case kind.

    Raises:
        NotAllowedError: The role may not write records.
        NotFoundError: There is no such visit.
        ValidationError: `code` is not in the list, or is on the visit already.
        RuleError: `record_locked`; `diagnosis_sex` or `diagnosis_age`: it cannot be this patient's, until `confirm`;
            `patient_deceased` at a visit after the death, until `deceased_confirmed`: the cause of a death is no question.
    """
    require_right(actor, Purpose.WRITE)
    listed = code_search.load(SOURCE).by_code.get(fields.code)
    if listed is None:
        raise ValidationError({"code": "unknown"})
    with transaction():
        visit = find_visit(visit_id)
        present = list(Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null()))
        if any(row.code == fields.code for row in present):
            raise ValidationError({"code": "taken"})
        if not deaths.is_late_entry(visit):
            deaths.require_asked(actor, visit.patient, "diagnose", confirmed=fields.deceased_confirmed)
        _check_fit(visit, fields)
        row = Diagnosis.create(
            id=new_id(),
            visit=visit,
            encounter=contact_to_write(clinic, actor, visit),
            code=listed.code,
            title=listed.titles[DEFAULT_LANGUAGE],
            rank=max((row.rank for row in present), default=0) + 1,
            case_kind=fields.case_kind or _usual_case(visit, fields.code),
            recorded_at=clock.now(),
            recorded_by=actor.account_id,
        )
        outbox.enqueue("visit", visit.id)
        audit.record(actor, "diagnosis_added", "diagnosis", row.id, visit.patient_id)
        feed.append("encounter", cluster=row.encounter.cluster, visit_id=visit.id)
        return diagnosis_out(row)


def _check_fit(visit: Visit, fields: DiagnosisFields) -> None:
    """Ask about a code of the other sex, or of an impossible age.

    Raises:
        RuleError: `diagnosis_sex` or `diagnosis_age`, unless it was confirmed.
    """
    years = age_in_days(visit.patient.birth_date, visit.service_on) / DAYS_PER_YEAR
    reason = unfit(fields.code, visit.patient.sex, years)
    if reason is not None and not fields.confirm:
        raise RuleError(f"diagnosis_{reason}", diagnosis=fields.code)


def _usual_case(visit: Visit, code: str) -> CaseKind:
    """Return an old case for an illness that the patient is known to have, or has just had."""
    earlier = (
        Diagnosis.select(Diagnosis.code, Visit.service_on.alias("day"))
        .join(Visit)
        .where(
            Visit.patient == visit.patient_id,
            Visit.id != visit.id,
            Visit.service_on <= visit.service_on,
            Visit.voided_at.is_null(),
            Diagnosis.voided_at.is_null(),
            Diagnosis.code.startswith(code[:CATEGORY]),
        )
    )
    if code.startswith(LASTING):
        return CaseKind.OLD if earlier.exists() else CaseKind.NEW
    since = visit.service_on - timedelta(days=EPISODE_DAYS)
    lately = earlier.where(Diagnosis.code == code, Visit.service_on >= since)
    return CaseKind.OLD if lately.exists() else CaseKind.NEW


def void(clinic: Clinic, actor: Actor, visit_id: str, diagnosis_id: str, reason: str) -> None:
    """Strike a diagnosis out; it stays in the history, and the next one becomes the main one.

    Args:
        clinic: For the time that a record can be corrected in.
        actor: The clinician.
        visit_id: The visit.
        diagnosis_id: The diagnosis.
        reason: In words.

    Raises:
        NotAllowedError: The role may not write records, or it was recorded in another's cluster.
        ValidationError: `reason` is missing.
        NotFoundError: Not a diagnosis of this visit.
        RuleError: `record_locked`.
    """
    with transaction():
        visit = withdrawals.void(clinic, actor, Diagnosis, visit_id, diagnosis_id, reason)
        kept = Diagnosis.select().where(Diagnosis.visit == visit, Diagnosis.voided_at.is_null())
        moved_up = []
        for rank, row in enumerate(kept.order_by(Diagnosis.rank), start=1):
            if row.rank != rank:
                audit.about_to_change("diagnosis", row.id)
                Diagnosis.update(rank=rank).where(Diagnosis.id == row.id).execute()
                moved_up.append((row.id, visit.patient_id))
        audit.record_each(actor, "diagnosis_moved_up", "diagnosis", moved_up, struck=diagnosis_id)


def diagnosis_out(row: Diagnosis) -> DiagnosisOut:
    """Return a diagnosis as sent to terminals."""
    return DiagnosisOut(
        id=row.id,
        code=row.code,
        title=row.title,
        rank=row.rank,
        case_kind=CaseKind(row.case_kind),
        recorded_at=row.recorded_at,
    )

"""Sums a visit up: the prognosis, and the outpatient summary with its sections.

The notes themselves stay at the clinic (data minimisation): a section names the resources that were sent. The complaint
goes in the patient's words, addenda in the writer's, the answers of the clusters' forms a line each.

Source: SATUSEHAT, Lampiran Terminologi Resume Medis Rawat Jalan, table 4 (prognosis); Resume Medis Rawat Jalan Jilid 1
(sections by terminology.kemkes.go.id).
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from functools import partial

from core.exchange.fhir import clinical as fhir
from core.exchange.fhir.clinical import instant
from core.exchange.fhir.systems import LOINC, SNOMED, Resource
from core.exchange.satusehat.form_words import in_words
from core.exchange.satusehat.referrals import PATIENT_REFERRAL
from core.exchange.satusehat.visit_parts import VisitParts
from core.models import Addendum, Encounter
from core.records.pcare_form import FORM

DETERMINATION_OF_PROGNOSIS = "20481000"
PROGNOSES = {"01": "170968001", "02": "170968001", "03": "170969009", "04": "65872000", "05": "67334001"}
"""P-Care's five answers -> SNOMED as SATUSEHAT lists them: good, fair, guarded, bad; `sanam` is good."""
DISCHARGE_DOCUMENT = "88645-7"
REPORT = "LP173421-1"
CHIEF_COMPLAINT = "10154-3"
SECTION_SYSTEM = "http://terminology.kemkes.go.id"
SECTIONS = (
    ("Anamnesis", "TK000003", frozenset({"Complaint"})),
    ("Pemeriksaan Fisik", "TK000007", frozenset({"Measurement"})),
    ("Hasil Pemeriksaan Penunjang", "TK000009", frozenset({"DiagnosticReport"})),
    ("Diagnosis", "TK000004", frozenset({"Diagnosis"})),
    ("Tindakan/Prosedur Medis", "TK000005", frozenset({"Procedure"})),
    ("Obat", "TK000013", frozenset({"MedicationRequest", "MedicationDispense"})),
)
"""Title, code and kinds of entries of each section."""
FOLLOW_UP = ("Rencana Tindak Lanjut", "8653-8")
"""Title and LOINC code of the section of what comes after the visit."""
SUMMARY = "RESUME"


def add(parts: VisitParts) -> None:
    """Add the prognosis of each contact that noted one, and the summary; what they name must have been added before."""
    for contact in parts.rows.encounters:
        answer = (contact.form.get(FORM) or {}).get("prognosis")
        if answer in PROGNOSES:
            key = parts.key(f"{contact.cluster}-P")
            code = PROGNOSES[answer]
            parts.add(
                "ClinicalImpression",
                key,
                partial(_prognosis, parts, key, code, contact),
            )
    sections = list(_sections(parts))
    if sections:
        key = parts.key(SUMMARY)
        parts.add("Composition", key, lambda: _summary(parts, key))


def _prognosis(parts: VisitParts, key: str, code: str, contact: Encounter) -> Resource:
    """Return the prognosis of one contact.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        code: SNOMED.
        contact: The contact with one cluster.
    """
    context = parts.context
    at = instant(contact.entered_at)
    resource: Resource = {
        "resourceType": "ClinicalImpression",
        "identifier": [parts.identifier("ClinicalImpression", key)],
        "status": "completed" if parts.is_valid else "entered-in-error",
        "code": context.displays.concept(SNOMED, DETERMINATION_OF_PROGNOSIS),
        **parts.shared(),
        "effectiveDateTime": at,
        "date": at,
        "problem": [
            parts.reference("Condition", parts.key(row.code))
            for row in fhir.live_diagnoses(parts.rows)
            if parts.has("Condition", parts.key(row.code))
        ],
        "prognosisCodeableConcept": [context.displays.concept(SNOMED, code)],
    }
    username = context.usernames.get(contact.practitioner_id)
    if username is not None:
        resource["assessor"] = context.practitioner(username)
    return {name: value for name, value in resource.items() if value}


def _summary(parts: VisitParts, key: str) -> Resource:
    """Return the outpatient summary."""
    context, rows = parts.context, parts.rows
    displays = context.displays
    written = [row.written_at for row in rows.addenda]
    at = max([rows.visit.ended_at or rows.visit.started_at, *written])
    authors = fhir.practitioners_of(context, rows)[:1]
    return {
        "resourceType": "Composition",
        "identifier": parts.identifier("Composition", key),
        "status": "final" if parts.is_valid else "entered-in-error",
        "type": displays.concept(LOINC, DISCHARGE_DOCUMENT),
        "category": [displays.concept(LOINC, REPORT)],
        **parts.shared(),
        "date": instant(at),
        "author": [context.practitioner(username) for username in authors] or [context.facility()],
        "title": "Resume Medis Rawat Jalan",
        "custodian": context.facility(),
        "section": list(_sections(parts)),
    }


def _sections(parts: VisitParts) -> Iterator[Resource]:
    """Yield the complaint in words, a section for each kind of resource that was made, and the addenda."""
    displays = parts.context.displays
    if parts.visit.chief_complaint:
        yield {
            "title": "Keluhan Utama",
            "code": displays.concept(LOINC, CHIEF_COMPLAINT),
            "text": narrative(parts.visit.chief_complaint),
        }
    entries = [
        (_kind_of(parts, kind, key), parts.reference(kind, key))
        for kind, key in parts.standing({kind for kind, _, _ in parts.made})
    ]
    for title, code, kinds in SECTIONS:
        listed = [reference for kind, reference in entries if kind in kinds]
        if listed:
            yield {"title": title, "code": displays.concept(SECTION_SYSTEM, code), "entry": listed}
    after = [reference for kind, reference in entries if kind == "FollowUp"]
    if after:
        title, code = FOLLOW_UP
        yield {"title": title, "code": displays.concept(LOINC, code), "entry": after}
    for contact in parts.rows.encounters:
        for title, text in in_words(parts.context.forms, contact.form):
            yield {"title": title, "text": narrative(text)}
    for contact, notes in fhir.notes_by_encounter(parts.rows):
        yield from _addenda(parts, contact, notes)


def _kind_of(parts: VisitParts, kind: str, key: str) -> str:
    """Return what a part is in the summary: a Condition is a complaint or a diagnosis, some Observations a measurement."""
    resource = next(made for made_kind, made_key, made in parts.made if (made_kind, made_key) == (kind, key))
    if kind == "Condition":
        code = resource["category"][0]["coding"][0]["code"]
        return "Complaint" if code == "problem-list-item" else "Diagnosis"
    if kind == "ServiceRequest":
        return "FollowUp" if resource["category"][0]["coding"][0]["code"] == PATIENT_REFERRAL else kind
    if kind == "Observation":
        return "Result" if resource.get("basedOn") else "Measurement"
    return kind


def _addenda(parts: VisitParts, contact: Encounter, notes: Sequence[Addendum]) -> Iterator[Resource]:
    """Yield the addenda to a locked record, oldest first."""
    for row in sorted(notes, key=lambda row: row.written_at):
        yield {
            "title": f"Addendum {contact.cluster} {instant(row.written_at)}",
            "author": [parts.context.performer(row.written_by_id)],
            "text": narrative(row.text),
        }


def narrative(text: str) -> Resource:
    """Return words as a narrative."""
    return {
        "status": "additional",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"<br/>".join(html.escape(text).splitlines())}</div>',
    }

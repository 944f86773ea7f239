"""The resources of a visit as SATUSEHAT wants them: the Encounter, its Conditions and Procedures.

They differ from what an office gets: statuses have an end and the last one stands in the history, a vital sign is an
Observation of its own, codes carry their official display, and codings of our own are left out. References are
conditional ones until the ids are known.

Source: docs/reference/satusehat.md 2; docs/reference/indonesia.md 5.3-5.5.
"""

from __future__ import annotations

from functools import partial

from core.exchange.fhir import clinical as fhir
from core.exchange.fhir.clinical import VisitRows, instant
from core.exchange.fhir.systems import (
    ACT_CODE,
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFIED,
    DISPOSITION,
    ICD9,
    ICD10,
    PARTICIPATION,
    SNOMED,
    Resource,
)
from core.exchange.satusehat import (
    laboratory_chain,
    medication_chain,
    referrals,
    vaccinations,
    visit_summary,
    vital_observations,
)
from core.exchange.satusehat.complaint_codes import findings
from core.exchange.satusehat.visit_parts import SatusehatContext, VisitParts
from core.foundation.codes import CaseKind, Disposition, VisitStatus
from core.models import Diagnosis, Procedure, Visit

DIAGNOSIS_ROLE = "http://terminology.hl7.org/CodeSystem/diagnosis-role"
SERVICE_CLASS = "https://fhir.kemkes.go.id/r4/StructureDefinition/ServiceClass"
OUTPATIENT_CLASS = "http://terminology.kemkes.go.id/CodeSystem/locationServiceClass-Outpatient"
THERAPEUTIC_PROCEDURE = "277132007"
CASE_NOTES = {CaseKind.NEW: "Kasus baru", CaseKind.OLD: "Kasus lama"}
"""LB1's new and old cases, in the words of the report; no coded element for them was found."""
ENDED = frozenset({"finished", "cancelled", "entered-in-error"})


def visit_parts(context: SatusehatContext, rows: VisitRows) -> VisitParts:
    """Return all resources of one visit, the Encounter first, and what had to be held.

    Args:
        context: The facility's names, the official texts, and only people known to SATUSEHAT.
        rows: The visit.

    Raises:
        MissingDisplayError: Of the Encounter itself, without which nothing goes.
    """
    parts = VisitParts(context, rows)
    _complaints(parts)
    for code, row in fhir.by_code(rows.diagnoses).items():
        parts.add("Condition", parts.key(code), partial(_diagnosis, parts, code, row))
    vital_observations.add(parts)
    for number, done in enumerate(rows.procedures, 1):
        if not done.is_local:
            key = parts.key(f"T{number}")
            parts.add("Procedure", key, partial(_procedure, parts, key, done))
    vaccinations.add(parts)
    laboratory_chain.add(parts)
    medication_chain.add(parts)
    referrals.add(parts)
    visit_summary.add(parts)
    parts.made.insert(0, ("Encounter", rows.visit.id, encounter(parts)))
    return parts


def status_history(rows: VisitRows) -> tuple[list[Resource], str]:
    """Return each status with start and end, and the status now.

    A status begins where the one before ended.
    """
    visit, steps = rows.visit, fhir.steps_of(rows)
    status = _status_now(visit, steps[-1][0])
    if status in ENDED:
        last = max(visit.ended_at or visit.voided_at or steps[-1][1], steps[-1][1])
        steps.append((status, last))
    ends = [at for _, at in steps[1:]] + [steps[-1][1]]
    history: list[Resource] = []
    for (name, start), end in zip(steps, ends, strict=True):
        period = {"start": instant(start)}
        if status in ENDED:
            period["end"] = instant(end)
        history.append({"status": name, "period": period})
    return history, status


def _status_now(visit: Visit, reached: str) -> str:
    """Return the visit's status; one that ended without having been served is a no-show: cancelled.

    Args:
        visit: The visit.
        reached: The last status before its end, `arrived` or `in-progress`.
    """
    if visit.voided_at is not None:
        return "entered-in-error"
    if visit.ended_at is None:
        return reached
    return "cancelled" if visit.status == VisitStatus.CANCELLED or reached == "arrived" else "finished"


def encounter(parts: VisitParts) -> Resource:
    """Return the visit; of its diagnoses those that can be sent."""
    visit, context, rows = parts.visit, parts.context, parts.rows
    displays = context.displays
    history, status = status_history(rows)
    clusters = fhir.clusters_of(rows)
    period = {"start": instant(visit.started_at)}
    if status in ENDED:
        period["end"] = history[-1]["period"]["end"]
    resource: Resource = {
        "resourceType": "Encounter",
        "identifier": [parts.identifier("Encounter", visit.id)],
        "status": status,
        "statusHistory": history,
        "class": displays.coding(ACT_CODE, "EMER" if context.emergency in clusters else "AMB"),
        "subject": parts.subject(),
        "participant": [
            {"type": [displays.concept(PARTICIPATION, "ATND")], "individual": context.practitioner(username)}
            for username in fhir.practitioners_of(context, rows)
        ],
        "period": period,
        "reasonCode": [{"text": visit.chief_complaint}] if visit.chief_complaint else None,
        "location": [_place(parts, code) for code in clusters],
        "diagnosis": _ranked(parts),
        "serviceProvider": context.facility(),
    }
    if visit.disposition:
        code = fhir.DISPOSITIONS[Disposition(visit.disposition)]
        resource["hospitalization"] = {"dischargeDisposition": displays.concept(DISPOSITION, code)}
    return {name: value for name, value in resource.items() if value}


def _place(parts: VisitParts, code: str) -> Resource:
    """Return a room that the visit went through, with its class and the time from the first entry to the last."""
    entries = [row for row in parts.rows.entries if row.cluster == code and row.voided_at is None]
    ends = [row.ended_at for row in entries if row.ended_at is not None]
    period = {"start": instant(min(row.started_at for row in entries))}
    if len(ends) == len(entries):
        period["end"] = instant(max(ends))
    regular = parts.context.displays.concept(OUTPATIENT_CLASS, "reguler")
    return {
        "extension": [
            {"url": SERVICE_CLASS, "extension": [{"url": "value", "valueCodeableConcept": regular}]}
        ],
        "location": parts.context.room(code),
        "period": period,
    }


def _ranked(parts: VisitParts) -> list[Resource]:
    """Return the diagnoses by rank: 1 is the main one, the others come second."""
    role = parts.context.displays.concept(DIAGNOSIS_ROLE, "DD")
    standing = [row for row in fhir.live_diagnoses(parts.rows) if parts.has("Condition", parts.key(row.code))]
    return [
        {
            "condition": parts.reference("Condition", parts.key(row.code))
            | {"display": _official_title(parts, row.code)},
            "use": role,
            "rank": rank,
        }
        for rank, row in enumerate(standing, 1)
    ]


def _official_title(parts: VisitParts, code: str) -> str:
    return str(parts.context.displays.coding(ICD10, code)["display"])


def opening(finished: Resource) -> Resource:
    """Return an Encounter as it has to be before its Conditions exist: in progress, without diagnoses."""
    first = [step for step in finished["statusHistory"] if step["status"] not in ENDED]
    left_out = {"diagnosis", "hospitalization"}
    return {
        **{name: value for name, value in finished.items() if name not in left_out},
        "status": first[-1]["status"],
        "statusHistory": [
            *first[:-1],
            {"status": first[-1]["status"], "period": {"start": first[-1]["period"]["start"]}},
        ],
        "period": {"start": finished["period"]["start"]},
    }


def entered_in_error(there: Resource) -> Resource:
    """Return an Encounter, as SATUSEHAT has it, entered in error from its last status on."""
    if there["status"] == "entered-in-error":
        return there
    *before, last = there["statusHistory"]
    end = last["period"].get("end") or last["period"]["start"]
    reached = {**last, "period": {**last["period"], "end": end}}
    history = [*before, reached] if last["status"] not in ENDED else before
    struck = {"status": "entered-in-error", "period": {"start": history[-1]["period"]["end"], "end": end}}
    return {
        **there,
        "status": "entered-in-error",
        "statusHistory": [*history, struck],
        "period": {**there["period"], "end": there["period"].get("end") or end},
    }


def without_diagnoses(finished: Resource, kept: frozenset[str]) -> Resource:
    """Return an Encounter with only the diagnoses whose Conditions SATUSEHAT took, ranked anew.

    Args:
        finished: The Encounter.
        kept: References of those Conditions.
    """
    listed = [item for item in finished.get("diagnosis", []) if item["condition"]["reference"] in kept]
    ranked = [{**item, "rank": rank} for rank, item in enumerate(listed, 1)]
    rest = {name: value for name, value in finished.items() if name != "diagnosis"}
    return {**rest, "diagnosis": ranked} if ranked else rest


def _complaints(parts: VisitParts) -> None:
    """Add a Condition for each chief complaint that a code says exactly; the words are in the Encounter all the same."""
    for code in findings(parts.visit.chief_complaint):
        key = parts.key(f"K{code}")
        parts.add("Condition", key, partial(_complaint, parts, key, code))


def _complaint(parts: VisitParts, key: str, code: str) -> Resource:
    displays = parts.context.displays
    return {
        "resourceType": "Condition",
        "identifier": [parts.identifier("Condition", key)],
        **_validity(parts, parts.is_valid),
        "category": [displays.concept(CONDITION_CATEGORY, "problem-list-item")],
        "code": displays.concept(SNOMED, code) | {"text": parts.visit.chief_complaint},
        **parts.shared(),
        "recordedDate": instant(parts.visit.started_at),
    }


def _validity(parts: VisitParts, valid: bool) -> Resource:
    """Return the status of a Condition; what was struck out is entered in error and has no clinical status (con-5)."""
    displays = parts.context.displays
    if valid:
        return {"clinicalStatus": displays.concept(CONDITION_CLINICAL, "active")}
    return {"verificationStatus": displays.concept(CONDITION_VERIFIED, "entered-in-error")}


def _diagnosis(parts: VisitParts, code: str, row: Diagnosis) -> Resource:
    """Return a diagnosis; one that was struck out is entered in error.

    Args:
        parts: The visit.
        code: Its code.
        row: The stored record.
    """
    context = parts.context
    key = parts.key(code)
    resource: Resource = {
        "resourceType": "Condition",
        "identifier": [parts.identifier("Condition", key)],
        **_validity(parts, row.voided_at is None and parts.is_valid),
        "category": [context.displays.concept(CONDITION_CATEGORY, "encounter-diagnosis")],
        "code": context.displays.concept(ICD10, code),
        **parts.shared(),
        "recordedDate": instant(row.recorded_at),
        "note": [{"text": CASE_NOTES[CaseKind(row.case_kind)]}],
    }
    username = context.usernames.get(row.recorded_by_id)
    return resource | ({"recorder": context.practitioner(username)} if username else {})


def _procedure(parts: VisitParts, key: str, row: Procedure) -> Resource:
    """Something done, by ICD-9-CM.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        row: The stored record.
    """
    context = parts.context
    at = instant(row.performed_at)
    resource: Resource = {
        "resourceType": "Procedure",
        "identifier": [parts.identifier("Procedure", key)],
        "status": "completed" if row.voided_at is None and parts.is_valid else "entered-in-error",
        "category": context.displays.concept(SNOMED, THERAPEUTIC_PROCEDURE),
        "code": context.displays.concept(ICD9, row.code),
        **parts.shared(),
        "performedPeriod": {"start": at, "end": at},
        "performer": [{"actor": context.performer(row.performed_by_id)}],
        "reasonReference": parts.main_diagnosis(),
        "note": [{"text": row.note}] if row.note else None,
    }
    return {name: value for name, value in resource.items() if value}

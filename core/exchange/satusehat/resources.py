"""Resources as SATUSEHAT wants them; where they do not differ, those of `core.exchange.fhir`.

They differ from what an office gets: statuses have an end and the last one stands in the
history, a vital sign is an Observation of its own, codes carry their display, and codings of our
own are left out. References are conditional ones until the ids are known.

Orders and prescriptions are written in words here; SATUSEHAT takes only LOINC and KFA codes, so
they stay at the clinic.

Source: docs/reference/indonesia.md 5.3-5.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.exchange.fhir import clinical as fhir
from core.exchange.fhir.clinical import Context, VisitRows, instant
from core.exchange.fhir.systems import (
    ACT_CODE,
    CONDITION_CATEGORY,
    CONDITION_CLINICAL,
    CONDITION_VERIFIED,
    DISPOSITION,
    ICD9,
    ICD10,
    LOCATION_TYPE,
    LOINC,
    OBSERVATION_CATEGORY,
    PARTICIPATION,
    SNOMED,
    UCUM,
    Resource,
)
from core.foundation.codes import Disposition, VisitStatus
from core.models import Diagnosis, Encounter, Procedure, Visit
from core.records.vital_signs import VITALS

DIAGNOSIS_ROLE = "http://terminology.hl7.org/CodeSystem/diagnosis-role"
THERAPEUTIC_PROCEDURE = "277132007"
DISCHARGE_DOCUMENT = "88645-7"
CLASSES = {"AMB": "ambulatory", "EMER": "emergency"}
DISPOSITION_WORDS = {
    "home": "Home",
    "other-hcf": "Other healthcare facility",
    "oth": "Other",
    "aadvice": "Left against advice",
    "exp": "Expired",
}
ENDED = frozenset({"finished", "cancelled", "entered-in-error"})


def concept(system: str, code: str, display: str) -> Resource:
    """Return a CodeableConcept with its display, which SATUSEHAT compares.

    Args:
        system: The code system's URI.
        code: The code of the form or cluster.
        display: The official display of the code.
    """
    return {"coding": [{"system": system, "code": code, "display": display}]}


def location(context: Context, code: str, name: str) -> Resource:
    """Return a service cluster's room.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        code: The code of the form or cluster.
        name: The name that is shown or measured.
    """
    return {
        "resourceType": "Location",
        "identifier": [context.names.identifier("Location", code)],
        "status": "active",
        "name": name,
        "mode": "instance",
        "physicalType": concept(LOCATION_TYPE, "ro", "Room"),
        "managingOrganization": organization(context),
    }


def organization(context: Context) -> Resource:
    """Return a reference to the facility, by its IHS number."""
    return {"reference": f"Organization/{context.names.facility_code}"}


def resources(context: Context, rows: VisitRows, vitals: frozenset[str]) -> list[fhir.Made]:
    """Return all resources of one visit, the Encounter first.

    Args:
        context: Names with the IHS number of the facility, and only people known to SATUSEHAT.
        rows: The visit.
        vitals: LOINC codes of the vital signs that are sent.
    """
    visit, names = rows.visit, context.names
    shared: Resource = {
        "subject": names.reference("Patient", visit.patient.medical_record_number),
        "encounter": names.reference("Encounter", visit.id),
    }
    made = [("Encounter", visit.id, encounter(context, rows))]
    for code, row in fhir.by_code(rows.diagnoses).items():
        key = fhir.part_key(visit, code)
        made.append(("Condition", key, condition(context, rows, key, row, shared)))
    made += _vital_signs(context, rows, vitals, shared)
    for number, done in enumerate(rows.procedures, 1):
        if not done.is_local:
            key = fhir.part_key(visit, f"T{number}")
            made.append(("Procedure", key, procedure(context, rows, key, done, shared)))
    for contact, notes in fhir.notes_by_encounter(rows):
        key = fhir.part_key(visit, contact.cluster)
        document = fhir.composition(context, visit, contact, notes, shared)
        document |= {
            "status": "final",
            "type": concept(LOINC, DISCHARGE_DOCUMENT, "Outpatient hospital Discharge summary"),
            "custodian": organization(context),
        }
        made.append(("Composition", key, document))
    return made


def _vital_signs(
    context: Context, rows: VisitRows, vitals: frozenset[str], shared: Resource
) -> Iterator[fhir.Made]:
    """Yield one Observation for each vital sign that is sent."""
    for contact in rows.encounters:
        for name, value in contact.vitals.items():
            vital = VITALS.get(name)
            if vital is not None and vital.loinc in vitals:
                key = fhir.part_key(rows.visit, f"{contact.cluster}-{vital.loinc}")
                yield "Observation", key, vital_sign(context, rows, contact, key, name, value, shared)


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


def encounter(context: Context, rows: VisitRows) -> Resource:
    """Return the visit."""
    visit, names = rows.visit, context.names
    history, status = status_history(rows)
    clusters = fhir.clusters_of(rows)
    kind = "EMER" if context.emergency in clusters else "AMB"
    period = {"start": instant(visit.started_at)}
    if status in ENDED:
        period["end"] = history[-1]["period"]["end"]
    resource: Resource = {
        "resourceType": "Encounter",
        "identifier": [names.identifier("Encounter", visit.id)],
        "status": status,
        "statusHistory": history,
        "class": {"system": ACT_CODE, "code": kind, "display": CLASSES[kind]},
        "subject": names.reference("Patient", visit.patient.medical_record_number),
        "participant": [
            {
                "type": [concept(PARTICIPATION, "ATND", "attender")],
                "individual": names.reference("Practitioner", username),
            }
            for username in fhir.practitioners_of(context, rows)
        ],
        "period": period,
        "location": [{"location": names.reference("Location", code)} for code in clusters],
        "diagnosis": [
            {
                "condition": names.reference("Condition", fhir.part_key(visit, row.code)),
                "use": concept(DIAGNOSIS_ROLE, "DD", "Discharge diagnosis"),
                "rank": rank,
            }
            for rank, row in enumerate(fhir.live_diagnoses(rows), 1)
        ],
        "serviceProvider": organization(context),
    }
    if visit.disposition:
        code = fhir.DISPOSITIONS[Disposition(visit.disposition)]
        resource["hospitalization"] = {
            "dischargeDisposition": concept(DISPOSITION, code, DISPOSITION_WORDS[code])
        }
    return {name: value for name, value in resource.items() if value}


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


def condition(context: Context, rows: VisitRows, key: str, row: Diagnosis, shared: Resource) -> Resource:
    """Return a diagnosis; one that was struck out is entered in error.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        rows: The rows of the visit, read once.
        key: The business identifier of the resource.
        row: The stored record.
        shared: What every resource of the visit carries: its tags and meta.
    """
    valid = row.voided_at is None and rows.visit.voided_at is None
    resource: Resource = {
        "resourceType": "Condition",
        "identifier": [context.names.identifier("Condition", key)],
        "category": [concept(CONDITION_CATEGORY, "encounter-diagnosis", "Encounter Diagnosis")],
        "code": concept(ICD10, row.code, row.title or row.code),
        **shared,
        "recordedDate": instant(row.recorded_at),
    }
    if valid:
        resource["clinicalStatus"] = concept(CONDITION_CLINICAL, "active", "Active")
    else:
        resource["verificationStatus"] = concept(CONDITION_VERIFIED, "entered-in-error", "Entered in Error")
    return resource


def vital_sign(
    context: Context, rows: VisitRows, contact: Encounter, key: str, name: str, value: float, shared: Resource
) -> Resource:
    """Return one vital sign.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        rows: The rows of the visit, read once.
        contact: The encounter with one cluster.
        key: The business identifier of the resource.
        name: The name that is shown or measured.
        value: Our business identifier.
        shared: What every resource of the visit carries: its tags and meta.
    """
    vital = VITALS[name]
    return {
        "resourceType": "Observation",
        "identifier": [context.names.identifier("Observation", key)],
        "status": "final" if rows.visit.voided_at is None else "entered-in-error",
        "category": [concept(OBSERVATION_CATEGORY, "vital-signs", "Vital Signs")],
        "code": concept(LOINC, vital.loinc or "", vital.label),
        **shared,
        "effectiveDateTime": instant(contact.entered_at),
        "performer": [_performer(context, contact.practitioner_id)],
        "valueQuantity": {"value": value, "unit": vital.unit, "system": UCUM, "code": vital.ucum},
    }


def procedure(context: Context, rows: VisitRows, key: str, row: Procedure, shared: Resource) -> Resource:
    """Something done, by ICD-9-CM.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        rows: The rows of the visit, read once.
        key: The business identifier of the resource.
        row: The stored record.
        shared: What every resource of the visit carries: its tags and meta.
    """
    valid = row.voided_at is None and rows.visit.voided_at is None
    at = instant(row.performed_at)
    return {
        "resourceType": "Procedure",
        "identifier": [context.names.identifier("Procedure", key)],
        "status": "completed" if valid else "entered-in-error",
        "category": concept(SNOMED, THERAPEUTIC_PROCEDURE, "Therapeutic procedure"),
        "code": concept(ICD9, row.code, row.title),
        **shared,
        "performedPeriod": {"start": at, "end": at},
        "performer": [{"actor": _performer(context, row.performed_by_id)}],
    }


def _performer(context: Context, account_id: str | None) -> Resource:
    username = context.usernames.get(account_id or "")
    return organization(context) if username is None else context.names.reference("Practitioner", username)


def usernames_known(usernames: dict[str, str], known: Sequence[str]) -> dict[str, str]:
    """Account id -> username, only of people SATUSEHAT knows."""
    return {account: username for account, username in usernames.items() if username in known}

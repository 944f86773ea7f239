"""Resources of a visit, from the Encounter to the Composition of its addenda."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.exchange.fhir import systems
from core.exchange.fhir.form_answers import form_components
from core.exchange.fhir.systems import Names, Resource, concept
from core.foundation.codes import Disposition, OrderStatus, VisitStatus
from core.foundation.languages import DEFAULT_LANGUAGE
from core.models import (
    Addendum,
    Allergy,
    Diagnosis,
    Encounter,
    Immunisation,
    Order,
    OrderVersion,
    Prescription,
    Procedure,
    QueueEntry,
    Visit,
)
from core.records.forms import FormDefinition
from core.records.vital_signs import VITALS

DISPOSITIONS = {
    Disposition.HOME: "home",
    Disposition.REFERRED: "other-hcf",
    Disposition.INTERNAL_REFERRAL: "oth",
    Disposition.ADMITTED: "other-hcf",  # no code of its own; a Puskesmas that admits sends on
    Disposition.LEFT_AGAINST_ADVICE: "aadvice",
    Disposition.DIED: "exp",
}
"""Ours -> FHIR discharge-disposition."""

VITALS_PANEL = "85353-1"
"""LOINC: vital signs, weight, height, head circumference, oxygen saturation and BMI panel."""
PROGRESS_NOTE = "11506-3"
LABORATORY_REQUEST = "108252007"

REQUEST_STATUS = {
    OrderStatus.ACTIVE: "active",
    OrderStatus.COMPLETED: "completed",
    OrderStatus.REVOKED: "revoked",
}
MEDICATION_STATUS = {**REQUEST_STATUS, OrderStatus.REVOKED: "cancelled"}

RESULT = re.compile(r"^(<=|>=|<|>)?\s*(-?\d{1,9}(?:[.,]\d{1,6})?)$")
QUANTITY = re.compile(r"^(\d{1,6}(?:[.,]\d{1,3})?)\s*(\D.*)?$")


@dataclass
class VisitRows:
    """A visit with every row that its resources are made of, each list in order of time."""

    visit: Visit
    """With its patient joined."""
    entries: list[QueueEntry] = field(default_factory=list)
    encounters: list[Encounter] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    prescriptions: list[Prescription] = field(default_factory=list)
    procedures: list[Procedure] = field(default_factory=list)
    immunisations: list[Immunisation] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    addenda: list[Addendum] = field(default_factory=list)
    allergies: list[Allergy] = field(default_factory=list)
    """The patient's, struck ones left out; read for BPJS alone, the office gets them with the patient."""
    result_versions: dict[str, list[OrderVersion]] = field(default_factory=dict)
    """Order id -> its results before they were corrected or voided, oldest first."""
    measured_before: set[str] = field(default_factory=set)
    """Encounters whose vital signs were all taken out by a correction."""


@dataclass(frozen=True)
class Context:
    """The facts shared by all visits of a batch."""

    names: Names
    usernames: dict[str, str]
    """Account id -> username."""
    emergency: str
    """Code of the cluster that takes emergencies."""
    forms: Mapping[str, FormDefinition] = field(default_factory=dict)
    """The clinic's specialised forms by code; answers of others are not sent."""


def instant(value: datetime) -> str:
    """Return a dateTime to the second with an explicit offset (docs/reference/indonesia.md 5.5)."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


Made = tuple[str, str, Resource]
"""Resource type, value of its business identifier, and the resource."""


def resources(context: Context, rows: VisitRows) -> list[Made]:
    """Return all resources of one visit: (type, identifier value, resource), the Encounter first."""
    visit, names = rows.visit, context.names
    shared: Resource = {
        "subject": names.reference("Patient", visit.patient.medical_record_number),
        "encounter": names.reference("Encounter", visit.id),
    }
    made: list[Made] = [("Encounter", visit.id, encounter(context, rows))]
    for code, row in by_code(rows.diagnoses).items():
        made.append(("Condition", part_key(visit, code), condition(names, visit, row, shared)))
    made += _observations(context, rows, shared)
    made += _orders(context, rows, shared)
    for contact, notes in notes_by_encounter(rows):
        key = part_key(visit, contact.cluster)
        made.append(("Composition", key, composition(context, visit, contact, notes, shared)))
    return made


def _observations(context: Context, rows: VisitRows, shared: Resource) -> Iterator[Made]:
    """Yield the vital signs and the answers of forms, encounter by encounter."""
    visit = rows.visit
    for contact in rows.encounters:
        if contact.vitals or contact.id in rows.measured_before:
            key = part_key(visit, contact.cluster)
            yield "Observation", key, vital_signs(context, visit, contact, shared)
        for code in contact.form:
            if code in context.forms:
                key = part_key(visit, f"{contact.cluster}-{code}")
                yield "Observation", key, form_answers(context, key, visit, contact, code, shared)


def _orders(context: Context, rows: VisitRows, shared: Resource) -> Iterator[Made]:
    """Yield procedures, vaccines, laboratory orders with their results, and prescriptions.

    Rows are never deleted, so a row's number within its visit never changes.
    """
    visit = rows.visit
    for number, done in enumerate(rows.procedures, 1):
        key = part_key(visit, f"T{number}")
        yield "Procedure", key, procedure(context, visit, key, done, shared)
    for number, given in enumerate(rows.immunisations, 1):
        key = part_key(visit, f"V{number}")
        yield "Immunization", key, immunization(context, visit, key, given)
    for number, order in enumerate(rows.orders, 1):
        key = part_key(visit, f"L{number}")
        yield "ServiceRequest", key, service_request(context, key, order, shared)
        if order.result is not None:
            yield "Observation", key, laboratory_result(context, key, order, rows, shared)
        elif voided := rows.result_versions.get(order.id):
            yield "Observation", key, voided_result(context, key, order, voided[-1], shared)
    for number, item in enumerate(rows.prescriptions, 1):
        key = part_key(visit, f"R{number}")
        yield "MedicationRequest", key, medication_request(context, key, item, shared)


def notes_by_encounter(rows: VisitRows) -> Iterator[tuple[Encounter, list[Addendum]]]:
    """Yield each encounter that has addenda, with them."""
    for contact in rows.encounters:
        notes = [addendum for addendum in rows.addenda if addendum.encounter_id == contact.id]
        if notes:
            yield contact, notes


def part_key(visit: Visit, part: str) -> str:
    """Return the identifier of a part of a visit: named by the visit it takes half the bytes of an id of its own."""
    return f"{visit.id}-{part}"


def by_code(diagnoses: Sequence[Diagnosis]) -> dict[str, Diagnosis]:
    """Return one diagnosis a code: one that was struck out and entered again is the same Condition."""
    found: dict[str, Diagnosis] = {}
    for row in sorted(diagnoses, key=lambda row: (row.voided_at is None, row.recorded_at)):
        found[row.code] = row
    return dict(sorted(found.items(), key=lambda item: (item[1].rank, item[0])))


def encounter(context: Context, rows: VisitRows) -> Resource:
    """Return the visit as a whole, with the clusters it went through and its statuses over time.

    The order of elements here and below is the one that compresses best: elements that differ between
    visits are next to each other, so that the rest is one long repetition.
    """
    visit, names = rows.visit, context.names
    history, status = status_history(rows)
    clusters = clusters_of(rows)
    emergency = context.emergency in clusters
    attending = concept(systems.PARTICIPATION, "ATND")
    resource: Resource = {
        "resourceType": "Encounter",
        "statusHistory": history,
        "participant": [
            {"type": [attending], "individual": names.reference("Practitioner", username)}
            for username in practitioners_of(context, rows)
        ],
        "period": _period(visit),
        "class": {"system": systems.ACT_CODE, "code": "EMER" if emergency else "AMB"},
        "type": [concept(systems.PAYER, visit.payer)],
        "subject": names.reference("Patient", visit.patient.medical_record_number),
        "reasonCode": [{"text": visit.chief_complaint}] if visit.chief_complaint else None,
        "identifier": [names.identifier("Encounter", visit.id)],
        "status": status,
        "serviceProvider": names.reference("Organization", names.facility_code),
        "diagnosis": [
            {"condition": names.reference("Condition", part_key(visit, row.code)), "rank": rank}
            for rank, row in enumerate(live_diagnoses(rows), 1)
        ],
        "location": [{"location": names.reference("Location", code)} for code in clusters],
    }
    if visit.disposition:
        code = DISPOSITIONS[Disposition(visit.disposition)]
        resource["hospitalization"] = {"dischargeDisposition": concept(systems.DISPOSITION, code)}
    return {name: value for name, value in resource.items() if value}


def _period(visit: Visit) -> Resource:
    """Return the visit's period, which never ends before it begins."""
    period = {"start": instant(visit.started_at)}
    if visit.ended_at is not None:
        period["end"] = instant(max(visit.ended_at, visit.started_at))
    return period


def live_diagnoses(rows: VisitRows) -> list[Diagnosis]:
    """Return the diagnoses that were not struck out, one a code, by rank."""
    return [row for row in by_code(rows.diagnoses).values() if row.voided_at is None]


def clusters_of(rows: VisitRows) -> list[str]:
    """Return the codes of the clusters the visit went through, in order."""
    live = sorted((row for row in rows.entries if row.voided_at is None), key=lambda row: row.started_at)
    return list(dict.fromkeys(row.cluster for row in live))


def practitioners_of(context: Context, rows: VisitRows) -> list[str]:
    """Return the usernames of the practitioners who served the visit, in order."""
    ids = [row.practitioner_id for row in rows.encounters]
    ids += [row.practitioner_id for row in rows.entries if row.served_at is not None and row.practitioner_id]
    return list(dict.fromkeys(context.usernames[account] for account in ids if account in context.usernames))


def steps_of(rows: VisitRows) -> list[tuple[str, datetime]]:
    """Return the statuses before the visit's end, each with its start: arrived, in-progress when it was served."""
    visit = rows.visit
    served = [row.served_at for row in rows.entries if row.voided_at is None and row.served_at is not None]
    arrived = [("arrived", visit.started_at)]
    return [*arrived, ("in-progress", max(min(served), visit.started_at))] if served else arrived


def status_history(rows: VisitRows) -> tuple[list[Resource], str]:
    """Return the visit's statuses from its queue entries: arrived, in-progress, and its end.

    The history holds what was before; the present status has its own element, and the visit's
    end is in its period. Starts are enough: each status lasts until the next begins. They never
    go backwards, also when a clock was set back between two actions.

    Returns:
        `statusHistory`, and the status now.
    """
    visit, steps = rows.visit, steps_of(rows)
    history = [{"status": status, "period": {"start": instant(at)}} for status, at in steps]
    if visit.voided_at is not None:
        return history, "entered-in-error"
    if visit.ended_at is None:
        return history, steps[-1][0]
    return history, "cancelled" if visit.status == VisitStatus.CANCELLED else "finished"


def condition(names: Names, visit: Visit, row: Diagnosis, shared: Resource) -> Resource:
    """Return a diagnosis. One that was struck out is entered in error and has no clinical status (con-5).

    Args:
        names: The identifier systems of this clinic.
        visit: The visit that the record belongs to.
        row: The stored record.
        shared: What every resource of the visit carries: its tags and meta.
    """
    valid = row.voided_at is None and visit.voided_at is None
    return {
        "resourceType": "Condition",
        "identifier": [names.identifier("Condition", part_key(visit, row.code))],
        **shared,
        "category": [
            concept(systems.CONDITION_CATEGORY, "encounter-diagnosis"),
            concept(systems.CASE_KIND, row.case_kind),
        ],
        "code": concept(systems.ICD10, row.code),
        **(
            {"clinicalStatus": concept(systems.CONDITION_CLINICAL, "active")}
            if valid
            else {"verificationStatus": concept(systems.CONDITION_VERIFIED, "entered-in-error")}
        ),
    }


def vital_signs(context: Context, visit: Visit, contact: Encounter, shared: Resource) -> Resource:
    """Return all vital signs of one encounter as a panel: one Observation, a component each.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        visit: The visit that the record belongs to.
        contact: The encounter with one cluster.
        shared: What every resource of the visit carries: its tags and meta.
    """
    names = context.names
    valid = visit.voided_at is None and contact.vitals
    resource: Resource = {
        "resourceType": "Observation",
        "identifier": [names.identifier("Observation", part_key(visit, contact.cluster))],
        **shared,
        "performer": [_performer(context, contact.practitioner_id)],
        "category": [concept(systems.OBSERVATION_CATEGORY, "vital-signs")],
        "effectiveDateTime": instant(contact.entered_at),
        "component": [_vital(name, value) for name, value in contact.vitals.items() if name in VITALS],
        "code": concept(systems.LOINC, VITALS_PANEL),
        "status": "final" if valid else "entered-in-error",
    }
    return {name: value for name, value in resource.items() if value}


def form_answers(
    context: Context, key: str, visit: Visit, contact: Encounter, code: str, shared: Resource
) -> Resource:
    """Return a specialised form; one whose answers were all taken out is entered in error.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        key: The business identifier of the resource.
        visit: The visit that the record belongs to.
        contact: The encounter with one cluster.
        code: The code of the form or cluster.
        shared: What every resource of the visit carries: its tags and meta.
    """
    form = context.forms[code]
    components = form_components(form, visit, contact)
    valid = visit.voided_at is None and components
    resource: Resource = {
        "resourceType": "Observation",
        "identifier": [context.names.identifier("Observation", key)],
        **shared,
        "performer": [_performer(context, contact.practitioner_id)],
        "category": [concept(systems.OBSERVATION_CATEGORY, "survey")],
        "effectiveDateTime": instant(contact.entered_at),
        "status": "final" if valid else "entered-in-error",
        "component": components,
        "code": {"text": form.title[DEFAULT_LANGUAGE]},
    }
    return {name: value for name, value in resource.items() if value}


def _vital(name: str, value: float) -> Resource:
    vital = VITALS[name]
    quantity: Resource = {"value": value}
    # The UCUM code says it already; words only where there is no code.
    quantity |= {"system": systems.UCUM, "code": vital.ucum} if vital.ucum else {"unit": vital.unit}
    system = systems.LOINC if vital.loinc else systems.SNOMED
    code = concept(system, vital.code) if vital.code else {"text": vital.label}
    return {"code": code, "valueQuantity": quantity}


def _performer(context: Context, account_id: str | None) -> Resource:
    username = context.usernames.get(account_id or "")
    if username is None:
        return context.names.reference("Organization", context.names.facility_code)
    return context.names.reference("Practitioner", username)


def immunization(context: Context, visit: Visit, key: str, row: Immunisation) -> Resource:
    """A vaccine that was given, in words.

    Args:
        context: What the visits of a batch share.
        visit: The visit.
        key: The business identifier of the resource.
        row: The stored record.
    """
    valid = row.voided_at is None and visit.voided_at is None
    names = context.names
    return {
        "resourceType": "Immunization",
        "identifier": [names.identifier("Immunization", key)],
        "status": "completed" if valid else "entered-in-error",
        "vaccineCode": {"text": row.vaccine},
        "patient": names.reference("Patient", visit.patient.medical_record_number),
        "encounter": names.reference("Encounter", visit.id),
        "occurrenceDateTime": instant(row.given_at),
        "primarySource": True,
        "lotNumber": row.lot_number,
        "expirationDate": row.expires_on.isoformat(),
        "performer": [{"actor": _performer(context, row.given_by_id)}],
        "protocolApplied": [{"doseNumberPositiveInt": row.dose_number}],
    }


def procedure(context: Context, visit: Visit, key: str, row: Procedure, shared: Resource) -> Resource:
    """Something done; a code of the clinic's own list goes as words.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        visit: The visit that the record belongs to.
        key: The business identifier of the resource.
        row: The stored record.
        shared: What every resource of the visit carries: its tags and meta.
    """
    valid = row.voided_at is None and visit.voided_at is None
    resource: Resource = {
        "resourceType": "Procedure",
        "identifier": [context.names.identifier("Procedure", key)],
        **shared,
        "code": {"text": row.title} if row.is_local else concept(systems.ICD9, row.code),
        "performedDateTime": instant(row.performed_at),
        "status": "completed" if valid else "entered-in-error",
        "performer": [{"actor": _performer(context, row.performed_by_id)}],
    }
    if row.note:
        resource["note"] = [{"text": row.note}]
    return resource


INTERPRETATIONS = {"low": "L", "high": "H", "abnormal": "A", "normal": "N"}
"""Ours -> HL7 v3 ObservationInterpretation."""


def _test(row: Order) -> Resource:
    """Return a laboratory test: its LOINC code where the list has one, and its name at the clinic."""
    return concept(systems.LOINC, row.code) if row.code else {"text": row.test}


def service_request(context: Context, key: str, row: Order, shared: Resource) -> Resource:
    """Return a laboratory order.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        key: The business identifier of the resource.
        row: The stored record.
        shared: What every resource of the visit carries: its tags and meta.
    """
    resource: Resource = {
        "resourceType": "ServiceRequest",
        "identifier": [context.names.identifier("ServiceRequest", key)],
        **shared,
        "status": REQUEST_STATUS[OrderStatus(row.status)],
        "intent": "order",
        "category": [concept(systems.SNOMED, LABORATORY_REQUEST)],
        "code": _test(row),
        "authoredOn": instant(row.ordered_at),
        "requester": _performer(context, row.ordered_by_id),
    }
    if row.note:
        resource["note"] = [{"text": row.note}]
    return resource


def laboratory_result(context: Context, key: str, row: Order, rows: VisitRows, shared: Resource) -> Resource:
    """Return a result: a quantity where it is a number or a bound, text otherwise.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        key: The business identifier of the resource.
        row: The stored record.
        rows: The visit's rows, with the earlier results.
        shared: What every resource of the visit carries: its tags and meta.
    """
    resource: Resource = {
        "resourceType": "Observation",
        "identifier": [context.names.identifier("Observation", key)],
        **shared,
        "basedOn": [context.names.reference("ServiceRequest", key)],
        "status": "corrected" if rows.result_versions.get(row.id) else "final",
        "category": [concept(systems.OBSERVATION_CATEGORY, "laboratory")],
        "code": _test(row),
        "effectiveDateTime": instant(row.resulted_at or row.ordered_at),
        "performer": [_performer(context, row.resulted_by_id)],
    }
    number = RESULT.match(row.result or "")
    if number:
        quantity: Resource = {"value": float(number[2].replace(",", "."))}
        quantity |= {"comparator": number[1]} if number[1] else {}
        resource["valueQuantity"] = quantity | ({"unit": row.unit} if row.unit else {})
    else:
        resource["valueString"] = f"{row.result} {row.unit}".strip()
    if row.interpretation in INTERPRETATIONS:
        code = INTERPRETATIONS[row.interpretation] * (2 if row.is_critical else 1)
        resource["interpretation"] = [concept(systems.INTERPRETATION, code)]
    if row.reference_range:
        resource["referenceRange"] = [{"text": row.reference_range}]
    return resource


def voided_result(
    context: Context, key: str, row: Order, version: OrderVersion, shared: Resource
) -> Resource:
    """Return a result that was another patient's: sent once, it must be taken back.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        key: The business identifier of the resource.
        row: The order.
        version: The result that was voided.
        shared: What every resource of the visit carries: its tags and meta.
    """
    return {
        "resourceType": "Observation",
        "identifier": [context.names.identifier("Observation", key)],
        **shared,
        "basedOn": [context.names.reference("ServiceRequest", key)],
        "status": "entered-in-error",
        "category": [concept(systems.OBSERVATION_CATEGORY, "laboratory")],
        "code": _test(row),
        "effectiveDateTime": instant(version.changed_at),
        "performer": [_performer(context, version.changed_by_id)],
    }


def medication_request(context: Context, key: str, row: Prescription, shared: Resource) -> Resource:
    """Return a prescribed medicine, as written; the clinic has no KFA codes.

    Args:
        context: The clinic's names, settings and what was read beside the records.
        key: The business identifier of the resource.
        row: The stored record.
        shared: What every resource of the visit carries: its tags and meta.
    """
    dosage = " ".join(part for part in (row.dose, row.frequency, row.instructions) if part)
    resource: Resource = {
        "resourceType": "MedicationRequest",
        "requester": _performer(context, row.prescribed_by_id),
        "identifier": [context.names.identifier("MedicationRequest", key)],
        **shared,
        "medicationCodeableConcept": {"text": _medicine_text(row)},
        "intent": "order",
        "dosageInstruction": [{"text": dosage}] if dosage else None,
        "authoredOn": instant(row.prescribed_at),
        "status": MEDICATION_STATUS[OrderStatus(row.status)],
    }
    amount = QUANTITY.match(row.amount)
    if amount:
        quantity: Resource = {"value": float(amount[1].replace(",", "."))}
        unit = (amount[2] or "").strip()
        resource["dispenseRequest"] = {"quantity": quantity | ({"unit": unit} if unit else {})}
    elif row.amount:
        resource["note"] = [{"text": row.amount}]
    return {name: value for name, value in resource.items() if value}


def _medicine_text(row: Prescription) -> str:
    """Return a medicine in words; a compounded one with every ingredient: `Racikan ...: CTM 1 mg; ... No. 10`."""
    parts = "; ".join(f"{each['medicine']} {each['amount']}".strip() for each in row.ingredients)
    each_one = " d.t.d." if row.per_paper else ""
    return f"{row.medicine}: {parts}; m.f. {row.make}{each_one} No. {row.papers}" if parts else row.medicine


def composition(
    context: Context, visit: Visit, contact: Encounter, notes: Sequence[Addendum], shared: Resource
) -> Resource:
    """Return the addenda to a locked record. The note itself stays at the clinic (data minimisation).

    Args:
        context: The clinic's names, settings and what was read beside the records.
        visit: The visit that the record belongs to.
        contact: The encounter with one cluster.
        notes: The addenda, oldest first.
        shared: What every resource of the visit carries: its tags and meta.
    """
    names = context.names
    ordered = sorted(notes, key=lambda row: row.written_at)
    return {
        "resourceType": "Composition",
        "identifier": names.identifier("Composition", part_key(visit, contact.cluster)),
        **shared,
        "status": "amended",
        "type": concept(systems.LOINC, PROGRESS_NOTE),
        "date": instant(ordered[-1].written_at),
        "author": [_performer(context, ordered[-1].written_by_id)],
        "title": "Addenda",
        "section": [
            {
                "title": instant(row.written_at),
                "author": [_performer(context, row.written_by_id)],
                "text": {
                    "status": "additional",
                    "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{html.escape(row.text)}</div>',
                },
            }
            for row in ordered
        ],
    }

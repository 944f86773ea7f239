"""Says what follows a visit at SATUSEHAT: the referral that it ended with, and the return that was given or that its plan names.

How the patient travels is asked for (`locationCode`) and not recorded here; that is said in words. Whom the patient is
sent to goes in words too: the record has no number of theirs. The performer of a referral is the facility that asks for
it, as the guide allows.

Source: SATUSEHAT, Resume Medis Rawat Jalan, follow-up plan (code by kind, category 3457005) and follow-up instruction
(place, day of the control); Lampiran Terminologi, table 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import partial
from typing import Any

from core.exchange.fhir.clinical import instant
from core.exchange.fhir.systems import ROLE_CODE, SNOMED, Resource
from core.exchange.satusehat.follow_ups import FollowUp, read_follow_up
from core.exchange.satusehat.visit_parts import VisitParts
from core.foundation.codes import AppointmentStatus, Disposition
from core.models import Appointment, Letter
from core.records.pcare_form import FORM

PATIENT_REFERRAL = "3457005"
"""Category of whatever follows a visit."""
OUTPATIENT_CARE = "737492002"
INPATIENT_CARE = "737481003"
FOLLOW_UP = "185389009"
PRIMARY_CARE = "PC"
CODES = {Disposition.REFERRED: OUTPATIENT_CARE, Disposition.ADMITTED: INPATIENT_CARE}
"""Outcome of the visit -> what is asked for."""
ENDED_OTHERWISE = frozenset({Disposition.DIED, Disposition.ADMITTED})
"""Outcomes after which no return is asked for, whatever a plan says that was written before."""
LETTERS = ("referral", "bpjs_referral")
NOT_RECORDED = "Sarana transportasi tidak dicatat"
KEY = "RUJUK"
FOLLOW_UP_KEY = "KONTROL"
RETURN = "kontrol"
"""Words of a return date that was given without any."""
NOON = time(12)
"""Hour of a day that has none: at noon the day is the same in UTC as anywhere in Indonesia."""


def add(parts: VisitParts) -> None:
    """Add the referral of a visit that ended with one, and the return of each contact's plan."""
    outcome = parts.visit.disposition
    if outcome in CODES:
        parts.add("ServiceRequest", parts.key(KEY), lambda: _referral(parts, CODES[Disposition(outcome)]))
    if outcome in ENDED_OTHERWISE:
        return
    for cluster, found in _returns(parts).items():
        key = parts.key(f"{cluster}-{FOLLOW_UP_KEY}")
        parts.add("ServiceRequest", key, partial(_follow_up, parts, key, cluster, found))


def _returns(parts: VisitParts) -> dict[str, FollowUp]:
    """Return cluster -> the return to it: the day that was given in the room, else what the contact's plan says."""
    day = parts.visit.service_on
    read = {contact.cluster: read_follow_up(contact.plan, day) for contact in parts.rows.encounters}
    found = {cluster: said for cluster, said in read.items() if said is not None}
    given = Appointment.select().where(
        Appointment.from_visit == parts.visit.id, Appointment.status != AppointmentStatus.CANCELLED
    )
    for row in given.order_by(Appointment.booked_at):
        said = read.get(row.cluster)
        words = (
            said.words if said is not None and said.on == row.service_on else row.chief_complaint or RETURN
        )
        found[row.cluster] = FollowUp(words, row.service_on)
    return found


def _referral(parts: VisitParts, code: str) -> Resource:
    """Return the referral.

    Args:
        parts: The visit.
        code: SNOMED.
    """
    visit = parts.visit
    letters = Letter.select().where(Letter.visit == visit.id, Letter.kind.in_(list(LETTERS)))
    letter = letters.order_by(Letter.issued_at.desc()).first()
    said = dict(letter.data) if letter is not None else {}
    chosen = _chosen_of_bpjs(parts)
    said.setdefault("hospital", chosen.get("refer_provider_name"))
    said.setdefault("department", chosen.get("refer_subspecialist_name"))
    at = letter.issued_at if letter is not None else visit.ended_at or visit.started_at
    goes_to = ", ".join(str(said[name]) for name in ("hospital", "department") if said.get(name))
    planned = _planned_day(parts)
    last = parts.rows.encounters[-1].practitioner_id if parts.rows.encounters else None
    made = _request(parts, parts.key(KEY), code, letter.issued_by_id if letter is not None else last)
    made |= {
        "intent": "order",
        "priority": "urgent" if chosen.get("refer_urgent") is True else "routine",
        "code": made["code"] | ({"text": f"Dirujuk ke {goes_to}"} if goes_to else {}),
        "occurrenceDateTime": _noon(parts, planned) if planned is not None else instant(at),
        "authoredOn": instant(at),
        "locationCode": [{"text": NOT_RECORDED}],
    }
    reason = str(said.get("reason") or "").strip()
    if reason:
        made["reasonCode"] = [{"text": reason}]
    return made


def _planned_day(parts: VisitParts) -> date | None:
    """Return the day on which the patient is to go there, where P-Care's questions name one that is not past."""
    try:
        planned = date.fromisoformat(str(_chosen_of_bpjs(parts).get("refer_on") or ""))
    except ValueError:
        return None
    return planned if planned >= parts.visit.service_on else None


def _chosen_of_bpjs(parts: VisitParts) -> Mapping[str, Any]:
    """Return what was chosen from BPJS's lists: hospital, department, day; empty where nothing was."""
    forms = [contact.form.get(FORM) or {} for contact in parts.rows.encounters]
    return next((form for form in forms if form.get("refer_provider_name") or form.get("refer_on")), {})


def _follow_up(parts: VisitParts, key: str, cluster: str, found: FollowUp) -> Resource:
    """Return the return to this clinic, on its day where the plan names one.

    Args:
        parts: The visit.
        key: The business identifier of the resource.
        cluster: The cluster to which the patient is to come.
        found: The day, and the words of it.
    """
    contacts = parts.rows.encounters
    contact = next((row for row in contacts if row.cluster == cluster), contacts[-1] if contacts else None)
    made = _request(parts, key, FOLLOW_UP, contact.practitioner_id if contact is not None else None)
    made |= {
        "intent": "plan",
        "code": made["code"] | {"text": found.words},
        "authoredOn": instant(contact.entered_at if contact is not None else parts.visit.started_at),
        "locationCode": [parts.context.displays.concept(ROLE_CODE, PRIMARY_CARE)],
    }
    if found.on is not None:
        made["occurrenceDateTime"] = _noon(parts, found.on)
    return made


def _request(parts: VisitParts, key: str, code: str, by: str | None) -> Resource:
    """Return what a referral and a return share.

    Args:
        parts: The visit.
        key: The business identifier.
        code: SNOMED.
        by: The account that asks for it.
    """
    displays = parts.context.displays
    made: Resource = {
        "resourceType": "ServiceRequest",
        "identifier": [parts.identifier("ServiceRequest", key)],
        "status": "active" if parts.is_valid else "entered-in-error",
        "priority": "routine",
        "category": [displays.concept(SNOMED, PATIENT_REFERRAL)],
        "code": displays.concept(SNOMED, code),
        **parts.shared(),
        "requester": parts.context.performer(by),
        "performer": [parts.context.facility()],
    }
    reasons = parts.main_diagnosis()
    return made | ({"reasonReference": reasons} if reasons else {})


def _noon(parts: VisitParts, day: date) -> str:
    return instant(datetime.combine(day, NOON, parts.context.zone))

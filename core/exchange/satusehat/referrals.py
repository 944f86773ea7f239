"""A referral at SATUSEHAT: the visit ended with it, and the newest letter says where to.

How the patient travels is asked for (`locationCode`) and not recorded here; that is said in words.

Source: SATUSEHAT, Resume Medis Rawat Jalan Jilid 1, table 17.
"""

from __future__ import annotations

from core.exchange.fhir.clinical import instant
from core.exchange.fhir.systems import SNOMED, Resource
from core.exchange.satusehat.visit_parts import VisitParts
from core.foundation.codes import Disposition
from core.models import Letter

PATIENT_REFERRAL = "3457005"
INPATIENT_CARE = "737481003"
CODES = {Disposition.REFERRED: PATIENT_REFERRAL, Disposition.ADMITTED: INPATIENT_CARE}
"""Outcome of the visit -> what is asked for."""
LETTER = "referral"
NOT_RECORDED = "Sarana transportasi tidak dicatat"
KEY = "RUJUK"


def add(parts: VisitParts) -> None:
    """Add the referral of a visit that ended with one."""
    outcome = parts.visit.disposition
    if outcome in CODES:
        parts.add("ServiceRequest", parts.key(KEY), lambda: _referral(parts, CODES[Disposition(outcome)]))


def _referral(parts: VisitParts, code: str) -> Resource:
    """Return the referral.

    Args:
        parts: The visit.
        code: SNOMED.
    """
    context, visit = parts.context, parts.visit
    letters = Letter.select().where(Letter.visit == visit.id, Letter.kind == LETTER)
    letter = letters.order_by(Letter.issued_at.desc()).first()
    at = instant(letter.issued_at if letter is not None else visit.ended_at or visit.started_at)
    goes_to = str(letter.data.get("hospital") or "") if letter is not None else ""
    issued_by = letter.issued_by_id if letter is not None else None
    concept = context.displays.concept(SNOMED, code)
    last = parts.rows.encounters[-1].practitioner_id if parts.rows.encounters else None
    return {
        "resourceType": "ServiceRequest",
        "identifier": [parts.identifier("ServiceRequest", parts.key(KEY))],
        "status": "active" if parts.is_valid else "entered-in-error",
        "intent": "order",
        "priority": "routine",
        "category": [concept],
        "code": concept | ({"text": f"Dirujuk ke {goes_to}"} if goes_to else {}),
        **parts.shared(),
        "occurrenceDateTime": at,
        "authoredOn": at,
        "requester": context.performer(issued_by or last),
        "performer": [context.facility()],
        "locationCode": [{"text": NOT_RECORDED}],
    }
